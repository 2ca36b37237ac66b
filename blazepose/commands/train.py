"""Train a BlazePose network: `blazepose train model=full data=lsp`. See docs/guides."""

import logging
import shlex
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from blazepose.atomic import file_sha256
from blazepose.config.detector import DetectorAugmentation, DetectorLossConfig
from blazepose.config.landmark import Augmentation, LandmarkLossConfig, PersonFilter
from blazepose.config.schedule import OptimizerConfig, Stages
from blazepose.config.train import LoaderConfig, ModelConfig, RunConfig
from blazepose.data.annotated_image import group_by_image, labelled_points
from blazepose.data.datamodule import (
    PoseDataModule,
    describe_people,
    describe_sources,
    labelled_outputs,
    read_filtered,
)
from blazepose.data.dataset import PoseDataset
from blazepose.data.detector_dataset import DetectorDataset, describe_images
from blazepose.data.filters import EVALUATION_FILTER
from blazepose.data.image_folders import find_image_files
from blazepose.data.readers import as_list, read_source
from blazepose.decoding import Decoding, default_decoding
from blazepose.exceptions import InputError
from blazepose.hydra_app import (
    drop_preset_people,
    from_config,
    hydra_command,
    is_overridden,
    reject_overrides,
)
from blazepose.models.detector_net import DetectorNet, describe_detector
from blazepose.models.landmark_net import LandmarkNet, describe_net
from blazepose.models.variants import DETECTOR_VARIANTS, detector_variant, landmark_variant
from blazepose.runs import DETECTOR_RUNS, LANDMARK_RUNS, resolve_weights
from blazepose.synthetic.dataset.starter import provide_starter
from blazepose.topologies import find_topology
from blazepose.topology import Topology
from blazepose.training.callbacks import ImageLogger, build_callbacks
from blazepose.training.checkpoint import (
    detector_metadata,
    landmark_metadata,
    read_checkpoint,
    require_unchanged,
)
from blazepose.training.choose_interpolation import interpolate_best
from blazepose.training.detector_images import draw_detector_predictions, draw_detector_samples
from blazepose.training.detector_module import DetectorModule, monitor_name
from blazepose.training.fit import (
    build_trainer,
    fit,
    set_seed,
    trainer_settings,
    trial_trainer,
    validates,
    worker_count,
)
from blazepose.training.initialization import describe_initialization, initialize
from blazepose.training.landmark_module import LandmarkModule
from blazepose.training.pose_module import PoseModule
from blazepose.training.processes import batches_per_process, describe_processes, first_device
from blazepose.training.runs import open_run, resume_run
from blazepose.training.sample_images import draw_landmark_predictions, draw_samples
from blazepose.training.stages import supervised_by
from blazepose.training.teacher import Teachers, check_unchanged, load_teachers, provide_targets
from blazepose.training.unlabelled import find_people, list_unlabelled
from blazepose.training.weights import read_weights

log = logging.getLogger("blazepose")


@hydra_command("train")
def main(cfg: DictConfig) -> None:
    """Start or resume a training run of the configured network."""
    folder, checkpoint = None, None
    if cfg.ckpt:
        cfg, folder, checkpoint = resume_run(cfg)
    else:
        drop_preset_people(cfg.data, is_overridden)
    reject_unused(cfg.model.name)
    detects = cfg.model.name in DETECTOR_VARIANTS
    if cfg.data.test or cfg.data.metadata:
        raise InputError(
            "data.test and data.metadata are for blazepose eval; training takes data.train and data.val"
        )
    if cfg.data.get("unlabelled") and not cfg.loss.teacher:
        raise InputError("data.unlabelled has no effect with loss.teacher=0; set loss.teacher=1")
    if cfg.get("teacher") and not (cfg.loss.distill or cfg.loss.teacher):
        raise InputError("teacher= has no effect with loss.teacher=0 and loss.distill=0; set loss.teacher=1")
    if not cfg.data.train:
        raise InputError('data.train is empty; name at least one source, "data.train=[lsp:data/lspet:train]"')
    if cfg.init and not cfg.ckpt:  # read now, so that a wrong file is reported before minutes of work
        read_weights(resolve_weights(cfg.init, "init="), "detector" if detects else "landmark")
    set_seed(cfg.seed)
    train = train_detector if detects else train_landmark_net
    train(cfg, folder, checkpoint)


def reject_unused(model: str) -> None:
    """Reject settings and recipes of the other network."""
    recipe = HydraConfig.get().runtime.choices.get("experiment")
    if recipe and (model in DETECTOR_VARIANTS) != recipe.endswith("detector"):
        raise InputError(f"experiment={recipe} is not for model={model}; see configs/experiment")
    if model in DETECTOR_VARIANTS:
        unused = (
            "loss",
            "augmentation",
            "filter",
            "teacher",
            "decode",
            "data.unlabelled",
            "optimizer.interpolate",
            "stages.heatmap",
            "stages.regression",
            "model.wiring",
            "model.topology",
        )
        reject_overrides(unused, f"not used by model={model}; set detector.windows and detector.loss instead")
    else:
        reject_overrides(["detector"], "used only by model=detector")


def train_landmark_net(cfg: DictConfig, folder: Path | None, checkpoint: Path | None) -> None:
    """Train a landmark network; the data comes before the trainer, so that its errors are reported first."""
    model = from_config(ModelConfig, cfg, "model")
    topology = find_topology(model.topology)
    net = LandmarkNet(landmark_variant(model.name, model.wiring), model.gradient_stop, topology)
    stages = from_config(Stages, cfg, "stages")
    optimizer_config = from_config(OptimizerConfig, cfg, "optimizer")
    loss_config = from_config(LandmarkLossConfig, cfg, "loss")
    augmentation = from_config(Augmentation, cfg, "augmentation")
    from_config(RunConfig, cfg)  # checked before any work
    person_filter = from_config(PersonFilter, cfg, "filter")
    settings, loader_config = trainer_settings(dict(cfg.trainer)), build_loader_config(cfg)
    teachers, unlabelled_images = None, []
    if loss_config.distill or loss_config.teacher:
        teachers = open_teachers(cfg, checkpoint, topology)
        specs = as_list(cfg.data.get("unlabelled"))
        unlabelled_images = list_unlabelled(specs, teachers.of_landmarks.path, cfg.init)
    provide_starter(source_names(cfg))  # minutes of rendering, so after the checks of config and files
    train = read_filtered(cfg.data.train, person_filter, topology)
    val = read_filtered(cfg.data.val, EVALUATION_FILTER, topology)
    negatives = find_image_files(cfg.data.negatives, "data.negatives")
    crops = PoseDataset(train, net.input_spec, augmentation, negatives, cfg.seed, topology=topology)
    start = initialize(net, cfg.init, crops, resumed=checkpoint)
    decoding = resolve_decoding(cfg, start or {"decoding": net.variant.default_decoding})
    targets, unlabelled = None, []
    if teachers:
        device = first_device(cfg.trainer)
        unlabelled = [find_people(images, teachers.of_landmarks, device) for images in unlabelled_images]
        people = [person for source in (*train, *unlabelled) for person in source.annotations]
        if teachers.other:
            masks = teachers.initial is None  # else they are learned from the initial network
            targets = provide_targets(teachers.other, people, loader_config.num_workers, device, masks)
    train_set = PoseDataset(
        train, net.input_spec, augmentation, negatives, cfg.seed, targets, unlabelled, topology
    )
    val_set = PoseDataset(val, net.input_spec, topology=topology)
    data = PoseDataModule(train_set, val_set, loader_config, cfg.seed)
    stages = resolve_stages(cfg, stages, len(train_set), loader_config.batch_size, settings)
    supervised = supervised_by(labelled_outputs(train, negatives, topology), stages, cfg.loss)
    if net.tower.world is None:
        supervised = supervised.without("world")
    sources = {"train": train, "unlabelled": unlabelled, "val": val}
    learned = teachers and teachers.as_metadata()
    metadata = landmark_metadata(
        net, model.wiring, supervised, sources, recipe(cfg), start, decoding, learned
    )
    module = LandmarkModule(
        net, loss_config, optimizer_config, stages, supervised, metadata, teachers, decoding
    )

    folder = folder or open_run(LANDMARK_RUNS, cfg.name, cfg)
    lines = [describe_net(net), *describe_sources(train, val), supervised.describe("supervised")]
    if teachers:
        lines += [describe_people(source) for source in unlabelled]
        lines.append(teachers.describe())
    lines.append(f"decoding of validation, evaluation and export: {decoding}")
    for line in (*lines, *describe_initialization(start, cfg.init, optimizer_config)):
        log.info(line)
    image_logger = ImageLogger(partial(draw_samples, train_set), draw_landmark_predictions, folder)
    next_step = (
        "evaluate them: blazepose eval weights="
        if supervised.landmarks
        else "next, the regression: blazepose train stages.joint=0 stages.regression=60 init="
    )
    run(module, data, settings, image_logger, "val/pck@0.2", checkpoint, next_step)


def open_teachers(cfg: DictConfig, checkpoint: Path | None, topology: Topology) -> Teachers:
    """Load the teachers; those of a resumed run must be the ones that it began with."""
    teachers = load_teachers(cfg.get("teacher"), cfg.init, topology)  # runs of earlier versions lack the key
    if checkpoint:
        check_unchanged(teachers, read_checkpoint(checkpoint).metadata)
    return teachers


def train_detector(cfg: DictConfig, folder: Path | None, checkpoint: Path | None) -> None:
    """Train a detector, in the same order."""
    net = DetectorNet(detector_variant(cfg.model.name))
    stages = from_config(Stages, cfg, "stages")
    optimizer_config = from_config(OptimizerConfig, cfg, "optimizer")
    loss_config = from_config(DetectorLossConfig, cfg, "detector.loss")
    windows = from_config(DetectorAugmentation, cfg, "detector.windows")
    settings, loader_config = trainer_settings(dict(cfg.trainer)), build_loader_config(cfg)
    provide_starter(source_names(cfg))

    train, val = ([read_source(spec) for spec in as_list(specs)] for specs in (cfg.data.train, cfg.data.val))
    negatives = find_image_files(cfg.data.negatives, "data.negatives")
    train_set = DetectorDataset(
        group_by_image(train, "data.train"), net.input_spec, windows, negatives, cfg.seed
    )
    val_set = DetectorDataset(group_by_image(val, "data.val") if val else [], net.input_spec)
    data = PoseDataModule(train_set, val_set, loader_config, cfg.seed)

    stages = resolve_stages(cfg, stages, len(train_set), loader_config.batch_size, settings)
    start = initialize(net, cfg.init, train_set, resumed=checkpoint)
    points = labelled_points(train_set.images)
    metadata = detector_metadata(net, {"train": train, "val": val}, recipe(cfg), start, points)
    module = DetectorModule(net, loss_config, optimizer_config, stages, metadata)

    folder = folder or open_run(DETECTOR_RUNS, cfg.name, cfg)
    lines = [describe_detector(net), *describe_sources(train, val), describe_images(train_set, val_set)]
    for line in (*lines, *describe_initialization(start, cfg.init, optimizer_config)):
        log.info(line)
    image_logger = ImageLogger(partial(draw_detector_samples, train_set), draw_detector_predictions, folder)
    sources = " ".join(f"--data {shlex.quote(spec)}" for spec in as_list(cfg.data.val) or ["READER:PATH"])
    evaluate = f"evaluate them: blazepose eval-detector {sources} "
    run(module, data, settings, image_logger, monitor_name(val_set.images), checkpoint, evaluate)


def run(
    module: PoseModule,
    data: PoseDataModule,
    settings: dict[str, Any],
    image_logger: ImageLogger,
    monitor: str,
    checkpoint: Path | None,
    next_step: str,
) -> None:
    """Run or resume a training; `monitor` is the metric of the best epoch, given validation data."""
    folder, optimizer_config, stages = image_logger.folder, module.optimizer_config, module.stages
    monitored = monitor if len(data.val_set) and validates(settings, stages) else None
    callbacks = build_callbacks(folder, optimizer_config, image_logger, monitored)
    trainer = build_trainer(folder, settings, optimizer_config, stages, callbacks)
    for line in describe_processes(trainer, data.config.batch_size, optimizer_config.lr):
        log.info(line)
    pretrained = module.metadata["init"] is not None
    finish = None
    if pretrained and optimizer_config.interpolate and isinstance(module, LandmarkModule):
        init = resolve_weights(module.metadata["recipe"]["init"], "init=")
        require_unchanged(init, file_sha256(init), module.metadata["init"], "the initial weights")
        finish = partial(interpolate_best, module, data, folder, init, trainer)
    fit(trainer, module, data, folder, checkpoint, next_step, pretrained, finish)


def resolve_stages(
    cfg: DictConfig, stages: Stages, samples: int, batch_size: int, settings: dict[str, Any]
) -> Stages:
    """Return the stages with the number of epochs that `auto` means, which the config of the run then has."""
    trainer = trial_trainer(settings)
    steps = batches_per_process(samples, batch_size, trainer.world_size, trainer.limit_train_batches)
    stages = stages.resolve(steps)
    cfg.stages.joint = stages.joint
    return stages


def resolve_decoding(cfg: DictConfig, start: Mapping[str, Any] | None) -> Decoding:
    """Return the decoding; null means that of the initial weights, which the config of the run then has."""
    cfg.decode = cfg.get("decode") or default_decoding(start or {})
    return cast(Decoding, cfg.decode)


def recipe(cfg: DictConfig) -> dict:
    """Return the resolved configuration as plain values."""
    return cast(dict, OmegaConf.to_container(cfg, resolve=True))


def source_names(cfg: DictConfig) -> list[str]:
    """Return the names of the training and validation sources."""
    return [*as_list(cfg.data.train), *as_list(cfg.data.val)]


def build_loader_config(cfg: DictConfig) -> LoaderConfig:
    """Return batch size and number of workers."""
    config = from_config(LoaderConfig, cfg, "loader")
    return replace(config, num_workers=worker_count(config.num_workers, cfg.trainer.accelerator))


if __name__ == "__main__":
    main()
