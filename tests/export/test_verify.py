"""What is refused."""

import pytest

from blazepose.export.verify import Differences, check


def test_within_tolerance_passes():
    check(Differences(0.04, 0.001, 0.1), "fp32")
    check(Differences(0.4, 0.01, 1.0), "fp16")


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_differences_are_named_and_refused(precision):
    with pytest.raises(ValueError, match=r"landmarks_px 0\.6 \(allowed 0"):
        check(Differences(0.6, 0.0, 0.0), precision)


def test_nan_is_no_agreement():
    with pytest.raises(ValueError, match="probability nan"):
        check(Differences(0.0, float("nan"), 0.0), "fp32")
