"""Score weights on labelled people: `python eval.py weights=net.tflite "data.test=[lsp:data/lspet:val]"`."""

import gc
from functools import partial
from pathlib import Path

from omegaconf import DictConfig

from blazepose.atomic import atomic_folder
from blazepose.data.readers import as_list, read_source
from blazepose.errors import resuming
from blazepose.evaluation.compare.comparison_inputs import load_runs
from blazepose.evaluation.compare.comparison_report import write_comparison
from blazepose.evaluation.config import EvaluationConfig
from blazepose.evaluation.engine_registry import validation_data
from blazepose.evaluation.fairness.inter_annotator import human_disagreement
from blazepose.evaluation.fairness.verdicts import FairnessConfig
from blazepose.evaluation.groups.assignment import group_people
from blazepose.evaluation.inputs import get_predictions, resolve_input
from blazepose.evaluation.predictions import save_and_reload
from blazepose.evaluation.report.caveats import list_caveats
from blazepose.evaluation.report.markdown import fairness_lines
from blazepose.evaluation.report.model_card import measure_latency, write_model_card
from blazepose.evaluation.report.write import new_folder, repeat_command, write_report
from blazepose.evaluation.results import headline, results
from blazepose.evaluation.score import score
from blazepose.hydra_app import from_config, hydra_command, reject_overrides


@hydra_command("eval")
def main(cfg: DictConfig) -> None:
    """People through the weights into a file; scores and a report from the file."""
    gc.set_threshold(100_000)  # people are millions of small objects, which looking for garbage slows down
    cfg.intersect = as_list(cfg.intersect)
    options = from_config(EvaluationConfig, cfg)
    if cfg.compare:
        compare(cfg, options)
        return
    subject = resolve_input(options)
    specs = as_list(cfg.data.test) or validation_data(subject.file, subject.engine)
    people = group_people([read_source(spec) for spec in specs], cfg.data.metadata, options.intersect)
    unfair = human_disagreement(options.annotators, options.torso)
    asked = FairnessConfig(people.attributes, options.min_group, unfair, options.annotators, people.everybody)
    people, said = get_predictions(subject, people, options)

    folder = new_folder(options.out, subject.file)
    with atomic_folder(folder) as part, resuming(partial(how_to_resume, folder)):
        predictions = save_and_reload(
            said, folder, subject.file
        )  # hours of work, which a failure of the report leaves
        scored = score(predictions, people.sources, options.torso)

        about = {"data": specs, "metadata": cfg.data.metadata, "intersect": options.intersect}
        about["min_group"] = options.min_group
        figures = results(scored, asked) | subject.about | about
        figures["notes"] = [*people.notes, *list_caveats(figures, people.sources, len(predictions))]
        command = repeat_command(options, subject.file, specs, cfg.data.metadata)
        write_report(scored, figures, command, options.seed, part)
        if subject.engine:
            latency = measure_latency(subject.engine, options.num_threads)
            write_model_card(figures, subject.engine.metadata, latency, part / "model_card.md")
    print(f"{subject.file}: {headline(figures)}", *fairness_lines(figures), folder / "report.md", sep="\n")


def how_to_resume(folder: Path) -> str:
    """Return what to do after an evaluation that did not come to its end."""
    predictions = folder / "predictions.jsonl"
    if predictions.is_file():
        return f"predictions={predictions} instead of weights= scores the saved predictions"
    return "run the command again"


def compare(cfg: DictConfig, options: EvaluationConfig) -> None:
    """Evaluations of the same people side by side."""
    reject_overrides([str(key) for key in cfg if key not in ("compare", "out")], "compare= does not read it")
    runs = load_runs(as_list(cfg.compare))
    folder = new_folder(options.out, Path("compare"))
    with atomic_folder(folder) as part:
        said = write_comparison(runs, part)
    print(said, folder / "report.md", sep="\n")


if __name__ == "__main__":
    main()
