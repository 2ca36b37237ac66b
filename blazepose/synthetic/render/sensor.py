"""Camera pipeline from linear light to JPEG: blur, exposure, noise, compression."""

import math

import cv2
import numpy as np

from blazepose.exceptions import InputError
from blazepose.synthetic.appearance.color import to_srgb

Rng = np.random.Generator

_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def camera_pipeline(color: np.ndarray, people: np.ndarray, rng: Rng) -> np.ndarray:
    """Convert linear light to an image as from a phone's camera.

    Args:
        color: (size, size, 3) float32, linear light.
        people: (size, size) bool, pixels of people, which dominate the exposure.
        rng: source of randomness.

    Returns:
        uint8 (size, size, 3), RGB. Every blur is symmetric: nothing moves.
    """
    color = _blur(color, rng)
    luma = color @ _LUMA
    level = float(luma.mean())
    if people.any():
        level = 0.4 * level + 0.6 * float(luma[people].mean())
    exposed = color * (np.float32(0.2 * math.exp(rng.normal(0, 0.4))) / max(level, 1e-4))
    # Shoulder of a film curve: highlights are compressed instead of clipped.
    exposed = np.where(exposed > 0.7, 0.7 + 0.3 * np.tanh((exposed - 0.7) / 0.3), exposed)
    return to_srgb(_add_noise(exposed, rng))


def compress(image: np.ndarray, rng: Rng) -> bytes:
    """Encode an image as JPEG, with a random quality between a messenger's and a camera's."""
    quality = int(rng.integers(60, 97))
    success, data = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not success:
        raise InputError("OpenCV cannot encode the image as JPEG")
    return data.tobytes()


def _blur(color: np.ndarray, rng: Rng) -> np.ndarray:
    kind, scale = rng.random(), len(color) / 256
    if kind < 0.12:  # motion of camera or person
        kernel = _motion_kernel(scale * rng.uniform(2, 8), rng.uniform(0, math.pi))
        return cv2.filter2D(color, -1, kernel, borderType=cv2.BORDER_REFLECT_101)
    if kind < 0.35:  # out of focus, or a small lens
        sigma = scale * rng.uniform(0.4, 1.6)
        return cv2.GaussianBlur(color, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)
    return color


def _motion_kernel(length: float, angle: float) -> np.ndarray:
    """Compute the kernel of a motion blur: a line through its center."""
    reach = math.ceil(length / 2)
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    along = columns * math.cos(angle) + rows * math.sin(angle)
    across = rows * math.cos(angle) - columns * math.sin(angle)
    weights = np.clip(1 - np.abs(across), 0, 1) * (np.abs(along) <= length / 2)
    return weights / weights.sum()


def _add_noise(color: np.ndarray, rng: Rng) -> np.ndarray:
    """Add shot noise, which grows with the square root of the light."""
    std = rng.exponential(0.012) if rng.random() < 0.6 else 0.0
    if std < 0.002:
        return color
    noise = np.empty(color.shape, np.float32)
    cv2.setRNGSeed(int(rng.integers(2**31 - 1)))
    cv2.randn(noise, (0.0,), (std,))  # type: ignore[call-overload]
    return np.maximum(color + noise * np.sqrt(np.maximum(color, 0) + 0.01), 0)
