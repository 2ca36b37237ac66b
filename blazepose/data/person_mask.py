"""Segmentation mask of a person in a crop."""

import cv2
import numpy as np
from pycocotools import mask as run_lengths

from blazepose.data.annotation import Annotation
from blazepose.exceptions import InputError
from blazepose.geometry import crop_image

IGNORE, BACKGROUND, PERSON = 0, 128, 255
"""Mask values: unlabelled; not this person; wholly this person. At the outline, values between the last two
are the share of the pixel that the person fills."""


def crop_mask(
    annotation: Annotation, frame: tuple[int, int, int, int], roi_to_image: np.ndarray, size: int
) -> np.ndarray:
    """Crop a person's mask like the image.

    Args:
        annotation: the person.
        frame: left, top, right and bottom of the image, pixels; outside it is IGNORE.
        roi_to_image: affine (2, 3) from ROI coordinates to image pixels; it may flip.
        size: side of the crop in pixels.

    Returns:
        uint8 (size, size): IGNORE, or BACKGROUND to PERSON. All IGNORE if the source has no mask.

    Raises:
        ValueError: if the mask cannot be decoded; the message names the person.
    """
    if annotation.mask is None:
        return np.full((size, size), IGNORE, np.uint8)
    try:
        person = run_lengths.decode(annotation.mask)
    except ValueError as error:
        raise InputError(f"{annotation.image}, person {annotation.person}: {error}") from error
    left, top, right, bottom = frame
    # The second channel marks pixels that interpolation mixes with the outside: their value means nothing.
    channels = np.zeros((*person.shape, 2), np.uint8)
    inside = channels[top:bottom, left:right]
    inside[..., 0] = BACKGROUND + (PERSON - BACKGROUND) * person[top:bottom, left:right]
    inside[..., 1] = 255
    values, coverage = cv2.split(crop_image(channels, roi_to_image, size, cv2.BORDER_CONSTANT))
    return np.where(coverage == 255, values, IGNORE)
