"""Create and resume run folders, which are never overwritten."""

import logging
import os
import re
from pathlib import Path
from typing import cast

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from yaml import YAMLError

from blazepose.atomic import atomic_path
from blazepose.exceptions import InputError
from blazepose.file_content import check_file, unreadable
from blazepose.rank import is_first_process
from blazepose.runs import new_run_folder, resolve_resume
from blazepose.training.old_keys import rename_config_keys

_RUN_VARIABLE = "BLAZEPOSE_RUN"

_CHANGEABLE = (
    "stages.",
    "trainer.max_time",
    "trainer.accelerator",
    "trainer.precision",
    "trainer.check_val_every_n_epoch",
    "trainer.log_every_n_steps",
    "trainer.limit_val_batches",
    "loader.num_workers",
)
"""Settings that a resumed run may change: none that changes the steps per epoch, on which the learning rate
depends."""


def open_run(parent: Path, name: str, cfg: DictConfig) -> Path:
    """Create a run folder with its config and log file, and return it.

    Of several processes the first creates it. Those that it starts get it from the environment; others get
    the folder of the checkpoints from Lightning when training begins.

    Raises:
        ValueError: if the name would hide the run, or make its files hard to type.
    """
    if not is_first_process():
        return Path(os.environ.get(_RUN_VARIABLE, parent / name))
    if not re.fullmatch(r"[^/\\=\s]+", str(name or "")):
        raise InputError(f"name={name}: the name of a run must not be empty or have spaces, slashes or =")
    folder = new_run_folder(parent, name)
    os.environ[_RUN_VARIABLE] = str(folder)
    with atomic_path(folder / "config.yaml") as part:
        OmegaConf.save(cfg, part, resolve=True)
    _log_to(folder)
    return folder


def resume_run(cfg: DictConfig) -> tuple[DictConfig, Path, Path]:
    """Return the config, folder and checkpoint of the run that `cfg.ckpt` names.

    The config is that of the run, with the overrides of the command line (`stages.joint=80`).

    Raises:
        FileNotFoundError: names what is missing.
        ValueError: if the checkpoint is damaged or has no optimizer state, or if an override would make it
            another run.
    """
    from blazepose.training.checkpoint import read_checkpoint  # imports torch, which evaluation may lack

    folder, checkpoint = resolve_resume(cfg.ckpt)
    read_checkpoint(checkpoint, for_resume=True)
    overrides = [item for item in HydraConfig.get().overrides.task if not item.startswith("ckpt=")]
    if fixed := [item for item in overrides if not item.startswith(_CHANGEABLE)]:
        raise InputError(
            f"ckpt= resumes the run in {folder} with its own config: only {', '.join(_CHANGEABLE)} can be "
            f"changed, not {', '.join(fixed)}; init={checkpoint} starts a new run from its weights"
        )
    config = folder / "config.yaml"
    check_file(config, "the config of a run", f"init={checkpoint} starts a new run from these weights")
    try:
        saved = OmegaConf.load(config)
    except (YAMLError, UnicodeDecodeError) as error:
        raise unreadable(config, "YAML", " ".join(str(error).split()), "correct it") from error
    rename_config_keys(cast(DictConfig, saved))
    for item in overrides:
        key = item.split("=")[0]
        OmegaConf.update(saved, key, OmegaConf.select(cfg, key))
    if is_first_process():
        with atomic_path(folder / "config.yaml") as part:
            OmegaConf.save(saved, part)
        _log_to(folder)
    return saved, folder, checkpoint  # type: ignore[return-value]


def _log_to(folder: Path) -> None:
    handler = logging.FileHandler(folder / "train.log")
    handler.handleError = lambda record: None  # type: ignore[method-assign]  # a full disk is reported by the checkpoints
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logging.getLogger("blazepose").addHandler(handler)
