"""Annotations to samples: read, crop, augment, label."""

from pathlib import Path

import numpy as np

from blazepose.config.landmark import Augmentation
from blazepose.data.align import aligned_roi, body_and_torso, crop_matrix, points_in_crop, presence_labels
from blazepose.data.annotation import UNKNOWN, Annotation, Source
from blazepose.data.augment import (
    AffineParams,
    distort_pixels,
    erase_random,
    mark_hidden,
    sample_affine,
    sample_truncation,
)
from blazepose.data.epoch_dataset import EpochDataset
from blazepose.data.person_mask import BACKGROUND, IGNORE, crop_mask
from blazepose.data.sample import PoseSample
from blazepose.data.teacher_targets import TeacherStore, disturb_targets, no_targets
from blazepose.geometry import Roi, crop_image, roi_to_image_matrix
from blazepose.image import read_image
from blazepose.input_spec import InputSpec
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology

UNLABELLED_PER_LABELLED = 4
"""People without labels in an epoch, for each labelled one, if there are so many. Source:
docs/benchmarks/fine-tuning.md, "People without labels"."""

_UNDISTURBED = AffineParams(scale=1.0, shift=(0.0, 0.0), rotation_rad=0.0, hflip=False)


class PoseDataset(EpochDataset[PoseSample, Augmentation]):
    """Aligned crops of annotated people, and random crops of negative images.

    Args:
        sources: results of the readers, filtered.
        input_spec: input size of the network.
        augmentation: None for evaluation: the undisturbed aligned crop.
        negatives: images without people, one random crop of each per epoch.
        seed: seed of the augmentation.
        teacher: outputs of a teacher for these people, then for the unlabelled ones, for the samples.
        unlabelled: people without labels. An epoch has up to UNLABELLED_PER_LABELLED of them for each of the
            others; if there are more, the next epoch has the next ones of a random order.
        topology: landmarks of the network, which the sources have.
    """

    def __init__(
        self,
        sources: list[Source],
        input_spec: InputSpec,
        augmentation: Augmentation | None = None,
        negatives: list[Path] | None = None,
        seed: int = 0,
        teacher: TeacherStore | None = None,
        unlabelled: list[Source] | None = None,
        topology: Topology = FULL_BODY,
    ) -> None:
        self.teacher = teacher
        self.topology = topology
        self.people = [annotation for source in sources for annotation in source.annotations]
        self.unlabelled = [annotation for source in unlabelled or [] for annotation in source.annotations]
        self._all_people = self.people + self.unlabelled
        self._drawn = min(UNLABELLED_PER_LABELLED * len(self.people), len(self.unlabelled))
        self._order = np.random.default_rng(seed).permutation(len(self.unlabelled))
        images = [person.image for person in self._all_people]
        super().__init__(images, input_spec, augmentation, negatives, seed)

    def __len__(self) -> int:
        return len(self.people) + self._drawn + len(self.negatives)

    def _choose(self, epoch: int, index: int) -> int:
        first = len(self.people)
        if index < first:
            return index
        if index < first + self._drawn:
            turn = epoch * self._drawn + index - first
            return first + int(self._order[turn % len(self.unlabelled)])
        return index - self._drawn + len(self.unlabelled)

    def _make(self, index: int, rng: np.random.Generator) -> PoseSample:
        people = len(self._all_people)
        if index < people:
            return self._person(index, self._all_people[index], rng)
        return self._negative(index, self.negatives[index - people], rng)

    def _person(self, index: int, annotation: Annotation, rng: np.random.Generator) -> PoseSample:
        size, augmentation = self.input_spec.size, self.augmentation
        image = read_image(annotation.image, annotation.image_size)
        roi = aligned_roi(annotation)
        params = sample_affine(augmentation, rng) if augmentation else _UNDISTURBED
        matrix = crop_matrix(roi, params.scale, params.shift, params.rotation_rad, params.hflip)
        frame = (0, 0, image.shape[1], image.shape[0])
        cut_off = augmentation and rng.random() < augmentation.truncation_prob
        if cut_off and annotation.roi is None:  # by the labels
            frame = sample_truncation(image.shape, *body_and_torso(annotation), rng)
        crop = _crop_frame(image, frame, matrix, size)
        mask = crop_mask(annotation, frame, matrix, size)
        points, labelled = points_in_crop(annotation, roi, matrix)
        count = self.topology.num_landmarks
        landmarks = points[:count]
        presence = presence_labels(annotation.landmarks_px, landmarks, annotation.labelled, np.array(frame))
        visibility = mark_hidden(annotation.visibility, presence == 0)
        erased = np.zeros((size, size), bool)
        if augmentation and rng.random() < augmentation.erasing_prob:
            covered, erased = erase_random(crop, landmarks, rng)
            visibility = mark_hidden(visibility, covered)
            mask[erased] = np.minimum(mask[erased], BACKGROUND)  # IGNORE stays IGNORE
        if augmentation:
            crop = distort_pixels(crop, augmentation, rng)
        sample = _sample(crop, index, self.topology)
        sample["points"][:, :2], sample["labelled"] = points, labelled
        sample["visibility"], sample["presence"] = visibility, presence
        sample["mask"] = mask
        if annotation.z_px is not None:
            z = annotation.z_px / (roi.side * params.scale)
            valid = annotation.labelled & np.isfinite(z)
            sample["points"][:count, 2] = np.where(valid, z, 0)
            sample["z_labelled"][:count] = valid
        if annotation.landmarks_world is not None:
            sample["world"], sample["world_labelled"] = _world_in_crop(annotation, roi, params)
        if self.teacher:
            sample["teacher"] = disturb_targets(
                self.teacher[index],
                roi_to_image_matrix(roi),
                matrix,
                params,
                np.array(frame),
                erased,
                self.topology,
            )
        return _swap_sides(sample, self.topology.mirror) if params.hflip else sample

    def _negative(self, index: int, path: Path, rng: np.random.Generator) -> PoseSample:
        image = read_image(path)
        height, width = image.shape[:2]
        side = min(height, width) * rng.uniform(0.3, 1.2)
        roi = Roi(rng.uniform(0, width), rng.uniform(0, height), side, rng.uniform(-np.pi, np.pi))
        matrix = crop_matrix(roi, 1.0, (0.0, 0.0), 0.0, bool(rng.random() < 0.5))
        size = self.input_spec.size
        crop = crop_image(image, matrix, size)
        if self.augmentation:
            crop = distort_pixels(crop, self.augmentation, rng)
        sample = _sample(crop, index, self.topology)
        sample["pose"] = np.float32(0)
        sample["mask"][:] = BACKGROUND
        if self.teacher:
            sample["teacher"] = no_targets(size, self.teacher.has_masks, self.topology)
        return sample


def _sample(crop: np.ndarray, index: int, topology: Topology) -> PoseSample:
    landmarks, outputs = topology.num_landmarks, topology.num_outputs
    return PoseSample(
        image=crop,
        points=np.zeros((outputs, 3), np.float32),
        labelled=np.zeros(outputs, bool),
        z_labelled=np.zeros(outputs, bool),
        visibility=np.full(landmarks, UNKNOWN, np.int8),
        presence=np.full(landmarks, UNKNOWN, np.int8),
        world=np.zeros((landmarks, 3), np.float32),
        world_labelled=np.zeros(landmarks, bool),
        mask=np.full(crop.shape[:2], IGNORE, np.uint8),
        pose=np.float32(1),
        index=np.int64(index),
    )


def _crop_frame(
    image: np.ndarray, frame: tuple[int, int, int, int], matrix: np.ndarray, size: int
) -> np.ndarray:
    left, top, right, bottom = frame
    matrix = matrix - np.array([[0, 0, left], [0, 0, top]])
    return crop_image(image[top:bottom, left:right], matrix, size)


def _world_in_crop(annotation: Annotation, roi: Roi, params: AffineParams) -> tuple[np.ndarray, np.ndarray]:
    """Rotate world landmarks to the crop's axes (the runtime rotates back), and mask the labelled ones."""
    angle = -(roi.rotation_rad + params.rotation_rad)
    cos, sin = np.cos(angle), np.sin(angle)
    world = np.asarray(annotation.landmarks_world, np.float32)
    rotated = np.stack(
        [cos * world[:, 0] - sin * world[:, 1], sin * world[:, 0] + cos * world[:, 1], world[:, 2]], 1
    )
    return rotated.astype(np.float32), np.asarray(np.isfinite(world).all(axis=1))


def _swap_sides(sample: PoseSample, mirror: np.ndarray) -> PoseSample:
    """Swap the left and right labels of a crop whose pixels the matrix has already flipped."""
    sample["points"], sample["labelled"] = sample["points"][mirror], sample["labelled"][mirror]
    sample["z_labelled"] = sample["z_labelled"][mirror]
    landmarks = mirror[: len(sample["visibility"])]
    sample["visibility"], sample["presence"] = sample["visibility"][landmarks], sample["presence"][landmarks]
    sample["world"] = sample["world"][landmarks] * np.array([-1, 1, 1], np.float32)
    sample["world_labelled"] = sample["world_labelled"][landmarks]
    return sample
