"""Figures on the ground."""

import numpy as np
import pytest

from blazepose.synthetic.poses.families import FAMILIES
from blazepose.topologies.full_body import INDEX, LEFT_HIP, LEFT_SHOULDER, RIGHT_HIP, RIGHT_SHOULDER
from tests.synthetic.stage import sample_people


def dressed_body(builder, figure) -> np.ndarray:
    """Return the vertices without the hair behind the head."""
    return figure.vertices[: len(builder.model.template)]


def head_height(figure) -> float:
    """Return the height of the nose above the hips, meters."""
    return figure.landmarks[INDEX["nose"], 2] - figure.landmarks[[LEFT_HIP, RIGHT_HIP], 2].mean()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_lowest_point_is_on_the_ground_or_lifted_above_it(builder, crowd, family):
    for figure in crowd[family]:
        assert dressed_body(builder, figure)[:, 2].min() == pytest.approx(figure.posture.lift_m, abs=1e-5)
        np.testing.assert_allclose(figure.landmarks[:, :2].mean(axis=0), 0, atol=1e-5)


def test_jumping_and_hanging_lift_off(crowd):
    for name in ("jump", "hang", "hang_upside_down"):
        assert all(figure.posture.lift_m >= 0.1 for figure in crowd[name])
    assert all(figure.posture.lift_m == 0 for name in ("stand", "squat", "plank") for figure in crowd[name])


@pytest.mark.parametrize(
    "family", ["push_up", "downward_dog", "mountain_climber", "side_plank", "bridge", "wheel"]
)
def test_both_supports_touch_the_ground(builder, family):
    for figure in sample_people(builder, [family] * 8, np.random.default_rng(5)):
        lowest = figure.skin[:, 2].min()
        for bones in figure.posture.supports:
            assert figure.skin[builder.bone_vertices(bones), 2].min() - lowest < 0.05


def test_heads_are_above_hips_or_below(builder):
    rng = np.random.default_rng(6)
    for name in ("stand", "walk", "squat", "sit", "jump", "kneel"):
        assert min(head_height(figure) for figure in sample_people(builder, [name] * 6, rng)) > 0.2
    for name in ("handstand", "headstand", "hang_upside_down"):
        assert max(head_height(figure) for figure in sample_people(builder, [name] * 6, rng)) < -0.1
    for name in ("push_up", "plank", "lie_on_back", "lie_on_front", "lie_on_side"):
        assert max(abs(head_height(figure)) for figure in sample_people(builder, [name] * 6, rng)) < 0.35


def chest_direction(figure) -> np.ndarray:
    """Return the direction that the chest faces."""
    shoulders, hips = (
        figure.landmarks[[LEFT_SHOULDER, RIGHT_SHOULDER]],
        figure.landmarks[[LEFT_HIP, RIGHT_HIP]],
    )
    front = np.cross(shoulders[0] - shoulders[1], shoulders.mean(axis=0) - hips.mean(axis=0))
    return front / np.linalg.norm(front)


def test_chests_of_lying_people_face_up_down_or_sideways(builder):
    rng = np.random.default_rng(7)
    assert (
        min(chest_direction(figure)[2] for figure in sample_people(builder, ["lie_on_back"] * 6, rng)) > 0.85
    )
    assert (
        max(chest_direction(figure)[2] for figure in sample_people(builder, ["lie_on_front"] * 6, rng))
        < -0.85
    )
    assert (
        max(abs(chest_direction(figure)[2]) for figure in sample_people(builder, ["lie_on_side"] * 6, rng))
        < 0.6
    )


def test_the_heading_of_standing_people_is_their_front(crowd):
    for figure in crowd["stand"] + crowd["arms_overhead"]:
        ahead = np.array([np.sin(figure.heading_rad), -np.cos(figure.heading_rad)])
        feet = [INDEX["left_foot_index"], INDEX["right_foot_index"]]
        heels = [INDEX["left_heel"], INDEX["right_heel"]]
        points = (figure.landmarks[feet] - figure.landmarks[heels]).mean(axis=0)[:2]
        assert points @ ahead > 0.9 * np.linalg.norm(points)
        # Its left is to the left of that, seen from above.
        across = figure.landmarks[LEFT_HIP, :2] - figure.landmarks[RIGHT_HIP, :2]
        assert ahead[0] * across[1] - ahead[1] * across[0] > 0.03


def test_headings_are_uniform(crowd):
    headings = [figure.heading_rad for figures in crowd.values() for figure in figures]
    counts, _ = np.histogram(headings, bins=4, range=(-np.pi, np.pi))
    assert counts.min() > 10


def test_clothes_lie_on_the_skin(builder, crowd):
    for figures in crowd.values():
        figure = figures[0]
        distance = np.linalg.norm(dressed_body(builder, figure) - figure.skin, axis=1)
        np.testing.assert_allclose(distance, figure.appearance.thickness_m, atol=1e-4)


def test_clothes_grow_outwards(builder, crowd):
    """Clothes increase the enclosed volume."""
    faces = builder.model.faces

    def volume(vertices: np.ndarray) -> float:
        a, b, c = vertices[faces].astype(float).transpose(1, 0, 2)
        return float((a * np.cross(b, c)).sum() / 6)

    for name in ("stand", "handstand"):
        figure = max(crowd[name], key=lambda figure: figure.appearance.thickness_m.mean())
        assert volume(dressed_body(builder, figure)) > 1.01 * volume(figure.skin) > 0


def test_hair_is_behind_the_head(builder):
    behind = 0
    for figure in sample_people(builder, ["stand"] * 24, np.random.default_rng(8)):
        tail = figure.vertices[len(builder.model.template) :]
        if figure.appearance.attributes["hair"] in ("bun", "long"):
            ahead = np.array([np.sin(figure.heading_rad), -np.cos(figure.heading_rad)])
            ears = figure.landmarks[[INDEX["left_ear"], INDEX["right_ear"]]].mean(axis=0)
            assert (tail.mean(axis=0) - ears)[:2] @ ahead < 0
            assert np.linalg.norm(tail.mean(axis=0) - ears) < 0.35
            behind += 1
        else:
            assert np.ptp(tail, axis=0).max() == 0
    assert behind >= 3


def test_translation_moves_all_points(crowd):
    figure = crowd["kick"][0]
    shift = np.array([1.0, -2.0, 0.5])
    moved = figure.translated(shift)
    for one, other in zip(moved[:3], figure[:3], strict=True):
        np.testing.assert_allclose(one, other + shift, atol=1e-5)


def test_every_vertex_has_a_color(builder, crowd):
    figure = crowd["sit"][0]
    color, gloss = builder.vertex_colors(figure.appearance)
    assert color.shape == figure.vertices.shape
    assert gloss.shape == (len(figure.vertices),)
    assert builder.faces.max() == len(figure.vertices) - 1


def test_stature_is_the_height_when_standing(builder, average):
    (body,) = builder.model.pose([average], [{}])
    assert body.stature == pytest.approx(np.ptp(body.vertices[:, 2]), abs=0.03)
    assert 1.5 < body.stature < 1.85
