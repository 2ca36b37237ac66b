"""Lightning module of the detector: training step, losses, validation."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor

from blazepose.anchors import CIRCLE, HIPS, Detections, decode_anchors, weighted_nms
from blazepose.config.detector import DetectorLossConfig
from blazepose.config.schedule import OptimizerConfig, Stages
from blazepose.data.annotated_image import AnnotatedImage
from blazepose.data.detector_sample import DetectorBatch
from blazepose.losses.detector_losses import box_regression_loss, focal_loss
from blazepose.metrics.detection import LEAST_SCORE, GroundTruth, match_detections
from blazepose.metrics.detection_metric import DetectionMetric
from blazepose.models.detector_net import DetectorNet, detector_input
from blazepose.models.outputs import DetectorOutputs
from blazepose.targets.anchor_targets import assign_anchors, encode_boxes
from blazepose.training.freeze import freeze_bn_stats, freeze_stages
from blazepose.training.pose_module import PoseModule


def monitor_name(scenes: Sequence[AnnotatedImage]) -> str:
    """Return the metric of the best epoch: good ROIs, or the average precision if no ROI is labelled."""
    labelled = any(person.labelled[[HIPS, CIRCLE]].all() for scene in scenes for person in scene.people)
    return "val/roi_good" if labelled else "val/ap_place"


class DetectorModule(PoseModule):
    """Trains a DetectorNet.

    Args:
        net: the network.
        loss_config: weights and parameters of the losses.
        optimizer_config: AdamW and schedule.
        stages: epochs of the run, all joint.
        metadata: metadata of the checkpoints (training.checkpoint).
    """

    net: DetectorNet
    loss_config: DetectorLossConfig

    def __init__(
        self,
        net: DetectorNet,
        loss_config: DetectorLossConfig,
        optimizer_config: OptimizerConfig,
        stages: Stages,
        metadata: dict[str, Any],
    ) -> None:
        super().__init__(net, loss_config, optimizer_config, stages, metadata)
        self.detection = DetectionMetric()

    def forward(self, images: UInt8[Tensor, "batch size size 3"]) -> DetectorOutputs:
        """Run the network on uint8 images."""
        return self.net(detector_input(images))

    @torch.no_grad()
    def detect(self, images: UInt8[Tensor, "batch size size 3"]) -> list[Detections]:
        """Detect people as at run time, in 0..1 of the images."""
        out, anchors = self(images), self.net.anchors
        boxes = out.boxes.float().cpu().numpy()
        scores = out.scores[..., 0].float().sigmoid().cpu().numpy()
        return [
            weighted_nms(decode_anchors(box, score, anchors, LEAST_SCORE), anchors.nms_iou)
            for box, score in zip(boxes, scores, strict=True)
        ]

    def losses(self, out: DetectorOutputs, batch: DetectorBatch) -> dict[str, Tensor]:
        """Compute the unweighted loss terms."""
        anchors = self.net.anchors
        targets = assign_anchors(batch["boxes"], batch["people"], batch["ignored"], anchors)
        regressed, config = targets.regressed, self.loss_config
        target = encode_boxes(batch["boxes"], batch["points"], targets.person, anchors)[regressed]
        predicted = out.boxes.float()[regressed] / anchors.size
        rows = regressed.nonzero()[:, 0], targets.person[regressed]
        side = batch["boxes"][rows][:, 2]
        labelled = batch["points_labelled"][rows].repeat_interleave(2, dim=1)
        return {
            "score": focal_loss(
                out.scores[..., 0].float(), targets.positive, targets.negative, config.gamma, config.alpha
            ),
            "box": box_regression_loss(
                predicted[:, :4], target[:, :4], torch.ones_like(labelled[:, :4]), side, config.beta
            ),
            "points": box_regression_loss(predicted[:, 4:], target[:, 4:], labelled, side, config.beta),
        }

    def on_train_epoch_start(self) -> None:
        super().on_train_epoch_start()
        self.net.train()
        freeze_stages(self.net.encoder, self.optimizer_config.frozen_stages)
        if self.optimizer_config.norm_eval:
            freeze_bn_stats(self.net)

    def training_step(self, batch: DetectorBatch, batch_idx: int) -> Tensor:
        return self.total_loss(self.losses(self(batch["image"]), batch), batch_idx)

    def on_validation_epoch_start(self) -> None:
        self.detection.rank = self.global_rank

    def validation_step(self, batch: DetectorBatch, batch_idx: int) -> None:
        for row, detections in enumerate(self.detect(batch["image"])):
            matches = match_detections(detections, ground_truth(batch, row))
            self.detection.update(int(batch["index"][row]), matches)

    def on_validation_epoch_end(self) -> None:
        for name, value in self.detection.compute().items():
            self.log(f"val/{name}", value, prog_bar=name in ("ap", "roi_good"))
        self.detection.reset()


def ground_truth(batch: DetectorBatch, row: int) -> GroundTruth:
    """Return the ground truth of one image of a batch."""
    people = batch["people"][row].cpu().numpy()
    boxes, points, labelled = (
        batch[key][row].cpu().numpy()[people] for key in ("boxes", "points", "points_labelled")
    )
    ignored = batch["ignored"][row].cpu().numpy()
    valid = (ignored[:, 2:] > ignored[:, :2]).all(axis=1)
    return GroundTruth(boxes, points, labelled, ignored[valid])
