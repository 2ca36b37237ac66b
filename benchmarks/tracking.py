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
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import cv2
import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
from tqdm import tqdm

from blazepose.errors import friendly_errors
from blazepose.exceptions import InputError
from blazepose.geometry import crop_image, roi_to_image_matrix
from blazepose.image import read_image
from blazepose.runtime import PoseTracker
from blazepose.runtime.decode import decode_landmarks, refine_by_heatmap
from blazepose.runtime.engines import LandmarkEngine
from blazepose.runtime.landmarker import run_landmarker
from blazepose.runtime.media import open_source
from blazepose.runtime.pose import Pose
from blazepose.runtime.smoothing import PoseSmoother
from blazepose.topology import LEFT_SHOULDER, RIGHT_HIP

_FRAME_MS = 33
"""Interval of frames: every runtime gets the same times, not the video's."""

_NOISE, _SHIFT_PX = 4.0, 0.5
"""Noise of a still image: standard deviation of the sensor's in gray values, largest shift. Chosen: a phone
indoors on a tripod."""

Runner = Callable[[np.ndarray, int], np.ndarray | None]
"""Function of a frame and its time that returns landmarks (33, 2) in pixels, or None."""


@contextmanager
def google(bundle: Path, running_mode: str = "video") -> Iterator[Runner]:
    """Create a runner of MediaPipe's own runtime."""
    video = running_mode == "video"
    options = vision.PoseLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(bundle)),
        running_mode=vision.RunningMode.VIDEO if video else vision.RunningMode.IMAGE,
    )
    with vision.PoseLandmarker.create_from_options(options) as landmarker:

        def run(frame: np.ndarray, time_ms: int) -> np.ndarray | None:
            image = mediapipe.Image(mediapipe.ImageFormat.SRGB, frame)
            result = landmarker.detect_for_video(image, time_ms) if video else landmarker.detect(image)
            if not result.pose_landmarks:
                return None
            return np.array([(p.x, p.y) for p in result.pose_landmarks[0]]) * frame.shape[1::-1]

        yield run


def ours(bundle: Path, **options: Any) -> Runner:
    """Create a runner of our runtime."""
    tracker = PoseTracker.load(bundle, **options)

    def run(frame: np.ndarray, time_ms: int) -> np.ndarray | None:
        poses = tracker(frame, time_ms)
        return poses[0].landmarks[:, :2] if poses else None

    return run


def read_frames(path: Path, count: int | None = None) -> list[np.ndarray]:
    """Read the first frames of a video."""
    source = open_source(str(path))
    with closing(source.frames):
        return [frame.image for frame in itertools.islice(source.frames, count)]


def agreement(args: argparse.Namespace) -> None:
    """Compare landmarks in image mode, so that no error builds up over frames."""
    frames = read_frames(args.source)
    with google(args.bundle, running_mode="image") as run:
        theirs = [run(frame, 0) for frame in tqdm(frames, desc="MediaPipe", unit=" frames")]
    run_ours = ours(args.bundle, running_mode="image")
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
    clock, rates = itertools.count(0, _FRAME_MS), defaultdict[str, list[float]](list)
    with google(args.bundle) as run_google:
        runners = {
            "MediaPipe": run_google,
            "ours": ours(args.bundle),
            "ours, one thread": ours(args.bundle, num_threads=1),
            "ours, with masks": ours(args.bundle, output_segmentation_masks=True),
        }
        for _ in tqdm(range(args.rounds), unit=" rounds"):
            for name, run in runners.items():
                start = time.perf_counter()
                for frame in frames:
                    run(frame, next(clock))
                rates[name].append(len(frames) / (time.perf_counter() - start))
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
    frames, run = read_frames(args.source), ours(args.bundle, num_poses=2, output_segmentation_masks=True)
    for number in tqdm(range(args.frames), unit=" frames"):
        frame = frames[number % len(frames)]
        run(frame if number % 500 < 480 else np.zeros_like(frame), number * _FRAME_MS)
        if number + 1 in (args.frames // 10, args.frames // 2, args.frames):
            tqdm.write(f"after {number + 1} frames: {_resident_mb():.1f} MB, at most {_peak_mb():.1f} MB")


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6  # Linux counts kibibytes


def jitter(args: argparse.Namespace) -> None:
    """Print the deviation of landmarks on a still image with noise and sub-pixel shifts, % of the torso."""
    image = read_image(args.source)
    frames = list(_noisy_frames(image, args.frames))
    with google(args.bundle) as run_google:
        runners = {
            "MediaPipe, VIDEO": run_google,
            "ours": ours(args.bundle),
            "ours, one thread": ours(args.bundle, num_threads=1),
            "ours, with masks": ours(args.bundle, output_segmentation_masks=True),
        }
        for name, run in runners.items():
            poses = [run(frame, number * _FRAME_MS) for number, (frame, _) in enumerate(frames)]
            if any(pose is None for pose in poses):
                raise InputError(f"{args.source}: {name} does not find one person in every frame")
            points = np.stack(poses) - np.stack([shift for _, shift in frames])[:, None]
            spread = np.linalg.norm(points[len(points) // 4 :].std(axis=0), axis=1)  # filters need a start
            torso = np.linalg.norm(points[:, LEFT_SHOULDER] - points[:, RIGHT_HIP], axis=1).mean()
            mean, worst = 100 * spread.mean() / torso, 100 * spread.max() / torso
            print(f"{name:20} mean over landmarks {mean:.3f}, worst landmark {worst:.3f}")


def _noisy_frames(image: np.ndarray, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield noisy frames, and the shift of each in pixels."""
    rng = np.random.default_rng(0)
    for _ in range(count):
        shift = rng.uniform(-_SHIFT_PX, _SHIFT_PX, 2)
        moved = cv2.warpAffine(
            image,
            np.array([[1, 0, shift[0]], [0, 1, shift[1]]]),
            image.shape[1::-1],
            borderMode=cv2.BORDER_REPLICATE,
        )
        noisy = moved + rng.normal(0, _NOISE, image.shape)
        yield np.clip(np.rint(noisy), 0, 255).astype(np.uint8), shift


def covered(args: argparse.Namespace) -> None:
    """Print frames without a pose, if a gray board hides the person in 20 of them, and the ids."""
    frames = read_frames(args.source)
    hidden, image_tracker = range(20, 40), PoseTracker.load(args.bundle, running_mode="image")
    shown = [_board(f, image_tracker(f)) if n in hidden else f for n, f in enumerate(frames)]
    tracker = PoseTracker.load(args.bundle)
    ours_by_frame = [tracker(frame, number * _FRAME_MS) for number, frame in enumerate(shown)]
    with google(args.bundle) as run_google:
        theirs = [run_google(frame, number * _FRAME_MS) for number, frame in enumerate(shown)]
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
