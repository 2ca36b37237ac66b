"""A rendered clip of a person who moves, with exact labels: how far landmarks jump in each decoding.

python benchmarks/clip.py render clip.mp4
python benchmarks/clip.py jumps clip.mp4 full_regression.task full_heatmap.task

`jumps` takes the same weights exported with both values of --decode: MediaPipe runs each, our tracker the
first in each decoding, without its smoothing, which hides jumps.
"""

import argparse
import itertools
import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import numpy as np
from tqdm import tqdm

from blazepose.atomic import atomic_path
from blazepose.decoding import Decoding
from blazepose.errors import friendly_errors
from blazepose.evaluation.mediapipe_runtime import track_video
from blazepose.exceptions import MissingFileError
from blazepose.metrics.pck import PCK_THRESHOLD
from blazepose.runtime import PoseTracker
from blazepose.runtime.media import VideoWriter, open_source
from blazepose.topologies.full_body import LEFT_SHOULDER, RIGHT_HIP

FAMILIES = ("squat", "lunge", "twist", "kick", "dance", "forward_fold", "balance", "press")
"""Postures of the clip, one after the other."""

_STEPS = 30
"""Frames from one posture to the next."""

_SIZE, _RATE, _SEED = 384, 30, 3


def render(out: Path) -> str:
    """Render the clip, and write the labels beside it, clip.json: (frames, 33, 2) pixels."""
    from blazepose.synthetic.appearance.figure import figure_builder
    from blazepose.synthetic.dataset.labels import scene_landmarks
    from blazepose.synthetic.poses.families import sample_posture
    from blazepose.synthetic.render.renderer import Renderer
    from blazepose.synthetic.render.sensor import camera_pipeline
    from blazepose.synthetic.scene.scene import sample_scene

    builder, rng = figure_builder(), np.random.default_rng(_SEED)
    renderer = Renderer(builder)
    postures = list(between([sample_posture(name, rng) for name in FAMILIES]))
    (shape,) = builder.model.sample_shapes(1, rng)
    labels, scene = [], None
    with VideoWriter(out, Fraction(_RATE)) as video:
        for k, posture in enumerate(tqdm(postures, unit=" frames")):
            (body,) = builder.model.pose([shape], [posture.angles])
            # The same randomness in each frame: the same clothes and skin.
            figure = builder.build(body, shape, posture, np.random.default_rng(_SEED))
            if scene is None:
                scene = sample_scene(
                    [figure], builder, _SIZE, [], np.random.default_rng(_SEED), unoccluded=True
                )
            scene.figures = [figure]
            renderer.load(scene)
            frame = renderer.render(scene)
            image = camera_pipeline(frame.color, frame.kind > 0, np.random.default_rng(_SEED))
            video.write(image, 1000 * k / _RATE)
            labels.append(scene_landmarks(scene, renderer)[0].pixels.tolist())
    with atomic_path(out.with_suffix(".json")) as part:
        part.write_text(json.dumps(labels))
    return f"{out}: {len(labels)} frames"


def between(postures: list) -> Iterator:
    """Yield the postures with steps between them, which begin and end slowly."""
    for first, second in itertools.pairwise(postures):
        for step in range(_STEPS):
            share = 0.5 - 0.5 * np.cos(np.pi * step / _STEPS)
            names = first.angles.keys() | second.angles.keys()
            angles = {
                name: (1 - share) * first.angles.get(name, 0.0) + share * second.angles.get(name, 0.0)
                for name in names
            }
            yield first._replace(angles=angles)


def in_our_tracker(
    bundle: Path, decoding: Decoding, frames: Iterable[np.ndarray]
) -> Iterator[np.ndarray | None]:
    """Yield landmarks (33, 2) in pixels of each frame by our tracker, without smoothing."""
    tracker = PoseTracker.load(bundle, decoding=decoding, smooth_landmarks=False)
    for k, frame in enumerate(frames):
        poses = tracker(frame, round(1000 * k / _RATE))
        yield poses[0].landmarks[:, :2] if poses else None


def jumps(clip: Path, regression: Path, heatmap: Path) -> Iterator[str]:
    """Yield rows: how far predictions move beyond the true motion, and PCK@0.2."""
    source = open_source(str(clip))
    if not clip.with_suffix(".json").is_file():
        raise MissingFileError(f"the labels {clip.with_suffix('.json')} are missing; `render` writes them")
    labels = np.array(json.loads(clip.with_suffix(".json").read_text()))
    torso = np.median(np.linalg.norm(labels[:, LEFT_SHOULDER] - labels[:, RIGHT_HIP], axis=1))
    with closing(source.frames):
        frames = [frame.image for frame in source.frames]
    tracked = {
        "MediaPipe, regression": track_video(regression, frames),
        "MediaPipe, heatmap": track_video(heatmap, frames),
        "our tracker, mediapipe": list(in_our_tracker(regression, "mediapipe", tqdm(frames))),
        "our tracker, heatmap": list(in_our_tracker(regression, "heatmap", tqdm(frames))),
    }
    for name, found in tracked.items():
        poses = np.stack([np.full((33, 2), np.nan) if pose is None else pose for pose in found])
        error = np.linalg.norm(poses - labels, axis=2) / torso
        moved = np.linalg.norm(np.diff(poses - labels, axis=0), axis=2) / torso
        median, high, largest = 100 * np.nanquantile(moved, [0.5, 0.95, 1])
        pck = 100 * (error < PCK_THRESHOLD).mean()
        missed = sum(pose is None for pose in found)
        yield f"| {name} | {median:.1f} | {high:.1f} | {largest:.0f} | {pck:.1f} | {missed} |"


@friendly_errors
def main() -> None:
    """Render the clip, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("render").add_argument("clip", type=Path)
    add = commands.add_parser("jumps")
    add.add_argument("clip", type=Path)
    add.add_argument("regression", type=Path)
    add.add_argument("heatmap", type=Path)
    args = parser.parse_args()
    if args.command == "render":
        print(render(args.clip))
        return
    columns = ["moved beyond the true motion, % of the torso: median", "95th percentile", "largest"]
    print("| runtime, decoding |", *(f"{name} |" for name in (*columns, "PCK@0.2", "without a pose")))
    print("|---|---|---|---|---|---|", *jumps(args.clip, args.regression, args.heatmap), sep="\n")


if __name__ == "__main__":
    main()
