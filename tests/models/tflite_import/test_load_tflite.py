"""Published weights in our networks, compared with LiteRT on real crops."""

import dataclasses

import cv2
import flatbuffers
import numpy as np
import pytest
import torch
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from torch import nn

from blazepose.data.align import aligned_roi
from blazepose.data.readers import read_source
from blazepose.export.export_module import ExportModule
from blazepose.export.verification_images import read_letterboxed
from blazepose.geometry import crop_image, roi_to_image_matrix
from blazepose.image import read_image
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.models.blocks import ConvNorm, fold
from blazepose.models.detector_net import DetectorNet
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.precise_bn import precise_bn
from blazepose.models.tflite_import.load_tflite import load_tflite
from blazepose.models.variant_types import LandmarkVariant
from blazepose.models.variants import DETECTOR_2021_VARIANT, VARIANTS, landmark_variant
from blazepose.runtime.decode import sigmoid
from blazepose.tflite.convert import to_tflite
from blazepose.topologies.full_body import NUM_OUTPUTS

LANDMARK_FILES = ("lite", "full", "heavy")
LIMITS = {"landmarks": 0.01, "pose": 1e-5, "mask": 1e-3, "heatmaps": 1e-2, "world": 1e-4}
"""Largest differences allowed: pixels, probability, probability, logit, meters."""

HEAVY_POSE = 1e-4
"""XNNPACK's own rounding: in double precision heavy is 4e-5 from LiteRT's pose score, and 6e-6 from ours."""


@pytest.fixture(scope="module")
def crops(shared) -> np.ndarray:
    """Return crops of four people of lspet_val, uint8 (4, 256, 256, 3)."""
    people = read_source(f"lsp:{shared}/data/lspet_val").annotations[::160][:4]
    return np.stack(
        [crop_image(read_image(p.image), roi_to_image_matrix(aligned_roi(p)), 256) for p in people]
    )


def litert(content: bytes, images: np.ndarray) -> list[np.ndarray]:
    """Run a TFLite file on each image (batch, height, width, 3) float32."""
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    runs = []
    for image in images:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
        interpreter.invoke()
        runs.append([interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()])
    return [np.concatenate(outputs) for outputs in zip(*runs, strict=True)]


def torch_outputs(net: nn.Module, images: np.ndarray) -> list[np.ndarray]:
    with torch.no_grad():
        return [output.numpy() for output in net.forward_export(torch.from_numpy(images))]


@pytest.mark.parametrize("name", LANDMARK_FILES)
def test_landmark_networks_match_litert(shared, crops, name):
    content = (shared / "models" / f"pose_landmark_{name}.tflite").read_bytes()
    net = load_tflite(content)
    assert isinstance(net, LandmarkNet)
    assert net.variant == landmark_variant(name, "mediapipe")
    assert not net.training
    images = crops.astype(np.float32) / 255
    outputs, expected = torch_outputs(net, images), litert(content, images)
    for each in (outputs, expected):
        each[2] = sigmoid(each[2])
    limits = LIMITS | ({"pose": HEAVY_POSE} if name == "heavy" else {})
    for limit, one, other in zip(limits.values(), outputs, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=limit, rtol=0)


def test_the_detector_matches_litert(shared, crops):
    content = (shared / "models" / "pose_detection.tflite").read_bytes()
    net = load_tflite(content)
    assert isinstance(net, DetectorNet)
    images = crops[:, 16:240, 16:240].astype(np.float32) / 127.5 - 1
    for output, expected in zip(torch_outputs(net, images), litert(content, images), strict=True):
        np.testing.assert_allclose(output, expected, atol=0.01, rtol=0)


@pytest.fixture(scope="module")
def pictures(shared) -> np.ndarray:
    """Return four pictures of lspet_val, letterboxed to the input of the detector of 2021, float32."""
    paths = sorted((shared / "data/lspet_val/images").iterdir())[::160][:4]
    images = np.stack([read_letterboxed(path, 128, cv2.BORDER_CONSTANT) for path in paths])
    return images.astype(np.float32) / 127.5 - 1


@pytest.mark.slow
def test_the_detector_of_2021_and_its_export_match_litert(shared, pictures):
    """Only anchors with a person are compared: other boxes reach thousands of pixels and mean nothing.

    The export is not equal to the last bit: the file has float32 kernels, and restoring BatchNorm behind
    kernels of norm one rounds each of them once.
    """
    content = (shared / "models" / "pose_detection_2021.tflite").read_bytes()
    net = load_tflite(content)
    assert isinstance(net, DetectorNet)
    assert net.variant == DETECTOR_2021_VARIANT
    boxes, logits = litert(content, pictures)
    confident = sigmoid(logits[..., 0]) >= 0.5
    assert confident.sum() > 8
    exported = to_tflite(ExportModule(net), net.input_spec)
    for outputs in (torch_outputs(net, pictures), litert(exported, pictures)):
        np.testing.assert_allclose(sigmoid(outputs[1]), sigmoid(logits), atol=1e-5, rtol=0)
        np.testing.assert_allclose(outputs[0][confident], boxes[confident], atol=0.002, rtol=0)
        np.testing.assert_allclose(outputs[0], boxes, atol=0.002, rtol=1e-5)
    again = load_tflite(exported)
    assert isinstance(again, DetectorNet)
    assert again.variant == DETECTOR_2021_VARIANT
    folded, restored = (fold(each).state_dict() for each in (net, again))
    for name, value in folded.items():
        torch.testing.assert_close(restored[name], value, atol=1e-6, rtol=1e-6)


def test_every_weight_is_set_and_kernels_have_norm_one(shared):
    net = load_tflite((shared / "models" / "pose_landmark_lite.tflite").read_bytes())
    fresh = LandmarkNet(net.variant).state_dict()
    same = [name for name, value in net.state_dict().items() if torch.equal(value, fresh[name])]
    # Statistics and the unit; and the offset maps' bias, which is initialized with 0.
    assert {name.split(".")[-1] for name in same} <= {
        "running_mean",
        "running_var",
        "num_batches_tracked",
        "unit",
        "bias",
    }
    assert [name for name in same if name.endswith("bias")] == ["offsets.bias"]
    for module in net.modules():
        if isinstance(module, ConvNorm):
            norms = module.conv.weight.flatten(1).norm(dim=1)
            assert torch.allclose(norms[norms > 0], torch.ones(()))


def test_precise_bn_keeps_the_outputs_and_normalizes_activations(shared, crops):
    net = load_tflite((shared / "models" / "pose_landmark_full.tflite").read_bytes())
    images = crops.astype(np.float32) / 255
    before = torch_outputs(net, images)
    precise_bn(net, [torch.from_numpy(images).permute(0, 3, 1, 2)])
    after = torch_outputs(net, images)
    np.testing.assert_allclose(after[0], before[0], atol=0.01)
    np.testing.assert_allclose(after[4], before[4], atol=1e-4)
    # In training mode, on the same images, the statistics are those that were set.
    first = net.encoder.stem[0]
    with torch.no_grad():
        inputs = torch.from_numpy(images).permute(0, 3, 1, 2)
        evaluated, trained = first.eval()(inputs), first.train()(inputs)
    torch.testing.assert_close(trained, evaluated, atol=0.01, rtol=0)
    np.testing.assert_allclose(torch_outputs(fold(net), images)[0], before[0], atol=0.01)


def test_files_that_are_no_network_are_rejected(shared, tmp_path):
    content = (shared / "models" / "pose_landmark_lite.tflite").read_bytes()
    with pytest.raises(ValueError, match="it is not a TFLite file"):
        load_tflite(b"PK" + bytes(100))
    with pytest.raises(ValueError, match="its flatbuffer cannot be read: unpack_from requires"):
        load_tflite(content[: len(content) // 2])


@pytest.fixture
def thin(monkeypatch) -> LandmarkVariant:
    """Register a further variant, of one wiring only."""
    variant = dataclasses.replace(landmark_variant("lite", "mediapipe"), name="thin", decoder=16)
    monkeypatch.setitem(VARIANTS, "thin", {"paper": variant})
    return variant


def test_a_variant_of_one_wiring_is_no_hindrance_to_others(shared, thin):
    assert isinstance(load_tflite((shared / "models/pose_detection.tflite").read_bytes()), DetectorNet)


@pytest.mark.slow
def test_a_variant_of_one_wiring_is_imported(thin):
    net = LandmarkNet(thin)
    net.decode_by_heatmaps()
    content = to_tflite(ExportModule(net), LANDMARK_INPUT)
    imported = load_tflite(content)
    assert isinstance(imported, LandmarkNet)
    assert imported.variant == thin
    assert imported.heatmap_decoder is None, "training has none"

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for tensor in model.subgraphs[0].tensors:
        buffer = model.buffers[tensor.buffer]
        if list(tensor.shape) == [1, NUM_OUTPUTS, 1] and buffer.data is not None:  # the points that are moved
            values = np.asarray(buffer.data, np.uint8).view(np.float32) + np.float32(0.5)
            buffer.data = values.view(np.uint8)
    with pytest.raises(ValueError, match="it multiplies a feature, which no pose network does"):
        load_tflite(packed(model))


def rewired(content: bytes, change) -> bytes:
    """Return a TFLite file with its graph changed."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    change(model.subgraphs[0])
    return packed(model)


def packed(model: schema.ModelT) -> bytes:
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def test_another_graph_is_rejected(shared):
    content = (shared / "models" / "pose_landmark_lite.tflite").read_bytes()

    def swap_outputs(graph) -> None:
        graph.outputs = graph.outputs[[4, 1, 2, 3, 0]]

    def drop_world(graph) -> None:
        graph.outputs = graph.outputs[:4]

    with pytest.raises(ValueError, match="convolutions are those of lite in the mediapipe wiring, connected"):
        load_tflite(rewired(content, swap_outputs))
    with pytest.raises(
        ValueError, match=r"none of our networks: of its \d+ convolutions .* 1 have no counterpart"
    ):
        load_tflite(rewired(content, drop_world))
