"""The commands behind docs/benchmarks/decoding.md."""

import re
import sys

import pytest

from benchmarks import decoding
from tests.constant_network import write_network


@pytest.fixture
def run(monkeypatch, tmp_path, capsys, tiny_lsp):
    """Run the command with two networks of constant outputs, and return what it prints."""
    for name in ("a.onnx", "b.onnx"):
        write_network(tmp_path / name)
    (tmp_path / "people").symlink_to(tiny_lsp)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> list[str]:
        monkeypatch.setattr(sys, "argv", ["decoding.py", *arguments])
        decoding.main()
        return capsys.readouterr().out.splitlines()

    return call


def test_each_pair_of_constants_is_scored(run):
    lines = run("choose", "a.onnx", "lsp:people", "--people", "3")
    assert [line.split(" | ")[0] for line in lines] == [
        "| regression",
        "| 8, inf",
        "| 8, 6",
        "| 8, 3",
        "| 12, 6",
        "| 4, 6",
        "| 2, 6",
    ]
    assert all(re.fullmatch(r"\| .* \| \d+\.\d, \d+\.\d \|", line) for line in lines)


def test_legs_outside_the_picture_are_scored(run):
    lines = run("cut", "a.onnx", "lsp:people")
    names = ["mediapipe", "heatmap, as if all were present", "heatmap"]
    assert [line.split(" | ")[0] for line in lines] == [f"| {name}" for name in names]
    assert all(re.fullmatch(r"\| .* \| \d+\.\d, \d+\.\d \| [1-9]\d* people", line) for line in lines)


def test_two_files_are_timed(run):
    (line,) = run("time", "a.onnx", "b.onnx")
    assert re.fullmatch(r"\d+\.\d\d ms, \d+\.\d\d ms: \d+\.\d{3}", line)


def test_a_constant_pose_turns_with_the_crop(run):
    lines = run("turn", "a.onnx", "lsp:people", "--every", "12")
    assert [line.split(" | ")[0] for line in lines] == ["| mediapipe", "| heatmap", "| heatmap, previous"]
    for line in lines:
        median, mean, large, pck = line.removesuffix(" |").split(" | ")[1:]
        assert 0 < float(median) < 10
        assert 0 < float(mean) < 10
        assert large == "0.00 %"
        assert 0 <= float(pck) <= 100


@pytest.mark.shared
def test_a_bundle_does_not_differ_from_itself(run, shared):
    bundle = str(shared / "models/pose_landmarker_full.task")
    lines = run("moved", bundle, bundle, str(shared / "data/mp_reference/pose.jpg"))
    assert lines == [
        f"pose.jpg, {mode}: 1 frames; landmarks 0.00 % of the torso apart (median), 0.0 (95th percentile), "
        "0 (largest); world 0 mm, masks 0"
        for mode in ("IMAGE", "VIDEO")
    ]
