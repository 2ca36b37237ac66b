"""Whole sets: complete, interrupted, extended."""

import errno
import json
import shutil
from pathlib import Path

import pytest
import torch

from blazepose.data.readers import read_source
from blazepose.synthetic.dataset import folder as folders
from blazepose.synthetic.dataset import starter, workers
from blazepose.synthetic.dataset.starter import provide_starter
from tests.synthetic.sets import contents, render_small, stop_at


@pytest.fixture(scope="module")
def twenty(tmp_path_factory) -> Path:
    return render_small(tmp_path_factory.mktemp("sets") / "twenty", num=20, val=2)


def test_a_set_has_its_files_and_nothing_else(rendered):
    names = {f"train/images/{k:06d}.jpg" for k in range(16)} | {f"val/images/{k:06d}.jpg" for k in range(8)}
    names |= {"train/negatives/000000.jpg", "train/negatives/000001.jpg", "val/negatives/000000.jpg"}
    names |= {"recipe.json", "train/labels.json", "val/labels.json"}
    assert set(contents(rendered)) == names
    train, val = (json.loads((rendered / split / "labels.json").read_text()) for split in ("train", "val"))
    assert train["annotations"][0] != val["annotations"][0]


def test_without_validation_there_is_no_val_folder(three):
    assert sorted(path.name for path in three.iterdir()) == [".lock", "recipe.json", "train"]
    assert len(read_source(f"synthetic:{three}").annotations) >= 3


def test_several_processes_render_the_same_bytes(twenty, tmp_path):
    render_small(tmp_path / "two", num=20, workers=2)
    expected = {name: data for name, data in contents(twenty).items() if not name.startswith("val")}
    assert contents(tmp_path / "two") == expected


def test_one_process_renders_on_one_thread_and_restores_the_number(tmp_path, monkeypatch):
    """Sums over several threads differ in their last bits, and training continues in the same process."""
    real, threads, used = workers.render_chunk, torch.get_num_threads(), []

    def render_chunk(recipe, split, chunk):
        used.append(torch.get_num_threads())
        return real(recipe, split, chunk)

    monkeypatch.setattr(workers, "render_chunk", render_chunk)
    torch.set_num_threads(2)
    try:
        render_small(tmp_path / "set", num=1)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert used == [1]


def test_an_interrupted_set_resumes_where_it_stopped(twenty, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        stop_at(patch, 1, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            render_small(tmp_path / "set", num=20, val=2)
    files = contents(tmp_path / "set")
    assert "train/labels.json" not in files
    assert "train/parts/00000.json" in files
    assert not [name for name in files if Path(name).name.startswith(".")]
    with monkeypatch.context() as patch:  # finished chunks are not rendered again
        stop_at(patch, 0, AssertionError("rendered again"))
        stop_at(patch, 2, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            render_small(tmp_path / "set", num=20, val=2)
    render_small(tmp_path / "set", num=20, val=2)
    assert contents(tmp_path / "set") == contents(twenty)


def test_a_set_killed_during_a_write_resumes(twenty, tmp_path):
    """A power cut leaves some images and parts, but no labels."""
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
    render_small(tmp_path / "set", num=20, val=2)
    assert contents(tmp_path / "set") == contents(twenty)


def test_a_larger_number_extends_and_keeps_the_first(twenty, tmp_path):
    render_small(tmp_path / "set", num=3)
    before = contents(tmp_path / "set")
    render_small(tmp_path / "set", num=10, val=1)
    render_small(tmp_path / "set", num=20, val=2)
    after = contents(tmp_path / "set")
    assert after == contents(twenty)
    images = [name for name in before if name.endswith(".jpg")]
    assert len(images) == 4
    assert all(after[name] == before[name] for name in images)


def test_a_smaller_number_leaves_a_larger_set_unchanged(twenty, tmp_path, monkeypatch):
    shutil.copytree(twenty, tmp_path / "set")
    stop_at(monkeypatch, 0, AssertionError("rendered again"))
    render_small(tmp_path / "set", num=4, val=1)
    render_small(tmp_path / "set", num=20, val=2)
    assert contents(tmp_path / "set") == contents(twenty)


@pytest.mark.parametrize("after", [0, 4, 12, 23])
def test_no_space_left_is_reported_and_a_rerun_completes(twenty, tmp_path, monkeypatch, after):
    """The disk is full at the first image, at a later one, in the second chunk, at labels.json."""
    real, written = folders.atomic_path, [0]

    def atomic_path(path):
        if path.name != "recipe.json":
            written[0] += 1
            if written[0] > after:
                raise OSError(errno.ENOSPC, "No space left on device")
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(folders, "atomic_path", atomic_path)
        with pytest.raises(OSError, match=r"^no space left for .*set; free some and rerun$") as raised:
            render_small(tmp_path / "set", num=20)
    assert raised.value.__cause__.__notes__ == [f"the same command resumes {tmp_path / 'set'}"]
    assert written[0] == after + 1
    render_small(tmp_path / "set", num=20, val=2)
    assert contents(tmp_path / "set") == contents(twenty)


def test_damaged_parts_are_rendered_again(twenty, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(folders.Split, "finish", lambda split: None)
        render_small(tmp_path / "set", num=20, val=2)
    part = tmp_path / "set/train/parts/00001.json"
    part.write_bytes(part.read_bytes()[:100])
    render_small(tmp_path / "set", num=20, val=2)
    assert contents(tmp_path / "set") == contents(twenty)


def test_more_people_than_an_interrupted_set(twenty, tmp_path, monkeypatch):
    """The last chunk of the interrupted set has fewer people."""
    with monkeypatch.context() as patch:
        patch.setattr(folders.Split, "finish", lambda split: None)
        render_small(tmp_path / "set", num=12)
    render_small(tmp_path / "set", num=20, val=2)
    assert contents(tmp_path / "set") == contents(twenty)


def test_fewer_people_than_an_interrupted_extension(tmp_path, monkeypatch):
    """No image is labelled twice, in labels.json and in a part."""
    render_small(tmp_path / "set", num=12)
    with monkeypatch.context() as patch:
        stop_at(patch, 2, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            render_small(tmp_path / "set", num=24)
    render_small(tmp_path / "set", num=8)
    labels = json.loads((tmp_path / "set/train/labels.json").read_text())
    assert [image["id"] for image in labels["images"]] == list(range(16))
    people = [person["id"] for person in labels["annotations"]]
    assert len(set(people)) == len(people)


def test_the_starter_set_is_rendered_once_and_only_on_request(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(starter, "STARTER_PEOPLE", (2, 1))
    monkeypatch.setattr("blazepose.synthetic.dataset.render_set.default_workers", lambda: 1)
    provide_starter(["synthetic:elsewhere", "lsp:data/lsp", "synthetic:data/synthetic:test"])
    assert not (tmp_path / "data").exists()
    provide_starter(["synthetic:data/synthetic", "synthetic:data/synthetic:val"])
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*")}
    assert len(read_source("synthetic:data/synthetic:val").annotations) >= 1
    provide_starter(["synthetic:data/synthetic", "synthetic:data/synthetic:train"])
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*")} == before
