"""Light on surfaces, and the rays that find them, on Warp's devices."""

import warp as wp

from blazepose.synthetic.render.pattern import PICTURE, pattern_share
from blazepose.synthetic.render.rasterize import MAX_FACES, NEAR, NOTHING, View, depth_of, seen_at

_FAR = wp.constant(1.0e4)
_BIAS = wp.constant(0.012)
"""Metres that a surface may lie behind the shadow map's without being in shadow: the map's grid is coarse."""


@wp.struct
class Light:
    """A lamp or the sun, and what it sees: its shadow map looks at the people with these axes.

    `strength` 0 is the sun, in direction -ahead; a map of focal length 0 shadows nothing.
    """

    view: View
    color: wp.vec3
    strength: wp.float32


@wp.struct
class World:
    """Everything that rays can meet, and the light on it."""

    num_bodies: wp.int32
    bodies: wp.array(dtype=wp.uint64)
    normals: wp.array2d(dtype=wp.vec3)
    colors: wp.array2d(dtype=wp.vec3)
    gloss: wp.array2d(dtype=wp.float32)
    body_faces: wp.array(dtype=wp.int32)
    room: wp.uint64
    room_material: wp.array(dtype=wp.int32)
    pattern: wp.array(dtype=wp.int32)
    first_color: wp.array(dtype=wp.vec3)
    second_color: wp.array(dtype=wp.vec3)
    pattern_size: wp.array(dtype=wp.float32)
    roughness: wp.array(dtype=wp.float32)
    backdrop: wp.array2d(dtype=wp.vec3)
    num_lights: wp.int32
    lights: wp.array(dtype=Light)
    shadows: wp.array3d(dtype=wp.uint64)
    ambient_up: wp.vec3
    ambient_down: wp.vec3


@wp.struct
class Hit:
    """The nearest surface along a ray; kind is -1 nothing, 0 the room, k body k - 1."""

    kind: wp.int32
    face: wp.int32
    distance: wp.float32
    u: wp.float32
    v: wp.float32
    normal: wp.vec3


@wp.func
def nearest(world: World, origin: wp.vec3, direction: wp.vec3) -> Hit:
    hit = Hit()
    hit.kind = wp.int32(-1)
    hit.distance = _FAR
    found = wp.mesh_query_ray(world.room, origin, direction, hit.distance)
    if found.result:
        hit.kind = wp.int32(0)
        hit.distance = found.t
        hit.face = found.face
        hit.normal = found.normal
    for k in range(world.num_bodies):
        found = wp.mesh_query_ray(world.bodies[k], origin, direction, hit.distance)
        if found.result:
            hit.kind = k + 1
            hit.distance = found.t
            hit.face = found.face
            hit.u = found.u
            hit.v = found.v
    return hit


@wp.func
def brightness(world: World, k: wp.int32, place: wp.vec3) -> wp.float32:
    """Share of a light that reaches a place: 1 free, 0 in shadow, between them at a shadow's edge."""
    view = world.lights[k].view
    at = seen_at(view, place)
    size = world.shadows.shape[1]
    column, row = wp.int32(wp.floor(at[0])), wp.int32(wp.floor(at[1]))
    if view.focal == 0.0 or at[2] < NEAR or column < 0 or row < 0 or column >= size - 1 or row >= size - 1:
        return 1.0
    x, y = at[0] - float(column), at[1] - float(row)
    free = 0.0
    for j in range(4):
        dx, dy = j % 2, j / 2
        share = wp.where(dx == 1, x, 1.0 - x) * wp.where(dy == 1, y, 1.0 - y)
        key = world.shadows[k, row + dy, column + dx]
        if key == NOTHING or depth_of(key) > at[2] - _BIAS:
            free += share
    return free


@wp.func
def lit(
    world: World, place: wp.vec3, normal: wp.vec3, towards_eye: wp.vec3, albedo: wp.vec3, gloss: wp.float32
) -> wp.vec3:
    up = 0.5 + 0.5 * normal[2]
    color = wp.cw_mul(albedo, world.ambient_up * up + world.ambient_down * (1.0 - up))
    for k in range(world.num_lights):
        light = world.lights[k]
        direction = -light.view.ahead
        strength = 1.0
        if light.strength > 0.0:
            away = light.view.origin - place
            distance = wp.max(wp.length(away), 0.1)
            direction = away / distance
            strength = light.strength / (distance * distance)
        facing = wp.dot(normal, direction)
        if facing > 0.0:
            free = brightness(world, k, place + normal * _BIAS)
            shine = 0.0
            if gloss > 0.02:
                half = wp.normalize(direction + towards_eye)
                shine = gloss * wp.pow(wp.max(wp.dot(normal, half), 0.0), 24.0)
            color += wp.cw_mul(albedo + wp.vec3(shine), light.color) * (strength * facing * free)
    return color


@wp.func
def shade_hit(world: World, origin: wp.vec3, direction: wp.vec3, hit: Hit, behind: wp.vec3) -> wp.vec3:
    """Linear colour of what a ray meets; `behind` where it meets nothing."""
    if hit.kind < 0:
        return behind
    place = origin + direction * hit.distance
    if hit.kind == 0:
        material = world.room_material[hit.face]
        kind = world.pattern[material]
        normal = wp.normalize(hit.normal)
        if wp.dot(normal, direction) > 0.0:
            normal = -normal
        share = pattern_share(kind, place, normal, world.pattern_size[material])
        albedo = wp.lerp(world.first_color[material], world.second_color[material], share)
        if kind == PICTURE:  # shows the user's picture, and only takes shadows
            white = lit(world, place, normal, -direction, wp.vec3(1.0), 0.0)
            free = world.first_color[material]
            return wp.cw_mul(behind, wp.min(wp.cw_div(white, free), wp.vec3(1.0)))
        return lit(world, place, normal, -direction, albedo, world.roughness[material])
    body = hit.kind - 1
    a = world.body_faces[3 * hit.face]
    b = world.body_faces[3 * hit.face + 1]
    c = world.body_faces[3 * hit.face + 2]
    w = 1.0 - hit.u - hit.v
    normal = wp.normalize(
        world.normals[body, a] * hit.u + world.normals[body, b] * hit.v + world.normals[body, c] * w
    )
    if wp.dot(normal, direction) > 0.0:
        normal = wp.normalize(normal - direction * (1.01 * wp.dot(normal, direction)))
    albedo = world.colors[body, a] * hit.u + world.colors[body, b] * hit.v + world.colors[body, c] * w
    gloss = world.gloss[body, a] * hit.u + world.gloss[body, b] * hit.v + world.gloss[body, c] * w
    return lit(world, place, normal, -direction, albedo, gloss)


@wp.func
def ray_through(camera: View, x: wp.float32, y: wp.float32) -> wp.vec3:
    return wp.normalize(
        camera.ahead
        + camera.right * ((x - camera.center[0]) / camera.focal)
        + camera.down * ((y - camera.center[1]) / camera.focal)
    )


@wp.func
def hit_of_face(
    world: World, points: wp.array2d(dtype=wp.vec3), key: wp.uint64, origin: wp.vec3, direction: wp.vec3
) -> Hit:
    """The hit of a ray on the face that covers its pixel."""
    hit = Hit()
    hit.kind = wp.int32(-1)
    hit.distance = _FAR
    if key != NOTHING:
        surface = wp.int32(wp.uint32(key))
        owner = surface / MAX_FACES
        hit.face = surface - owner * MAX_FACES
        hit.kind = owner
        if owner == 0:
            mesh = wp.mesh_get(world.room)
            a = mesh.points[mesh.indices[3 * hit.face]]
            b = mesh.points[mesh.indices[3 * hit.face + 1]]
            c = mesh.points[mesh.indices[3 * hit.face + 2]]
            hit.normal = wp.normalize(wp.cross(b - a, c - a))
            hit.distance = wp.dot(a - origin, hit.normal) / wp.dot(direction, hit.normal)
        else:
            a = points[owner - 1, world.body_faces[3 * hit.face]]
            b = points[owner - 1, world.body_faces[3 * hit.face + 1]]
            c = points[owner - 1, world.body_faces[3 * hit.face + 2]]
            across = wp.cross(b - a, c - a)
            squared = wp.dot(across, across)
            hit.distance = wp.dot(a - origin, across) / wp.dot(direction, across)
            place = origin + direction * hit.distance
            hit.u = wp.clamp(wp.dot(wp.cross(c - b, place - b), across) / squared, 0.0, 1.0)
            hit.v = wp.clamp(wp.dot(wp.cross(a - c, place - c), across) / squared, 0.0, 1.0 - hit.u)
    return hit


@wp.kernel
def draw(
    world: World,
    points: wp.array2d(dtype=wp.vec3),
    camera: View,
    keys: wp.array2d(dtype=wp.uint64),
    color: wp.array2d(dtype=wp.vec3),
    kind: wp.array2d(dtype=wp.int32),
):
    """What the centre of every pixel shows; `keys` is the map of the nearest surfaces."""
    row, column = wp.tid()
    direction = ray_through(camera, float(column), float(row))
    hit = hit_of_face(world, points, keys[row, column], camera.origin, direction)
    kind[row, column] = wp.where(hit.kind == 0, -2 - world.room_material[hit.face], hit.kind)
    color[row, column] = shade_hit(world, camera.origin, direction, hit, world.backdrop[row, column])


@wp.kernel
def smooth_edges(
    world: World,
    camera: View,
    color: wp.array2d(dtype=wp.vec3),
    kind: wp.array2d(dtype=wp.int32),
    smooth: wp.array2d(dtype=wp.vec3),
):
    """Another ray through every pixel whose neighbours show something else."""
    row, column = wp.tid()
    mine = kind[row, column]
    edge = False
    if row > 0:
        edge = edge or kind[row - 1, column] != mine
    if column > 0:
        edge = edge or kind[row, column - 1] != mine
    if row + 1 < kind.shape[0]:
        edge = edge or kind[row + 1, column] != mine
    if column + 1 < kind.shape[1]:
        edge = edge or kind[row, column + 1] != mine
    total = color[row, column]
    if edge:
        # One ray to a corner, another one for each pixel of a square of four: together they see all sides.
        x = float(column) - 0.45 + 0.9 * float(column % 2)
        y = float(row) - 0.45 + 0.9 * float(row % 2)
        direction = ray_through(camera, x, y)
        hit = nearest(world, camera.origin, direction)
        total = 0.5 * total + 0.5 * shade_hit(
            world, camera.origin, direction, hit, world.backdrop[row, column]
        )
    smooth[row, column] = total


@wp.kernel
def first_surfaces(
    world: World,
    camera: View,
    points: wp.array(dtype=wp.vec3),
    kind: wp.array(dtype=wp.int32),
    face: wp.array(dtype=wp.int32),
    gap: wp.array(dtype=wp.float32),
):
    """What is met first on the way from the camera to a point, and how far before it; negative: behind it."""
    k = wp.tid()
    way = points[k] - camera.origin
    hit = nearest(world, camera.origin, wp.normalize(way))
    kind[k] = hit.kind
    face[k] = hit.face
    gap[k] = wp.length(way) - hit.distance
