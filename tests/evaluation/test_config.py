"""What eval.py refuses before any work."""

import pytest

from blazepose.evaluation.config import EvaluationConfig


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"detector": "a.task"}, "detector= is for roi=detector"),
        ({"roi": "box"}, "roi=box is unknown; .* annotation, jitter, detector"),
        ({"torso": "head"}, "torso=head is unknown"),
        ({"batch_size": 0}, "batch_size=0: a number from 1 up"),
        ({"num_threads": -3}, "num_threads=-3: a number from 1 up"),
        ({"seed": -1}, "seed=-1: a number from 0 up"),
        ({"intersect": ["gender"]}, "name two different attributes or more"),
        ({"intersect": ["gender", "gender"]}, "name two different attributes or more"),
        ({"weights": "a.ckpt", "predictions": "p.jsonl"}, "give one of them"),
        ({"predictions": "p.jsonl", "roi": "jitter"}, "on the crops it was given then"),
        ({"predictions": "p.jsonl", "engine": "litert"}, "on the crops it was given then"),
    ],
)
def test_values_that_cannot_be(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        EvaluationConfig(**values)
