"""Our runtime beside MediaPipe's: agreement, speed, memory, jitter, and a person who is covered for a while.

python benchmarks/tracking.py agreement squats.mp4 pose_landmarker_full.task
python benchmarks/tracking.py speed squats.mp4 pose_landmarker_full.task
python benchmarks/tracking.py memory squats.mp4 pose_landmarker_full.task --frames 10000
python benchmarks/tracking.py jitter pose.jpg pose_landmarker_full.task
python benchmarks/tracking.py covered squats.mp4 pose_landmarker_full.task
"""

import argparse
import itertools
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import cv2
import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
from tqdm import tqdm

from blazepose.errors import friendly_errors
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
"""Between frames, whatever the video says: every runtime sees the same times."""

_NOISE, _SHIFT_PX = 4.0, 0.5
"""Of a still picture: standard deviation of the sensor's noise in grey values, largest shift. Chosen: a phone
indoors on a tripod."""

Follower = Callable[[np.ndarray, int], np.ndarray | None]
"""Takes a frame and its time, and returns landmarks (33, 2) in pixels, or None."""


@contextmanager
def google(bundle: Path, video: bool = True) -> Iterator[Follower]:
    """MediaPipe's own runtime."""
    options = vision.PoseLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(bundle)),
        running_mode=vision.RunningMode.VIDEO if video else vision.RunningMode.IMAGE,
    )
    with vision.PoseLandmarker.create_from_options(options) as landmarker:

        def follow(frame: np.ndarray, time_ms: int) -> np.ndarray | None:
            image = mediapipe.Image(mediapipe.ImageFormat.SRGB, frame)
            found = landmarker.detect_for_video(image, time_ms) if video else landmarker.detect(image)
            if not found.pose_landmarks:
                return None
            return np.array([(p.x, p.y) for p in found.pose_landmarks[0]]) * frame.shape[1::-1]

        yield follow


def ours(bundle: Path, **options: Any) -> Follower:
    """Our runtime."""
    tracker = PoseTracker.load(bundle, **options)

    def follow(frame: np.ndarray, time_ms: int) -> np.ndarray | None:
        poses = tracker(frame, time_ms)
        return poses[0].landmarks[:, :2] if poses else None

    return follow


def read_frames(path: Path, count: int | None = None) -> list[np.ndarray]:
    """The first frames of a video."""
    footage = open_source(str(path))
    with closing(footage.frames):
        return [frame.image for frame in itertools.islice(footage.frames, count)]


def agreement(args: argparse.Namespace) -> None:
    """Differences of landmarks where both look at every frame for itself, so that no error builds up."""
    frames = read_frames(args.footage)
    with google(args.bundle, video=False) as follow:
        theirs = [follow(frame, 0) for frame in tqdm(frames, desc="MediaPipe", unit=" frames")]
    look_once = ours(args.bundle, video=False)
    own = [look_once(frame, 0) for frame in tqdm(frames, desc="ours", unit=" frames")]
    both = [(a, b) for a, b in zip(theirs, own, strict=True) if a is not None and b is not None]
    apart = np.concatenate([np.linalg.norm(a - b, axis=1) for a, b in both])
    missed = [sum(pose is None for pose in poses) for poses in (theirs, own)]
    print(f"{len(frames)} frames, missed by MediaPipe {missed[0]}, by us {missed[1]}")
    middle, high, largest = np.quantile(apart, [0.5, 0.95, 1])
    print(f"landmarks apart, px: median {middle:.4f}, 95th percentile {high:.3f}, largest {largest:.3f}")


def speed(args: argparse.Namespace) -> None:
    """Frames a second from decoded frames to landmarks, by turns, so that both see the machine alike."""
    frames = read_frames(args.footage)
    clock, rates = itertools.count(0, _FRAME_MS), {"MediaPipe": [], "ours": [], "ours, not smoothed": []}
    with google(args.bundle) as follow:
        runners = {
            "MediaPipe": follow,
            "ours": ours(args.bundle),
            "ours, not smoothed": ours(args.bundle, smooth=False),
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
    """Where the time of one of our frames goes."""
    engine, tracker = LandmarkEngine(bundle), PoseTracker.load(bundle, video=False)
    (pose,) = tracker(frame)
    matrix, seen, smoother = (
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
        "smoothing": _median_ms(lambda: smoother(seen, next(times) / 30)),
        "detector, where nobody is followed": _median_ms(lambda: tracker._detector(frame)),
    }


def _median_ms(work: Callable[[], object], times: int = 100) -> float:
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return float(1000 * np.median(spent))


def memory(args: argparse.Namespace) -> None:
    """The process's memory while a video is looped."""
    frames, follow = read_frames(args.footage), ours(args.bundle, people=2, mask=True)
    for number in tqdm(range(args.frames), unit=" frames"):
        frame = frames[number % len(frames)]
        follow(frame if number % 500 < 480 else np.zeros_like(frame), number * _FRAME_MS)
        if number + 1 in (args.frames // 10, args.frames // 2, args.frames):
            tqdm.write(f"after {number + 1} frames: {_resident_mb():.1f} MB, at most {_peak_mb():.1f} MB")


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6  # Linux counts kibibytes


def jitter(args: argparse.Namespace) -> None:
    """Standard deviation of landmarks on a still picture with noise and sub-pixel shifts, % of the torso."""
    image = read_image(args.footage)
    frames = list(_trembling(image, args.frames))
    with google(args.bundle) as follow:
        runners = {
            "MediaPipe, VIDEO": follow,
            "ours": ours(args.bundle),
            "ours, not smoothed": ours(args.bundle, smooth=False),
        }
        for name, run in runners.items():
            poses = [run(frame, number * _FRAME_MS) for number, (frame, _) in enumerate(frames)]
            if any(pose is None for pose in poses):
                raise ValueError(f"{args.footage}: {name} does not see one person in every frame")
            found = np.stack(poses) - np.stack([shift for _, shift in frames])[:, None]
            spread = np.linalg.norm(found[len(found) // 4 :].std(axis=0), axis=1)  # filters have to start
            torso = np.linalg.norm(found[:, LEFT_SHOULDER] - found[:, RIGHT_HIP], axis=1).mean()
            mean, worst = 100 * spread.mean() / torso, 100 * spread.max() / torso
            print(f"{name:20} mean over landmarks {mean:.3f}, worst landmark {worst:.3f}")


def _trembling(image: np.ndarray, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Noisy frames, and by how much each is shifted, pixels."""
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
    """Frames without a pose where a grey board hides the person in 20 of them, and the ids."""
    frames = read_frames(args.footage)
    hidden, look_once = range(20, 40), PoseTracker.load(args.bundle, video=False)
    shown = [_board(f, look_once(f)) if n in hidden else f for n, f in enumerate(frames)]
    tracker = PoseTracker.load(args.bundle)
    found = [tracker(frame, number * _FRAME_MS) for number, frame in enumerate(shown)]
    with google(args.bundle) as follow:
        theirs = [follow(frame, number * _FRAME_MS) for number, frame in enumerate(shown)]
    for name, seen in (("MediaPipe", [p is not None for p in theirs]), ("ours", [bool(p) for p in found])):
        lost = [n for n, there in enumerate(seen) if not there]
        print(f"{name:10} frames without a pose: {_ranges(lost)}; hidden in {hidden.start}-{hidden.stop - 1}")
    print(f"our ids: {sorted({pose.id for poses in found for pose in poses})}")


def _board(frame: np.ndarray, people: list[Pose]) -> np.ndarray:
    """The frame with a board before everybody, a tenth larger than their landmarks' box on every side."""
    covered = frame.copy()
    for pose in people:
        low, high = pose.landmarks[:, :2].min(axis=0), pose.landmarks[:, :2].max(axis=0)
        left, top = np.maximum(low - (high - low) / 10, 0).astype(int)
        right, bottom = (high + (high - low) / 10).astype(int)
        covered[top:bottom, left:right] = 127
    return covered


def _ranges(numbers: list[int]) -> str:
    return f"{numbers[0]}-{numbers[-1]} ({len(numbers)})" if numbers else "none"


WORK = {"agreement": agreement, "speed": speed, "memory": memory, "jitter": jitter, "covered": covered}


@friendly_errors
def main() -> None:
    """Print the figures of one comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=WORK)
    parser.add_argument("footage", type=Path, help="video; for jitter a picture")
    parser.add_argument("bundle", type=Path, help=".task")
    parser.add_argument("--rounds", type=int, default=5, help="of speed")
    parser.add_argument("--frames", type=int, default=300, help="of memory and jitter")
    args = parser.parse_args()
    WORK[args.what](args)


if __name__ == "__main__":
    main()
