"""Ray casting and shading on Warp's devices."""

import warp as wp

from blazepose.synthetic.render.pattern import SHADOW_CATCHER, pattern_weight
from blazepose.synthetic.render.rasterize import (
    EMPTY_KEY,
    MAX_FACES,
    NEAR_PLANE,
    View,
    project_point,
    unpack_depth,
)

_FAR = wp.constant(1.0e4)
_BIAS = wp.constant(0.012)
"""Depth bias of shadow maps, meters, for their coarse grid."""


@wp.struct
class ShadowCastingLight:
    """A lamp or the sun, with the view of its shadow map.

    `intensity` 0 is the sun, in direction -ahead; a view of focal length 0 casts no shadow.
    """

    view: View
    color: wp.vec3
    intensity: wp.float32


@wp.struct
class DeviceScene:
    """Scene on a Warp device: bodies, environment and lights."""

    num_bodies: wp.int32
    bodies: wp.array(dtype=wp.uint64)
    normals: wp.array2d(dtype=wp.vec3)
    colors: wp.array2d(dtype=wp.vec3)
    gloss: wp.array2d(dtype=wp.float32)
    body_faces: wp.array(dtype=wp.int32)
    environment: wp.uint64
    environment_material: wp.array(dtype=wp.int32)
    pattern: wp.array(dtype=wp.int32)
    first_color: wp.array(dtype=wp.vec3)
    second_color: wp.array(dtype=wp.vec3)
    pattern_size: wp.array(dtype=wp.float32)
    environment_gloss: wp.array(dtype=wp.float32)
    background: wp.array2d(dtype=wp.vec3)
    num_lights: wp.int32
    lights: wp.array(dtype=ShadowCastingLight)
    shadows: wp.array3d(dtype=wp.uint64)
    ambient_up: wp.vec3
    ambient_down: wp.vec3


@wp.struct
class Hit:
    """The nearest surface along a ray; kind is -1 nothing, 0 the environment, k body k - 1."""

    kind: wp.int32
    face: wp.int32
    distance: wp.float32
    u: wp.float32
    v: wp.float32
    normal: wp.vec3


@wp.func
def cast_ray(scene: DeviceScene, origin: wp.vec3, direction: wp.vec3) -> Hit:
    hit = Hit()
    hit.kind = wp.int32(-1)
    hit.distance = _FAR
    query = wp.mesh_query_ray(scene.environment, origin, direction, hit.distance)
    if query.result:
        hit.kind = wp.int32(0)
        hit.distance = query.t
        hit.face = query.face
        hit.normal = query.normal
    for k in range(scene.num_bodies):
        query = wp.mesh_query_ray(scene.bodies[k], origin, direction, hit.distance)
        if query.result:
            hit.kind = k + 1
            hit.distance = query.t
            hit.face = query.face
            hit.u = query.u
            hit.v = query.v
    return hit


@wp.func
def light_visibility(scene: DeviceScene, k: wp.int32, point: wp.vec3) -> wp.float32:
    """Return the fraction of a light that reaches a point: 1 lit, 0 in shadow, in between at an edge."""
    view = scene.lights[k].view
    projected = project_point(view, point)
    size = scene.shadows.shape[1]
    column, row = wp.int32(wp.floor(projected[0])), wp.int32(wp.floor(projected[1]))
    if (
        view.focal == 0.0
        or projected[2] < NEAR_PLANE
        or column < 0
        or row < 0
        or column >= size - 1
        or row >= size - 1
    ):
        return 1.0
    x, y = projected[0] - float(column), projected[1] - float(row)
    visibility = 0.0
    for j in range(4):
        dx, dy = j % 2, j / 2
        weight = wp.where(dx == 1, x, 1.0 - x) * wp.where(dy == 1, y, 1.0 - y)
        key = scene.shadows[k, row + dy, column + dx]
        if key == EMPTY_KEY or unpack_depth(key) > projected[2] - _BIAS:
            visibility += weight
    return visibility


@wp.func
def blinn_phong(
    scene: DeviceScene,
    point: wp.vec3,
    normal: wp.vec3,
    towards_eye: wp.vec3,
    albedo: wp.vec3,
    gloss: wp.float32,
) -> wp.vec3:
    up = 0.5 + 0.5 * normal[2]
    color = wp.cw_mul(albedo, scene.ambient_up * up + scene.ambient_down * (1.0 - up))
    for k in range(scene.num_lights):
        light = scene.lights[k]
        direction = -light.view.ahead
        intensity = 1.0
        if light.intensity > 0.0:
            offset = light.view.origin - point
            distance = wp.max(wp.length(offset), 0.1)
            direction = offset / distance
            intensity = light.intensity / (distance * distance)
        facing = wp.dot(normal, direction)
        if facing > 0.0:
            visibility = light_visibility(scene, k, point + normal * _BIAS)
            specular = 0.0
            if gloss > 0.02:
                half = wp.normalize(direction + towards_eye)
                specular = gloss * wp.pow(wp.max(wp.dot(normal, half), 0.0), 24.0)
            color += wp.cw_mul(albedo + wp.vec3(specular), light.color) * (intensity * facing * visibility)
    return color


@wp.func
def shade_hit(
    scene: DeviceScene, origin: wp.vec3, direction: wp.vec3, hit: Hit, background: wp.vec3
) -> wp.vec3:
    """Compute the linear color of a ray's hit; `background` without a hit."""
    if hit.kind < 0:
        return background
    point = origin + direction * hit.distance
    if hit.kind == 0:
        material = scene.environment_material[hit.face]
        kind = scene.pattern[material]
        normal = wp.normalize(hit.normal)
        if wp.dot(normal, direction) > 0.0:
            normal = -normal
        weight = pattern_weight(kind, point, normal, scene.pattern_size[material])
        albedo = wp.lerp(scene.first_color[material], scene.second_color[material], weight)
        if kind == SHADOW_CATCHER:  # shows the user's image and receives shadows
            white = blinn_phong(scene, point, normal, -direction, wp.vec3(1.0), 0.0)
            unshadowed = scene.first_color[material]
            return wp.cw_mul(background, wp.min(wp.cw_div(white, unshadowed), wp.vec3(1.0)))
        return blinn_phong(scene, point, normal, -direction, albedo, scene.environment_gloss[material])
    body = hit.kind - 1
    a = scene.body_faces[3 * hit.face]
    b = scene.body_faces[3 * hit.face + 1]
    c = scene.body_faces[3 * hit.face + 2]
    w = 1.0 - hit.u - hit.v
    normal = wp.normalize(
        scene.normals[body, a] * hit.u + scene.normals[body, b] * hit.v + scene.normals[body, c] * w
    )
    if wp.dot(normal, direction) > 0.0:
        normal = wp.normalize(normal - direction * (1.01 * wp.dot(normal, direction)))
    albedo = scene.colors[body, a] * hit.u + scene.colors[body, b] * hit.v + scene.colors[body, c] * w
    gloss = scene.gloss[body, a] * hit.u + scene.gloss[body, b] * hit.v + scene.gloss[body, c] * w
    return blinn_phong(scene, point, normal, -direction, albedo, gloss)


@wp.func
def pixel_ray(camera: View, x: wp.float32, y: wp.float32) -> wp.vec3:
    return wp.normalize(
        camera.ahead
        + camera.right * ((x - camera.center[0]) / camera.focal)
        + camera.down * ((y - camera.center[1]) / camera.focal)
    )


@wp.func
def hit_of_face(
    scene: DeviceScene, points: wp.array2d(dtype=wp.vec3), key: wp.uint64, origin: wp.vec3, direction: wp.vec3
) -> Hit:
    """Compute the hit of a ray on the face that covers its pixel."""
    hit = Hit()
    hit.kind = wp.int32(-1)
    hit.distance = _FAR
    if key != EMPTY_KEY:
        surface_id = wp.int32(wp.uint32(key))
        kind = surface_id / MAX_FACES
        hit.face = surface_id - kind * MAX_FACES
        hit.kind = kind
        if kind == 0:
            mesh = wp.mesh_get(scene.environment)
            a = mesh.points[mesh.indices[3 * hit.face]]
            b = mesh.points[mesh.indices[3 * hit.face + 1]]
            c = mesh.points[mesh.indices[3 * hit.face + 2]]
            hit.normal = wp.normalize(wp.cross(b - a, c - a))
            hit.distance = wp.dot(a - origin, hit.normal) / wp.dot(direction, hit.normal)
        else:
            a = points[kind - 1, scene.body_faces[3 * hit.face]]
            b = points[kind - 1, scene.body_faces[3 * hit.face + 1]]
            c = points[kind - 1, scene.body_faces[3 * hit.face + 2]]
            normal = wp.cross(b - a, c - a)
            squared = wp.dot(normal, normal)
            hit.distance = wp.dot(a - origin, normal) / wp.dot(direction, normal)
            point = origin + direction * hit.distance
            hit.u = wp.clamp(wp.dot(wp.cross(c - b, point - b), normal) / squared, 0.0, 1.0)
            hit.v = wp.clamp(wp.dot(wp.cross(a - c, point - c), normal) / squared, 0.0, 1.0 - hit.u)
    return hit


@wp.kernel
def shade_pixels(
    scene: DeviceScene,
    points: wp.array2d(dtype=wp.vec3),
    camera: View,
    buffer: wp.array2d(dtype=wp.uint64),
    color: wp.array2d(dtype=wp.vec3),
    kind: wp.array2d(dtype=wp.int32),
):
    """Shade every pixel's center; `buffer` is the visibility buffer."""
    row, column = wp.tid()
    direction = pixel_ray(camera, float(column), float(row))
    hit = hit_of_face(scene, points, buffer[row, column], camera.origin, direction)
    kind[row, column] = wp.where(hit.kind == 0, -2 - scene.environment_material[hit.face], hit.kind)
    color[row, column] = shade_hit(scene, camera.origin, direction, hit, scene.background[row, column])


@wp.kernel
def antialias_edges(
    scene: DeviceScene,
    camera: View,
    color: wp.array2d(dtype=wp.vec3),
    kind: wp.array2d(dtype=wp.int32),
    antialiased: wp.array2d(dtype=wp.vec3),
):
    """Average a second ray into every pixel whose neighbors show another surface."""
    row, column = wp.tid()
    center_kind = kind[row, column]
    edge = False
    if row > 0:
        edge = edge or kind[row - 1, column] != center_kind
    if column > 0:
        edge = edge or kind[row, column - 1] != center_kind
    if row + 1 < kind.shape[0]:
        edge = edge or kind[row + 1, column] != center_kind
    if column + 1 < kind.shape[1]:
        edge = edge or kind[row, column + 1] != center_kind
    total = color[row, column]
    if edge:
        # A ray to one corner, another corner for each pixel of a 2x2 block: together they cover all sides.
        x = float(column) - 0.45 + 0.9 * float(column % 2)
        y = float(row) - 0.45 + 0.9 * float(row % 2)
        direction = pixel_ray(camera, x, y)
        hit = cast_ray(scene, camera.origin, direction)
        total = 0.5 * total + 0.5 * shade_hit(
            scene, camera.origin, direction, hit, scene.background[row, column]
        )
    antialiased[row, column] = total


@wp.kernel
def first_surfaces(
    scene: DeviceScene,
    camera: View,
    points: wp.array(dtype=wp.vec3),
    kind: wp.array(dtype=wp.int32),
    face: wp.array(dtype=wp.int32),
    gap: wp.array(dtype=wp.float32),
):
    """Find the first surface from the camera towards each point; gap: distance before it, negative behind."""
    k = wp.tid()
    offset = points[k] - camera.origin
    hit = cast_ray(scene, camera.origin, wp.normalize(offset))
    kind[k] = hit.kind
    face[k] = hit.face
    gap[k] = wp.length(offset) - hit.distance
