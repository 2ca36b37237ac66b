"""The input of an evaluation: a network, saved predictions or a second annotator's labels."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, cast

from blazepose.anchors import DEFAULT_MIN_SCORE
from blazepose.atomic import file_sha256
from blazepose.config.evaluate import ANNOTATOR_PREFIX, EvaluationConfig
from blazepose.data.readers import read_source
from blazepose.decoding import Decoding
from blazepose.evaluation.detector_crops import DETECTOR, detector_file, plan_detector_crops
from blazepose.evaluation.engine_registry import SUFFIXES, open_detector, open_weights
from blazepose.evaluation.fairness.inter_annotator import predictions_from_annotator
from blazepose.evaluation.groups.assignment import PeopleWithGroups
from blazepose.evaluation.predict import plan_label_crops, predict
from blazepose.evaluation.predictions import Prediction, read_topology
from blazepose.exceptions import InputError
from blazepose.runs import resolve_weights
from blazepose.runtime.engines import InferenceEngine
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology


class EvaluationInput(NamedTuple):
    """The input of an evaluation.

    Attributes:
        file: weights, predictions or labels.
        engine: inference engine of the weights; None for predictions and labels.
        provenance: files and checksums for results.json.
        topology: landmarks of the network or of the predictions.
    """

    file: Path
    engine: InferenceEngine | None
    provenance: dict[str, Any]
    topology: Topology = FULL_BODY


def resolve_input(options: EvaluationConfig) -> EvaluationInput:
    """Open the input that the options name.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be run.
    """
    existing = _existing_predictions(options)
    file = existing or resolve_weights(options.weights, "weights=")
    # The checksums now: a training run still in progress may overwrite the file.
    provenance: dict[str, Any] = {
        **identity(file),
        "annotators": options.annotator_labels is not None,
        "detector": None,
    }
    engine = None if existing else open_weights(file, options.engine, options.num_threads)
    if options.roi == DETECTOR:
        provenance["detector"] = identity(detector_file(options.detector, file))
    return EvaluationInput(file, engine, provenance, _topology(engine, file, options))


def _topology(engine: InferenceEngine | None, file: Path, options: EvaluationConfig) -> Topology:
    """Return the topology of a network or of predictions; labels are read as those of the whole body."""
    if engine:
        return engine.topology
    return FULL_BODY if options.annotator_labels else read_topology(file)


def _existing_predictions(options: EvaluationConfig) -> Path | None:
    """Return the file of `predictions=`, which may be the folder of an evaluation."""
    if not options.predictions:
        return None
    file = Path(options.predictions.removeprefix(ANNOTATOR_PREFIX))
    if options.annotator_labels:
        return file
    if file.suffix in SUFFIXES:
        raise InputError(f"predictions={file} is a network; run it with weights={file}")
    if file.suffix == ".json":
        raise InputError(
            f"predictions={file}: predictions are .jsonl files; labels of a second annotator need their "
            f"reader: predictions=landmarks:{file}"
        )
    return file / "predictions.jsonl" if file.is_dir() else file


def identity(file: Path) -> dict[str, Any]:
    """Return the path of a file and its checksum, for results.json."""
    return {"file": str(file), "sha256": file_sha256(file)}


def get_predictions(
    evaluated: EvaluationInput, people: PeopleWithGroups, options: EvaluationConfig
) -> tuple[PeopleWithGroups, Iterable[Prediction] | None]:
    """Return the people and the predictions for them; None instead of predictions saved before.

    Raises:
        ImageError: if an image cannot be read.
        ValueError: if no person allows a crop.
    """
    if options.annotator_labels:
        return predictions_from_annotator(people, read_source(options.annotator_labels))
    if evaluated.engine is None:
        return people, None
    if source := evaluated.provenance["detector"]:
        detector = open_detector(Path(source["file"]), DEFAULT_MIN_SCORE, options.num_threads)
        detector.check_points(evaluated.topology)
        jobs = plan_detector_crops(people.sources, detector)
    else:
        jobs = plan_label_crops(people.sources, options.roi, options.seed)
    decoding = cast(Decoding | None, options.decode)
    return people, predict(evaluated.engine, jobs, options.roi, options.batch_size, decoding)
