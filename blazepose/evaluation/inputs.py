"""What is evaluated: a network, what one has said, or a second annotator; and what it says of people."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from blazepose.anchors import DEFAULT_MIN_SCORE
from blazepose.atomic import file_sha256
from blazepose.data.readers import read_source
from blazepose.evaluation.config import SECOND, EvaluationConfig
from blazepose.evaluation.detector_crops import DETECTOR, detector_file, plan_detector_crops
from blazepose.evaluation.engine_registry import SUFFIXES, open_detector, open_weights
from blazepose.evaluation.fairness.inter_annotator import predictions_from_annotator
from blazepose.evaluation.groups.assignment import PeopleWithGroups
from blazepose.evaluation.predict import plan_label_crops, predict
from blazepose.evaluation.predictions import Prediction
from blazepose.runtime.engines import InferenceEngine
from blazepose.training.runs import resolve_weights


class EvaluationInput(NamedTuple):
    """What is evaluated.

    Attributes:
        file: weights, predictions or labels.
        engine: runs the weights; None of what is said already.
        about: what results.json says of it.
    """

    file: Path
    engine: InferenceEngine | None
    about: dict[str, Any]


def resolve_input(options: EvaluationConfig) -> EvaluationInput:
    """What the options name.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: names the file, if it cannot be run.
    """
    given = _existing_predictions(options)
    file = given or resolve_weights(options.weights, "weights=")
    # The checksums now: a training run that goes on may write better weights to the same place.
    about: dict[str, Any] = {**_identity(file), "annotators": options.second is not None, "detector": None}
    engine = None if given else open_weights(file, options.engine, options.num_threads)
    if options.roi == DETECTOR:
        about["detector"] = _identity(detector_file(options.detector, file))
    return EvaluationInput(file, engine, about)


def _existing_predictions(options: EvaluationConfig) -> Path | None:
    """The file of `predictions=`; an evaluation's folder stands for its own."""
    if not options.predictions:
        return None
    file = Path(options.predictions.removeprefix(SECOND))
    if options.second:
        return file
    if file.suffix in SUFFIXES:
        raise ValueError(f"predictions={file} is a network: run it with weights={file}")
    if file.suffix == ".json":
        raise ValueError(
            f"predictions={file}: predictions are .jsonl; labels of a second annotator are named with their "
            f"reader, predictions=landmarks:{file}"
        )
    return file / "predictions.jsonl" if file.is_dir() else file


def _identity(file: Path) -> dict[str, Any]:
    return {"file": str(file), "sha256": file_sha256(file)}


def get_predictions(
    subject: EvaluationInput, people: PeopleWithGroups, options: EvaluationConfig
) -> tuple[PeopleWithGroups, Iterable[Prediction] | None]:
    """What it says of people, and the people it is asked of; None if its file says it already.

    Raises:
        ImageError: if a picture cannot be read.
        ValueError: if there is nobody to look at.
    """
    if options.second:
        return predictions_from_annotator(people, read_source(options.second))
    if subject.engine is None:
        return people, None
    if finder := subject.about["detector"]:
        detector = open_detector(Path(finder["file"]), DEFAULT_MIN_SCORE, options.num_threads)
        jobs = plan_detector_crops(people.sources, detector)
    else:
        jobs = plan_label_crops(people.sources, options.roi, options.seed)
    return people, predict(subject.engine, jobs, options.roi, options.batch_size)
