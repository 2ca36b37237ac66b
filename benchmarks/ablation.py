"""The blog's three rows and both wirings at equal budget: trains what is missing, prints the table.

Rows that regress are evaluated on the validation's people in each decoding, with a report each, and compared
with the first of them: figures have 95 % intervals over people. Of the row without a regression, the
training's own validation is printed, without an interval.

    python benchmarks/ablation.py model=lite epochs=40 "data.train=[lsp:PEOPLE]" "data.val=[lsp:OTHERS]"
    python benchmarks/ablation.py rows=both,mediapipe ...    # some of them, beside another such command

Every row is a run of train.py with one of configs/experiment/ablation_*.yaml; what is typed here goes to
each. An interrupted row is resumed, a finished one is only read, so the command can be stopped and repeated.
"""

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import hydra
from omegaconf import DictConfig, OmegaConf

from blazepose.decoding import DECODINGS
from blazepose.hydra_app import as_typed, drop_preset_people, expand_home
from blazepose.runs import LANDMARK_RUNS
from blazepose.training.old_keys import rename_config_keys

TRAIN, EVAL = (Path(__file__).resolve().parents[1] / name for name in ("train.py", "eval.py"))

HEATMAPS = "heatmaps"
"""Experiment of the row without a regression."""

REGRESSION = "regression"
"""Experiment of the row without trained heatmaps."""

# Row, experiment, what the blog found (mean error in % of torso, PCK@0.2).
# Source: evaluation.md, "blog ablation".
ROWS = (
    ("heatmaps", HEATMAPS, "16.2 / 83.6"),
    ("regression without heatmap loss", REGRESSION, "15.9 / 79.9"),
    ("regression with heatmap loss, gradient stop", "both", "14.4 / 84.1"),
    ("the same, no gradient stop", "both_nostop", ""),
    ("Google's wiring, no gradient stop", "mediapipe", ""),
)


IMMATERIAL = {
    "decode",  # chooses best.ckpt; the table is of the last weights
    "loader.num_workers",
    "trainer.accelerator",
    "trainer.log_every_n_steps",
    "trainer.max_time",
}
"""What may differ between the rows of one table."""


def read_json(file: Path) -> dict[str, Any]:
    """A file of results."""
    return json.loads(file.read_text())


def newest_run(name: str) -> Path | None:
    """The newest run of that name, if there is one."""
    runs = sorted(LANDMARK_RUNS.glob(f"{name}-2*"), key=lambda path: path.stat().st_mtime)
    return runs[-1] if runs else None


def check_same(run: Path, wanted: DictConfig) -> None:
    """Refuse to read or resume a run whose configuration is not the wanted one."""
    saved = cast(DictConfig, OmegaConf.load(run / "config.yaml"))
    rename_config_keys(saved)
    trained, now = (_flat(OmegaConf.to_container(config, resolve=True)) for config in (saved, wanted))
    for key in sorted(now.keys() | trained.keys()):
        if trained.get(key) != now.get(key) and key not in IMMATERIAL:
            sys.exit(
                f"{run} was trained with {key}={trained.get(key)}, not {now.get(key)}; move it away to "
                "train this row anew"
            )


def _flat(values: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(values, dict):
        return {prefix: values}
    inner = (_flat(value, f"{prefix}.{key}" if prefix else key) for key, value in values.items())
    return {key: value for flat in inner for key, value in flat.items()}


def _is_finished(run: Path, epochs: int) -> bool:
    """A run that trainer.max_time ended has results, too."""
    file = run / "results.json"
    return file.is_file() and read_json(file)["epochs"] >= epochs


def train(experiment: str, overrides: list[str], model: str) -> Path:
    """Train the row, or go on with it, unless it is finished; return its run."""
    name = f"ablation-{experiment.replace('_', '-')}-{model}"
    run = newest_run(name)
    words = [f"experiment=ablation_{experiment}", *overrides]
    with hydra.initialize_config_dir(version_base="1.3", config_dir=str(TRAIN.parent / "configs")):
        config = expand_home(hydra.compose("train", list(map(as_typed, words))))
    drop_preset_people(config.data, lambda key: any(word.startswith(f"{key}=") for word in words))
    if not config.data.val:
        sys.exit("the table is of the validation: name its people with data.val=[...]")
    if run is not None:
        check_same(run, config)
    if run is None or not _is_finished(run, sum(config.stages.values())):
        resume = run is not None and (run / "checkpoints" / "last.ckpt").is_file()
        arguments = [f"ckpt={run}"] if resume else words
        subprocess.run([sys.executable, str(TRAIN), *arguments], check=True)
        run = newest_run(name)
    assert run is not None
    return run


def evaluate(run: Path, decoding: str) -> Path:
    """Score a run's last weights on what they were validated on; return the folder of the report.

    A report of earlier weights, or one that was cut off, is left where it is.
    """
    weights = run / "checkpoints" / "last.ckpt"
    for number in itertools.count(1):
        folder = run / f"eval_{decoding}{'' if number == 1 else f'_{number}'}"
        done = folder / "results.json"
        if done.is_file() and done.stat().st_mtime > weights.stat().st_mtime:
            break
        if not folder.exists():
            words = [f"weights={weights}", f"decode={decoding}", f"out={folder}"]
            subprocess.run([sys.executable, str(EVAL), *words], check=True)
            break
    return folder


def main() -> None:
    """Run the rows, print the table as Markdown."""
    if wrong := [item for item in sys.argv[1:] if "=" not in item]:
        sys.exit(f"{wrong[0]}: arguments are key=value, as of train.py, and epochs=N and rows=a,b")
    given = dict(item.split("=", 1) for item in sys.argv[1:])
    if any(key.startswith("stages.") for key in given):
        sys.exit("each row has its own stages; set the budget of all with epochs=N")
    epochs = given.pop("epochs", "40")
    model = given.get("model", "full")
    known = [experiment for _, experiment, _ in ROWS]
    chosen = given.pop("rows", ",".join(known)).split(",")
    if wrong := sorted(set(chosen) - set(known)):
        sys.exit(f"rows={','.join(wrong)}: the rows are {', '.join(known)}")
    reports = []
    print("| row | decoding | PCK@0.2 | 95 % interval | mean error, % of torso | blog: error / PCK |")
    print("|---|---|---|---|---|---|")
    for title, experiment, blog in (row for row in ROWS if row[1] in chosen):
        budget = f"stages.{'heatmap' if experiment == HEATMAPS else 'joint'}={epochs}"
        run = train(experiment, [*(f"{key}={value}" for key, value in given.items()), budget], model)
        if experiment == HEATMAPS:
            results = read_json(run / "results.json")
            error, pck = results["val/mean_error_heatmap"], results["val/pck@0.2_heatmap"]
            print(f"| {title} | heatmap | {pck:.1f} | | {error:.1f} | {blog} |", flush=True)
            continue
        for decoding in DECODINGS:
            if experiment == REGRESSION and decoding == "heatmap":
                continue
            report = evaluate(run, decoding)
            results = read_json(report / "results.json")
            low, high = results["pck@0.2_ci95"]
            figures = f"{results['pck@0.2']:.1f} | {low:.1f} to {high:.1f} | {results['mean_error']:.1f}"
            known_as = blog if decoding == "regression" else ""
            print(f"| {title} | {decoding} | {figures} | {known_as} |", flush=True)
            if decoding == "mediapipe":
                reports.append(report)
    if len(reports) > 1:
        subprocess.run([sys.executable, str(EVAL), f"compare=[{','.join(map(str, reports))}]"], check=True)


if __name__ == "__main__":
    main()
