"""What cannot be rendered, and where it cannot go."""

import importlib.util
import json
import shutil
import threading

import pytest

from blazepose.synthetic.dataset import folder as folders
from blazepose.synthetic.dataset.starter import provide_starter
from tests.synthetic.sets import contents, small


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"seed": 1}, r"set was rendered with seed 0, not 1; name another folder"),
        ({"size": 96}, r"was rendered with size 64, not 96"),
        ({"families": "squat=2"}, r"was rendered with families \{\}, not \{'squat': 2\.0\}"),
    ],
)
def test_another_recipe_is_refused(three, tmp_path, options, sentence):
    shutil.copytree(three, tmp_path / "set")
    with pytest.raises(FileExistsError, match=sentence):
        small(tmp_path / "set", num=9, **options)
    assert contents(tmp_path / "set") == contents(three)


def test_other_backdrops_are_refused(three, rendered, tmp_path):
    shutil.copytree(three, tmp_path / "set")
    with pytest.raises(FileExistsError, match=r"was rendered with pictures 0, sha256 .*, not 16, sha256"):
        small(tmp_path / "set", num=9, background=rendered / "train" / "images")


def test_an_earlier_version_is_refused(three, tmp_path, monkeypatch):
    shutil.copytree(three, tmp_path / "set")
    monkeypatch.setattr(folders, "RECIPE_VERSION", folders.RECIPE_VERSION + 1)
    with pytest.raises(FileExistsError, match=r"was rendered with made_by .* \d+, not .* \d+;"):
        small(tmp_path / "set", num=9)


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "holidays").mkdir()
    (tmp_path / "holidays" / "beach.jpg").write_bytes(b"")
    with pytest.raises(FileExistsError, match=r"holidays holds something else than a rendered set"):
        small(tmp_path / "holidays")
    assert [path.name for path in (tmp_path / "holidays").iterdir()] == ["beach.jpg"]


def test_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match=r"file is a file; name a folder"):
        small(tmp_path / "file")


def test_a_damaged_recipe_is_named(three, tmp_path):
    shutil.copytree(three, tmp_path / "set")
    (tmp_path / "set/recipe.json").write_text('{"seed": 0')
    with pytest.raises(
        FileExistsError,
        match=r"recipe\.json cannot be read: .* delimiter: .*; name another",
    ):
        small(tmp_path / "set")


@pytest.mark.parametrize("text", ["", '{"images": [{', '{"images": 5}', '{"images": [{}]}', "[]"])
def test_damaged_labels_are_named_and_made_again_without(three, tmp_path, text):
    shutil.copytree(three, tmp_path / "set")
    labels = tmp_path / "set/train/labels.json"
    labels.write_text(text)
    with pytest.raises(ValueError, match=r"train/labels\.json is damaged; delete it, and the pictures are"):
        small(tmp_path / "set")
    labels.unlink()
    small(tmp_path / "set")
    assert contents(tmp_path / "set") == contents(three)


@pytest.mark.parametrize("processes", [1, 2])
def test_other_trouble_with_the_disk_is_said(tmp_path, processes):
    (tmp_path / "set/train").mkdir(parents=True)
    (tmp_path / "set/train/images").write_text("in the way")
    (tmp_path / "set/recipe.json").write_text(json.dumps(folders.describe(folders.Recipe(size=64))))
    with pytest.raises(OSError, match=r"set: File exists; mend it$"):
        small(tmp_path / "set", workers=processes)


def test_two_at_once_are_kept_apart(three, tmp_path):
    shutil.copytree(three, tmp_path / "set")
    with (
        folders.exclusive_lock(tmp_path / "set", wait=False),
        pytest.raises(BlockingIOError, match=r"another process is rendering into .*set; wait for it"),
    ):
        small(tmp_path / "set", num=9)
    assert contents(tmp_path / "set") == contents(three)


def test_one_of_several_processes_renders_and_the_others_wait(tmp_path, monkeypatch):
    """Until it ends, well or not: then the next one renders what is missing."""
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


def test_previews_need_a_suffix_and_a_place(tmp_path):
    with pytest.raises(ValueError, match=r"--preview .*sheet: name a \.png or \.jpg file"):
        small(tmp_path / "set", preview=tmp_path / "sheet")
    with pytest.raises(FileNotFoundError, match=r"--preview .*: .*nowhere is no folder one can write to"):
        small(tmp_path / "set", preview=tmp_path / "nowhere" / "sheet.png")
    assert not (tmp_path / "set").exists()


def test_backgrounds_need_pictures_that_can_be_read(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"--background: .*empty holds no "):
        small(tmp_path / "set", background=tmp_path / "empty")
    with pytest.raises(FileNotFoundError, match=r"--background: .*nowhere is not a folder"):
        small(tmp_path / "set", background=tmp_path / "nowhere")
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "a.jpg").write_bytes(b"\xff\xd8")
    with pytest.raises(ValueError, match=r"torn/a\.jpg is cut off"):
        small(tmp_path / "set", background=tmp_path / "torn")
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("missing", ["anny", "warp"])
def test_a_missing_package_is_named_with_the_extra(tmp_path, monkeypatch, missing):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *args: None if name == missing else real(name, *args)
    )
    with pytest.raises(
        ImportError, match=rf"need {missing}, which is not installed: pip install .*\[synthetic\]"
    ):
        small(tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_a_starter_set_that_is_in_the_way_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/synthetic/train").mkdir(parents=True)
    with pytest.raises(
        FileExistsError, match=r"something else than a rendered set.* The starter set would go there"
    ):
        provide_starter(["synthetic:data/synthetic"])
