"""PCK of files on the same people."""

import pytest

from blazepose.benchmark.accuracy import measure_accuracy
from blazepose.metrics.bootstrap import Interval
from tests.constant_network import write_network, write_upper_body_network


def test_the_change_is_paired(tmp_path, tiny_lsp):
    """The second network finds an ankle, by its heatmap, that the first does not."""
    without, with_ankle = (
        write_network(tmp_path / f"{name}.onnx", {"decoding": "heatmap"}, ankle_peak=peak, presence=9)
        for name, peak in (("a", -9), ("b", 9))
    )
    accuracy = measure_accuracy([without, with_ankle, without], [f"lsp:{tiny_lsp}"])
    assert accuracy.people == 24
    first, second, third = accuracy.pck
    assert first == third
    assert first.low <= first.value <= first.high
    assert accuracy.change[0] is None
    assert accuracy.change[1].value == pytest.approx(second.value - first.value)
    assert second.value > first.value
    assert isinstance(accuracy.change[2], Interval)
    assert accuracy.change[2].value == 0


def test_networks_of_different_topologies_have_the_same_points(tmp_path, tiny_lsp):
    whole, above = write_network(tmp_path / "a.onnx"), write_upper_body_network(tmp_path / "b.onnx")
    accuracy = measure_accuracy([whole, above], [f"lsp:{tiny_lsp}"])
    alone = measure_accuracy([above], [f"lsp:{tiny_lsp}"])
    assert accuracy.people == alone.people == 24
    assert accuracy.pck[1] == alone.pck[0]
