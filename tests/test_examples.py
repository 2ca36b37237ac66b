"""The examples of docstrings run, in a folder with the files that they name."""

import ast
import doctest
import json
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.runtime.media import VideoWriter
from tests.constant_bundle import write_bundle
from tests.training.saved_net import save

PACKAGE = Path(__file__).parents[1] / "blazepose"

KEYPOINTS = {
    "left_shoulder": (90, 60),
    "right_shoulder": (70, 60),
    "left_hip": (86, 100),
    "right_hip": (74, 100),
    "left_ankle": (88, 180),
    "right_ankle": (72, 180),
}
"""Labels of both people, pixels of an image of 160 x 200."""


def find_examples() -> Iterator[doctest.DocTest]:
    """Yield the docstrings with examples, without importing their modules."""
    parser = doctest.DocTestParser()
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        yield from _find_below(ast.parse(path.read_text()), module, path, parser)


def _find_below(
    node: ast.AST, name: str, path: Path, parser: doctest.DocTestParser
) -> Iterator[doctest.DocTest]:
    test = parser.get_doctest(ast.get_docstring(node) or "", {}, name, str(path), None)
    if test.examples:
        yield test
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef):
            yield from _find_below(child, f"{name}.{child.name}", path, parser)


EXAMPLES = list(find_examples())


@pytest.fixture(scope="session")
def example_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a bundle, a checkpoint, a video, photos and labels under the names that the examples use."""
    folder = tmp_path_factory.mktemp("examples")
    write_bundle(folder / "pose_landmarker_full.task")
    save(folder / "lite.ckpt", LandmarkNet(landmark_variant("lite", "mediapipe")))
    with VideoWriter(folder / "squats.mp4", Fraction(30)) as writer:
        for number in range(3):
            writer.write(np.full((240, 320, 3), 90, np.uint8), number * 1000 / 30)
    cv2.imwrite(str(folder / "person.png"), np.full((240, 320, 3), 90, np.uint8))
    (folder / "photos").mkdir()
    (folder / "mine").mkdir()
    for number in range(2):
        image = np.random.default_rng(number).integers(0, 256, (200, 160, 3), np.uint8)
        cv2.imwrite(str(folder / "photos" / f"{number}.png"), image)
        cv2.imwrite(str(folder / "mine" / f"{number}.png"), image)
    (folder / "mine" / "train.json").write_text(json.dumps(_labels()))
    return folder


def _labels() -> dict[str, list]:
    keypoints = [value for x, y in KEYPOINTS.values() for value in (x, y, 2)]
    person = {"category_id": 1, "keypoints": keypoints, "num_keypoints": len(KEYPOINTS), "iscrowd": 0}
    return {
        "images": [{"id": n, "file_name": f"{n}.png", "width": 160, "height": 200} for n in range(2)],
        "categories": [{"id": 1, "name": "person", "keypoints": list(KEYPOINTS)}],
        "annotations": [{"id": n, "image_id": n, "bbox": [60, 20, 40, 170], **person} for n in range(2)],
    }


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(test, id=test.name, marks=pytest.mark.slow if ".export." in test.name else ())
        for test in EXAMPLES
    ],
)
def test_example(example, example_files, tmp_path, monkeypatch):
    shutil.copytree(example_files, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    report: list[str] = []
    doctest.DocTestRunner().run(example, out=report.append, clear_globs=False)
    assert not report, "".join(report)


def test_public_entry_points_have_examples():
    assert len(EXAMPLES) >= 25
    names = {example.name for example in EXAMPLES}
    assert names >= {
        "blazepose",
        "blazepose.runtime.tracker.PoseTracker.load",
        "blazepose.runtime.tracker.PoseTracker.__call__",
        "blazepose.runtime.draw.draw_poses",
        "blazepose.runtime.media.open_source",
        "blazepose.training.weights.load_model",
        "blazepose.export.landmark_export.export_landmark_net",
    }
