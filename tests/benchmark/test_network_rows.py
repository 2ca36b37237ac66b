"""Rows of networks from measurements."""

import numpy as np

from blazepose.benchmark import network_rows
from blazepose.benchmark.files import DETECTOR, LANDMARKS, open_files
from blazepose.benchmark.latency import Latency
from blazepose.tflite.acceleration import Acceleration
from tests.constant_bundle import write_bundle
from tests.constant_network import write_network


def test_ratios_are_paired_by_round(tmp_path):
    """A load that slows all files tenfold in half of the rounds is not in the ratio."""
    files = open_files([write_bundle(tmp_path / "a.task"), write_network(tmp_path / "b.onnx")])
    load = np.where(np.arange(20) % 2, 10.0, 1.0)
    first = Latency(2 * load, np.full(20, 2.0))
    latencies = {
        ("a.task", LANDMARKS, 1): first,
        ("b.onnx", LANDMARKS, 1): Latency(3 * load, np.full(20, 3.0)),
        ("a.task", DETECTOR, 1): first,
    }
    rows = {row.key: row.values for row in network_rows.network_rows(files, latencies, (1,))}
    assert rows["landmarks_1_threads_ratio"] == [1.0, (1.5, 1.5, 1.5)]
    assert rows["landmarks_1_threads_cpu_ms"] == [2.0, 3.0]
    assert rows["landmarks_parameters"] == [0, 0]
    assert rows["detector_1_threads_ms"] == [11.0, None]
    assert "detector_1_threads_ratio" not in rows  # there is nothing to compare it with


def test_accelerators(tmp_path, monkeypatch):
    contents = []
    monkeypatch.setattr(network_rows, "on_cpu", lambda content: Acceleration("CPU", True))

    def on_gpu(content: bytes) -> Acceleration | str:
        contents.append(content)
        reasons = ("DENSIFY: not supported", "DENSIFY: again", "CAST")
        return Acceleration("My GPU", False, reasons, 0.5) if len(contents) == 1 else "no driver"

    monkeypatch.setattr(network_rows, "on_gpu", on_gpu)
    bundle = write_bundle(tmp_path / "a.task")
    copy = tmp_path / "copy.task"
    copy.write_bytes(bundle.read_bytes())
    files = open_files([bundle, write_network(tmp_path / "b.onnx"), copy])
    rows, notes = network_rows.acceleration_rows(files)
    assert len(contents) == 2  # the same networks are run once
    cells = {row.key: row.values for row in rows}
    assert cells["landmarks_xnnpack"] == cells["detector_xnnpack"] == ["whole", None, "whole"]
    gpu = [cells["landmarks_gpu"], cells["detector_gpu"]]
    wrong = "all but DENSIFY, CAST; outputs wrong"
    assert sorted(gpu, key=str) == [[wrong, None, wrong], ["unknown", None, "unknown"]]
    assert notes == ["GPU: My GPU.", "GPU unknown: no driver."]
