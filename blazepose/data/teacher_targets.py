"""Outputs of a teacher network for the people of a training: stored on disk, mapped to augmented crops.

A teacher other than the initial network of a fine-tuning is run once on the undisturbed crop of each person.
Its outputs are then disturbed like labels, so that an epoch costs no pass of it, however large it is.
"""

import math
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NotRequired, TypedDict

import cv2
import numpy as np

from blazepose.data.augment import AffineParams
from blazepose.data.person_mask import BACKGROUND, IGNORE
from blazepose.geometry import compose_affine, invert_affine, transform_points
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology

_MAX = 255
"""Stored value of a probability of 1 in a heatmap."""

_CHANNELS = 4
"""Most channels that OpenCV warps at once."""

_ARRAYS = ("points", "world", "pose")
"""Targets with a file of their own."""

_MAPS = "maps.zlib"
"""File of heatmaps, and masks if there are any, of all people, compressed person by person."""


class TeacherTargets(TypedDict):
    """Outputs of the teacher for one crop; a batch has one more dimension in front."""

    heatmaps: np.ndarray
    """uint8 (39, cells, cells): probabilities, of 255."""
    points: np.ndarray
    """float32 (39, 5): x, y and z in ROI units, visibility and presence in 0..1."""
    world: np.ndarray
    """float32 (33, 3) meters, hip-centered, along the axes of the crop."""
    pose: np.float32
    """Probability of a person."""
    mask: NotRequired[np.ndarray]
    """uint8 (size, size), from BACKGROUND to PERSON; IGNORE outside the teacher's crop (data.person_mask)."""


class TeacherStore:
    """Targets of a list of people, on disk.

    Args:
        folder: result of write_store.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._points, self._world, self._pose, self._offsets = (
            np.load(folder / f"{name}.npy", mmap_mode="r") for name in (*_ARRAYS, "offsets")
        )
        self._maps = np.memmap(folder / _MAPS, np.uint8, mode="r")
        self.has_masks = "mask" in self[0]

    def __reduce__(self) -> tuple[type["TeacherStore"], tuple[Path]]:
        """Open the files again in a worker process that is not forked, instead of copying them."""
        return TeacherStore, (self._folder,)

    def __len__(self) -> int:
        return len(self._points)

    def __getitem__(self, index: int) -> TeacherTargets:
        """Return the targets of a person in the undisturbed crop."""
        first, end = self._offsets[index : index + 2]
        values = np.frombuffer(zlib.decompress(self._maps[first:end].tobytes()), np.uint8)
        size = LANDMARK_INPUT.size
        outputs = self._points.shape[1]
        heatmaps, mask = np.split(values, [outputs * (size // 4) ** 2])
        targets = TeacherTargets(
            heatmaps=heatmaps.reshape(outputs, size // 4, size // 4),
            points=np.array(self._points[index]),
            world=np.array(self._world[index]),
            pose=np.float32(self._pose[index]),
        )
        if len(mask):
            targets["mask"] = mask.reshape(size, size)
        return targets


def write_store(folder: Path, targets: Iterable[TeacherTargets]) -> None:
    """Write the targets of people in order, into an existing folder."""
    rows: dict[str, list[np.ndarray]] = {name: [] for name in _ARRAYS}
    lengths = [0]
    with (folder / _MAPS).open("wb") as maps:
        for target in targets:
            for name, values in rows.items():
                values.append(target[name])  # type: ignore[literal-required]
            content = target["heatmaps"].tobytes() + (target["mask"].tobytes() if "mask" in target else b"")
            lengths.append(maps.write(zlib.compress(content, level=1)))
    arrays = {name: np.stack(values).astype(np.float32) for name, values in rows.items()}
    for name, array in {**arrays, "offsets": np.cumsum(lengths)}.items():
        np.save(folder / f"{name}.npy", array)


def quantize_heatmaps(probabilities: np.ndarray) -> np.ndarray:
    """Convert probabilities to the stored values."""
    return np.rint(_MAX * probabilities).astype(np.uint8)


def no_targets(size: int, mask: bool = True, topology: Topology = FULL_BODY) -> TeacherTargets:
    """Return targets for an image without people, with a mask or without."""
    targets = TeacherTargets(
        heatmaps=np.zeros((topology.num_outputs, size // 4, size // 4), np.uint8),
        points=np.zeros((topology.num_outputs, 5), np.float32),
        world=np.zeros((topology.num_landmarks, 3), np.float32),
        pose=np.float32(0),
    )
    if mask:
        targets["mask"] = np.full((size, size), IGNORE, np.uint8)
    return targets


def disturb_targets(
    targets: TeacherTargets,
    roi_to_image: np.ndarray,
    crop_to_image: np.ndarray,
    params: AffineParams,
    frame: np.ndarray,
    erased: np.ndarray,
    topology: Topology = FULL_BODY,
) -> TeacherTargets:
    """Map targets from the undisturbed crop to a disturbed one.

    Args:
        targets: those of the undisturbed crop.
        roi_to_image: affine (2, 3) from the coordinates (0..1) of the undisturbed crop to image pixels.
        crop_to_image: the same of the disturbed crop.
        params: the disturbance.
        frame: (4,) left, top, right and bottom of the image, pixels. What is outside is not visible and has
            no mask; points there keep their place, as labels do.
        erased: bool (size, size), covered pixels of the disturbed crop.
        topology: landmarks of the teacher.
    """
    crop_to_roi = compose_affine(invert_affine(roi_to_image), crop_to_image)
    size = len(erased)
    points = targets["points"].astype(np.float64)
    points_px = transform_points(roi_to_image, points[:, :2])
    points[:, :2] = transform_points(invert_affine(crop_to_roi), points[:, :2])
    points[:, 2] /= params.scale
    cells = np.clip(size * points[:, :2], 0, size - 1).astype(int)
    present = ((points[:, :2] >= 0) & (points[:, :2] < 1)).all(axis=1)
    present &= ((points_px >= frame[:2]) & (points_px < frame[2:])).all(axis=1)
    points[:, 3] *= present & ~erased[cells[:, 1], cells[:, 0]]
    points[:, 4] *= present
    disturbed = TeacherTargets(
        heatmaps=_warp(targets["heatmaps"], _in_cells(crop_to_roi, size // 4), cv2.INTER_CUBIC),
        points=points.astype(np.float32),
        world=_turn(targets["world"], -params.rotation_rad),
        pose=targets["pose"],
    )
    if "mask" in targets:
        mask = _warp(targets["mask"][None], _in_pixels(crop_to_roi, size), cv2.INTER_NEAREST)[0]
        mask[erased & (mask != IGNORE)] = BACKGROUND
        mask[_is_outside(frame, crop_to_image, size)] = IGNORE
        disturbed["mask"] = mask
    return _swap_sides(disturbed, topology.mirror) if params.hflip else disturbed


def _is_outside(frame: np.ndarray, crop_to_image: np.ndarray, size: int) -> np.ndarray:
    """Return a mask of the pixels of a crop that are not wholly from inside the frame, bool (size, size)."""
    left, top, right, bottom = frame
    steps = np.arange(size) / size
    x, y = (np.add.outer(b * steps + c, a * steps) for a, b, c in crop_to_image)
    return (x < left) | (y < top) | (x > right - 1) | (y > bottom - 1)


def _in_cells(crop_to_roi: np.ndarray, cells: int) -> np.ndarray:
    """Return the affine in cells of heatmaps, whose grid has no half-cell offset."""
    return crop_to_roi * np.array([1, 1, cells])


def _in_pixels(crop_to_roi: np.ndarray, size: int) -> np.ndarray:
    """Return the affine in indices of pixels, whose centers are half a pixel further."""
    affine = crop_to_roi * np.array([1, 1, size])
    affine[:, 2] += 0.5 * affine[:, :2].sum(axis=1) - 0.5
    return affine


def _warp(maps: np.ndarray, affine: np.ndarray, interpolation: int) -> np.ndarray:
    """Sample maps (channels, size, size) at places given by an affine; 0 outside."""
    size, flags = maps.shape[-1], interpolation | cv2.WARP_INVERSE_MAP
    warped = [
        cv2.warpAffine(
            np.ascontiguousarray(maps[k : k + _CHANNELS].transpose(1, 2, 0)),
            affine,
            (size, size),
            flags=flags,
        ).reshape(size, size, -1)
        for k in range(0, len(maps), _CHANNELS)
    ]
    return np.ascontiguousarray(np.concatenate(warped, axis=2).transpose(2, 0, 1))


def _turn(world: np.ndarray, angle_rad: float) -> np.ndarray:
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)
    x, y, z = world.T
    return np.stack([cos * x - sin * y, sin * x + cos * y, z], axis=1).astype(np.float32)


def _swap_sides(targets: TeacherTargets, mirror: np.ndarray) -> TeacherTargets:
    """Swap left and right of targets whose x is already flipped."""
    return {
        **targets,
        "heatmaps": targets["heatmaps"][mirror],
        "points": targets["points"][mirror],
        "world": targets["world"][mirror[: len(targets["world"])]] * np.array([-1, 1, 1], np.float32),
    }
