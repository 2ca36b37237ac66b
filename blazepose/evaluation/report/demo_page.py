"""The page of `blazepose demo`: figures, pictures before and after, commands, next steps."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from blazepose.data.guide import guide_section
from blazepose.evaluation.compare.comparison_inputs import Run, load_runs
from blazepose.evaluation.mediapipe_runtime import detect_in_images
from blazepose.evaluation.report.html import write_html
from blazepose.evaluation.report.sheets import random_people
from blazepose.evaluation.report.tables import markdown_table
from blazepose.exceptions import install_command
from blazepose.geometry import crop_image, image_to_roi, roi_to_image_matrix
from blazepose.image import read_image
from blazepose.metrics.pck import PCK_THRESHOLD
from blazepose.runtime.draw import draw_pose
from blazepose.runtime.tracker import PoseTracker

_PEOPLE, _COLUMNS, _TILE = 12, 3, 256
_MEDIAPIPE_IMAGES = 20
"""Chosen: enough for a median, within seconds."""

_METRICS = {"pck@0.2": "PCK@0.2, %", "mean_error": "mean error, % of the torso"}


_HONEST = """Google's weights are weak at people on the floor (planks, bridges, lying), so they were trained
on such people for minutes, and on some in all other postures. All are rendered. This page shows how the
work is done, not what it gains on photos: there, 800 people gain 1.7 points, 3,803 gain 2.5. Nothing was
chosen on the people shown here. What changed for other postures was not measured: `blazepose compare` does.
These weights are not for use."""

_HONEST_FROM_SCRATCH = """Minutes from nothing only check the pipeline: Google's full scores 73 to 78 on such
people. These weights are not for use. `blazepose weights full` fetches Google's, which `blazepose demo` then
fine-tunes."""

_NEXT_STEPS = """## Next: your own people

Label 200 people or more (CVAT, Label Studio, FiftyOne), export COCO keypoints, some in a file apart, and:

```
blazepose train model=full init={google} experiment=finetune \\
                "data.train=[landmarks:mine/train.json]" "data.val=[landmarks:mine/val.json]" decode=heatmap
blazepose compare {google} runs/landmark/NAME --data landmarks:mine/val.json --decode heatmap
blazepose export --target task --out my_pose.task
blazepose track VIDEO --weights my_pose.task --out overlay.mp4
```

NAME is the run folder that `train` prints. {guide} describes the label file."""


@dataclass
class Demo:
    """What the demo has done so far.

    Attributes:
        folder: folder of its results.
        commands: title, command line and seconds of each step.
    """

    folder: Path
    commands: list[tuple[str, str, float]] = field(default_factory=list)
    _start: float = field(default_factory=time.monotonic)

    @property
    def minutes(self) -> float:
        """Minutes since the start."""
        return (time.monotonic() - self._start) / 60


def write_fine_tuning_page(demo: Demo, google: Path, run: Path, images: Sequence[Path]) -> Path:
    """Print the gain, write the page of a fine-tuning, and return its path.

    Args:
        demo: steps done, with the folders before, after and comparison and my_pose.task.
        google: the initial weights.
        run: run folder of the training.
        images: images to detect people in with both runtimes; none without MediaPipe.
    """
    folder = demo.folder
    runs = load_runs([str(folder / name) for name in ("before", "after")])
    comparison = json.loads((folder / "comparison/comparison.json").read_text())["overall"]["pck@0.2"]
    (before, after), change = comparison["values"], comparison["changes"][0]
    interval = "too few people for an interval"
    if change["ci95"]:
        interval = "95 % interval {:+z.1f} to {:+z.1f}".format(*change["ci95"])
    headline = f"PCK@0.2 {before:.1f} before, {after:.1f} after: {change['value']:+z.1f} ({interval})"
    agreement = compare_runtimes(folder / "my_pose.task", images[:_MEDIAPIPE_IMAGES])
    print(f"\n{headline}\n{agreement}")
    draw_pairs(runs[0], runs[1], folder / "before_after.png")
    sections = [
        "# Google's full, fine-tuned for exercises on the floor",
        f"**{headline}**, on {comparison['people']} rendered people who were not in training.",
        _metrics_table({"Google's": runs[0].metrics, "fine-tuned": runs[1].metrics}),
        _HONEST,
        "## Before and after",
        f"People picked at random. The {_link('comparison', 'comparison/report.html')} has the largest gains "
        "and losses.",
        "![before and after](before_after.png)",
        "## In your app",
        f"`{folder / 'my_pose.task'}` replaces Google's file. {agreement}",
        _reports(
            {
                "before": "before/report.html",
                "after": "after/report.html",
                "comparison": "comparison/report.html",
                "images with the detected people": "tracked",
            }
        ),
        _commands(demo),
        _NEXT_STEPS.format(google=google, guide=guide_section("landmarks")),
        f"Training run: `{run}`.",
    ]
    return _write(folder, sections)


def write_from_scratch_page(demo: Demo, run: Path) -> Path:
    """Print the accuracy, write the page of a training from nothing, and return its path."""
    metrics = json.loads((demo.folder / "after/results.json").read_text())
    headline = (
        f"PCK@0.2 {metrics['pck@0.2']:.1f} on {metrics['num_people']} rendered people who were not in "
        f"training; the mean pose as a constant prediction scores {metrics['pck@0.2_mean_pose']:.1f}"
    )
    print(f"\n{headline}")
    (demo.folder / "random.png").write_bytes((demo.folder / "after/random.png").read_bytes())
    sections = [
        "# lite, trained from nothing on rendered people",
        f"**{headline}.**",
        _HONEST_FROM_SCRATCH,
        "## People picked at random",
        "![labels and predictions](random.png)",
        _reports({"evaluation": "after/report.html"}),
        _commands(demo),
        _NEXT_STEPS.format(google="pose_landmarker_full.task", guide=guide_section("landmarks")),
        f"Training run: `{run}`.",
    ]
    return _write(demo.folder, sections)


def compare_runtimes(bundle: Path, images: Sequence[Path]) -> str:
    """Detect people with our runtime and with MediaPipe, and return a sentence about their agreement."""
    if not images:
        return f"MediaPipe is not installed, so it was not run in it: {install_command('mediapipe')}."
    pixels = [read_image(path) for path in images]
    tracker = PoseTracker.load(bundle, running_mode="image")
    ours = [poses[0].landmarks[:, :2] if (poses := tracker(image)) else None for image in pixels]
    pairs = list(zip(ours, detect_in_images(bundle, pixels), strict=True))
    differences = [np.linalg.norm(a - b, axis=1).max() for a, b in pairs if a is not None and b is not None]
    alike = sum((a is None) == (b is None) for a, b in pairs)
    sentence = f"blazepose and MediaPipe agree in {alike} of {len(pairs)} images on whether there is a person"
    if differences:
        sentence += (
            f"; the largest difference of a landmark is {np.median(differences):.2f} px in the median image, "
            f"{max(differences):.2f} px in the worst"
        )
    return sentence + "."


def draw_pairs(before: Run, after: Run, file: Path) -> None:
    """Draw people picked at random, with the landmarks of both weights."""
    rows = random_people(before.scored, _PEOPLE, seed=0)
    num_lines = -(-len(rows) // _COLUMNS)
    figure = Figure(figsize=(5.2 * _COLUMNS, 0.5 + 2.8 * num_lines), layout="constrained")
    figure.suptitle("left: Google's, right: fine-tuned; orange: the person's left side", fontsize=13)
    for axes in figure.subplots(num_lines, _COLUMNS, squeeze=False).flat:
        axes.axis("off")
    for axes, row in zip(figure.axes, rows, strict=False):
        axes.imshow(np.hstack([_draw(run, row) for run in (before, after)]))
        correct, counted = zip(*(_count_correct(run, row) for run in (before, after)), strict=True)
        axes.set_title(f"{correct[0]}, then {correct[1]} of {counted[0]} points correct", fontsize=11)
    figure.savefig(file, dpi=100)


def _draw(run: Run, row: int) -> np.ndarray:
    person, prediction = run.scored.annotations[row], run.scored.predictions[row]
    crop = crop_image(read_image(person.image), roi_to_image_matrix(prediction.roi), _TILE)
    points = image_to_roi(prediction.roi, prediction.landmarks[:, :2]) * _TILE
    return draw_pose(crop, points, run.scored.supervised[row], topology=run.scored.topology)


def _count_correct(run: Run, row: int) -> tuple[int, int]:
    """Count the correct points of a person by PCK@0.2, and all that count."""
    counted = run.scored.counted[row]
    return int(((run.scored.errors[row] < PCK_THRESHOLD) & counted).sum()), int(counted.sum())


def _metrics_table(columns: dict[str, Any]) -> str:
    rows = [
        [title, *(f"{metrics[key]:.1f}" for metrics in columns.values())] for key, title in _METRICS.items()
    ]
    return markdown_table(["", *columns], rows)


def _link(text: str, target: str) -> str:
    return f"[{text}]({target})"


def _reports(targets: dict[str, str]) -> str:
    return "Reports: " + ", ".join(_link(text, target) for text, target in targets.items()) + "."


def _commands(demo: Demo) -> str:
    lines = [f"# {title}, {seconds:.0f} s\n{line}" for title, line, seconds in demo.commands]
    return "## The commands\n\n```\n" + "\n".join(lines) + "\n```"


def _write(folder: Path, sections: list[str]) -> Path:
    page = folder / "index.html"
    write_html("\n\n".join(sections) + "\n", page)
    return page
