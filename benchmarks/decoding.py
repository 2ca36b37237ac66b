"""Decoding by heatmaps: the choice of its constants, landmarks outside the picture, and jumps.

python benchmarks/decoding.py choose pose_landmark_lite.tflite lsp:data/lspet_train
python benchmarks/decoding.py cut pose_landmark_lite.tflite lsp:data/lspet_train
python benchmarks/decoding.py turn pose_landmark_lite.tflite lsp:data/lspet_val
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from blazepose.data.align import aligned_roi, alignment_error
from blazepose.data.annotation import Annotation
from blazepose.data.readers import read_source
from blazepose.decoding import Decoding, check_decoding
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
from blazepose.topologies.full_body import INDEX, LEFT_HIP, NUM_LANDMARKS, NUM_OUTPUTS, RIGHT_HIP

CONSTANTS = ((8, math.inf), (8, 6), (8, 3), (12, 6), (4, 6), (2, 6))
"""Factor of the logits and standard deviation of the prior in cells, as compared."""

DEGREES = range(-4, 5)


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


def regressing_engine(weights: Path) -> LandmarkEngine:
    """Open a file, which has to return the regression."""
    engine = LandmarkEngine(weights)
    check_decoding("regression", engine.metadata)
    return engine


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
    engine = regressing_engine(weights)
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
    engine, legs = regressing_engine(weights), np.arange(NUM_LANDMARKS) >= INDEX["left_knee"]
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


def turn(weights: Path, spec: str, every: int) -> Iterator[str]:
    """Yield how far labelled landmarks move if the crop turns by a degree, in per cent of the torso.

    The crops are the frames of a video: each decoding with `previous` starts from the landmarks before.
    """
    engine, people = regressing_engine(weights), aligned_people(spec)[::every]
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
            step = np.linalg.norm(np.diff(track, axis=0), axis=2) / torso_px(person)
            error = np.linalg.norm(track - person.landmarks_px[person.labelled], axis=2) / torso_px(person)
            steps[name].append(100 * step.ravel())
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
        ("turn", turn, "--every", 3),
    ):
        add = commands.add_parser(name)
        add.add_argument("weights", type=Path)
        add.add_argument("data")
        add.add_argument(option, type=int, default=default, dest="number")
        add.set_defaults(table=lambda args, table=table: table(args.weights, args.data, args.number))
    args = parser.parse_args()
    print(*args.table(args), sep="\n")


if __name__ == "__main__":
    main()
