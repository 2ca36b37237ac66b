"""What people look like: skin, hair, eyes, clothes and shoes, painted on the body's vertices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from blazepose.synthetic.appearance.color import from_hsv, sample_color, to_linear
from blazepose.synthetic.body.body_model import BodyModel, Shape
from blazepose.synthetic.body.body_regions import Regions

Rng = np.random.Generator
Limits = tuple[float, float]

_TONES = [(246, 214, 190), (233, 186, 153), (214, 160, 124), (186, 124, 86), (140, 84, 54), (86, 52, 38)]
FITZPATRICK = to_linear(np.array(_TONES) / 255)
"""Skin of the six types, linear. Chosen: middle of each type under neutral light."""

_DARK_TONE = 3
"""From this type up, hair and eyes are dark in nearly everybody."""

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
"""Share of the skin's light that comes back from lips."""


class HairStyle(NamedTuple):
    """How often men and women have it, and how far it stands off the head, metres."""

    men: float
    women: float
    depth_m: Limits


HAIR_STYLES: Mapping[str, HairStyle] = {
    "bald": HairStyle(0.14, 0.02, (0, 0)),
    "short": HairStyle(0.56, 0.16, (0.004, 0.018)),
    "medium": HairStyle(0.12, 0.2, (0.02, 0.045)),
    "bun": HairStyle(0.05, 0.25, (0.006, 0.018)),
    "long": HairStyle(0.05, 0.3, (0.006, 0.018)),
    "cap": HairStyle(0.08, 0.07, (0.014, 0.014)),
}


class Garment(NamedTuple):
    """How often men and women wear it, how far down limbs it reaches (Regions), how loose it is, metres."""

    men: float
    women: float
    reach: Limits
    loose_m: Limits


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
_OF_AGE = 18
_FOR_MINORS = {"briefs": "shorts", "none": "t-shirt", "sports bra": "t-shirt"}

SHOES: Mapping[str, Garment] = {
    "barefoot": Garment(0.3, 0.3, (9, 9), (0, 0)),
    "socks": Garment(0.12, 0.12, (1.6, 1.95), (0.002, 0.002)),
    "trainers": Garment(0.46, 0.46, (2.0, 2.0), (0.005, 0.012)),
    "high shoes": Garment(0.12, 0.12, (1.82, 1.82), (0.005, 0.012)),
}
"""Their reach is where on the leg they begin."""

_PATTERNS = {
    "plain": 0.48,
    "stripes": 0.1,
    "uprights": 0.06,
    "checks": 0.08,
    "blots": 0.1,
    "halves": 0.08,
    "print": 0.1,
}

_WAVES_M = (0.008, 0.02, 0.04)
_NUM_WAVES = 48
"""Patterns of smooth noise of each size that looks choose from."""


@dataclass
class Appearance:
    """How somebody looks.

    Attributes:
        color: (vertices, 3) float32 linear light.
        gloss: (vertices,) float32, how much it shines.
        thickness_m: (vertices,) float32, of clothes and hair over the skin.
        tail: hair that hangs or is bound behind the head: an ellipsoid's radii (3,) and centre (3,) in the
            head's axes, metres; zero radii if there is none.
        words: {attribute: word}, what it is.
    """

    color: np.ndarray
    gloss: np.ndarray
    thickness_m: np.ndarray
    tail: tuple[np.ndarray, np.ndarray] = (np.zeros(3), np.zeros(3))
    words: dict[str, str] = field(default_factory=dict)


class AppearanceSampler:
    """Dresses people.

    Args:
        model: the body model.

    Attributes:
        regions: where on the body what is worn.
    """

    def __init__(self, model: BodyModel) -> None:
        self.regions = Regions(model)
        # Drawing waves anew for every garment would take a third of all rendering.
        rng = np.random.default_rng(0)
        self._waves = {size: _waves(model.template, size, rng) for size in _WAVES_M}

    def sample_appearance(self, shape: Shape, rng: Rng) -> Appearance:
        """Skin, hair and clothes for somebody of this age and sex."""
        count = len(self.regions.arm)
        tone = int(rng.integers(len(FITZPATRICK)))
        skin = FITZPATRICK[tone] * np.exp(rng.normal(0, 0.08, 3)) * np.exp(rng.normal(0, 0.1))
        uneven = 1 + 0.06 * self._wobble(rng, 0.04)
        look = Appearance(
            color=(uneven[:, None] * skin).astype(np.float32),
            gloss=np.full(count, rng.uniform(0.02, 0.12), np.float32),
            thickness_m=np.zeros(count, np.float32),
            words={"skin_tone": str(tone + 1), "beard": "no", "gloves": "no"},
        )
        self._paint_face(look, tone, rng)
        self._grow_hair(look, shape, tone, rng)
        self._dress(look, shape, rng)
        look.color = look.color.clip(0.004, 0.95)
        return look

    def _wobble(self, rng: Rng, size_m: float) -> np.ndarray:
        """Smooth noise over the body, about -1..1, of one of the sizes of _WAVES_M: (vertices,) float32."""
        return self._waves[size_m][rng.integers(_NUM_WAVES)]

    def _paint_face(self, look: Appearance, tone: int, rng: Rng) -> None:
        r = self.regions
        dark = tone >= _DARK_TONE and rng.random() < 0.95
        name = "brown" if dark else str(rng.choice(list(_EYE_COLORS)))
        look.words["eye_color"] = name
        look.color[r.lips] *= _LIPS
        look.color[r.eyeball] = 0.72
        look.color[r.iris] = from_hsv(*_EYE_COLORS[name])
        look.gloss[r.eyeball] = 0.5

    def _grow_hair(self, look: Appearance, shape: Shape, tone: int, rng: Rng) -> None:
        r, color = self.regions, look.color
        name = _hair_color(shape.years, tone, rng)
        hue, saturation, value = _HAIR_COLORS[name]
        turned = rng.uniform(0, 360) if name == "dyed" else hue + rng.normal(0, 4)
        hair = from_hsv(turned, saturation, value * np.exp(rng.normal(0, 0.12)))
        style = _choose(HAIR_STYLES, shape, rng)
        look.words |= {"hair": style, "hair_color": name}
        color[r.brows] = 0.65 * hair + 0.35 * color[r.brows]
        if style == "bald":
            look.gloss[r.scalp] = 0.3
            return
        if shape.values["gender"] < 0.5 and shape.years > 17 and rng.random() < 0.35:
            color[r.chin] += rng.uniform(0.5, 0.9) * (hair - color[r.chin])
            look.thickness_m[r.chin] = rng.uniform(0, 0.012)
            look.words["beard"] = "yes"
        strands = (sample_color(rng) if style == "cap" else hair) * (
            1 + 0.25 * self._wobble(rng, 0.008)[:, None]
        )
        depth = rng.uniform(*HAIR_STYLES[style].depth_m)
        color[r.scalp] = strands[r.scalp]
        look.gloss[r.scalp] = rng.uniform(0.02, 0.15)
        look.thickness_m[r.scalp] = depth * (1 + 0.3 * self._wobble(rng, 0.02)[r.scalp])
        if style in ("medium", "long"):
            color[r.nape] = strands[r.nape]
            look.thickness_m[r.nape] = 0.6 * depth
        if style == "bun":
            size = rng.uniform(0.025, 0.05)
            look.tail = np.full(3, size), np.array([0, 0.11 + size / 2, rng.uniform(0.02, 0.16)])
        if style == "long":
            length = rng.uniform(0.08, 0.17)
            look.tail = (
                np.array([rng.uniform(0.05, 0.085), 0.04, length]),
                np.array([0, 0.075, 0.06 - 0.75 * length]),
            )

    def _dress(self, look: Appearance, shape: Shape, rng: Rng) -> None:
        r = self.regions
        waist = rng.uniform(0.2, 0.38)
        bottom, top, shoes = (_choose(table, shape, rng) for table in (BOTTOMS, TOPS, SHOES))
        if shape.years < _OF_AGE:
            bottom, top = _FOR_MINORS.get(bottom, bottom), _FOR_MINORS.get(top, top)
        look.words |= {"bottom": bottom, "top": top, "shoes": shoes}
        legs = (r.leg >= 0) & (r.leg < rng.uniform(*BOTTOMS[bottom].reach))
        self._wear(look, legs | ((r.trunk >= 0) & (r.trunk < waist)), BOTTOMS[bottom], rng)
        if top != "none":
            self._wear(look, self._top(top, waist, rng), TOPS[top], rng)
        if shoes != "barefoot":
            self._wear(look, r.foot | (r.leg >= rng.uniform(*SHOES[shoes].reach)), SHOES[shoes], rng)
        if shoes in ("trainers", "high shoes"):
            look.color[r.sole] = sample_color(rng) if rng.random() < 0.5 else 0.75
        if rng.random() < 0.04:
            look.words["gloves"] = "yes"
            self._wear(look, r.hand, SHOES["socks"], rng)

    def _top(self, name: str, waist: float, rng: Rng) -> np.ndarray:
        """Vertices (vertices,) bool that a top covers."""
        r, bare = self.regions, name in ("sports bra", "tank top")
        hem = 0.62 if name == "sports bra" else waist - rng.uniform(0.02, 0.2)
        neckline = rng.uniform(0.86, 0.95) if bare else rng.uniform(0.95, 1.01)
        covered = (r.trunk >= hem) & (r.trunk <= neckline)
        if bare:
            covered &= (np.abs(r.across) < 0.125) | (r.trunk < 0.8)
        if name == "jumper":
            covered |= r.collar
        return covered | ((r.arm >= 0) & (r.arm < rng.uniform(*TOPS[name].reach)))

    def _wear(self, look: Appearance, covered: np.ndarray, garment: Garment, rng: Rng) -> None:
        """Put cloth of some colour and pattern over vertices; over what is worn already."""
        folds = 1 + 0.12 * self._wobble(rng, 0.02)[covered, None]
        look.color[covered] = self._cloth(rng)[covered] * folds
        look.gloss[covered] = rng.choice([0.01, 0.05, 0.2], p=[0.6, 0.3, 0.1])
        uneven = rng.uniform(*garment.loose_m) * (1 + 0.4 * self._wobble(rng, 0.04)[covered])
        look.thickness_m[covered] = np.maximum(look.thickness_m[covered], uneven)

    def _cloth(self, rng: Rng) -> np.ndarray:
        """Colours (vertices, 3): plain, striped, checked, camouflage, halves, or with a print in front."""
        r = self.regions
        first, second = sample_color(rng), sample_color(rng)
        size = rng.uniform(0.03, 0.09)
        kind = str(rng.choice(list(_PATTERNS), p=list(_PATTERNS.values())))
        if kind == "plain":
            return np.broadcast_to(first, (len(r.arm), 3))
        rows, columns = np.floor(r.height / size), np.floor(r.across / size)
        share = {
            "stripes": lambda: rows % 2,
            "uprights": lambda: columns % 2,
            "checks": lambda: (rows + columns) % 2,
            "blots": lambda: self._wobble(rng, 0.04) > 0,
            "halves": lambda: r.across > 0,
            "print": lambda: (np.abs(r.across) < 0.07) & (r.forward > 0.03) & (np.abs(r.trunk - 0.68) < 0.12),
        }[kind]()
        return np.where(np.asarray(share, bool)[:, None], second, first).astype(np.float32)


def _choose(table: Mapping[str, HairStyle] | Mapping[str, Garment], shape: Shape, rng: Rng) -> str:
    """A name out of a table, as often as men or women choose it."""
    female = shape.values["gender"] > 0.5
    shares = np.array([row.women if female else row.men for row in table.values()])
    return str(rng.choice(list(table), p=shares / shares.sum()))


def _hair_color(years: float, tone: int, rng: Rng) -> str:
    if years > 55 and rng.random() < 0.7:
        return str(rng.choice(["grey", "white"]))
    if tone >= _DARK_TONE:
        return str(rng.choice(["black", "dark brown", "dyed"], p=[0.75, 0.2, 0.05]))
    names = ["black", "dark brown", "brown", "blond", "red", "dyed"]
    return str(rng.choice(names, p=[0.22, 0.25, 0.25, 0.17, 0.06, 0.05]))


def _waves(places: np.ndarray, size_m: float, rng: Rng) -> np.ndarray:
    """Sums of four random waves at places (vertices, 3): (_NUM_WAVES, vertices) float32."""
    directions = rng.normal(0, 1 / size_m, (_NUM_WAVES, 4, 3))
    phases = rng.uniform(0, 2 * np.pi, (_NUM_WAVES, 4, 1))
    waves = [
        np.sin(ways @ places.T + start).mean(axis=0) for ways, start in zip(directions, phases, strict=True)
    ]
    return np.stack(waves).astype(np.float32)
