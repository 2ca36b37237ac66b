"""One training step of the landmark network, and its validation."""

import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor

from blazepose.data.sample import PoseBatch
from blazepose.metrics.pck import PCK_THRESHOLD, torso_size
from blazepose.metrics.pck_metric import PckMetric, torso_across
from blazepose.metrics.spread import VarianceRatio
from blazepose.models.landmark_net import LandmarkNet, network_input
from blazepose.models.outputs import LandmarkOutputs
from blazepose.runtime.decode import refine_by_heatmap
from blazepose.targets.heatmaps import decode_heatmaps
from blazepose.topology import (
    LANDMARKS,
    NUM_HEATMAPS,
    NUM_LANDMARKS,
    NUM_OUTPUTS,
    ROI_CENTER,
    ROI_SCALE,
    both_sides,
)
from blazepose.training.distillation import TeacherOutputs, distillation_losses, run_teacher
from blazepose.training.lightning_hooks import (
    check_finite,
    check_steps,
    clip_gradients,
    optimizer_and_schedule,
    steps_per_epoch,
)
from blazepose.training.loss_config import LandmarkLossConfig, check_that_it_learns
from blazepose.training.optimizer import OptimizerConfig
from blazepose.training.stages import Stages, set_stage
from blazepose.training.supervised_losses import heatmap_losses, regression_losses

DECODINGS = ("refined", "raw", "heatmap")
"""Validated: regression refined by the heatmap as the runtime does, regression alone, heatmap and offset."""


class LandmarkModule(LightningModule):
    """Trains a LandmarkNet.

    Args:
        net: the network.
        weights: of the loss terms.
        optimizer: AdamW and schedule.
        stages: epochs of each stage.
        trained: what the labels teach (training.stages.learned).
        about: plain facts that travel with the checkpoint (training.checkpoint).
        teacher: the network before a fine-tuning, which keeps what nobody labelled.
    """

    def __init__(
        self,
        net: LandmarkNet,
        weights: LandmarkLossConfig,
        optimizer: OptimizerConfig,
        stages: Stages,
        trained: dict[str, list[str]],
        metadata: dict[str, Any],
        teacher: LandmarkNet | None = None,
    ) -> None:
        super().__init__()
        self.net = net.to(memory_format=torch.channels_last)
        self.weights = weights
        self.optimizer = optimizer
        self.stages = stages
        self.trained = trained
        # The teacher teaches what the labels do not.
        self.outputs: list[str] = (metadata["trained"] if teacher else trained)["outputs"]
        self.taught = metadata["init"]["trained"] if teacher else {"landmarks": [], "outputs": []}
        knows = torch.ones(NUM_OUTPUTS, dtype=torch.bool)
        knows[:NUM_LANDMARKS] = False
        knows[both_sides(self.taught["landmarks"])] = True
        self.teacher_knows: Tensor
        self.register_buffer("teacher_knows", knows, persistent=False)
        self.metadata = metadata
        # In a list, so that it is no part of the module: it is neither trained, averaged nor saved.
        self._teacher = [teacher.requires_grad_(False).eval()] if teacher else []
        # Losses over whole maps cost a tenth of a step on a CPU; most sources label half of the points.
        points = [*both_sides(trained["heatmaps"]), ROI_CENTER, ROI_SCALE]
        self.heatmap_points: Tensor
        self.register_buffer("heatmap_points", torch.tensor(points), persistent=False)
        # Gathered on the device and looked at now and then: a training step must not wait for it.
        self._finite = torch.tensor(True)
        metrics = torch.nn.ModuleDict({decoding: PckMetric() for decoding in DECODINGS})
        self.pck = cast(Mapping[str, PckMetric], metrics)
        self.variance = VarianceRatio()
        check_that_it_learns(net, weights, stages, optimizer, bool(metadata.get("init")))

    def forward(self, images: Tensor, masks: int = 0) -> LandmarkOutputs:
        """Run the network on uint8 pictures (batch, 256, 256, 3), with masks of the first ones."""
        return self.net(network_input(images), masks)

    @torch.no_grad()
    def predict_roi(self, images: Tensor) -> np.ndarray:
        """Landmarks (batch, 33, 2) of crops (batch, 256, 256, 3) as the run reads them, ROI coordinates."""
        return self._decode(self(images))[self.headline].numpy()

    def losses(
        self, out: LandmarkOutputs, batch: PoseBatch, lesson: TeacherOutputs | None = None
    ) -> dict[str, Tensor]:
        """Every loss term, unweighted; those of the running stage, of what labels or teacher can teach."""
        stage, weights = self.stages.at(self.current_epoch), self.weights
        size, labels = self.net.input_spec.size, batch
        if lesson:
            labels = {**batch, "labelled": lesson.labels(batch["labelled"])}
        terms: dict[str, Tensor] = {}
        if stage != "regression":
            terms |= heatmap_losses(out, labels, weights, self.trained["outputs"], self.heatmap_points)
        if stage != "heatmap":
            terms |= regression_losses(out, labels, weights, self.trained, size)
        if lesson:
            kept = distillation_losses(out, lesson, labels, weights, size, self.taught["outputs"], stage)
            if "pose" in self.trained["outputs"]:
                kept.pop("pose", None)  # every picture has this label
            for name, term in kept.items():
                terms[name] = terms.get(name, 0) + weights.distill * term
        return {name: term for name, term in terms.items() if getattr(weights, name)}

    def on_fit_start(self) -> None:
        for teacher in self._teacher:
            teacher.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def on_train_epoch_start(self) -> None:
        check_steps(self, self.stages.epochs)
        self._finite = torch.ones((), dtype=torch.bool, device=self.device)
        stage = self.stages.at(self.current_epoch)
        still = self.optimizer
        set_stage(self.net, stage, self.outputs, still.norm_eval, still.frozen_stages)

    def training_step(self, batch: PoseBatch, batch_idx: int) -> Tensor:
        images, masks = network_input(batch["image"]), self._masks(len(batch["image"]))
        out = self.net(images, masks)
        # In full precision: half of it moves a teacher's landmarks by a pixel, by many on hard crops.
        with torch.autocast(self.device.type, enabled=False):
            lessons = [
                run_teacher(teacher, images, masks, batch, self.teacher_knows) for teacher in self._teacher
            ]
        terms = self.losses(out, batch, *lessons)
        loss = torch.stack([getattr(self.weights, name) * term for name, term in terms.items()]).sum()
        self._finite &= torch.isfinite(loss.detach())
        self.log("train/loss", loss, prog_bar=True)
        self.log_dict({f"train/loss_{name}": term for name, term in terms.items()})
        if batch_idx % 10 == 0:
            self._check_finite()
            self.log("train/pck@0.2_raw", self._batch_pck(out, batch), prog_bar=True)
        return loss

    def _masks(self, batch_size: int) -> int:
        """Of how many samples of a batch the mask is learned in this stage."""
        learned = "segmentation" in self.outputs
        moves = learned and self.stages.at(self.current_epoch) != "regression"
        return math.ceil(self.weights.mask_fraction * batch_size) if moves else 0

    def _check_finite(self) -> None:
        check_finite(self._finite, self.current_epoch)

    def on_validation_start(self) -> None:
        self._check_finite()

    def on_train_epoch_end(self) -> None:
        self._check_finite()

    @torch.no_grad()
    def _batch_pck(self, out: LandmarkOutputs, batch: PoseBatch) -> Tensor:
        """PCK@0.2 of the regression output on the disturbed training crops, per cent."""
        points = batch["points"][:, :NUM_LANDMARKS, :2]
        predicted = out.landmarks[:, :NUM_LANDMARKS, :2].float() / self.net.input_spec.size
        # On the device, unlike metrics.pck: a training step must not wait for a copy to the host.
        torso = torso_across(points)
        error = torch.linalg.vector_norm(predicted - points, dim=2)
        labelled = batch["labelled"][:, :NUM_LANDMARKS] & (torso > 0)[:, None]
        return 100 * ((error < PCK_THRESHOLD * torso[:, None]) & labelled).sum() / labelled.sum().clamp(min=1)

    def validation_step(self, batch: PoseBatch, batch_idx: int) -> None:
        out = self(batch["image"])
        labels = batch["points"][:, :NUM_LANDMARKS, :2].cpu()
        labelled = batch["labelled"][:, :NUM_LANDMARKS].cpu()
        counted = labelled & torch.tensor(self.learned)
        torso = torch.from_numpy(torso_size(labels.numpy(), labelled.numpy()))
        decoded = self._decode(out)
        for decoding, predicted in decoded.items():
            row = (batch["index"], predicted, labels, counted, torso)
            self.pck[decoding].update(*(t.to(self.device) for t in row))
        predicted = decoded[self.headline]
        self.variance.update(*(t.to(self.device) for t in (batch["index"], predicted, labels, counted)))

    def _decode(self, out: LandmarkOutputs) -> dict[str, Tensor]:
        """Landmarks in ROI coordinates, each of DECODINGS (batch, 33, 2), on the CPU."""
        heatmaps = out.heatmaps[:, :NUM_LANDMARKS].float()
        offsets = None
        if out.offsets is not None:
            offsets = out.offsets.float().unflatten(1, (NUM_HEATMAPS, 2))[:, :NUM_LANDMARKS]
        raw = out.landmarks[:, :NUM_LANDMARKS, :2].float().cpu() / self.net.input_spec.size
        refined = refine_by_heatmap(raw.numpy(), heatmaps.permute(0, 2, 3, 1).cpu().numpy())
        return {
            "refined": torch.from_numpy(refined),
            "raw": raw,
            "heatmap": decode_heatmaps(heatmaps, offsets).cpu(),
        }

    @property
    def headline(self) -> str:
        """How the run's landmarks are read: as the runtime does, unless it never trains the regression."""
        regresses = self.weights.coordinates > 0 and self.stages.regression + self.stages.joint > 0
        return "refined" if regresses else "heatmap"

    @property
    def learned(self) -> list[bool]:
        """Which of the 33 landmarks the run trains: only these are validated and drawn."""
        names = self.trained["landmarks" if self.headline == "refined" else "heatmaps"]
        return [name in names for name in LANDMARKS]

    def on_validation_epoch_end(self) -> None:
        for decoding, metric in self.pck.items():
            figures = metric.compute()
            self.log(f"val/pck@0.2_{decoding}", figures["pck@0.2"])
            self.log(f"val/mean_error_{decoding}", figures["mean_error"])
            if decoding == self.headline:
                self.log("val/pck@0.2", figures["pck@0.2"], prog_bar=True)
            metric.reset()
        # 0 is the collapse to one mean pose; a trained network comes close to 1.
        self.log("val/variance_ratio", self.variance.compute())
        self.variance.reset()

    def configure_optimizers(self) -> OptimizerLRScheduler:
        steps = steps_per_epoch(self, self.stages.epochs)
        plan = [epochs * steps for _, epochs in self.stages.plan]
        return optimizer_and_schedule(self.net, self.optimizer, plan)

    def configure_gradient_clipping(
        self,
        optimizer: Any,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        clip_gradients(self.net, gradient_clip_val)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["blazepose"] = self.metadata
