"""The module that every exported file is made of. Source: docs/reference/mediapipe.md sections 3 and 6."""

import copy
import json
from collections.abc import Mapping
from typing import Any, Literal

from torch import Tensor, nn

from blazepose.models.blocks import fold
from blazepose.models.detector_net import DetectorNet
from blazepose.models.flat_head import flatten_heads
from blazepose.models.landmark_net import LandmarkNet

Precision = Literal["fp32", "fp16", "int8", "int8_static"]
"""Of the stored weights; int8_static is that of the arithmetic, too."""
GraphDecoding = Literal["regression", "heatmap"]
"""Source of the landmarks' x and y in the graph."""

INPUT_NAME = "image"
OUTPUT_NAMES = ("landmarks", "pose_presence", "segmentation", "heatmaps", "world")
OUTPUT_NAMES_2021 = ("ld_3d", "output_poseflag", "output_segmentation")
DETECTOR_OUTPUT_NAMES = ("boxes", "scores")
"""Names for readers of the file; runtimes use the position. Those of 2021 are Google's, of files with three
outputs."""


class ExportModule(nn.Module):
    """A copy for inference: BatchNorm folded, no offset maps, flat heads, `forward_export` as its forward.

    The input is float32 RGB in the range of the network's `input_spec`, (batch, size, size, 3); the outputs
    are in MediaPipe's order.

    Attributes:
        calibration: inputs that the ranges of the activations are measured on, for int8_static.
    """

    calibration: Tensor | None = None

    def __init__(self, net: LandmarkNet | DetectorNet) -> None:
        super().__init__()
        self.net = fold(copy.deepcopy(net).cpu())
        if isinstance(self.net, LandmarkNet):
            self.net.offsets = None
            if not self.net.variant.full_contract:
                self.net.heatmaps = nn.Identity()  # type: ignore[assignment]  # no output of the file
        else:
            flatten_heads(self.net)
        self.input_spec = net.input_spec
        self.output_names: tuple[str, ...] = DETECTOR_OUTPUT_NAMES
        if isinstance(net, LandmarkNet):
            self.output_names = OUTPUT_NAMES if net.variant.full_contract else OUTPUT_NAMES_2021

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return self.net.forward_export(image)


def metadata_json(metadata: Mapping[str, Any], precision: Precision) -> str:
    """Return the file's metadata as JSON: those of the checkpoint, and the precision of the weights."""
    return json.dumps({**metadata, "precision": precision})
