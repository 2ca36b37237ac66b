"""Score weights on labelled people: `python eval.py weights=net.tflite "data.test=[lsp:data/lspet_val]"`."""

from pathlib import Path

from omegaconf import DictConfig

from blazepose.cli import script
from blazepose.data.readers import read_source
from blazepose.evaluation.engines import open_weights, validation_data
from blazepose.evaluation.predict import plan, predict
from blazepose.evaluation.predictions import read_predictions, write_predictions
from blazepose.evaluation.report import file_sha256, new_folder, repeat_command, write_report
from blazepose.evaluation.score import headline, results, score
from blazepose.metrics.pck import torso_definition
from blazepose.training.runs import newest_checkpoint


@script("eval")
def main(cfg: DictConfig) -> None:
    """People through the weights into a file; scores and a report from the file."""
    if cfg.compare or cfg.data.metadata or str(cfg.predictions).startswith("landmarks:"):
        raise ValueError("compare=, data.metadata= and predictions=landmarks:FILE are not there yet")
    if cfg.weights and cfg.predictions:
        raise ValueError("weights= runs a network, predictions= scores what one has said: give one of them")
    torso_definition(cfg.torso)
    evaluated = Path(cfg.predictions or cfg.weights or newest_checkpoint())
    engine = None if cfg.predictions else open_weights(evaluated, cfg.engine, cfg.num_threads)
    specs = [cfg.data.test] if isinstance(cfg.data.test, str) else list(cfg.data.test)
    specs = specs or validation_data(evaluated, engine)
    sources = [read_source(spec) for spec in specs]
    # The checksum now: a training run that goes on may write better weights to the same place.
    about = {"file": str(evaluated), "sha256": file_sha256(evaluated), "data": specs}
    folder = new_folder(cfg.out, evaluated)

    file = evaluated
    if engine:
        file = folder / "predictions.jsonl"
        jobs = plan(sources, cfg.roi, cfg.seed)
        write_predictions(predict(engine, jobs, cfg.roi, cfg.batch_size), file)
    scored = score(read_predictions(file), sources, cfg.torso)

    figures = results(scored) | about
    options = {"roi": cfg.roi, "torso": cfg.torso, "seed": cfg.seed}
    what = {"weights" if engine else "predictions": str(evaluated), "data.test": specs}
    write_report(scored, figures, repeat_command({**what, **options}), cfg.seed, folder)
    print(f"{evaluated}: {headline(figures)}\n{folder / 'report.md'}")


if __name__ == "__main__":
    main()
