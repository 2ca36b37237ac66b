"""Training stages of the landmark network: which parts are trained, and with which losses.

Source: paper 2.4: heatmaps first, then the regression on top of them; or both at once.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from torch import nn

from blazepose.config.schedule import StageName, Stages
from blazepose.models.landmark_net import LandmarkNet
from blazepose.supervised_outputs import TRAINABLE_OUTPUTS, SupervisedOutputs
from blazepose.training.freeze import freeze_bn_stats, freeze_stages


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
    return replace(
        labelled,
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
    heads = {"segmentation": net.segmentation, "pose": net.tower.pose}
    if net.tower.world is not None:
        heads["world"] = net.tower.world
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
