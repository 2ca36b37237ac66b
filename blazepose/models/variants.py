"""What lite, full and heavy are, as data. Source of every number: mediapipe.md section 5."""

from dataclasses import dataclass
from typing import Literal

Wiring = Literal["mediapipe", "paper"]


@dataclass(frozen=True)
class InputSpec:
    """What a network eats: square RGB pictures with values from `low` to `high`."""

    size: int
    low: float
    high: float


LANDMARK_INPUT = InputSpec(size=256, low=0.0, high=1.0)


@dataclass(frozen=True)
class Stage:
    """Inverted residual blocks of one kernel size; each block is (expanded, output) channels."""

    kernel: int
    stride: int
    blocks: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Level:
    """One halving of the regression tower: a stride-2 block, then `depth` blocks of the same width."""

    width: int
    depth: int


@dataclass(frozen=True)
class Tower:
    """The regression tower.

    Attributes:
        source: "encoder" starts from the coarsest encoder feature (8x8); "heatmap" starts from the decoder
            feature the heatmaps are read from (64x64) and receives the encoder's features by skips at
            32, 16 and 8, as the paper's Figure 4 draws it.
        levels: from fine to coarse; the last one is 2x2.
    """

    source: Literal["encoder", "heatmap"]
    levels: tuple[Level, ...]


@dataclass(frozen=True)
class LandmarkVariant:
    """Everything that tells one landmark network from another."""

    name: str
    stem: int
    first: int
    at64: Stage
    at32: Stage
    at16: Stage
    at16_wide: Stage
    at8: Stage
    top: int
    decoder: int
    tower: Tower


def _variant(
    name: str, first: int, widths: dict[str, tuple], top: int, decoder: int, tower: Tower
) -> LandmarkVariant:
    kernels = {"at64": (3, 2), "at32": (5, 2), "at16": (3, 2), "at16_wide": (5, 1), "at8": (5, 2)}
    stages = {key: Stage(kernel, stride, widths[key]) for key, (kernel, stride) in kernels.items()}
    return LandmarkVariant(name, 24, first, top=top, decoder=decoder, tower=tower, **stages)


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
_HEAVY_TOWER = Tower("heatmap", (Level(96, 6), Level(192, 7), Level(288, 7), Level(288, 7), Level(288, 7)))

VARIANTS: dict[str, dict[Wiring, LandmarkVariant]] = {
    "lite": {
        "mediapipe": _variant(
            "lite", 8, _LITE, 576, 32, Tower("encoder", (Level(192, 0), Level(192, 2), Level(192, 3)))
        ),
        # Chosen: widths and depths that cost what Google's tower costs, to compare wirings fairly.
        "paper": _variant(
            "lite",
            8,
            _LITE,
            576,
            32,
            Tower("heatmap", (Level(32, 0), Level(64, 0), Level(128, 0), Level(192, 2), Level(192, 3))),
        ),
    },
    "full": {
        "mediapipe": _variant(
            "full", 16, _FULL, 864, 48, Tower("encoder", (Level(288, 0), Level(288, 4), Level(288, 5)))
        ),
        "paper": _variant(
            "full",
            16,
            _FULL,
            864,
            48,
            Tower("heatmap", (Level(48, 0), Level(96, 0), Level(160, 0), Level(288, 4), Level(288, 5))),
        ),
    },
    # Google ships heavy in the paper's wiring, so both names mean the same network here.
    "heavy": {
        "mediapipe": _variant("heavy", 24, _HEAVY, 1632, 48, _HEAVY_TOWER),
        "paper": _variant("heavy", 24, _HEAVY, 1632, 48, _HEAVY_TOWER),
    },
}


def landmark_variant(name: str, wiring: str) -> LandmarkVariant:
    """The variant of that name and wiring.

    Raises:
        ValueError: lists the choices.
    """
    if name not in VARIANTS:
        raise ValueError(f"unknown model {name!r}; the landmark models are {', '.join(VARIANTS)}")
    if wiring not in VARIANTS[name]:
        raise ValueError(f"unknown wiring {wiring!r}; choose from {', '.join(VARIANTS[name])}")
    return VARIANTS[name][wiring]
