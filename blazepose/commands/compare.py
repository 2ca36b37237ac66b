"""Measure what a fine-tuning gained and forgot: two weights on the same people, and on the same video.

    blazepose compare pose_landmarker_full.task my_pose.task --data lsp:data/lspet:val --video a.mp4

Accepts all weights that `blazepose eval` accepts. A video needs two .task bundles, and
MediaPipe to track the person.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from blazepose.atomic import atomic_path
from blazepose.data.readers import read_source
from blazepose.errors import friendly_errors
from blazepose.evaluation.compare.before_after import save_before_after
from blazepose.evaluation.compare.forgetting import (
    SHIFT_PX,
    CropOutputs,
    changed_pck,
    labels_of,
    measure_forgetting,
    person_changes,
    run_on_crops,
    shift_crop,
    unshift,
)
from blazepose.evaluation.engine_registry import open_weights
from blazepose.evaluation.mediapipe_engine import require_bundle, track_video
from blazepose.evaluation.predict import CROPS, CropJob, cut_crop, plan_label_crops
from blazepose.geometry import crop_image, roi_from_keypoints, roi_to_image_matrix
from blazepose.runs import resolve_named_weights
from blazepose.runtime.engines import InferenceEngine
from blazepose.runtime.media import open_source
from blazepose.topology import LEFT_HIP, LEFT_SHOULDER, RIGHT_HIP, RIGHT_SHOULDER, ROI_CENTER, ROI_SCALE

_HIPS, _SHOULDERS = [LEFT_HIP, RIGHT_HIP], [LEFT_SHOULDER, RIGHT_SHOULDER]


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="blazepose compare", description=__doc__.splitlines()[0])
    parser.add_argument("before", help="run folder, .ckpt, .tflite, .task or .onnx")
    parser.add_argument("after", help="the fine-tuned weights, in the same formats")
    parser.add_argument(
        "--data", action="append", default=[], metavar="READER:PATH", help="labelled people; may be repeated"
    )
    parser.add_argument("--roi", choices=CROPS, default="annotation", help="source of the crops")
    parser.add_argument(
        "--pictures", type=Path, metavar="PNG", help="write an image sheet of the largest gains and losses"
    )
    parser.add_argument("--video", type=Path, help="video of one person, for MediaPipe's VIDEO mode")
    return parser.parse_args(arguments)


@friendly_errors
def main(arguments: list[str] | None = None) -> None:
    """Print a table for each data set, and one for the video."""
    args = _parse(arguments)
    if not args.data and args.video is None:
        raise ValueError("nothing to evaluate: give labelled people with --data, or a --video")
    before, after = (resolve_named_weights(name) for name in (args.before, args.after))
    if args.pictures is not None and len(args.data) != 1:
        raise ValueError("--pictures needs exactly one --data")
    if args.pictures is not None:
        _require_new_png(args.pictures)
    if args.video is not None:
        require_bundle(before)
        require_bundle(after)
        next(_frames(args.video))
    for spec in args.data:
        _print_people(before, after, spec, args.roi, args.pictures)
    if args.video is not None:
        _print_video(before, after, args.video)


def _print_people(before: Path, after: Path, spec: str, roi: str, images: Path | None) -> None:
    source = read_source(spec)
    jobs = plan_label_crops([source], roi, 0)
    engine, second_engine = open_weights(before), open_weights(after)
    first, second = _run(engine, jobs), _run(second_engine, jobs)
    # For scale: the outputs of any network change with a negligible shift of the crop.
    shifted = unshift(_run(engine, [shift_crop(job, engine.input_size) for job in jobs]))
    labels = labels_of(jobs)
    pck_before, pck_after, gain = changed_pck(first, second, labels)
    print(f"\n{spec}, {len(jobs)} people, roi={roi}", *source.notes, sep="\n")
    interval = f"95 % interval {gain.low:+.1f} to {gain.high:+.1f}"
    print(f"  PCK@0.2 {pck_before:.1f} -> {pck_after:.1f}: {gain.value:+.1f}, {interval}")
    print(f"  where the first weights are correct {'second':>11} first, {SHIFT_PX} px shift")
    changed, noise = measure_forgetting(first, second, labels), measure_forgetting(first, shifted, labels)
    for name, value in changed.items():
        print(f"    {name:34} {value:10.2f} {noise[name]:19.2f}")
    if images is not None:
        with atomic_path(images) as part:
            save_before_after(person_changes(jobs, first, second, labels), ("before", "after"), part)
        print(f"  {images}")


def _require_new_png(file: Path) -> None:
    if file.suffix.lower() != ".png":
        raise ValueError(f"--pictures {file}: the file must end in .png")
    if file.exists():
        raise FileExistsError(f"--pictures {file} exists; choose another name, or delete it first")
    if not file.absolute().parent.is_dir():
        raise FileNotFoundError(f"--pictures {file}: its folder does not exist")


def _run(engine: InferenceEngine, jobs: list[CropJob]) -> CropOutputs:
    return run_on_crops(engine, (cut_crop(job, engine.input_size) for job in jobs), len(jobs))


def _print_video(before: Path, after: Path, video: Path) -> None:
    """Print the frames without a pose, and the shift of the alignment points on the same crops."""
    poses, poses_after = (track_video(path, _frames(video)) for path in (before, after))
    num_poses = sum(pose is not None for pose in poses)
    if not num_poses:
        raise ValueError(f"--video {video}: {before} detects no person in it")
    engines = [open_weights(path) for path in (before, after)]
    points = [
        run_on_crops(engine, _crops(video, poses, engine.input_size), num_poses).points[
            :, [ROI_CENTER, ROI_SCALE]
        ]
        for engine in engines
    ]
    hips, circle = 100 * np.median(np.linalg.norm(points[1] - points[0], axis=2), axis=0)
    radius = [np.linalg.norm(pair[:, 1] - pair[:, 0], axis=1) for pair in points]
    growth = 100 * np.median(radius[1] / radius[0] - 1)
    print(f"\n{video}, {len(poses)} frames, MediaPipe's VIDEO mode")
    print(f"  frames without a pose {len(poses) - num_poses} -> {sum(pose is None for pose in poses_after)}")
    print(f"  alignment points moved by {hips:.2f} % (hips) and {circle:.2f} % (circle) of the crop,")
    print(f"  which makes the next crop {growth:+.2f} % larger (medians)")


def _crops(video: Path, poses: list[np.ndarray | None], size: int) -> Iterator[np.ndarray]:
    """Cut the crops of the frames with a pose."""
    for frame, pose in zip(_frames(video), poses, strict=True):
        if pose is not None:
            roi = roi_from_keypoints(pose, pose[_HIPS], pose[_SHOULDERS])
            yield crop_image(frame, roi_to_image_matrix(roi), size)


def _frames(path: Path) -> Iterator[np.ndarray]:
    """Read the RGB frames of a video.

    Raises:
        FileNotFoundError: if the file is missing.
        ValueError: if no frame can be decoded.
    """
    if not path.is_file():
        raise FileNotFoundError(f"--video {path} is missing")
    for frame in open_source(str(path)).frames:
        yield frame.image


if __name__ == "__main__":
    main()
