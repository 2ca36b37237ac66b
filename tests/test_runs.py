"""Run folders."""

import os
from pathlib import Path

import pytest

from blazepose.runs import new_run_folder, resolve_named_weights, resolve_resume, resolve_weights


def make_run(parent: Path, name: str, age: int) -> Path:
    folder = parent / name
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "config.yaml").write_text("seed: 0\n")
    for kind in ("best", "last"):
        (folder / "checkpoints" / f"{kind}.ckpt").write_bytes(b"")
    for path in (folder / "config.yaml", *folder.glob("checkpoints/*")):
        os.utime(path, (1e9 - age, 1e9 - age))
    return folder


def test_a_run_never_overwrites_another(tmp_path):
    folders = {new_run_folder(tmp_path, "lite") for _ in range(3)}
    assert len(folders) == 3


def test_newest_is_the_one_last_written(tmp_path):
    make_run(tmp_path, "b-old", age=100)
    newest = make_run(tmp_path, "a-new", age=1)
    assert resolve_weights(None, "weights=", tmp_path) == newest / "checkpoints" / "best.ckpt"
    assert resolve_resume("last", tmp_path) == (newest, newest / "checkpoints" / "last.ckpt")


def test_a_new_run_without_checkpoints_is_not_skipped_for_an_old_one(tmp_path):
    make_run(tmp_path, "old", age=100)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "config.yaml").write_text("seed: 0\n")
    with pytest.raises(FileNotFoundError, match=r"new has no last\.ckpt yet \(.*ckpt=FOLDER"):
        resolve_resume("last", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no best\.ckpt yet.*weights=FILE"):
        resolve_weights(None, "weights=", tmp_path)


def test_weights_are_a_file_or_a_run(tmp_path):
    folder = make_run(tmp_path, "a", age=1)
    assert resolve_weights(str(folder), "weights=") == folder / "checkpoints" / "best.ckpt"
    assert resolve_weights(tmp_path / "net.tflite", "weights=") == tmp_path / "net.tflite"


def test_a_core_ml_package_is_no_weights(tmp_path):
    (tmp_path / "my_pose.mlpackage").mkdir()
    with pytest.raises(
        ValueError, match=r"weights=.*my_pose\.mlpackage is a Core ML package.*the checkpoint"
    ):
        resolve_weights(tmp_path / "my_pose.mlpackage", "weights=")


def test_resume_takes_a_folder_or_a_file(tmp_path):
    folder = make_run(tmp_path, "a", age=1)
    last = folder / "checkpoints" / "last.ckpt"
    assert resolve_resume(str(folder)) == resolve_resume(str(last)) == (folder, last)


def test_nothing_to_resume(tmp_path):
    with pytest.raises(FileNotFoundError, match="train one with"):
        resolve_weights(None, "weights=", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"x\.ckpt is missing"):
        resolve_resume(str(tmp_path / "x.ckpt"))


def test_a_checkpoint_without_its_config_names_the_next_step(tmp_path):
    folder = make_run(tmp_path, "a", age=1)
    (folder / "config.yaml").unlink()
    with pytest.raises(FileNotFoundError, match=r"config\.yaml is missing.*init="):
        resolve_resume(str(folder))


def test_an_empty_name_is_refused(tmp_path):
    assert resolve_named_weights(str(tmp_path / "a.task")) == tmp_path / "a.task"
    with pytest.raises(ValueError, match="the name of the weights is empty"):
        resolve_named_weights("")
