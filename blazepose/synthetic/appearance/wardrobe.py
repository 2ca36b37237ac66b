"""Appearance of people: skin, hair, eyes, clothes and shoes as attributes of the body's vertices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from blazepose.synthetic.appearance.color import from_hsv, sample_color, to_linear
from blazepose.synthetic.body.body_model import BodyModel, Shape
from blazepose.synthetic.body.body_regions import BodyRegions

Rng = np.random.Generator
Range = tuple[float, float]

_TONES = [(246, 214, 190), (233, 186, 153), (214, 160, 124), (186, 124, 86), (140, 84, 54), (86, 52, 38)]
FITZPATRICK = to_linear(np.array(_TONES) / 255)
"""Skin colors of the six types, linear. Chosen: middle of each type under neutral light."""

_MIN_DARK_TONE = 3
"""From this type up, nearly all hair and eyes are dark."""

_HAIR_COLORS = {
    "black": (30, 0.25, 0.09),
    "dark brown": (25, 0.5, 0.2),
    "brown": (27, 0.5, 0.36),
    "blond": (42, 0.42, 0.78),
    "red": (18, 0.7, 0.5),
    "grey": (40, 0.05, 0.55),
    "white": (40, 0.03, 0.85),
    "dyed": (0, 0.75, 0.6),
}
"""Hue in degrees, saturation, value."""

_EYE_COLORS = {
    "brown": (25, 0.6, 0.25),
    "blue": (210, 0.45, 0.55),
    "green": (95, 0.35, 0.4),
    "grey": (210, 0.1, 0.5),
}

_LIPS = np.array([0.85, 0.6, 0.62])
"""Reflectance of lips relative to skin."""


class HairStyle(NamedTuple):
    """Probability for men and women, and distance from the head, meters."""

    male_prob: float
    female_prob: float
    depth_m: Range


HAIR_STYLES: Mapping[str, HairStyle] = {
    "bald": HairStyle(0.14, 0.02, (0, 0)),
    "short": HairStyle(0.56, 0.16, (0.004, 0.018)),
    "medium": HairStyle(0.12, 0.2, (0.02, 0.045)),
    "bun": HairStyle(0.05, 0.25, (0.006, 0.018)),
    "long": HairStyle(0.05, 0.3, (0.006, 0.018)),
    "cap": HairStyle(0.08, 0.07, (0.014, 0.014)),
}


class Garment(NamedTuple):
    """Probability for men and women, reach along the limbs (BodyRegions), distance from the skin, meters."""

    male_prob: float
    female_prob: float
    reach: Range
    offset_m: Range


BOTTOMS: Mapping[str, Garment] = {
    "briefs": Garment(0.05, 0.05, (0.02, 0.02), (0.003, 0.003)),
    "shorts": Garment(0.25, 0.25, (0.2, 0.55), (0.006, 0.022)),
    "knee shorts": Garment(0.2, 0.1, (0.75, 1.05), (0.006, 0.022)),
    "leggings": Garment(0.15, 0.4, (1.5, 2.1), (0.002, 0.002)),
    "trousers": Garment(0.35, 0.2, (2.1, 2.1), (0.006, 0.022)),
}
TOPS: Mapping[str, Garment] = {
    "none": Garment(0.16, 0.01, (0, 0), (0, 0)),
    "sports bra": Garment(0.0, 0.2, (-1, -1), (0.002, 0.002)),
    "tank top": Garment(0.14, 0.19, (-1, -1), (0.002, 0.01)),
    "t-shirt": Garment(0.42, 0.32, (0.35, 0.85), (0.004, 0.02)),
    "long sleeves": Garment(0.2, 0.2, (1.6, 2.05), (0.004, 0.02)),
    "jumper": Garment(0.08, 0.08, (2.05, 2.05), (0.015, 0.03)),
}
_ADULT_AGE = 18
_MINOR_SUBSTITUTES = {"briefs": "shorts", "none": "t-shirt", "sports bra": "t-shirt"}

SHOES: Mapping[str, Garment] = {
    "barefoot": Garment(0.3, 0.3, (9, 9), (0, 0)),
    "socks": Garment(0.12, 0.12, (1.6, 1.95), (0.002, 0.002)),
    "trainers": Garment(0.46, 0.46, (2.0, 2.0), (0.005, 0.012)),
    "high shoes": Garment(0.12, 0.12, (1.82, 1.82), (0.005, 0.012)),
}
"""Their reach is the position on the leg at which they begin."""

_PATTERNS = {
    "plain": 0.48,
    "stripes": 0.1,
    "vertical stripes": 0.06,
    "checks": 0.08,
    "camouflage": 0.1,
    "halves": 0.08,
    "print": 0.1,
}

_NOISE_SIZES_M = (0.008, 0.02, 0.04)
_NUM_NOISE_FIELDS = 48
"""Precomputed fields of smooth noise per size."""


@dataclass
class Appearance:
    """Appearance of a person.

    Attributes:
        color: (vertices, 3) float32, linear light.
        gloss: (vertices,) float32, strength of the specular highlight.
        thickness_m: (vertices,) float32, clothes and hair over the skin.
        tail: hair behind the head: radii (3,), center (3,) of an ellipsoid in head axes, meters; 0 if none.
        attributes: {attribute: value} for the labels.
    """

    color: np.ndarray
    gloss: np.ndarray
    thickness_m: np.ndarray
    tail: tuple[np.ndarray, np.ndarray] = (np.zeros(3), np.zeros(3))
    attributes: dict[str, str] = field(default_factory=dict)


class AppearanceSampler:
    """Sampler of skin, hair and clothes.

    Args:
        model: the body model.

    Attributes:
        regions: body regions that hair and garments cover.
    """

    def __init__(self, model: BodyModel) -> None:
        self.regions = BodyRegions(model)
        # Computing noise anew for every garment would take a third of the rendering time.
        rng = np.random.default_rng(0)
        self._noise_fields = {size: _sample_fields(model.template, size, rng) for size in _NOISE_SIZES_M}

    def sample_appearance(self, shape: Shape, rng: Rng) -> Appearance:
        """Sample skin, hair and clothes for a person of this age and sex."""
        count = len(self.regions.arm)
        tone = int(rng.integers(len(FITZPATRICK)))
        skin = FITZPATRICK[tone] * np.exp(rng.normal(0, 0.08, 3)) * np.exp(rng.normal(0, 0.1))
        uneven = 1 + 0.06 * self._sample_noise(rng, 0.04)
        appearance = Appearance(
            color=(uneven[:, None] * skin).astype(np.float32),
            gloss=np.full(count, rng.uniform(0.02, 0.12), np.float32),
            thickness_m=np.zeros(count, np.float32),
            attributes={"skin_tone": str(tone + 1), "beard": "no", "gloves": "no"},
        )
        self._color_face(appearance, tone, rng)
        self._add_hair(appearance, shape, tone, rng)
        self._add_clothes(appearance, shape, rng)
        appearance.color = appearance.color.clip(0.004, 0.95)
        return appearance

    def _sample_noise(self, rng: Rng, size_m: float) -> np.ndarray:
        """Sample smooth noise over the body, (vertices,) float32, about -1..1; sizes: _NOISE_SIZES_M."""
        return self._noise_fields[size_m][rng.integers(_NUM_NOISE_FIELDS)]

    def _color_face(self, appearance: Appearance, tone: int, rng: Rng) -> None:
        r = self.regions
        dark = tone >= _MIN_DARK_TONE and rng.random() < 0.95
        name = "brown" if dark else str(rng.choice(list(_EYE_COLORS)))
        appearance.attributes["eye_color"] = name
        appearance.color[r.lips] *= _LIPS
        appearance.color[r.eyeball] = 0.72
        appearance.color[r.iris] = from_hsv(*_EYE_COLORS[name])
        appearance.gloss[r.eyeball] = 0.5

    def _add_hair(self, appearance: Appearance, shape: Shape, tone: int, rng: Rng) -> None:
        r, color = self.regions, appearance.color
        name = _sample_hair_color(shape.years, tone, rng)
        hue, saturation, value = _HAIR_COLORS[name]
        hair_hue = rng.uniform(0, 360) if name == "dyed" else hue + rng.normal(0, 4)
        hair = from_hsv(hair_hue, saturation, value * np.exp(rng.normal(0, 0.12)))
        style = _sample_entry(HAIR_STYLES, shape, rng)
        appearance.attributes |= {"hair": style, "hair_color": name}
        color[r.brows] = 0.65 * hair + 0.35 * color[r.brows]
        if style == "bald":
            appearance.gloss[r.scalp] = 0.3
            return
        if shape.phenotype["gender"] < 0.5 and shape.years > 17 and rng.random() < 0.35:
            color[r.chin] += rng.uniform(0.5, 0.9) * (hair - color[r.chin])
            appearance.thickness_m[r.chin] = rng.uniform(0, 0.012)
            appearance.attributes["beard"] = "yes"
        base = sample_color(rng) if style == "cap" else hair
        strands = base * (1 + 0.25 * self._sample_noise(rng, 0.008)[:, None])
        depth = rng.uniform(*HAIR_STYLES[style].depth_m)
        color[r.scalp] = strands[r.scalp]
        appearance.gloss[r.scalp] = rng.uniform(0.02, 0.15)
        appearance.thickness_m[r.scalp] = depth * (1 + 0.3 * self._sample_noise(rng, 0.02)[r.scalp])
        if style in ("medium", "long"):
            color[r.nape] = strands[r.nape]
            appearance.thickness_m[r.nape] = 0.6 * depth
        if style == "bun":
            size = rng.uniform(0.025, 0.05)
            appearance.tail = np.full(3, size), np.array([0, 0.11 + size / 2, rng.uniform(0.02, 0.16)])
        if style == "long":
            length = rng.uniform(0.08, 0.17)
            appearance.tail = (
                np.array([rng.uniform(0.05, 0.085), 0.04, length]),
                np.array([0, 0.075, 0.06 - 0.75 * length]),
            )

    def _add_clothes(self, appearance: Appearance, shape: Shape, rng: Rng) -> None:
        r = self.regions
        waist = rng.uniform(0.2, 0.38)
        bottom, top, shoes = (_sample_entry(table, shape, rng) for table in (BOTTOMS, TOPS, SHOES))
        if shape.years < _ADULT_AGE:
            bottom, top = _MINOR_SUBSTITUTES.get(bottom, bottom), _MINOR_SUBSTITUTES.get(top, top)
        appearance.attributes |= {"bottom": bottom, "top": top, "shoes": shoes}
        legs = (r.leg >= 0) & (r.leg < rng.uniform(*BOTTOMS[bottom].reach))
        self._add_garment(appearance, legs | ((r.trunk >= 0) & (r.trunk < waist)), BOTTOMS[bottom], rng)
        if top != "none":
            self._add_garment(appearance, self._sample_top_mask(top, waist, rng), TOPS[top], rng)
        if shoes != "barefoot":
            covered = r.foot | (r.leg >= rng.uniform(*SHOES[shoes].reach))
            self._add_garment(appearance, covered, SHOES[shoes], rng)
        if shoes in ("trainers", "high shoes"):
            appearance.color[r.sole] = sample_color(rng) if rng.random() < 0.5 else 0.75
        if rng.random() < 0.04:
            appearance.attributes["gloves"] = "yes"
            self._add_garment(appearance, r.hand, SHOES["socks"], rng)

    def _sample_top_mask(self, name: str, waist: float, rng: Rng) -> np.ndarray:
        """Sample the mask (vertices,) bool of the vertices that a top covers."""
        r, bare = self.regions, name in ("sports bra", "tank top")
        hem = 0.62 if name == "sports bra" else waist - rng.uniform(0.02, 0.2)
        neckline = rng.uniform(0.86, 0.95) if bare else rng.uniform(0.95, 1.01)
        covered = (r.trunk >= hem) & (r.trunk <= neckline)
        if bare:
            covered &= (np.abs(r.across) < 0.125) | (r.trunk < 0.8)
        if name == "jumper":
            covered |= r.collar
        return covered | ((r.arm >= 0) & (r.arm < rng.uniform(*TOPS[name].reach)))

    def _add_garment(self, appearance: Appearance, covered: np.ndarray, garment: Garment, rng: Rng) -> None:
        """Add a garment of random color and pattern over vertices and over earlier garments."""
        folds = 1 + 0.12 * self._sample_noise(rng, 0.02)[covered, None]
        appearance.color[covered] = self._sample_cloth_colors(rng)[covered] * folds
        appearance.gloss[covered] = rng.choice([0.01, 0.05, 0.2], p=[0.6, 0.3, 0.1])
        uneven = rng.uniform(*garment.offset_m) * (1 + 0.4 * self._sample_noise(rng, 0.04)[covered])
        appearance.thickness_m[covered] = np.maximum(appearance.thickness_m[covered], uneven)

    def _sample_cloth_colors(self, rng: Rng) -> np.ndarray:
        """Sample colors (vertices, 3): plain, striped, checked, camouflage, halves, or a print in front."""
        r = self.regions
        first, second = sample_color(rng), sample_color(rng)
        size = rng.uniform(0.03, 0.09)
        pattern = str(rng.choice(list(_PATTERNS), p=list(_PATTERNS.values())))
        if pattern == "plain":
            return np.broadcast_to(first, (len(r.arm), 3))
        rows, columns = np.floor(r.height / size), np.floor(r.across / size)
        second_mask = {
            "stripes": lambda: rows % 2,
            "vertical stripes": lambda: columns % 2,
            "checks": lambda: (rows + columns) % 2,
            "camouflage": lambda: self._sample_noise(rng, 0.04) > 0,
            "halves": lambda: r.across > 0,
            "print": lambda: (np.abs(r.across) < 0.07) & (r.forward > 0.03) & (np.abs(r.trunk - 0.68) < 0.12),
        }[pattern]()
        return np.where(np.asarray(second_mask, bool)[:, None], second, first).astype(np.float32)


def _sample_entry(table: Mapping[str, HairStyle] | Mapping[str, Garment], shape: Shape, rng: Rng) -> str:
    """Sample a name from a table with the probabilities of men or women."""
    female = shape.phenotype["gender"] > 0.5
    weights = np.array([row.female_prob if female else row.male_prob for row in table.values()])
    return str(rng.choice(list(table), p=weights / weights.sum()))


def _sample_hair_color(years: float, tone: int, rng: Rng) -> str:
    if years > 55 and rng.random() < 0.7:
        return str(rng.choice(["grey", "white"]))
    if tone >= _MIN_DARK_TONE:
        return str(rng.choice(["black", "dark brown", "dyed"], p=[0.75, 0.2, 0.05]))
    names = ["black", "dark brown", "brown", "blond", "red", "dyed"]
    return str(rng.choice(names, p=[0.22, 0.25, 0.25, 0.17, 0.06, 0.05]))


def _sample_fields(points: np.ndarray, size_m: float, rng: Rng) -> np.ndarray:
    """Sample sums of four random waves at points (vertices, 3): (_NUM_NOISE_FIELDS, vertices) float32."""
    directions = rng.normal(0, 1 / size_m, (_NUM_NOISE_FIELDS, 4, 3))
    phases = rng.uniform(0, 2 * np.pi, (_NUM_NOISE_FIELDS, 4, 1))
    fields = [
        np.sin(waves @ points.T + phase).mean(axis=0) for waves, phase in zip(directions, phases, strict=True)
    ]
    return np.stack(fields).astype(np.float32)
