"""Score weights on labelled people: `blazepose eval weights=net.tflite "data.test=[lsp:data/lspet:val]"`."""

import gc
from functools import partial
from pathlib import Path

from omegaconf import DictConfig

from blazepose.atomic import atomic_folder
from blazepose.data.readers import as_list, read_source
from blazepose.errors import resuming
from blazepose.evaluation.compare.comparison_inputs import load_runs
from blazepose.evaluation.compare.comparison_report import write_comparison
from blazepose.evaluation.compare.comparison_summary import sentences
from blazepose.evaluation.compare.forgetting import Forgotten
from blazepose.evaluation.config import EvaluationConfig
from blazepose.evaluation.engine_registry import validation_data
from blazepose.evaluation.evaluate import evaluate
from blazepose.evaluation.fairness.inter_annotator import human_disagreement
from blazepose.evaluation.fairness.verdicts import FairnessConfig
from blazepose.evaluation.groups.assignment import group_people
from blazepose.evaluation.inputs import get_predictions, resolve_input
from blazepose.evaluation.predictions import save_and_reload
from blazepose.evaluation.report.markdown import fairness_lines
from blazepose.evaluation.report.model_card import measure_latency, write_model_card
from blazepose.evaluation.report.write import new_folder, repeat_command, write_report
from blazepose.evaluation.results import headline
from blazepose.hydra_app import from_config, hydra_command, quoted, reject_overrides


@hydra_command("eval")
def main(cfg: DictConfig) -> None:
    """Run the weights on labelled people, save the predictions, then score them and write the report."""
    gc.set_threshold(100_000)  # annotations are millions of small objects, which slow garbage collection
    cfg.intersect = as_list(cfg.intersect)
    options = from_config(EvaluationConfig, cfg)
    if cfg.compare:
        compare(cfg, options)
        return
    evaluated = resolve_input(options)
    specs = as_list(cfg.data.test) or validation_data(evaluated.file, evaluated.engine)
    people = group_people([read_source(spec) for spec in specs], cfg.data.metadata, options.intersect)
    criterion = human_disagreement(options.annotators, options.torso)
    fairness = FairnessConfig(
        people.attributes, options.min_group_size, criterion, options.annotators, people.all_people
    )
    people, outputs = get_predictions(evaluated, people, options)

    folder = new_folder(options.out, evaluated.file)
    with atomic_folder(folder) as part, resuming(partial(how_to_resume, folder)):
        # Predictions may take hours: they are kept if the report fails.
        predictions = save_and_reload(outputs, folder, evaluated.file)
        provenance = evaluated.provenance | {"data": specs, "metadata": cfg.data.metadata}
        scored, metrics = evaluate(predictions, people, fairness, options, provenance)
        command = repeat_command(options, evaluated.file, specs, cfg.data.metadata)
        write_report(scored, metrics, command, options.seed, part)
        if evaluated.engine:
            latency = measure_latency(evaluated.engine, options.num_threads)
            write_model_card(metrics, evaluated.engine.metadata, latency, part / "model_card.md")
    print(f"{evaluated.file}: {headline(metrics)}", *fairness_lines(metrics), folder / "report.md", sep="\n")


def how_to_resume(folder: Path) -> str:
    """Return the next step after an interrupted evaluation."""
    predictions = folder / "predictions.jsonl"
    if predictions.is_file():
        return f"the predictions are saved: rerun with predictions={predictions} instead of weights="
    return "run the command again"


def compare(cfg: DictConfig, options: EvaluationConfig) -> None:
    """Compare evaluations of the same people, and write the report."""
    reject_overrides([str(key) for key in cfg if key not in ("compare", "out")], "not used with compare=")
    folders = as_list(cfg.compare)
    runs = load_runs(folders)
    folder = new_folder(options.out, Path("compare"))
    command = f"blazepose eval {quoted('compare=[' + ','.join(folders) + ']')}"
    forgotten = Forgotten({}, "compare= runs no network; `blazepose compare BEFORE AFTER` does")
    with atomic_folder(folder) as part:
        comparison = write_comparison(runs, part, command, forgotten)
    print(*sentences(comparison), folder / "report.md", sep="\n")


if __name__ == "__main__":
    main()
