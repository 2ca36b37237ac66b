"""A scene's pixels, and the surfaces in front of points of it."""

import math
from typing import NamedTuple

import numpy as np
import warp as wp

from blazepose.synthetic.appearance.figure import FigureBuilder
from blazepose.synthetic.render import rasterize as cover
from blazepose.synthetic.render import shade
from blazepose.synthetic.scene.camera import Camera, look_at
from blazepose.synthetic.scene.environment import Light
from blazepose.synthetic.scene.scene import Scene

MAX_FIGURES = 2
_SHADOW_SIZE = 320
"""Pixels a side of a shadow map: half a centimetre on a person."""


class Surfaces(NamedTuple):
    """What is met first on the way from the camera to each point.

    Attributes:
        kind: (points,) int32: -1 nothing, 0 the room, k + 1 figure k.
        part: (points,) index of the figure's part in landmarks.PARTS; says nothing where it is no figure.
        gap_m: (points,) how far before the point, metres; negative behind it.
    """

    kind: np.ndarray
    part: np.ndarray
    gap_m: np.ndarray


class RenderedFrame(NamedTuple):
    """A rendered picture.

    Attributes:
        color: (size, size, 3) float32, linear light.
        kind: (size, size) int32, what each pixel's centre shows: k + 1 for figure k, else less than 1.
    """

    color: np.ndarray
    kind: np.ndarray


class Renderer:
    """Casts rays into scenes, one after the other, on one device.

    Args:
        tailor: makes the figures.
        device: of Warp; None takes a GPU if there is one.
    """

    def __init__(self, tailor: FigureBuilder, device: str | None = None) -> None:
        wp.init()
        self.device = device or str(wp.get_preferred_device())
        self._tailor = tailor
        count = tailor.faces.max() + 1
        start = np.zeros((count, 3), np.float32)
        start[: len(tailor.model.template)] = tailor.model.template
        with wp.ScopedDevice(self.device):
            self._faces = wp.array(tailor.faces.ravel(), dtype=wp.int32)
            self._points = wp.array(np.stack([start] * MAX_FIGURES), dtype=wp.vec3)
            # The tree over a body is built once and fitted to each posture, a fraction of the time.
            self._bodies = [wp.Mesh(self._points[k], self._faces) for k in range(MAX_FIGURES)]
            self._ids = wp.array([body.id for body in self._bodies], dtype=wp.uint64)
            self._normals = wp.zeros((MAX_FIGURES, count), dtype=wp.vec3)
            self._colors = wp.zeros((MAX_FIGURES, count), dtype=wp.vec3)
            self._gloss = wp.zeros((MAX_FIGURES, count), dtype=wp.float32)

    def load(self, scene: Scene) -> None:
        """Make a scene the one that `frame` and `surfaces` look at."""
        with wp.ScopedDevice(self.device):
            for k, figure in enumerate(scene.figures):
                self._load_figure(k, figure.vertices, *self._tailor.colors(figure.look))
            self._world = self._build_world(scene)
            self._camera = _view(scene.camera)
            self._add_lights(scene)

    def frame(self, scene: Scene) -> RenderedFrame:
        """The picture of the loaded scene."""
        size = scene.camera.size
        with wp.ScopedDevice(self.device):
            keys = wp.full((size, size), cover.NOTHING, dtype=wp.uint64)
            for k in range(len(scene.figures)):
                self._cover(k, self._camera, keys)
            room = [self._room.points, self._room.indices, 0, self._camera, keys]
            wp.launch(cover.rasterize_clipped, len(self._room.indices) // 3, room)
            color, smooth = (wp.empty((size, size), dtype=wp.vec3) for _ in range(2))
            kind = wp.empty((size, size), dtype=wp.int32)
            pixels = [color, kind]
            wp.launch(shade.draw, (size, size), [self._world, self._points, self._camera, keys, *pixels])
            wp.launch(shade.smooth_edges, (size, size), [self._world, self._camera, *pixels, smooth])
            return RenderedFrame(smooth.numpy(), kind.numpy())

    def surfaces(self, points: np.ndarray) -> Surfaces:
        """What the camera of the loaded scene meets first towards world points (points, 3)."""
        with wp.ScopedDevice(self.device):
            places = wp.array(points.astype(np.float32), dtype=wp.vec3)
            kind, face = (wp.empty(len(points), dtype=wp.int32) for _ in range(2))
            gap = wp.empty(len(points), dtype=wp.float32)
            wp.launch(shade.first_surfaces, len(points), [self._world, self._camera, places, kind, face, gap])
            kinds = kind.numpy()
            parts = self._tailor.part_of[np.where(kinds > 0, face.numpy(), 0)]
            return Surfaces(kinds, parts, gap.numpy())

    def _load_figure(self, k: int, vertices: np.ndarray, color: np.ndarray, gloss: np.ndarray) -> None:
        body = self._bodies[k]
        self._points[k].assign(vertices.astype(np.float32))
        body.refit()
        self._normals[k].zero_()
        wp.launch(
            cover.add_face_normals, len(self._tailor.faces), [body.points, self._faces, self._normals[k]]
        )
        self._colors[k].assign(color.astype(np.float32))
        self._gloss[k].assign(gloss.astype(np.float32))

    def _cover(self, k: int, view: cover.View, keys: wp.array) -> None:
        """Draw figure k into a map of the nearest surface."""
        faces = len(self._tailor.faces)
        given = [self._points[k], self._faces, (k + 1) * int(cover.MAX_FACES), view, keys]
        wp.launch(cover.rasterize, faces, given)

    def _build_world(self, scene: Scene) -> shade.World:
        room, world = scene.room, shade.World()
        shell, things = room.shell.mesh(), room.things.mesh()
        faces = np.concatenate([shell[1], things[1] + len(shell[0])]).astype(np.int32)
        vertices = np.concatenate([shell[0], things[0]])
        # Kept as long as the scene is: the world only holds the mesh's number.
        self._room = wp.Mesh(wp.array(vertices, dtype=wp.vec3), wp.array(faces.ravel(), dtype=wp.int32))
        self._things = wp.array(faces[len(shell[1]) :].ravel(), dtype=wp.int32)
        world.num_bodies = len(scene.figures)
        world.bodies, world.body_faces = self._ids, self._faces
        world.normals, world.colors, world.gloss = self._normals, self._colors, self._gloss
        world.room = self._room.id
        world.room_material = wp.array(np.concatenate([shell[2], things[2]]), dtype=wp.int32)
        patterns, first, second, sizes, gloss = zip(*room.materials, strict=True)
        world.pattern = wp.array(patterns, dtype=wp.int32)
        world.first_color, world.second_color = (
            wp.array(np.stack(colors).astype(np.float32), dtype=wp.vec3) for colors in (first, second)
        )
        world.pattern_size = wp.array(sizes, dtype=wp.float32)
        world.roughness = wp.array(gloss, dtype=wp.float32)
        world.backdrop = wp.array(room.backdrop.astype(np.float32), dtype=wp.vec3)
        world.ambient_up, world.ambient_down = (wp.vec3(*row.tolist()) for row in room.ambient)
        return world

    def _add_lights(self, scene: Scene) -> None:
        """Lights and their shadow maps, each of which looks at all figures."""
        lights, size = scene.room.lights, _SHADOW_SIZE
        shadows = wp.full((len(lights), size, size), cover.NOTHING, dtype=wp.uint64)
        rows = []
        for k, light in enumerate(lights):
            row = shade.Light()
            row.view = _view_of_light(light, scene)
            row.color = wp.vec3(*light.color.tolist())
            row.strength = float(light.strength)
            rows.append(row)
            if row.view.focal:
                for figure in range(len(scene.figures)):
                    self._cover(figure, row.view, shadows[k])
                if len(self._things):
                    given = [self._room.points, self._things, 0, row.view, shadows[k]]
                    wp.launch(cover.rasterize, len(self._things) // 3, given)
        self._world.num_lights = len(lights)
        self._world.lights = wp.array(rows, dtype=shade.Light)
        self._world.shadows = shadows


def _view(camera: Camera, flat: bool = False) -> cover.View:
    view = cover.View()
    view.origin = wp.vec3(*camera.origin.tolist())
    view.right, view.down, view.ahead = (wp.vec3(*row.tolist()) for row in camera.axes)
    view.focal = float(camera.focal_px)
    view.center = wp.vec2(*camera.center_px.tolist())
    view.flat = int(flat)
    return view


def _view_of_light(light: Light, scene: Scene) -> cover.View:
    """Looks at all figures with some room around; without figures, or among them, with focal length 0."""
    points = np.concatenate([figure.vertices[::9] for figure in scene.figures] or [np.zeros((1, 3))])
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    radius = 1.15 * float(np.linalg.norm(points - middle, axis=1).max())
    sun = light.strength == 0
    origin = middle + light.position * 30 if sun else light.position
    away = float(np.linalg.norm(origin - middle))
    focal = 0.0
    if scene.figures and away > 1.05 * radius:
        across = radius if sun else radius / math.sqrt(away**2 - radius**2)
        focal = _SHADOW_SIZE / 2 / across
    return _view(look_at(origin, middle, 0.0, focal, _SHADOW_SIZE), flat=sun)
