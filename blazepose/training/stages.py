"""Training stages of the landmark network: which parts are trained, and with which losses.

Source: paper 2.4: heatmaps first, then the regression on top of them; or both at once.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from torch import nn

from blazepose.models.landmark_net import LandmarkNet
from blazepose.supervised_outputs import TRAINABLE_OUTPUTS, SupervisedOutputs
from blazepose.training.freeze import freeze_bn_stats, freeze_stages

StageName = Literal["heatmap", "regression", "joint"]


@dataclass(frozen=True)
class Stages:
    """Epochs of each stage, run in this order; 0 leaves a stage out.

    Attributes:
        heatmap: epochs of encoder, decoder, heatmaps, offsets and mask.
        regression: epochs of the regression head; the rest is frozen, BatchNorm statistics included.
        joint: epochs of all parts.

    Raises:
        ValueError: if there is no epoch at all.
    """

    heatmap: int = 0
    regression: int = 0
    joint: int = 60

    def __post_init__(self) -> None:
        if min(self.heatmap, self.regression, self.joint) < 0 or not self.epochs:
            raise ValueError(
                f"stages: {self.heatmap} epochs of heatmap, {self.regression} of regression, {self.joint} of "
                "joint; set stages.joint, or stages.heatmap and stages.regression"
            )

    @property
    def plan(self) -> list[tuple[StageName, int]]:
        """Stages with at least one epoch, and their epochs."""
        order: tuple[tuple[StageName, int], ...] = (
            ("heatmap", self.heatmap),
            ("regression", self.regression),
            ("joint", self.joint),
        )
        return [(name, epochs) for name, epochs in order if epochs]

    @property
    def epochs(self) -> int:
        """Number of epochs of the run."""
        return self.heatmap + self.regression + self.joint

    def at(self, epoch: int) -> StageName:
        """Return the stage of an epoch."""
        for name, epochs in self.plan:
            if epoch < epochs:
                return name
            epoch -= epochs
        return self.plan[-1][0]


def supervised_by(
    labelled: SupervisedOutputs, stages: Stages, loss_weights: Mapping[str, float]
) -> SupervisedOutputs:
    """Return the outputs that a recipe supervises, of those with labels; they are stored with the weights.

    Args:
        labelled: outputs with labels (data.datamodule.labelled_outputs).
        stages: stages of the run; without a regression stage no landmark is regressed.
        loss_weights: weight of each loss by name.
    """
    trained = {
        "heatmap": stages.heatmap + stages.joint > 0,
        "regression": stages.regression + stages.joint > 0 and loss_weights["coordinates"] > 0,
    }
    outputs = [
        name
        for name in labelled.outputs
        if trained[TRAINABLE_OUTPUTS[name].stage] and loss_weights[TRAINABLE_OUTPUTS[name].loss] > 0
    ]
    return SupervisedOutputs(
        landmarks=labelled.landmarks if trained["regression"] else (),
        visibility=labelled.visibility if "visibility" in outputs else (),
        heatmaps=labelled.heatmaps if "heatmaps" in outputs else (),
        outputs=tuple(outputs),
    )


def set_stage(
    net: LandmarkNet,
    stage: StageName,
    outputs: Collection[str],
    norm_eval: bool = False,
    frozen_stages: int = 0,
) -> None:
    """Train the parts of a stage; freeze the others with their BatchNorm statistics.

    Args:
        net: the network.
        stage: stage of the training.
        outputs: supervised outputs; heads of others are frozen.
        norm_eval: freeze the BatchNorm statistics of the trained parts, too.
        frozen_stages: number of encoder stages to freeze, from the image on.
    """
    heatmap: list[nn.Module] = [net.encoder, net.decoder, net.heatmaps]
    if net.offsets is not None:
        heatmap.append(net.offsets)
    heads = {"segmentation": net.segmentation, "world": net.tower.world, "pose": net.tower.pose}
    if "segmentation" in outputs:
        heatmap.append(net.segmentation)
    parts: dict[StageName, list[nn.Module]] = {
        "heatmap": heatmap,
        "regression": [net.tower],
        "joint": [*heatmap, net.tower],
    }
    net.requires_grad_(False).eval()
    for part in parts[stage]:
        part.requires_grad_(True).train()
    for name, head in heads.items():
        if name not in outputs:
            head.requires_grad_(False)
    freeze_stages(net.encoder, frozen_stages)
    if norm_eval:
        freeze_bn_stats(net)
