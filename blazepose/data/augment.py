"""Augmentation of an aligned crop and its labels.

Geometry (scale, shift, rotation, flip, truncation by the frame) is sampled first and applied in the one
resampling that makes the crop; random erasing and the photometric distortion follow on the crop.
Source: paper 2.6; model card (tolerance of 10 % scale and shift and 8 degrees).
"""

import math
import os
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np

from blazepose.config.landmark import Augmentation
from blazepose.data.annotation import HIDDEN, UNKNOWN

# albumentations checks for a newer version of itself on import unless this is set.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
import albumentations as A


@dataclass(frozen=True)
class AffineParams:
    """Sampled geometric parameters; arguments of `align.crop_matrix`."""

    scale: float
    shift: tuple[float, float]
    rotation_rad: float
    hflip: bool


def sample_affine(config: Augmentation, rng: np.random.Generator) -> AffineParams:
    """Sample scale, shift, rotation and flip uniformly within the limits of `config`.

    Examples:
        >>> import numpy as np
        >>> from blazepose.config.landmark import Augmentation
        >>> from blazepose.data.augment import sample_affine
        >>> without = Augmentation(scale=0, shift=0, rotation_deg=0, hflip_prob=0)
        >>> params = sample_affine(without, np.random.default_rng(0))
        >>> params.scale, params.rotation_rad, params.hflip
        (1.0, 0.0, False)
    """
    return AffineParams(
        scale=1 + rng.uniform(-config.scale, config.scale),
        shift=(rng.uniform(-config.shift, config.shift), rng.uniform(-config.shift, config.shift)),
        rotation_rad=math.radians(rng.uniform(-config.rotation_deg, config.rotation_deg)),
        hflip=rng.random() < config.hflip_prob,
    )


def sample_truncation(
    shape: tuple[int, ...], points_px: np.ndarray, torso_px: np.ndarray, rng: np.random.Generator
) -> tuple[int, int, int, int]:
    """Sample a smaller image frame (left, top, right, bottom) that cuts the person off on one side.

    The cut falls between the torso's middle and the outermost point on that side, so at least half of the
    torso stays. Outside, crops repeat border pixels, as MediaPipe does.

    Args:
        shape: shape of the image, (height, width, ...).
        points_px: labelled keypoints (points, 2), pixels.
        torso_px: hips and shoulders (4, 2), pixels.
        rng: source of randomness.
    """
    height, width = shape[:2]
    frame = [0, 0, width, height]
    side = int(rng.choice(4, p=[0.15, 0.1, 0.15, 0.6]))
    axis = side % 2
    middle = torso_px[:, axis].mean()
    outermost = points_px[:, axis].min() if side < 2 else points_px[:, axis].max()
    cut = round(float(middle + rng.random() * (outermost - middle)))
    frame[side] = int(np.clip(cut, 0, frame[axis + 2] - 16) if side < 2 else np.clip(cut, 16, frame[side]))
    return frame[0], frame[1], frame[2], frame[3]


def erase_random(
    image: np.ndarray, points: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Paint one to three rectangles over the crop, in place, each of one random color or of noise.

    Args:
        image: uint8 (size, size, 3).
        points: (33, 2) ROI coordinates.
        rng: source of randomness.

    Returns:
        Covered points bool (33,), and covered pixels bool (size, size).
    """
    size = image.shape[0]
    covered, area = np.zeros(len(points), bool), np.zeros((size, size), bool)
    for _ in range(rng.integers(1, 4)):
        extent = size * rng.uniform(0.08, 0.35, size=2)
        left, top = rng.uniform(0.05, 0.95, size=2) * size - extent / 2
        x0, y0 = max(0, int(left)), max(0, int(top))
        x1, y1 = min(size, int(left + extent[0])), min(size, int(top + extent[1]))
        color = rng.integers(0, 256, size=3)
        patch = image[y0:y1, x0:x1]
        if rng.random() < 0.3:
            patch[:] = rng.integers(0, 256, size=patch.shape, dtype=np.uint8)
        else:
            patch[:] = color
        area[y0:y1, x0:x1] = True
        x, y = points[:, 0] * size, points[:, 1] * size
        covered |= (x >= x0) & (x < x1) & (y >= y0) & (y < y1)
    return covered, area


_SMOOTH: Any = {"downscale": cv2.INTER_AREA, "upscale": cv2.INTER_LINEAR}


@cache
def _photometric() -> A.Compose:
    # Probabilities chosen so that the whole costs about a millisecond per crop; per-pixel Gaussian noise is
    # by far the most expensive and therefore rare.
    return A.Compose(
        [
            A.RandomBrightnessContrast(brightness_limit=0.25, contrast_limit=0.25, p=0.6),
            A.RandomGamma(gamma_limit=(70, 140), p=0.2),
            A.HueSaturationValue(hue_shift_limit=10, sat_shift_limit=30, val_shift_limit=0, p=0.3),
            A.PlanckianJitter(p=0.2),
            A.ToGray(p=0.05),
            # With their defaults, MotionBlur and Downscale shift the image by one to four pixels.
            A.OneOf(
                [
                    A.GaussianBlur(sigma_limit=(0.5, 2.0), blur_limit=0),
                    A.MotionBlur(blur_limit=(3, 9), allow_shifted=False, direction_range=(0.0, 0.0)),
                    A.Downscale(scale_range=(0.3, 0.7), interpolation_pair=_SMOOTH),
                ],
                p=0.2,
            ),
            A.GaussNoise(std_range=(0.02, 0.08), p=0.08),
            A.ImageCompression(quality_range=(30, 90), p=0.2),
        ],
        seed=0,
    )


def distort_photometric(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Apply color changes, blur, noise and JPEG to a crop, uint8 (size, size, 3) in and out."""
    transform = _photometric()
    # Seeded per sample, so that an epoch is the same whatever the number of workers, and after a resume.
    transform.set_random_seed(int(rng.integers(2**31)))
    return transform(image=image)["image"]


def distort_pixels(image: np.ndarray, config: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Apply what changes the pixels of a crop and none of its labels, uint8 (size, size, 3) in and out."""
    return distort_photometric(image, rng) if config.photometric else image


def mark_hidden(visibility: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Return visibility (33,) int8 with the `hidden` points marked HIDDEN.

    UNKNOWN labels stay UNKNOWN: points whose labels can only be "hidden" would train the network to
    predict that they are never visible.

    Examples:
        >>> import numpy as np
        >>> from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE
        >>> from blazepose.data.augment import mark_hidden
        >>> labels = np.array([VISIBLE, VISIBLE, UNKNOWN])
        >>> mark_hidden(labels, hidden=np.array([False, True, True])).tolist() == [VISIBLE, HIDDEN, UNKNOWN]
        True
    """
    return np.where(hidden & (visibility != UNKNOWN), HIDDEN, visibility).astype(np.int8)
