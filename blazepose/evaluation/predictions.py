"""predictions.jsonl: the network outputs, one line per person."""

import itertools
import json
import math
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from blazepose.atomic import atomic_path
from blazepose.data.annotation import Annotation
from blazepose.data.readers.coco_json import normalize_id
from blazepose.exceptions import InputError
from blazepose.file_content import check_file
from blazepose.geometry import Roi
from blazepose.supervised_outputs import Kind, SupervisedOutputs
from blazepose.topologies import FULL_BODY, topologies
from blazepose.topology import Topology

_DECIMALS = 5
_JSON = orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY


@dataclass(frozen=True, eq=False)
class Prediction:
    """The network outputs for one person.

    Attributes:
        image: path of the image, as in the annotation.
        person: annotation id.
        reader: name of the reader.
        crop: source of the ROI, a key of predict.CROPS or "detector".
        roi: region of the crop; the annotation's for a person missed by the detector.
        landmarks: (landmarks, 5) x_px, y_px, z (pixels on the scale of x, origin at the hips, negative
            towards the camera), visibility, presence. For a missed person NaN, like all that follows; null in
            the file.
        landmarks_raw: (landmarks, 2) pixels, the regression output alone; None if the engine does not return
            it.
        landmarks_world: (landmarks, 3) meters, hip-centered, along the axes of the image; None from a network
            without world landmarks.
        pose_presence: 0..1; None if the engine does not return it.
        supervised: supervised outputs of the weights; "trained" in the file, null if their metadata lack it.
        mask: person mask of the image, encoded as Annotation.mask; None if the mask is not labelled, or was
            not supervised in training.
        decoding: how x and y of `landmarks` were computed (blazepose.decoding); None for a missed person, for
            labels, and in files of earlier versions.
    """

    image: str
    person: str
    reader: str
    crop: str
    roi: Roi
    landmarks: np.ndarray
    landmarks_raw: np.ndarray | None
    landmarks_world: np.ndarray | None
    pose_presence: float | None
    supervised: SupervisedOutputs
    mask: Mapping[str, Any] | None = None
    decoding: str | None = None

    @property
    def detected(self) -> bool:
        """Whether the person was detected."""
        return bool(np.isfinite(self.landmarks).any())


def missed_person(
    image: str, person: str, reader: str, crop: str, roi: Roi, supervised: SupervisedOutputs
) -> Prediction:
    """Return the prediction of a missed person, all NaN. Arguments as Prediction's."""
    count = supervised.topology.num_landmarks
    return Prediction(
        image=image,
        person=person,
        reader=reader,
        crop=crop,
        roi=roi,
        landmarks=np.full((count, 5), np.nan),
        landmarks_raw=np.full((count, 2), np.nan),
        landmarks_world=np.full((count, 3), np.nan),
        pose_presence=None,
        supervised=supervised,
    )


PersonKey = tuple[str, str, str]


def person_key(reader: str, annotation: Annotation) -> PersonKey:
    """Return the unique key of a person, independent of the working directory."""
    return _key(reader, annotation.image, annotation.person)


def _key(reader: str, image: str | Path, person: Any) -> PersonKey:
    """Return a key that is equal for all Unicode forms of a path and all spellings of an id."""
    path = os.path.abspath(image)  # noqa: PTH100 (keeps links as they are)
    return reader, unicodedata.normalize("NFC", path), str(normalize_id(person))


def require_unique(people: Iterable[PersonKey]) -> None:
    """Check that no person occurs twice.

    Raises:
        ValueError: if one does.
    """
    for (reader, image, person), count in Counter(people).items():
        if count > 1:
            raise InputError(
                f"{image}: two labels of the {reader} reader are both person {person}, so their predictions "
                "would be ambiguous; evaluate the sources one by one, or give the annotations other ids"
            )


def supervised_landmarks(predictions: Sequence[Prediction], kind: Kind) -> np.ndarray:
    """Return (people, landmarks) bool: what was supervised in training for "landmarks" or "visibility"."""
    masks = {supervised: supervised.mask(kind) for supervised in {p.supervised for p in predictions}}
    return np.array([masks[prediction.supervised] for prediction in predictions])


def write_predictions(predictions: Iterable[Prediction], file: Path) -> None:
    """Write one line per person; the file appears when it is complete."""
    with atomic_path(file) as part, part.open("wb") as lines:
        for prediction in predictions:
            lines.write(_to_line(prediction))


def save_and_reload(
    predictions: Iterable[Prediction] | None, folder: Path, file: Path
) -> dict[PersonKey, Prediction]:
    """Write predictions to `folder` and read them back; without any, read those of `file`.

    Raises:
        FileNotFoundError: as read_predictions.
        ValueError: as read_predictions.
    """
    if predictions is None:
        return read_predictions(file)
    written = folder / "predictions.jsonl"
    write_predictions(predictions, written)
    return read_predictions(written)


def read_predictions(file: Path) -> dict[PersonKey, Prediction]:
    """Read a predictions.jsonl.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if a line is not a prediction or has another number of landmarks than those before, or if
            the file is empty.
    """
    topology = read_topology(file)
    predictions: dict[PersonKey, Prediction] = {}
    for number, (key, prediction) in enumerate(_read_lines(file, topology), start=1):
        if key in predictions:
            raise InputError(f"{file}, line {number}: person {key[2]} of {key[1]} occurs twice")
        predictions[key] = prediction
    if not predictions:
        raise InputError(f"{file} contains no predictions; choose another file")
    return predictions


def read_topology(file: Path) -> Topology:
    """Return the topology of a predictions.jsonl, by the number of landmarks of the first detected person.

    Without any detected person it is the whole body.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if a line is not a prediction, or if no topology has that many landmarks.
    """
    check_file(file, "predictions", "blazepose eval weights=FILE writes predictions.jsonl")
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            with _naming_line(file, number):
                landmarks = _parse(line)["landmarks"]
                if landmarks is not None:
                    return _topology_of_count(len(landmarks))
    return FULL_BODY


def _topology_of_count(count: int) -> Topology:
    for topology in topologies().values():
        if topology.num_landmarks == count:
            return topology
    known = ", ".join(f"{topology.num_landmarks} ({name})" for name, topology in topologies().items())
    raise InputError(f"it has {count} landmarks, which no topology has; known are {known}")


@contextmanager
def _naming_line(file: Path, number: int) -> Iterator[None]:
    """Name the line in errors of its content."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{file}, line {number}, is not a prediction: {error}") from error


def _read_lines(file: Path, topology: Topology) -> Iterator[tuple[PersonKey, Prediction]]:
    trained, supervised = None, SupervisedOutputs.from_metadata(None, topology)
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            with _naming_line(file, number):
                record = _parse(line)
                if record["trained"] != trained:
                    trained = record["trained"]
                    if not isinstance(trained, dict | None):
                        raise TypeError(f"trained is {trained!r}")
                    supervised = SupervisedOutputs.from_metadata(trained, topology)
                prediction = _from_json(record, supervised)  # people share the object
                key = _key(prediction.reader, prediction.image, prediction.person)
            yield key, prediction


def _to_line(prediction: Prediction) -> bytes:
    record = _to_json(prediction)
    try:
        return orjson.dumps(record, option=_JSON)
    except orjson.JSONEncodeError:  # the path of the image is not UTF-8
        return json.dumps(record, default=lambda array: array.tolist()).encode() + b"\n"


def _parse(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return json.loads(line)  # accepts NaN, as Python writes it


def _to_json(prediction: Prediction) -> dict[str, Any]:
    presence, raw, world = prediction.pose_presence, prediction.landmarks_raw, prediction.landmarks_world
    return {
        "image": prediction.image,
        "person": prediction.person,
        "reader": prediction.reader,
        "roi": {"from": prediction.crop, **asdict(prediction.roi)},
        "landmarks": _rounded(prediction.landmarks) if prediction.detected else None,
        "landmarks_world": None if world is None or not prediction.detected else _rounded(world),
        "pose_presence": None if presence is None else round(presence, _DECIMALS),
        "landmarks_raw": None if raw is None or not prediction.detected else _rounded(raw),
        "decoding": prediction.decoding,
        "trained": prediction.supervised.as_metadata(),
        **({"mask": prediction.mask} if prediction.mask else {}),
    }


def _from_json(line: dict[str, Any], supervised: SupervisedOutputs) -> Prediction:
    roi = line["roi"]
    line["person"] = str(line["person"])
    if not all(math.isfinite(value) for name, value in roi.items() if name != "from"):
        raise InputError(f"roi is not finite: {roi}")
    if line["landmarks"] is None:
        crop, person = roi.pop("from"), (line["image"], line["person"], line["reader"])
        return missed_person(*person, crop, Roi(**roi), supervised)
    count = supervised.topology.num_landmarks
    if len(line["landmarks"]) != count:
        raise InputError(
            f"it has {len(line['landmarks'])} landmarks, those before it {count}; "
            "one file has the predictions of one network"
        )
    raw, world = line["landmarks_raw"], line["landmarks_world"]
    return Prediction(
        image=line["image"],
        person=line["person"],
        reader=line["reader"],
        crop=roi.pop("from"),
        roi=Roi(**roi),
        landmarks=_rows(line["landmarks"], count, 5),
        landmarks_raw=None if raw is None else _rows(raw, count, 2),
        landmarks_world=None if world is None else _rows(world, count, 3),
        pose_presence=line["pose_presence"],
        supervised=supervised,
        mask=line.get("mask"),
        decoding=line.get("decoding"),
    )


def _rows(rows: list[list[float | None]], count: int, columns: int) -> np.ndarray:
    flat = [*itertools.chain.from_iterable(rows)]  # NumPy takes twice as long for lists in a list
    return np.array(flat, np.float64).reshape(count, columns)


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, np.float64).round(_DECIMALS)
