"""Interpolation at the end of a fine-tuning."""

import logging

import pytest
import torch
from pytorch_lightning import Trainer

from blazepose.atomic import file_sha256
from blazepose.config.landmark import LandmarkLossConfig
from blazepose.config.schedule import OptimizerConfig, Stages
from blazepose.config.train import LoaderConfig
from blazepose.data.datamodule import PoseDataModule
from blazepose.data.dataset import PoseDataset
from blazepose.data.readers import read_source
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.runs import best_checkpoint, trained_checkpoint
from blazepose.skeletons import LSP14
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topologies.full_body import NUM_OUTPUTS
from blazepose.training import choose_interpolation
from blazepose.training.checkpoint import landmark_metadata, read_checkpoint, write_checkpoint
from blazepose.training.choose_interpolation import interpolate_best
from blazepose.training.landmark_module import LandmarkModule
from tests.training.saved_net import save

NAMES = tuple(name for name in LSP14.values())


@pytest.fixture(scope="module")
def data(tiny_lsp) -> PoseDataModule:
    source = read_source(f"lsp:{tiny_lsp}")
    source.annotations[:] = source.annotations[:6]
    people = PoseDataset([source], LANDMARK_INPUT)
    return PoseDataModule(people, people, LoaderConfig(batch_size=8, num_workers=0))


def trainer(limit: float | None = None, devices: int = 1) -> Trainer:
    strategy = "ddp" if devices > 1 else "auto"
    return Trainer(
        accelerator="cpu", devices=devices, strategy=strategy, limit_val_batches=limit, logger=False
    )


def mean_pose(data: PoseDataModule) -> torch.Tensor:
    """Return x and y of all outputs that are right for the average person, in units of the network."""
    samples = [data.val_set[k] for k in range(len(data.val_set))]
    return (
        torch.stack([torch.from_numpy(sample["points"][:, :2]) for sample in samples]).mean(dim=0) * 256 / 8
    )


@pytest.fixture
def run(tmp_path, data):
    """Return a function that makes a run whose best weights are right at a share of the way."""

    def make(right_at: float) -> tuple[LandmarkModule, object]:
        torch.manual_seed(0)
        net = LandmarkNet(landmark_variant("lite", "mediapipe"))
        with torch.no_grad():
            net.tower.landmarks.weight.zero_()
            net.tower.landmarks.bias.view(NUM_OUTPUTS, 5)[:, :2] = mean_pose(data)
        right = net.tower.landmarks.bias.detach().clone()
        away = torch.full_like(right, 20.0)  # 160 px
        net.tower.landmarks.bias.data = right - right_at * away
        init = save(tmp_path / "init.ckpt", net)
        net.tower.landmarks.bias.data = right + (1 - right_at) * away
        supervised = SupervisedOutputs(landmarks=NAMES, heatmaps=NAMES)
        start = {**read_checkpoint(init).metadata, "sha256": file_sha256(init)}
        metadata = landmark_metadata(net, "mediapipe", supervised, {}, {"init": str(init)}, start)
        (tmp_path / "checkpoints").mkdir()
        write_checkpoint(best_checkpoint(tmp_path), net, metadata)
        config = OptimizerConfig(interpolate=True)
        module = LandmarkModule(net, LandmarkLossConfig(), config, Stages(joint=1), supervised, metadata)
        return module, init

    return make


@pytest.mark.parametrize("right_at", [0.25, 0.75, 1.0])
def test_the_best_share_of_the_way_is_taken(run, data, tmp_path, caplog, right_at):
    module, init = run(right_at)
    tuned = best_checkpoint(tmp_path).read_bytes()
    with caplog.at_level(logging.INFO):
        results = interpolate_best(module, data, tmp_path, init, trainer())
    assert results["interpolated at"] == right_at
    assert results["best val/pck@0.2"] > results["before val/pck@0.2"]
    assert trained_checkpoint(tmp_path).read_bytes() == tuned
    metadata, weights = read_checkpoint(best_checkpoint(tmp_path))
    assert metadata["blend"]["share"] == right_at
    assert metadata["blend"]["before"] == file_sha256(init)
    assert metadata["blend"]["after"] == file_sha256(trained_checkpoint(tmp_path))
    bias = weights["tower.landmarks.bias"].view(NUM_OUTPUTS, 5)[:, :2]
    torch.testing.assert_close(bias[11], mean_pose(data)[11], atol=0.01, rtol=0)
    assert f"best.ckpt is {100 * right_at:g} % of the way" in caplog.text


def test_a_training_that_improves_nothing_ends_where_it_began(run, data, tmp_path, caplog):
    module, init = run(0.0)
    with caplog.at_level(logging.INFO):
        results = interpolate_best(module, data, tmp_path, init, trainer())
    assert results["interpolated at"] == 0
    assert results["best val/pck@0.2"] == results["before val/pck@0.2"]
    assert "training improved nothing, so these are the initial weights" in caplog.text
    weights = read_checkpoint(best_checkpoint(tmp_path)).weights
    torch.testing.assert_close(
        weights["tower.landmarks.bias"], read_checkpoint(init).weights["tower.landmarks.bias"]
    )


def test_a_resumed_run_starts_from_the_trained_weights_again(run, data, tmp_path):
    module, init = run(0.75)
    interpolate_best(module, data, tmp_path, init, trainer())
    first = read_checkpoint(best_checkpoint(tmp_path)).weights["tower.landmarks.bias"]
    results = interpolate_best(module, data, tmp_path, init, trainer())
    assert results["interpolated at"] == 0.75
    second = read_checkpoint(best_checkpoint(tmp_path)).weights["tower.landmarks.bias"]
    torch.testing.assert_close(first, second)


@pytest.mark.parametrize(("few", "unlabelled", "share"), [(7, 0, 0.5), (6, 0, 1.0), (7, 1, 1.0)])
def test_without_validation_few_people_go_halfway(run, data, tmp_path, monkeypatch, few, unlabelled, share):
    module, init = run(1.0)
    monkeypatch.setattr(data.train_set, "unlabelled", data.train_set.people[:unlabelled])
    monkeypatch.setattr(choose_interpolation, "FEW_PEOPLE", few)
    without = PoseDataModule(data.train_set, PoseDataset([], LANDMARK_INPUT), data.config)
    assert interpolate_best(module, without, tmp_path, init, trainer()) == {"interpolated at": share}
    assert read_checkpoint(best_checkpoint(tmp_path)).metadata["blend"]["share"] == share


@pytest.mark.parametrize(
    ("limit", "devices", "people"), [(None, 1, 6), (2, 1, 4), (9, 1, 6), (0.4, 1, 2), (1, 2, 4)]
)
def test_the_limit_of_the_validation_holds_at_the_end(
    run, data, tmp_path, monkeypatch, limit, devices, people
):
    module, init = run(1.0)
    validated = []
    monkeypatch.setattr(module, "validation_step", lambda batch, _: validated.extend(batch["index"].tolist()))
    pairs = PoseDataModule(data.train_set, data.val_set, LoaderConfig(batch_size=2, num_workers=0))
    interpolate_best(module, pairs, tmp_path, init, trainer(limit, devices))
    assert validated == [*range(people)] * len(choose_interpolation.ALPHAS)


def test_a_run_that_does_not_validate_does_not_validate_at_the_end(run, data, tmp_path):
    module, init = run(1.0)
    assert interpolate_best(module, data, tmp_path, init, trainer(limit=0)) == {"interpolated at": 0.5}


def test_changed_initial_weights_are_refused(run, data, tmp_path):
    module, init = run(1.0)
    tuned = best_checkpoint(tmp_path).read_bytes()
    save(init, module.net)
    with pytest.raises(ValueError, match=r"init\.ckpt, the initial weights of this run, has changed"):
        interpolate_best(module, data, tmp_path, init, trainer())
    assert best_checkpoint(tmp_path).read_bytes() == tuned
