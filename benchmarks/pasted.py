"""Make a test set for detectors: LSP's people, who fill their images, pasted at random onto larger ones.

    python benchmarks/pasted.py data/lspet_val data/negatives --out data/lspet_val_pasted

A detector gains nothing from predicting the middle of such an image. Same layout as LSP Extended
(data/README.md).
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import scipy.io
from tqdm import tqdm

from blazepose.data.image_folders import find_image_files
from blazepose.data.readers.lsp import read_joints
from blazepose.errors import friendly_errors
from blazepose.exceptions import ExistingFileError, InputError
from blazepose.image import find_images, read_image

_SIZES = (0.25, 0.9)
"""Larger side of a pasted image, in sides of the background."""

_SIDE = 640
"""Side of the written images, as COCO's."""


def paste(
    image: np.ndarray, background: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Paste an image at random size and position on another one.

    Args:
        image: uint8 RGB.
        background: uint8 RGB; its central square is used.
        rng: source of randomness.

    Returns:
        uint8 RGB (640, 640, 3), and the affine (2, 3) from the image's pixels to its own.
    """
    height, width = background.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    canvas = cv2.resize(background[top : top + side, left : left + side], (_SIDE, _SIDE))
    scale = _SIDE * rng.uniform(*_SIZES) / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    y, x = (int(rng.integers(0, _SIDE - size + 1)) for size in small.shape[:2])
    canvas[y : y + small.shape[0], x : x + small.shape[1]] = small
    ratio = np.array([small.shape[1] / image.shape[1], small.shape[0] / image.shape[0]])
    # Pixel centers are whole numbers: an image scaled by s shows its pixel i at s (i + 0.5) - 0.5.
    return canvas, np.column_stack([np.diag(ratio), [x, y] + (ratio - 1) / 2])


@friendly_errors
def main(arguments: list[str] | None = None) -> None:
    """Write images and labels."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("people", type=Path, help="folder in LSP Extended's layout")
    parser.add_argument("backgrounds", type=Path, help="folder of people-free images")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)
    if args.out.exists():
        raise ExistingFileError(f"{args.out} exists; choose another --out, or delete it first")
    points, labelled, _ = read_joints(args.people / "joints.mat")
    files = find_images(args.people / "images")
    if len(files) != len(points):
        raise InputError(f"{args.people} has {len(files)} images and {len(points)} people")
    backgrounds = find_image_files([str(args.backgrounds)], "backgrounds")
    (args.out / "images").mkdir(parents=True)
    joints = np.zeros((14, 3, len(points)), np.float32)
    for k, path in enumerate(tqdm(files, unit=" images")):
        rng = np.random.default_rng((args.seed, k))
        background = read_image(backgrounds[rng.integers(len(backgrounds))])
        image, matrix = paste(read_image(path), background, rng)
        cv2.imwrite(str(args.out / "images" / f"im{k + 1:05d}.jpg"), image[..., ::-1])
        joints[:, :2, k] = points[k] @ matrix[:, :2].T + matrix[:, 2]
        joints[:, 2, k] = labelled[k]
    scipy.io.savemat(args.out / "joints.mat", {"joints": joints})


if __name__ == "__main__":
    main()
