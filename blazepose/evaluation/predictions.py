"""predictions.jsonl: what a network said about each person, one line a person."""

import itertools
import json
import math
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from blazepose.atomic import atomic_path
from blazepose.data.annotation import Annotation
from blazepose.data.readers.coco_json import same_id
from blazepose.file_content import check_file
from blazepose.geometry import Roi
from blazepose.topology import LANDMARKS, NUM_LANDMARKS

_DECIMALS = 5
_JSON = orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network said about one person.

    Attributes:
        image: path of the picture, as the annotation has it.
        person: annotation id.
        reader: name of the reader.
        crop: where the ROI came from, a key of predict.CROPS.
        roi: the square the network saw; the annotation's, of somebody whom the detector did not find.
        landmarks: (33, 5) x_px, y_px, z (pixels on the scale of x, origin at the hips, negative towards the
            camera), visibility, presence; refined by the heatmap. NaN, as all that follows, of somebody who
            was not found; null in the file.
        landmarks_raw: (33, 2) pixels, the regression output alone; None from an engine that does not tell.
        landmarks_world: (33, 3) metres, hip-centred, along the axes of the image.
        pose_presence: 0..1; None from an engine that does not tell.
        trained: {"landmarks": names, "visibility": names, ...} that the weights say they learned
            (training.stages.learned); None if they do not say.
        mask: pixels of the picture that show the person, encoded as Annotation.mask; None if nobody labelled
            them, or if the weights never learned to tell them.
    """

    image: str
    person: str
    reader: str
    crop: str
    roi: Roi
    landmarks: np.ndarray
    landmarks_raw: np.ndarray | None
    landmarks_world: np.ndarray
    pose_presence: float | None
    trained: dict[str, list[str]] | None
    mask: Mapping[str, Any] | None = None

    @property
    def found(self) -> bool:
        """The person was found at all."""
        return bool(np.isfinite(self.landmarks).any())


def missed_person(
    image: str, person: str, reader: str, crop: str, roi: Roi, trained: dict[str, list[str]] | None
) -> Prediction:
    """Of a person whom the detector did not find: all numbers are NaN. Arguments as Prediction's."""
    return Prediction(
        image=image,
        person=person,
        reader=reader,
        crop=crop,
        roi=roi,
        landmarks=np.full((NUM_LANDMARKS, 5), np.nan),
        landmarks_raw=np.full((NUM_LANDMARKS, 2), np.nan),
        landmarks_world=np.full((NUM_LANDMARKS, 3), np.nan),
        pose_presence=None,
        trained=trained,
    )


PersonKey = tuple[str, str, str]


def person_key(reader: str, annotation: Annotation) -> PersonKey:
    """What tells a person from all others; the same from whatever folder a path is relative to."""
    return _key(reader, annotation.image, annotation.person)


def _key(reader: str, image: str | Path, person: Any) -> PersonKey:
    """Make a key that is one for every composition of letters and accents, and every spelling of an id."""
    path = os.path.abspath(image)  # noqa: PTH100 (keeps links as they are)
    return reader, unicodedata.normalize("NFC", path), str(same_id(person))


def require_unique(people: Iterable[PersonKey]) -> None:
    """Refuse somebody who is there twice.

    Raises:
        ValueError: names the person.
    """
    for (reader, image, person), count in Counter(people).items():
        if count > 1:
            raise ValueError(
                f"{image}: two labels of the {reader} reader are both person {person}, so their predictions "
                "could not be told apart; evaluate the sources one by one, or give the annotations other ids"
            )


def learned_landmarks(predictions: Sequence[Prediction], kind: str) -> np.ndarray:
    """What the weights say they learned of this kind, "landmarks" or "visibility", bool (people, 33)."""
    learned: dict[int, np.ndarray] = {}  # by what they say: it is one object for most people
    for prediction in predictions:
        trained = prediction.trained
        if id(trained) not in learned:
            names = LANDMARKS if trained is None else trained.get(kind, [])
            learned[id(trained)] = np.isin(LANDMARKS, names)
    return np.array([learned[id(prediction.trained)] for prediction in predictions])


def learned_output(trained: Mapping[str, list[str]] | None, output: str) -> bool:
    """Do weights say they learned this output, of training.learned.HEADS? Foreign ones do not say: yes."""
    return trained is None or output in trained.get("outputs", [])


def write_predictions(predictions: Iterable[Prediction], file: Path) -> None:
    """Write a line a person; the file appears when it is complete."""
    with atomic_path(file) as part, part.open("wb") as lines:
        for prediction in predictions:
            lines.write(_line(prediction))


def save_and_reload(
    said: Iterable[Prediction] | None, folder: Path, file: Path
) -> dict[PersonKey, Prediction]:
    """Predictions as a file has them: written to `folder`, or those of `file` if there is nothing to write.

    Raises:
        FileNotFoundError: as read_predictions.
        ValueError: as read_predictions.
    """
    if said is None:
        return read_predictions(file)
    written = folder / "predictions.jsonl"
    write_predictions(said, written)
    return read_predictions(written)


def read_predictions(file: Path) -> dict[PersonKey, Prediction]:
    """Everybody in a predictions.jsonl.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: names the file and the line that is not a prediction, or says that it is empty.
    """
    check_file(file, "predictions", "python eval.py weights=FILE makes predictions.jsonl")
    predictions: dict[PersonKey, Prediction] = {}
    for number, (key, prediction) in enumerate(_read_lines(file), start=1):
        if key in predictions:
            raise ValueError(f"{file}, line {number}: person {key[2]} of {key[1]} is there already")
        predictions[key] = prediction
    if not predictions:
        raise ValueError(f"{file} holds no predictions; name another file")
    return predictions


def _read_lines(file: Path) -> Iterator[tuple[PersonKey, Prediction]]:
    trained = None
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                said = _parsed(line)
                if said["trained"] != trained:
                    trained = said["trained"]
                    if not isinstance(trained, dict | None):
                        raise TypeError(f"trained is {trained!r}")
                prediction = _from_json(said, trained)  # one object, not names of 33 landmarks a person
                key = _key(prediction.reader, prediction.image, prediction.person)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise ValueError(f"{file}, line {number}, is not a prediction of eval.py: {error}") from error
            yield key, prediction


def _line(prediction: Prediction) -> bytes:
    said = _to_json(prediction)
    try:
        return orjson.dumps(said, option=_JSON)
    except orjson.JSONEncodeError:  # the path of the picture is no UTF-8
        return json.dumps(said, default=lambda array: array.tolist()).encode() + b"\n"


def _parsed(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return json.loads(line)  # which takes NaN, as Python writes it


def _to_json(prediction: Prediction) -> dict[str, Any]:
    presence, raw = prediction.pose_presence, prediction.landmarks_raw
    return {
        "image": prediction.image,
        "person": prediction.person,
        "reader": prediction.reader,
        "roi": {"from": prediction.crop, **asdict(prediction.roi)},
        "landmarks": _rounded(prediction.landmarks) if prediction.found else None,
        "landmarks_world": _rounded(prediction.landmarks_world) if prediction.found else None,
        "pose_presence": None if presence is None else round(presence, _DECIMALS),
        "landmarks_raw": None if raw is None or not prediction.found else _rounded(raw),
        "trained": prediction.trained,
        **({"mask": prediction.mask} if prediction.mask else {}),
    }


def _from_json(line: dict[str, Any], trained: dict[str, list[str]] | None) -> Prediction:
    roi = line["roi"]
    line["person"] = str(line["person"])
    if not all(math.isfinite(value) for name, value in roi.items() if name != "from"):
        raise ValueError(f"its roi is {roi}")
    if line["landmarks"] is None:
        crop, person = roi.pop("from"), (line["image"], line["person"], line["reader"])
        return missed_person(*person, crop, Roi(**roi), trained)
    return Prediction(
        image=line["image"],
        person=line["person"],
        reader=line["reader"],
        crop=roi.pop("from"),
        roi=Roi(**roi),
        landmarks=_rows(line["landmarks"], 5),
        landmarks_raw=None if line["landmarks_raw"] is None else _rows(line["landmarks_raw"], 2),
        landmarks_world=_rows(line["landmarks_world"], 3),
        pose_presence=line["pose_presence"],
        trained=trained,
        mask=line.get("mask"),
    )


def _rows(rows: list[list[float | None]], columns: int) -> np.ndarray:
    flat = [*itertools.chain.from_iterable(rows)]  # NumPy takes twice as long for lists in a list
    return np.array(flat, np.float64).reshape(NUM_LANDMARKS, columns)


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, np.float64).round(_DECIMALS)
