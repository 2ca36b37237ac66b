"""Score weights on labelled people: `blazepose eval weights=net.tflite "data.test=[lsp:data/lspet:val]"`."""

import gc
from functools import partial
from pathlib import Path

from omegaconf import DictConfig

from blazepose.anchors import DEFAULT_MIN_SCORE
from blazepose.atomic import atomic_folder
from blazepose.config.evaluate import EvaluationConfig, EvaluationData
from blazepose.data.annotated_image import group_by_image
from blazepose.data.image_folders import find_image_files
from blazepose.data.readers import as_list, read_source
from blazepose.errors import resuming
from blazepose.evaluation.compare.comparison_inputs import load_runs
from blazepose.evaluation.compare.comparison_report import write_comparison
from blazepose.evaluation.compare.comparison_summary import sentences
from blazepose.evaluation.compare.forgetting import Forgotten
from blazepose.evaluation.detector_score import detector_results, false_alarms, score_images
from blazepose.evaluation.engine_registry import holds_detector, open_detector_engine, validation_data
from blazepose.evaluation.evaluate import evaluate
from blazepose.evaluation.fairness.inter_annotator import human_disagreement
from blazepose.evaluation.fairness.verdicts import FairnessConfig
from blazepose.evaluation.groups.assignment import group_people
from blazepose.evaluation.groups.people_table import as_column
from blazepose.evaluation.inputs import get_predictions, identity, resolve_input
from blazepose.evaluation.predictions import save_and_reload
from blazepose.evaluation.report.detector_report import detector_headline, write_detector_report
from blazepose.evaluation.report.markdown import fairness_lines
from blazepose.evaluation.report.model_card import measure_latency, write_model_card
from blazepose.evaluation.report.write import command_line, new_folder, repeat_command, write_report
from blazepose.evaluation.results import headline
from blazepose.hydra_app import from_config, hydra_command, reject_overrides
from blazepose.metrics.detection import LEAST_SCORE
from blazepose.quoting import quoted
from blazepose.runs import resolve_weights
from blazepose.runtime.person_detector import PersonDetector


@hydra_command("eval")
def main(cfg: DictConfig) -> None:
    """Run the weights on labelled people, save the predictions, then score them and write the report."""
    gc.set_threshold(100_000)  # annotations are millions of small objects, which slow garbage collection
    cfg.intersect = [as_column(name) for name in as_list(cfg.intersect)]
    cfg.compare, cfg.landmarks = as_list(cfg.compare), as_list(cfg.landmarks)
    cfg.data.test, cfg.data.negatives = as_list(cfg.data.test), as_list(cfg.data.negatives)
    options, data = from_config(EvaluationConfig, cfg), from_config(EvaluationData, cfg, "data")
    if options.compare:
        compare(cfg, options)
        return
    if not options.predictions and holds_detector(file := resolve_weights(options.weights, "weights=")):
        evaluate_detector(cfg, options, data, file)
        return
    reject_overrides(["data.negatives"], "used only with the weights of a detector")
    evaluated = resolve_input(options)
    specs = data.test or validation_data(
        evaluated.file, evaluated.engine.metadata if evaluated.engine else {}
    )
    sources = [read_source(spec, evaluated.topology) for spec in specs]
    people = group_people(sources, data.metadata, options.intersect)
    criterion = human_disagreement(options.annotators, options.torso)
    fairness = FairnessConfig(
        people.attributes, options.min_group_size, criterion, options.annotators, people.all_people
    )
    people, outputs = get_predictions(evaluated, people, options)

    folder = new_folder(options.out, evaluated.file)
    with atomic_folder(folder) as part, resuming(partial(how_to_resume, folder)):
        # Predictions may take hours: they are kept if the report fails.
        predictions = save_and_reload(outputs, folder, evaluated.file)
        provenance = evaluated.provenance | {"data": specs, "metadata": data.metadata}
        scored, metrics = evaluate(predictions, people, fairness, options, provenance)
        command = repeat_command(options, evaluated.file, specs, data.metadata)
        write_report(scored, metrics, command, options.seed, part)
        if evaluated.engine:
            latency = measure_latency(evaluated.engine, options.num_threads)
            write_model_card(metrics, evaluated.engine.metadata, latency, part / "model_card.md")
    print(f"{evaluated.file}: {headline(metrics)}", *fairness_lines(metrics), folder / "report.md", sep="\n")


_DETECTOR_KEYS = ("weights", "data", "engine", "num_threads", "out")


def evaluate_detector(cfg: DictConfig, options: EvaluationConfig, data: EvaluationData, file: Path) -> None:
    """Evaluate a detector on whole images, and write the report."""
    others = [*(str(key) for key in cfg if key not in _DETECTOR_KEYS), "data.metadata"]
    reject_overrides(others, f"not used with a detector, and {file} is one")
    provenance = identity(file)
    engine = open_detector_engine(file, options.engine, options.num_threads)
    specs = data.test or validation_data(file, engine.metadata)
    sources = [read_source(spec) for spec in specs]
    images = group_by_image(sources, "data.test")
    negatives = find_image_files(data.negatives, "data.negatives")
    detector = PersonDetector(engine, LEAST_SCORE, DEFAULT_MIN_SCORE)

    folder = new_folder(options.out, file)
    with atomic_folder(folder) as part:
        scored = score_images(detector, images)
        alarms = false_alarms(detector, negatives) if negatives else None
        metrics = detector_results(scored, len(negatives), alarms) | provenance
        metrics |= {"data": specs, "negatives": data.negatives}
        metrics["notes"] = [note for source in sources for note in source.notes]
        settings = {"weights": file, "data.test": f"[{','.join(specs)}]"}
        settings |= {"data.negatives": f"[{','.join(metrics['negatives'])}]"} if negatives else {}
        settings |= {"engine": options.engine} if options.engine else {}
        write_detector_report(scored, metrics, command_line(settings), part)
    print(f"{file}: {detector_headline(metrics)}", folder / "report.md", sep="\n")


def how_to_resume(folder: Path) -> str:
    """Return the next step after an interrupted evaluation."""
    predictions = folder / "predictions.jsonl"
    if predictions.is_file():
        return f"the predictions are saved: rerun with predictions={predictions} instead of weights="
    return "run the command again"


def compare(cfg: DictConfig, options: EvaluationConfig) -> None:
    """Compare evaluations of the same people, and write the report."""
    reject_overrides([str(key) for key in cfg if key not in ("compare", "out")], "not used with compare=")
    runs = load_runs(options.compare)
    folder = new_folder(options.out, Path("compare"))
    command = f"blazepose eval {quoted('compare=[' + ','.join(options.compare) + ']')}"
    forgotten = Forgotten({}, "compare= runs no network; `blazepose compare BEFORE AFTER` does")
    with atomic_folder(folder) as part:
        comparison = write_comparison(runs, part, command, forgotten)
    print(*sentences(comparison), folder / "report.md", sep="\n")


if __name__ == "__main__":
    main()
