"""Rasterization into a visibility buffer on Warp's devices, a CPU core or a GPU."""

import warp as wp

NEAR_PLANE = wp.constant(0.02)
"""Distance of the near plane, meters."""

MAX_FACES = wp.constant(1 << 20)
"""Largest number of faces of a mesh; a surface id is kind * MAX_FACES + face, kind 0 is the environment."""

EMPTY_KEY = wp.constant(wp.uint64(0xFFFFFFFFFFFFFFFF))
"""Key of a pixel that no surface covers."""


@wp.struct
class View:
    """Position, axes, focal length and principal point in pixels; `orthographic`: pixels per meter."""

    origin: wp.vec3
    right: wp.vec3
    down: wp.vec3
    ahead: wp.vec3
    focal: wp.float32
    center: wp.vec2
    orthographic: wp.int32


@wp.func
def project_point(view: View, point: wp.vec3) -> wp.vec3:
    """Project a point to column, row and depth."""
    offset = point - view.origin
    depth = wp.dot(offset, view.ahead)
    scale = view.focal
    if view.orthographic == 0:
        scale = view.focal / wp.max(depth, NEAR_PLANE)
    return wp.vec3(
        wp.dot(offset, view.right) * scale + view.center[0],
        wp.dot(offset, view.down) * scale + view.center[1],
        depth,
    )


@wp.func
def pack_key(depth: wp.float32, surface_id: wp.int32) -> wp.uint64:
    """Pack depth and surface id into a key that sorts by depth: the nearest surface is an atomic minimum."""
    bits = wp.uint64(wp.cast(depth, wp.uint32))
    return (bits << wp.uint64(32)) | wp.uint64(surface_id)


@wp.func
def unpack_depth(key: wp.uint64) -> wp.float32:
    return wp.cast(wp.uint32(key >> wp.uint64(32)), wp.float32)


@wp.func
def pixel_bounds(a: wp.vec3, b: wp.vec3, c: wp.vec3, width: wp.int32, height: wp.int32) -> wp.vec4i:
    """Compute first column and row, last column and row of the pixel centers that a triangle may cover."""
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
    first_id: wp.int32,
    view: View,
    buffer: wp.array2d(dtype=wp.uint64),
):
    """Rasterize triangles into a visibility buffer, at pixel centers; surface id = first_id + face."""
    k = wp.tid()
    a = project_point(view, points[faces[3 * k]])
    b = project_point(view, points[faces[3 * k + 1]])
    c = project_point(view, points[faces[3 * k + 2]])
    if wp.min(a[2], wp.min(b[2], c[2])) > NEAR_PLANE:
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area != 0.0:
            box = pixel_bounds(a, b, c, buffer.shape[1], buffer.shape[0])
            for row in range(box[1], box[3] + 1):
                for column in range(box[0], box[2] + 1):
                    x, y = float(column), float(row)
                    u = ((b[0] - x) * (c[1] - y) - (b[1] - y) * (c[0] - x)) / area
                    v = ((c[0] - x) * (a[1] - y) - (c[1] - y) * (a[0] - x)) / area
                    w = 1.0 - u - v
                    if u >= 0.0 and v >= 0.0 and w >= 0.0:
                        depth = u * a[2] + v * b[2] + w * c[2]
                        if view.orthographic == 0:
                            depth = 1.0 / (u / a[2] + v / b[2] + w / c[2])
                        wp.atomic_min(buffer, row, column, pack_key(depth, first_id + k))


@wp.func
def outside_plane(a: wp.vec3, b: wp.vec3, c: wp.vec3, plane: wp.vec3) -> wp.bool:
    """Return whether all three points lie on the outer side of a plane through the eye."""
    return wp.dot(a, plane) < 0.0 and wp.dot(b, plane) < 0.0 and wp.dot(c, plane) < 0.0


@wp.kernel
def rasterize_clipped(
    points: wp.array(dtype=wp.vec3),
    faces: wp.array(dtype=wp.int32),
    first_id: wp.int32,
    view: View,
    buffer: wp.array2d(dtype=wp.uint64),
):
    """Rasterize like `rasterize`, for faces that may reach behind the camera: floors and walls."""
    k = wp.tid()
    i, j, m = faces[3 * k], faces[3 * k + 1], faces[3 * k + 2]
    at, bt, ct = (
        project_point(view, points[i]),
        project_point(view, points[j]),
        project_point(view, points[m]),
    )
    box = wp.vec4i(0, 0, buffer.shape[1] - 1, buffer.shape[0] - 1)
    if wp.min(at[2], wp.min(bt[2], ct[2])) > NEAR_PLANE:
        box = pixel_bounds(at, bt, ct, buffer.shape[1], buffer.shape[0])
    a, b, c = points[i] - view.origin, points[j] - view.origin, points[m] - view.origin
    step_x, step_y = view.right / view.focal, view.down / view.focal
    corner = view.ahead - step_x * view.center[0] - step_y * view.center[1]
    low_x, low_y = wp.dot(corner, view.right), wp.dot(corner, view.down)
    high_x, high_y = low_x + float(box[2]) / view.focal, low_y + float(box[3]) / view.focal
    outside = wp.max(at[2], wp.max(bt[2], ct[2])) <= NEAR_PLANE
    outside = outside or outside_plane(a, b, c, view.right - view.ahead * low_x)
    outside = outside or outside_plane(a, b, c, view.ahead * high_x - view.right)
    outside = outside or outside_plane(a, b, c, view.down - view.ahead * low_y)
    outside = outside or outside_plane(a, b, c, view.ahead * high_y - view.down)
    if not outside:
        # A ray hits a triangle if it is on the same side of the three planes through the eye and an edge.
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
                    if depth > NEAR_PLANE:
                        wp.atomic_min(buffer, row, column, pack_key(depth, first_id + k))


@wp.kernel
def accumulate_normals(
    points: wp.array(dtype=wp.vec3), faces: wp.array(dtype=wp.int32), normals: wp.array(dtype=wp.vec3)
):
    """Accumulate area-weighted face normals at each vertex."""
    k = wp.tid()
    a, b, c = faces[3 * k], faces[3 * k + 1], faces[3 * k + 2]
    normal = wp.cross(points[b] - points[a], points[c] - points[a])
    wp.atomic_add(normals, a, normal)
    wp.atomic_add(normals, b, normal)
    wp.atomic_add(normals, c, normal)
