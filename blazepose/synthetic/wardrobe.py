"""What people look like: skin, hair, eyes, clothes and shoes, painted on the body's vertices."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from blazepose.synthetic.body import BodyModel, Shape
from blazepose.synthetic.color import draw_color, from_hsv, to_linear
from blazepose.synthetic.regions import Regions

Rng = np.random.Generator

FITZPATRICK = to_linear(
    np.array([[246, 214, 190], [233, 186, 153], [214, 160, 124], [186, 124, 86], [140, 84, 54], [86, 52, 38]])
    / 255
)
"""Skin of the six types. Chosen: middle of each type under neutral light."""

_HAIR = {
    "black": (30, 0.25, 0.09),
    "dark brown": (25, 0.5, 0.2),
    "brown": (27, 0.5, 0.36),
    "blond": (42, 0.42, 0.78),
    "red": (18, 0.7, 0.5),
    "grey": (40, 0.05, 0.55),
    "white": (40, 0.03, 0.85),
    "dyed": (0, 0.75, 0.6),
}
_EYES = {
    "brown": (25, 0.6, 0.25),
    "blue": (210, 0.45, 0.55),
    "green": (95, 0.35, 0.4),
    "grey": (210, 0.1, 0.5),
}


_WAVES_M = (0.008, 0.02, 0.04)
_NUM_WAVES = 48
"""Patterns of smooth noise of each size that looks choose from."""


class Look(NamedTuple):
    """How somebody looks.

    Attributes:
        color: (vertices, 3) float32 linear light.
        gloss: (vertices,) float32, how much it shines.
        thickness_m: (vertices,) float32, of clothes and hair over the skin.
        tail: size of hair that hangs or is bound behind the head: radii (3,) and centre (3,) in the head's
            axes, metres; zero radii if there is none.
        words: {attribute: word}, what it is.
    """

    color: np.ndarray
    gloss: np.ndarray
    thickness_m: np.ndarray
    tail: tuple[np.ndarray, np.ndarray]
    words: Mapping[str, str]


class Wardrobe:
    """Dresses people.

    Args:
        model: the body model.
    """

    def __init__(self, model: BodyModel) -> None:
        self.regions = Regions(model)
        # Drawing waves anew for every garment would take a third of all rendering.
        rng = np.random.default_rng(0)
        self._waves = {size: _waves(model.template, size, rng) for size in _WAVES_M}

    def draw_look(self, shape: Shape, rng: Rng) -> Look:
        """Skin, hair and clothes for somebody of this age and sex."""
        r = self.regions
        count = len(r.arm)
        tone = int(rng.integers(6))
        skin = FITZPATRICK[tone] * np.exp(rng.normal(0, 0.08, 3)) * np.exp(rng.normal(0, 0.1))
        color = np.broadcast_to(skin.astype(np.float32), (count, 3)).copy()
        gloss = np.full(count, rng.uniform(0.02, 0.12), np.float32)
        thickness = np.zeros(count, np.float32)
        words = {"skin_tone": str(tone + 1)}
        color *= 1 + 0.06 * self._wobble(rng, 0.04)[:, None]
        color[r.lips] *= np.array([0.85, 0.6, 0.62])
        self._paint_face(color, gloss, shape, tone, words, rng)
        tail = self._grow_hair(color, gloss, thickness, shape, tone, words, rng)
        self._dress(color, gloss, thickness, shape, words, rng)
        return Look(color.clip(0.004, 0.95), gloss, thickness, tail, words)

    def _wobble(self, rng: Rng, size_m: float) -> np.ndarray:
        """Smooth noise over the body, about -1..1, of one of the sizes of _WAVES_M: (vertices,) float32."""
        return self._waves[size_m][rng.integers(_NUM_WAVES)]

    def _paint_face(
        self, color: np.ndarray, gloss: np.ndarray, shape: Shape, tone: int, words: dict, rng: Rng
    ) -> None:
        r = self.regions
        names = list(_EYES)
        eye = "brown" if tone >= 3 and rng.random() < 0.95 else str(rng.choice(names))
        words["eye_color"] = eye
        color[r.eyeball] = 0.72
        color[r.iris] = from_hsv(*_EYES[eye])
        gloss[r.eyeball] = 0.5

    def _grow_hair(
        self,
        color: np.ndarray,
        gloss: np.ndarray,
        thickness: np.ndarray,
        shape: Shape,
        tone: int,
        words: dict,
        rng: Rng,
    ) -> tuple[np.ndarray, np.ndarray]:
        r = self.regions
        male, old = shape.values["gender"] < 0.5, shape.years > 55
        if old and rng.random() < 0.7:
            name = str(rng.choice(["grey", "white"]))
        elif tone >= 3:
            name = str(rng.choice(["black", "dark brown", "dyed"], p=[0.75, 0.2, 0.05]))
        else:
            name = str(
                rng.choice(
                    ["black", "dark brown", "brown", "blond", "red", "dyed"],
                    p=[0.22, 0.25, 0.25, 0.17, 0.06, 0.05],
                )
            )
        natural, saturation, value = _HAIR[name]
        hue = rng.uniform(0, 360) if name == "dyed" else natural + rng.normal(0, 4)
        hair = from_hsv(hue, saturation, value * np.exp(rng.normal(0, 0.12)))
        style = str(
            rng.choice(
                ["bald", "short", "medium", "bun", "long", "cap"],
                p=[0.14, 0.56, 0.12, 0.05, 0.05, 0.08] if male else [0.02, 0.16, 0.2, 0.25, 0.3, 0.07],
            )
        )
        words |= {"hair": style, "hair_color": name}
        color[r.brows] = 0.65 * hair + 0.35 * color[r.brows]
        none = np.zeros(3)
        if style == "bald":
            gloss[r.scalp] = 0.3
            return none, none
        if male and shape.years > 17 and rng.random() < 0.35:
            color[r.chin] = rng.uniform(0.5, 0.9) * (hair - color[r.chin]) + color[r.chin]
            thickness[r.chin] = rng.uniform(0, 0.012)
            words["beard"] = "yes"
        hair_color = draw_color(rng) if style == "cap" else hair
        strands = 1 + 0.25 * self._wobble(rng, 0.008)[:, None]
        color[r.scalp] = (hair_color * strands)[r.scalp]
        gloss[r.scalp] = rng.uniform(0.02, 0.15)
        depth = {"short": rng.uniform(0.004, 0.018), "medium": rng.uniform(0.02, 0.045), "cap": 0.014}.get(
            style, rng.uniform(0.006, 0.018)
        )
        thickness[r.scalp] = depth * (1 + 0.3 * self._wobble(rng, 0.02)[r.scalp])
        if style in ("medium", "long"):
            color[r.nape] = (hair_color * strands)[r.nape]
            thickness[r.nape] = 0.6 * depth
        if style == "bun":
            size = rng.uniform(0.025, 0.05)
            return np.full(3, size), np.array([0, 0.11 + size / 2, rng.uniform(0.02, 0.16)])
        if style == "long":
            length = rng.uniform(0.08, 0.17)
            return (
                np.array([rng.uniform(0.05, 0.085), 0.04, length]),
                np.array([0, 0.075, 0.06 - 0.75 * length]),
            )
        return none, none

    def _dress(
        self, color: np.ndarray, gloss: np.ndarray, thickness: np.ndarray, shape: Shape, words: dict, rng: Rng
    ) -> None:
        r = self.regions
        female = shape.values["gender"] > 0.5
        waist = rng.uniform(0.2, 0.38)
        bottom = str(
            rng.choice(
                ["briefs", "shorts", "knee shorts", "leggings", "trousers"], p=[0.05, 0.25, 0.15, 0.3, 0.25]
            )
        )
        reach = {
            "briefs": 0.02,
            "shorts": rng.uniform(0.2, 0.55),
            "knee shorts": rng.uniform(0.75, 1.05),
            "leggings": rng.uniform(1.5, 2.1),
            "trousers": 2.1,
        }[bottom]
        loose = {"briefs": 0.003, "leggings": 0.002}.get(bottom, rng.uniform(0.006, 0.022))
        covered = ((r.leg >= 0) & (r.leg < reach)) | ((r.trunk >= 0) & (r.trunk < waist))
        self._wear(color, gloss, thickness, covered, loose, rng)
        top = str(
            rng.choice(
                ["none", "sports bra", "tank top", "t-shirt", "long sleeves", "jumper"],
                p=[0.01, 0.2, 0.19, 0.32, 0.2, 0.08] if female else [0.16, 0.0, 0.14, 0.42, 0.2, 0.08],
            )
        )
        words |= {"top": top, "bottom": bottom}
        if top != "none":
            hem = 0.62 if top == "sports bra" else waist - rng.uniform(0.02, 0.2)
            neckline = (
                rng.uniform(0.86, 0.95) if top in ("sports bra", "tank top") else rng.uniform(0.95, 1.01)
            )
            sleeve = {
                "t-shirt": rng.uniform(0.35, 0.85),
                "long sleeves": rng.uniform(1.6, 2.05),
                "jumper": 2.05,
            }.get(top, -0.5)
            loose = {
                "sports bra": 0.002,
                "tank top": rng.uniform(0.002, 0.01),
                "jumper": rng.uniform(0.015, 0.03),
            }.get(top, rng.uniform(0.004, 0.02))
            bare = (top in ("sports bra", "tank top")) & (np.abs(r.across) > 0.125) & (r.trunk > 0.8)
            covered = ((r.trunk >= hem) & (r.trunk <= neckline) & ~bare) | ((r.arm >= 0) & (r.arm < sleeve))
            if top == "jumper":
                covered |= r.neck & (r.height < r.height[r.neck].min() + 0.05)
            self._wear(color, gloss, thickness, covered, loose, rng)
        shoes = str(rng.choice(["barefoot", "socks", "trainers", "high shoes"], p=[0.3, 0.12, 0.46, 0.12]))
        words["shoes"] = shoes
        if shoes != "barefoot":
            ankle = {"socks": rng.uniform(1.6, 1.95), "trainers": 2.0, "high shoes": 1.82}[shoes]
            covered = r.foot | (r.leg >= ankle)
            self._wear(
                color,
                gloss,
                thickness,
                covered,
                0.002 if shoes == "socks" else rng.uniform(0.005, 0.012),
                rng,
            )
            if shoes != "socks":
                sole = r.foot & (r.height < r.height.min() + 0.022)
                color[sole] = draw_color(rng) if rng.random() < 0.5 else 0.75
        if rng.random() < 0.04:
            words["gloves"] = "yes"
            self._wear(color, gloss, thickness, r.hand, 0.002, rng)

    def _wear(
        self,
        color: np.ndarray,
        gloss: np.ndarray,
        thickness: np.ndarray,
        covered: np.ndarray,
        loose_m: float,
        rng: Rng,
    ) -> None:
        """Put cloth of some colour and pattern over vertices; over what is worn already."""
        cloth = self._cloth(rng)[covered]
        folds = 1 + 0.12 * self._wobble(rng, 0.02)[covered, None]
        color[covered] = cloth * folds
        gloss[covered] = rng.choice([0.01, 0.05, 0.2], p=[0.6, 0.3, 0.1])
        uneven = loose_m * (1 + 0.4 * self._wobble(rng, 0.04)[covered])
        thickness[covered] = np.maximum(thickness[covered], uneven)

    def _cloth(self, rng: Rng) -> np.ndarray:
        """Colours (vertices, 3): plain, striped, checked, camouflage, halves, or with a print in front."""
        r = self.regions
        first, second = draw_color(rng), draw_color(rng)
        size = rng.uniform(0.03, 0.09)
        kind = rng.choice(
            ["plain", "stripes", "uprights", "checks", "blots", "halves", "print"],
            p=[0.48, 0.1, 0.06, 0.08, 0.1, 0.08, 0.1],
        )
        rows, columns = np.floor(r.height / size), np.floor(r.across / size)
        share = {
            "plain": lambda: np.zeros(len(r.arm)),
            "stripes": lambda: rows % 2,
            "uprights": lambda: columns % 2,
            "checks": lambda: (rows + columns) % 2,
            "blots": lambda: self._wobble(rng, 0.04) > 0,
            "halves": lambda: r.across > 0,
            "print": lambda: (np.abs(r.across) < 0.07) & (r.forward > 0.03) & (np.abs(r.trunk - 0.68) < 0.12),
        }[str(kind)]()
        return np.where(np.asarray(share, bool)[:, None], second, first).astype(np.float32)


def _waves(places: np.ndarray, size_m: float, rng: Rng) -> np.ndarray:
    """Sums of four random waves at places (vertices, 3): (_NUM_WAVES, vertices) float32."""
    directions = rng.normal(0, 1 / size_m, (_NUM_WAVES, 4, 3))
    phases = rng.uniform(0, 2 * np.pi, (_NUM_WAVES, 4, 1))
    return np.stack(
        [
            np.sin(direction @ places.T + phase).mean(axis=0)
            for direction, phase in zip(directions, phases, strict=True)
        ]
    ).astype(np.float32)
