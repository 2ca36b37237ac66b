"""Core ML packages, converted by coremltools."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from blazepose import __version__
from blazepose.export.coreml_program import import_coremltools
from blazepose.export.export_module import INPUT_NAME, ExportModule, Precision
from blazepose.models.detector_net import DetectorNet
from blazepose.native_messages import hide_harmless_messages
from blazepose.runtime.inference_sessions import METADATA_KEY
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.tflite.convert import quiet

_DEBUG_FILE = "executorch_debug_handle_mapping.json"
"""coremltools writes it into packages of programs of torch.export; Core ML does not read it."""

_DETECTOR_SUMMARY = "BlazePose detector: face box and 4 alignment points of a person at {anchors:,} anchors."
_INPUTS = {
    "landmark": "Upright square crop of one person, around the middle of the hips; RGB, 256 x 256.",
    "detector": "The whole image, centered in a square whose border is black; RGB, {size} x {size}.",
}
_OUTPUTS = {
    "landmarks": "[1, 195]: 39 x (x, y, z, visibility, presence). x, y and z in pixels of the crop, y down, "
    "z negative toward the camera; visibility and presence are logits. 0 to 32 are the body landmarks, 33 "
    "and 34 the center and a point on the circle of the next crop.",
    "pose_presence": "[1, 1]: probability that a person is in the crop.",
    "segmentation": "[1, 256, 256, 1]: logits of the person mask, rows and columns of the crop.",
    "heatmaps": "[1, 64, 64, 39]: logits, rows and columns of 4 x 4 pixels; channel i belongs to landmark i.",
    "world": "[1, 117]: 39 x (x, y, z) in meters from the middle of the hips, along the axes of the crop.",
    "boxes": "[1, {anchors}, 12]: for each anchor, in pixels from its center: center and size of the face "
    "box, then 4 points (x, y); 0 is the middle of the hips, 1 lies on the circle around the whole body.",
    "scores": "[1, {anchors}, 1]: logit that a person's face is at the anchor.",
}
"""Descriptions that Xcode shows. Source: docs/reference/mediapipe.md sections 1 and 3."""


class _ChannelsFirst(nn.Module):
    """A network whose images are NCHW, as those of Core ML."""

    def __init__(self, net: ExportModule) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return self.net(image.permute(0, 2, 3, 1))  # the network's own permutation cancels it


def convert_coreml(net: ExportModule, precision: Precision, metadata: str, path: Path) -> None:
    """Write a Core ML package for iOS 16, macOS 13 and later, with an image as input.

    The scaling of pixels to the network's range is part of the program. The outputs are those of the other
    formats, float32.

    Args:
        net: the network to export.
        precision: fp32 or fp16, of the weights and of the arithmetic.
        metadata: JSON text stored in the package.
        path: the `.mlpackage` folder to write.

    Raises:
        ImportError: if coremltools is missing; the message names the extra to install.
    """
    ct, spec = import_coremltools(), net.input_spec
    shape = (1, 3, spec.size, spec.size)
    scale = (spec.high - spec.low) / 255
    with hide_harmless_messages(), quiet():
        program = torch.export.export(_ChannelsFirst(net).eval(), (torch.zeros(shape),))
        model = ct.convert(
            program.run_decompositions({}),
            convert_to="mlprogram",
            inputs=[ct.ImageType(name=INPUT_NAME, shape=shape, scale=scale, bias=[spec.low] * 3)],
            outputs=[ct.TensorType(name=name, dtype=np.float32) for name in net.output_names],
            compute_precision={"fp32": ct.precision.FLOAT32, "fp16": ct.precision.FLOAT16}[precision],
            minimum_deployment_target=ct.target.iOS16,
            skip_model_load=True,
        )
        _describe(model, net, metadata)
        model.save(str(path))
    (path / _DEBUG_FILE).unlink(missing_ok=True)
    mode = path.stat().st_mode
    for part in path.rglob("*"):  # coremltools makes some of them readable by the owner alone
        part.chmod(mode if part.is_dir() else mode & 0o666)


def _describe(model: Any, net: ExportModule, metadata_text: str) -> None:
    """Fill in what Xcode shows of a model."""
    metadata = json.loads(metadata_text)
    values = {"size": net.input_spec.size}
    if isinstance(net.net, DetectorNet):
        values["anchors"] = net.net.anchors.num_anchors
        model.short_description = _DETECTOR_SUMMARY.format(**values)
    else:
        model.short_description = _landmark_summary(metadata)
    model.author = "blazepose"
    model.version = __version__
    model.license = "; ".join(dict.fromkeys(_licenses(metadata)))
    model.input_description[INPUT_NAME] = _INPUTS[metadata["task"]].format(**values)
    for name in net.output_names:
        model.output_description[name] = _OUTPUTS[name].format(**values)
    model.user_defined_metadata[METADATA_KEY] = metadata_text


def _landmark_summary(metadata: Mapping[str, Any]) -> str:
    decoded = metadata["decoding"] == "heatmap"
    coordinates = "decoded from the heatmaps" if decoded else "the regression, which the heatmaps can refine"
    supervised = SupervisedOutputs.from_metadata(metadata["trained"]).describe()
    return (
        f"BlazePose {metadata['model']}: 33 body landmarks of the person in a crop. "
        f"x and y are {coordinates}. {supervised[0].upper()}{supervised[1:]}."
    )


def _licenses(metadata: Mapping[str, Any]) -> Iterator[str]:
    """Yield the licenses of all training data, also those of the initial weights and the teacher."""
    data = metadata.get("data", {})
    yield from (source["licence"] for split in ("train", "unlabelled") for source in data.get(split, []))
    for origin in filter(None, (metadata.get("init"), metadata.get("teacher"))):
        yield from _licenses(origin)
