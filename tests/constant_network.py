"""Networks in ONNX that always say the same pose, or find the same person."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from blazepose.anchors import DETECTOR_ANCHORS, NUM_COORDINATES
from blazepose.data.person_box import PersonBox
from blazepose.skeletons import LSP14
from blazepose.topologies import find_topology
from blazepose.topologies.full_body import INDEX

SHAPES = ([195], [1], [256, 256, 1], [64, 64, 39], [117])

# Twelve joints of LSP, upright around the mid-hip at (0, 0); farthest from it are the ankles, at 1.
JOINTS = {
    "ankle": (0.28, 0.96),
    "knee": (0.2, 0.5),
    "hip": (0.15, 0.0),
    "wrist": (0.5, -0.2),
    "elbow": (0.4, -0.4),
    "shoulder": (0.2, -0.6),
}


def joint(name: str) -> np.ndarray:
    side, _, part = name.partition("_")
    x, y = JOINTS[part]
    return np.array([x if side == "left" else -x, y])


def write_network(path: Path, about: dict | None = None, ankle_peak: float = -9, presence: float = 0) -> Path:
    """A network that always says the pose above, but for the left ankle, which it puts on the mid-hip.

    ankle_peak: logit of the ankle's heatmap in the cell where it is; all other logits are -9.
    presence: logit of the presence of all landmarks.
    """
    landmarks = np.zeros((39, 5), np.float32)
    landmarks[:, 4] = presence
    for name in LSP14.values():
        landmarks[INDEX[name], :2] = 256 * (0.5 + joint(name) / 2.5)
    landmarks[INDEX["left_ankle"], :2] = 128
    values = [landmarks.reshape(1, 195), *(np.full((1, *shape), -9, np.float32) for shape in SHAPES[1:])]
    column, row = np.rint(64 * (0.5 + joint("left_ankle") / 2.5)).astype(int)
    values[3][0, row, column, INDEX["left_ankle"]] = ankle_peak
    return _write(path, values, 256, about)


def write_upper_body_network(path: Path, about: dict | None = None) -> Path:
    """A network of the paper: 25 landmarks, all between the shoulders but the nose; no world landmarks."""
    topology = find_topology("upper_body")
    landmarks = np.full((topology.num_outputs, 5), 9, np.float32)
    landmarks[:, :2] = 128
    landmarks[[0, topology.roi_scale], 1] = 128 - 256 / (2 * topology.roi.expansion)
    masks = np.full((1, 128, 128, 1), -9, np.float32)
    return _write(path, [landmarks.reshape(1, -1), np.full((1, 1), 0.9, np.float32), masks], 256, about)


def write_detector(path: Path, box: PersonBox, side: int, about: dict | None = None) -> Path:
    """A detector that always finds a person at this place in images of this size, and nobody else."""
    anchors = DETECTOR_ANCHORS.centers
    points = np.concatenate([[box.center, (box.side, box.side)], box.points]) / side
    points[[0, 2, 3, 4, 5]] -= anchors[0]
    boxes = np.zeros((1, len(anchors), NUM_COORDINATES), np.float32)
    boxes[0, 0] = points.ravel() * DETECTOR_ANCHORS.size
    logits = np.full((1, len(anchors), 1), -100, np.float32)
    logits[0, 0] = 9
    return _write(path, [boxes, logits], DETECTOR_ANCHORS.size, about)


def _write(path: Path, values: list[np.ndarray], side: int, about: dict | None) -> Path:
    nodes, outputs = [], []
    for k, value in enumerate(values):
        nodes.append(helper.make_node("Constant", [], [f"out{k}"], value=numpy_helper.from_array(value)))
        outputs.append(helper.make_tensor_value_info(f"out{k}", onnx.TensorProto.FLOAT, value.shape))
    image = helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, [1, side, side, 3])
    graph = helper.make_graph(nodes, "net", [image], outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {"blazepose": json.dumps(about)} if about else {})
    onnx.save(model, path)
    return path
