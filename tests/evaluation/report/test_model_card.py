"""The model card: content from metadata and results, and gaps marked unknown."""

import re

import numpy as np
import pytest

from blazepose.evaluation.fairness.verdicts import FairnessConfig
from blazepose.evaluation.report import model_card
from blazepose.evaluation.report.model_card import Latency, measure_latency, write_model_card
from blazepose.evaluation.results import results
from tests.evaluation.crowd import Clock, ConstantEngine
from tests.evaluation.report.test_write import ABOUT
from tests.evaluation.scored_people import people_with_correct

OURS = {
    "model": "lite",
    "wiring": "mediapipe",
    "version": "0.1.0",
    "trained": {
        "landmarks": ["left_hip", "right_hip"],
        "visibility": [],
        "outputs": ["presence", "heatmaps"],
    },
    "data": {"train": [{"name": "lsp:data/lspet", "people": 4344, "licence": "for research"}]},
    "recipe": {"init": "pose_landmark_lite.tflite"},
    "init": {"trained": {}, "data": {"train": [{"name": "coco:a", "people": 9, "licence": "CC BY 4.0"}]}},
    "blend": {"share": 0.5},
}
OUTPUTS = ConstantEngine(np.zeros((33, 2)), logits=np.zeros((256, 256)))(np.zeros((1, 256, 256, 3), np.uint8))
LATENCY = Latency(12.34, 256, "some CPU, LandmarkEngine, 2 threads", OUTPUTS)


@pytest.fixture
def card(tmp_path):
    def write(metadata, **changed) -> str:
        scored = people_with_correct({"red": [6, 3] * 15, "blue": [6, 6] * 15})
        (tmp_path / "net.tflite").write_bytes(bytes(6_420_000))
        metrics = (
            results(scored, FairnessConfig(["team"]))
            | ABOUT
            | {"file": str(tmp_path / "net.tflite")}
            | changed
        )
        write_model_card(metrics, metadata, LATENCY, tmp_path / "model_card.md")
        return (tmp_path / "model_card.md").read_text()

    return write


def test_metadata_of_the_weights(card):
    text = card(OURS)
    assert "| architecture | BlazePose lite, mediapipe wiring, written by blazepose 0.1.0 |" in text
    assert "net.tflite`, 6.4 MB, sha256 `abc` |" in text
    assert "12.3 ms (median of 50; some CPU, LandmarkEngine, 2 threads)" in text
    assert "Trained: 2 of 33 landmarks, presence, heatmaps; not trained: the other landmarks" in text
    assert "- `lsp:data/lspet`: 4344 people; for research." in text
    assert "Initialized from `pose_landmark_lite.tflite`" in text
    assert "- `coco:a`: 9 people; CC BY 4.0." in text
    assert "0.5 of the way" in text


def test_the_teacher_and_its_data_are_named(card):
    learned = {"name": "photos", "people": 5, "licence": "licensed by their owner"}
    of_teacher = {"train": [{"name": "coco:b", "people": 7, "licence": "CC BY-NC"}]}
    teacher = {"name": "heavy.ckpt", "sha256": "of the teacher", "data": of_teacher}
    metadata = {**OURS, "data": {**OURS["data"], "unlabelled": [learned]}, "teacher": teacher}
    text = card(metadata)
    assert "Trained without labels on:\n\n- `photos`: 5 people; licensed by their owner." in text
    assert "Distilled from `heavy.ckpt`, trained on:\n\n- `coco:b`: 7 people; CC BY-NC." in text
    initial = {**OURS["init"], "sha256": "of the teacher"}
    assert "Distilled" not in card({**metadata, "init": initial}), "the initial weights are named already"


def test_missing_metadata_is_unknown(card):
    text = card({})
    assert "| architecture | Unknown: not in the weights' metadata. |" in text
    assert "Trained outputs: unknown" in text
    assert re.search(r"## Training data\n\nUnknown: not in the weights' metadata\.", text)
    assert "Foreign weights: the file does not record" in text
    assert re.search(r"## Intended use\n\nUnknown", text)


def test_results_and_limits(card):
    text = card({})
    assert "30 people" not in text
    assert "60 people, crop from annotation" in text
    assert "| red | 30 | 75.0 |" in text
    assert "By team" not in text, "it has a verdict"
    assert "Not measured by region, skin tone, gender, age group" in text
    assert "Visibility was not measured" in text
    assert "do not include detector errors" in text
    assert "detector errors" not in card({}, roi="detector")


def test_latency_of_the_network(pose_roi, monkeypatch):
    """12.5 ms per crop after the first five, with every tenth crop slowed down."""
    clock = Clock()

    class Timed(ConstantEngine):
        def __call__(self, images: np.ndarray):
            run = len(self.batches)
            clock.now += 9 if run < 5 else 0.3 if run % 10 == 0 else 0.0125
            return super().__call__(images)

    monkeypatch.setattr(model_card, "time", clock)
    latency = measure_latency(Timed(pose_roi), 2)
    assert latency.milliseconds == pytest.approx(12.5)
    assert latency.input_size == 256
    assert latency.setup.endswith("Timed, 2 threads")
    assert measure_latency(ConstantEngine(pose_roi), None).setup.endswith("default number of threads")
