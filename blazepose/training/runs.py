"""Run folders: one a training run, never written over.

runs/landmark/lite-20261120-174500/
    config.yaml  checkpoints/best.ckpt  checkpoints/last.ckpt  results.json  train.log  events.out.tfevents...
"""

import logging
import os
import time
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from blazepose.training.checkpoint import read_checkpoint

_RUN_VARIABLE = "BLAZEPOSE_RUN"

RUNS = Path("runs")
LANDMARK_RUNS = RUNS / "landmark"


def new_run_folder(parent: Path, name: str) -> Path:
    """Make and return a fresh folder `<name>-<time>` below `parent`."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for suffix in ("", *(f"-{i}" for i in range(2, 100))):
        folder = parent / f"{name}-{stamp}{suffix}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(f"{parent / name}-{stamp}: a hundred runs in one second")


def best_checkpoint(folder: Path) -> Path:
    """Where a run keeps its best weights."""
    return folder / "checkpoints" / "best.ckpt"


def last_checkpoint(folder: Path) -> Path:
    """Where a run keeps all it needs to go on."""
    return folder / "checkpoints" / "last.ckpt"


def _newest(name: str, runs: Path) -> Path:
    found = sorted(runs.glob(f"*/checkpoints/{name}"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise FileNotFoundError(
            f"{runs} holds no run with a {name}; train one with `python train.py model=full`"
        )
    return found[-1]


def newest_checkpoint(runs: Path = LANDMARK_RUNS) -> Path:
    """The best checkpoint of the landmark run that was active last.

    Raises:
        FileNotFoundError: says how to train one.
    """
    return _newest("best.ckpt", runs)


def resumable(ckpt: str, runs: Path = LANDMARK_RUNS) -> tuple[Path, Path]:
    """The run folder and the checkpoint that `ckpt=` means: `last`, a run folder or a checkpoint file.

    Raises:
        FileNotFoundError: names what is missing.
    """
    path = _newest("last.ckpt", runs) if ckpt == "last" else Path(ckpt).expanduser()
    if path.is_dir():
        path = last_checkpoint(path)
    if not path.is_file():
        raise FileNotFoundError(f"ckpt={ckpt}: {path} is missing; ckpt=last goes on with the newest run")
    folder = path.parent.parent
    if not (folder / "config.yaml").is_file():
        raise FileNotFoundError(
            f"ckpt={ckpt}: {folder / 'config.yaml'} is missing, so the run cannot go on; "
            f"init={path} starts a new run from these weights"
        )
    return folder, path


def open_run(parent: Path, name: str, cfg: DictConfig) -> Path:
    """Make a run folder with its config and log file, and return it.

    Lightning starts this script again for every further process; those get the first one's folder.
    """
    if os.environ.get("LOCAL_RANK", "0") != "0":
        return Path(os.environ.get(_RUN_VARIABLE, parent / name))
    folder = new_run_folder(parent, name)
    os.environ[_RUN_VARIABLE] = str(folder)
    OmegaConf.save(cfg, folder / "config.yaml", resolve=True)
    _log_to(folder)
    return folder


def resume_run(cfg: DictConfig) -> tuple[DictConfig, Path, Path]:
    """The config, folder and checkpoint of the run that `cfg.ckpt` names.

    The run's own config counts; what else is typed on the command line (`stages.joint=80`) is laid over it.

    Raises:
        FileNotFoundError: names what is missing.
        ValueError: if the checkpoint is damaged, or if a whole group (model=, data=) is typed: that would be
            another run.
    """
    folder, checkpoint = resumable(cfg.ckpt)
    read_checkpoint(checkpoint)
    typed = [item for item in HydraConfig.get().overrides.task if not item.startswith("ckpt=")]
    if fixed := [item for item in typed if not item.startswith(("stages.", "trainer.", "loader."))]:
        raise ValueError(
            f"ckpt= goes on with the run in {folder} as it was configured: only stages.*, trainer.* and "
            f"loader.* can be changed, not {', '.join(fixed)}; a new run starts from its weights with "
            f"init={checkpoint}"
        )
    saved = OmegaConf.load(folder / "config.yaml")
    for item in typed:
        key = item.split("=")[0]
        OmegaConf.update(saved, key, OmegaConf.select(cfg, key))
    OmegaConf.save(saved, folder / "config.yaml.new")
    (folder / "config.yaml.new").replace(folder / "config.yaml")
    _log_to(folder)
    return saved, folder, checkpoint  # type: ignore[return-value]


def _log_to(folder: Path) -> None:
    handler = logging.FileHandler(folder / "train.log")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logging.getLogger("blazepose").addHandler(handler)
