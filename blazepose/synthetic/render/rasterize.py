"""Which surface is nearest at each pixel: rasterising on Warp's devices, a CPU core or a GPU."""

import warp as wp

NEAR = wp.constant(0.02)
"""Metres before a camera within which nothing is drawn."""

MAX_FACES = wp.constant(1 << 20)
"""Faces of a mesh, at most; a surface number is kind * MAX_FACES + face, 0 being the room."""

NOTHING = wp.constant(wp.uint64(0xFFFFFFFFFFFFFFFF))
"""A pixel that nothing covers."""


@wp.struct
class View:
    """Position, axes, focal length and principal point in pixels; `flat`: parallel, in pixels a metre."""

    origin: wp.vec3
    right: wp.vec3
    down: wp.vec3
    ahead: wp.vec3
    focal: wp.float32
    center: wp.vec2
    flat: wp.int32


@wp.func
def seen_at(view: View, point: wp.vec3) -> wp.vec3:
    """Column, row and depth of a point."""
    away = point - view.origin
    depth = wp.dot(away, view.ahead)
    scale = view.focal
    if view.flat == 0:
        scale = view.focal / wp.max(depth, NEAR)
    return wp.vec3(
        wp.dot(away, view.right) * scale + view.center[0],
        wp.dot(away, view.down) * scale + view.center[1],
        depth,
    )


@wp.func
def key_of(depth: wp.float32, surface: wp.int32) -> wp.uint64:
    """Depth and surface in one number that sorts by depth, so that the nearest is an atomic minimum."""
    bits = wp.uint64(wp.cast(depth, wp.uint32))
    return (bits << wp.uint64(32)) | wp.uint64(surface)


@wp.func
def depth_of(key: wp.uint64) -> wp.float32:
    return wp.cast(wp.uint32(key >> wp.uint64(32)), wp.float32)


@wp.func
def bounds(a: wp.vec3, b: wp.vec3, c: wp.vec3, width: wp.int32, height: wp.int32) -> wp.vec4i:
    """First column and row, last column and row of the pixels whose centres three points may enclose."""
    return wp.vec4i(
        wp.max(wp.int32(wp.ceil(wp.min(a[0], wp.min(b[0], c[0])))), 0),
        wp.max(wp.int32(wp.ceil(wp.min(a[1], wp.min(b[1], c[1])))), 0),
        wp.min(wp.int32(wp.floor(wp.max(a[0], wp.max(b[0], c[0])))), width - 1),
        wp.min(wp.int32(wp.floor(wp.max(a[1], wp.max(b[1], c[1])))), height - 1),
    )


@wp.kernel
def rasterize(
    points: wp.array(dtype=wp.vec3),
    faces: wp.array(dtype=wp.int32),
    first: wp.int32,
    view: View,
    keys: wp.array2d(dtype=wp.uint64),
):
    """Draw triangles into a map of the nearest surface at each pixel's centre; surface = first + face."""
    k = wp.tid()
    a = seen_at(view, points[faces[3 * k]])
    b = seen_at(view, points[faces[3 * k + 1]])
    c = seen_at(view, points[faces[3 * k + 2]])
    if wp.min(a[2], wp.min(b[2], c[2])) > NEAR:
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area != 0.0:
            box = bounds(a, b, c, keys.shape[1], keys.shape[0])
            for row in range(box[1], box[3] + 1):
                for column in range(box[0], box[2] + 1):
                    x, y = float(column), float(row)
                    u = ((b[0] - x) * (c[1] - y) - (b[1] - y) * (c[0] - x)) / area
                    v = ((c[0] - x) * (a[1] - y) - (c[1] - y) * (a[0] - x)) / area
                    w = 1.0 - u - v
                    if u >= 0.0 and v >= 0.0 and w >= 0.0:
                        depth = u * a[2] + v * b[2] + w * c[2]
                        if view.flat == 0:
                            depth = 1.0 / (u / a[2] + v / b[2] + w / c[2])
                        wp.atomic_min(keys, row, column, key_of(depth, first + k))


@wp.func
def outside_plane(a: wp.vec3, b: wp.vec3, c: wp.vec3, plane: wp.vec3) -> wp.bool:
    """All three points lie on the outer side of a plane through the eye."""
    return wp.dot(a, plane) < 0.0 and wp.dot(b, plane) < 0.0 and wp.dot(c, plane) < 0.0


@wp.kernel
def rasterize_clipped(
    points: wp.array(dtype=wp.vec3),
    faces: wp.array(dtype=wp.int32),
    first: wp.int32,
    view: View,
    keys: wp.array2d(dtype=wp.uint64),
):
    """As `rasterize`, for faces that may reach behind the camera, as floors and walls do."""
    k = wp.tid()
    i, j, m = faces[3 * k], faces[3 * k + 1], faces[3 * k + 2]
    at, bt, ct = seen_at(view, points[i]), seen_at(view, points[j]), seen_at(view, points[m])
    box = wp.vec4i(0, 0, keys.shape[1] - 1, keys.shape[0] - 1)
    if wp.min(at[2], wp.min(bt[2], ct[2])) > NEAR:
        box = bounds(at, bt, ct, keys.shape[1], keys.shape[0])
    a, b, c = points[i] - view.origin, points[j] - view.origin, points[m] - view.origin
    step_x, step_y = view.right / view.focal, view.down / view.focal
    corner = view.ahead - step_x * view.center[0] - step_y * view.center[1]
    low_x, low_y = wp.dot(corner, view.right), wp.dot(corner, view.down)
    high_x, high_y = low_x + float(box[2]) / view.focal, low_y + float(box[3]) / view.focal
    outside = wp.max(at[2], wp.max(bt[2], ct[2])) <= NEAR
    outside = outside or outside_plane(a, b, c, view.right - view.ahead * low_x)
    outside = outside or outside_plane(a, b, c, view.ahead * high_x - view.right)
    outside = outside or outside_plane(a, b, c, view.down - view.ahead * low_y)
    outside = outside or outside_plane(a, b, c, view.ahead * high_y - view.down)
    if not outside:
        # A ray passes a triangle where it lies on one side of the three planes through the eye and its edges.
        ab, bc, ca = wp.cross(a, b), wp.cross(b, c), wp.cross(c, a)
        normal = wp.cross(b - a, c - a)
        height = wp.dot(normal, a)
        u_step, v_step, w_step = wp.dot(step_x, bc), wp.dot(step_x, ca), wp.dot(step_x, ab)
        n_step = wp.dot(step_x, normal)
        for row in range(box[1], box[3] + 1):
            start = corner + step_y * float(row)
            u_start, v_start, w_start = wp.dot(start, bc), wp.dot(start, ca), wp.dot(start, ab)
            n_start = wp.dot(start, normal)
            for column in range(box[0], box[2] + 1):
                x = float(column)
                u, v, w = u_start + x * u_step, v_start + x * v_step, w_start + x * w_step
                if (u >= 0.0 and v >= 0.0 and w >= 0.0) or (u <= 0.0 and v <= 0.0 and w <= 0.0):
                    depth = height / (n_start + x * n_step)
                    if depth > NEAR:
                        wp.atomic_min(keys, row, column, key_of(depth, first + k))


@wp.kernel
def add_face_normals(
    points: wp.array(dtype=wp.vec3), faces: wp.array(dtype=wp.int32), normals: wp.array(dtype=wp.vec3)
):
    """Sum of the normals of the faces around each vertex, larger faces counting more."""
    k = wp.tid()
    a, b, c = faces[3 * k], faces[3 * k + 1], faces[3 * k + 2]
    normal = wp.cross(points[b] - points[a], points[c] - points[a])
    wp.atomic_add(normals, a, normal)
    wp.atomic_add(normals, b, normal)
    wp.atomic_add(normals, c, normal)
