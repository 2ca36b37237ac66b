"""One training step of the detector, and its validation."""

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
from blazepose.data.annotated_image import AnnotatedImage
from blazepose.data.detector_sample import DetectorBatch
from blazepose.losses.detector_losses import box_regression_loss, focal_loss
from blazepose.metrics.detection import LEAST_SCORE, GroundTruth, match_detections
from blazepose.metrics.detection_metric import DetectionMetric
from blazepose.models.detector_net import DetectorNet, detector_input
from blazepose.models.outputs import DetectorOutputs
from blazepose.targets.anchor_targets import assign_anchors, encode_boxes
from blazepose.training.detector_loss_config import DetectorLossConfig
from blazepose.training.lightning_hooks import (
    check_finite,
    check_steps,
    clip_gradients,
    freeze_bn_stats,
    freeze_stages,
    optimizer_and_schedule,
    steps_per_epoch,
)
from blazepose.training.optimizer import OptimizerConfig


def monitor_name(scenes: Sequence[AnnotatedImage]) -> str:
    """What says which epoch was the best: good ROIs, or where nobody's is labelled, people who are found."""
    known = any(person.labelled[[HIPS, CIRCLE]].all() for scene in scenes for person in scene.people)
    return "val/roi_good" if known else "val/ap_place"


class DetectorModule(LightningModule):
    """Trains a DetectorNet.

    Args:
        net: the network.
        weights: of the loss terms.
        optimizer: AdamW and schedule.
        epochs: of the run.
        about: plain facts that travel with the checkpoint (training.checkpoint).
    """

    def __init__(
        self,
        net: DetectorNet,
        weights: DetectorLossConfig,
        optimizer: OptimizerConfig,
        epochs: int,
        metadata: dict[str, Any],
    ) -> None:
        super().__init__()
        self.net = net.to(memory_format=torch.channels_last)
        self.weights = weights
        self.optimizer = optimizer
        self.epochs = epochs
        self.metadata = metadata
        self._finite = torch.tensor(True)
        self.detection = DetectionMetric()

    def forward(self, images: UInt8[Tensor, "batch size size 3"]) -> DetectorOutputs:
        """Run the network on uint8 pictures."""
        return self.net(detector_input(images))

    @torch.no_grad()
    def detect(self, images: UInt8[Tensor, "batch size size 3"]) -> list[Detections]:
        """Who is in the pictures, as the runtime would say it, in 0..1 of them."""
        out = self(images)
        boxes = out.boxes.float().cpu().numpy()
        scores = out.scores[..., 0].float().sigmoid().cpu().numpy()
        return [
            weighted_nms(decode_anchors(box, score, DETECTOR_SIZE, LEAST_SCORE))
            for box, score in zip(boxes, scores, strict=True)
        ]

    def losses(self, out: DetectorOutputs, batch: DetectorBatch) -> dict[str, Tensor]:
        """Every loss term, unweighted."""
        targets = assign_anchors(batch["boxes"], batch["people"], batch["ignored"])
        placed, weights = targets.placed, self.weights
        wanted = encode_boxes(batch["boxes"], batch["points"], targets.person)[placed]
        said = out.boxes.float()[placed] / DETECTOR_SIZE
        rows = placed.nonzero()[:, 0], targets.person[placed]
        side = batch["boxes"][rows][:, 2]
        known = batch["points_labelled"][rows].repeat_interleave(2, dim=1)
        return {
            "score": focal_loss(
                out.scores[..., 0].float(), targets.positive, targets.negative, weights.gamma, weights.alpha
            ),
            "box": box_regression_loss(
                said[:, :4], wanted[:, :4], torch.ones_like(known[:, :4]), side, weights.beta
            ),
            "points": box_regression_loss(said[:, 4:], wanted[:, 4:], known, side, weights.beta),
        }

    def on_train_epoch_start(self) -> None:
        check_steps(self, self.epochs)
        self._finite = torch.ones((), dtype=torch.bool, device=self.device)
        self.net.train()
        freeze_stages(self.net.encoder, self.optimizer.frozen_stages)
        if self.optimizer.norm_eval:
            freeze_bn_stats(self.net)

    def training_step(self, batch: DetectorBatch, batch_idx: int) -> Tensor:
        terms = self.losses(self(batch["image"]), batch)
        loss = torch.stack([getattr(self.weights, name) * term for name, term in terms.items()]).sum()
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
        for row, found in enumerate(self.detect(batch["image"])):
            self.detection.update(int(batch["index"][row]), match_detections(found, truth_of(batch, row)))

    def on_validation_epoch_end(self) -> None:
        for name, value in self.detection.compute().items():
            self.log(f"val/{name}", value, prog_bar=name in ("ap", "roi_good"))
        self.detection.reset()

    def configure_optimizers(self) -> OptimizerLRScheduler:
        return optimizer_and_schedule(
            self.net, self.optimizer, [self.epochs * steps_per_epoch(self, self.epochs)]
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


def truth_of(batch: DetectorBatch, row: int) -> GroundTruth:
    """The people of one picture of a batch."""
    people = batch["people"][row].cpu().numpy()
    boxes, points, labelled = (
        batch[key][row].cpu().numpy()[people] for key in ("boxes", "points", "points_labelled")
    )
    ignored = batch["ignored"][row].cpu().numpy()
    there = (ignored[:, 2:] > ignored[:, :2]).all(axis=1)
    return GroundTruth(boxes, points, labelled, ignored[there])
