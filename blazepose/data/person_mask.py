"""The mask of a person in a crop: which of its pixels show this person."""

import cv2
import numpy as np
from pycocotools import mask as run_lengths

from blazepose.data.annotation import Annotation
from blazepose.geometry import crop_image

IGNORE, BACKGROUND, PERSON = 0, 128, 255
"""Mask values: nobody knows; not this person; wholly this person. At its outline, values between the last two
say how much of the pixel it fills."""


def crop_mask(
    annotation: Annotation, frame: tuple[int, int, int, int], roi_to_image: np.ndarray, size: int
) -> np.ndarray:
    """A person's mask, cut out as the picture is.

    Args:
        annotation: the person.
        frame: left, top, right and bottom of the picture, pixels; what lies outside is unknown.
        roi_to_image: affine (2, 3) from ROI coordinates to image pixels; it may mirror.
        size: side of the crop in pixels.

    Returns:
        uint8 (size, size): IGNORE, or BACKGROUND to PERSON. All unknown if the source has no mask.

    Raises:
        ValueError: names the person whose mask cannot be decoded.
    """
    if annotation.mask is None:
        return np.full((size, size), IGNORE, np.uint8)
    try:
        person = run_lengths.decode(annotation.mask)
    except ValueError as error:
        raise ValueError(f"{annotation.image}, person {annotation.person}: {error}") from error
    left, top, right, bottom = frame
    # The second layer tells the pixels that interpolation mixes with the outside: their value means nothing.
    layers = np.zeros((*person.shape, 2), np.uint8)
    inside = layers[top:bottom, left:right]
    inside[..., 0] = BACKGROUND + (PERSON - BACKGROUND) * person[top:bottom, left:right]
    inside[..., 1] = 255
    values, known = cv2.split(crop_image(layers, roi_to_image, size, cv2.BORDER_CONSTANT))
    return np.where(known == 255, values, IGNORE)
