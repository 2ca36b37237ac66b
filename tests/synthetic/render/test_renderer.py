"""Pixels and first surfaces against brute-force ray casting."""

import cv2
import numpy as np
import pytest

from blazepose.synthetic.dataset.labels import scene_landmarks
from blazepose.synthetic.scene.camera import look_at
from blazepose.synthetic.scene.scene import sample_scene
from blazepose.synthetic.scene.solids import box, cylinder
from tests.synthetic.stage import SUN, cast, sample_people, stage, surfaces_of

SIZE = 96
NOTHING, ENVIRONMENT = -1, 0


@pytest.fixture(scope="module")
def scenes(builder):
    """Sample scenes as for a set, every other one with a bystander, most with an occluder."""
    rng = np.random.default_rng(11)
    names = ["stand", "sit", "squat", "push_up", "hang", "dance", "lie_on_side", "press", "wheel", "kick"]
    figures = sample_people(builder, names, rng)
    sampled = []
    for k in range(0, len(figures), 2):
        for group in (figures[k : k + 2], figures[k + 1 : k + 2]):
            for _ in range(60):
                scene = sample_scene(group, builder, SIZE, [], rng)
                if k == 0 or scene.occluder != "none":
                    break
            sampled.append(scene)
    return sampled


def front_camera(figure, size: int = SIZE):
    """Place a camera three meters before a person."""
    ahead = np.array([np.sin(figure.heading_rad), -np.cos(figure.heading_rad), 0])
    return look_at(3 * ahead + [0, 0, 1.0], np.array([0, 0, 0.9]), 0.0, 1.3 * size, size)


def test_first_surfaces_before_each_landmark(renderer, builder, scenes):
    num_occluded = 0
    for scene in scenes:
        renderer.load(scene)
        points = np.concatenate([figure.landmarks for figure in scene.figures])
        surfaces = renderer.first_surfaces(points)
        triangles, kinds = surfaces_of(scene, builder.faces)
        way = points - scene.camera.origin
        length = np.linalg.norm(way, axis=1)
        face, distance = cast(np.tile(scene.camera.origin, (len(way), 1)), way / length[:, None], triangles)
        expected = np.where(face < 0, NOTHING, kinds[face])
        np.testing.assert_array_equal(surfaces.kind, expected)
        hit = face >= 0
        np.testing.assert_allclose(surfaces.gap_m[hit], (length - distance)[hit], atol=0.001)
        num_occluded += ((surfaces.kind == ENVIRONMENT) & (surfaces.gap_m > 0)).sum()
    assert num_occluded > 10


def test_surface_of_each_pixel(renderer, builder, scenes):
    rng = np.random.default_rng(0)
    tested_kinds = set()
    for scene in scenes[:6]:
        renderer.load(scene)
        kind = renderer.render(scene).kind
        # A third on the person and its edges, the others anywhere.
        on = rng.permutation(np.argwhere(kind > 0))[:70]
        rows, columns = np.concatenate([on, rng.integers(0, SIZE, (130, 2))]).T
        camera = scene.camera
        steps = np.stack([columns, rows], axis=1) - camera.center_px
        ways = np.column_stack([steps / camera.focal_px, np.ones(len(rows))]) @ camera.axes
        triangles, kinds = surfaces_of(scene, builder.faces)
        face, _ = cast(np.tile(camera.origin, (len(ways), 1)), ways, triangles)
        expected = np.where(face < 0, NOTHING, kinds[face])
        material = np.concatenate([scene.environment.shell.build()[2], scene.environment.objects.build()[2]])
        env = expected == ENVIRONMENT
        expected[env] = -2 - material[face[env]]
        wrong = np.flatnonzero(kind[rows, columns] != expected)
        assert len(wrong) <= 2
        for k in wrong:  # only rounding at an edge
            around = kind[max(0, rows[k] - 1) : rows[k] + 2, max(0, columns[k] - 1) : columns[k] + 2]
            assert expected[k] in around
        tested_kinds |= set(np.sign(expected).tolist())
    assert {1, -1} <= tested_kinds


def test_the_gap_of_visible_vertices_is_zero(renderer, builder, crowd):
    """The first surface towards a visible vertex is the vertex itself."""
    figure = crowd["stand"][0]
    scene = stage([figure], front_camera(figure))
    renderer.load(scene)
    surfaces = renderer.first_surfaces(figure.vertices[: len(figure.skin) : 50])
    own = surfaces.kind == 1
    assert own.mean() > 0.97  # rays that only touch an edge may miss
    assert (surfaces.gap_m[own] > -0.001).mean() > 0.97
    on = np.abs(surfaces.gap_m[own]) < 0.001
    assert 0.3 < on.mean() < 0.7  # the other half is on the far side


def test_a_wall_before_a_person_hides_all_landmarks(renderer, crowd):
    figure = crowd["stand"][0]
    camera = front_camera(figure)
    way = camera.axes[2]
    wall = box(camera.origin + 1.5 * way, np.array([3.0, 3.0, 3.0]) - 2.95 * np.abs(way), None)
    free, hidden = stage([figure], camera), stage([figure], camera, wall)
    renderer.load(free)
    (visible,) = scene_landmarks(free, renderer)
    assert (renderer.render(free).kind == 1).any()
    assert visible.inside.all()
    assert visible.visible.mean() > 0.6
    renderer.load(hidden)
    (occluded,) = scene_landmarks(hidden, renderer)
    assert not (renderer.render(hidden).kind == 1).any()
    assert occluded.inside.all()
    assert not occluded.visible.any()
    np.testing.assert_array_equal(occluded.pixels, visible.pixels)


def test_a_person_before_another_occludes_it(renderer, crowd):
    behind, before = crowd["stand"][0], crowd["stand"][1]
    camera = front_camera(behind)
    before = before.translated(-1.0 * camera.axes[2] * [1, 1, 0])
    scene = stage([behind, before], camera)
    renderer.load(scene)
    far, near = scene_landmarks(scene, renderer)
    kind = renderer.render(scene).kind
    assert near.visible.mean() > 0.6
    assert far.visible.mean() < 0.5
    for landmarks, own in ((far, 1), (near, 2)):
        columns, rows = np.rint(landmarks.pixels[landmarks.visible]).astype(int).T
        assert (kind[rows.clip(0, SIZE - 1), columns.clip(0, SIZE - 1)] == own).mean() > 0.8


def test_scenes_are_independent(renderer, crowd):
    """A scene renders the same image regardless of earlier scenes."""
    figure = crowd["dance"][0]
    scene = stage([figure], front_camera(figure))
    renderer.load(scene)
    before = renderer.render(scene)
    crowded = stage(
        [crowd["jump"][0], crowd["kick"][0].translated(np.array([0.5, 0, 0]))],
        front_camera(figure),
        box(SUN, SUN),
    )
    renderer.load(crowded)
    assert (renderer.render(crowded).kind == 2).any()
    renderer.load(scene)
    after = renderer.render(scene)
    np.testing.assert_array_equal(before.color, after.color)
    np.testing.assert_array_equal(before.kind, after.kind)


def test_shadows_agree_with_rays_to_the_sun(renderer, builder, crowd):
    figure = crowd["stand"][1]
    camera = look_at(np.array([0.5, -4.0, 2.0]), np.array([-0.5, 0.0, 0.3]), 0.0, 1.2 * SIZE, SIZE)
    lit, empty = stage([figure], camera), stage([], camera)
    renderer.load(empty)
    bare = renderer.render(empty)
    renderer.load(lit)
    shown = renderer.render(lit)
    both = cv2.erode(((shown.kind == -2) & (bare.kind == -2)).astype(np.uint8), np.ones((3, 3))) > 0
    ratio = shown.color[both].mean(axis=1) / bare.color[both].mean(axis=1)
    assert ratio.max() < 1.001  # a person does not brighten the ground
    dark = ratio < 0.9
    assert 40 < dark.sum() < 0.3 * dark.size
    # Rays from these points on the ground to the sun.
    rows, columns = np.nonzero(both)
    steps = np.column_stack(
        [np.stack([columns, rows], 1) - camera.center_px, np.full(len(rows), camera.focal_px)]
    )
    ways = steps @ camera.axes
    points = camera.origin - ways * (camera.origin[2] / ways[:, 2])[:, None]
    body = figure.vertices[builder.faces].astype(float)
    picks = np.concatenate([np.flatnonzero(dark)[::4], np.flatnonzero(~dark)[::60]])
    face, _ = cast(points[picks], np.tile(SUN, (len(picks), 1)), body)
    assert ((face >= 0) == dark[picks]).mean() > 0.9
    assert (face >= 0).sum() > 10


def test_an_object_casts_a_shadow_on_a_person(renderer, crowd):
    figure = crowd["stand"][0]
    camera = front_camera(figure)
    sun = np.array([0, 0, 1.0]) - camera.axes[2]
    sun /= np.linalg.norm(sun)
    canopy = box(np.array([0, 0, 1.0]) + 2.5 * sun, np.array([1.2, 1.2, 0.02]))
    bright, shaded = stage([figure], camera, sun=sun), stage([figure], camera, canopy, sun=sun)
    colors = []
    for scene in (bright, shaded):
        renderer.load(scene)
        frame = renderer.render(scene)
        colors.append(frame.color[frame.kind == 1].mean())
    assert colors[1] < 0.7 * colors[0]


def test_the_side_towards_the_sun_is_brighter(renderer, crowd):
    """The side of a person that faces the sun is the brighter one."""
    figure = crowd["stand"][0]
    camera = front_camera(figure)
    for side in (1, -1):
        sun = side * camera.axes[0] * 0.9 + [0, 0, 0.436]
        scene = stage([figure], camera, sun=sun)
        scene.environment.ambient *= 0.1
        renderer.load(scene)
        frame = renderer.render(scene)
        rows, columns = np.nonzero(frame.kind == 1)
        luma = frame.color[rows, columns].mean(axis=1)
        right = columns > np.median(columns)
        assert (luma[right].mean() - luma[~right].mean()) * side > 0


def test_a_cylinder_has_its_projected_width(renderer):
    camera = look_at(np.array([0.0, -2.0, 1.0]), np.array([0.0, 0.0, 1.0]), 0.0, 200.0, SIZE)
    scene = stage([], camera, cylinder(np.array([0, 0, 0.0]), np.array([0, 0, 3.0]), 0.1, 60))
    renderer.load(scene)
    wide = (renderer.render(scene).kind == -3).sum(axis=1)
    assert wide[: SIZE // 2].mean() == pytest.approx(2 * 200 * 0.1 / 2, abs=1)
