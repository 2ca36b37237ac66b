"""Run folders, one per training, and the weights that users name by them. Needs no torch.

runs/landmark/lite-20261120-174500/
    config.yaml  checkpoints/{best,last,trained}.ckpt  results.json  train.log  events.out.tfevents...
"""

import time
from pathlib import Path

from blazepose.exceptions import ExistingFileError, InputError, MissingFileError

RUNS = Path("runs")
LANDMARK_RUNS, DETECTOR_RUNS = RUNS / "landmark", RUNS / "detector"


def new_run_folder(parent: Path, name: str) -> Path:
    """Create and return a new folder `<name>-<time>` below `parent`."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for suffix in ("", *(f"-{i}" for i in range(2, 100))):
        folder = parent / f"{name}-{stamp}{suffix}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise ExistingFileError(f"{parent / name}-{stamp}: a hundred runs in one second")


def best_checkpoint(folder: Path) -> Path:
    """Return the path of a run's best weights."""
    return folder / "checkpoints" / "best.ckpt"


def trained_checkpoint(folder: Path) -> Path:
    """Return the path of a fine-tuning's best weights before they were interpolated with the initial ones."""
    return folder / "checkpoints" / "trained.ckpt"


def last_checkpoint(folder: Path) -> Path:
    """Return the path of the checkpoint that a run resumes from."""
    return folder / "checkpoints" / "last.ckpt"


def _newest_run(*folders: Path) -> Path:
    """Return the run that was started, resumed or saved last.

    Raises:
        FileNotFoundError: if there is none.
    """
    patterns = ("*/config.yaml", "*/checkpoints/last.ckpt")
    files = [path for runs in folders for pattern in patterns for path in runs.glob(pattern)]
    if not files:
        runs = " and ".join(map(str, folders))
        raise MissingFileError(f"{runs}: there is no run; train one with `blazepose train model=full`")
    newest = max(files, key=lambda path: path.stat().st_mtime)
    return newest.parent if newest.name == "config.yaml" else newest.parent.parent


def _require(checkpoint: Path, next_step: str) -> Path:
    if not checkpoint.is_file():
        folder = checkpoint.parent.parent
        raise MissingFileError(
            f"{folder} has no {checkpoint.name} yet (it is written after the first epoch); {next_step}"
        )
    return checkpoint


def resolve_weights(name: str | Path | None, option: str, runs: Path = LANDMARK_RUNS) -> Path:
    """Return the file of the weights that a user names.

    Args:
        name: file, or run folder for its best weights; None for the best of the newest landmark run.
        option: command-line option in messages: `weights=` or `--weights `.
        runs: folder of the runs.

    Raises:
        FileNotFoundError: names the next step.
        ValueError: if the name is empty, as an unset shell variable is.
    """
    if name is None:
        path = _newest_run(runs)
    elif not str(name):
        subject = option.strip() or "the name of the weights"
        raise InputError(f"{subject} is empty; name a run folder or a file")
    else:
        path = Path(name).expanduser()
    if (path / "config.yaml").is_file():
        return _require(best_checkpoint(path), f"name other weights with {option}FILE")
    if path.is_dir() and path.suffix == ".mlpackage":
        raise InputError(
            f"{option}{path} is a Core ML package, which runs on Apple's systems only; name the checkpoint "
            f"or the .tflite of the same weights"
        )
    if path.is_dir():
        raise MissingFileError(
            f"{option}{path} is a folder, but not a run of blazepose train; name a run or a file"
        )
    return path


def resolve_named_weights(name: str) -> Path:
    """Return the file of the weights that an argument names; details as of resolve_weights."""
    return resolve_weights(name, "")


def resolve_resume(ckpt: str, *folders: Path) -> tuple[Path, Path]:
    """Return the run folder and the checkpoint of `ckpt=`: `last`, a run folder or a checkpoint file.

    Args:
        ckpt: value of the option.
        *folders: folders of the runs; none for those of both networks.

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
        raise MissingFileError(f"ckpt={ckpt}: {path} is missing; ckpt=last resumes the newest run")
    folder = path.parent.parent
    if not (folder / "config.yaml").is_file():
        raise MissingFileError(
            f"ckpt={ckpt}: {folder / 'config.yaml'} is missing, so the run cannot be resumed; "
            f"init={path} starts a new run from these weights"
        )
    return folder, path
