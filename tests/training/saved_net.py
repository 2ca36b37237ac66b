"""Checkpoints as a training writes them, of nets that nobody trained."""

from pathlib import Path

import torch

from blazepose.models.landmark_net import LandmarkNet
from blazepose.training.checkpoint import describe_landmark_net


def save(path: Path, net: LandmarkNet, wiring: str = "mediapipe", **changes) -> Path:
    about = describe_landmark_net(
        net, wiring, {"landmarks": ["nose"], "heatmaps": [], "outputs": []}, {"train": []}, {}
    )
    state = {f"net.{name}": value for name, value in net.state_dict().items()}
    torch.save({"blazepose": {**about, **changes}, "state_dict": state}, path)
    return path
