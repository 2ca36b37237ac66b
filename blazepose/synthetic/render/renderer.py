"""Render a scene, and find the surfaces in front of its points."""

import math
from typing import NamedTuple

import numpy as np
import warp as wp

from blazepose.synthetic.appearance.figure import FigureBuilder
from blazepose.synthetic.render import rasterize, shade
from blazepose.synthetic.scene.camera import Camera, look_at
from blazepose.synthetic.scene.environment import Light
from blazepose.synthetic.scene.scene import Scene

MAX_FIGURES = 2
_SHADOW_SIZE = 320
"""Side of a shadow map, pixels: half a centimeter on a person."""


class Surfaces(NamedTuple):
    """First surfaces from the camera towards points.

    Attributes:
        kind: (points,) int32: -1 nothing, 0 the environment, k + 1 figure k.
        part: (points,) index of the figure's part in landmark_table.BODY_PARTS; undefined for other kinds.
        gap_m: (points,) distance of the surface before the point, meters; negative behind it.
    """

    kind: np.ndarray
    part: np.ndarray
    gap_m: np.ndarray


class RenderedFrame(NamedTuple):
    """A rendered image.

    Attributes:
        color: (size, size, 3) float32, linear light.
        kind: (size, size) int32, surface at each pixel's center: k + 1 for figure k, else less than 1.
    """

    color: np.ndarray
    kind: np.ndarray


class Renderer:
    """Renderer of scenes, one after the other, on one device.

    Args:
        builder: builder of the figures.
        device: Warp device; None takes a GPU if available.
    """

    def __init__(self, builder: FigureBuilder, device: str | None = None) -> None:
        self.device = device or str(wp.get_preferred_device())
        self._builder = builder
        count = builder.faces.max() + 1
        start = np.zeros((count, 3), np.float32)
        start[: len(builder.model.template)] = builder.model.template
        with wp.ScopedDevice(self.device):
            self._faces = wp.array(builder.faces.ravel(), dtype=wp.int32)
            self._points = wp.array(np.stack([start] * MAX_FIGURES), dtype=wp.vec3)
            # A body's BVH is built once and refitted to each posture, in a fraction of the time.
            self._bodies = [wp.Mesh(self._points[k], self._faces) for k in range(MAX_FIGURES)]
            self._ids = wp.array([body.id for body in self._bodies], dtype=wp.uint64)
            self._normals = wp.zeros((MAX_FIGURES, count), dtype=wp.vec3)
            self._colors = wp.zeros((MAX_FIGURES, count), dtype=wp.vec3)
            self._gloss = wp.zeros((MAX_FIGURES, count), dtype=wp.float32)

    def load(self, scene: Scene) -> None:
        """Load a scene for `render` and `first_surfaces`."""
        with wp.ScopedDevice(self.device):
            for k, figure in enumerate(scene.figures):
                self._load_figure(k, figure.vertices, *self._builder.vertex_colors(figure.appearance))
            self._device_scene = self._build_device_scene(scene)
            self._camera = _view(scene.camera)
            self._add_lights(scene)

    def render(self, scene: Scene) -> RenderedFrame:
        """Render the loaded scene."""
        size = scene.camera.size
        with wp.ScopedDevice(self.device):
            buffer = wp.full((size, size), rasterize.EMPTY_KEY, dtype=wp.uint64)
            for k in range(len(scene.figures)):
                self._rasterize_figure(k, self._camera, buffer)
            mesh = self._environment_mesh
            inputs = [mesh.points, mesh.indices, 0, self._camera, buffer]
            wp.launch(rasterize.rasterize_clipped, len(mesh.indices) // 3, inputs)
            color, antialiased = (wp.empty((size, size), dtype=wp.vec3) for _ in range(2))
            kind = wp.empty((size, size), dtype=wp.int32)
            pixels = [color, kind]
            wp.launch(
                shade.shade_pixels,
                (size, size),
                [self._device_scene, self._points, self._camera, buffer, *pixels],
            )
            wp.launch(
                shade.antialias_edges, (size, size), [self._device_scene, self._camera, *pixels, antialiased]
            )
            return RenderedFrame(antialiased.numpy(), kind.numpy())

    def first_surfaces(self, points: np.ndarray) -> Surfaces:
        """Find the first surfaces from the camera of the loaded scene towards world points (points, 3)."""
        with wp.ScopedDevice(self.device):
            positions = wp.array(points.astype(np.float32), dtype=wp.vec3)
            kind, face = (wp.empty(len(points), dtype=wp.int32) for _ in range(2))
            gap = wp.empty(len(points), dtype=wp.float32)
            wp.launch(
                shade.first_surfaces,
                len(points),
                [self._device_scene, self._camera, positions, kind, face, gap],
            )
            kinds = kind.numpy()
            parts = self._builder.face_parts[np.where(kinds > 0, face.numpy(), 0)]
            return Surfaces(kinds, parts, gap.numpy())

    def _load_figure(self, k: int, vertices: np.ndarray, color: np.ndarray, gloss: np.ndarray) -> None:
        body = self._bodies[k]
        self._points[k].assign(vertices.astype(np.float32))
        body.refit()
        self._normals[k].zero_()
        wp.launch(
            rasterize.accumulate_normals,
            len(self._builder.faces),
            [body.points, self._faces, self._normals[k]],
        )
        self._colors[k].assign(color.astype(np.float32))
        self._gloss[k].assign(gloss.astype(np.float32))

    def _rasterize_figure(self, k: int, view: rasterize.View, buffer: wp.array) -> None:
        """Rasterize figure k into a visibility buffer."""
        faces = len(self._builder.faces)
        inputs = [self._points[k], self._faces, (k + 1) * int(rasterize.MAX_FACES), view, buffer]
        wp.launch(rasterize.rasterize, faces, inputs)

    def _build_device_scene(self, scene: Scene) -> shade.DeviceScene:
        env, device_scene = scene.environment, shade.DeviceScene()
        shell, objects = env.shell.build(), env.objects.build()
        faces = np.concatenate([shell[1], objects[1] + len(shell[0])]).astype(np.int32)
        vertices = np.concatenate([shell[0], objects[0]])
        # Kept alive with the scene: the device scene only holds the mesh's id.
        self._environment_mesh = wp.Mesh(
            wp.array(vertices, dtype=wp.vec3), wp.array(faces.ravel(), dtype=wp.int32)
        )
        self._object_faces = wp.array(faces[len(shell[1]) :].ravel(), dtype=wp.int32)
        device_scene.num_bodies = len(scene.figures)
        device_scene.bodies, device_scene.body_faces = self._ids, self._faces
        device_scene.normals, device_scene.colors = self._normals, self._colors
        device_scene.gloss = self._gloss
        device_scene.environment = self._environment_mesh.id
        device_scene.environment_material = wp.array(np.concatenate([shell[2], objects[2]]), dtype=wp.int32)
        patterns, first, second, sizes, gloss = zip(*env.materials, strict=True)
        device_scene.pattern = wp.array(patterns, dtype=wp.int32)
        device_scene.first_color, device_scene.second_color = (
            wp.array(np.stack(colors).astype(np.float32), dtype=wp.vec3) for colors in (first, second)
        )
        device_scene.pattern_size = wp.array(sizes, dtype=wp.float32)
        device_scene.environment_gloss = wp.array(gloss, dtype=wp.float32)
        device_scene.background = wp.array(env.background.astype(np.float32), dtype=wp.vec3)
        device_scene.ambient_up, device_scene.ambient_down = (wp.vec3(*row.tolist()) for row in env.ambient)
        return device_scene

    def _add_lights(self, scene: Scene) -> None:
        """Add lights and their shadow maps, each of which covers all figures."""
        lights, size = scene.environment.lights, _SHADOW_SIZE
        shadows = wp.full((len(lights), size, size), rasterize.EMPTY_KEY, dtype=wp.uint64)
        rows = []
        for k, light in enumerate(lights):
            row = shade.ShadowCastingLight()
            row.view = _light_view(light, scene)
            row.color = wp.vec3(*light.color.tolist())
            row.intensity = float(light.intensity)
            rows.append(row)
            if row.view.focal:
                for figure in range(len(scene.figures)):
                    self._rasterize_figure(figure, row.view, shadows[k])
                if len(self._object_faces):
                    inputs = [self._environment_mesh.points, self._object_faces, 0, row.view, shadows[k]]
                    wp.launch(rasterize.rasterize, len(self._object_faces) // 3, inputs)
        self._device_scene.num_lights = len(lights)
        self._device_scene.lights = wp.array(rows, dtype=shade.ShadowCastingLight)
        self._device_scene.shadows = shadows


def _view(camera: Camera, orthographic: bool = False) -> rasterize.View:
    view = rasterize.View()
    view.origin = wp.vec3(*camera.origin.tolist())
    view.right, view.down, view.ahead = (wp.vec3(*row.tolist()) for row in camera.axes)
    view.focal = float(camera.focal_px)
    view.center = wp.vec2(*camera.center_px.tolist())
    view.orthographic = int(orthographic)
    return view


def _light_view(light: Light, scene: Scene) -> rasterize.View:
    """Create a light's view of all figures with a margin; focal length 0 without figures or among them."""
    points = np.concatenate([figure.vertices[::9] for figure in scene.figures] or [np.zeros((1, 3))])
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    radius = 1.15 * float(np.linalg.norm(points - middle, axis=1).max())
    sun = light.intensity == 0
    origin = middle + light.position * 30 if sun else light.position
    distance = float(np.linalg.norm(origin - middle))
    focal = 0.0
    if scene.figures and distance > 1.05 * radius:
        extent = radius if sun else radius / math.sqrt(distance**2 - radius**2)
        focal = _SHADOW_SIZE / 2 / extent
    return _view(look_at(origin, middle, 0.0, focal, _SHADOW_SIZE), orthographic=sun)
