"""The detector's commands on tiny data: train, go on, evaluate, export into a bundle, the whole pipeline."""

import json
import sys
from pathlib import Path

import pytest
from ai_edge_litert.interpreter import Interpreter

from blazepose.commands import eval as evaluation
from blazepose.commands import eval_detector as detection
from blazepose.commands import train
from blazepose.export.task import read_detector
from blazepose.runs import best_checkpoint
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, pack, read_tflite
from blazepose.training.checkpoint import read_checkpoint
from tests.mediapipe_runtime import look_apart
from tests.test_end_to_end import run

pytestmark = pytest.mark.slow
TINY = [
    "model=detector",
    "data=lsp",
    "loader.batch_size=8",
    "loader.num_workers=0",
    "optimizer.warmup_steps=2",
    "trainer.log_every_n_steps=1",
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_lsp, tiny_rendered) -> Path:
    """A working directory with one finished run of two epochs, stopped after the first and gone on with."""
    folder = tmp_path_factory.mktemp("work")
    data = [f"data.train=[lsp:{tiny_lsp}]", f"data.val=[synthetic:{tiny_rendered}:val]"]
    negatives = f"data.negatives=[{tiny_rendered / 'train' / 'negatives'}]"
    said = run(folder, "train.py", *TINY, *data, negatives, "stages.joint=1")
    assert "trained on 24 images with 24 people" in said
    assert "1 negative images" in said
    run(folder, "train.py", "ckpt=last", "stages.joint=2")
    return folder


def the_run(folder: Path) -> Path:
    (found,) = (folder / "runs" / "detector").iterdir()
    return found


def test_a_run_leaves_what_it_promises(trained):
    folder = the_run(trained)
    assert {"config.yaml", "results.json", "samples.png", "train.log"} <= {p.name for p in folder.iterdir()}
    results = json.loads((folder / "results.json").read_text())
    assert results["epochs"] == 2
    assert {"val/ap", "val/recall", "val/roi_good", "train/loss_points"} <= results.keys()
    about = read_checkpoint(folder / "checkpoints" / "best.ckpt").metadata
    assert (about["task"], about["model"]) == ("detector", "detector")
    assert about["data"]["train"][0]["licence"]


def test_the_command_that_a_run_ends_with(trained, tiny_rendered, capsys):
    data = ["--data", f"synthetic:{tiny_rendered}:val", "--negatives", f"{tiny_rendered}/train/negatives"]
    detection.main([str(the_run(trained)), *data])
    printed = capsys.readouterr().out
    assert "4 people in 4 images" in printed
    assert "good ROI" in printed
    assert "false alarms in 1 negative images" in printed


def test_a_bundle_takes_a_trained_detector(trained, lite_bundle, shared, tiny_lsp, monkeypatch):
    """And Google's own runtime takes the bundle, as eval.py does for the whole pipeline."""
    detector = read_detector(best_checkpoint(the_run(trained)), tiny_lsp / "images")
    entries = {DETECTOR_ENTRY: detector, LANDMARKS_ENTRY: read_tflite(lite_bundle, LANDMARKS_ENTRY)}
    (trained / "pose.task").write_bytes(pack(entries))
    look_apart(trained / "pose.task", shared / "data/mp_reference/pose.jpg")
    words = ["weights=pose.task", "roi=detector", f"data.test=[lsp:{tiny_lsp}]", "out=found"]
    monkeypatch.chdir(trained)
    monkeypatch.setattr(sys, "argv", ["eval.py", *words])
    evaluation.main()
    results = json.loads((trained / "found" / "results.json").read_text())
    assert results["roi"] == "detector"
    assert results["num_people"] == 24
    assert results["num_not_found"] == 24, "three steps teach nobody to find people"
    official = Interpreter(model_content=read_tflite(shared / "models/pose_detection.tflite", DETECTOR_ENTRY))
    ours = Interpreter(model_content=detector)
    for graph in (official, ours):
        graph.allocate_tensors()
    kinds = [{op["op_name"] for op in graph._get_ops_details()} for graph in (ours, official)]
    assert kinds[0] <= kinds[1], "what the GPU delegates of phones take"
    assert max(len(tensor["shape"]) for tensor in ours.get_tensor_details()) <= 4


def test_the_detector_of_2021_is_fine_tuned_and_evaluated(tmp_path, tiny_lsp, shared, capsys):
    init = f"init={shared / 'models/pose_detection_2021.tflite'}"
    data = [f"data.train=[lsp:{tiny_lsp}]", f"data.val=[lsp:{tiny_lsp}]", "data.negatives=[]"]
    words = ["model=detector_2021", *TINY[1:], "experiment=finetune_detector", "stages.joint=1"]
    said = run(tmp_path, "train.py", init, *words, *data)
    assert "detector_2021: 0.76 M parameters" in said
    checkpoint = best_checkpoint(the_run(tmp_path))
    metadata = read_checkpoint(checkpoint).metadata
    assert (metadata["model"], metadata["input"]["size"]) == ("detector_2021", 128)
    assert metadata["init"]["data"]["train"][0]["name"] == "pose_detection_2021.tflite"
    detection.main([str(checkpoint), "--data", f"lsp:{tiny_lsp}", "--topology", "upper_body"])
    assert "24 people in 24 images" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["model=detector", "loss.heatmap=1"], "loss.heatmap: not used by model=detector"),
        (["model=detector", "stages.heatmap=3"], "stages.heatmap: not used by model=detector"),
        (["model=lite", "detector.loss.box=1"], "detector.loss.box: used only by model=detector"),
        (["model=detector", "detector.loss.box=0"], "detector.loss.box=0 must be a number from"),
        (["model=detector", "experiment=finetune"], "experiment=finetune is not for model=detector"),
        (["model=detector_2021", "loss.heatmap=1"], "loss.heatmap: not used by model=detector_2021"),
        (["experiment=finetune_detector"], "experiment=finetune_detector is not for model=full"),
        (
            ["model=detector", "detector.windows.full_image_prob=2"],
            "detector.windows.full_image_prob=2 must be a number from 0 to 1",
        ),
    ],
)
def test_settings_that_nobody_reads_are_refused(words, sentence, monkeypatch, capsys, tmp_path, tiny_lsp):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train.py", *words, f"data.train=[lsp:{tiny_lsp}]"])
    with pytest.raises(SystemExit) as left:
        train.main()
    assert left.value.code == 1
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
