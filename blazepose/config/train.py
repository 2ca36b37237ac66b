"""All keys of `blazepose train`."""

from dataclasses import dataclass
from typing import Any

from blazepose.config.detector import DetectorAugmentation, DetectorLossConfig
from blazepose.config.landmark import Augmentation, LandmarkLossConfig, PersonFilter
from blazepose.config.option import Section, option
from blazepose.config.schedule import OptimizerConfig, Stages
from blazepose.decoding import DECODINGS
from blazepose.topologies import topologies


@dataclass(frozen=True)
class RunConfig(Section):
    """Start, seed and name of the run."""

    init: str | None = option(None, "weights to start from: .ckpt, .task or .tflite of the same model")
    teacher: str | None = option(
        None,
        "weights whose landmarks and heatmaps are learned (loss.distill, loss.teacher), other outputs only "
        "without init: .ckpt, .task or .tflite of any landmark network; null: those of init",
    )
    ckpt: str | None = option(None, "run to resume: last (the newest one), its folder or a .ckpt of it")
    experiment: str | None = option(
        None,
        "recipe, which sets keys of several sections: finetune, finetune_detector, demo, demo_from_scratch, "
        "ablation_*",
    )
    seed: int = option(0, "seed of all random generators", 0, 2**32 - 1)
    decode: str | None = option(
        None,
        "decoding that the weights are made for: best.ckpt is chosen by it, and blazepose eval and export "
        "use it; regression, mediapipe (refined by the heatmap within three cells), heatmap (the place in "
        "the whole heatmap); null: that of init, or mediapipe",
        choices=DECODINGS,
    )
    name: str = option("${model.name}", "name of the run folder, before the time")


@dataclass(frozen=True)
class ModelConfig(Section, name="model"):
    """Networks: lite, full, heavy, paper_full, paper_lite, upper_body, detector, detector_2021."""

    name: str = option("full", "name of the network, set by model=")
    topology: str = option(
        "full_body",
        "landmarks; full_body: MediaPipe's 33, in a crop around the hips; upper_body: the first 25 of them, "
        "in a crop around the shoulders",
        choices=tuple(topologies()),
    )
    wiring: str = option(
        "paper",
        "features that the regression head reads; paper: those of the heatmaps, as in Google's heavy; "
        "mediapipe: those of the encoder, as in Google's lite and full",
        choices=("paper", "mediapipe"),
    )
    gradient_stop: bool = option(True, "the regression head does not train the features that it reads")


@dataclass(frozen=True)
class DataConfig(Section, name="data"):
    """People; `data=lsp` sets them: coco, coco_wholebody, halpe, landmarks, lsp, mpii, synthetic."""

    train: list[str] = option(
        ["synthetic:data/synthetic:train"], "training data, each source as reader:path[:split]"
    )
    val: list[str] = option(["synthetic:data/synthetic:val"], "validation data; [] for no validation")
    unlabelled: list[str] = option(
        [],
        "folders of images of people without labels, or reader:path, whose labels are not used: these people "
        "are learned from the teacher (loss.teacher), in an epoch up to four for each person with labels",
    )
    test: list[str] = option([], "only for blazepose eval")
    negatives: list[str] = option(
        ["data/synthetic/train/negatives"], "folders of images without people, for training"
    )
    metadata: str | None = option(None, "only for blazepose eval")


@dataclass(frozen=True)
class TrainerConfig(Section, name="trainer"):
    """Arguments of Lightning's Trainer; `trainer=ddp` (or default) sets them for several processes."""

    accelerator: str = option("auto", "device: auto, cpu, gpu, ...")
    devices: Any = option("auto", "number of devices of each machine, or a list of their indices")
    num_nodes: int = option(1, "number of machines")
    strategy: str = option("auto", "distribution over devices: auto, ddp, ...")
    precision: Any = option("auto", "bf16-mixed, 32-true, ...; auto: bf16-mixed on a GPU, 32-true on a CPU")
    check_val_every_n_epoch: int = option(1, "epochs from one validation to the next")
    log_every_n_steps: int = option(20, "steps from one value of the log to the next")
    max_time: str | None = option(
        None,
        "the run ends after the epoch in which it reaches this time; days:hours:minutes:seconds, as "
        '"00:02:00:00"',
    )
    limit_train_batches: Any = option(
        None, "number (10) or fraction (0.5) of the training batches of an epoch; null: all"
    )
    limit_val_batches: Any = option(
        None, "number (10) or fraction (0.5) of the validation batches; null: all"
    )


@dataclass(frozen=True)
class LoaderConfig(Section, name="loader"):
    """Data loaders."""

    batch_size: int = option(32, "samples per step and process", 1)
    num_workers: Any = option(
        "auto",
        "data-loading processes, 0 for none; auto: 2 for training on a CPU, else one per core up to 12",
        0,
        choices=("auto",),
    )


SECTIONS: tuple[type[Section], ...] = (
    RunConfig,
    ModelConfig,
    DataConfig,
    TrainerConfig,
    LoaderConfig,
    Stages,
    OptimizerConfig,
    LandmarkLossConfig,
    Augmentation,
    PersonFilter,
    DetectorAugmentation,
    DetectorLossConfig,
)
"""All keys of `blazepose train`."""
