"""Somebody, somewhere, in some light, before a phone."""

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from blazepose.synthetic.appearance.figure import Figure, FigureBuilder
from blazepose.synthetic.scene.camera import Camera, place_camera, sample_camera
from blazepose.synthetic.scene.environment import Environment, sample_environment
from blazepose.synthetic.scene.props import add_occluder, add_props

Rng = np.random.Generator

_EVERY = 9
"""Of a body's vertices, these are looked at for its extent."""


@dataclass
class Scene:
    """Everything a picture shows.

    Attributes:
        figures: the person the picture is of, then others.
        camera: where it is taken from.
        room: what is around.
        words: {attribute: word} of the scene for each figure: what it holds, where it is.
        occluder: what was put before the first figure, one of props.OCCLUDERS.
    """

    figures: list[Figure]
    camera: Camera
    room: Environment
    words: list[dict[str, str]] = field(default_factory=list)
    occluder: str = "none"


def sample_scene(
    figures: list[Figure],
    tailor: FigureBuilder,
    size: int,
    pictures: list[Path],
    rng: Rng,
    clear: bool = False,
) -> Scene:
    """Put people before a camera.

    Args:
        figures: the person the picture is of, at the origin; others are moved beside, before or behind.
        tailor: made them.
        size: side of the picture, pixels.
        pictures: backdrops of the user's; empty builds rooms and landscapes.
        rng: source of randomness.
        clear: nothing stands before the first person.
    """
    main = figures[0]
    camera = place_camera(sample_camera(rng), main.front_rad, main.vertices[::_EVERY], size)
    together = [main, *(_beside(main, other, camera, rng) for other in figures[1:])]
    reach = max(float(np.abs(figure.vertices[::_EVERY, :2]).max()) for figure in together)
    height = max(float(figure.vertices[:, 2].max()) for figure in together)
    room = sample_environment(camera, np.zeros(2), reach + 0.2, height, pictures, rng)
    held = [add_props(figure, room, tailor, rng) for figure in together]
    words = [{"held": thing, "place": room.kind} for thing in held]
    return Scene(together, camera, room, words, "none" if clear else add_occluder(main, room, camera, rng))


def sample_empty_scene(
    figure: Figure, tailor: FigureBuilder, size: int, pictures: list[Path], rng: Rng
) -> Scene:
    """The same kind of scene with nobody in it: seats, bars and things, but no person."""
    scene = sample_scene([figure], tailor, size, pictures, rng)
    scene.figures, scene.words = [], []
    return scene


def _beside(main: Figure, other: Figure, camera: Camera, rng: Rng) -> Figure:
    """Another person, mostly a little to the side of the first or behind it as the camera sees them."""
    apart = _half_width(main) + _half_width(other)
    side = camera.axes[0, :2] * rng.choice([-1, 1]) * rng.uniform(0.6, 1.2) * apart
    depth = camera.axes[2, :2] * rng.uniform(-0.2, 1.6)
    return other.moved(np.array([*(side + depth), 0.0]))


def _half_width(figure: Figure) -> float:
    return max(0.25, 0.45 * math.hypot(*np.ptp(figure.vertices[::_EVERY, :2], axis=0)))
