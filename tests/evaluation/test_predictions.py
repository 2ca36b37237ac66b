import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from blazepose.evaluation.predict import plan_label_crops, predict
from blazepose.evaluation.predictions import (
    person_key,
    read_predictions,
    read_topology,
    supervised_landmarks,
    write_predictions,
)
from blazepose.exceptions import InputError
from tests.evaluation.crowd import UPPER_BODY, ConstantEngine, source_of, upper_body


def test_round_trip(crowd, pose_roi, tmp_path):
    trained = {"landmarks": ["nose"], "outputs": ["presence"]}
    engine = ConstantEngine(pose_roi, {"trained": trained})
    written = list(predict(engine, plan_label_crops([crowd], "jitter", 0), "jitter"))
    write_predictions(written, tmp_path / "p.jsonl")
    read = read_predictions(tmp_path / "p.jsonl")
    assert list(read) == [person_key("lsp", annotation) for annotation in crowd.annotations]
    for before, after in zip(written, read.values(), strict=True):
        for name in ("landmarks", "landmarks_raw", "landmarks_world"):
            np.testing.assert_allclose(getattr(after, name), getattr(before, name), atol=1e-5)
        assert (after.roi, after.crop, after.decoding) == (before.roi, "jitter", "mediapipe")
        assert after.supervised.as_metadata() == trained, "without the fields that the weights do not record"


def test_the_keys_of_the_file(crowd, pose_roi, tmp_path):
    write_predictions(
        predict(ConstantEngine(pose_roi), plan_label_crops([crowd], "annotation", 0), "annotation"),
        tmp_path / "p",
    )
    line = json.loads((tmp_path / "p").read_text().splitlines()[2])
    keys = ["image", "person", "reader", "roi", "landmarks", "landmarks_world", "pose_presence"]
    assert list(line) == [*keys, "landmarks_raw", "decoding", "trained"]
    assert np.shape(line["landmarks"]) == (33, 5)
    assert np.shape(line["landmarks_world"]) == (33, 3)
    assert line["roi"].keys() == {"from", "center_x", "center_y", "side", "rotation_rad"}
    assert line["person"] == "2"


@pytest.mark.parametrize("unknown", ["NaN", "null"])
def test_nan_and_null_are_read_as_nan(unknown, crowd, pose_roi, tmp_path):
    file = tmp_path / "p.jsonl"
    write_predictions(
        predict(ConstantEngine(pose_roi), plan_label_crops([crowd], "annotation", 0), "annotation"), file
    )
    line = json.loads(file.read_text().splitlines()[0])
    line["landmarks"][3][1] = "?"
    file.write_text(json.dumps(line).replace('"?"', unknown))
    (read,) = read_predictions(file).values()
    assert np.argwhere(np.isnan(read.landmarks)).tolist() == [[3, 1]]
    write_predictions([read], file)
    assert json.loads(file.read_text())["landmarks"][3][1] is None, "JSON has no NaN"


def test_a_path_that_is_not_utf8_is_kept(crowd, pose_roi, tmp_path):
    """Python represents bytes that are not UTF-8 as lone surrogates."""
    file = tmp_path / "p.jsonl"
    (one, *_) = predict(ConstantEngine(pose_roi), plan_label_crops([crowd], "annotation", 0), "annotation")
    write_predictions([replace(one, image="/caf\udce9.png")], file)
    (read,) = read_predictions(file).values()
    assert read.image == "/caf\udce9.png"
    np.testing.assert_allclose(read.landmarks, one.landmarks, atol=1e-5)


def test_supervised_outputs_are_shared_between_people(crowd, pose_roi, tmp_path):
    file = tmp_path / "p.jsonl"
    lines = []
    for names in (["nose"], ["left_hip"]):
        engine = ConstantEngine(pose_roi, {"trained": {"landmarks": names, "outputs": ["presence"]}})
        write_predictions(predict(engine, plan_label_crops([crowd], "annotation", 0), "annotation"), file)
        lines += file.read_text().splitlines(keepends=True)[len(lines) : len(lines) + 2]
    file.write_text("".join(lines))
    read = list(read_predictions(file).values())
    assert read[0].supervised is read[1].supervised
    assert read[2].supervised is read[3].supervised
    assert supervised_landmarks(read, "landmarks").sum(axis=0)[[0, 23]].tolist() == [2, 2]
    assert supervised_landmarks(read, "landmarks")[:, 0].tolist() == [True, True, False, False]
    assert not supervised_landmarks(read, "visibility").any()


def test_bad_files_are_refused(tmp_path):
    file = tmp_path / "p.jsonl"
    with pytest.raises(FileNotFoundError, match=r"p\.jsonl is missing"):
        read_predictions(file)
    file.write_text("")
    with pytest.raises(ValueError, match=r"p\.jsonl is empty"):
        read_predictions(file)
    good = {"image": "a.jpg", "person": "1", "reader": "lsp", "roi": {"from": "x"}, "landmarks": None}
    wrong = [good | {"trained": "nose"}, good | {"trained": None, "roi": "x"}]
    roi = {"from": "annotation", "center_x": 1, "center_y": 1, "side": 9, "rotation_rad": 0}
    file.write_text(json.dumps(good | {"trained": None, "roi": roi}))
    assert len(read_predictions(file)) == 1
    wrong.append(good | {"trained": None, "roi": roi | {"side": float("nan")}})
    for line in ('{"image": "a.jpg"}', "[]", "not json", '{"roi": {"side": 1}}', *map(json.dumps, wrong)):
        file.write_text(line + "\n")
        with pytest.raises(ValueError, match=r"p\.jsonl, line 1, is not a prediction"):
            read_predictions(file)


def test_a_relative_and_an_absolute_path_are_one_person(crowd, pose_roi, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = crowd.annotations[0]
    write_predictions(
        predict(ConstantEngine(pose_roi), plan_label_crops([crowd], "annotation", 0), "annotation"),
        tmp_path / "p",
    )
    text = (tmp_path / "p").read_text().replace(str(tmp_path) + "/", "")
    (tmp_path / "p").write_text(text)
    assert person_key("lsp", first) in read_predictions(tmp_path / "p")


def test_a_path_from_another_system_and_an_id_as_a_number(crowd, pose_roi, tmp_path):
    """macOS separates accents from letters; other tools may write numbers."""
    file = tmp_path / "p.jsonl"
    (one, *_) = predict(ConstantEngine(pose_roi), plan_label_crops([crowd], "annotation", 0), "annotation")
    write_predictions([replace(one, image="/cafe\u0301.png", person="7")], file)
    file.write_text(file.read_text().replace('"7"', "7.0"))
    person = replace(crowd.annotations[0], image=Path("/caf\u00e9.png"), person="7")
    (key,) = read_predictions(file)
    assert key == person_key("lsp", person)


def test_a_duplicate_person_is_refused(crowd, pose_roi, tmp_path):
    predictions = list(
        predict(ConstantEngine(pose_roi), plan_label_crops([crowd], "annotation", 0), "annotation")
    )
    write_predictions([*predictions, predictions[2]], tmp_path / "p.jsonl")
    with pytest.raises(ValueError, match=r"p\.jsonl, line 8: person 2 of \S+im2\.png occurs twice"):
        read_predictions(tmp_path / "p.jsonl")


@pytest.fixture
def upper_file(crowd, tmp_path) -> Path:
    """Predictions of an upper-body network, one without a hit."""
    file = tmp_path / "upper.jsonl"
    people = source_of([upper_body(person) for person in crowd.annotations])
    first, *jobs = plan_label_crops([people], "annotation", 0)
    engine = ConstantEngine(np.full((31, 2), 0.5), topology=UPPER_BODY)
    write_predictions(predict(engine, [first._replace(detected=False), *jobs], "annotation"), file)
    return file


def test_the_number_of_landmarks_names_the_topology(upper_file):
    missed, *others = read_predictions(upper_file).values()
    assert read_topology(upper_file) == UPPER_BODY
    assert (missed.detected, missed.landmarks.shape) == (False, (25, 5))
    assert {prediction.landmarks.shape for prediction in others} == {(25, 5)}
    assert all(p.landmarks_world is None and p.supervised.topology == UPPER_BODY for p in others)
    assert json.loads(upper_file.read_text().splitlines()[1])["landmarks_world"] is None


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (33, r"line 3, is not a prediction: it has 33 landmarks, those before it 25; one file has"),
        (17, r"line 3, is not a prediction: it has 17 landmarks, those before it 25"),
    ],
)
def test_mixed_numbers_of_landmarks_are_refused(upper_file, count, message):
    lines = [json.loads(line) for line in upper_file.read_text().splitlines()]
    lines[2]["landmarks"] = [[0, 0, 0, 1, 1]] * count
    upper_file.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(InputError, match=message):
        read_predictions(upper_file)


def test_an_unknown_number_of_landmarks_is_refused(upper_file):
    lines = [json.loads(line) | {"landmarks": [[0, 0, 0, 1, 1]] * 17} for line in upper_file.open()]
    upper_file.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(
        InputError, match=r"line 1, .*: it has 17 landmarks, .* known are 33 \(full_body\), 25 \(upper_body\)"
    ):
        read_predictions(upper_file)
