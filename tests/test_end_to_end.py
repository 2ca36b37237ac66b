"""The commands of the README on tiny data: train, go on after a kill, evaluate, export."""

import json
import os
import shutil
import signal
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from blazepose.commands import train
from blazepose.data.guide import guide_section
from blazepose.data.teacher_targets import TeacherStore
from blazepose.training.checkpoint import read_checkpoint
from blazepose.training.fit import AtomicCheckpointIO
from blazepose.training.weights import load_landmark_net, read_weights
from tests.forked_command import run_script
from tests.stick_figures import write_lsp

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
TINY = [
    "model=lite",
    "data=lsp",
    "loader.batch_size=8",
    "loader.num_workers=0",
    "optimizer.warmup_steps=2",
    "trainer.log_every_n_steps=1",
]


def run(folder: Path, script: str, *arguments: str, fails: bool = False) -> str:
    done = run_script(folder, script, *arguments)
    assert (done.returncode != 0) == fails, done.stdout[-1500:] + done.stderr[-3000:]
    return done.stderr if fails else done.stdout


def data(folder: Path) -> list[str]:
    return [f"data.train=[lsp:{folder}]", f"data.val=[lsp:{folder}]"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_lsp) -> Path:
    """A working directory with one finished run of three epochs."""
    folder = tmp_path_factory.mktemp("work")
    said = run(folder, "train.py", *TINY, *data(tiny_lsp), "stages.joint=3")
    assert "24 people, 0 left out" in said
    return folder


@pytest.fixture
def refused(monkeypatch, capsys, tmp_path):
    """What train.py says when it refuses; in this process, since importing torch takes most of a command."""

    def say(*arguments: str) -> str:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["train.py", *arguments])
        with pytest.raises(SystemExit) as exit_:
            train.main()
        assert exit_.value.code == 1
        return capsys.readouterr().err

    return say


def the_run(folder: Path) -> Path:
    (found,) = (folder / "runs" / "landmark").iterdir()
    return found


def test_a_run_leaves_what_it_promises(trained):
    folder = the_run(trained)
    assert {"config.yaml", "results.json", "samples.png", "train.log", "checkpoints"} <= {
        p.name for p in folder.iterdir()
    }
    assert list(folder.glob("events.out.tfevents*"))
    assert "lite: 1.3" in (folder / "train.log").read_text()
    results = json.loads((folder / "results.json").read_text())
    assert 0 <= results["val/pck@0.2"] <= 100
    assert results["epochs"] == 3
    about = read_checkpoint(folder / "checkpoints" / "best.ckpt").metadata
    assert len(about["trained"]["landmarks"]) == 12
    assert about["data"]["train"][0]["people"] == 24
    assert about["data"]["train"][0]["licence"]
    assert about["recipe"]["stages"]["joint"] == 3


def test_tensorboard_shows_terms_metrics_and_pictures(trained):
    log = EventAccumulator(str(the_run(trained)))
    log.Reload()
    terms = {f"train/loss_{name}" for name in ("heatmap", "offset", "coordinates", "presence")}
    metrics = {"val/pck@0.2", "val/pck@0.2_regression", "val/mean_error_mediapipe", "val/variance_ratio"}
    assert {"train/loss", "train/pck@0.2_raw", *terms, *metrics} <= set(log.Tags()["scalars"])
    assert len(log.Scalars("val/variance_ratio")) == 3
    assert set(log.Tags()["images"]) == {"train/samples", "val/predictions"}


def test_evaluate_and_export_the_newest_run(trained):
    run(trained, "eval.py", "out=torch")
    said = run(trained, "export.py", "--target", "onnx")
    assert "verified against torch" in said
    (exported,) = the_run(trained).glob("*.onnx")
    assert exported.stem == f"{the_run(trained).name}_fp32"  # tells the exports of two runs apart
    run(trained, "eval.py", f"weights={exported}", "out=onnx")
    scores = [json.loads((trained / name / "results.json").read_text()) for name in ("torch", "onnx")]
    for key in ("pck@0.2", "pck@0.2_raw", "mean_error"):
        assert scores[0][key] == pytest.approx(scores[1][key], abs=0.1)
    assert "exists" in run(trained, "export.py", "--target", "onnx", fails=True)


def die_at_second_save(kind: int) -> None:
    """Have this process send itself a signal when its second epoch is done but not saved."""
    save = AtomicCheckpointIO.save_checkpoint

    def save_or_die(self, checkpoint, path, **options):
        if Path(path).name == "last.ckpt" and Path(path).exists():
            os.kill(os.getpid(), kind)
        save(self, checkpoint, path, **options)

    AtomicCheckpointIO.save_checkpoint = save_or_die


@pytest.mark.parametrize(("kind", "status"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 143)])
def test_killed_run_goes_on_to_the_same_curve(trained, tiny_lsp, tmp_path, kind, status):
    # With workers, which fetch batches before Lightning knows the epoch; the other run had none.
    arguments = [*TINY, *data(tiny_lsp), "stages.joint=3", "loader.num_workers=1"]
    killed = run_script(tmp_path, "train.py", *arguments, prepare=partial(die_at_second_save, kind))
    assert killed.returncode == status
    how = f"blazepose train ckpt={the_run(tmp_path).relative_to(tmp_path)} resumes the training"
    said = f"ended by SIGTERM: {how}\n" if kind == signal.SIGTERM else ""
    assert killed.stderr == said
    assert not list(tmp_path.rglob("checkpoints/.*"))
    assert not (the_run(tmp_path) / "results.json").exists()
    run(tmp_path, "train.py", "ckpt=last")
    uninterrupted, resumed = (
        json.loads((the_run(f) / "results.json").read_text()) for f in (trained, tmp_path)
    )
    assert resumed["train/loss"] == pytest.approx(uninterrupted["train/loss"], rel=1e-3)
    assert resumed["val/mean_error_regression"] == pytest.approx(
        uninterrupted["val/mean_error_regression"], rel=1e-3
    )


def test_a_time_limit_and_no_validation_leave_best_weights(tiny_lsp, tmp_path):
    limits = ["trainer.max_time=00:00:00:01", "trainer.limit_val_batches=0", "stages.joint=30"]
    run(tmp_path, "train.py", *TINY, *data(tiny_lsp), *limits)
    assert json.loads((the_run(tmp_path) / "results.json").read_text())["epochs"] < 30
    assert (the_run(tmp_path) / "checkpoints" / "best.ckpt").is_file()


def test_a_loss_that_is_no_number_stops_the_run(tiny_lsp, tmp_path):
    wild = ["optimizer.lr=1e18", "optimizer.clip_norm=0", "stages.joint=9"]
    said = run(tmp_path, "train.py", *TINY, *data(tiny_lsp), *wild, fails=True)
    assert "the loss became NaN or infinite" in said
    assert "Traceback" not in said


def test_a_heatmap_stage_alone_says_what_comes_next(tiny_lsp, tmp_path):
    said = run(tmp_path, "train.py", *TINY, *data(tiny_lsp), "stages.joint=0", "stages.heatmap=1")
    assert "next, the regression: blazepose train stages.joint=0 stages.regression=60 init=" in said


def test_stages_train_one_part_after_the_other(trained, tiny_lsp, tmp_path):
    start = next(iter((trained / "runs" / "landmark").glob("*/checkpoints/last.ckpt")))
    stages = ["stages.joint=0", "stages.regression=1", f"init={start}", "optimizer.ema_decay=0"]
    said = run(tmp_path, "train.py", *TINY, *data(tiny_lsp), *stages)
    results = json.loads((the_run(tmp_path) / "results.json").read_text())
    began, best = (results[f"{name} val/pck@0.2"] for name in ("before", "best"))
    assert f"val/pck@0.2 before training {began:.1f}, at best {best:.1f}" in said
    assert ("WARNING: these weights are worse" in said) == (best < began)
    before, after = (
        load_landmark_net(p).state_dict() for p in (start, the_run(tmp_path) / "checkpoints" / "last.ckpt")
    )
    changed = {name.split(".")[0] for name in before if not before[name].equal(after[name])}
    assert changed == {"tower"}


def test_an_exported_file_is_fine_tuned(trained, tiny_lsp, tmp_path):
    """As Google's files are: read by structure, statistics put back, a teacher; and gone on with."""
    exported = tmp_path / "pose.tflite"
    run(trained, "export.py", "--target", "tflite", "--out", str(exported))
    tiny = [item for item in TINY if item != "data=lsp"]
    tune = [f"init={exported}", "experiment=finetune", "stages.joint=1", "optimizer.lr=1e-3"]
    said = run(tmp_path, "train.py", *tiny, "model.wiring=paper", f"data.train=[lsp:{tiny_lsp}]", *tune)
    assert f"unlabelled outputs are distilled from {exported}" in said
    assert "no validation" in said, "the default preset's people are not mixed in"
    folder = the_run(tmp_path)
    assert folder.name.startswith("finetune-lite")
    terms = {
        name.removeprefix("train/loss_")
        for name in EventAccumulator(str(folder)).Reload().Tags()["scalars"]
        if name.startswith("train/loss_")
    }
    assert terms == {"heatmap", "coordinates", "presence"}, "what LSP has taught nobody is not kept"
    about, tuned = read_checkpoint(folder / "checkpoints" / "last.ckpt")
    old = read_weights(exported).weights
    still = [name for name in old if name.startswith(("encoder.stem", "encoder.at64")) and "conv" in name]
    moved = [name for name in old if name.startswith("encoder.at32") and "conv" in name]
    assert still
    assert all(torch.equal(old[name], tuned[name]) for name in still), "frozen_stages of the recipe"
    assert not any(torch.equal(old[name], tuned[name]) for name in moved)
    assert about["init"]["data"]["train"][0]["name"] == f"lsp:{tiny_lsp}"
    config = OmegaConf.load(folder / "config.yaml")
    for key in ("teacher", "decode", "data.unlabelled", "loss.teacher", "optimizer.interpolate"):
        section, _, name = key.rpartition(".")
        del (config[section] if section else config)[name]  # as in the run of an earlier version
    OmegaConf.save(config, folder / "config.yaml")
    run(tmp_path, "train.py", "ckpt=last", "stages.joint=2")
    assert json.loads((folder / "results.json").read_text())["epochs"] == 2


@pytest.mark.shared
def test_a_larger_teacher_and_pictures_without_labels(shared, lite_bundle, tiny_lsp, tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    shutil.copy(shared / "data/mp_reference/pose.jpg", pictures)
    teacher = shared / "models/pose_landmark_full.tflite"
    tiny = [item for item in TINY if item != "data=lsp"]
    recipe = ["experiment=finetune", "stages.joint=1", "loss.teacher=1", "decode=heatmap"]
    files = [f"init={lite_bundle}", f"teacher={teacher}", f"data.unlabelled=[{pictures}]"]
    said = run(tmp_path, "train.py", *tiny, *data(tiny_lsp), *recipe, *files)
    assert f"{pictures}: 1 people, 0 left out" in said
    assert f"unlabelled landmarks are distilled from {teacher}, other outputs from {lite_bundle}" in said
    folder = the_run(tmp_path)
    metadata = read_checkpoint(folder / "checkpoints/best.ckpt").metadata
    assert metadata["teacher"]["model"] == "full"
    assert metadata["data"]["unlabelled"][0]["people"] == 1
    assert metadata["decoding"] == "heatmap"
    results = json.loads((folder / "results.json").read_text())
    assert results["val/pck@0.2"] == results["val/pck@0.2_heatmap"]
    assert results["best val/pck@0.2"] >= results["before val/pck@0.2"], "never worse than it began"
    assert metadata["blend"]["share"] == results["interpolated at"]
    (store,) = (path for path in (tmp_path / "runs/teacher").iterdir() if path.is_dir())
    assert not TeacherStore(store).has_masks, "they are learned from the initial network"
    run(tmp_path, "train.py", "ckpt=last", "stages.joint=2")  # finds people and outputs of the teacher again
    assert json.loads((folder / "results.json").read_text())["epochs"] == 2
    said = run(tmp_path, "eval.py")
    assert "decoding heatmap" in said


def test_a_finished_run_stays_as_it_is(trained):
    before = (the_run(trained) / "results.json").read_text()
    assert "this run is complete" in run(trained, "train.py", "ckpt=last")
    assert (the_run(trained) / "results.json").read_text() == before
    assert "optimizer.lr=1" in run(trained, "train.py", "ckpt=last", "optimizer.lr=1", fails=True)


def test_a_run_does_not_go_on_with_other_data(trained, tiny_lsp, tmp_path):
    folder = shutil.copytree(the_run(trained), tmp_path / "runs" / "landmark" / "moved")
    config = OmegaConf.load(folder / "config.yaml")
    config.data.train = [f"lsp:{tiny_lsp}"] * 2
    OmegaConf.save(config, folder / "config.yaml")
    said = run(tmp_path, "train.py", "ckpt=last", "stages.joint=4", fails=True)
    assert "steps per epoch and now has" in said


def test_the_preset_validates_only_its_own_people(tiny_lsp, tmp_path):
    """The command of data/README.md: the default preset's people are not asked for, nor mixed in."""
    tiny = [item for item in TINY if item != "data=lsp"]
    said = run(tmp_path, "train.py", *tiny, f"data.train=[lsp:{tiny_lsp}]", "stages.joint=1")
    assert "no validation: data.val=[...] names its people" in said
    assert (the_run(tmp_path) / "checkpoints" / "best.ckpt").is_file()
    assert OmegaConf.load(the_run(tmp_path) / "config.yaml").data.val == []


def test_half_precision_on_two_processes_in_two_stages(trained, tiny_lsp, tmp_path):
    """Two processes in bf16, the default on GPUs, train heatmaps and then the regression, with a teacher."""
    several = ["trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2", "trainer.precision=bf16-mixed"]
    stages = ["stages.heatmap=1", "stages.regression=1", "stages.joint=0"]
    teacher = [f"init={the_run(trained)}", "loss.distill=0.25"]
    run(tmp_path, "train.py", *TINY, *data(tiny_lsp), *several, *stages, *teacher)
    assert json.loads((the_run(tmp_path) / "results.json").read_text())["epochs"] == 2  # and one run folder


def test_damaged_picture_in_validation_is_one_sentence(tmp_path):
    folder = write_lsp(tmp_path / "damaged", people=20)
    picture = folder / "images" / "im00019.jpg"
    picture.write_bytes(picture.read_bytes()[:700])
    arguments = [*TINY, *data(folder), "stages.joint=1", "loader.num_workers=1"]
    said = run(tmp_path, "train.py", *arguments, fails=True)
    sentence = said.strip().splitlines()[-1]
    assert sentence.endswith("copy or download it again; no epoch was complete: start the training again")
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["model=tiny"], "model is one of detector, detector_2021, full, heavy, lite"),
        (["optimiser.lr=1"], "did you mean optimizer.lr"),
        (
            ["data.train=[lsp:~/my set(1)]"],
            f"my set(1) is missing; check the path, or see {guide_section('lsp')}",
        ),
        (["loader.batch_size=(8)"], "quote the value"),
        (["data=lsp", "data.train=[lsp:nowhere]"], f"see {guide_section('lsp')}"),
        (["data.train=[mine:somewhere]"], "unknown reader 'mine'"),
        (["ckpt=last"], "there is no run"),
        (["data.train=[]"], "data.train is empty"),
        (["data=lsp", "data.train=null"], "data.train is empty"),
        (["stages.joint=0"], "set stages.joint"),
        (["filter.min_side_px=abc"], "filter.min_side_px: Value 'abc'"),
        (
            ["optimizer.lr=abc"],
            "optimizer.lr: Value 'abc' of type 'str' could not be converted to Float; "
            "`blazepose config optimizer.lr` explains it",
        ),
        (["trainer.max_time=2h"], "days:hours:minutes:seconds"),
        (["trainer.devices=abc"], "trainer: "),
        (["model.gradient_stop=maybe"], "model.gradient_stop: Value 'maybe'"),
        (["loader.batch_size=2.5"], "loader.batch_size: Value '2.5'"),
        (["seed=abc"], "seed=abc: a whole number from 0 up"),
        (["decode=argmax"], "decode=argmax is unknown; decode is one of regression, mediapipe, heatmap"),
        (["teacher=heavy.ckpt"], "teacher= has no effect with loss.teacher=0 and loss.distill=0"),
        (
            ["data.unlabelled=[photos]"],
            "data.unlabelled has no effect with loss.teacher=0; set loss.teacher=1",
        ),
        (["init=typo.tflite"], "typo.tflite is missing"),
        (["teacher=typo.task", "loss.teacher=1"], "typo.task is missing"),
        (["stages.joint=many"], "stages.joint=many must be a number from 0 up, or auto"),
        (["model=detector", "decode=heatmap"], "decode: not used by model=detector"),
        (["data.train=[mine:x]", "loader.batch_size=0"], "loader.batch_size=0 must be a number from 1 up"),
        (
            ["data.train=[synthetic:mine]"],
            "render people with blazepose synth --num 2000 --out mine;",
        ),
    ],
)
def test_bad_input_is_one_sentence(refused, tmp_path, arguments, sentence):
    assert sentence in refused(*arguments)
    assert not any(tmp_path.iterdir()), "no run folder, and no starter set: rendering it takes minutes"


def test_people_too_small_are_named(refused, tmp_path):
    small = write_lsp(tmp_path / "small", people=3)
    said = refused("model=lite", "data=lsp", *data(small), "filter.min_side_px=900.0")
    assert "3 crop smaller than filter.min_side_px=900" in said
