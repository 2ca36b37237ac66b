"""The teacher of a training, and its outputs on disk."""

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import numpy as np
import pytest
import torch

from blazepose.data.annotation import Source
from blazepose.data.dataset import PoseDataset
from blazepose.data.readers import read_source
from blazepose.exceptions import InputError
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.models.landmark_net import LandmarkNet, network_input
from blazepose.models.variants import landmark_variant
from blazepose.runtime.decode import decode_by_heatmap
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topologies.full_body import LANDMARKS
from blazepose.training import teacher as teacher_module
from blazepose.training.teacher import Teacher, Teachers, check_unchanged, load_teachers, provide_targets
from tests.small_paper_net import SMALL
from tests.training.saved_net import save

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def source(tiny_lsp) -> Source:
    source = read_source(f"lsp:{tiny_lsp}")
    return Source(source.name, source.reader, source.annotations[:5], source.license)


@pytest.fixture
def teacher(tmp_path, monkeypatch) -> Teacher:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(1)
    net = LandmarkNet(landmark_variant("lite", "mediapipe"))
    net.heatmaps.weight.data *= 1e6  # features of random weights are small
    trained = SupervisedOutputs(("nose",), (), LANDMARKS, ("presence",)).as_metadata()
    return load_teachers(str(save(tmp_path / "best.ckpt", net, trained=trained)), None).of_landmarks


def test_the_outputs_are_those_of_the_network_decoded_by_heatmaps(teacher, source):
    crop = torch.from_numpy(PoseDataset([source], LANDMARK_INPUT)[2]["image"])[None]
    targets = provide_targets(teacher, source.annotations, 0, CPU)[2]
    with torch.inference_mode():
        out = teacher.net(network_input(crop))
        teacher.net.heatmap_decoder = None
        landmarks = teacher.net(network_input(crop)).landmarks
    regressed, presence = landmarks[..., :2] / 256, landmarks[..., 4].sigmoid().numpy()
    heatmaps = out.heatmaps.permute(0, 2, 3, 1).numpy()
    xy = decode_by_heatmap(regressed.numpy(), heatmaps, presence)[0, :33]
    assert np.abs(xy - regressed[0, :33].numpy()).max() > 0.02
    np.testing.assert_allclose(targets["points"][:33, :2], xy, atol=1e-4)
    np.testing.assert_allclose(targets["points"][33:, :2], regressed[0, 33:], atol=1e-4)
    np.testing.assert_allclose(targets["points"][:, 2], out.landmarks[0, :, 2] / 256, atol=1e-4)
    np.testing.assert_allclose(targets["points"][:, 3:], out.landmarks[0, :, 3:].sigmoid(), atol=1e-4)
    np.testing.assert_allclose(targets["heatmaps"] / 255, out.heatmaps[0].sigmoid(), atol=0.003)
    np.testing.assert_allclose(targets["world"], out.world[0, :33], atol=1e-4)
    np.testing.assert_allclose((targets["mask"] - 128) / 127, out.segmentation[0, 0].sigmoid(), atol=0.01)
    assert targets["pose"] == pytest.approx(float(out.pose_logit.sigmoid()), abs=1e-4)


def test_another_run_reuses_the_outputs_of_the_same_people(teacher, source, monkeypatch):
    first = provide_targets(teacher, source.annotations, 0, CPU)
    monkeypatch.setattr(teacher_module, "_run", None)  # it must not run again
    again = provide_targets(teacher, source.annotations, 0, CPU)
    np.testing.assert_array_equal(first[4]["points"], again[4]["points"])
    fewer = source.annotations[:4]
    for changed, people in ((teacher, fewer), (teacher._replace(sha256="another"), source.annotations)):
        with pytest.raises(TypeError):
            provide_targets(changed, people, 0, CPU)


def test_runs_with_masks_and_without_keep_outputs_of_their_own(teacher, source):
    crowd = [*source.annotations, replace(source.annotations[0], image=source.annotations[0].image / "no")]
    with_masks, without = (provide_targets(teacher, crowd, 0, CPU, masks) for masks in (True, False))
    again = provide_targets(teacher, crowd, 0, CPU)
    for person in (2, 5):
        expected = with_masks[person]
        np.testing.assert_equal(again[person], expected)
        del expected["mask"]
        np.testing.assert_equal(without[person], expected)


def test_an_interrupted_pass_leaves_nothing(teacher, source, monkeypatch, tmp_path):
    def interrupted(*arguments):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(teacher_module, "_run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        provide_targets(teacher, source.annotations, 0, CPU)
    assert [path.suffix for path in (tmp_path / "runs/teacher").iterdir()] == [".lock"]


def test_of_several_processes_one_computes_the_outputs(teacher, source, monkeypatch, caplog):
    run, calls, waiting = teacher_module._run, [], Barrier(3)

    def counted(*arguments):
        calls.append(arguments)
        waiting.wait(timeout=60)  # for both others
        yield from run(*arguments)

    def other_process():
        waiting.wait(timeout=60)
        return provide_targets(teacher, source.annotations, 0, CPU)

    monkeypatch.setattr(teacher_module, "_run", counted)
    with caplog.at_level(logging.INFO), ThreadPoolExecutor(3) as threads:
        others = [threads.submit(other_process) for _ in range(2)]
        targets = provide_targets(teacher, source.annotations, 0, CPU)
    assert [len(store) for store in (targets, *(other.result() for other in others))] == [5, 5, 5]
    assert len(calls) == 1
    waits = [line for line in caplog.messages if "waiting for it" in line]
    assert len(waits) == 2, "the others report that they wait"
    assert re.fullmatch(r"another process computes runs/teacher/\w{16}; waiting for it", waits[0])


def test_an_unreadable_image_has_no_outputs(teacher, source, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    changed = [source.annotations[0], replace(source.annotations[1], image=broken), source.annotations[2]]
    targets = provide_targets(teacher, changed, 0, CPU)
    assert len(targets) == 3
    assert [bool(targets[k]["points"].any()) for k in range(3)] == [True, False, True]


def test_the_teacher_is_another_network_or_the_initial_one(teacher, tmp_path):
    torch.manual_seed(2)
    initial = str(save(tmp_path / "initial.ckpt", LandmarkNet(landmark_variant("full", "mediapipe"))))
    alone = load_teachers(None, initial)
    assert alone.of_landmarks.net.variant.name == "full"
    assert alone.other is None
    both = load_teachers(str(teacher.path), initial)
    assert both.of_landmarks.net.variant.name == "lite"
    assert both.initial.net.variant.name == "full"
    assert load_teachers(initial, initial).other is None
    from_scratch = load_teachers(str(teacher.path), None)
    assert from_scratch.initial is None
    assert from_scratch.supervised.landmarks == ("nose",)
    assert not teacher.net.training
    with pytest.raises(InputError, match=r"loss\.teacher need a teacher: .* init=FILE, .* teacher=FILE"):
        load_teachers(None, None)


def test_of_a_larger_teacher_only_landmarks_are_learned(teacher):
    def trained(*outputs: str) -> Teacher:
        metadata = SupervisedOutputs(LANDMARKS, (), LANDMARKS, outputs).as_metadata()
        return teacher._replace(metadata={"trained": metadata})

    other, initial = trained("heatmaps", "z", "world", "segmentation"), trained("pose")
    assert Teachers(initial, other).supervised.outputs == ("pose", "heatmaps", "z")
    assert Teachers(None, other).supervised.outputs == ("heatmaps", "z", "world", "segmentation")


def test_a_network_with_heatmaps_only_is_no_teacher_of_landmarks(teacher, tmp_path):
    net = LandmarkNet(landmark_variant("lite", "mediapipe"))
    only = SupervisedOutputs((), (), LANDMARKS, ("heatmaps",)).as_metadata()
    heatmaps = str(save(tmp_path / "heatmaps.ckpt", net, trained=only))
    for files in ((heatmaps, None), (None, heatmaps)):
        with pytest.raises(InputError, match=r"heatmaps\.ckpt was trained with heatmaps only.*stages\.joint"):
            load_teachers(*files)
    assert load_teachers(heatmaps, str(teacher.path)).supervised.landmarks == ("nose",)


def test_heatmaps_that_were_not_trained_do_not_decide(tmp_path):
    untrained = save(tmp_path / "best.ckpt", LandmarkNet(landmark_variant("lite", "mediapipe")))
    assert load_teachers(None, str(untrained)).of_landmarks.net.heatmap_decoder is None


def test_a_resumed_training_refuses_a_changed_teacher(teacher):
    other = teacher._replace(path=teacher.path.with_name("other.ckpt"))
    same, another = {"sha256": teacher.sha256}, {"sha256": "of another file"}
    check_unchanged(Teachers(teacher, None), {"init": same, "teacher": same})
    check_unchanged(Teachers(teacher, other), {"init": same, "teacher": same})
    check_unchanged(Teachers(teacher, None), {"init": same})  # a checkpoint of an earlier version
    with pytest.raises(InputError, match=r"best\.ckpt, a teacher of this run, has changed"):
        check_unchanged(Teachers(teacher, other), {"init": another, "teacher": same})
    with pytest.raises(InputError, match=r"other\.ckpt, a teacher of this run, has changed"):
        check_unchanged(Teachers(teacher, other), {"init": same, "teacher": another})
    with pytest.raises(InputError, match="has changed"):  # teacher= is a copy of init= now
        check_unchanged(Teachers(teacher, None), {"init": same, "teacher": another})


def test_checkpoints_state_the_teacher_and_its_licenses(teacher):
    about = Teachers(None, teacher).as_metadata()
    assert about["name"] == "best.ckpt"
    assert about["model"] == "lite"
    assert about["trained"]["landmarks"] == ["nose"]
    assert "data" in about


def test_a_teacher_without_world_landmarks_gives_none_to_learn(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    teacher = Teacher(tmp_path / "small.ckpt", LandmarkNet(SMALL).eval(), {"trained": {}}, "sha")
    store = provide_targets(teacher, source.annotations, 0, CPU)
    assert len(store) == 5
    assert not store[0]["world"].any()
    assert store[0]["mask"].shape == (256, 256)  # the network's own has a side of 128
    assert "world" not in teacher.supervised.outputs
