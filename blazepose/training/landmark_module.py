"""Lightning module of the landmark network: training step, losses, validation."""

import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from blazepose.config.landmark import LandmarkLossConfig
from blazepose.config.schedule import OptimizerConfig, Stages
from blazepose.data.sample import PoseBatch
from blazepose.decoding import DECODINGS, Decoding
from blazepose.metrics.pck import PCK_THRESHOLD, torso_size
from blazepose.metrics.pck_metric import PckMetric, torso_across
from blazepose.metrics.spread import VarianceRatio
from blazepose.models.landmark_net import LandmarkNet, network_input
from blazepose.models.outputs import LandmarkOutputs
from blazepose.runtime.decode import decode_points, sigmoid
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.training.distillation import distillation_losses
from blazepose.training.pose_module import PoseModule
from blazepose.training.recipe import validate_recipe
from blazepose.training.stages import set_stage
from blazepose.training.supervised_losses import heatmap_losses, regression_losses
from blazepose.training.teacher import Teachers
from blazepose.training.teacher_outputs import (
    NetworkOutputs,
    ReplaceLandmarks,
    TeacherOutputs,
    run_network,
    teacher_outputs,
)


class LandmarkModule(PoseModule):
    """Trains a LandmarkNet.

    Args:
        net: the network.
        loss_config: weights and parameters of the losses.
        optimizer_config: AdamW and schedule.
        stages: epochs of each stage.
        supervised: outputs that the labels supervise (training.stages.supervised_by).
        metadata: metadata of the checkpoints (training.checkpoint).
        teachers: networks whose outputs are learned; the samples have those of `teachers.other`.
        decoding: decoding that the weights are made for: `val/pck@0.2` is measured with it.
    """

    net: LandmarkNet
    loss_config: LandmarkLossConfig

    def __init__(
        self,
        net: LandmarkNet,
        loss_config: LandmarkLossConfig,
        optimizer_config: OptimizerConfig,
        stages: Stages,
        supervised: SupervisedOutputs,
        metadata: dict[str, Any],
        teachers: Teachers | None = None,
        decoding: Decoding = "mediapipe",
    ) -> None:
        super().__init__(net, loss_config, optimizer_config, stages, metadata)
        self.supervised = supervised
        # The teachers supervise the outputs without labels.
        nothing = SupervisedOutputs(topology=net.topology)
        self.distilled = teachers.supervised if teachers else nothing
        initial, other = teachers or (None, None)
        # In a list it is no submodule: not trained, not in checkpoints.
        self._initial = [initial.net] if initial else []
        self.replace_landmarks = ReplaceLandmarks(other.supervised if other else nothing)
        self.outputs = self.distilled.merge(supervised).outputs
        topology = net.topology
        points = torch.zeros(topology.num_outputs, dtype=torch.bool)
        points[topology.both_sides(self.distilled.landmarks)] = True
        points[topology.num_landmarks :] = bool(teachers and teachers.of_other_outputs.supervised.landmarks)
        self.teacher_points: Tensor
        self.register_buffer("teacher_points", points, persistent=False)
        # Losses over whole maps cost a tenth of a step on a CPU; most sources label half of the points.
        indices = [*topology.both_sides(supervised.heatmaps), topology.roi_center, topology.roi_scale]
        self.heatmap_points: Tensor
        self.register_buffer("heatmap_points", torch.tensor(indices), persistent=False)
        self.decoding = decoding
        metrics = torch.nn.ModuleDict({name: PckMetric() for name in DECODINGS})
        self.pck = cast(Mapping[str, PckMetric], metrics)
        self.variance = VarianceRatio()
        validate_recipe(net, loss_config, stages, optimizer_config, bool(metadata.get("init")), decoding)

    def forward(self, images: Tensor, masks: int = 0) -> LandmarkOutputs:
        """Run the network on uint8 images (batch, 256, 256, 3), with masks of the first ones."""
        return self.net(network_input(images), masks)

    @torch.no_grad()
    def predict_roi(self, images: Tensor) -> np.ndarray:
        """Predict landmarks (batch, landmarks, 2) of crops (batch, 256, 256, 3), in ROI coordinates."""
        return self._decode(self(images))[self.headline].numpy()

    def losses(
        self, out: LandmarkOutputs, batch: PoseBatch, teacher: TeacherOutputs | None = None
    ) -> dict[str, Tensor]:
        """Compute the unweighted loss terms of the current stage, against labels and teacher."""
        stage, config = self.stages.at(self.current_epoch), self.loss_config
        size, labels = self.net.input_spec.size, batch
        if teacher:
            labels = {**batch, "labelled": teacher.supervised_points(batch["labelled"])}
        terms: dict[str, Tensor] = {}
        if stage != "regression":
            terms |= heatmap_losses(out, labels, config, self.supervised, self.heatmap_points)
        if stage != "heatmap":
            terms |= regression_losses(out, labels, config, self.supervised, size)
        if teacher:
            distilled = distillation_losses(out, teacher, labels, config, size, self.distilled.outputs, stage)
            if "pose" in self.supervised.outputs:
                distilled.pop("pose", None)  # every image has this label
            for name, term in distilled.items():
                terms[name] = terms.get(name, 0) + term
        return {name: term for name, term in terms.items() if getattr(config, name)}

    def on_train_start(self) -> None:
        for net in self._initial:
            net.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def on_train_epoch_start(self) -> None:
        super().on_train_epoch_start()
        stage = self.stages.at(self.current_epoch)
        config = self.optimizer_config
        set_stage(self.net, stage, self.outputs, config.norm_eval, config.frozen_stages)

    def training_step(self, batch: PoseBatch, batch_idx: int) -> Tensor:
        images, masks = network_input(batch["image"]), self._num_masks(len(batch["image"]))
        out = self.net(images, masks)
        learned = self._outputs_to_learn(images, masks, batch)
        loss = self.total_loss(self.losses(out, batch, learned), batch_idx)
        if batch_idx % 10 == 0:
            self.log("train/pck@0.2_raw", self._batch_pck(out, batch), prog_bar=True)
        return loss

    def _outputs_to_learn(self, images: Tensor, masks: int, batch: PoseBatch) -> TeacherOutputs | None:
        """Return the outputs of the teachers, if there are any."""
        stored = NetworkOutputs.from_targets(batch["teacher"]) if "teacher" in batch else None
        initial = run_network(self._initial[0], images, masks) if self._initial else stored
        if initial is None:
            return None
        outputs = self.replace_landmarks(initial, stored) if self._initial and stored else initial
        return teacher_outputs(batch, outputs, initial, self.teacher_points, self.net.topology)

    def _num_masks(self, batch_size: int) -> int:
        """Return the number of samples of a batch with a mask loss in this stage."""
        trains_masks = "segmentation" in self.outputs and self.stages.at(self.current_epoch) != "regression"
        return math.ceil(self.loss_config.mask_fraction * batch_size) if trains_masks else 0

    @torch.no_grad()
    def _batch_pck(self, out: LandmarkOutputs, batch: PoseBatch) -> Tensor:
        """Compute PCK@0.2 of the regression output on the augmented training crops, per cent."""
        count = self.net.topology.num_landmarks
        points = batch["points"][:, :count, :2]
        predicted = out.landmarks[:, :count, :2].float() / self.net.input_spec.size
        # On the device, unlike metrics.pck: a training step must not wait for a copy to the host.
        labelled = batch["labelled"][:, :count]
        torso = torso_across(points, labelled, self.net.topology)
        error = torch.linalg.vector_norm(predicted - points, dim=2)
        labelled = labelled & (torso > 0)[:, None]
        return 100 * ((error < PCK_THRESHOLD * torso[:, None]) & labelled).sum() / labelled.sum().clamp(min=1)

    def validation_step(self, batch: PoseBatch, batch_idx: int) -> None:
        out = self(batch["image"])
        count = self.net.topology.num_landmarks
        labels = batch["points"][:, :count, :2].cpu()
        labelled = batch["labelled"][:, :count].cpu()
        counted = labelled & torch.from_numpy(self.supervised_landmarks)
        torso = torch.from_numpy(torso_size(labels.numpy(), labelled.numpy(), topology=self.net.topology))
        decoded = self._decode(out)
        for decoding, predicted in decoded.items():
            row = (batch["index"], predicted, labels, counted, torso)
            self.pck[decoding].update(*(t.to(self.device) for t in row))
        predicted = decoded[self.headline]
        self.variance.update(*(t.to(self.device) for t in (batch["index"], predicted, labels, counted)))

    def _decode(self, out: LandmarkOutputs) -> dict[str, Tensor]:
        """Decode landmarks in ROI coordinates, each of DECODINGS (batch, landmarks, 2), on the CPU."""
        heatmaps = out.heatmaps.float().permute(0, 2, 3, 1).cpu().numpy()
        landmarks = out.landmarks.float().cpu().numpy()
        points = landmarks[..., :2] / self.net.input_spec.size
        presence = sigmoid(landmarks[..., 4]) if self._regresses else None
        if not self._regresses:
            points = np.full_like(points, np.nan)  # without a place, the heatmaps decide alone
        decoded = {name: decode_points(points, heatmaps, name, presence) for name in DECODINGS}
        count = self.net.topology.num_landmarks
        return {decoding: torch.from_numpy(xy[:, :count]) for decoding, xy in decoded.items()}

    @property
    def _regresses(self) -> bool:
        return self.loss_config.coordinates > 0 and self.stages.regression + self.stages.joint > 0

    @property
    def headline(self) -> Decoding:
        """Decoding that the run is judged by: the configured one, unless it never trains the regression."""
        return self.decoding if self._regresses else "heatmap"

    @property
    def supervised_landmarks(self) -> np.ndarray:
        """Mask of the landmarks that the run trains, bool (landmarks,): these are validated and drawn."""
        return self.supervised.mask("heatmaps" if self.headline == "heatmap" else "landmarks")

    def on_validation_epoch_end(self) -> None:
        for decoding, metric in self.pck.items():
            metrics = metric.compute()
            self.log(f"val/pck@0.2_{decoding}", metrics["pck@0.2"])
            self.log(f"val/mean_error_{decoding}", metrics["mean_error"])
            if decoding == self.headline:
                self.log("val/pck@0.2", metrics["pck@0.2"], prog_bar=True)
            metric.reset()
        # 0 means collapse to one mean pose; a trained network comes close to 1.
        self.log("val/variance_ratio", self.variance.compute())
        self.variance.reset()
