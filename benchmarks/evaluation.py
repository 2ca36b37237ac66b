"""How fast people are scored, and how close predicting comes to the bare network. Prints the figures.

python benchmarks/evaluation.py scoring             # 100,000 made-up predictions, three attributes
python benchmarks/evaluation.py predicting pose_landmark_full.tflite lsp:data/lspet_val
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from blazepose.data.readers import read_source
from blazepose.evaluation.engine_registry import open_weights
from blazepose.evaluation.predict import plan_label_crops, predict
from blazepose.evaluation.predictions import Prediction, write_predictions
from blazepose.geometry import Roi
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topologies.full_body import LANDMARKS, NUM_LANDMARKS

ROOT = Path(__file__).resolve().parents[1]
_TORSO_PX = 60
_BATCH = 16


def scoring(people: int = 100_000) -> None:
    """Time and memory of eval.py over predictions that are there already."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_people(folder, people)
        code = (
            "import runpy, sys; sys.argv[:] = sys.argv[1:]\n"
            "runpy.run_path(sys.argv[0], run_name='__main__')\n"
            # Not getrusage, whose maximum begins with that of the process that started this one.
            "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
            "print('peak', int(peak.split()[1]) // 1024)"
        )
        options = [
            f"predictions={folder}/predictions.jsonl",
            f"data.test=[landmarks:{folder}/test.json]",
            f"data.metadata={folder}/people.csv",
            f"out={folder}/out",
        ]
        os.sync()  # the disk is done with them
        start = time.perf_counter()
        command = [sys.executable, "-c", code, str(ROOT / "eval.py"), *options]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        seconds = time.perf_counter() - start
    print(f"scoring {people} people, report included: {seconds:.1f} s, {output.split()[-1]} MB at most")


def _write_people(folder: Path, people: int) -> None:
    """Labels of all 33 landmarks with visibility, predictions a bit off, and a table of groups."""
    rng = np.random.default_rng(0)
    (folder / "images").mkdir()
    picture = cv2.imencode(".png", np.full((256, 256, 3), 120, np.uint8))[1].tobytes()
    pose = rng.uniform(60, 196, (NUM_LANDMARKS, 2))
    points = pose + rng.normal(0, 6, (people, NUM_LANDMARKS, 2))
    seen = rng.integers(1, 3, (people, NUM_LANDMARKS, 1))
    keypoints = np.concatenate([points.round(2), seen], axis=2).reshape(people, -1).tolist()
    images, annotations, lines = [], [], ["image,region,skin_tone,gender"]
    regions = ("Europe", "Caribbean", "Central Asia", "Southern Asia", "Middle Africa", "South America")
    for k in range(people):
        file = f"p{k}.png"
        (folder / "images" / file).write_bytes(picture)
        images.append({"id": k, "file_name": file, "width": 256, "height": 256})
        annotations.append({"id": k, "image_id": k, "category_id": 1, "keypoints": keypoints[k]})
        lines.append(f"{file},{regions[k % 6]},{1 + k % 5},{('female', 'male')[k % 2]}")
    category = {"id": 1, "name": "person", "keypoints": list(LANDMARKS)}
    labels = {"images": images, "annotations": annotations, "categories": [category]}
    (folder / "test.json").write_text(json.dumps(labels))
    (folder / "people.csv").write_text("\n".join(lines))
    write_predictions(_predictions(folder, points, rng), folder / "predictions.jsonl")


def _predictions(folder: Path, points: np.ndarray, rng: np.random.Generator) -> Iterator[Prediction]:
    for k, person in enumerate(points):
        landmarks = rng.random((NUM_LANDMARKS, 5))
        landmarks[:, :2] = person + rng.normal(0, _TORSO_PX / 8, (NUM_LANDMARKS, 2))
        yield Prediction(
            image=str(folder / f"images/p{k}.png"),
            person=str(k),
            reader="landmarks",
            crop="annotation",
            roi=Roi(128.0, 128.0, 256.0, 0.0),
            landmarks=landmarks,
            landmarks_raw=landmarks[:, :2],
            landmarks_world=landmarks[:, :3],
            pose_presence=0.9,
            supervised=SupervisedOutputs.everything(),
        )


def predicting(weights: Path, spec: str, seconds: float = 20.0) -> None:
    """People a second through eval.py's first pass, by turns with the network alone on one batch."""
    engine = open_weights(weights)
    jobs = plan_label_crops([read_source(spec)], "annotation", 0)
    crops = np.random.default_rng(0).integers(
        0, 256, (_BATCH, engine.input_size, engine.input_size, 3), np.uint8
    )
    rates: dict[str, list[float]] = {"network": [], "predicting": []}
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        now = time.perf_counter()
        for done in range(0, len(jobs), _BATCH):
            engine(crops[: len(jobs) - done])
        middle = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            write_predictions(predict(engine, jobs, "annotation", _BATCH), Path(folder) / "predictions.jsonl")
        rates["network"].append(len(jobs) / (middle - now))
        rates["predicting"].append(len(jobs) / (time.perf_counter() - middle))
    bare, real = (float(np.median(rate)) for rate in rates.values())
    print(
        f"{weights}: {bare:.1f} crops/s by the network, {real:.1f} people/s in all, {real / bare:.2f} of it"
    )


if __name__ == "__main__":
    what, *rest = sys.argv[1:] or ["help"]
    if what == "scoring":
        scoring(*map(int, rest))
    elif what == "predicting" and len(rest) == 2:
        predicting(Path(rest[0]), rest[1])
    else:
        sys.exit(__doc__)
