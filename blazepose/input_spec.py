"""Input of the networks: image size and value range, which data, export and runtime share."""

from dataclasses import dataclass

from blazepose.anchors import DETECTOR_ANCHORS, AnchorLayout


@dataclass(frozen=True)
class InputSpec:
    """Input size and value range of a network: square RGB images with values from `low` to `high`."""

    size: int
    low: float
    high: float


LANDMARK_INPUT = InputSpec(size=256, low=0.0, high=1.0)


def detector_input_spec(anchors: AnchorLayout) -> InputSpec:
    """Return the input of the detector with these anchors."""
    return InputSpec(size=anchors.size, low=-1.0, high=1.0)


DETECTOR_INPUT = detector_input_spec(DETECTOR_ANCHORS)
