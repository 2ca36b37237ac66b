"""Validates a checkpoint on one or several CPU processes and prints the metrics: for test_distributed.py.

python validate_on_processes.py CHECKPOINT SPEC DEVICES
"""

import json
import sys
from pathlib import Path

import torch
from pytorch_lightning import Trainer

from blazepose.config.landmark import LandmarkLossConfig
from blazepose.config.schedule import OptimizerConfig, Stages
from blazepose.config.train import LoaderConfig
from blazepose.data.datamodule import PoseDataModule, read_filtered
from blazepose.data.dataset import PoseDataset
from blazepose.data.filters import EVALUATION_FILTER
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topologies.full_body import LANDMARKS
from blazepose.training.landmark_module import LandmarkModule
from blazepose.training.weights import load_landmark_net


def main() -> None:
    torch.set_num_threads(1)
    checkpoint, spec, devices = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    net = load_landmark_net(checkpoint)
    people = read_filtered([spec], EVALUATION_FILTER)
    dataset = PoseDataset(people, net.input_spec)
    data = PoseDataModule(dataset, dataset, LoaderConfig(batch_size=3, num_workers=0))
    trained = SupervisedOutputs(landmarks=LANDMARKS)
    module = LandmarkModule(net, LandmarkLossConfig(), OptimizerConfig(), Stages(), trained, {})
    trainer = Trainer(
        accelerator="cpu",
        devices=devices,
        strategy="ddp" if devices > 1 else "auto",
        use_distributed_sampler=False,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
    )
    trainer.validate(module, data, verbose=False)
    if trainer.is_global_zero:
        print(json.dumps({name: float(value) for name, value in trainer.callback_metrics.items()}))


if __name__ == "__main__":
    main()
