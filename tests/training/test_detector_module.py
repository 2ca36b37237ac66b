"""Loss terms of the detector for outputs built by hand."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from blazepose.anchors import DETECTOR_ANCHORS, NUM_COORDINATES
from blazepose.config.detector import DetectorLossConfig
from blazepose.config.schedule import OptimizerConfig, Stages
from blazepose.data.annotated_image import AnnotatedImage
from blazepose.data.detector_sample import MAX_PEOPLE
from blazepose.data.person_box import PersonBox
from blazepose.models.detector_net import DetectorNet
from blazepose.models.outputs import DetectorOutputs
from blazepose.targets.anchor_targets import assign_anchors, encode_boxes
from blazepose.training.detector_module import DetectorModule, monitor_name

CONFIDENT = 12.0
SIDE = 0.2


@pytest.fixture
def batch() -> dict[str, torch.Tensor]:
    """An image with one person whose upper circle point is not labelled, and one without people."""
    sample = {
        "boxes": torch.zeros(MAX_PEOPLE, 3),
        "points": torch.zeros(MAX_PEOPLE, 4, 2),
        "points_labelled": torch.zeros(MAX_PEOPLE, 4, dtype=torch.bool),
        "people": torch.zeros(MAX_PEOPLE, dtype=torch.bool),
        "ignored": torch.zeros(MAX_PEOPLE, 4),
    }
    person = {name: value.clone() for name, value in sample.items()}
    person["boxes"][0] = torch.tensor([0.4, 0.3, SIDE])
    person["points"][0] = torch.tensor([[0.4, 0.6], [0.4, 0.2], [0.4, 0.35], [0.0, 0.0]])
    person["points_labelled"][0, :3] = True
    person["people"][0] = True
    return default_collate([person, sample])


def terms(batch, scores: float = CONFIDENT, box: float = 0.0, points: float = 0.0, unlabelled: float = 0.0):
    """Compute the terms of outputs with boxes and points this many sides of the person off."""
    module = DetectorModule(DetectorNet(), DetectorLossConfig(), OptimizerConfig(), Stages(joint=1), {})
    targets = assign_anchors(batch["boxes"], batch["people"], batch["ignored"])
    predicted = encode_boxes(batch["boxes"], batch["points"], targets.person) * DETECTOR_ANCHORS.size
    predicted[..., :4] += box * SIDE * DETECTOR_ANCHORS.size
    predicted[..., 4:10] += points * SIDE * DETECTOR_ANCHORS.size
    predicted[..., 10:] += unlabelled * SIDE * DETECTOR_ANCHORS.size
    assert predicted.shape[2] == NUM_COORDINATES
    logits = torch.where(targets.positive, scores, -scores)[..., None]
    return {
        name: float(term) for name, term in module.losses(DetectorOutputs(predicted, logits), batch).items()
    }


def test_perfect_outputs_have_zero_loss(batch):
    assert terms(batch) == pytest.approx({"score": 0, "box": 0, "points": 0}, abs=1e-5)


def test_each_term_depends_on_its_outputs_only(batch):
    """An error of one side, whose first tenth counts half: 0.95."""
    assert terms(batch, box=1.0) == pytest.approx({"score": 0, "box": 0.95, "points": 0}, abs=1e-4)
    assert terms(batch, points=1.0) == pytest.approx({"score": 0, "box": 0, "points": 0.95}, abs=1e-4)
    assert terms(batch, unlabelled=9.0) == pytest.approx({"score": 0, "box": 0, "points": 0}, abs=1e-4)
    wrong = terms(batch, scores=-1.0)
    assert wrong["score"] > 1
    assert wrong == pytest.approx({"score": wrong["score"], "box": 0, "points": 0}, abs=1e-5)


def test_ignored_anchors_near_a_person_still_regress_its_box(batch):
    """Anchors between positive and negative ones have a box loss, but no score loss."""
    targets = assign_anchors(batch["boxes"], batch["people"], batch["ignored"])
    between = targets.regressed & ~targets.positive
    predicted = encode_boxes(batch["boxes"], batch["points"], targets.person) * DETECTOR_ANCHORS.size
    predicted[between] += SIDE * DETECTOR_ANCHORS.size
    logits = torch.where(targets.positive | between, CONFIDENT, -CONFIDENT)[..., None]
    module = DetectorModule(DetectorNet(), DetectorLossConfig(), OptimizerConfig(), Stages(joint=1), {})
    losses = module.losses(DetectorOutputs(predicted, logits), batch)
    assert float(losses["score"]) == pytest.approx(0, abs=1e-5)
    share = float(between.sum() / targets.regressed.sum())
    assert 0.3 < share < 0.9
    for name in ("box", "points"):
        assert float(losses[name]) == pytest.approx(0.95 * share, abs=1e-4)


def test_a_batch_without_people_has_a_score_loss_only(batch):
    negatives = {name: value[1:] for name, value in batch.items()}
    assert terms(negatives, scores=-1.0)["box"] == terms(negatives)["points"] == 0


def test_the_monitor_depends_on_the_labels():
    points, labelled = np.zeros((4, 2)), np.array([True, True, True, False])
    labelled_roi = PersonBox(np.zeros(2), 1.0, points, labelled)
    unlabelled_roi = labelled_roi._replace(labelled=np.array([True, False, True, False]))
    scenes = [
        AnnotatedImage(Path("a.png"), None, people, [], np.zeros((0, 4)))
        for people in ([unlabelled_roi], [labelled_roi])
    ]
    assert monitor_name(scenes) == "val/roi_good"
    assert monitor_name(scenes[:1]) == "val/ap_place"
