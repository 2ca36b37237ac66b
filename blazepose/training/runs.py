"""Run folders: one a training run, never written over.

runs/landmark/lite-20261120-174500/
    config.yaml  checkpoints/best.ckpt  checkpoints/last.ckpt  results.json  train.log  events.out.tfevents...
"""

import logging
import os
import re
import time
from pathlib import Path
from typing import cast

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from yaml import YAMLError

from blazepose.atomic import atomic_path
from blazepose.file_content import check_file, unreadable
from blazepose.rank import is_first_process
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
"""What a resumed run may do otherwise. Not what changes the number of steps in an epoch, by which the
learning rate goes."""

RUNS = Path("runs")
LANDMARK_RUNS, DETECTOR_RUNS = RUNS / "landmark", RUNS / "detector"


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


def _newest_run(*folders: Path) -> Path:
    """The run that was started, resumed or saved last.

    Raises:
        FileNotFoundError: if there is none.
    """
    patterns = ("*/config.yaml", "*/checkpoints/last.ckpt")
    found = [path for runs in folders for pattern in patterns for path in runs.glob(pattern)]
    if not found:
        runs = " and ".join(map(str, folders))
        raise FileNotFoundError(f"{runs}: there is no run; train one with `python train.py model=full`")
    newest = max(found, key=lambda path: path.stat().st_mtime)
    return newest.parent if newest.name == "config.yaml" else newest.parent.parent


def _require(checkpoint: Path, otherwise: str) -> Path:
    if not checkpoint.is_file():
        folder = checkpoint.parent.parent
        raise FileNotFoundError(
            f"the run {folder} has no {checkpoint.name} yet, the first epoch brings it; {otherwise}"
        )
    return checkpoint


def resolve_weights(given: str | Path | None, option: str, runs: Path = LANDMARK_RUNS) -> Path:
    """The weights a user names, a run folder standing for its best; or the newest run's best.

    Args:
        given: file or run folder; None takes the landmark run that was active last.
        option: how the user names them, for the message: `weights=` or `--weights `.
        runs: where the runs are.

    Raises:
        FileNotFoundError: says how to train some, or how to name others.
        ValueError: if the name is empty, as an unset variable of the shell is.
    """
    if given is None:
        path = _newest_run(runs)
    elif not str(given):
        what = option.strip() or "the name of some weights"
        raise ValueError(f"{what} is empty; name a run folder or a file")
    else:
        path = Path(given).expanduser()
    if (path / "config.yaml").is_file():
        return _require(best_checkpoint(path), f"name other weights with {option}FILE")
    if path.is_dir():
        raise FileNotFoundError(f"{option}{path} is a folder, but no run of train.py; name a run or a file")
    return path


def resolve_named_weights(name: str) -> Path:
    """The weights that an argument names, a run folder standing for its best; raises as resolve_weights."""
    return resolve_weights(name, "")


def resolve_resume(ckpt: str, *folders: Path) -> tuple[Path, Path]:
    """The run folder and the checkpoint that `ckpt=` means: `last`, a run folder or a checkpoint file.

    Args:
        ckpt: what was typed.
        *folders: where the runs are; none are those of both networks.

    Raises:
        FileNotFoundError: names what is missing.
    """
    if ckpt == "last":
        newest = _newest_run(*(folders or (LANDMARK_RUNS, DETECTOR_RUNS)))
        path = _require(last_checkpoint(newest), "name another run with ckpt=FOLDER")
    else:
        path = Path(ckpt).expanduser()
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

    Of several processes the first makes it. Those that it starts know it from the environment; for others
    the name is open until training begins, when Lightning sends them the folder of the checkpoints.

    Raises:
        ValueError: if the name would hide the run, or make its files hard to type.
    """
    if not is_first_process():
        return Path(os.environ.get(_RUN_VARIABLE, parent / name))
    if not re.fullmatch(r"[^/\\=\s]+", str(name or "")):
        raise ValueError(f"name={name}: a run is named without spaces, slashes and =")
    folder = new_run_folder(parent, name)
    os.environ[_RUN_VARIABLE] = str(folder)
    with atomic_path(folder / "config.yaml") as part:
        OmegaConf.save(cfg, part, resolve=True)
    _log_to(folder)
    return folder


def resume_run(cfg: DictConfig) -> tuple[DictConfig, Path, Path]:
    """The config, folder and checkpoint of the run that `cfg.ckpt` names.

    The run's own config counts; what else is typed on the command line (`stages.joint=80`) is laid over it,
    unless the schedule could not go on from where it is.

    Raises:
        FileNotFoundError: names what is missing.
        ValueError: if the checkpoint is damaged or holds weights alone, or if something is typed that would
            make it another run.
    """
    from blazepose.training.checkpoint import read_checkpoint  # torch: an evaluation can do without

    folder, checkpoint = resolve_resume(cfg.ckpt)
    read_checkpoint(checkpoint, for_resume=True)
    typed = [item for item in HydraConfig.get().overrides.task if not item.startswith("ckpt=")]
    if fixed := [item for item in typed if not item.startswith(_CHANGEABLE)]:
        raise ValueError(
            f"ckpt= goes on with the run in {folder} as it was configured: only {', '.join(_CHANGEABLE)} can "
            f"be changed, not {', '.join(fixed)}; a new run starts from its weights with init={checkpoint}"
        )
    config = folder / "config.yaml"
    check_file(config, "the config of a run", f"init={checkpoint} starts a new run from these weights")
    try:
        saved = OmegaConf.load(config)
    except (YAMLError, UnicodeDecodeError) as error:
        raise unreadable(config, "YAML", " ".join(str(error).split()), "mend it") from error
    rename_config_keys(cast(DictConfig, saved))
    for item in typed:
        key = item.split("=")[0]
        OmegaConf.update(saved, key, OmegaConf.select(cfg, key))
    if is_first_process():
        with atomic_path(folder / "config.yaml") as part:
            OmegaConf.save(saved, part)
        _log_to(folder)
    return saved, folder, checkpoint  # type: ignore[return-value]


def _log_to(folder: Path) -> None:
    handler = logging.FileHandler(folder / "train.log")
    handler.handleError = lambda record: None  # type: ignore[method-assign]  # of a full disk the checkpoints tell
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logging.getLogger("blazepose").addHandler(handler)
