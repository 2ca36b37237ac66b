"""The benchmark times functions by their names."""

from benchmarks.rendering import STEPS


def test_every_step_is_a_function_that_is_there():
    assert all(callable(getattr(owner, function)) for _, owner, function in STEPS)
