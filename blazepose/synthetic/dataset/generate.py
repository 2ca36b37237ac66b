"""A chunk of a data set: people drawn, posed, photographed and labelled."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from blazepose.synthetic.appearance.figure import Figure, FigureBuilder, figure_builder
from blazepose.synthetic.dataset.labels import annotation, camera_entry, landmarks_of, seen_well
from blazepose.synthetic.poses.families import choose_families, sample_posture
from blazepose.synthetic.render.renderer import MAX_FIGURES, Renderer
from blazepose.synthetic.render.sensor import camera_pipeline, compress
from blazepose.synthetic.scene.scene import Scene, sample_empty_scene, sample_scene

CHUNK = 8
"""Pictures of people that are made together, with one picture of nobody."""

_COMPANY = 2
"""Bodies more than pictures in a chunk: those who stand beside somebody."""

_TRIES = 5


@dataclass(frozen=True)
class Recipe:
    """What decides every pixel of a set.

    Attributes:
        seed: of everything.
        size: side of the pictures, pixels.
        families: {pose family: weight} that differ from families.FAMILIES.
        pictures: backdrops of the user's; empty builds rooms and landscapes.
    """

    seed: int = 0
    size: int = 256
    families: Mapping[str, float] = field(default_factory=dict)
    pictures: tuple[Path, ...] = ()


class RenderedImage(NamedTuple):
    """A finished picture.

    Attributes:
        number: of the picture in its split; of the chunk for one without people.
        jpeg: content of the file.
        image: COCO's image entry; None for a picture without people.
        people: COCO's annotation entries.
    """

    number: int
    jpeg: bytes
    image: dict[str, Any] | None
    people: list[dict[str, Any]]


def render_chunk(recipe: Recipe, split: int, chunk: int) -> Iterator[RenderedImage]:
    """The pictures of a chunk: its people, then one of nobody.

    Everything depends on seed, split and chunk only, not on what was rendered before or by whom.
    """
    makers, renderer = figure_builder(), _renderer()
    rng = np.random.default_rng([recipe.seed, split, chunk])
    figures = _draw_figures(makers, CHUNK + _COMPANY, recipe.families, rng)
    company = figures[CHUNK:]
    for k in range(CHUNK):
        number = chunk * CHUNK + k
        others = [company.pop()] if company and rng.random() < _COMPANY / CHUNK else []
        yield _render_one(recipe, makers, renderer, [figures[k], *others], number, rng)
    scene = sample_empty_scene(figures[0], makers, recipe.size, list(recipe.pictures), rng)
    renderer.load(scene)
    frame = renderer.frame(scene)
    yield RenderedImage(chunk, compress(camera_pipeline(frame.color, frame.kind > 0, rng), rng), None, [])


def _draw_figures(
    makers: FigureBuilder, count: int, families: Mapping[str, float], rng: np.random.Generator
) -> list[Figure]:
    shapes = makers.model.sample_shapes(count, rng)
    postures = [sample_posture(name, rng) for name in choose_families(count, families, rng)]
    bodies = makers.model.pose(shapes, [posture.angles for posture in postures])
    return [
        makers.figure(body, shape, posture, rng)
        for body, shape, posture in zip(bodies, shapes, postures, strict=True)
    ]


def _render_one(
    recipe: Recipe,
    makers: FigureBuilder,
    renderer: Renderer,
    figures: list[Figure],
    number: int,
    rng: np.random.Generator,
) -> RenderedImage:
    for left in reversed(range(_TRIES)):
        # The last time, nobody and nothing may stand before the person.
        shown, clear = (figures, False) if left else (figures[:1], True)
        scene = sample_scene(shown, makers, recipe.size, list(recipe.pictures), rng, clear)
        renderer.load(scene)
        landmarks = landmarks_of(scene, renderer)
        if seen_well(landmarks[0]):
            break
    frame = renderer.frame(scene)
    people = [
        annotation(k, scene, landmarks[k], frame, makers, number, number * MAX_FIGURES + k + 1)
        for k in range(len(scene.figures))
    ]
    return RenderedImage(
        number,
        compress(camera_pipeline(frame.color, frame.kind > 0, rng), rng),
        image_entry(scene, number),
        people,
    )


def image_entry(scene: Scene, number: int) -> dict[str, Any]:
    """COCO's entry of a picture, with camera and light."""
    size = scene.camera.size
    return {
        "id": number,
        "file_name": f"{number:06d}.jpg",
        "width": size,
        "height": size,
        "camera": camera_entry(scene.camera),
        "place": scene.room.kind,
        "lights": len(scene.room.lights),
    }


@cache
def _renderer() -> Renderer:
    """Made once a process."""
    return Renderer(figure_builder())
