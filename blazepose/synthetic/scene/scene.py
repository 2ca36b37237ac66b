"""Scene of people, environment and camera, and its sampling."""

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from blazepose.synthetic.appearance.figure import Figure, FigureBuilder
from blazepose.synthetic.scene.camera import Camera, place_camera, sample_camera
from blazepose.synthetic.scene.environment import Environment, sample_environment
from blazepose.synthetic.scene.props import add_occluder, add_props

Rng = np.random.Generator

_VERTEX_STRIDE = 9
"""Every so many vertices of a body are used for its extent."""


@dataclass
class Scene:
    """Everything an image shows.

    Attributes:
        figures: main person, then others.
        camera: camera of the image.
        environment: surroundings.
        attributes: {attribute: value} per figure: held object and place.
        occluder: object placed before the main person, one of props.OCCLUDERS.
    """

    figures: list[Figure]
    camera: Camera
    environment: Environment
    attributes: list[dict[str, str]] = field(default_factory=list)
    occluder: str = "none"


def sample_scene(
    figures: list[Figure],
    builder: FigureBuilder,
    size: int,
    backgrounds: list[Path],
    rng: Rng,
    unoccluded: bool = False,
) -> Scene:
    """Sample a scene around people.

    Args:
        figures: main person, at the origin; others are moved beside, before or behind.
        builder: builder of the figures.
        size: side of the image, pixels.
        backgrounds: the user's background images; empty builds rooms and landscapes.
        rng: source of randomness.
        unoccluded: place no occluder before the main person.
    """
    main = figures[0]
    camera = place_camera(sample_camera(rng), main.heading_rad, main.vertices[::_VERTEX_STRIDE], size)
    placed = [main, *(_sample_beside(main, other, camera, rng) for other in figures[1:])]
    reach = max(float(np.abs(figure.vertices[::_VERTEX_STRIDE, :2]).max()) for figure in placed)
    height = max(float(figure.vertices[:, 2].max()) for figure in placed)
    env = sample_environment(camera, np.zeros(2), reach + 0.2, height, backgrounds, rng)
    props = [add_props(figure, env, builder, rng) for figure in placed]
    attributes = [{"held": prop, "place": env.kind} for prop in props]
    return Scene(
        placed, camera, env, attributes, "none" if unoccluded else add_occluder(main, env, camera, rng)
    )


def sample_empty_scene(
    figure: Figure, builder: FigureBuilder, size: int, backgrounds: list[Path], rng: Rng
) -> Scene:
    """Sample a scene without people: environment, seats and bars as if the figure were there."""
    scene = sample_scene([figure], builder, size, backgrounds, rng)
    scene.figures, scene.attributes = [], []
    return scene


def _sample_beside(main: Figure, other: Figure, camera: Camera, rng: Rng) -> Figure:
    """Sample a place for another person, mostly beside or behind the main one in the camera's view."""
    spacing = _half_width(main) + _half_width(other)
    side = camera.axes[0, :2] * rng.choice([-1, 1]) * rng.uniform(0.6, 1.2) * spacing
    depth = camera.axes[2, :2] * rng.uniform(-0.2, 1.6)
    return other.translated(np.array([*(side + depth), 0.0]))


def _half_width(figure: Figure) -> float:
    return max(0.25, 0.45 * math.hypot(*np.ptp(figure.vertices[::_VERTEX_STRIDE, :2], axis=0)))
