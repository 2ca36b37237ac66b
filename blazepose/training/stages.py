"""Which parts of the landmark network learn, and from which losses.

Source: paper 2.4: heatmaps first, then the regression on top of them; or both at once.
"""

from dataclasses import dataclass
from typing import Literal

from torch import nn

from blazepose.models.landmark_net import LandmarkNet

StageName = Literal["heatmap", "regression", "joint"]


@dataclass(frozen=True)
class Stages:
    """Epochs of each stage, run in this order; 0 leaves a stage out.

    Attributes:
        heatmap: encoder, decoder, heatmaps and offsets.
        regression: the tower and its heads; everything else stands still, BatchNorm statistics included.
        joint: everything.
    """

    heatmap: int = 0
    regression: int = 0
    joint: int = 50

    @property
    def plan(self) -> list[tuple[StageName, int]]:
        """The stages that run, with their epochs."""
        order: tuple[tuple[StageName, int], ...] = (
            ("heatmap", self.heatmap),
            ("regression", self.regression),
            ("joint", self.joint),
        )
        return [(name, epochs) for name, epochs in order if epochs]

    @property
    def epochs(self) -> int:
        """Length of the run."""
        return self.heatmap + self.regression + self.joint

    def at(self, epoch: int) -> StageName:
        """The stage of an epoch.

        Raises:
            ValueError: if no stage has an epoch.
        """
        if not self.plan:
            raise ValueError("stages: every stage has 0 epochs; set stages.joint, or heatmap and regression")
        for name, epochs in self.plan:
            if epoch < epochs:
                return name
            epoch -= epochs
        return self.plan[-1][0]


def set_stage(net: LandmarkNet, stage: StageName, outputs: list[str]) -> None:
    """Let the parts of a stage learn; freeze the others with their BatchNorm statistics.

    Args:
        net: the network.
        stage: of the training.
        outputs: what the labels can teach (data.datamodule.trained_outputs). Heads without labels stay as
            they are.
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
