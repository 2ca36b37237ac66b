"""Pixels and surfaces against rays cast one by one into every triangle."""

import cv2
import numpy as np
import pytest

from blazepose.synthetic.dataset.labels import landmarks_of
from blazepose.synthetic.scene.camera import look_at
from blazepose.synthetic.scene.scene import sample_scene
from blazepose.synthetic.scene.solids import box, rod
from tests.synthetic.stage import SUN, cast, people, stage, surfaces_of

SIZE = 96
NOTHING, ROOM = -1, 0


@pytest.fixture(scope="module")
def scenes(makers):
    """Scenes as they are drawn for a set, every other one with company, most with something in the way."""
    rng = np.random.default_rng(11)
    names = ["stand", "sit", "squat", "push_up", "hang", "dance", "lie_on_side", "press", "wheel", "kick"]
    figures = people(makers, names, rng)
    drawn = []
    for k in range(0, len(figures), 2):
        for group in (figures[k : k + 2], figures[k + 1 : k + 2]):
            for _ in range(60):
                scene = sample_scene(group, makers, SIZE, [], rng)
                if k == 0 or scene.occluder != "none":
                    break
            drawn.append(scene)
    return drawn


def front(figure, size: int = SIZE):
    """A camera three metres before somebody."""
    ahead = np.array([np.sin(figure.front_rad), -np.cos(figure.front_rad), 0])
    return look_at(3 * ahead + [0, 0, 1.0], np.array([0, 0, 0.9]), 0.0, 1.3 * size, size)


def test_what_is_before_each_landmark(renderer, makers, scenes):
    behind_things = 0
    for scene in scenes:
        renderer.load(scene)
        points = np.concatenate([figure.landmarks for figure in scene.figures])
        found = renderer.surfaces(points)
        triangles, kinds = surfaces_of(scene, makers.faces)
        way = points - scene.camera.origin
        length = np.linalg.norm(way, axis=1)
        face, away = cast(np.tile(scene.camera.origin, (len(way), 1)), way / length[:, None], triangles)
        expected = np.where(face < 0, NOTHING, kinds[face])
        np.testing.assert_array_equal(found.kind, expected)
        met = face >= 0
        np.testing.assert_allclose(found.gap_m[met], (length - away)[met], atol=0.001)
        behind_things += ((found.kind == ROOM) & (found.gap_m > 0)).sum()
    assert behind_things > 10


def test_what_each_pixel_shows(renderer, makers, scenes):
    rng = np.random.default_rng(0)
    kinds_seen = set()
    for scene in scenes[:6]:
        renderer.load(scene)
        kind = renderer.frame(scene).kind
        # A third on the person and its edges, the others anywhere.
        on = rng.permutation(np.argwhere(kind > 0))[:70]
        rows, columns = np.concatenate([on, rng.integers(0, SIZE, (130, 2))]).T
        camera = scene.camera
        steps = np.stack([columns, rows], axis=1) - camera.center_px
        ways = np.column_stack([steps / camera.focal_px, np.ones(len(rows))]) @ camera.axes
        triangles, kinds = surfaces_of(scene, makers.faces)
        face, _ = cast(np.tile(camera.origin, (len(ways), 1)), ways, triangles)
        expected = np.where(face < 0, NOTHING, kinds[face])
        material = np.concatenate([scene.room.shell.mesh()[2], scene.room.things.mesh()[2]])
        room = expected == ROOM
        expected[room] = -2 - material[face[room]]
        wrong = np.flatnonzero(kind[rows, columns] != expected)
        assert len(wrong) <= 2
        for k in wrong:  # only ever a rounding at an edge
            around = kind[max(0, rows[k] - 1) : rows[k] + 2, max(0, columns[k] - 1) : columns[k] + 2]
            assert expected[k] in around
        kinds_seen |= set(np.sign(expected).tolist())
    assert {1, -1} <= kinds_seen


def test_points_on_the_surface_are_at_no_distance(renderer, makers, crowd):
    """Where the camera sees a vertex it finds it, neither before nor behind it."""
    figure = crowd["stand"][0]
    scene = stage([figure], front(figure))
    renderer.load(scene)
    found = renderer.surfaces(figure.vertices[: len(figure.skin) : 50])
    own = found.kind == 1
    assert own.mean() > 0.97  # rays that only touch somebody's edge may miss
    assert (found.gap_m[own] > -0.001).mean() > 0.97
    on = np.abs(found.gap_m[own]) < 0.001
    assert 0.3 < on.mean() < 0.7  # the other half is on the far side


def test_a_wall_before_somebody_hides_all(renderer, crowd):
    figure = crowd["stand"][0]
    camera = front(figure)
    way = camera.axes[2]
    wall = box(camera.origin + 1.5 * way, np.array([3.0, 3.0, 3.0]) - 2.95 * np.abs(way), None)
    free, hidden = stage([figure], camera), stage([figure], camera, wall)
    renderer.load(free)
    (seen,) = landmarks_of(free, renderer)
    assert (renderer.frame(free).kind == 1).any()
    assert seen.inside.all()
    assert seen.visible.mean() > 0.6
    renderer.load(hidden)
    (unseen,) = landmarks_of(hidden, renderer)
    assert not (renderer.frame(hidden).kind == 1).any()
    assert unseen.inside.all()
    assert not unseen.visible.any()
    np.testing.assert_array_equal(unseen.pixels, seen.pixels)


def test_somebody_before_somebody_hides_him(renderer, crowd):
    behind, before = crowd["stand"][0], crowd["stand"][1]
    camera = front(behind)
    before = before.moved(-1.0 * camera.axes[2] * [1, 1, 0])
    scene = stage([behind, before], camera)
    renderer.load(scene)
    far, near = landmarks_of(scene, renderer)
    kind = renderer.frame(scene).kind
    assert near.visible.mean() > 0.6
    assert far.visible.mean() < 0.5
    for landmarks, own in ((far, 1), (near, 2)):
        columns, rows = np.rint(landmarks.pixels[landmarks.visible]).astype(int).T
        assert (kind[rows.clip(0, SIZE - 1), columns.clip(0, SIZE - 1)] == own).mean() > 0.8


def test_scenes_leave_nothing_behind(renderer, crowd):
    """The picture of a scene is the same whatever was loaded before."""
    figure = crowd["dance"][0]
    scene = stage([figure], front(figure))
    renderer.load(scene)
    before = renderer.frame(scene)
    crowded = stage(
        [crowd["jump"][0], crowd["kick"][0].moved(np.array([0.5, 0, 0]))], front(figure), box(SUN, SUN)
    )
    renderer.load(crowded)
    assert (renderer.frame(crowded).kind == 2).any()
    renderer.load(scene)
    after = renderer.frame(scene)
    np.testing.assert_array_equal(before.color, after.color)
    np.testing.assert_array_equal(before.kind, after.kind)


def test_shadows_are_where_the_sun_does_not_reach(renderer, makers, crowd):
    figure = crowd["stand"][1]
    camera = look_at(np.array([0.5, -4.0, 2.0]), np.array([-0.5, 0.0, 0.3]), 0.0, 1.2 * SIZE, SIZE)
    lit, empty = stage([figure], camera), stage([], camera)
    renderer.load(empty)
    bare = renderer.frame(empty)
    renderer.load(lit)
    shown = renderer.frame(lit)
    both = cv2.erode(((shown.kind == -2) & (bare.kind == -2)).astype(np.uint8), np.ones((3, 3))) > 0
    ratio = shown.color[both].mean(axis=1) / bare.color[both].mean(axis=1)
    assert ratio.max() < 1.001  # a person makes no ground brighter
    dark = ratio < 0.9
    assert 40 < dark.sum() < 0.3 * dark.size
    # Rays from those places on the ground to the sun.
    rows, columns = np.nonzero(both)
    steps = np.column_stack(
        [np.stack([columns, rows], 1) - camera.center_px, np.full(len(rows), camera.focal_px)]
    )
    ways = steps @ camera.axes
    places = camera.origin - ways * (camera.origin[2] / ways[:, 2])[:, None]
    body = figure.vertices[makers.faces].astype(float)
    picks = np.concatenate([np.flatnonzero(dark)[::4], np.flatnonzero(~dark)[::60]])
    face, _ = cast(places[picks], np.tile(SUN, (len(picks), 1)), body)
    assert ((face >= 0) == dark[picks]).mean() > 0.9
    assert (face >= 0).sum() > 10


def test_a_thing_throws_a_shadow_on_somebody(renderer, crowd):
    figure = crowd["stand"][0]
    camera = front(figure)
    sun = np.array([0, 0, 1.0]) - camera.axes[2]
    sun /= np.linalg.norm(sun)
    canopy = box(np.array([0, 0, 1.0]) + 2.5 * sun, np.array([1.2, 1.2, 0.02]))
    bright, shaded = stage([figure], camera, sun=sun), stage([figure], camera, canopy, sun=sun)
    colors = []
    for scene in (bright, shaded):
        renderer.load(scene)
        frame = renderer.frame(scene)
        colors.append(frame.color[frame.kind == 1].mean())
    assert colors[1] < 0.7 * colors[0]


def test_light_comes_from_where_it_is(renderer, crowd):
    """The side of somebody that looks to the sun is the brighter one."""
    figure = crowd["stand"][0]
    camera = front(figure)
    for side in (1, -1):
        sun = side * camera.axes[0] * 0.9 + [0, 0, 0.436]
        scene = stage([figure], camera, sun=sun)
        scene.room.ambient *= 0.1
        renderer.load(scene)
        frame = renderer.frame(scene)
        rows, columns = np.nonzero(frame.kind == 1)
        luma = frame.color[rows, columns].mean(axis=1)
        right = columns > np.median(columns)
        assert (luma[right].mean() - luma[~right].mean()) * side > 0


def test_a_rod_is_as_thick_as_it_looks(renderer):
    camera = look_at(np.array([0.0, -2.0, 1.0]), np.array([0.0, 0.0, 1.0]), 0.0, 200.0, SIZE)
    scene = stage([], camera, rod(np.array([0, 0, 0.0]), np.array([0, 0, 3.0]), 0.1, 60))
    renderer.load(scene)
    wide = (renderer.frame(scene).kind == -3).sum(axis=1)
    assert wide[: SIZE // 2].mean() == pytest.approx(2 * 200 * 0.1 / 2, abs=1)
