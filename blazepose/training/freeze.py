"""Freezing of parts of a network."""

from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def freeze_stages(encoder: Any, frozen_stages: int) -> None:
    """Freeze the first stages of an encoder, BatchNorm statistics included."""
    stages = (encoder.stem, encoder.at64, encoder.at32, encoder.at16, encoder.at8)
    for stage in stages[:frozen_stages]:
        stage.requires_grad_(False).eval()


def freeze_bn_stats(net: nn.Module) -> None:
    """Freeze the statistics of BatchNorm; its scale and shift stay trainable."""
    for module in net.modules():
        if isinstance(module, _BatchNorm):  # also SyncBatchNorm, which Lightning uses on several GPUs
            module.eval()
