"""Latency of small networks, and the input of networks."""

import numpy as np
import pytest

from blazepose.benchmark.files import DETECTOR, LANDMARKS, open_files
from blazepose.benchmark.latency import measure_latency, network_input
from tests.constant_bundle import write_bundle
from tests.constant_network import write_network


def test_each_network_is_measured_with_each_number_of_threads(tmp_path):
    files = open_files([write_bundle(tmp_path / "a.task"), write_network(tmp_path / "b.onnx")])
    measured = measure_latency(files, (1, 2), rounds=3, picture=None)
    networks = [("a.task", LANDMARKS), ("a.task", DETECTOR), ("b.onnx", LANDMARKS)]
    assert set(measured) == {(name, kind, threads) for name, kind in networks for threads in (1, 2)}
    for latency in measured.values():
        assert latency.wall_ms.shape == latency.cpu_ms.shape == (3,)
        assert (latency.wall_ms > 0).all()


@pytest.mark.parametrize(("kind", "low"), [(LANDMARKS, 0), (DETECTOR, -1)])
def test_input_is_in_the_range_of_the_network(kind, low):
    random = network_input(32, kind, None)
    assert random.shape == (1, 32, 32, 3)
    assert random.dtype == np.float32
    assert low <= random.min() < low + 0.01
    assert 0.99 < random.max() <= 1
    halves = np.zeros((50, 100, 3), np.uint8)
    halves[:, 50:] = 255
    picture = network_input(32, kind, halves)
    assert (picture[0, 16, :15] == low).all()
    assert (picture[0, 16, 17:] == 1).all()
