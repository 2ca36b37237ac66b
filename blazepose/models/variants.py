"""Sizes of all networks, as data.

Source of every number: docs/reference/mediapipe.md sections 5 and 7.
"""

from typing import get_args

from blazepose.anchors import DETECTOR_2021_ANCHORS, DETECTOR_ANCHORS
from blazepose.exceptions import InputError
from blazepose.models.variant_types import (
    BlazeFaceVariant,
    DetectorVariant,
    EncoderStage,
    EncoderVariant,
    FpnVariant,
    HeadStage,
    LandmarkVariant,
    RegressionHeadVariant,
    SeparableEncoderVariant,
    Wiring,
)


def _encoder(first: int, widths: dict[str, tuple], top: int) -> EncoderVariant:
    kernels = {"at64": (3, 2), "at32": (5, 2), "at16": (3, 2), "at16_wide": (5, 1), "at8": (5, 2)}
    stages = {key: EncoderStage(kernel, stride, widths[key]) for key, (kernel, stride) in kernels.items()}
    return EncoderVariant(24, first, top=top, **stages)


_LITE = {
    "at64": ((32, 16), (96, 16)),
    "at32": ((96, 24), (144, 24)),
    "at16": ((144, 40), *[(240, 40)] * 2),
    "at16_wide": ((240, 56), *[(336, 56)] * 2),
    "at8": ((336, 96), *[(576, 96)] * 3),
}
_FULL = {
    "at64": ((64, 24), (144, 24)),
    "at32": ((144, 32), (192, 32)),
    "at16": ((192, 64), *[(384, 64)] * 2),
    "at16_wide": ((384, 88), *[(528, 88)] * 2),
    "at8": ((528, 144), *[(864, 144)] * 3),
}
_HEAVY = {
    "at64": ((96, 32), (128, 32), *[(192, 32)] * 2),
    "at32": ((192, 56), *[(336, 56)] * 3),
    "at16": ((336, 112), *[(672, 112)] * 5),
    "at16_wide": ((672, 160), *[(960, 160)] * 5),
    "at8": ((960, 272), *[(1632, 272)] * 7),
}
_DETECTOR = {
    "at64": ((64, 24), (144, 24)),
    "at32": ((144, 40), (240, 40)),
    "at16": ((240, 80), *[(480, 80)] * 2),
    "at16_wide": ((480, 112), *[(672, 112)] * 2),
    "at8": ((672, 192), *[(1152, 192)] * 3),
}
_LITE_ENCODER, _FULL_ENCODER = _encoder(8, _LITE, 576), _encoder(16, _FULL, 864)
_HEAVY_ENCODER = _encoder(24, _HEAVY, 1632)
_HEAVY_HEAD = RegressionHeadVariant(
    "heatmap", (HeadStage(96, 6), HeadStage(192, 7), HeadStage(288, 7), HeadStage(288, 7), HeadStage(288, 7))
)


def _paper(name: str, widths: tuple[int, int, int, int, int], decoder: int) -> LandmarkVariant:
    at128, at64, at32, at16, at8 = widths
    encoder = SeparableEncoderVariant(
        (HeadStage(at128, 2), HeadStage(at64, 3), HeadStage(at32, 4), HeadStage(at16, 5), HeadStage(at8, 6))
    )
    head = RegressionHeadVariant(
        "heatmap",
        (HeadStage(at32, 4), HeadStage(at16, 5), HeadStage(at8, 6), HeadStage(at8, 7), HeadStage(at8, 7)),
    )
    return LandmarkVariant(name, encoder, decoder, head, "linear", mask_depths=(1,), full_contract=False)


_PAPER_FULL = _paper("paper_full", (24, 48, 96, 192, 288), 48)
# Its widths were never published. Chosen: about 0.6 of full's, multiples of 8, nearest to the paper's 1.3 M
# parameters and 0.39 of full's cost (2.7 MFlop of 6.9): 1,293,437, and 167.2 M multiply-adds of 424.0 M.
_PAPER_LITE = _paper("paper_lite", (16, 24, 56, 120, 168), 32)

VARIANTS: dict[str, dict[Wiring, LandmarkVariant]] = {
    "lite": {
        "mediapipe": LandmarkVariant(
            "lite",
            _LITE_ENCODER,
            32,
            RegressionHeadVariant("encoder", (HeadStage(192, 0), HeadStage(192, 2), HeadStage(192, 3))),
        ),
        # Chosen: widths and depths with the cost of Google's head, to compare wirings fairly.
        "paper": LandmarkVariant(
            "lite",
            _LITE_ENCODER,
            32,
            RegressionHeadVariant(
                "heatmap",
                (HeadStage(32, 0), HeadStage(64, 0), HeadStage(128, 0), HeadStage(192, 2), HeadStage(192, 3)),
            ),
        ),
    },
    "full": {
        "mediapipe": LandmarkVariant(
            "full",
            _FULL_ENCODER,
            48,
            RegressionHeadVariant("encoder", (HeadStage(288, 0), HeadStage(288, 4), HeadStage(288, 5))),
        ),
        "paper": LandmarkVariant(
            "full",
            _FULL_ENCODER,
            48,
            RegressionHeadVariant(
                "heatmap",
                (HeadStage(48, 0), HeadStage(96, 0), HeadStage(160, 0), HeadStage(288, 4), HeadStage(288, 5)),
            ),
        ),
    },
    # Google's heavy has the paper's wiring, so both names mean the same network here.
    "heavy": {
        "mediapipe": LandmarkVariant("heavy", _HEAVY_ENCODER, 48, _HEAVY_HEAD),
        "paper": LandmarkVariant("heavy", _HEAVY_ENCODER, 48, _HEAVY_HEAD),
    },
    "paper_full": dict.fromkeys(get_args(Wiring), _PAPER_FULL),
    "paper_lite": dict.fromkeys(get_args(Wiring), _PAPER_LITE),
}

DETECTOR_VARIANT = DetectorVariant(
    "detector", DETECTOR_ANCHORS, FpnVariant(_encoder(16, _DETECTOR, 1152), middle=192, fine=96)
)
DETECTOR_2021_VARIANT = DetectorVariant(
    "detector_2021",
    DETECTOR_2021_ANCHORS,
    BlazeFaceVariant(((48, 3), (64, 4), (96, 7), (128, 8), (256, 7))),
)
DETECTOR_VARIANTS = {variant.name: variant for variant in (DETECTOR_VARIANT, DETECTOR_2021_VARIANT)}
"""{name: detector}."""


def detector_variant(name: str) -> DetectorVariant:
    """Return the detector of that name.

    Raises:
        ValueError: if there is none; the message lists the choices.
    """
    if name not in DETECTOR_VARIANTS:
        raise InputError(f"unknown model {name!r}; the detectors are {', '.join(DETECTOR_VARIANTS)}")
    return DETECTOR_VARIANTS[name]


def landmark_variant(name: str, wiring: str) -> LandmarkVariant:
    """Return the variant of that name and wiring.

    Raises:
        ValueError: if either is unknown; the message lists the choices.

    Examples:
        >>> from blazepose.models.variants import landmark_variant
        >>> landmark_variant("lite", "mediapipe").regression_head.source
        'encoder'
        >>> landmark_variant("lite", "tensorflow")
        Traceback (most recent call last):
        blazepose.exceptions.InputError: unknown wiring 'tensorflow'; choose from mediapipe, paper
    """
    if name not in VARIANTS:
        raise InputError(f"unknown model {name!r}; the landmark models are {', '.join(VARIANTS)}")
    if wiring not in VARIANTS[name]:
        raise InputError(f"unknown wiring {wiring!r}; choose from {', '.join(VARIANTS[name])}")
    return VARIANTS[name][wiring]
