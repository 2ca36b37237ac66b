"""Checks of the keys of blazepose eval."""

import pytest

from blazepose.config.evaluate import EvaluationConfig
from blazepose.config.option import describe_section
from blazepose.decoding import DECODINGS
from blazepose.evaluation.detector_crops import DETECTOR
from blazepose.evaluation.engine_registry import ENGINES
from blazepose.evaluation.predict import CROPS
from blazepose.metrics.group_range import LEAST_PEOPLE
from blazepose.metrics.pck import TORSOS


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"detector": "a.task"}, "detector= needs roi=detector"),
        ({"roi": "box"}, "roi=box is unknown; .* annotation, jitter, detector"),
        ({"torso": "head"}, "torso=head is unknown; torso is one of across, diagonals, midline"),
        ({"engine": "tf"}, "engine=tf is unknown; engine is one of torch, litert, onnxruntime, "),
        ({"batch_size": 0}, "batch_size=0 must be a number from 1 up"),
        ({"num_threads": -3}, "num_threads=-3 must be a number from 1 up"),
        ({"seed": -1}, "seed=-1 must be a number from 0 up"),
        ({"intersect": ["gender"]}, "name at least two different attributes"),
        ({"intersect": ["gender", "gender"]}, "name at least two different attributes"),
        (
            {"weights": "a.ckpt", "predictions": "p.jsonl"},
            "give either weights= .* or predictions= .*, not both",
        ),
        ({"predictions": "p.jsonl", "roi": "jitter"}, "saved predictions keep the crops and the decoding"),
        ({"predictions": "p.jsonl", "engine": "litert"}, "saved predictions keep the crops"),
        ({"predictions": "p.jsonl", "decode": "heatmap"}, "saved predictions keep the crops"),
        ({"decode": "argmax"}, "decode=argmax is unknown; decode is one of regression, mediapipe, heatmap"),
        ({"decode": "heatmap", "engine": "mediapipe"}, "MediaPipe, which decodes by itself"),
    ],
)
def test_invalid_values_are_refused(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        EvaluationConfig(**values)


def test_the_choices_are_those_of_the_code():
    keys = describe_section(EvaluationConfig).keys
    choices = {key.name: key.allowed.split(", ") for key in keys}
    assert choices["roi"] == [*CROPS, DETECTOR]
    assert choices["torso"] == [*TORSOS]
    assert choices["engine"] == [*ENGINES]
    assert choices["decode"] == [*DECODINGS]


def test_a_group_counts_for_the_verdict_from_the_same_size_on():
    assert EvaluationConfig().min_group_size == LEAST_PEOPLE
