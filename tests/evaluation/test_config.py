"""Checks of the options of eval.py."""

import pytest

from blazepose.evaluation.config import EvaluationConfig


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"detector": "a.task"}, "detector= needs roi=detector"),
        ({"roi": "box"}, "roi=box is unknown; .* annotation, jitter, detector"),
        ({"torso": "head"}, "torso=head is unknown"),
        ({"batch_size": 0}, "batch_size=0: must be at least 1"),
        ({"num_threads": -3}, "num_threads=-3: must be at least 1"),
        ({"seed": -1}, "seed=-1: must be at least 0"),
        ({"intersect": ["gender"]}, "name at least two different attributes"),
        ({"intersect": ["gender", "gender"]}, "name at least two different attributes"),
        (
            {"weights": "a.ckpt", "predictions": "p.jsonl"},
            "give either weights= .* or predictions= .*, not both",
        ),
        ({"predictions": "p.jsonl", "roi": "jitter"}, "saved predictions keep the crops they were made with"),
        (
            {"predictions": "p.jsonl", "engine": "litert"},
            "saved predictions keep the crops they were made with",
        ),
    ],
)
def test_invalid_values_are_refused(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        EvaluationConfig(**values)
