"""Requests and folders that rendering rejects."""

import importlib.util
import json
import shutil
import threading

import pytest

from blazepose.exceptions import FileError
from blazepose.synthetic.dataset import folder as folders
from blazepose.synthetic.dataset.starter import provide_starter
from tests.synthetic.sets import contents, render_small


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"seed": 1}, r"set was rendered with seed 0, not 1; choose another folder"),
        ({"size": 96}, r"was rendered with size 64, not 96"),
        ({"families": "squat=2"}, r"was rendered with families \{\}, not \{'squat': 2\.0\}"),
    ],
)
def test_another_recipe_is_rejected(three, tmp_path, options, sentence):
    shutil.copytree(three, tmp_path / "set")
    with pytest.raises(FileExistsError, match=sentence):
        render_small(tmp_path / "set", num=9, **options)
    assert contents(tmp_path / "set") == contents(three)


def test_other_backgrounds_are_rejected(three, rendered, tmp_path):
    shutil.copytree(three, tmp_path / "set")
    with pytest.raises(FileExistsError, match=r"was rendered with pictures 0, sha256 .*, not 16, sha256"):
        render_small(tmp_path / "set", num=9, background=rendered / "train" / "images")


def test_an_earlier_version_is_rejected(three, tmp_path, monkeypatch):
    shutil.copytree(three, tmp_path / "set")
    monkeypatch.setattr(folders, "RECIPE_VERSION", folders.RECIPE_VERSION + 1)
    with pytest.raises(FileExistsError, match=r"was rendered with made_by .* \d+, not .* \d+;"):
        render_small(tmp_path / "set", num=9)


def test_a_folder_of_other_files_is_rejected(tmp_path):
    (tmp_path / "holidays").mkdir()
    (tmp_path / "holidays" / "beach.jpg").write_bytes(b"")
    with pytest.raises(FileExistsError, match=r"holidays holds files but no rendered set"):
        render_small(tmp_path / "holidays")
    assert [path.name for path in (tmp_path / "holidays").iterdir()] == ["beach.jpg"]


def test_a_file_is_rejected(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match=r"file is a file; choose a folder"):
        render_small(tmp_path / "file")


def test_a_damaged_recipe_is_reported(three, tmp_path):
    shutil.copytree(three, tmp_path / "set")
    (tmp_path / "set/recipe.json").write_text('{"seed": 0')
    with pytest.raises(
        FileExistsError,
        match=r"recipe\.json cannot be read: .* delimiter: .*; choose another",
    ):
        render_small(tmp_path / "set")


@pytest.mark.parametrize("text", ["", '{"images": [{', '{"images": 5}', '{"images": [{}]}', "[]"])
def test_damaged_labels_are_reported_and_rendered_again_after_deletion(three, tmp_path, text):
    shutil.copytree(three, tmp_path / "set")
    labels = tmp_path / "set/train/labels.json"
    labels.write_text(text)
    with pytest.raises(ValueError, match=r"train/labels\.json is damaged; delete it and rerun to"):
        render_small(tmp_path / "set")
    labels.unlink()
    render_small(tmp_path / "set")
    assert contents(tmp_path / "set") == contents(three)


@pytest.mark.parametrize("processes", [1, 2])
def test_other_disk_errors_are_reported(tmp_path, processes):
    (tmp_path / "set/train").mkdir(parents=True)
    (tmp_path / "set/train/images").write_text("in the way")
    (tmp_path / "set/recipe.json").write_text(json.dumps(folders.describe_recipe(folders.Recipe(size=64))))
    with pytest.raises(OSError, match=r"set: File exists; fix it and rerun$"):
        render_small(tmp_path / "set", workers=processes)


def test_a_second_process_is_rejected(three, tmp_path):
    shutil.copytree(three, tmp_path / "set")
    with (
        folders.exclusive_lock(tmp_path / "set", wait=False),
        pytest.raises(FileError, match=r"another process is rendering into .*set; wait until it ends"),
    ):
        render_small(tmp_path / "set", num=9)
    assert contents(tmp_path / "set") == contents(three)


def test_one_of_several_processes_renders_and_the_others_wait(tmp_path, monkeypatch):
    """They wait until it ends, successfully or not; then the next one renders the missing images."""
    renders, waits = threading.Event(), threading.Event()
    monkeypatch.setattr(folders.log, "info", lambda *_: waits.set())

    def render() -> None:
        with folders.exclusive_lock(tmp_path / "set", wait=False):
            renders.set()
            assert waits.wait(20)
            (tmp_path / "set/complete").touch()

    other = threading.Thread(target=render)
    other.start()
    assert renders.wait(20)
    with folders.exclusive_lock(tmp_path / "set", wait=True):
        assert (tmp_path / "set/complete").is_file()
    other.join()


def test_previews_need_a_suffix_and_a_folder(tmp_path):
    with pytest.raises(ValueError, match=r"--preview .*sheet: choose a \.png or \.jpg file"):
        render_small(tmp_path / "set", preview=tmp_path / "sheet")
    with pytest.raises(FileNotFoundError, match=r"--preview .*: .*nowhere is not a writable folder"):
        render_small(tmp_path / "set", preview=tmp_path / "nowhere" / "sheet.png")
    assert not (tmp_path / "set").exists()


def test_backgrounds_need_readable_images(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"--background: .*empty holds no "):
        render_small(tmp_path / "set", background=tmp_path / "empty")
    with pytest.raises(FileNotFoundError, match=r"--background: .*nowhere is not a folder"):
        render_small(tmp_path / "set", background=tmp_path / "nowhere")
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "a.jpg").write_bytes(b"\xff\xd8")
    with pytest.raises(ValueError, match=r"torn/a\.jpg is cut off"):
        render_small(tmp_path / "set", background=tmp_path / "torn")
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("missing", ["anny", "warp"])
def test_a_missing_package_is_reported_with_the_extra(tmp_path, monkeypatch, missing):
    monkeypatch.chdir(tmp_path)
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *args: None if name == missing else real(name, *args)
    )
    with pytest.raises(
        ImportError, match=rf"need {missing}, which is not installed: pip install .*\[synthetic\]"
    ):
        provide_starter(["synthetic:data/synthetic"])
    assert not (tmp_path / "data").exists()


def test_other_files_in_the_starter_folder_are_reported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/synthetic/train").mkdir(parents=True)
    with pytest.raises(
        FileExistsError, match=r"holds files but no rendered set.* The starter set belongs there"
    ):
        provide_starter(["synthetic:data/synthetic"])
