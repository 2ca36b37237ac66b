"""Train a BlazePose network: `python train.py model=full data=lsp`. See README.md."""

import logging
import shlex
from functools import partial
from pathlib import Path
from typing import cast

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from blazepose.data.annotated_image import group_by_image
from blazepose.data.augment import Augmentation
from blazepose.data.datamodule import (
    LoaderConfig,
    PoseDataModule,
    describe_sources,
    find_image_files,
    read_filtered,
    trained_outputs,
)
from blazepose.data.dataset import PoseDataset
from blazepose.data.detector_dataset import DetectorDataset, describe_scenes
from blazepose.data.detector_windows import DetectorAugmentation
from blazepose.data.filters import EVALUATION_FILTER, PersonFilter
from blazepose.data.readers import as_list, read_source
from blazepose.hydra_app import from_config, hydra_command, is_overridden, reject_overrides
from blazepose.models.detector_net import DetectorNet, describe_detector
from blazepose.models.landmark_net import LandmarkNet, describe_net
from blazepose.models.variants import landmark_variant
from blazepose.synthetic.dataset.starter import provide_starter
from blazepose.training.callbacks import ImageLogger, build_callbacks
from blazepose.training.checkpoint import detector_metadata, landmark_metadata
from blazepose.training.detector_images import draw_detector, draw_detector_samples
from blazepose.training.detector_loss_config import DetectorLossConfig
from blazepose.training.detector_module import DetectorModule, monitor_name
from blazepose.training.fit import build_trainer, fit, set_seed, trainer_settings, validates, worker_count
from blazepose.training.initialization import describe_initialization, initialize
from blazepose.training.landmark_module import LandmarkModule
from blazepose.training.loss_config import LandmarkLossConfig
from blazepose.training.optimizer import OptimizerConfig
from blazepose.training.processes import describe_processes
from blazepose.training.runs import DETECTOR_RUNS, LANDMARK_RUNS, open_run, resume_run
from blazepose.training.sample_images import draw_module, draw_samples
from blazepose.training.stages import Stages, supervised_by
from blazepose.training.supervised_outputs import describe_supervised, next_step

log = logging.getLogger("blazepose")


@hydra_command("train")
def main(cfg: DictConfig) -> None:
    """Find out what is trained, and where it goes on."""
    folder, checkpoint = None, None
    if cfg.ckpt:
        cfg, folder, checkpoint = resume_run(cfg)
    else:
        if is_overridden("data.train") and not is_overridden("data"):
            for key in ("val", "negatives"):  # those of the default preset go with its training people
                if not is_overridden(f"data.{key}"):
                    cfg.data[key] = []
    refuse_unread(cfg.model.name)
    if cfg.data.test or cfg.data.metadata:
        raise ValueError(
            "data.test and data.metadata are for eval.py; training takes data.train and data.val"
        )
    if not cfg.data.train:
        raise ValueError('data.train is empty; name at least one source, "data.train=[lsp:data/lspet:train]"')
    set_seed(cfg.seed)
    train = train_detector if cfg.model.name == "detector" else train_landmark_net
    train(cfg, folder, checkpoint)


def refuse_unread(model: str) -> None:
    """Refuse settings and recipes of the other network."""
    recipe = HydraConfig.get().runtime.choices.get("experiment")
    if recipe and (model == "detector") != recipe.endswith("detector"):
        raise ValueError(f"experiment={recipe} is not for model={model}; see configs/experiment")
    if model == "detector":
        unread = ("loss", "augmentation", "filter", "stages.heatmap", "stages.regression", "model.wiring")
        reject_overrides(
            unread, "the detector does not read it; detector.windows and detector.loss are its own"
        )
    else:
        reject_overrides(["detector"], "only model=detector reads it")


def train_landmark_net(cfg: DictConfig, folder: Path | None, checkpoint: Path | None) -> None:
    """Data, network, trainer, in this order, so that what is wrong with the data is said first."""
    net = LandmarkNet(landmark_variant(cfg.model.name, cfg.model.wiring), cfg.model.gradient_stop)
    stages, optimizer = from_config(Stages, cfg, "stages"), from_config(OptimizerConfig, cfg, "optimizer")
    weights, augmentation = (
        from_config(LandmarkLossConfig, cfg, "loss"),
        from_config(Augmentation, cfg, "augmentation"),
    )
    people = from_config(PersonFilter, cfg, "filter")
    settings, loading = trainer_settings(dict(cfg.trainer)), loading_of(cfg)
    provide_starter(sources_of(cfg))  # minutes of rendering, so after everything that may be refused

    train = read_filtered(cfg.data.train, people)
    val = read_filtered(cfg.data.val, EVALUATION_FILTER)
    negatives = find_image_files(cfg.data.negatives, "data.negatives")
    trained = supervised_by(trained_outputs(train, negatives), stages, cfg.loss)
    train_set = PoseDataset(train, net.input_spec, augmentation, negatives, cfg.seed)
    data = PoseDataModule(train_set, PoseDataset(val, net.input_spec), loading, cfg.seed)

    recipe = cast(dict, OmegaConf.to_container(cfg, resolve=True))
    start = initialize(net, cfg.init, train_set, keep=weights.distill > 0, resumed=checkpoint)
    sources = {"train": train, "val": val}
    metadata = landmark_metadata(net, cfg.model.wiring, trained, sources, recipe, start.metadata)
    module = LandmarkModule(net, weights, optimizer, stages, trained, metadata, start.teacher)

    folder = folder or open_run(LANDMARK_RUNS, cfg.name, cfg)
    lines = [describe_net(net), *describe_sources(train, val), describe_supervised(trained)]
    for line in (*lines, *describe_initialization(start, cfg.init, optimizer)):
        log.info(line)
    monitor = "val/pck@0.2" if val and validates(settings, stages) else None
    pictures = ImageLogger(partial(draw_samples, train_set), draw_module, folder)
    callbacks = build_callbacks(folder, optimizer, pictures, monitor)
    trainer = build_trainer(folder, settings, optimizer, stages, callbacks)
    for line in describe_processes(trainer, loading.batch_size, optimizer.lr):
        log.info(line)
    fit(trainer, module, data, folder, checkpoint, next_step(trained), start.metadata is not None)


def train_detector(cfg: DictConfig, folder: Path | None, checkpoint: Path | None) -> None:
    """The same of the detector."""
    net = DetectorNet()
    stages, optimizer = from_config(Stages, cfg, "stages"), from_config(OptimizerConfig, cfg, "optimizer")
    weights = from_config(DetectorLossConfig, cfg, "detector.loss")
    windows = from_config(DetectorAugmentation, cfg, "detector.windows")
    settings, loading = trainer_settings(dict(cfg.trainer)), loading_of(cfg)
    provide_starter(sources_of(cfg))

    train, val = ([read_source(spec) for spec in as_list(specs)] for specs in (cfg.data.train, cfg.data.val))
    negatives = find_image_files(cfg.data.negatives, "data.negatives")
    train_set = DetectorDataset(
        group_by_image(train, "data.train"), net.input_spec, windows, negatives, cfg.seed
    )
    val_set = DetectorDataset(group_by_image(val, "data.val") if val else [], net.input_spec)
    data = PoseDataModule(train_set, val_set, loading, cfg.seed)

    recipe = cast(dict, OmegaConf.to_container(cfg, resolve=True))
    start = initialize(net, cfg.init, train_set, keep=False, resumed=checkpoint)
    metadata = detector_metadata(net, {"train": train, "val": val}, recipe, start.metadata)
    module = DetectorModule(net, weights, optimizer, stages.epochs, metadata)

    folder = folder or open_run(DETECTOR_RUNS, cfg.name, cfg)
    lines = [describe_detector(net), *describe_sources(train, val), describe_scenes(train_set, val_set)]
    for line in (*lines, *describe_initialization(start, cfg.init, optimizer)):
        log.info(line)
    monitor = monitor_name(val_set.scenes) if val and validates(settings, stages) else None
    pictures = ImageLogger(partial(draw_detector_samples, train_set), draw_detector, folder)
    callbacks = build_callbacks(folder, optimizer, pictures, monitor)
    trainer = build_trainer(folder, settings, optimizer, stages, callbacks)
    for line in describe_processes(trainer, loading.batch_size, optimizer.lr):
        log.info(line)
    people = " ".join(f"--data {shlex.quote(spec)}" for spec in as_list(cfg.data.val) or ["READER:PATH"])
    todo = f"evaluate them: python -m blazepose.detection {people} "
    fit(trainer, module, data, folder, checkpoint, todo, start.metadata is not None)


def sources_of(cfg: DictConfig) -> list[str]:
    """Names of everything that a run reads people from."""
    return [*as_list(cfg.data.train), *as_list(cfg.data.val)]


def loading_of(cfg: DictConfig) -> LoaderConfig:
    """Batch size and workers."""
    return LoaderConfig(cfg.loader.batch_size, worker_count(cfg.loader.num_workers, cfg.trainer.accelerator))


if __name__ == "__main__":
    main()
