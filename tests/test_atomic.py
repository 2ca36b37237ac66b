"""Atomic writing of files and folders."""

import hashlib
from pathlib import Path

import pytest

from blazepose.atomic import atomic_folder, atomic_path, file_sha256, full_disk


def test_appears_when_complete(tmp_path):
    file = tmp_path / "new" / "results.json"
    with atomic_path(file) as part:
        part.write_text("half")
        assert not file.exists()
        assert part.suffix == ".json"
    assert file.read_text() == "half"
    assert [path.name for path in file.parent.iterdir()] == ["results.json"]


def test_an_error_keeps_the_earlier_file(tmp_path):
    file = tmp_path / "results.json"
    file.write_text("earlier")

    def interrupted():
        with atomic_path(file) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert file.read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def test_the_content_may_be_a_folder(tmp_path):
    with atomic_path(tmp_path / "net.mlpackage") as part:
        part.mkdir()
        (part / "weights.bin").write_text("whole")
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == [
        "net.mlpackage",
        "net.mlpackage/weights.bin",
    ]


def test_an_error_leaves_no_folder_as_content(tmp_path):
    def interrupted():
        with atomic_path(tmp_path / "net.mlpackage") as part:
            part.mkdir()
            (part / "weights.bin").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("letter", ["a", "é", "姿"])
@pytest.mark.parametrize("suffix", [".json", ".of a sentence"])
def test_a_name_as_long_as_the_system_allows(tmp_path, letter, suffix):
    file = tmp_path / (letter * ((255 - len(suffix)) // len(letter.encode())) + suffix)
    with atomic_path(file) as part:
        part.write_text("whole")
        assert part.suffix == suffix
    assert file.read_text() == "whole"
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_a_name_that_is_nearly_all_suffix(tmp_path):
    file = tmp_path / ("1." + "x" * 253)
    with atomic_path(file) as part:
        part.write_text("whole")
    assert file.read_text() == "whole"


def test_a_name_that_is_not_valid_text(tmp_path):
    file = tmp_path / "caf\udce9.png"
    with atomic_path(file) as part:
        part.write_text("whole")
        assert part.suffix == ".png"
        assert str(part).encode(), "OpenCV and PyAV accept text only"
    assert file.read_text() == "whole"


def test_checksums_and_unreadable_files(tmp_path, monkeypatch):
    file = tmp_path / "net.onnx"
    with pytest.raises(FileNotFoundError, match=r"net\.onnx is missing; name another file$"):
        file_sha256(file)
    with pytest.raises(FileNotFoundError, match=r"is a folder, not a file; name another file$"):
        file_sha256(tmp_path)
    file.write_bytes(b"net")
    assert file_sha256(file) == hashlib.sha256(b"net").hexdigest()

    def refuse(path, mode):  # root may read everything
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ValueError, match=r"net\.onnx cannot be read: Permission denied$"):
        file_sha256(file)


def test_a_folder_appears_when_complete(tmp_path):
    folder = tmp_path / "new" / "report"
    with atomic_folder(folder) as part:
        (part / "results.json").write_text("{}")
        (part / "plots").mkdir()
        assert not list(folder.glob("*.json"))
    assert sorted(path.name for path in folder.iterdir()) == ["plots", "results.json"]


@pytest.mark.parametrize("existing", [[], ["notes.txt"]])
def test_an_error_leaves_no_part_of_a_folder(tmp_path, existing):
    folder = tmp_path / "report"
    folder.mkdir()
    for name in existing:
        (folder / name).touch()

    def interrupted():
        with atomic_folder(folder) as part:
            (part / "results.json").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [path.name for path in tmp_path.rglob("*")] == (["report", *existing] if existing else [])


def test_a_full_disk_is_recognized_behind_other_errors_and_named(tmp_path):
    def fill():
        with atomic_path(tmp_path / "net.ckpt") as part:
            part.symlink_to("/dev/full")
            try:
                part.write_text("half")
            except OSError:
                raise RuntimeError("unexpected pos 704 vs 598")  # noqa: B904 (as torch does)

    with pytest.raises(RuntimeError) as raised:
        fill()
    assert full_disk(raised.value).filename == str(tmp_path / "net.ckpt")
    assert full_disk(RuntimeError("another")) is None
    assert not list(tmp_path.iterdir())
