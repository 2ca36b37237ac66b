"""First pass: run an engine on the labelled people of data sources."""

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
from blazepose.decoding import Decoding, check_decoding, default_decoding
from blazepose.evaluation.predictions import (
    Prediction,
    missed_person,
    person_key,
    require_unique,
)
from blazepose.exceptions import InputError
from blazepose.geometry import Roi, crop_image, roi_to_image, roi_to_image_matrix
from blazepose.image import read_image
from blazepose.runtime.crop_to_image import (
    PERSON_FROM,
    landmarks_to_image,
    mask_to_image,
    world_to_image_axes,
)
from blazepose.runtime.decode import decode_outputs
from blazepose.runtime.engines import InferenceEngine
from blazepose.supervised_outputs import SupervisedOutputs

# The tolerance that the model card states for tracking. See docs/reference/metrics.md.
_JITTER = 0.1
_JITTER_RAD = math.radians(8)


class CropJob(NamedTuple):
    """A person to predict, with the crop.

    Attributes:
        reader: name of the reader.
        annotation: annotation of the person.
        roi: square region of the crop.
        detected: False for a missed person: nothing is predicted, and every point counts as wrong.
        min_presence: pose presence at or below which the person counts as missed.
    """

    reader: str
    annotation: Annotation
    roi: Roi
    detected: bool = True
    min_presence: float = -math.inf


def jittered_roi(annotation: Annotation, seed: int) -> Roi:
    """Shift and scale the aligned ROI by up to 10 % of its side and rotate it by up to 8 degrees.

    The result depends on the seed, the image name and the person only, not on order, folder or threads.
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
"""Sources of the crop: values of `roi=` of blazepose eval."""


def plan_label_crops(sources: list[Source], crop: str, seed: int) -> list[CropJob]:
    """Plan a crop for each person whose labels allow an aligned one; scoring counts the others.

    Args:
        sources: labelled people.
        crop: key of CROPS.
        seed: seed of the jitter.

    Raises:
        ValueError: if no person allows a crop, or if two sources label the same person.
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
    """Check that there are crops, and no person twice.

    Raises:
        ValueError: if there is none, or if a person occurs twice.
    """
    if not jobs:
        names = ", ".join(source.name for source in sources)
        people = [person for source in sources for person in source.annotations]
        by_head = any(person.topology.roi.upward_by_head for person in people)
        needed = "both shoulders, and hips or head," if by_head else "both hips and both shoulders"
        raise InputError(f"no person in {names} has {needed} labelled, so no crop can be made")
    require_unique(person_key(job.reader, job.annotation) for job in jobs)


def predict(
    engine: InferenceEngine,
    jobs: list[CropJob],
    crop: str,
    batch_size: int = 16,
    decoding: Decoding | None = None,
) -> Iterator[Prediction]:
    """Run an engine on people, while threads cut the crops of the next batches.

    Args:
        engine: inference engine of the network.
        jobs: people and their crops.
        crop: source of the crops, for the predictions.
        batch_size: crops per batch.
        decoding: how to compute x and y; None for the decoding that the weights are made for.

    Raises:
        ValueError: if an image cannot be read, if the network returns NaN or infinity for a person, or if it
            lacks what the decoding needs.
    """
    decoding = decoding or default_decoding(engine.metadata)
    check_decoding(decoding, engine.metadata)
    supervised = SupervisedOutputs.from_metadata(engine.metadata.get("trained"), engine.topology)
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        tqdm(total=len(jobs), unit=" images", desc="predicting", disable=None) as progress,
    ):
        crops = _prefetch(pool, lambda job: cut_crop(job, engine.input_size), jobs, 2 * batch_size)
        for start in range(0, len(jobs), batch_size):
            batch = jobs[start : start + batch_size]
            images = np.stack(list(islice(crops, len(batch))))
            yield from _predict_batch(engine, batch, images, crop, supervised, decoding)
            progress.update(len(batch))


def cut_crop(job: CropJob, size: int) -> np.ndarray:
    """Cut the network input of a person, uint8 (size, size, 3)."""
    image = read_image(job.annotation.image, job.annotation.image_size)
    return crop_image(image, roi_to_image_matrix(job.roi), size)


def _prefetch(
    pool: ThreadPoolExecutor, work: Callable[[CropJob], np.ndarray], jobs: Iterable[CropJob], window: int
) -> Iterator[np.ndarray]:
    """Yield results in order, with at most `window` pending: pool.map would keep all of them."""
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
    supervised: SupervisedOutputs,
    decoding: Decoding,
) -> Iterator[Prediction]:
    raw = engine(images)
    decoded = decode_outputs(raw, engine.input_size, decoding)
    masks = decoded.segmentation if "segmentation" in supervised.outputs else None
    count = supervised.topology.num_landmarks
    for k, job in enumerate(jobs):
        annotation, roi = job.annotation, job.roi
        outputs = [raw.landmarks[k], decoded.landmarks[k], *([] if raw.world is None else [raw.world[k]])]
        if not all(np.isfinite(output).all() for output in outputs):
            person = f"{annotation.image}, person {annotation.person}"
            raise InputError(f"{person}: the network returns NaN or infinity; use other weights")
        presence = float(decoded.pose_presence[k])
        if not job.detected or presence <= job.min_presence:
            yield missed_person(str(annotation.image), annotation.person, job.reader, crop, roi, supervised)
            continue
        yield Prediction(
            image=str(annotation.image),
            person=annotation.person,
            reader=job.reader,
            crop=crop,
            roi=roi,
            landmarks=landmarks_to_image(decoded.landmarks[k, :count], roi),
            landmarks_raw=None
            if raw.refined or raw.decoded
            else roi_to_image(roi, decoded.regressed[k, :count]),
            landmarks_world=None if decoded.world is None else world_to_image_axes(decoded.world[k], roi),
            pose_presence=None if math.isnan(presence) else presence,
            supervised=supervised,
            mask=None if masks is None else _encode_mask(annotation.mask, masks[k], roi),
            decoding=decoding,
        )


def _encode_mask(target: Mapping[str, Any] | None, logits: np.ndarray, roi: Roi) -> dict[str, Any] | None:
    """Encode the mask of a crop in the image like the label; None without a label."""
    if target is None:
        return None
    height, width = target["size"]
    pixels = mask_to_image(logits, roi, width, height) >= PERSON_FROM
    encoded = run_lengths.encode(np.asfortranarray(pixels, np.uint8))
    return {"size": [height, width], "counts": encoded["counts"].decode()}
