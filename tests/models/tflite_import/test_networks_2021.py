"""The landmark networks of 2021: imported and exported again, compared with Google's files in LiteRT."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from blazepose.data.align import aligned_roi
from blazepose.data.readers import read_source
from blazepose.export.export_module import OUTPUT_NAMES_2021, ExportModule
from blazepose.export.rounding import fit_to_precision
from blazepose.export.tflite import convert_tflite
from blazepose.geometry import crop_image, letterbox_roi, roi_to_image_matrix
from blazepose.image import read_image
from blazepose.models.blocks import BlazeBlock
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.tflite_import.load_tflite import load_tflite
from blazepose.models.variants import landmark_variant
from blazepose.runtime.decode import sigmoid
from blazepose.runtime.engines import LandmarkEngine
from blazepose.topologies import find_topology
from blazepose.topology import Topology
from tests.models.tflite_import.test_load_tflite import litert, torch_outputs

XY_PX, Z_PX, FLAG, MASK = 0.002, 0.02, 1e-5, 1e-3
"""Largest differences between torch and LiteRT. z reaches hundreds of pixels; LiteRT rounds it by as much."""


@pytest.fixture(scope="module", params=["full_body", "upper_body"])
def topology(request) -> Topology:
    return find_topology(request.param)


@pytest.fixture(scope="module")
def content(shared, topology) -> bytes:
    return (shared / f"models/pose_landmark_{topology.name}_2021.tflite").read_bytes()


@pytest.fixture(scope="module")
def crops(shared, topology) -> np.ndarray:
    """Return a whole picture and crops of three people of lspet_val, (4, 256, 256, 3), 0..1."""
    picture = read_image(shared / "data/mp_reference/pose.jpg")
    people = read_source(f"lsp:{shared}/data/lspet_val", topology).annotations[::200][:3]
    rois = [(picture, letterbox_roi(*picture.shape[1::-1]))]
    rois += [(read_image(person.image), aligned_roi(person)) for person in people]
    crops = [crop_image(image, roi_to_image_matrix(roi), 256) for image, roi in rois]
    return np.stack(crops).astype(np.float32) / 255


def test_the_import_matches_litert(topology, content, crops):
    net = load_tflite(content)
    assert isinstance(net, LandmarkNet)
    assert net.variant == landmark_variant("paper_full", "paper")
    assert net.topology == topology
    outputs, expected = torch_outputs(net, crops), litert(content, crops)
    points, expected_points = (each[0].reshape(len(crops), -1, 5) for each in (outputs, expected))
    np.testing.assert_allclose(points[..., :2], expected_points[..., :2], atol=XY_PX, rtol=0)
    np.testing.assert_allclose(points[..., 2:], expected_points[..., 2:], atol=Z_PX, rtol=0)
    np.testing.assert_allclose(outputs[1], expected[1], atol=FLAG, rtol=0)
    np.testing.assert_allclose(sigmoid(outputs[2]), sigmoid(expected[2]), atol=MASK, rtol=0)


def test_depthwise_filters_are_of_norm_one_or_less(content):
    blocks = [module for module in load_tflite(content).modules() if isinstance(module, BlazeBlock)]
    norms = torch.cat([block.depthwise.weight.flatten(1).norm(dim=1) for block in blocks])
    # Google's median is 10. A few filters keep it, whose smallest weight would lose digits in half precision.
    assert (norms < 1.5).float().mean() > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("topology", ["upper_body"], indirect=True)
def test_exported_again_in_fp16_every_bit_is_googles(topology, content, crops, tmp_path):
    net = fit_to_precision(ExportModule(load_tflite(content)), "fp16", torch.from_numpy(crops))
    path = tmp_path / "again.tflite"
    metadata = {"task": "landmark", "topology": list(topology.outputs), "decoding": "regression"}
    convert_tflite(net, "fp16", json.dumps(metadata), path)
    for output, expected in zip(litert(path.read_bytes(), crops), litert(content, crops), strict=True):
        np.testing.assert_array_equal(output, expected)
    engine = LandmarkEngine(path)
    assert engine.topology == topology
    assert output_names(path) == list(OUTPUT_NAMES_2021)


def output_names(path: Path) -> list[str]:
    from ai_edge_litert.interpreter import Interpreter

    return [detail["name"] for detail in Interpreter(str(path)).get_output_details()]


def test_engine_of_googles_file(shared, topology, crops):
    path = shared / f"models/pose_landmark_{topology.name}_2021.tflite"
    engine = LandmarkEngine(path)
    raw = engine((crops[:1] * 255).round().astype(np.uint8))
    assert engine.topology == topology
    assert raw.landmarks.shape == (1, 5 * topology.num_outputs)
    assert raw.segmentation is not None
    assert raw.segmentation.shape == (1, 128, 128, 1)
    assert (raw.heatmaps, raw.world) == (None, None)
    assert LandmarkEngine(path, masks=False)(np.zeros((1, 256, 256, 3), np.uint8)).segmentation is None


def test_damaged_files_are_refused(content):
    with pytest.raises(ValueError, match="its flatbuffer cannot be read"):
        load_tflite(content[: len(content) // 2])


def test_the_detector_is_no_landmark_network(shared):
    with pytest.raises(ValueError, match=r"pose_detection.tflite is not a landmark network: its outputs are"):
        LandmarkEngine(shared / "models/pose_detection.tflite")
