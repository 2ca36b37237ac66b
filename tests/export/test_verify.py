"""Tolerance of the verification."""

import pytest

from blazepose.export.verify import Differences, Verification, check_tolerance

ZERO = Differences(0.0, 0.0, 0.0, 0.0, 0.0)


def test_within_tolerance_passes():
    check_tolerance(Verification(ZERO, Differences(0.04, 0.01, 0.001, 0.001, 0.1)), "fp32")
    check_tolerance(
        Verification(Differences(0.4, 0.1, 0.01, 0.01, 1.0), Differences(3.0, 1.0, 0.2, 0.1, 20.0)), "fp16"
    )


@pytest.mark.parametrize(("precision", "which"), [("fp32", "worst"), ("fp16", "typical")])
def test_differences_are_named_and_rejected(precision, which):
    verification = Verification(ZERO, ZERO)._replace(**{which: Differences(2.6, 0.0, 0.0, 0.0, 0.0)})
    with pytest.raises(ValueError, match=r"landmarks_px 2\.6 \(allowed [02]"):
        check_tolerance(verification, precision)


def test_rounding_may_choose_the_other_of_two_equal_peaks():
    one_image = Verification(ZERO, Differences(40.0, 1.0, 0.01, 0.0, 0.0))
    check_tolerance(one_image, "fp16", decoded=True)
    for verification, precision, decoded in (
        (one_image, "fp16", False),
        (one_image, "fp32", True),
        (Verification(Differences(2.6, 0.0, 0.0, 0.0, 0.0), ZERO), "fp16", True),
    ):
        with pytest.raises(ValueError, match="landmarks_px"):
            check_tolerance(verification, precision, decoded=decoded)


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8", "int8_static"])
def test_nan_is_rejected(precision):
    wrong = Differences(0.0, 0.0, float("nan"), 0.0, 0.0)
    with pytest.raises(ValueError, match="probability nan"):
        check_tolerance(Verification(wrong, wrong), precision)
