"""Errors of the landmarks of expected.json when an app passes a wrong picture.

python benchmarks/expected.py my_pose.task      # with expected.json and the picture beside it
"""

import argparse
import json
from pathlib import Path

import cv2
import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision

from blazepose.errors import friendly_errors
from blazepose.export.expected import NAME
from blazepose.image import read_image

_QUALITY = 95


def variants(picture: np.ndarray) -> dict[str, np.ndarray]:
    """Return the picture, and wrong ones."""
    _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return {
        "the picture": picture,
        f"as JPEG of quality {_QUALITY}": cv2.imdecode(jpeg, cv2.IMREAD_COLOR),
        "doubled in size": cv2.resize(picture, None, fx=2, fy=2),
        "red and blue exchanged": picture[..., ::-1],
        "mirrored": picture[:, ::-1],
    }


@friendly_errors
def main() -> None:
    """Print the mean and the largest distance in pixels of the network's input, in MediaPipe on the CPU."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("bundle", type=Path, help=".task")
    bundle = parser.parse_args().bundle
    entry = json.loads(bundle.with_name(NAME).read_text())["files"][bundle.name]
    expected = np.array(entry["landmarks"])[:, :2]
    size = np.array([entry["width"], entry["height"]])
    options = vision.PoseLandmarkerOptions(base_options=BaseOptions(model_asset_path=str(bundle)))
    with vision.PoseLandmarker.create_from_options(options) as landmarker:
        for name, image in variants(read_image(bundle.with_name(entry["picture"]))).items():
            pixels = np.ascontiguousarray(image)
            result = landmarker.detect(mediapipe.Image(mediapipe.ImageFormat.SRGB, pixels))
            if not result.pose_landmarks:
                print(f"{name}: no person")
                continue
            points = np.array([(point.x, point.y) for point in result.pose_landmarks[0]]) * size
            # The tolerance is one pixel of the network's input.
            distances = np.linalg.norm(points - expected, axis=1) / entry["tolerance_px"]
            print(f"{name}: mean {distances.mean():.3f}, largest {distances.max():.3f}")


if __name__ == "__main__":
    main()
