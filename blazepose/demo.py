"""The main job at small scale on synthetic people: train, evaluate, export, draw. `make demo` runs it.

    python -m blazepose.demo

The commands are those of the README, as a user types them, one after the other.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from blazepose.atomic import atomic_path
from blazepose.data.align import aligned_roi
from blazepose.data.annotation import Annotation
from blazepose.data.readers import read_source
from blazepose.errors import friendly_errors
from blazepose.geometry import crop_image, roi_to_image_matrix
from blazepose.image import read_image
from blazepose.runtime.decode import decode_landmarks, landmarks_to_image, refine_by_heatmap
from blazepose.runtime.draw import draw_pose
from blazepose.runtime.engines import InferenceEngine, LandmarkEngine
from blazepose.topology import NUM_LANDMARKS
from blazepose.training.runs import LANDMARK_RUNS

VALIDATION = "synthetic:data/synthetic:val"
_PEOPLE = 6


@friendly_errors
def main(overrides: list[str] | None = None) -> None:
    """Run the commands and say where everything is, and how good it is.

    Args:
        overrides: more words for train.py; None takes the command line's.

    Raises:
        ValueError: if one of the commands fails.
    """
    start = time.monotonic()
    earlier = set(LANDMARK_RUNS.glob("demo-*"))
    _run("train.py", "experiment=demo", *(sys.argv[1:] if overrides is None else overrides))
    (run,) = set(LANDMARK_RUNS.glob("demo-*")) - earlier
    report = run / "eval"
    _run("eval.py", f"weights={run}", f"out={report}")
    _run("export.py", "--target", "tflite", "--weights", str(run))
    exported = next(run.glob("*.tflite"))
    picture = run / "landmarks.png"
    draw_people(LandmarkEngine(exported), read_source(VALIDATION).annotations[:_PEOPLE], picture)
    figures = json.loads((report / "results.json").read_text())
    print(
        f"\nDone in {(time.monotonic() - start) / 60:.0f} minutes.\n"
        f"  PCK@0.2 {figures['pck@0.2']:.1f} on {figures['num_people']} synthetic people it has not seen; "
        f"the mean pose for everybody scores {figures['pck@0.2_mean_pose']:.1f}\n"
        f"  weights   {run / 'checkpoints' / 'best.ckpt'}\n"
        f"  report    {report / 'report.md'}\n"
        f"  phone     {exported}\n"
        f"  picture   {picture}\n"
        "A few minutes show that everything works; data/README.md says where real people are."
    )


def draw_people(engine: InferenceEngine, people: list[Annotation], file: Path) -> None:
    """Draw the landmarks that an exported file finds on pictures of people, in crops from their labels."""
    figure = Figure(figsize=(2.6 * len(people), 2.9), layout="constrained")
    figure.suptitle("what the exported file sees; orange is the person's left", fontsize=10)
    for axes, person in zip(np.atleast_1d(figure.subplots(1, len(people))), people, strict=True):
        image, roi = read_image(person.image), aligned_roi(person)
        raw = engine(crop_image(image, roi_to_image_matrix(roi), engine.input_size)[None])
        landmarks = decode_landmarks(raw.landmarks, engine.input_size)
        landmarks[..., :2] = refine_by_heatmap(landmarks[..., :2], raw.heatmaps)
        # Twice the size, so that lines stay thin.
        large = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        points = 2 * landmarks_to_image(landmarks[0], roi)[:NUM_LANDMARKS, :2]
        axes.imshow(draw_pose(large, points, np.ones(NUM_LANDMARKS, bool)))
        axes.axis("off")
    with atomic_path(file) as part:
        figure.savefig(part, dpi=130)


def _run(script: str, *arguments: str) -> None:
    root = Path(__file__).resolve().parents[1]
    print(f"\n$ python {script} {' '.join(arguments)}", flush=True)
    done = subprocess.run([sys.executable, str(root / script), *arguments], check=False)
    if done.returncode:
        raise ValueError(f"{script} did not succeed; what it says is above")


if __name__ == "__main__":
    main()
