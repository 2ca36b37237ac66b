"""Training windows and losses of the detector."""

from dataclasses import dataclass

from blazepose.config.option import Section, option
from blazepose.exceptions import InputError


@dataclass(frozen=True)
class DetectorAugmentation(Section, name="detector.windows"):
    """Distribution of the training windows of the detector."""

    full_image_prob: float = option(0.2, "probability of the whole image, as at run time", 0, 1)
    min_size: float = option(
        0.05, "smallest side of the box of the person at the window, in sides of the window", 0.03, 1
    )
    max_size: float = option(
        0.4,
        "largest side of that box, from min_size up; sizes between are equally likely on a logarithmic scale",
        0.03,
        1,
    )
    rotation_deg: float = option(30.0, "largest rotation, either way, degrees", 0, 180)
    any_rotation_prob: float = option(0.15, "probability of a rotation by any angle", 0, 1)
    hflip_prob: float = option(0.5, "probability of swapping left and right", 0, 1)
    copy_paste_prob: float = option(
        0.5, "probability that another image, of people or negative, is before or behind the image", 0, 1
    )
    background_prob: float = option(
        0.7,
        "probability that a negative image fills what the image leaves free, if there are any; else it is "
        "black, as at run time",
        0,
        1,
    )
    feather_prob: float = option(
        0.5, "probability that an image fades into the one behind it; else its edges are hard", 0, 1
    )
    photometric: bool = option(True, "apply color changes, blur, noise and JPEG")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_size < self.min_size:
            raise InputError(
                f"detector.windows.max_size={self.max_size:g} must be a number from {self.min_size:g} to 1"
            )


@dataclass(frozen=True)
class DetectorLossConfig(Section, name="detector.loss"):
    """Weights of the detector's loss terms, and parameters of the terms."""

    score: float = option(1.0, "weight of the focal loss", 1e-6)
    box: float = option(1.0, "weight of center and side of the boxes", 1e-6)
    points: float = option(2.0, "weight of the alignment points", 1e-6)
    gamma: float = option(2.0, "focusing parameter, which reduces the loss of easy anchors", 0, 10)
    alpha: float = option(0.5, "weight of positive anchors", 0, 1)
    beta: float = option(
        0.1, "error at which boxes and points change from squared to linear, sides of the box", 1e-4
    )
