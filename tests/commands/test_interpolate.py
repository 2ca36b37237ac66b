"""The command that interpolates weights."""

from pathlib import Path

import pytest
import torch

from blazepose.atomic import file_sha256
from blazepose.commands import interpolate as blend
from blazepose.models.detector_net import DetectorNet
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.training.checkpoint import detector_metadata, write_checkpoint
from blazepose.training.weights import open_landmark_net, read_weights
from tests.training.saved_net import save


def _net(name: str = "lite") -> LandmarkNet:
    return LandmarkNet(landmark_variant(name, "mediapipe"))


def _tuned(path: Path, init: Path, name: str = "lite") -> Path:
    """Save random weights, with metadata of a fine-tuning from `init`."""
    metadata = {"trained": {"landmarks": []}, "data": {}, "init": None, "sha256": file_sha256(init)}
    return save(path, _net(name), init=metadata, recipe={"init": str(init)})


def test_interpolated_checkpoint(tmp_path, capsys):
    first = save(tmp_path / "a.ckpt", _net())
    second, out = _tuned(tmp_path / "b.ckpt", first), tmp_path / "mild.ckpt"
    blend.main([str(first), str(second), "--alpha", "0.25", "--out", str(out)])
    assert f"{out}: 25 % of the way from {first} to {second}" in capsys.readouterr().out
    name = "tower.world.weight"
    one, two = (read_weights(path).weights[name] for path in (first, second))
    net, metadata = open_landmark_net(out)
    torch.testing.assert_close(net.state_dict()[name], 0.75 * one + 0.25 * two)
    assert metadata["blend"]["share"] == 0.25
    assert metadata["blend"]["before"] != metadata["blend"]["after"]


@pytest.mark.parametrize(("interpolated", "taken"), [(True, "trained.ckpt"), (False, "best.ckpt")])
def test_a_run_is_interpolated_from_the_weights_before_its_own_interpolation(
    tmp_path, capsys, interpolated, taken
):
    """The best weights are not interpolated yet when a resumed run has found a better epoch."""
    first, checkpoints = save(tmp_path / "a.ckpt", _net()), tmp_path / "run" / "checkpoints"
    checkpoints.mkdir(parents=True)
    (tmp_path / "run" / "config.yaml").touch()
    _tuned(checkpoints / "trained.ckpt", first)
    best = _tuned(checkpoints / "best.ckpt", first)
    if interpolated:
        net, metadata = open_landmark_net(best)
        write_checkpoint(best, net, {**metadata, "blend": {"share": 0.5}})
    out = str(tmp_path / "mild.ckpt")
    blend.main([str(first), str(tmp_path / "run"), "--alpha", "0.5", "--out", out])
    assert f"from {first} to {checkpoints / taken}" in capsys.readouterr().out


def test_published_weights_as_initial_weights(shared, tmp_path):
    weights = shared / "models" / "pose_landmark_lite.tflite"
    after, out = _tuned(tmp_path / "b.ckpt", weights), tmp_path / "mild.ckpt"
    blend.main([str(weights), str(after), "--alpha", "0.5", "--out", str(out)])
    name = "tower.world.weight"
    one, two, mild = (read_weights(path).weights[name] for path in (weights, after, out))
    torch.testing.assert_close(mild, (one + two) / 2)


def test_interpolated_detector(shared, tmp_path):
    weights, out = shared / "models" / "pose_landmarker_full.task", tmp_path / "mild.ckpt"
    net, after = DetectorNet(), tmp_path / "b.ckpt"
    init = {"data": {}, "init": None, "sha256": file_sha256(weights)}
    write_checkpoint(after, net, detector_metadata(net, {"train": []}, {"init": str(weights)}, init))
    blend.main([str(weights), str(after), "--alpha", "0.5", "--out", str(out)])
    name = "heads.0.boxes.1.bias"
    one, two, mild = (read_weights(path, "detector").weights[name] for path in (weights, after, out))
    torch.testing.assert_close(mild, (one + two) / 2)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["b.ckpt", "--alpha", "1.0", "--out", "c.ckpt"],
            "--alpha 1: must be greater than 0 (before) and less",
        ),
        (["b.ckpt", "--alpha", "0.5", "--out", "c.task"], "c.task: the file must end in .ckpt"),
        (["b.ckpt", "--alpha", "0.5", "--out", "a.ckpt"], "a.ckpt exists; choose another --out"),
        (
            ["b.ckpt", "--alpha", "0.5", "--out", "checkpoints/c.ckpt"],
            "checkpoint folders are reserved for their run",
        ),
        (["b.ckpt", "--alpha", "0.5", "--out", "gone/c.ckpt"], "gone/c.ckpt: the folder"),
        (["b.ckpt", "--alpha", "0.5", "--out", "b.ckpt/c.ckpt"], "b.ckpt/c.ckpt: the folder"),
        (
            ["full.ckpt", "--alpha", "0.5", "--out", "c.ckpt"],
            "full.ckpt was fine-tuned from b.ckpt, not from a.ckpt; pass b.ckpt as the first",
        ),
        (
            ["a.ckpt", "--alpha", "0.5", "--out", "c.ckpt"],
            "a.ckpt was not fine-tuned from a.ckpt: it was trained from scratch",
        ),
        (["gone.ckpt", "--alpha", "0.5", "--out", "c.ckpt"], "gone.ckpt is missing"),
        (
            ["b.task", "--alpha", "0.5", "--out", "c.ckpt"],
            "b.task is an exported file: give the run or the .ckpt",
        ),
        (["", "--alpha", "0.5", "--out", "c.ckpt"], "the name of the weights is empty"),
    ],
)
def test_errors(arguments, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    first = save(Path("a.ckpt"), _net())
    _tuned(Path("full.ckpt"), _tuned(Path("b.ckpt"), first), "full")
    with pytest.raises(SystemExit):
        blend.main(["a.ckpt", *arguments])
    assert sentence in capsys.readouterr().err
    assert not Path("c.ckpt").exists()
