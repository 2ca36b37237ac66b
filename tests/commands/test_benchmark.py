"""`blazepose benchmark` as a whole, on small files."""

import csv
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from blazepose.benchmark import network_rows
from blazepose.commands import benchmark
from blazepose.runtime.media import VideoWriter
from tests.constant_bundle import write_bundle
from tests.constant_network import write_network


@pytest.fixture
def files(tmp_path, monkeypatch) -> list[Path]:
    """A bundle and a network in the working folder, and no GPU."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(network_rows, "on_gpu", lambda content: "there is none")
    return [write_bundle(Path("a.task")), write_network(Path("b.onnx"), {"decoding": "heatmap"})]


@pytest.fixture
def refuse(capsys):
    def call(*arguments: object) -> str:
        with pytest.raises(SystemExit) as ended:
            benchmark.main(list(map(str, arguments)))
        assert ended.value.code == 1
        return capsys.readouterr().err.strip()

    return call


def table(text: str) -> dict[str, list[str]]:
    """Cells of a table in Markdown, by the first column."""
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return {label.strip(): [cell.strip() for cell in cells] for label, *cells in rows}


def test_everything_without_options(files, capsys):
    options = "--rounds 6 --threads 1 --markdown t.md --csv t.csv"
    benchmark.main([*map(str, files), *options.split()])
    out = capsys.readouterr().out
    assert Path("t.md").read_text() == out
    cells = table(out)
    assert cells[""] == ["a.task", "b.onnx"]
    assert cells["size, MB"][0] == f"{files[0].stat().st_size / 1e6:.2f}"
    assert cells["landmark network: parameters"] == ["0", "0"]
    first, second = cells["landmark network, 1 thread: latency, of the first file's"]
    assert first == "1.00"
    assert " to " in second
    assert float(cells["detector, 1 thread: latency, ms"][0]) > 0
    assert cells["detector, 1 thread: latency, ms"][1] == "-"
    assert cells["landmark network: LiteRT's GPU"] == ["unknown", "-"]
    assert all(float(cell) > 0 for cell in cells["memory, MB"])
    assert not any("frames/s" in label or "PCK" in label for label in cells)
    assert "input random pixels" in out
    assert "GPU unknown: there is none." in out
    assert "- Machine: " in out
    assert f"- `blazepose benchmark a.task b.onnx {options}`" in out
    with Path("t.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["file"] for row in rows] == ["a.task", "b.onnx"]
    assert float(rows[1]["landmarks_1_threads_ratio_low"]) > 0
    assert rows[1]["detector_1_threads_ms"] == ""


def test_picture_data_and_results(files, tiny_lsp, monkeypatch, capsys):
    monkeypatch.setattr("blazepose.benchmark.pipeline_rows.has_mediapipe", lambda: False)
    monkeypatch.setattr("blazepose.benchmark.pipeline_rows._JITTER_FRAMES", 5)
    picture = next((tiny_lsp / "images").iterdir())
    Path("iphone.csv").write_text(
        "file,device,accelerator,threads,latency_ms\na_landmarks.tflite,My,CPU,2,3.5\n"
    )
    options = f"--rounds 6 --threads 1 --picture {picture} --data lsp:{tiny_lsp} --results iphone.csv"
    benchmark.main([*map(str, files), *options.split()])
    out = capsys.readouterr().out
    cells = table(out)
    assert cells["My, CPU, 2 threads: landmark network, ms"] == ["3.50", "-"]
    assert all(" to " in cell for cell in cells["PCK@0.2, %"])
    assert cells["PCK@0.2: change from the first file"][0] == "-"
    assert cells["PCK@0.2: change from the first file"][1][0] in "+-"
    assert (
        float(cells["blazepose track: jitter, % of the torso"][0]) > 0
    )  # its landmarks do not follow the shifts
    assert f"input {picture}" in out
    assert "24 people" in out


def test_frame_rate(files, monkeypatch, capsys):
    monkeypatch.setattr("blazepose.benchmark.pipeline_rows.has_mediapipe", lambda: False)
    monkeypatch.setattr("blazepose.benchmark.pipeline_rows._JITTER_FRAMES", 5)
    with VideoWriter(Path("v.mp4"), Fraction(30)) as writer:
        for number in range(3):
            writer.write(np.zeros((64, 64, 3), np.uint8), 33 * number)
    benchmark.main([*map(str, files), "--rounds=6", "--threads", "1", "--video", "v.mp4"])
    out = capsys.readouterr().out
    assert float(table(out)["blazepose track: frames/s"][0]) > 0
    assert table(out)["blazepose track: frames/s"][1] == "-"
    assert "Frames/s: 3 frames of v.mp4, 64x64" in out
    assert "MediaPipe is not installed" in out
    assert "input the first frame of v.mp4" in out


def test_a_bundle_that_mediapipe_rejects_ends_before_any_measurement(files, refuse, monkeypatch, tiny_lsp):
    pytest.importorskip("mediapipe", reason="MediaPipe is not installed")
    monkeypatch.setattr("blazepose.benchmark.measure.measure_latency", None)
    picture = next((tiny_lsp / "images").iterdir())
    assert refuse(files[0], "--picture", picture).startswith("MediaPipe rejects a.task: ")


def test_commands_for_a_phone(files, capsys):
    benchmark.main([str(files[0]), "--phone", "android", "--threads", "4", "1", "4"])
    out = capsys.readouterr().out
    assert "unzip -p a.task pose_landmarks_detector.tflite > phone/a_landmarks.tflite" in out
    assert out.index("--num_threads=1") < out.index("--num_threads=4")


def test_bad_input(files, refuse):
    bundle, network = files
    Path("old.md").touch()
    assert refuse(bundle, "--markdown", "old.md").startswith("--markdown old.md exists; choose another name")
    assert refuse(bundle, "--csv", "t.txt") == "--csv t.txt: the file must end in .csv"
    assert refuse(bundle, "--csv", "no/t.csv") == "--csv no/t.csv: its folder does not exist; create it first"
    assert refuse(network, "--video", "v.mp4").startswith(
        "--video measures whole pipelines, which need a .task"
    )
    assert refuse(bundle, "--data", "lspx:x").startswith("lspx:x: unknown reader 'lspx'")
    assert refuse(bundle, "--picture", "no.png") == "no.png is missing"
    assert refuse("no.task").startswith("no.task is missing")
    assert Path("old.md").read_text() == ""
    assert sorted(path.name for path in Path().iterdir()) == ["a.task", "b.onnx", "old.md"]
