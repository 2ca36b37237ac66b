"""Checkpoints of untrained networks, in the format of a training."""

from pathlib import Path

from blazepose.models.landmark_net import LandmarkNet
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.training.checkpoint import landmark_metadata, write_checkpoint


def save(path: Path, net: LandmarkNet, wiring: str = "mediapipe", **changes) -> Path:
    metadata = landmark_metadata(net, wiring, SupervisedOutputs(landmarks=("nose",)), {"train": []}, {})
    write_checkpoint(path, net, {**metadata, **changes})
    return path
