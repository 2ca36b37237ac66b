"""Procedural patterns of floors, walls and objects."""

import warp as wp

PLAIN, CHECKS, STRIPES, SPECKLES, TILES, PLANKS, SHADOW_CATCHER = range(7)
"""Patterns of a material."""


@wp.func
def cell_noise(x: wp.float32, y: wp.float32, z: wp.float32) -> wp.float32:
    state = wp.rand_init(
        7, wp.int32(wp.floor(x)) * 7919 + wp.int32(wp.floor(y)) * 104729 + wp.int32(wp.floor(z))
    )
    return wp.randf(state)


@wp.func
def pattern_weight(kind: wp.int32, p: wp.vec3, normal: wp.vec3, size: wp.float32) -> wp.float32:
    """Return the weight of a material's second color at a point, 0..1."""
    # Coordinates along the surface: the two axes in which the normal is smallest.
    a, b = p[0] / size, p[1] / size
    if wp.abs(normal[0]) > wp.abs(normal[1]) and wp.abs(normal[0]) > wp.abs(normal[2]):
        a = p[2] / size
    elif wp.abs(normal[1]) > wp.abs(normal[2]):
        b = p[2] / size
    if kind == CHECKS:
        return wp.abs(wp.mod(wp.floor(a) + wp.floor(b), 2.0))
    if kind == STRIPES:
        return wp.abs(wp.mod(wp.floor(a), 2.0))
    if kind == SPECKLES:
        state = wp.uint32(11)
        return wp.clamp(0.5 + 0.7 * wp.noise(state, p * (2.0 / size)), 0.0, 1.0)
    if kind == TILES:
        joint = wp.min(a - wp.floor(a), b - wp.floor(b))
        return wp.where(joint < 0.05, 1.0, 0.15 * cell_noise(a, b, 0.0))
    if kind == PLANKS:
        row = wp.floor(b)
        along = a * 0.2 + 0.37 * row
        joint = wp.min((along - wp.floor(along)) * 5.0, b - row)
        return wp.where(joint < 0.04, 1.0, 0.5 * cell_noise(along, row, 1.0))
    return 0.0
