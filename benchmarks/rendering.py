"""How fast synthetic people are made on one core, step by step, and whether memory stays flat.

    OMP_NUM_THREADS=1 python benchmarks/rendering.py          # 400 pictures of people and 50 of nobody
    OMP_NUM_THREADS=1 python benchmarks/rendering.py 20000

A picture of people counts with its share of those of nobody, of bodies that stand beside others, of labels
and files: the finished set.
"""

import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import torch

from blazepose.synthetic.appearance.figure import FigureBuilder
from blazepose.synthetic.body.body_model import BodyModel
from blazepose.synthetic.dataset import generate as studio
from blazepose.synthetic.dataset.folder import Split
from blazepose.synthetic.dataset.generate import CHUNK, Recipe, render_chunk
from blazepose.synthetic.render.renderer import Renderer
from blazepose.synthetic.scene import scene

STEPS: list[tuple[str, Any, str]] = [
    ("bodies posed", BodyModel, "pose"),
    ("dressed, put on the ground", FigureBuilder, "figure"),
    ("rooms, cameras, things", scene, "sample_environment"),
    ("loaded, shadow maps", Renderer, "load"),
    ("visibility", Renderer, "surfaces"),
    ("pixels", Renderer, "frame"),
    ("labels", studio, "annotation"),
    ("exposure, blur, noise", studio, "develop"),
    ("JPEG", studio, "compress"),
    ("files", Split, "save"),
]
"""What a row of the table is called, and the function it times."""


def main(pictures: int = 400) -> None:
    """Render a set into a temporary folder and print where the time went."""
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    chunks = -(-pictures // CHUNK)
    spent: dict[str, float] = defaultdict(float)
    with tempfile.TemporaryDirectory() as folder:
        split = Split(Path(folder), "train", pictures)
        split.save(0, list(render_chunk(Recipe(), 0, 0)))  # loads and compiles everything
        for name, owner, function in STEPS:
            setattr(owner, function, _timed(getattr(owner, function), name, spent))
        start, before = time.process_time(), _resident_mb()
        for chunk in range(chunks):
            split.save(chunk, list(studio.render_chunk(Recipe(), 0, chunk)))
        seconds, after = time.process_time() - start, _resident_mb()
        split.finish()
    per_picture = 1000 * seconds / (chunks * CHUNK)
    for name, value in spent.items():
        print(f"{name:30s} {1000 * value / (chunks * CHUNK):5.1f} ms")
    rest = per_picture - 1000 * sum(spent.values()) / (chunks * CHUNK)
    print(f"{'the rest':30s} {rest:5.1f} ms")
    rate = f"{1000 / per_picture:.1f} a second a core"
    print(f"{'a finished picture of people':30s} {per_picture:5.1f} ms: {rate}")
    print(f"memory: {before} MB at the start, {after} MB after {chunks * CHUNK} pictures")


def _timed(function: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    def wrapper(*arguments: Any, **named: Any) -> Any:
        start = time.process_time()
        try:
            return function(*arguments, **named)
        finally:
            spent[name] += time.process_time() - start

    return wrapper


def _resident_mb() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 // 2**20


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
