"""Time of rendering synthetic people on one core, by step, and growth of memory.

    OMP_NUM_THREADS=1 python benchmarks/rendering.py          # 400 images of people and 50 negative ones
    OMP_NUM_THREADS=1 python benchmarks/rendering.py 20000

Times per image of people include its part of negative images, of bystanders, labels and files: the finished
set.
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
from blazepose.synthetic.dataset import generate
from blazepose.synthetic.dataset.folder import Split
from blazepose.synthetic.dataset.generate import CHUNK, Recipe, render_chunk
from blazepose.synthetic.render.renderer import Renderer
from blazepose.synthetic.scene import scene

STEPS: list[tuple[str, Any, str]] = [
    ("bodies posed", BodyModel, "pose"),
    ("dressed, put on the ground", FigureBuilder, "build"),
    ("environments", scene, "sample_environment"),
    ("loaded, shadow maps", Renderer, "load"),
    ("visibility", Renderer, "first_surfaces"),
    ("pixels", Renderer, "render"),
    ("labels", generate, "annotation"),
    ("exposure, blur, noise", generate, "camera_pipeline"),
    ("JPEG", generate, "compress"),
    ("files", Split, "save"),
]
"""Name of each row of the table, and the function it times."""


def main(num_images: int = 400) -> None:
    """Render a set into a temporary folder and print the time of each step."""
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    chunks = -(-num_images // CHUNK)
    spent: dict[str, float] = defaultdict(float)
    with tempfile.TemporaryDirectory() as folder:
        split = Split(Path(folder), "train", num_images)
        split.save(0, list(render_chunk(Recipe(), 0, 0)))  # loads and compiles everything
        for name, owner, function in STEPS:
            setattr(owner, function, _timed(getattr(owner, function), name, spent))
        start, before = time.process_time(), _resident_mb()
        for chunk in range(chunks):
            split.save(chunk, list(generate.render_chunk(Recipe(), 0, chunk)))
        seconds, after = time.process_time() - start, _resident_mb()
        split.finish()
    per_image = 1000 * seconds / (chunks * CHUNK)
    for name, value in spent.items():
        print(f"{name:30s} {1000 * value / (chunks * CHUNK):5.1f} ms")
    rest = per_image - 1000 * sum(spent.values()) / (chunks * CHUNK)
    print(f"{'the rest':30s} {rest:5.1f} ms")
    rate = f"{1000 / per_image:.1f} per second and core"
    print(f"{'a finished image of people':30s} {per_image:5.1f} ms: {rate}")
    print(f"memory: {before} MB at the start, {after} MB after {chunks * CHUNK} images")


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
