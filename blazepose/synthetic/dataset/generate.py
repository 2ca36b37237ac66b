"""Sample, pose, render and label the people of one chunk of a data set."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from blazepose.synthetic.appearance.figure import Figure, FigureBuilder, figure_builder
from blazepose.synthetic.dataset.labels import (
    annotation,
    camera_entry,
    is_visible_enough,
    scene_landmarks,
)
from blazepose.synthetic.poses.families import sample_families, sample_posture
from blazepose.synthetic.render.renderer import MAX_FIGURES, Renderer
from blazepose.synthetic.render.sensor import camera_pipeline, compress
from blazepose.synthetic.scene.scene import Scene, sample_empty_scene, sample_scene

CHUNK = 8
"""Images of people that are rendered together, with one negative image."""

_NUM_BYSTANDERS = 2
"""Bodies of a chunk that stand beside the person of another image."""

_MAX_TRIES = 5


@dataclass(frozen=True)
class Recipe:
    """Everything that determines the pixels of a set.

    Attributes:
        seed: seed of all randomness.
        size: side of the images, pixels.
        families: {pose family: weight} that differ from families.FAMILIES.
        backgrounds: the user's background images; empty builds rooms and landscapes.
    """

    seed: int = 0
    size: int = 256
    families: Mapping[str, float] = field(default_factory=dict)
    backgrounds: tuple[Path, ...] = ()


class RenderedImage(NamedTuple):
    """A finished image.

    Attributes:
        number: position in the split; for a negative image, position of its chunk.
        jpeg: content of the file.
        entry: COCO's image entry; None for a negative image.
        annotations: COCO's annotation entries.
    """

    number: int
    jpeg: bytes
    entry: dict[str, Any] | None
    annotations: list[dict[str, Any]]


def render_chunk(recipe: Recipe, split: int, chunk: int) -> Iterator[RenderedImage]:
    """Render the images of a chunk: its people, then one negative image.

    Everything depends on seed, split and chunk only, not on earlier chunks or the process.
    """
    builder, renderer = figure_builder(), _renderer()
    rng = np.random.default_rng([recipe.seed, split, chunk])
    figures = _sample_figures(builder, CHUNK + _NUM_BYSTANDERS, recipe.families, rng)
    bystanders = figures[CHUNK:]
    for k in range(CHUNK):
        number = chunk * CHUNK + k
        others = [bystanders.pop()] if bystanders and rng.random() < _NUM_BYSTANDERS / CHUNK else []
        yield _render_image(recipe, builder, renderer, [figures[k], *others], number, rng)
    scene = sample_empty_scene(figures[0], builder, recipe.size, list(recipe.backgrounds), rng)
    renderer.load(scene)
    frame = renderer.render(scene)
    yield RenderedImage(chunk, compress(camera_pipeline(frame.color, frame.kind > 0, rng), rng), None, [])


def _sample_figures(
    builder: FigureBuilder, count: int, families: Mapping[str, float], rng: np.random.Generator
) -> list[Figure]:
    shapes = builder.model.sample_shapes(count, rng)
    postures = [sample_posture(name, rng) for name in sample_families(count, families, rng)]
    bodies = builder.model.pose(shapes, [posture.angles for posture in postures])
    return [
        builder.build(body, shape, posture, rng)
        for body, shape, posture in zip(bodies, shapes, postures, strict=True)
    ]


def _render_image(
    recipe: Recipe,
    builder: FigureBuilder,
    renderer: Renderer,
    figures: list[Figure],
    number: int,
    rng: np.random.Generator,
) -> RenderedImage:
    for tries_left in reversed(range(_MAX_TRIES)):
        # The last try has neither bystander nor occluder.
        shown, unoccluded = (figures, False) if tries_left else (figures[:1], True)
        scene = sample_scene(shown, builder, recipe.size, list(recipe.backgrounds), rng, unoccluded)
        renderer.load(scene)
        landmarks = scene_landmarks(scene, renderer)
        if is_visible_enough(landmarks[0]):
            break
    frame = renderer.render(scene)
    annotations = [
        annotation(k, scene, landmarks[k], frame, builder, number, number * MAX_FIGURES + k + 1)
        for k in range(len(scene.figures))
    ]
    return RenderedImage(
        number,
        compress(camera_pipeline(frame.color, frame.kind > 0, rng), rng),
        image_entry(scene, number),
        annotations,
    )


def image_entry(scene: Scene, image_id: int) -> dict[str, Any]:
    """Return COCO's image entry, with camera and light."""
    size = scene.camera.size
    return {
        "id": image_id,
        "file_name": f"{image_id:06d}.jpg",
        "width": size,
        "height": size,
        "camera": camera_entry(scene.camera),
        "place": scene.environment.kind,
        "lights": len(scene.environment.lights),
    }


@cache
def _renderer() -> Renderer:
    """Return the renderer of this process."""
    return Renderer(figure_builder())
