"""Memory of a file, in a process of its own."""

import pytest

from blazepose.benchmark.files import LANDMARKS, BenchmarkFile, open_files
from blazepose.benchmark.memory import measure_memory
from blazepose.exceptions import ProcessError
from tests.constant_bundle import write_bundle


def test_memory_contains_the_file(tmp_path):
    """The constants of the bundle have 1.1 MB; engines need a few times more."""
    (bundle,) = open_files([write_bundle(tmp_path / "a.task")])
    assert bundle.size / 1e6 < measure_memory(bundle, 1) < 60


def test_a_failure_of_the_process_is_named(tmp_path):
    with pytest.raises(ProcessError, match=r"a\.task: the process that measures its memory ended: .*missing"):
        measure_memory(BenchmarkFile(tmp_path / "a.task", "a.task", (LANDMARKS,)), 1)
