"""Colors in linear light."""

from functools import cache

import cv2
import numpy as np


def to_linear(srgb: np.ndarray) -> np.ndarray:
    """Convert sRGB, 0..1, to linear light (IEC 61966-2-1)."""
    srgb = np.asarray(srgb, np.float32)
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).astype(np.float32)


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """Convert linear light, 0..1, to sRGB uint8."""
    return _srgb_table()[(linear * _STEPS + 0.5).astype(np.int32).clip(0, _STEPS)]


_STEPS = 4095


@cache
def _srgb_table() -> np.ndarray:
    linear = np.arange(_STEPS + 1) / _STEPS
    srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(srgb * 255).astype(np.uint8)


def from_hsv(hue_deg: float, saturation: float, value: float) -> np.ndarray:
    """Convert HSV to a color (3,) in linear light."""
    hsv = np.array([[[hue_deg % 360, saturation, value]]], np.float32)
    return to_linear(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0])


def sample_color(rng: np.random.Generator) -> np.ndarray:
    """Sample a color of clothes or objects: grays, pale and dark ones as often as bright ones."""
    kind = rng.random()
    if kind < 0.35:
        return from_hsv(rng.uniform(0, 360), rng.uniform(0, 0.12), rng.uniform(0.05, 0.97))
    if kind < 0.7:
        return from_hsv(rng.uniform(0, 360), rng.uniform(0.15, 0.5), rng.uniform(0.2, 0.9))
    return from_hsv(rng.uniform(0, 360), rng.uniform(0.5, 0.95), rng.uniform(0.25, 0.95))


def sample_light_color(rng: np.random.Generator) -> np.ndarray:
    """Sample the color (3,) of a light, with mean 1, from candle to blue sky."""
    warmth = rng.normal(0, 0.13)
    color = np.array([1 + warmth, 1.0, 1 - warmth], np.float32)
    return color / color.mean()
