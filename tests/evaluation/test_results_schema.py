import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from blazepose.evaluation.metric_table import METRICS
from blazepose.evaluation.results import results
from blazepose.evaluation.results_schema import DETECTOR_RESULTS_SCHEMA, RESULTS_SCHEMA
from tests.evaluation.scored_people import labelled_person, prediction_for, score_people

FILES = Path(__file__).parents[2] / "docs/reference/files.md"
VALIDATOR = Draft202012Validator(RESULTS_SCHEMA)
FACTS = {
    "file": "net.tflite",
    "sha256": 64 * "0",
    "annotators": False,
    "detector": None,
    "data": ["lsp:here"],
}
FACTS |= {"metadata": None, "intersect": [], "min_group": 20, "notes": []}


@pytest.fixture
def metrics() -> dict:
    """Results as in the file, with every kind of group."""
    people = [labelled_person(k, [2, 2, 2, 2, 1, 1], region="Europe", weather="rain") for k in range(3)]
    predictions = [prediction_for(person, [0.0] * 5 + [0.5], [0.9] * 5 + [0.2]) for person in people]
    return json.loads(json.dumps(results(score_people(people, predictions)) | FACTS))


def test_the_schema_is_one():
    Draft202012Validator.check_schema(RESULTS_SCHEMA)


def test_results_fulfil_it(metrics):
    VALIDATOR.validate(metrics)
    assert metrics["fairness"]
    assert metrics["breakdown"]["weather"]
    assert metrics["calibration"]["visibility"]["bins"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["pck@0.2"], 100.1),
        (["pck@0.2"], "72.3"),
        (["pck@0.2_ci95"], [1.0]),
        (["mean_error"], -1),
        (["num_people"], None),
        (["num_people"], 1.5),
        (["torso"], "head"),
        (["per_landmark", "tail"], {}),
        (["per_landmark", "left_hip", "offset"], 3.0),
        (["per_part", "hips", "count"], -1),
        (["fairness", "region", "verdict"], "perhaps"),
        (["breakdown", "weather", "rain", "pck"], 3),
        (["new_key"], 3),
    ],
)
def test_other_keys_and_values_break_it(metrics, path, value):
    node = metrics
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    with pytest.raises(ValidationError):
        VALIDATOR.validate(metrics)


def test_every_key_is_required(metrics):
    del metrics["swap_rate"]
    with pytest.raises(ValidationError, match="'swap_rate' is a required property"):
        VALIDATOR.validate(metrics)


def test_the_reference_explains_the_keys_that_are_no_metrics():
    section = FILES.read_text().split("**`results.json`**")[1].split("`RESULTS_SCHEMA`")[0]
    rows = re.findall(r"^\| (`.*?`) \| ", section, re.MULTILINE)
    documented = {key for row in rows for key in re.findall(r"`(\S+?)`", row)}
    intervals = {f"{key}_ci95" for key in METRICS}
    assert documented == set(RESULTS_SCHEMA["properties"]) - set(METRICS) - intervals


def test_the_reference_names_the_keys_of_a_detector():
    section = FILES.read_text().split("**`results.json` of a detector**")[1].split("; schema")[0]
    assert set(re.findall(r"`(\w+)`", section)) == set(DETECTOR_RESULTS_SCHEMA["properties"])
