"""Train a BlazePose network: `python train.py model=full data=lsp`. See README.md."""

import logging
from pathlib import Path
from typing import cast

from omegaconf import DictConfig, OmegaConf

from blazepose.configured import build, script, typed
from blazepose.data.augment import Augmentation
from blazepose.data.datamodule import (
    Loading,
    PoseDataModule,
    as_list,
    describe_people,
    find_pictures,
    read_filtered,
    shared_people,
    trained_outputs,
)
from blazepose.data.filters import EVALUATION_FILTER, PersonFilter
from blazepose.models.landmark_net import LandmarkNet, describe_net
from blazepose.models.variants import landmark_variant
from blazepose.synthetic.starter import provide_starter
from blazepose.training.beginning import begin
from blazepose.training.callbacks import build_callbacks
from blazepose.training.checkpoint import describe_landmark_net
from blazepose.training.fit import build_trainer, fit, set_seed, trainer_settings, validates, worker_count
from blazepose.training.landmark_module import LandmarkModule
from blazepose.training.loss_weights import LossWeights
from blazepose.training.optimiser import OptimiserConfig
from blazepose.training.runs import LANDMARK_RUNS, open_run, resume_run
from blazepose.training.stages import Stages, advice, describe_learned, learned
from blazepose.training.weights import IMPORTED

log = logging.getLogger("blazepose")


@script("train")
def main(cfg: DictConfig) -> None:
    """Data, network, trainer, in this order, so that what is wrong with the data is said first."""
    folder, checkpoint = None, None
    if cfg.ckpt:
        cfg, folder, checkpoint = resume_run(cfg)
    elif typed("data.train") and not typed("data"):
        for key in ("val", "negatives"):  # those of the default preset go with its training people
            if not typed(f"data.{key}"):
                cfg.data[key] = []
    if cfg.data.test or cfg.data.metadata:
        raise ValueError(
            "data.test and data.metadata are for eval.py; training takes data.train and data.val"
        )
    if not cfg.data.train:
        raise ValueError('data.train is empty; name at least one source, "data.train=[lsp:data/lspet:train]"')
    set_seed(cfg.seed)
    net = LandmarkNet(landmark_variant(cfg.model.name, cfg.model.wiring), cfg.model.gradient_stop)
    stages, optimiser = build(Stages, cfg, "stages"), build(OptimiserConfig, cfg, "optimiser")
    weights, augmentation = build(LossWeights, cfg, "loss"), build(Augmentation, cfg, "augmentation")
    settings = trainer_settings(dict(cfg.trainer))
    loading = Loading(cfg.loader.batch_size, worker_count(cfg.loader.num_workers, cfg.trainer.accelerator))

    provide_starter([*as_list(cfg.data.train), *as_list(cfg.data.val)])
    train = read_filtered(cfg.data.train, build(PersonFilter, cfg, "filter"))
    val = read_filtered(cfg.data.val, EVALUATION_FILTER)
    negatives = find_pictures(cfg.data.negatives, "data.negatives")
    trained = learned(trained_outputs(train, negatives), stages, cfg.loss)
    data = PoseDataModule(train, val, negatives, net.input_spec, augmentation, loading, cfg.seed)

    recipe = cast(dict, OmegaConf.to_container(cfg, resolve=True))
    start = begin(net, cfg.init, data.train_set, keep=weights.keep > 0, resumed=checkpoint)
    sources = {"train": train, "val": val}
    about = describe_landmark_net(net, cfg.model.wiring, trained, sources, recipe, start.about)
    module = LandmarkModule(net, weights, optimiser, stages, trained, about, start.teacher)

    folder = folder or open_run(LANDMARK_RUNS, cfg.name, cfg)
    people = [describe_people(source) for source in (*train, *val)]
    if count := len(shared_people(train, val)):
        people.append(
            f"WARNING: {count} people of data.val are in data.train, too: their figures say nothing"
        )
    if not val:
        people.append("no validation: data.val=[...] names its people; best.ckpt is the last epoch's")
    for line in (describe_net(net), *people, describe_learned(trained)):
        log.info(line)
    if start.about and Path(cfg.init).suffix in IMPORTED and not optimiser.frozen_norm:
        log.warning(
            "WARNING: this recipe trains as from scratch and soon forgets what published weights know; "
            "experiment=finetune is made for them"
        )
    if start.teacher:
        log.info(f"held near to what {cfg.init} says: whatever is not labelled")
    validated = bool(val) and validates(settings, stages)
    callbacks = build_callbacks(folder, optimiser, data.train_set, validated)
    trainer = build_trainer(folder, settings, optimiser, stages, callbacks)
    fit(trainer, module, data, folder, checkpoint, advice(trained))


if __name__ == "__main__":
    main()
