"""Trained networks of this project and of Google."""

from pathlib import Path

import numpy as np
import pytest
import torch

from blazepose.decoding import check_decoding
from blazepose.evaluation.engine_registry import TorchEngine
from blazepose.models.detector_net import DetectorNet
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import DETECTOR_2021_VARIANT, landmark_variant
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topologies import find_topology
from blazepose.topologies.full_body import OUTPUTS
from blazepose.training.checkpoint import detector_metadata, read_checkpoint, write_checkpoint
from blazepose.training.weights import load_initial_weights, load_landmark_net, load_model, read_weights
from tests.training.saved_net import save


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(1)
    return LandmarkNet(landmark_variant("lite", "mediapipe"))


def test_round_trip(tmp_path, net):
    path = save(tmp_path / "a.ckpt", net)
    loaded = load_landmark_net(path)
    assert not loaded.training
    images = torch.rand(1, 256, 256, 3)
    torch.testing.assert_close(loaded.forward_export(images)[0], net.eval().forward_export(images)[0])
    metadata = read_checkpoint(path).metadata
    assert metadata["topology"] == list(OUTPUTS)
    assert metadata["input"] == {"size": 256, "low": 0.0, "high": 1.0}
    assert metadata["trained"]["landmarks"] == ["nose"]


def test_load_model_recognizes_the_network(tmp_path, net):
    detector = DetectorNet()
    write_checkpoint(tmp_path / "detector.ckpt", detector, detector_metadata(detector, {"train": []}, {}))
    assert isinstance(load_model(save(tmp_path / "landmark.ckpt", net)), LandmarkNet)
    assert isinstance(load_model(str(tmp_path / "detector.ckpt")), DetectorNet)


def test_a_detector_does_not_start_from_the_other_one(tmp_path):
    now, earlier = DetectorNet(), DetectorNet(DETECTOR_2021_VARIANT)
    for net in (now, earlier):
        metadata = detector_metadata(net, {"train": []}, {})
        write_checkpoint(tmp_path / f"{net.variant.name}.ckpt", net, metadata)
    loaded = load_model(tmp_path / "detector_2021.ckpt")
    assert isinstance(loaded, DetectorNet)
    assert loaded.variant == DETECTOR_2021_VARIANT
    for net, other in ((now, "detector_2021"), (earlier, "detector")):
        match = f"holds {other}, which does not fit this network, {net.variant.name}: .*; use model={other}$"
        with pytest.raises(ValueError, match=match):
            load_initial_weights(net, tmp_path / f"{other}.ckpt")


def test_the_metadata_of_a_detector_name_its_points_if_some_are_untrained():
    net, sources = DetectorNet(), {"train": [], "val": []}
    assert detector_metadata(net, sources, {})["trained"] == {"outputs": ["scores", "boxes"]}
    some = detector_metadata(net, sources, {}, points=["hips", "circle", "shoulders"])
    assert some["trained"]["points"] == ["hips", "circle", "shoulders"]
    resumed = detector_metadata(net, sources, {}, init=some, points=["hips"])
    assert resumed["trained"] == some["trained"]
    google = detector_metadata(net, sources, {}, init=detector_metadata(net, sources, {}), points=["hips"])
    assert "points" not in google["trained"]


def test_weights_keep_the_unit_they_were_trained_in(tmp_path):
    """COORDINATE_UNIT may change; the outputs of older weights must not change then."""
    net = LandmarkNet(landmark_variant("lite", "mediapipe")).eval()
    net.tower.unit.mul_(4)
    loaded = load_landmark_net(save(tmp_path / "a.ckpt", net))
    images = torch.rand(1, 256, 256, 3)
    torch.testing.assert_close(loaded.forward_export(images)[0], net.forward_export(images)[0])


def test_another_task_or_topology(tmp_path, net):
    with pytest.raises(ValueError, match="holds a pose detector"):
        load_landmark_net(save(tmp_path / "a.ckpt", net, task="detector"))
    with pytest.raises(
        ValueError, match=r"b.ckpt cannot be used: its 3 points are those of no topology; known"
    ):
        load_landmark_net(save(tmp_path / "b.ckpt", net, topology=["a", "b", "c"]))


def test_weights_of_another_topology_are_refused(tmp_path, net):
    upper_body = LandmarkNet(net.variant, topology=find_topology("upper_body"))
    path = save(tmp_path / "upper.ckpt", upper_body)
    assert load_landmark_net(path).topology == upper_body.topology
    with pytest.raises(
        ValueError, match=r"upper.ckpt has the 25 landmarks of upper_body, this network the 33 of"
    ):
        load_initial_weights(net, path)
    with pytest.raises(ValueError, match=r"has the 33 landmarks .* set model.topology=full_body"):
        load_initial_weights(upper_body, save(tmp_path / "full.ckpt", net))


def test_the_heatmaps_of_the_files_of_2021_do_not_count_as_trained(shared):
    file = shared / "models/pose_landmark_upper_body_2021.tflite"
    metadata = read_weights(file).metadata
    supervised = SupervisedOutputs.from_metadata(metadata["trained"], find_topology("upper_body"))
    assert supervised.landmarks == find_topology("upper_body").landmarks
    assert set(supervised.outputs) == {"presence", "visibility", "z", "pose", "segmentation"}
    assert not supervised.has_heatmaps
    assert (metadata["model"], metadata["decoding"]) == ("paper_full", "regression")
    engine = TorchEngine(file)
    assert engine.topology == find_topology("upper_body")
    assert engine(np.zeros((1, 256, 256, 3), np.uint8)).heatmaps is None
    with pytest.raises(ValueError, match="decode=heatmap reads heatmaps and presence"):
        check_decoding("heatmap", metadata)
    full_body = LandmarkNet(landmark_variant("paper_full", "paper"))
    with pytest.raises(
        ValueError, match=r"2021\.tflite has the 25 landmarks of upper_body, this network the 33"
    ):
        load_initial_weights(full_body, file)


def test_another_size_or_wiring(tmp_path, net):
    path = save(tmp_path / "a.ckpt", net)
    with pytest.raises(
        ValueError, match=r"holds lite in the mediapipe wiring, which does not fit this network, full: "
    ):
        load_initial_weights(LandmarkNet(landmark_variant("full", "mediapipe")), path)
    with pytest.raises(ValueError, match=r"; use model=lite model\.wiring=mediapipe"):
        load_initial_weights(LandmarkNet(landmark_variant("lite", "paper")), path)


def test_missing_and_unexpected_tensors_are_refused(tmp_path, net):
    path = save(tmp_path / "a.ckpt", net)
    content = torch.load(path, weights_only=True)
    content["state_dict"].pop("net.heatmaps.bias")
    content["state_dict"]["net.extra"] = torch.zeros(1)
    torch.save(content, path)
    with pytest.raises(ValueError, match="2 tensors do not match"):
        load_landmark_net(path)


def test_initial_weights_are_taken(tmp_path, net):
    other = LandmarkNet(landmark_variant("lite", "mediapipe"))
    load_initial_weights(other, save(tmp_path / "a.ckpt", net))
    torch.testing.assert_close(other.encoder.stem[0].conv.weight, net.encoder.stem[0].conv.weight)


def test_googles_files_get_metadata(shared):
    metadata, weights = read_weights(shared / "models" / "pose_landmark_lite.tflite")
    assert (metadata["model"], metadata["wiring"]) == ("lite", "mediapipe")
    assert len(metadata["trained"]["landmarks"]) == 33
    assert metadata["data"]["train"][0]["licence"].startswith("MediaPipe Pose by Google")
    net = LandmarkNet(landmark_variant("lite", "mediapipe"))
    loaded = load_initial_weights(net, shared / "models" / "pose_landmark_lite.tflite")
    assert {key: value for key, value in loaded.items() if key != "sha256"} == metadata
    torch.testing.assert_close(
        net.state_dict()["encoder.stem.0.conv.weight"], weights["encoder.stem.0.conv.weight"]
    )


def test_a_bundle_is_its_landmark_network(shared):
    net = load_landmark_net(shared / "models" / "pose_landmarker_full.task")
    assert net.variant == landmark_variant("full", "mediapipe")


def test_other_files_are_refused(shared, tmp_path):
    detector = shared / "models" / "pose_detection.tflite"
    with pytest.raises(ValueError, match=r"pose_detection\.tflite holds a pose detector; a landmark network"):
        read_weights(detector)
    (tmp_path / "cut.tflite").write_bytes(detector.read_bytes()[:1_000_000])
    with pytest.raises(ValueError, match=r"cut\.tflite cannot be imported: its flatbuffer cannot be read: "):
        read_weights(tmp_path / "cut.tflite")
    with pytest.raises(ValueError, match=r"a\.onnx: ONNX files cannot be read; name the checkpoint or"):
        read_weights(Path("a.onnx"))
    with pytest.raises(FileNotFoundError, match=r"gone\.task is missing"):
        read_weights(Path("gone.task"))


def test_another_model_of_google_is_refused(shared):
    net = LandmarkNet(landmark_variant("full", "mediapipe"))
    with pytest.raises(ValueError, match=r"holds lite in the mediapipe wiring, .*; use model=lite"):
        load_initial_weights(net, shared / "models" / "pose_landmark_lite.tflite")
