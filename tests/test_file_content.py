"""Messages for files that cannot be opened: their content and the library's error."""

from pathlib import Path

import pytest

from blazepose.file_content import check_file, first_line, unreadable

NEXT_STEP = "name a trained network"


def test_ordinary_files_pass(tmp_path):
    (tmp_path / "a.tflite").write_bytes(b"anything")
    check_file(tmp_path / "a.tflite", "a TFLite file", NEXT_STEP)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.task is empty: it has 0 bytes; copy it again, or name a trained network"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
            "a.task is not a .task bundle, but a Git LFS pointer; `git lfs pull` fetches the file",
        ),
        (b"\n <HTML><body>", "a.task is not a .task bundle, but a web page; download the file itself"),
        (b"<!doctype HTML>", "a.task is not a .task bundle, but a web page; download the file itself"),
    ],
)
def test_placeholders_of_files_are_named(tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(tmp_path)
    Path("a.task").write_bytes(content)
    with pytest.raises(ValueError, match=r".") as error:
        check_file(Path("a.task"), "a .task bundle", NEXT_STEP)
    assert str(error.value) == message


def test_missing_files_folders_and_forbidden_files(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"gone is missing; name a trained network$"):
        check_file(tmp_path / "gone", "a video", NEXT_STEP)
    with pytest.raises(FileNotFoundError, match=r"is a folder, not a file; name a trained network$"):
        check_file(tmp_path, "a video", NEXT_STEP)

    def refuse(path, mode):  # root may read everything
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "a.mp4").write_bytes(b"a")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ValueError, match=r"a\.mp4 cannot be read: Permission denied$"):
        check_file(tmp_path / "a.mp4", "a video", NEXT_STEP)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04abc", "it begins as a zip archive; "),
        (b"\x1c\0\0\0TFL3", "it begins as a TFLite file; "),
        (b"\x08\x0a\x12\x07", "it begins as an ONNX file; "),
        (b"MATLAB 5.0 MAT-file", "it begins as a MATLAB file; "),
        (b'{"error": 404}', "it begins as text, '{\"error\": 404}'; "),
        (bytes(range(100)), ""),
    ],
)
def test_rejected_files_show_their_kind(tmp_path, content, kind):
    (tmp_path / "net").write_bytes(content)
    error = unreadable(tmp_path / "net", "a video", ValueError("Invalid data found.\nmore"))
    expected = f"{kind}compare its {len(content)} bytes with the original's, or name another file"
    assert str(error) == f"{tmp_path}/net cannot be read as a video: Invalid data found; {expected}"


def test_a_known_cause_has_its_own_next_step(tmp_path):
    error = unreadable(tmp_path / "net", "a video", "it is of version 9", "update the reader")
    assert str(error).endswith("net cannot be read as a video: it is of version 9; update the reader")


def test_errors_of_one_word_are_named_with_their_type():
    assert first_line(KeyError(101)) == "KeyError 101"
    assert first_line(EOFError()) == "EOFError"
    assert first_line(ValueError("could not read bytes.\nAnd more.")) == "could not read bytes"
