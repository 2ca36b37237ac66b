"""First pass: the people of some sources through an engine."""

import hashlib
import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from pycocotools import mask as run_lengths
from tqdm import tqdm

from blazepose.data.align import aligned_roi, alignment_error
from blazepose.data.annotation import Annotation, Source
from blazepose.evaluation.predictions import (
    Prediction,
    learned_output,
    missed_person,
    person_key,
    require_unique,
)
from blazepose.geometry import Roi, crop_image, roi_to_image, roi_to_image_matrix
from blazepose.image import read_image
from blazepose.runtime.decode import (
    PERSON_FROM,
    decode_landmarks,
    landmarks_to_image,
    mask_to_image,
    refine_by_heatmap,
    world_to_image_axes,
)
from blazepose.runtime.engines import InferenceEngine
from blazepose.topology import NUM_LANDMARKS, NUM_OUTPUTS

# What the model card says tracking tolerates. Source: interface.md, eval.py writes.
_JITTER = 0.1
_JITTER_RAD = math.radians(8)


class CropJob(NamedTuple):
    """A person to look at, and the square to look through.

    Attributes:
        reader: name of the reader.
        annotation: of the person.
        roi: the square.
        found: False of somebody whom the detector did not find: nothing is predicted, and all of it is wrong.
        min_presence: pose presence up to which nobody is there, and somebody who is counts as not found.
    """

    reader: str
    annotation: Annotation
    roi: Roi
    found: bool = True
    min_presence: float = -math.inf


def jittered_roi(annotation: Annotation, seed: int) -> Roi:
    """The aligned ROI, shifted and scaled by up to 10 % of its side and turned by up to 8 degrees.

    It depends on the seed, the picture's name and the person only, not on order, folder or threads.
    """
    roi = aligned_roi(annotation)
    name = f"{annotation.image.name}/{annotation.person}".encode()
    person = int.from_bytes(hashlib.blake2b(name, digest_size=8).digest())
    x, y, scale, turn = np.random.default_rng([seed, person]).uniform(-1, 1, 4).tolist()
    return Roi(
        center_x=roi.center_x + _JITTER * x * roi.side,
        center_y=roi.center_y + _JITTER * y * roi.side,
        side=roi.side * (1 + _JITTER * scale),
        rotation_rad=roi.rotation_rad + _JITTER_RAD * turn,
    )


CROPS: Mapping[str, Callable[[Annotation, int], Roi]] = {
    "annotation": lambda annotation, seed: aligned_roi(annotation),
    "jitter": jittered_roi,
}
"""Where the crop comes from: `roi=` of eval.py."""


def plan_label_crops(sources: list[Source], crop: str, seed: int) -> list[CropJob]:
    """Everybody an aligned crop can be made of; scoring counts the others.

    Args:
        sources: the people.
        crop: key of CROPS.
        seed: of the jitter.

    Raises:
        ValueError: if there is nobody to make a crop of, or if two sources mean the same person.
    """
    jobs = [
        CropJob(source.reader, annotation, CROPS[crop](annotation, seed))
        for source in sources
        for annotation in source.annotations
        if alignment_error(annotation) is None
    ]
    require_people(jobs, sources)
    return jobs


def require_people(jobs: list[CropJob], sources: list[Source]) -> None:
    """Refuse sources without anybody to look at, or with somebody twice.

    Raises:
        ValueError: says so.
    """
    if not jobs:
        names = ", ".join(source.name for source in sources)
        raise ValueError(f"{names}: nobody has labelled hips and shoulders, so there is no crop to look at")
    require_unique(person_key(job.reader, job.annotation) for job in jobs)


def predict(
    engine: InferenceEngine, jobs: list[CropJob], crop: str, batch_size: int = 16
) -> Iterator[Prediction]:
    """Run an engine over people; threads cut the next crops meanwhile, a few batches ahead.

    Raises:
        ValueError: names the picture that cannot be read, or the person for whom the network returns no
            numbers.
    """
    trained = engine.metadata.get("trained")
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        tqdm(total=len(jobs), unit=" images", desc="predicting", disable=None) as progress,
    ):
        crops = _ahead(pool, lambda job: cut_crop(job, engine.input_size), jobs, 2 * batch_size)
        for start in range(0, len(jobs), batch_size):
            batch = jobs[start : start + batch_size]
            yield from _predict_batch(engine, batch, np.stack(list(islice(crops, len(batch)))), crop, trained)
            progress.update(len(batch))


def cut_crop(job: CropJob, size: int) -> np.ndarray:
    """What the network sees of a person, uint8 (size, size, 3)."""
    image = read_image(job.annotation.image, job.annotation.image_size)
    return crop_image(image, roi_to_image_matrix(job.roi), size)


def _ahead(
    pool: ThreadPoolExecutor, work: Callable[[CropJob], np.ndarray], jobs: Iterable[CropJob], window: int
) -> Iterator[np.ndarray]:
    """Results in order, with at most `window` of them waiting: pool.map would keep all of them."""
    pending: deque[Future[np.ndarray]] = deque()
    for job in jobs:
        pending.append(pool.submit(work, job))
        if len(pending) == window:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


def _predict_batch(
    engine: InferenceEngine,
    jobs: list[CropJob],
    images: np.ndarray,
    crop: str,
    trained: dict[str, list[str]] | None,
) -> Iterator[Prediction]:
    raw = engine(images)
    regressed = decode_landmarks(raw.landmarks, engine.input_size)
    refined = refine_by_heatmap(regressed[..., :2], raw.heatmaps)
    world = raw.world.reshape(-1, NUM_OUTPUTS, 3)
    masks = raw.segmentation if learned_output(trained, "segmentation") else None
    for k, job in enumerate(jobs):
        annotation, roi = job.annotation, job.roi
        if not (np.isfinite(raw.landmarks[k]).all() and np.isfinite(raw.world[k]).all()):
            person = f"{annotation.image}, person {annotation.person}"
            raise ValueError(f"{person}: the network returns NaN or infinity; name other weights")
        landmarks = np.concatenate([refined[k], regressed[k, :, 2:]], axis=1)
        if not job.found or raw.pose_presence[k, 0] <= job.min_presence:
            yield missed_person(str(annotation.image), annotation.person, job.reader, crop, roi, trained)
            continue
        yield Prediction(
            image=str(annotation.image),
            person=annotation.person,
            reader=job.reader,
            crop=crop,
            roi=roi,
            landmarks=landmarks_to_image(landmarks, roi)[:NUM_LANDMARKS],
            landmarks_raw=None
            if raw.heatmaps is None
            else roi_to_image(roi, regressed[k, :NUM_LANDMARKS, :2]),
            landmarks_world=world_to_image_axes(world[k], roi)[:NUM_LANDMARKS],
            pose_presence=None if np.isnan(raw.pose_presence[k]).any() else float(raw.pose_presence[k, 0]),
            trained=trained,
            mask=None if masks is None else _mask_like(annotation.mask, masks[k, ..., 0], roi),
        )


def _mask_like(target: Mapping[str, Any] | None, logits: np.ndarray, roi: Roi) -> dict[str, Any] | None:
    """The segmentation of a crop as a mask of its picture, encoded as the label is, if there is one."""
    if target is None:
        return None
    height, width = target["size"]
    pixels = mask_to_image(logits, roi, width, height) >= PERSON_FROM
    encoded = run_lengths.encode(np.asfortranarray(pixels, np.uint8))
    return {"size": [height, width], "counts": encoded["counts"].decode()}
