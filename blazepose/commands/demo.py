"""The whole pipeline at small scale on synthetic people: train, evaluate, export, draw (`make demo`).

    blazepose demo

It runs the commands of the README, one after the other.
"""

import argparse
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
from blazepose.image import read_image
from blazepose.runs import LANDMARK_RUNS
from blazepose.runtime.draw import draw_pose
from blazepose.runtime.engines import InferenceEngine, LandmarkEngine
from blazepose.runtime.landmarker import run_landmarker
from blazepose.topology import NUM_LANDMARKS

VALIDATION = "synthetic:data/synthetic:val"
_PEOPLE = 6


@friendly_errors
def main(arguments: list[str] | None = None) -> None:
    """Run the commands and print the files and the accuracy.

    Args:
        arguments: further arguments of `blazepose train`; None takes those of the command line.

    Raises:
        ValueError: if one of the commands fails.
    """
    parser = argparse.ArgumentParser(prog="blazepose demo", description=__doc__.splitlines()[0])
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help="further arguments of `blazepose train`"
    )
    overrides = parser.parse_args(arguments).overrides
    start = time.monotonic()
    earlier = set(LANDMARK_RUNS.glob("demo-*"))
    _run("train", "experiment=demo", *overrides)
    (run,) = set(LANDMARK_RUNS.glob("demo-*")) - earlier
    report = run / "eval"
    _run("eval", f"weights={run}", f"out={report}")
    _run("export", "--target", "tflite", "--weights", str(run))
    exported = next(run.glob("*.tflite"))
    image = run / "landmarks.png"
    draw_people(LandmarkEngine(exported), read_source(VALIDATION).annotations[:_PEOPLE], image)
    metrics = json.loads((report / "results.json").read_text())
    print(
        f"\nDone in {(time.monotonic() - start) / 60:.0f} minutes.\n"
        f"  PCK@0.2 {metrics['pck@0.2']:.1f} on {metrics['num_people']} synthetic people held out; "
        f"the mean pose as a constant prediction scores {metrics['pck@0.2_mean_pose']:.1f}\n"
        f"  weights   {run / 'checkpoints' / 'best.ckpt'}\n"
        f"  report    {report / 'report.md'}\n"
        f"  exported  {exported}\n"
        f"  image     {image}\n"
        "This short run only checks the pipeline; data/README.md lists data sets of real people."
    )


def draw_people(engine: InferenceEngine, people: list[Annotation], file: Path) -> None:
    """Draw the landmarks predicted by an exported file on images of people, with crops from the labels."""
    figure = Figure(figsize=(2.6 * len(people), 2.9), layout="constrained")
    figure.suptitle("landmarks predicted by the exported file; orange is the person's left", fontsize=10)
    for axes, person in zip(np.atleast_1d(figure.subplots(1, len(people))), people, strict=True):
        image, roi = read_image(person.image), aligned_roi(person)
        landmarks_px = run_landmarker(engine, image, roi).landmarks[:, :2]
        # Double the size, so that lines stay thin.
        large = cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        axes.imshow(draw_pose(large, 2 * landmarks_px, np.ones(NUM_LANDMARKS, bool)))
        axes.axis("off")
    with atomic_path(file) as part:
        figure.savefig(part, dpi=130)


def _run(command: str, *arguments: str) -> None:
    print(f"\n$ blazepose {command} {' '.join(arguments)}", flush=True)
    done = subprocess.run([sys.executable, "-m", "blazepose", command, *arguments], check=False)
    if done.returncode:
        raise ValueError(f"blazepose {command} failed; its message is above")


if __name__ == "__main__":
    main()
