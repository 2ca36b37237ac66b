"""Files that decode by heatmaps, against those that do not: outputs in MediaPipe, time, and GPU.

python benchmarks/decoded_files.py moved full_regression.task full_heatmap.task pose.jpg pose_squats.mp4
python benchmarks/decoded_files.py time lite_regression.task lite_heatmap.task --threads 1
python benchmarks/decoded_files.py accelerator lite_heatmap.tflite lsp:data/lspet_val

Without a GPU, `accelerator` runs on one in software, such as chromium's:
VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json LD_LIBRARY_PATH=/usr/lib/chromium
"""

import argparse
import itertools
import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import mediapipe
import numpy as np
from ai_edge_litert.compiled_model import CompiledModel
from ai_edge_litert.hardware_accelerator import HardwareAccelerator
from mediapipe.tasks.python import BaseOptions, vision

from blazepose.benchmark.files import LANDMARKS, open_files
from blazepose.benchmark.latency import measure_latency
from blazepose.data.align import aligned_roi, alignment_error
from blazepose.data.readers import read_source
from blazepose.errors import friendly_errors
from blazepose.exceptions import InputError
from blazepose.geometry import crop_image, roi_to_image_matrix
from blazepose.image import read_image
from blazepose.runtime.engines import LandmarkEngine
from blazepose.runtime.media import open_source
from blazepose.topologies.full_body import LEFT_SHOULDER, RIGHT_HIP

_ROUNDS = 45


class MediaPipePose(NamedTuple):
    """Outputs of MediaPipe for a frame: landmarks (33, 2) of width and height, world (33, 3) meters, mask."""

    landmarks: np.ndarray
    world: np.ndarray
    mask: np.ndarray


def moved(original: Path, changed: Path, media: list[Path]) -> Iterator[str]:
    """Yield how far two bundles' outputs are apart in MediaPipe, in image and in video mode.

    Of a video also the largest step of a landmark from one frame to the next, of each bundle.
    """
    for path in media:
        source = open_source(str(path))
        with closing(source.frames):
            frames = [frame.image for frame in source.frames]
        for mode in ("IMAGE", "VIDEO"):
            first, second = (list(run_mediapipe(file, frames, mode)) for file in (original, changed))
            pairs = [(a, b) for a, b in zip(first, second, strict=True) if a and b]
            if not pairs:
                raise InputError(
                    f"{path}: the two bundles find no person in the same frame; name another file"
                )
            distances = np.concatenate([landmark_distances(a, b, frames[0].shape) for a, b in pairs])
            world = max(np.abs(a.world - b.world).max() for a, b in pairs)
            masks = max(np.abs(a.mask - b.mask).max() for a, b in pairs)
            median, high, largest = 100 * np.quantile(distances, [0.5, 0.95, 1])
            yield (
                f"{path.name}, {mode}: {len(pairs)} frames; landmarks {median:.2f} % of the torso apart "
                f"(median), {high:.1f} (95th percentile), {largest:.0f} (largest); "
                f"world {1000 * world:.2g} mm, masks {masks:.2g}"
            )
            if len(pairs) > 1:
                steps = [largest_step(poses, frames[0].shape) for poses in zip(*pairs, strict=True)]
                yield f"  largest step of a landmark: {steps[0]:.1f} and {steps[1]:.1f} % of the torso"


def largest_step(poses: Sequence[MediaPipePose], shape: tuple[int, ...]) -> float:
    """Return the largest step of a landmark from one pose to the next, in % of the torso."""
    pairs = itertools.pairwise(poses)
    return 100 * max(landmark_distances(before, after, shape).max() for before, after in pairs)


def run_mediapipe(bundle: Path, frames: list[np.ndarray], mode: str) -> Iterator[MediaPipePose | None]:
    """Yield MediaPipe's pose in each frame; None for a frame without a pose."""
    options = vision.PoseLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(bundle)),
        running_mode=vision.RunningMode[mode],
        output_segmentation_masks=True,
    )
    with vision.PoseLandmarker.create_from_options(options) as landmarker:
        for k, frame in enumerate(frames):
            image = mediapipe.Image(mediapipe.ImageFormat.SRGB, frame)
            result = (
                landmarker.detect(image) if mode == "IMAGE" else landmarker.detect_for_video(image, 33 * k)
            )
            if not result.pose_landmarks:
                yield None
                continue
            yield MediaPipePose(
                np.array([(p.x, p.y) for p in result.pose_landmarks[0]]),
                np.array([(p.x, p.y, p.z) for p in result.pose_world_landmarks[0]]),
                result.segmentation_masks[0].numpy_view().copy(),
            )


def landmark_distances(first: MediaPipePose, second: MediaPipePose, shape: tuple[int, ...]) -> np.ndarray:
    """Return the distance of each landmark in torsos of the first pose."""
    one, other = (pose.landmarks * shape[1::-1] for pose in (first, second))
    torso = np.linalg.norm(one[LEFT_SHOULDER] - one[RIGHT_HIP])
    return np.linalg.norm(one - other, axis=1) / torso


def time_ratio(files: list[Path], threads: int) -> str:
    """Time two files by turns, and return their medians and the ratio."""
    opened = open_files(files)
    latencies = measure_latency(opened, [threads], _ROUNDS, None)
    first, second = (latencies[file.name, LANDMARKS, threads].wall_ms for file in opened)
    return f"{np.median(first):.2f} ms, {np.median(second):.2f} ms: {np.median(second / first):.3f}"


def accelerator(file: Path, spec: str, count: int) -> Iterator[str]:
    """Yield the largest difference of each output between LiteRT's GPU accelerator and its CPU."""
    size = LandmarkEngine(file).input_size
    people = [p for p in read_source(spec).annotations if alignment_error(p) is None][:count]
    crops = [
        crop_image(read_image(p.image, p.image_size), roi_to_image_matrix(aligned_roi(p)), size)
        for p in people
    ]
    on_cpu, on_gpu = (
        run_litert(file, kind, crops) for kind in (HardwareAccelerator.CPU, HardwareAccelerator.GPU)
    )
    for k, (cpu, gpu) in enumerate(zip(on_cpu, on_gpu, strict=True)):
        yield f"output {k}: {np.abs(cpu - gpu).max():.2g} of {np.abs(cpu).max():.4g}"


def run_litert(file: Path, kind: HardwareAccelerator, crops: list[np.ndarray]) -> list[np.ndarray]:
    """Return each output (crops, values) on one accelerator alone, which has to take every operator."""
    model = CompiledModel.from_file(str(file), kind)
    key, signature = next(iter(model.get_signature_list().items()))
    details = model.get_output_tensor_details(key)
    sizes = [math.prod(details[name]["shape"]) for name in signature["outputs"]]
    inputs, outputs = model.create_input_buffers(0), model.create_output_buffers(0)
    rows = []
    for crop in crops:
        inputs[0].write((crop.astype(np.float32) / 255).ravel())
        model.run_by_index(0, inputs, outputs)
        rows.append([buffer.read(n, np.float32) for buffer, n in zip(outputs, sizes, strict=True)])
    return [np.stack(values) for values in zip(*rows, strict=True)]


@friendly_errors
def main() -> None:
    """Print the result of one of the commands."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(required=True)
    add = commands.add_parser("moved")
    add.add_argument("files", type=Path, nargs=2)
    add.add_argument("media", type=Path, nargs="+")
    add.set_defaults(table=lambda args: moved(*args.files, args.media))
    add = commands.add_parser("time")
    add.add_argument("files", type=Path, nargs=2)
    add.add_argument("--threads", type=int, default=1)
    add.set_defaults(table=lambda args: [time_ratio(args.files, args.threads)])
    add = commands.add_parser("accelerator")
    add.add_argument("file", type=Path)
    add.add_argument("data")
    add.add_argument("--people", type=int, default=10)
    add.set_defaults(table=lambda args: accelerator(args.file, args.data, args.people))
    args = parser.parse_args()
    print(*args.table(args), sep="\n")


if __name__ == "__main__":
    main()
