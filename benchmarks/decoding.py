"""Decoding by heatmaps: the choice of its constants, landmarks outside the picture, time, GPU, and jumps.

python benchmarks/decoding.py choose pose_landmark_lite.tflite lsp:data/lspet_train
python benchmarks/decoding.py cut pose_landmark_lite.tflite lsp:data/lspet_train
python benchmarks/decoding.py time lite_regression.task lite_heatmap.task --threads 1
python benchmarks/decoding.py accelerator lite_heatmap.tflite lsp:data/lspet_val
python benchmarks/decoding.py moved full_regression.task full_heatmap.task pose.jpg pose_squats.mp4
python benchmarks/decoding.py turn pose_landmark_lite.tflite lsp:data/lspet_val

Without a GPU, `accelerator` runs on one in software, such as chromium's:
VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json LD_LIBRARY_PATH=/usr/lib/chromium
"""

import argparse
import math
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import mediapipe
import numpy as np
import torch
from ai_edge_litert.compiled_model import CompiledModel
from ai_edge_litert.hardware_accelerator import HardwareAccelerator
from mediapipe.tasks.python import BaseOptions, vision
from torch import nn
from tqdm import tqdm

from blazepose.data.align import aligned_roi, alignment_error
from blazepose.data.annotation import Annotation
from blazepose.data.readers import read_source
from blazepose.decoding import Decoding
from blazepose.errors import friendly_errors
from blazepose.geometry import Roi, crop_image, image_to_roi, roi_to_image, roi_to_image_matrix
from blazepose.image import read_image
from blazepose.metrics.pck import PCK_THRESHOLD, torso_size
from blazepose.models.heatmap_decoder import HeatmapDecoder
from blazepose.runtime.decode import (
    LANDMARK_VALUES,
    decode_landmarks,
    decode_outputs,
    decode_points,
    refine_by_heatmap,
)
from blazepose.runtime.engines import LandmarkEngine
from blazepose.runtime.media import open_source
from blazepose.topology import (
    INDEX,
    LEFT_HIP,
    LEFT_SHOULDER,
    NUM_LANDMARKS,
    NUM_OUTPUTS,
    RIGHT_HIP,
)

CONSTANTS = ((8, math.inf), (8, 6), (8, 3), (12, 6), (4, 6), (2, 6))
"""Factor of the logits and standard deviation of the prior in cells, as compared."""

DEGREES = range(-4, 5)
_ROUNDS, _RUNS = 9, 20


def aligned_people(spec: str) -> list[Annotation]:
    """Return the people whose labels allow a crop, and that have a torso to measure errors by."""
    people = [person for person in read_source(spec).annotations if alignment_error(person) is None]
    return [person for person in people if torso_px(person) > 0]


def torso_px(person: Annotation) -> float:
    """Return the distance from left shoulder to right hip, in pixels."""
    return float(torso_size(person.landmarks_px[None], person.labelled[None], "across")[0])


def drawn_people(spec: str, count: int) -> list[Annotation]:
    """Return some of the people of a data set, drawn at random."""
    people = aligned_people(spec)
    chosen = np.random.default_rng(0).permutation(len(people))[:count]
    return [people[k] for k in sorted(chosen.tolist())]


def errors_of(person: Annotation, roi: Roi, points_roi: np.ndarray, scored: np.ndarray) -> np.ndarray:
    """Return the errors of some landmarks of a person, in torsos."""
    at_px = roi_to_image(roi, points_roi[0, :NUM_LANDMARKS].astype(np.float64))
    return np.linalg.norm(at_px - person.landmarks_px, axis=1)[scored] / torso_px(person)


def table_rows(errors: dict[str, list[np.ndarray]]) -> Iterator[str]:
    """Yield PCK@0.2 and the mean error of each way to decode, in per cent."""
    for name, parts in errors.items():
        values = np.concatenate(parts)
        yield f"| {name} | {100 * (values < PCK_THRESHOLD).mean():.1f}, {100 * values.mean():.1f} |"


def choose(weights: Path, spec: str, count: int) -> Iterator[str]:
    """Yield PCK@0.2 and the mean error for each pair of constants."""
    engine = LandmarkEngine(weights)
    sides = engine.input_size // 4, engine.input_size
    identity = nn.Conv2d(NUM_OUTPUTS, NUM_OUTPUTS, 1, bias=False)
    identity.weight.data = torch.eye(NUM_OUTPUTS)[:, :, None, None]
    decoders = {pair: HeatmapDecoder(identity, *sides, *pair) for pair in CONSTANTS}
    errors: dict[str, list[np.ndarray]] = {}
    for person in tqdm(drawn_people(spec, count), unit=" people", disable=None):
        roi = aligned_roi(person)
        image = read_image(person.image, person.image_size)
        raw = engine(crop_image(image, roi_to_image_matrix(roi), engine.input_size)[None])
        assert raw.heatmaps is not None
        regressed = decode_landmarks(raw.landmarks, engine.input_size)[..., :2]
        presence = torch.from_numpy(raw.landmarks.reshape(-1, NUM_OUTPUTS, LANDMARK_VALUES)[..., 4:])
        located = {"regression": regressed}
        for (factor, sigma), decoder in decoders.items():
            with torch.inference_mode():
                features = torch.from_numpy(raw.heatmaps).permute(0, 3, 1, 2)
                at_px = torch.from_numpy(regressed).float() * engine.input_size
                points = decoder(features, at_px, presence)
            located[f"{factor}, {sigma:g}"] = points.numpy() / engine.input_size
        for name, points_roi in located.items():
            refined = refine_by_heatmap(points_roi, raw.heatmaps)
            errors.setdefault(name, []).append(errors_of(person, roi, refined, person.labelled))
    yield from table_rows(errors)


def cut(weights: Path, spec: str, count: int) -> Iterator[str]:
    """Yield PCK@0.2 and the mean error of legs outside the picture, which is cut off below the hips."""
    engine, legs = LandmarkEngine(weights), np.arange(NUM_LANDMARKS) >= INDEX["left_knee"]
    errors: dict[str, list[np.ndarray]] = {}
    for person in tqdm(drawn_people(spec, count), unit=" people", disable=None):
        torso, y = torso_px(person), np.where(person.labelled, person.landmarks_px[:, 1], np.nan)
        end = int(max(y[LEFT_HIP], y[RIGHT_HIP]) + torso / 10)
        scored = legs & person.labelled
        if not scored.any() or np.nanmax(y[~legs]) > end or y[scored].min() <= end:
            continue
        roi = aligned_roi(person)
        image = np.ascontiguousarray(read_image(person.image, person.image_size)[:end])
        raw = engine(crop_image(image, roi_to_image_matrix(roi), engine.input_size)[None])
        assert raw.heatmaps is not None
        landmarks = decode_landmarks(raw.landmarks, engine.input_size)
        regressed, presence = landmarks[..., :2], landmarks[..., 4]
        for name, decoding, present in (
            ("mediapipe", "mediapipe", None),
            ("heatmap, as if all were present", "heatmap", None),
            ("heatmap", "heatmap", presence),
        ):
            points_roi = decode_points(regressed, raw.heatmaps, decoding, present)
            errors.setdefault(name, []).append(errors_of(person, roi, points_roi, scored))
    for line in table_rows(errors):
        yield f"{line} {len(next(iter(errors.values())))} people"


def time_ratio(files: list[Path], threads: int) -> str:
    """Time two files by turns, and return their medians and the ratio."""
    engines = [LandmarkEngine(file, threads) for file in files]
    image = np.random.default_rng(0).integers(0, 256, (1, *2 * [engines[0].input_size], 3), dtype=np.uint8)
    times = np.zeros((_ROUNDS + 1, len(files)))
    for row in tqdm(times, disable=None):
        for k, engine in enumerate(engines):
            start = time.perf_counter()
            for _ in range(_RUNS):
                engine(image)
            row[k] = 1000 * (time.perf_counter() - start) / _RUNS
    first, second = np.median(times[1:], axis=0)  # the first round warms up
    return f"{first:.2f} ms, {second:.2f} ms: {np.median(times[1:, 1] / times[1:, 0]):.3f}"


def accelerator(file: Path, spec: str, count: int) -> Iterator[str]:
    """Yield the largest difference of each output between LiteRT's GPU accelerator and its CPU."""
    size = LandmarkEngine(file).input_size
    people = aligned_people(spec)[:count]
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


def moved(original: Path, changed: Path, media: list[Path]) -> Iterator[str]:
    """Yield how far two bundles' outputs are apart in MediaPipe, in image and in video mode."""
    for path in media:
        source = open_source(str(path))
        with closing(source.frames):
            frames = [frame.image for frame in source.frames]
        for mode in ("IMAGE", "VIDEO"):
            first, second = (list(run_mediapipe(file, frames, mode)) for file in (original, changed))
            pairs = [(a, b) for a, b in zip(first, second, strict=True) if a and b]
            distances = np.concatenate([landmark_distances(a, b, frames[0].shape) for a, b in pairs])
            world = max(np.abs(a.world - b.world).max() for a, b in pairs)
            masks = max(np.abs(a.mask - b.mask).max() for a, b in pairs)
            median, high, largest = 100 * np.quantile(distances, [0.5, 0.95, 1])
            yield (
                f"{path.name}, {mode}: {len(pairs)} frames; landmarks {median:.2f} % of the torso apart "
                f"(median), {high:.1f} (95th percentile), {largest:.0f} (largest); "
                f"world {1000 * world:.2g} mm, masks {masks:.2g}"
            )


class MediaPipePose(NamedTuple):
    """Outputs of MediaPipe for a frame: landmarks (33, 2) of width and height, world (33, 3) meters, mask."""

    landmarks: np.ndarray
    world: np.ndarray
    mask: np.ndarray


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


def turn(weights: Path, spec: str, every: int) -> Iterator[str]:
    """Yield how far labelled landmarks move if the crop turns by a degree, in per cent of the torso.

    The crops are the frames of a video: each decoding with `previous` starts from the landmarks before.
    """
    engine, people = LandmarkEngine(weights), aligned_people(spec)[::every]
    ways: list[tuple[str, Decoding]] = [
        ("mediapipe", "mediapipe"),
        ("heatmap", "heatmap"),
        ("heatmap, previous", "heatmap"),
    ]
    steps: dict[str, list[np.ndarray]] = {name: [] for name, _ in ways}
    correct: dict[str, list[np.ndarray]] = {name: [] for name, _ in ways}
    for person in tqdm(people, unit=" people", disable=None):
        image, start = read_image(person.image, person.image_size), aligned_roi(person)
        rois = [replace(start, rotation_rad=start.rotation_rad + math.radians(angle)) for angle in DEGREES]
        raws = [engine(crop_image(image, roi_to_image_matrix(roi), engine.input_size)[None]) for roi in rois]
        for name, decoding in ways:
            points: list[np.ndarray] = []
            for roi, raw in zip(rois, raws, strict=True):
                previous = image_to_roi(roi, points[-1])[None] if points and "previous" in name else None
                decoded = decode_outputs(raw, engine.input_size, decoding, previous).landmarks[0]
                points.append(roi_to_image(roi, decoded[:NUM_LANDMARKS, :2].astype(np.float64)))
            track = np.stack(points)[:, person.labelled]
            moved = np.linalg.norm(np.diff(track, axis=0), axis=2) / torso_px(person)
            error = np.linalg.norm(track - person.landmarks_px[person.labelled], axis=2) / torso_px(person)
            steps[name].append(100 * moved.ravel())
            correct[name].append(error.ravel() < PCK_THRESHOLD)
    for name, parts in steps.items():
        values = np.concatenate(parts)
        large = 100 * (values > 50).mean()
        pck = 100 * np.concatenate(correct[name]).mean()
        yield f"| {name} | {np.median(values):.2f} | {values.mean():.2f} | {large:.2f} % | {pck:.1f} |"


@friendly_errors
def main() -> None:
    """Print the table of one of the commands."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, table, option, default in (
        ("choose", choose, "--people", 800),
        ("cut", cut, "--people", 800),
        ("accelerator", accelerator, "--people", 10),
        ("turn", turn, "--every", 3),
    ):
        add = commands.add_parser(name)
        add.add_argument("weights", type=Path)
        add.add_argument("data")
        add.add_argument(option, type=int, default=default, dest="number")
        add.set_defaults(table=lambda args, table=table: table(args.weights, args.data, args.number))
    add = commands.add_parser("time")
    add.add_argument("files", type=Path, nargs=2)
    add.add_argument("--threads", type=int, default=1)
    add.set_defaults(table=lambda args: [time_ratio(args.files, args.threads)])
    add = commands.add_parser("moved")
    add.add_argument("files", type=Path, nargs=2)
    add.add_argument("media", type=Path, nargs="+")
    add.set_defaults(table=lambda args: moved(*args.files, args.media))
    args = parser.parse_args()
    print(*args.table(args), sep="\n")


if __name__ == "__main__":
    main()
