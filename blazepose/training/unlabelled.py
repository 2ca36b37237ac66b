"""People in pictures without labels, found by a detector and the teacher of the training."""

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from tqdm import tqdm

from blazepose.atomic import atomic_path, file_sha256
from blazepose.data.annotation import UNKNOWN, Annotation, Source
from blazepose.data.image_folders import find_image_files
from blazepose.data.readers import READERS, read_source
from blazepose.exceptions import InputError
from blazepose.geometry import Roi, crop_image, roi_from_alignment, roi_to_image, roi_to_image_matrix
from blazepose.image import ImageError, read_image
from blazepose.models.landmark_net import LandmarkNet, network_input
from blazepose.runs import RUNS
from blazepose.runtime.person_detector import PersonDetector
from blazepose.runtime.roi_inputs import is_valid_roi
from blazepose.training.teacher import Teacher, lock

log = logging.getLogger(__name__)

_MIN_PRESENCE = 0.5
"""Pose score from which a detected person is used. Source: MediaPipe's min_pose_presence_confidence."""

_LICENSE = "images without labels, licensed by their owner"


class UnlabelledImages(NamedTuple):
    """The images of a folder or of a data set, and the detector that finds the people in them."""

    spec: str
    images: list[Path]
    license: str
    detector: Path


def list_unlabelled(specs: list[str], teacher: Path, init: str | None) -> list[UnlabelledImages]:
    """List the images of each spec.

    Args:
        specs: folders of images; or `reader:path[:split]`, whose labels are not used.
        teacher: file of the teacher.
        init: initial weights: a bundle among these and the teacher's has the detector.

    Raises:
        FileNotFoundError: if a folder or file is missing.
        ValueError: if there is no detector, or no image in a spec.
    """
    return [UnlabelledImages(spec, *_list_images(spec), _detector_file(teacher, init)) for spec in specs]


def _detector_file(teacher: Path, init: str | None) -> Path:
    for path in (teacher, Path(init or "").expanduser()):
        if path.suffix == ".task":
            return path
    raise InputError(
        "data.unlabelled needs a detector to find people: name a .task bundle with init= or teacher=, for "
        "instance Google's pose_landmarker_full.task"
    )


def find_people(unlabelled: UnlabelledImages, teacher: Teacher, device: torch.device) -> Source:
    """Return the people in the images, without labels, each with the ROI of the crop.

    They are found unless an earlier run has done so.

    Args:
        unlabelled: the images.
        teacher: its alignment points refine the detector's ROI.
        device: device of the teacher.

    Raises:
        ValueError: if there is no person in any image.
    """
    spec, images, license_text, detector = unlabelled
    content = [f"{path.absolute()} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in images]
    key = hashlib.sha256("\n".join([teacher.sha256, file_sha256(detector), *content]).encode()).hexdigest()
    file = RUNS / "teacher" / f"{key[:16]}.json"
    with lock(file):
        if not file.is_file():
            found = _detect(images, teacher.net, PersonDetector.load(detector), device, spec)
            with atomic_path(file) as part:
                part.write_text(json.dumps([[index, *astuple(roi)] for index, roi in found]))
    topology = teacher.net.topology
    count = topology.num_landmarks
    people = [
        Annotation(
            image=images[index],
            person=str(number),
            landmarks_px=np.zeros((count, 2), np.float32),
            labelled=np.zeros(count, bool),
            visibility=np.full(count, UNKNOWN, np.int8),
            roi=Roi(*values),
            topology=topology,
        )
        for number, (index, *values) in enumerate(json.loads(file.read_text()))
    ]
    if not people:
        raise InputError(f"data.unlabelled: no person was found in the images of {spec}; name other images")
    without = len(images) - len({person.image for person in people})
    left_out = {"images without a person": without} if without else {}
    return Source(spec, "unlabelled", people, license_text, left_out)


def _list_images(spec: str) -> tuple[list[Path], str]:
    """Return the images of a folder or of a data set, and their license."""
    if spec.partition(":")[0] not in READERS:
        return find_image_files(spec, "data.unlabelled"), _LICENSE
    source = read_source(spec)
    return sorted({person.image for person in source.annotations}), source.license


def _detect(
    images: list[Path], net: LandmarkNet, detector: PersonDetector, device: torch.device, spec: str
) -> Iterator[tuple[int, Roi]]:
    """Yield the index of the image and the ROI of each person."""
    net = net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    for index, path in enumerate(tqdm(images, desc=f"people in {spec}", unit=" images", disable=None)):
        try:
            image = read_image(path)
        except ImageError as error:
            log.warning("%s; skipped", error)
            continue
        for detection in detector(image):
            roi = detection.roi_for(net.topology)
            if is_valid_roi(roi) and (refined := _refine(net, image, roi, device)):
                yield index, refined


def _refine(net: LandmarkNet, image: np.ndarray, roi: Roi, device: torch.device) -> Roi | None:
    """Return the ROI by the network's alignment points; None where it finds no person."""
    size = net.input_spec.size
    crop = crop_image(image, roi_to_image_matrix(roi), size)
    with torch.inference_mode():
        out = net(network_input(torch.from_numpy(crop)[None].to(device)), masks=0)
    alignment = out.landmarks[0, [net.topology.roi_center, net.topology.roi_scale], :2]
    points = roi_to_image(roi, alignment.double().cpu().numpy() / size)
    refined = roi_from_alignment(*points, net.topology.roi.expansion)
    present = float(out.pose_logit.sigmoid()) > _MIN_PRESENCE
    return refined if present and is_valid_roi(refined) else None
