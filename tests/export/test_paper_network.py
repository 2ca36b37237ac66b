"""A small network of the paper's form, with the upper body's points: exported, run and imported again."""

import numpy as np
import pytest
import torch

from blazepose.exceptions import InputError
from blazepose.export.landmark_export import export_landmark_net
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import VARIANTS
from blazepose.runtime.decode import decode_outputs
from blazepose.runtime.engines import LandmarkEngine
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topologies import find_topology
from blazepose.training.checkpoint import landmark_metadata, write_checkpoint
from blazepose.training.weights import open_landmark_net
from tests.small_paper_net import SMALL

UPPER_BODY = find_topology("upper_body")
IMAGES = np.random.default_rng(0).integers(0, 256, (1, 256, 256, 3), np.uint8)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Save a network of one block a stage, whose heatmaps count as trained."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(VARIANTS, "small", {"paper": SMALL})
        torch.manual_seed(0)
        net = LandmarkNet(SMALL, topology=UPPER_BODY).train()
        for _ in range(3):
            net(torch.rand(4, 3, 256, 256), masks=0)
        with torch.no_grad():
            net.heatmaps.weight.mul_(100)
        supervised = SupervisedOutputs.everything(topology=UPPER_BODY).without("world")
        metadata = landmark_metadata(net, "paper", supervised, {"train": []}, {}, decoding="regression")
        path = tmp_path_factory.mktemp("small") / "net.ckpt"
        write_checkpoint(path, net, metadata)
        yield path


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    from blazepose.image import write_image

    folder = tmp_path_factory.mktemp("pictures")
    for k in range(2):
        write_image(folder / f"{k}.png", np.random.default_rng(k).integers(0, 256, (64, 64, 3), np.uint8))
    return folder


@pytest.mark.slow
def test_decoded_by_heatmaps_the_file_is_the_network(checkpoint, pictures, tmp_path):
    out = tmp_path / "small.tflite"
    export_landmark_net(checkpoint, "tflite", "fp32", out, pictures, decoding="heatmap")
    engine = LandmarkEngine(out)
    raw = engine(IMAGES)
    assert engine.topology == UPPER_BODY
    assert raw.decoded
    assert (raw.heatmaps, raw.world) == (None, None)
    original, imported = open_landmark_net(checkpoint)[0], open_landmark_net(out)[0]
    with torch.inference_mode():
        expected, again = (
            net(torch.from_numpy(IMAGES).permute(0, 3, 1, 2).float() / 255) for net in (original, imported)
        )
    # The file has its heatmaps in the decoding alone, and they are trainable again.
    torch.testing.assert_close(again.heatmaps, expected.heatmaps, atol=2e-3, rtol=1e-4)
    torch.testing.assert_close(again.landmarks, expected.landmarks, atol=2e-3, rtol=1e-4)
    moved = raw.landmarks.reshape(31, 5)[:, :2] - expected.landmarks.numpy()[0, :, :2]
    assert np.abs(moved[:25]).max() > 0.1
    assert np.abs(moved[25:]).max() < 1e-2


@pytest.mark.slow
def test_without_decoding_the_file_has_no_heatmaps_to_claim(checkpoint, pictures, tmp_path):
    out = tmp_path / "small.onnx"
    metadata, _ = export_landmark_net(checkpoint, "onnx", "fp32", out, pictures)
    assert metadata["trained"]["heatmaps"] == []
    assert "heatmaps" not in metadata["trained"]["outputs"]
    engine = LandmarkEngine(out)
    assert engine.topology == UPPER_BODY
    raw = engine(IMAGES)
    assert decode_outputs(raw, 256).landmarks.shape == (1, 31, 5)
    with pytest.raises(InputError, match="decode=heatmap needs heatmaps, which these weights do not have"):
        decode_outputs(raw, 256, "heatmap")


def test_targets_without_a_place_for_the_network_are_refused(checkpoint, tmp_path):
    form = r"net\.ckpt is small with the 25 landmarks of upper_body"
    with pytest.raises(InputError, match=f"{form}; Core ML packages have the 33 landmarks"):
        export_landmark_net(checkpoint, "coreml", "fp16", tmp_path / "out.mlpackage")
    with pytest.raises(InputError, match=f"{form}; a .task of it is written in fp16 or fp32"):
        export_landmark_net(checkpoint, "task", "int8", tmp_path / "out.task")
