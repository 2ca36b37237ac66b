import math

import numpy as np
import pytest

from blazepose.metrics.pck import (
    CURVE_THRESHOLDS,
    has_torso,
    normalized_errors,
    pck,
    pck_auc,
    pck_curve,
    torso_size,
)
from blazepose.topologies import find_topology
from blazepose.topologies.full_body import INDEX, LEFT_HIP, LEFT_SHOULDER, RIGHT_HIP, RIGHT_SHOULDER

UPPER_BODY = find_topology("upper_body")


def person() -> tuple[np.ndarray, np.ndarray]:
    """Return a person with shoulders 6 apart, hips 8 apart, 12 below and shifted: all three torsos differ."""
    points, labelled = np.zeros((1, 33, 2)), np.zeros((1, 33), bool)
    points[0, LEFT_SHOULDER], points[0, RIGHT_SHOULDER] = (6, 0), (0, 0)
    points[0, LEFT_HIP], points[0, RIGHT_HIP] = (9, 12), (1, 12)
    labelled[:, [LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP]] = True
    return points, labelled


def test_torso_sizes_by_hand():
    points, labelled = person()
    assert torso_size(points, labelled) == pytest.approx(13)  # (6, 0) to (1, 12)
    assert torso_size(points, labelled, "diagonals") == pytest.approx((13 + 15) / 2)  # and (0, 0) to (9, 12)
    assert torso_size(points, labelled, "midline") == pytest.approx(math.hypot(5 - 3, 12))


@pytest.mark.parametrize(
    ("missing", "sizes"),
    [(RIGHT_SHOULDER, [True, False, False]), (LEFT_SHOULDER, [False, False, False])],
)
def test_torso_needs_only_its_own_points(missing, sizes):
    points, labelled = person()
    labelled[:, missing] = False
    torsos = [torso_size(points, labelled, name) for name in ("across", "diagonals", "midline")]
    assert np.isfinite(torsos).ravel().tolist() == sizes


def test_torso_of_many_people():
    points, labelled = person()
    assert torso_size(np.concatenate([points, 2 * points]), np.tile(labelled, (2, 1))) == pytest.approx(
        [13, 26]
    )


def test_an_unknown_torso_lists_the_choices():
    with pytest.raises(ValueError, match="torso=head is unknown; torso is one of across, diagonals, midline"):
        torso_size(*person(), "head")


def test_errors_are_distances_not_squares():
    """0.3 torsos is wrong at 0.2, though its square, 0.09, is not."""
    target = np.zeros((1, 33, 2))
    predicted = target.copy()
    predicted[0, 0] = 3 * 0.6, 3 * 0.8
    errors = normalized_errors(predicted, target, np.array([10.0]))
    assert errors[0, 0] == pytest.approx(0.3)
    labelled = np.zeros((1, 33), bool)
    labelled[0, 0] = True
    assert pck(errors, labelled) == 0


def test_pck_counts_labelled_points_only_and_is_strict():
    errors = np.array([[0.0, 0.1999, 0.2, 5.0, 0.0]])
    labelled = np.array([[True, True, True, True, False]])
    assert pck(errors, labelled) == 50
    assert pck(errors, labelled, threshold=0.1) == 25


def test_points_are_pooled_over_people():
    errors = np.array([[0.0, 0.0, 0.0], [1.0, 9.0, 9.0]])
    labelled = np.array([[True, True, True], [True, False, False]])
    assert pck(errors, labelled) == 75  # the mean over people would be 50


def test_a_nan_prediction_is_wrong():
    assert pck(np.array([np.nan, 0.0]), np.array([True, True])) == 50


def test_no_labels_give_nan():
    errors, labelled = np.zeros((2, 33)), np.zeros((2, 33), bool)
    assert math.isnan(pck(errors, labelled))


def test_curve_and_area():
    curve = pck_curve(np.array([0.0, 0.12, 0.48, 0.6]), np.full(4, True))
    assert tuple(curve) == CURVE_THRESHOLDS == (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
    assert list(curve.values()) == [25, 25, 50, 50, 50, 50, 50, 50, 50, 75]
    assert pck_auc(curve) == pytest.approx((25 + 37.5 + 6 * 50 + 62.5) / 9)


def test_the_default_torso_is_not_mirror_invariant():
    points, labelled = person()
    swapped = points.copy()
    for name in ("shoulder", "hip"):
        left, right = INDEX[f"left_{name}"], INDEX[f"right_{name}"]
        swapped[:, [left, right]] = points[:, [right, left]]
    for name, same in (("across", False), ("diagonals", True), ("midline", True)):
        before, after = torso_size(points, labelled, name), torso_size(swapped, labelled, name)
        assert (before == pytest.approx(after)) == same


def test_torso_of_people_without_hips():
    """An upper-body network is evaluated on them, too: 1.81 times the shoulder width, 6."""
    points, labelled = (np.concatenate([array[:, :25]] * 3) for array in person())
    labelled[1, RIGHT_HIP], labelled[2, [RIGHT_HIP, RIGHT_SHOULDER]] = False, False
    sizes = torso_size(points, labelled, topology=UPPER_BODY)
    np.testing.assert_allclose(sizes, [13, 6 * 1.81, np.nan])
    assert has_torso(labelled, topology=UPPER_BODY).tolist() == [True, False, False]
    whole, whole_labelled = np.zeros((3, 33, 2)), np.zeros((3, 33), bool)
    whole[:, :25], whole_labelled[:, :25] = points, labelled
    np.testing.assert_allclose(torso_size(whole, whole_labelled), [13, np.nan, np.nan])
