"""Score weights on labelled people: `python eval.py weights=net.tflite "data.test=[lsp:data/lspet:val]"`."""

from pathlib import Path

from omegaconf import DictConfig

from blazepose.anchors import FOUND_FROM
from blazepose.configured import build, script
from blazepose.data.datamodule import as_list
from blazepose.data.readers import read_source
from blazepose.evaluation.engines import open_detector, open_weights, validation_data
from blazepose.evaluation.find import DETECTOR, detector_file, plan_found
from blazepose.evaluation.options import Options
from blazepose.evaluation.predict import plan, predict
from blazepose.evaluation.predictions import read_predictions, write_predictions
from blazepose.evaluation.report import new_folder, repeat_command, write_report
from blazepose.evaluation.results import headline, results
from blazepose.evaluation.score import score
from blazepose.training.runs import chosen_weights
from blazepose.whole_file import file_sha256


@script("eval")
def main(cfg: DictConfig) -> None:
    """People through the weights into a file; scores and a report from the file."""
    if cfg.compare or cfg.data.metadata or str(cfg.predictions).startswith("landmarks:"):
        raise ValueError("compare=, data.metadata= and predictions=landmarks:FILE are not there yet")
    options = build(Options, cfg)
    evaluated = Path(options.predictions or chosen_weights(options.weights, "weights="))
    # The checksum now: a training run that goes on may write better weights to the same place.
    checksum = file_sha256(evaluated)
    engine = None if options.predictions else open_weights(evaluated, options.engine, options.num_threads)
    specs = as_list(cfg.data.test) or validation_data(evaluated, engine)
    sources = [read_source(spec) for spec in specs]
    finder = detector_file(options.detector, evaluated) if options.roi == DETECTOR else None
    found_by = {"file": str(finder), "sha256": file_sha256(finder)} if finder else None
    if finder:
        jobs = plan_found(sources, open_detector(finder, FOUND_FROM, options.num_threads))
    else:
        jobs = plan(sources, options.roi, options.seed)

    folder, file = new_folder(options.out, evaluated), evaluated
    if engine:
        file = folder / "predictions.jsonl"
        write_predictions(predict(engine, jobs, options.roi, options.batch_size), file)
    scored = score(read_predictions(file), sources, options.torso)

    about = {"file": str(evaluated), "sha256": checksum, "detector": found_by, "data": specs}
    figures = results(scored) | about
    write_report(scored, figures, repeat_command(options, evaluated, specs), options.seed, folder)
    print(f"{evaluated}: {headline(figures)}\n{folder / 'report.md'}")


if __name__ == "__main__":
    main()
