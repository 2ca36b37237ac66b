"""Make the images of README and docs: rendered people, and what Google's weights predict on them.

python docs/images/make.py pose_landmarker_full.task pose_landmarker_lite.task
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
from PIL import Image

from blazepose.data.align import aligned_roi
from blazepose.data.annotation import Annotation
from blazepose.data.readers import read_source
from blazepose.geometry import Roi, roi_to_image
from blazepose.image import read_image
from blazepose.runtime import PoseTracker
from blazepose.runtime.draw import draw_poses
from blazepose.topologies.full_body import EDGES, LEFT_HIP, RIGHT_HIP

HERE = Path(__file__).parent

_OVERVIEW = (26, 32, 16, 62, 8, 69, 72, 140)
"""People of the overview. Chosen: different postures, all of them inside the image."""

_NUMBERED = 65
"""Person of the drawing of the landmarks. Chosen: facing the camera, no landmark hidden."""

_COLUMNS, _TILE = 4, 360

_TRACKED = 69
"""Person of the sheet of tracked frames. Chosen: a second person beside."""

_EVALUATED = 600
"""Images of the reports. Chosen: at least 20 people in each group."""


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


def draw_tracking(person: Annotation, weights: Path, file: Path) -> None:
    """Write three frames of a camera that comes nearer and turns, with ids and masks."""
    tracker = PoseTracker.load(weights, num_poses=2, output_segmentation_masks=True)
    image, overlays = read_image(person.image), []
    for number in range(25):
        camera = cv2.getRotationMatrix2D((256, 256), angle=number / 2 - 6, scale=1 + number / 80)
        frame = cv2.warpAffine(image, camera, (512, 512), borderMode=cv2.BORDER_REFLECT)
        overlays.append(draw_poses(frame, tracker(frame)))
    _save(np.hstack(overlays[::12]), file)


def draw_reports(full: Path, lite: Path, folder: Path) -> None:
    """Write the preview of a rendered set, and images of the reports about it."""
    # Titles of charts name the data, so paths are relative to the folder.
    _run(folder, "synth", "--num", 24, "--val", _EVALUATED, "--out", "people", "--preview", "preview.png")
    _run(folder, "eval", f"weights={full}", "data.test=[synthetic:people:val]", "out=report")
    _run(folder, "compare", lite, full, "--data", "synthetic:people:val", "--pictures", "changes.png")
    for source, name in (
        ("report/fairness.png", "fairness.png"),
        ("report/body.png", "body.png"),
        ("report/worst.png", "worst.jpg"),
        ("changes.png", "changes.jpg"),
        ("preview.png", "preview.jpg"),
    ):
        _save(read_image(folder / source), HERE / name)


def _save(image: np.ndarray, file: Path) -> None:
    """Write a small image: charts as PNG of few colors, others as JPEG."""
    small = Image.fromarray(image)
    small.thumbnail((1000, 1000))
    (small.quantize(64) if file.suffix == ".png" else small).save(file, quality=65, optimize=True)


def _run(folder: Path, command: str, *arguments: object) -> None:
    subprocess.run([sys.executable, "-m", "blazepose", command, *map(str, arguments)], cwd=folder, check=True)


def main(full: Path, lite: Path) -> None:
    """Render people, and write the images beside this file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run(folder, "synth", "--num", 160, "--val", 0, "--seed", 11, "--size", 512, "--out", "large")
        people = read_source(f"synthetic:{folder}/large").annotations
        draw_overview([people[k] for k in _OVERVIEW], full, HERE / "overview.jpg")
        draw_landmarks(people[_NUMBERED], HERE / "landmarks.jpg")
        draw_tracking(people[_TRACKED], full, HERE / "tracking.jpg")
        draw_reports(full, lite, folder)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*(Path(argument).expanduser().resolve() for argument in sys.argv[1:]))
