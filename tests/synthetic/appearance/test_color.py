"""Linear light, sRGB and random colors."""

import numpy as np
import pytest

from blazepose.synthetic.appearance.color import (
    from_hsv,
    sample_color,
    sample_light_color,
    to_linear,
    to_srgb,
)


def test_srgb_round_trip():
    every = np.arange(256, dtype=np.uint8)
    back = to_srgb(to_linear(every / 255))
    assert np.abs(back.astype(int) - every).max() <= 1
    assert (back[20:] == every[20:]).all()


def test_middle_gray_and_the_ends():
    assert to_linear(np.array([0.0, 1.0])).tolist() == [0, 1]
    assert to_linear(np.array(0.5)) == pytest.approx(0.2140, abs=1e-4)  # Source: IEC 61966-2-1
    assert to_srgb(np.array([-1.0, 0.0, 1.0, 7.0])).tolist() == [0, 0, 255, 255]


def test_hues():
    np.testing.assert_allclose(from_hsv(0, 1, 1), [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(from_hsv(480, 1, 1), [0, 1, 0], atol=1e-6)
    np.testing.assert_allclose(from_hsv(77, 0, 1), [1, 1, 1], atol=1e-6)


def test_colors_are_in_range_and_lights_are_white_on_average():
    rng = np.random.default_rng(0)
    colors = np.array([sample_color(rng) for _ in range(300)])
    assert 0 <= colors.min() <= colors.max() <= 1
    assert colors.std() > 0.15
    lights = np.array([sample_light_color(rng) for _ in range(300)])
    np.testing.assert_allclose(lights.mean(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(lights.mean(axis=0), 1, atol=0.03)
    assert lights.min() > 0.3
