"""Make the images of README and docs: rendered people, and what Google's weights predict on them.

python docs/images/make.py pose_landmarker_full.task
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon

from blazepose.data.align import aligned_roi
from blazepose.data.annotation import Annotation
from blazepose.data.readers import read_source
from blazepose.geometry import Roi, roi_to_image
from blazepose.image import read_image
from blazepose.runtime import PoseTracker
from blazepose.runtime.draw import draw_poses
from blazepose.topology import EDGES, LEFT_HIP, RIGHT_HIP

HERE = Path(__file__).parent

_OVERVIEW = (26, 32, 16, 62, 8, 69, 72, 140)
"""People of the overview. Chosen: different postures, all of them inside the image."""

_NUMBERED = 65
"""Person of the drawing of the landmarks. Chosen: facing the camera, no landmark hidden."""

_COLUMNS, _TILE = 4, 360


def draw_overview(people: Sequence[Annotation], weights: Path, file: Path) -> None:
    """Write a sheet of images with the poses that the tracker detects in them."""
    tracker = PoseTracker.load(weights, running_mode="image", num_poses=3)
    tiles = []
    for person in people:
        image = cv2.resize(read_image(person.image), (_TILE, _TILE), interpolation=cv2.INTER_CUBIC)
        tiles.append(draw_poses(image, tracker(image)))
    rows = [np.hstack(tiles[k : k + _COLUMNS]) for k in range(0, len(tiles), _COLUMNS)]
    cv2.imwrite(str(file), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])


def draw_landmarks(person: Annotation, file: Path) -> None:
    """Write a drawing of the 33 numbered landmarks and of the region of interest."""
    figure = Figure(figsize=(7, 7), layout="constrained")
    axes = figure.subplots()
    axes.imshow(read_image(person.image))
    points = person.landmarks_px
    for a, b in EDGES:
        axes.plot(*points[[a, b]].T, color="white", linewidth=1)
    for k, (x, y) in enumerate(points):
        axes.plot(x, y, "o", color="#ff8a00" if k % 2 else "#28a0ff", markersize=4)
        axes.annotate(str(k), (x, y), xytext=(3, 3), textcoords="offset points", fontsize=7, color="white")
    _draw_roi(axes, aligned_roi(person), points)
    axes.axis("off")
    figure.savefig(file, dpi=130)


def _draw_roi(axes: Axes, roi: Roi, points: np.ndarray) -> None:
    corners = roi_to_image(roi, np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64))
    hips = points[[LEFT_HIP, RIGHT_HIP]].mean(axis=0)
    axes.add_patch(Polygon(corners, fill=False, edgecolor="yellow", linewidth=1.5))
    axes.add_patch(Circle(hips, roi.side / 2.5, fill=False, edgecolor="yellow", linestyle=":"))
    axes.plot(*hips, "+", color="yellow", markersize=12)
    low, high = corners.min(axis=0), corners.max(axis=0)
    axes.set_xlim(low[0] - 10, high[0] + 10)
    axes.set_ylim(high[1] + 10, low[1] - 10)


def main(weights: Path) -> None:
    """Render people, and write the images beside this file."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "blazepose.synthetic", "--num", "160", "--val", "0", "--seed", "11"]
        subprocess.run([*command, "--size", "512", "--out", folder], check=True)
        people = read_source(f"synthetic:{folder}").annotations
        draw_overview([people[k] for k in _OVERVIEW], weights, HERE / "overview.jpg")
        draw_landmarks(people[_NUMBERED], HERE / "landmarks.jpg")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]).expanduser())
