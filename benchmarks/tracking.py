"""Our runtime beside MediaPipe's: agreement, speed, memory, jitter, and an occluded person.

python benchmarks/tracking.py agreement squats.mp4 pose_landmarker_full.task
python benchmarks/tracking.py speed squats.mp4 pose_landmarker_full.task --busy
python benchmarks/tracking.py memory squats.mp4 pose_landmarker_full.task --frames 10000
python benchmarks/tracking.py jitter pose.jpg pose_landmarker_full.task
python benchmarks/tracking.py covered squats.mp4 pose_landmarker_full.task
python benchmarks/tracking.py rotation pose.jpg pose_landmarker_full.task
"""

import argparse
import itertools
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
from tqdm import tqdm

from blazepose.benchmark.frame_rate import measure_frame_rates, read_frames
from blazepose.benchmark.jitter import measure_jitter
from blazepose.benchmark.runners import our_runner
from blazepose.errors import friendly_errors
from blazepose.evaluation.mediapipe_runtime import FRAME_MS, mediapipe_runner
from blazepose.exceptions import InputError
from blazepose.geometry import crop_image, roi_to_image_matrix
from blazepose.image import read_image
from blazepose.runtime import PoseTracker
from blazepose.runtime.decode import decode_landmarks, refine_by_heatmap
from blazepose.runtime.engines import LandmarkEngine
from blazepose.runtime.landmarker import run_landmarker
from blazepose.runtime.pose import Pose
from blazepose.runtime.smoothing import PoseSmoother


def agreement(args: argparse.Namespace) -> None:
    """Compare landmarks in image mode, so that no error builds up over frames."""
    frames = read_frames(args.source)
    with mediapipe_runner(args.bundle, running_mode="image") as run:
        theirs = [run(frame, 0) for frame in tqdm(frames, desc="MediaPipe", unit=" frames")]
    run_ours = our_runner(args.bundle, running_mode="image")
    our_poses = [run_ours(frame, 0) for frame in tqdm(frames, desc="ours", unit=" frames")]
    both = [(a, b) for a, b in zip(theirs, our_poses, strict=True) if a is not None and b is not None]
    distances = np.concatenate([np.linalg.norm(a - b, axis=1) for a, b in both])
    missed = [sum(pose is None for pose in poses) for poses in (theirs, our_poses)]
    print(f"{len(frames)} frames, missed by MediaPipe {missed[0]}, by us {missed[1]}")
    middle, high, largest = np.quantile(distances, [0.5, 0.95, 1])
    print(f"landmark distances, px: median {middle:.4f}, 95th percentile {high:.3f}, largest {largest:.3f}")


def speed(args: argparse.Namespace) -> None:
    """Measure frames a second, decoding of the video excluded, in turns: a busy machine slows both.

    With --busy, another process keeps a core at work.
    """
    with _busy_core() if args.busy else nullcontext():
        _speed(args)


@contextmanager
def _busy_core() -> Iterator[None]:
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        other.kill()


def _speed(args: argparse.Namespace) -> None:
    frames = read_frames(args.source)
    with mediapipe_runner(args.bundle) as run_mediapipe:
        runners = {
            "MediaPipe": run_mediapipe,
            "ours": our_runner(args.bundle),
            "ours, one thread": our_runner(args.bundle, num_threads=1),
            "ours, with masks": our_runner(args.bundle, output_segmentation_masks=True),
        }
        rates = measure_frame_rates(runners, frames, args.rounds)
    base = np.median(rates["MediaPipe"])
    for name, values in rates.items():
        print(f"{name:20} {np.median(values):6.1f} frames/s, {np.median(values) / base:.2f} of MediaPipe's")
    for name, ms in _parts(frames[0], args.bundle).items():
        print(f"  {name:34} {ms:6.2f} ms")


def _parts(frame: np.ndarray, bundle: Path) -> dict[str, float]:
    """Measure the milliseconds of each part of one of our frames."""
    engine, tracker = LandmarkEngine(bundle), PoseTracker.load(bundle, running_mode="image")
    (pose,) = tracker(frame)
    matrix, result, smoother = (
        roi_to_image_matrix(pose.roi),
        run_landmarker(engine, frame, pose.roi),
        PoseSmoother(),
    )
    crop = crop_image(frame, matrix, engine.input_size)
    raw, times = engine(crop[None]), itertools.count(1)
    points = decode_landmarks(raw.landmarks, engine.input_size)
    return {
        "crop": _median_ms(lambda: crop_image(frame, matrix, engine.input_size)),
        "landmark network": _median_ms(lambda: engine(crop[None])),
        "decoding": _median_ms(lambda: decode_landmarks(raw.landmarks, engine.input_size)),
        "refinement by heatmaps": _median_ms(lambda: refine_by_heatmap(points[..., :2], raw.heatmaps)),
        "smoothing": _median_ms(lambda: smoother(result, next(times) / 30)),
        "detector, if no person is tracked": _median_ms(lambda: tracker._detector(frame)),
    }


def _median_ms(function: Callable[[], object], times: int = 100) -> float:
    durations = []
    for _ in range(times):
        start = time.perf_counter()
        function()
        durations.append(time.perf_counter() - start)
    return float(1000 * np.median(durations))


def memory(args: argparse.Namespace) -> None:
    """Print the process's memory while a video is looped."""
    frames = read_frames(args.source)
    run = our_runner(args.bundle, num_poses=2, output_segmentation_masks=True)
    for number in tqdm(range(args.frames), unit=" frames"):
        frame = frames[number % len(frames)]
        run(frame if number % 500 < 480 else np.zeros_like(frame), number * FRAME_MS)
        if number + 1 in (args.frames // 10, args.frames // 2, args.frames):
            tqdm.write(f"after {number + 1} frames: {_resident_mb():.1f} MB, at most {_peak_mb():.1f} MB")


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6  # Linux counts kibibytes


def jitter(args: argparse.Namespace) -> None:
    """Print the deviation of landmarks on a still image with noise and sub-pixel shifts, % of the torso."""
    with mediapipe_runner(args.bundle) as run_mediapipe:
        runners = {
            "MediaPipe, VIDEO": run_mediapipe,
            "ours": our_runner(args.bundle),
            "ours, not smoothed": our_runner(args.bundle, smooth_landmarks=False),
        }
        for name, spread in measure_jitter(runners, read_image(args.source), args.frames).items():
            if spread is None:
                raise InputError(f"{args.source}: {name} does not find one person in every frame")
            print(f"{name:20} mean over landmarks {spread.mean:.3f}, worst landmark {spread.worst:.3f}")


def covered(args: argparse.Namespace) -> None:
    """Print frames without a pose, if a gray board hides the person in 20 of them, and the ids."""
    frames = read_frames(args.source)
    hidden, image_tracker = range(20, 40), PoseTracker.load(args.bundle, running_mode="image")
    shown = [_board(f, image_tracker(f)) if n in hidden else f for n, f in enumerate(frames)]
    tracker = PoseTracker.load(args.bundle)
    ours_by_frame = [tracker(frame, number * FRAME_MS) for number, frame in enumerate(shown)]
    with mediapipe_runner(args.bundle) as run_mediapipe:
        theirs = [run_mediapipe(frame, number * FRAME_MS) for number, frame in enumerate(shown)]
    for name, present in (
        ("MediaPipe", [pose is not None for pose in theirs]),
        ("ours", [bool(poses) for poses in ours_by_frame]),
    ):
        lost = [number for number, has_pose in enumerate(present) if not has_pose]
        print(f"{name:10} frames without a pose: {_ranges(lost)}; hidden in {hidden.start}-{hidden.stop - 1}")
    print(f"our ids: {sorted({pose.id for poses in ours_by_frame for pose in poses})}")


def rotation(args: argparse.Namespace) -> None:
    """Let MediaPipe process a turned picture, with and without its option that turns it back."""
    upright = read_image(args.source)
    options = vision.PoseLandmarkerOptions(base_options=BaseOptions(model_asset_path=str(args.bundle)))
    with vision.PoseLandmarker.create_from_options(options) as landmarker:

        def run(image: np.ndarray, degrees: int) -> np.ndarray:
            processing = vision.ImageProcessingOptions(rotation_degrees=degrees)
            result = landmarker.detect(mediapipe.Image(mediapipe.ImageFormat.SRGB, image), processing)
            return np.array([(p.x, p.y) for p in result.pose_landmarks[0]]) * image.shape[1::-1]

        expected = run(upright, 0)
        width = upright.shape[1]
        for quarters in range(4):
            if quarters:  # counterclockwise, as np.rot90 turns the picture
                expected, width = (
                    np.stack([expected[:, 1], width - expected[:, 0]], axis=1),
                    np.rot90(upright, quarters).shape[1],
                )
            turned = np.ascontiguousarray(np.rot90(upright, quarters))
            for degrees in sorted({0, 90 * quarters}):
                distances = np.linalg.norm(run(turned, degrees) - expected, axis=1)
                print(
                    f"turned by {90 * quarters} degrees counterclockwise, rotation_degrees={degrees}: "
                    f"mean distance {distances.mean():.1f} px"
                )


def _board(frame: np.ndarray, people: list[Pose]) -> np.ndarray:
    """Cover all people with a board a tenth larger than their landmarks' box on every side."""
    covered = frame.copy()
    for pose in people:
        low, high = pose.landmarks[:, :2].min(axis=0), pose.landmarks[:, :2].max(axis=0)
        left, top = np.maximum(low - (high - low) / 10, 0).astype(int)
        right, bottom = (high + (high - low) / 10).astype(int)
        covered[top:bottom, left:right] = 127
    return covered


def _ranges(numbers: list[int]) -> str:
    return f"{numbers[0]}-{numbers[-1]} ({len(numbers)})" if numbers else "none"


BENCHMARKS = {
    "agreement": agreement,
    "speed": speed,
    "memory": memory,
    "jitter": jitter,
    "covered": covered,
    "rotation": rotation,
}


@friendly_errors
def main() -> None:
    """Run one comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("benchmark", choices=BENCHMARKS)
    parser.add_argument("source", type=Path, help="video; for jitter and rotation an image")
    parser.add_argument("bundle", type=Path, help=".task")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of speed")
    parser.add_argument("--busy", action="store_true", help="speed while another process uses a core")
    parser.add_argument("--frames", type=int, default=300, help="frames of memory and jitter")
    args = parser.parse_args()
    BENCHMARKS[args.benchmark](args)


if __name__ == "__main__":
    main()
