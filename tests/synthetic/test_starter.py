"""Whole sets: complete, interrupted, extended, refused."""

import errno
import importlib.util
import json
import shutil
from pathlib import Path

import pytest
import torch

from blazepose.data.readers import read_source
from blazepose.synthetic import folder as folders
from blazepose.synthetic import starter, workers
from blazepose.synthetic.starter import provide_starter, render_set


def contents(folder: Path) -> dict[str, bytes]:
    """{path: bytes} of every file below a folder but the lock."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def small(folder: Path, num: int = 3, val: int = 0, **options) -> Path:
    """A set of tiny pictures, in this process."""
    render_set(folder, num=num, val=val, **{"size": 64, "workers": 1} | options)
    return folder


@pytest.fixture(scope="module")
def three(tmp_path_factory) -> Path:
    return small(tmp_path_factory.mktemp("sets") / "three")


@pytest.fixture(scope="module")
def twenty(tmp_path_factory) -> Path:
    return small(tmp_path_factory.mktemp("sets") / "twenty", num=20, val=2)


def stop_at(monkeypatch, chunk: int, error: BaseException) -> None:
    """Make rendering raise an error at a chunk, after its third picture."""
    real = workers.shoot

    def shoot(recipe, split, number):
        for k, shot in enumerate(real(recipe, split, number)):
            if number == chunk and k == 3:
                raise error
            yield shot

    monkeypatch.setattr(workers, "shoot", shoot)


def test_a_set_has_its_files_and_nothing_else(rendered):
    names = {f"train/images/{k:06d}.jpg" for k in range(16)} | {f"val/images/{k:06d}.jpg" for k in range(8)}
    names |= {"train/negatives/000000.jpg", "train/negatives/000001.jpg", "val/negatives/000000.jpg"}
    names |= {"recipe.json", "train/labels.json", "val/labels.json"}
    assert set(contents(rendered)) == names
    train, val = (json.loads((rendered / split / "labels.json").read_text()) for split in ("train", "val"))
    assert train["annotations"][0] != val["annotations"][0]


def test_no_validation_is_no_folder(three):
    assert sorted(path.name for path in three.iterdir()) == [".lock", "recipe.json", "train"]
    assert len(read_source(f"synthetic:{three}").annotations) >= 3


def test_several_processes_render_the_same_bytes(twenty, tmp_path):
    small(tmp_path / "two", num=20, workers=2)
    expected = {name: data for name, data in contents(twenty).items() if not name.startswith("val")}
    assert contents(tmp_path / "two") == expected


def test_one_process_renders_on_one_thread_and_gives_the_others_back(tmp_path, monkeypatch):
    """Sums of several threads differ in their last bits, and a training goes on in the same process."""
    real, threads, used = workers.shoot, torch.get_num_threads(), []

    def shoot(recipe, split, chunk):
        used.append(torch.get_num_threads())
        return real(recipe, split, chunk)

    monkeypatch.setattr(workers, "shoot", shoot)
    torch.set_num_threads(2)
    try:
        small(tmp_path / "set", num=1)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert used == [1]


def test_an_interrupted_set_goes_on_where_it_stopped(twenty, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        stop_at(patch, 1, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            small(tmp_path / "set", num=20, val=2)
    found = contents(tmp_path / "set")
    assert "train/labels.json" not in found
    assert "train/parts/00000.json" in found
    assert not [name for name in found if Path(name).name.startswith(".")]
    with monkeypatch.context() as patch:  # what is there is not rendered again
        stop_at(patch, 0, AssertionError("rendered again"))
        stop_at(patch, 2, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            small(tmp_path / "set", num=20, val=2)
    small(tmp_path / "set", num=20, val=2)
    assert contents(tmp_path / "set") == contents(twenty)


def test_a_set_killed_while_it_wrote_goes_on(twenty, tmp_path):
    """As a power cut leaves it: some pictures and parts, no labels."""
    shutil.copytree(twenty, tmp_path / "set")
    train = json.loads((twenty / "train/labels.json").read_text())
    part = {
        "images": train["images"][:8],
        "annotations": [person for person in train["annotations"] if person["image_id"] < 8],
    }
    (tmp_path / "set/train/labels.json").unlink()
    (tmp_path / "set/train/parts").mkdir()
    (tmp_path / "set/train/parts/00000.json").write_text(json.dumps(part))
    for number in (9, 10, 19):
        (tmp_path / f"set/train/images/{number:06d}.jpg").unlink()
    small(tmp_path / "set", num=20, val=2)
    assert contents(tmp_path / "set") == contents(twenty)


def test_a_larger_number_extends_and_keeps_the_first(twenty, tmp_path):
    small(tmp_path / "set", num=3)
    before = contents(tmp_path / "set")
    small(tmp_path / "set", num=10, val=1)
    small(tmp_path / "set", num=20, val=2)
    after = contents(tmp_path / "set")
    assert after == contents(twenty)
    pictures = [name for name in before if name.endswith(".jpg")]
    assert len(pictures) == 4
    assert all(after[name] == before[name] for name in pictures)


def test_a_smaller_number_leaves_a_larger_set_as_it_is(twenty, tmp_path, monkeypatch):
    shutil.copytree(twenty, tmp_path / "set")
    stop_at(monkeypatch, 0, AssertionError("rendered again"))
    small(tmp_path / "set", num=4, val=1)
    small(tmp_path / "set", num=20, val=2)
    assert contents(tmp_path / "set") == contents(twenty)


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
    with pytest.raises(FileExistsError, match=r"recipe\.json is damaged; name another folder, or delete"):
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


@pytest.mark.parametrize("after", [0, 4, 12, 23])
def test_no_space_left_is_said_and_a_rerun_completes(twenty, tmp_path, monkeypatch, after):
    """The disk is full at the first picture, at a later one, in the second chunk, at labels.json."""
    real, written = folders.whole_file, [0]

    def whole_file(path):
        if path.name != "recipe.json":
            written[0] += 1
            if written[0] > after:
                raise OSError(errno.ENOSPC, "No space left on device")
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(folders, "whole_file", whole_file)
        with pytest.raises(
            OSError, match=r"^no space left for .*set: free some, and the same command goes on"
        ):
            small(tmp_path / "set", num=20)
    assert written[0] == after + 1
    small(tmp_path / "set", num=20, val=2)
    assert contents(tmp_path / "set") == contents(twenty)


def test_damaged_parts_are_rendered_again(twenty, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(folders.Split, "finish", lambda split: None)
        small(tmp_path / "set", num=20, val=2)
    part = tmp_path / "set/train/parts/00001.json"
    part.write_bytes(part.read_bytes()[:100])
    small(tmp_path / "set", num=20, val=2)
    assert contents(tmp_path / "set") == contents(twenty)


@pytest.mark.parametrize("processes", [1, 2])
def test_other_trouble_with_the_disk_is_said(tmp_path, processes):
    (tmp_path / "set/train").mkdir(parents=True)
    (tmp_path / "set/train/images").write_text("in the way")
    (tmp_path / "set/recipe.json").write_text(json.dumps(folders.describe(folders.Recipe(size=64))))
    with pytest.raises(OSError, match=r"set: File exists; mend it, and the same command goes on where it st"):
        small(tmp_path / "set", workers=processes)


def test_two_at_once_are_kept_apart(three, tmp_path):
    shutil.copytree(three, tmp_path / "set")
    with (
        folders.alone(tmp_path / "set"),
        pytest.raises(BlockingIOError, match=r"another process is rendering into .*set; wait for it"),
    ):
        small(tmp_path / "set", num=9)
    assert contents(tmp_path / "set") == contents(three)


def test_more_people_than_an_interrupted_set_began_with(twenty, tmp_path, monkeypatch):
    """Its last chunk was cut off at fewer people."""
    with monkeypatch.context() as patch:
        patch.setattr(folders.Split, "finish", lambda split: None)
        small(tmp_path / "set", num=12)
    small(tmp_path / "set", num=20, val=2)
    assert contents(tmp_path / "set") == contents(twenty)


def test_fewer_people_than_an_interrupted_extension_was_for(tmp_path, monkeypatch):
    """No picture is labelled twice, by labels.json and by a part that brings it again."""
    small(tmp_path / "set", num=12)
    with monkeypatch.context() as patch:
        stop_at(patch, 2, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            small(tmp_path / "set", num=24)
    small(tmp_path / "set", num=8)
    labels = json.loads((tmp_path / "set/train/labels.json").read_text())
    assert [image["id"] for image in labels["images"]] == list(range(16))
    people = [person["id"] for person in labels["annotations"]]
    assert len(set(people)) == len(people)


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
    with pytest.raises(FileNotFoundError, match=r"--background: .*nowhere is no folder"):
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


def test_the_starter_set_is_made_once_and_only_if_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(starter, "STARTER_PEOPLE", (2, 1))
    monkeypatch.setattr(workers, "default_workers", lambda: 1)
    provide_starter(["synthetic:elsewhere", "lsp:data/lsp", "synthetic:data/synthetic:test"])
    assert not (tmp_path / "data").exists()
    provide_starter(["synthetic:data/synthetic", "synthetic:data/synthetic:val"])
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*")}
    assert len(read_source("synthetic:data/synthetic:val").annotations) >= 1
    provide_starter(["synthetic:data/synthetic", "synthetic:data/synthetic:train"])
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*")} == before


def test_a_starter_set_that_is_in_the_way_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/synthetic/train").mkdir(parents=True)
    with pytest.raises(
        FileExistsError, match=r"something else than a rendered set.* The starter set would go there"
    ):
        provide_starter(["synthetic:data/synthetic"])
