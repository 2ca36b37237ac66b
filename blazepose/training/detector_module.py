"""Lightning module of the detector: training step, losses, validation."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import UInt8
from pytorch_lightning import LightningModule
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor

from blazepose.anchors import (
    CIRCLE,
    DETECTOR_SIZE,
    HIPS,
    Detections,
    decode_anchors,
    weighted_nms,
)
from blazepose.config.detector import DetectorLossConfig
from blazepose.config.schedule import OptimizerConfig
from blazepose.data.annotated_image import AnnotatedImage
from blazepose.data.detector_sample import DetectorBatch
from blazepose.losses.detector_losses import box_regression_loss, focal_loss
from blazepose.metrics.detection import LEAST_SCORE, GroundTruth, match_detections
from blazepose.metrics.detection_metric import DetectionMetric
from blazepose.models.detector_net import DetectorNet, detector_input
from blazepose.models.outputs import DetectorOutputs
from blazepose.targets.anchor_targets import assign_anchors, encode_boxes
from blazepose.training.lightning_hooks import (
    check_finite,
    check_steps,
    clip_gradients,
    freeze_bn_stats,
    freeze_stages,
    optimizer_and_schedule,
    steps_per_epoch,
)


def monitor_name(scenes: Sequence[AnnotatedImage]) -> str:
    """Return the metric of the best epoch: good ROIs, or the average precision if no ROI is labelled."""
    labelled = any(person.labelled[[HIPS, CIRCLE]].all() for scene in scenes for person in scene.people)
    return "val/roi_good" if labelled else "val/ap_place"


class DetectorModule(LightningModule):
    """Trains a DetectorNet.

    Args:
        net: the network.
        loss_config: weights and parameters of the losses.
        optimizer_config: AdamW and schedule.
        epochs: number of epochs of the run.
        metadata: metadata of the checkpoints (training.checkpoint).
    """

    def __init__(
        self,
        net: DetectorNet,
        loss_config: DetectorLossConfig,
        optimizer_config: OptimizerConfig,
        epochs: int,
        metadata: dict[str, Any],
    ) -> None:
        super().__init__()
        self.net = net.to(memory_format=torch.channels_last)
        self.loss_config = loss_config
        self.optimizer_config = optimizer_config
        self.epochs = epochs
        self.metadata = metadata
        self._finite = torch.tensor(True)
        self.detection = DetectionMetric()

    def forward(self, images: UInt8[Tensor, "batch size size 3"]) -> DetectorOutputs:
        """Run the network on uint8 images."""
        return self.net(detector_input(images))

    @torch.no_grad()
    def detect(self, images: UInt8[Tensor, "batch size size 3"]) -> list[Detections]:
        """Detect people as at run time, in 0..1 of the images."""
        out = self(images)
        boxes = out.boxes.float().cpu().numpy()
        scores = out.scores[..., 0].float().sigmoid().cpu().numpy()
        return [
            weighted_nms(decode_anchors(box, score, DETECTOR_SIZE, LEAST_SCORE))
            for box, score in zip(boxes, scores, strict=True)
        ]

    def losses(self, out: DetectorOutputs, batch: DetectorBatch) -> dict[str, Tensor]:
        """Compute the unweighted loss terms."""
        targets = assign_anchors(batch["boxes"], batch["people"], batch["ignored"])
        regressed, config = targets.regressed, self.loss_config
        target = encode_boxes(batch["boxes"], batch["points"], targets.person)[regressed]
        predicted = out.boxes.float()[regressed] / DETECTOR_SIZE
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
        check_steps(self, self.epochs)
        self._finite = torch.ones((), dtype=torch.bool, device=self.device)
        self.net.train()
        freeze_stages(self.net.encoder, self.optimizer_config.frozen_stages)
        if self.optimizer_config.norm_eval:
            freeze_bn_stats(self.net)

    def training_step(self, batch: DetectorBatch, batch_idx: int) -> Tensor:
        terms = self.losses(self(batch["image"]), batch)
        loss = torch.stack([getattr(self.loss_config, name) * term for name, term in terms.items()]).sum()
        self._finite &= torch.isfinite(loss.detach())
        if batch_idx % 10 == 0:
            self._check_finite()
        self.log("train/loss", loss, prog_bar=True)
        self.log_dict({f"train/loss_{name}": term for name, term in terms.items()})
        return loss

    def _check_finite(self) -> None:
        check_finite(self._finite, self.current_epoch)

    def on_train_epoch_end(self) -> None:
        self._check_finite()

    def on_validation_start(self) -> None:
        self._check_finite()
        self.detection.rank = self.global_rank

    def validation_step(self, batch: DetectorBatch, batch_idx: int) -> None:
        for row, detections in enumerate(self.detect(batch["image"])):
            matches = match_detections(detections, ground_truth(batch, row))
            self.detection.update(int(batch["index"][row]), matches)

    def on_validation_epoch_end(self) -> None:
        for name, value in self.detection.compute().items():
            self.log(f"val/{name}", value, prog_bar=name in ("ap", "roi_good"))
        self.detection.reset()

    def configure_optimizers(self) -> OptimizerLRScheduler:
        return optimizer_and_schedule(
            self.net, self.optimizer_config, [self.epochs * steps_per_epoch(self, self.epochs)]
        )

    def configure_gradient_clipping(
        self,
        optimizer: Any,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        clip_gradients(self.net, gradient_clip_val)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["blazepose"] = self.metadata


def ground_truth(batch: DetectorBatch, row: int) -> GroundTruth:
    """Return the ground truth of one image of a batch."""
    people = batch["people"][row].cpu().numpy()
    boxes, points, labelled = (
        batch[key][row].cpu().numpy()[people] for key in ("boxes", "points", "points_labelled")
    )
    ignored = batch["ignored"][row].cpu().numpy()
    valid = (ignored[:, 2:] > ignored[:, :2]).all(axis=1)
    return GroundTruth(boxes, points, labelled, ignored[valid])
