"""The teacher of a training, and its outputs on disk."""

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
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.runtime.decode import decode_by_heatmap
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topology import LANDMARKS
from blazepose.training import teacher as teacher_module
from blazepose.training.teacher import Teacher, check_unchanged, load_teacher, provide_targets
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
    net.heatmaps.weight.data *= 1000
    return load_teacher(str(save(tmp_path / "best.ckpt", net)), None)


def test_the_outputs_are_those_of_the_network_decoded_by_heatmaps(teacher, source):
    people = PoseDataset([source], LANDMARK_INPUT)
    targets = provide_targets(teacher, source.annotations, 0, CPU)[2]
    with torch.inference_mode():
        out = teacher.net(torch.from_numpy(people[2]["image"])[None].permute(0, 3, 1, 2).float() / 255)
    heatmaps = out.heatmaps.permute(0, 2, 3, 1).numpy()
    xy = decode_by_heatmap(out.landmarks[..., :2].numpy() / 256, heatmaps)[0]
    np.testing.assert_allclose(targets["points"][:, :2], xy, atol=1e-3)
    np.testing.assert_allclose(targets["points"][:, 2], out.landmarks[0, :, 2] / 256, atol=1e-4)
    np.testing.assert_allclose(targets["points"][:, 3:], out.landmarks[0, :, 3:].sigmoid(), atol=1e-4)
    np.testing.assert_allclose(targets["heatmaps"] / 255, out.heatmaps[0].sigmoid(), atol=0.003)
    np.testing.assert_allclose(targets["world"], out.world[0, :33], atol=1e-4)
    np.testing.assert_allclose((targets["mask"] - 128) / 127, out.segmentation[0, 0].sigmoid(), atol=0.01)
    assert targets["pose"] == pytest.approx(float(out.pose_logit.sigmoid()), abs=1e-4)


def test_a_larger_teacher_gives_its_landmarks_and_the_initial_network_all_else(teacher, source, tmp_path):
    torch.manual_seed(2)
    net = LandmarkNet(landmark_variant("full", "mediapipe"))
    initial = load_teacher(str(save(tmp_path / "initial.ckpt", net)), None)
    trained = SupervisedOutputs(LANDMARKS[1:], (), LANDMARKS[2:], ("heatmaps", "z"))
    teacher = teacher._replace(metadata={**teacher.metadata, "trained": trained.as_metadata()})
    both, landmarks, others = (
        provide_targets(network, source.annotations[:2], 0, CPU)[1]
        for network in (teacher._replace(initial=initial), teacher, initial)
    )
    for name in ("world", "mask", "pose", "body"):
        np.testing.assert_array_equal(both[name], others[name])
    np.testing.assert_array_equal(both["points"][1:33, :3], landmarks["points"][1:33, :3])
    np.testing.assert_array_equal(both["points"][:, 3:], others["points"][:, 3:])
    np.testing.assert_array_equal(both["heatmaps"][2:33], landmarks["heatmaps"][2:33])
    for rest in (0, slice(33, 39)):
        np.testing.assert_array_equal(both["points"][rest], others["points"][rest])
        np.testing.assert_array_equal(both["heatmaps"][rest], others["heatmaps"][rest])
    assert teacher._replace(initial=initial).supervised.outputs == ("heatmaps", "z")


def test_another_run_reuses_the_outputs_of_the_same_people(teacher, source, monkeypatch):
    first = provide_targets(teacher, source.annotations, 0, CPU)
    monkeypatch.setattr(teacher_module, "_run", None)  # it must not run again
    again = provide_targets(teacher, source.annotations, 0, CPU)
    np.testing.assert_array_equal(first[4]["points"], again[4]["points"])
    fewer = source.annotations[:4]
    for changed, people in ((teacher, fewer), (teacher._replace(sha256="another"), source.annotations)):
        with pytest.raises(TypeError):
            provide_targets(changed, people, 0, CPU)


def test_an_interrupted_pass_leaves_nothing(teacher, source, monkeypatch, tmp_path):
    def interrupted(*arguments):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(teacher_module, "_run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        provide_targets(teacher, source.annotations, 0, CPU)
    assert [path.suffix for path in (tmp_path / "runs/teacher").iterdir()] == [".lock"]


def test_of_several_processes_one_computes_the_outputs(teacher, source, monkeypatch):
    run, calls, waiting = teacher_module._run, [], Barrier(3)

    def counted(*arguments):
        calls.append(arguments)
        waiting.wait(timeout=60)  # for both others
        yield from run(*arguments)

    def other_process():
        waiting.wait(timeout=60)
        return provide_targets(teacher, source.annotations, 0, CPU)

    monkeypatch.setattr(teacher_module, "_run", counted)
    with ThreadPoolExecutor(3) as threads:
        others = [threads.submit(other_process) for _ in range(2)]
        targets = provide_targets(teacher, source.annotations, 0, CPU)
    assert [len(store) for store in (targets, *(other.result() for other in others))] == [5, 5, 5]
    assert len(calls) == 1


def test_an_unreadable_image_has_no_outputs(teacher, source, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    changed = [source.annotations[0], replace(source.annotations[1], image=broken), source.annotations[2]]
    targets = provide_targets(teacher, changed, 0, CPU)
    assert len(targets) == 3
    assert [bool(targets[k]["points"].any()) for k in range(3)] == [True, False, True]


def test_the_teacher_is_another_network_or_the_initial_one(teacher, tmp_path):
    torch.manual_seed(2)
    other = save(tmp_path / "other.ckpt", LandmarkNet(landmark_variant("full", "mediapipe")))
    assert load_teacher(None, str(other)).net.variant.name == "full"
    both = load_teacher(str(teacher.path), str(other))
    assert both.net.variant.name == "lite"
    assert both.initial is not None
    assert both.initial.net.variant.name == "full"
    assert load_teacher(str(teacher.path), str(teacher.path)).initial is None
    assert load_teacher(str(teacher.path), None).supervised.landmarks == ("nose",)
    assert not teacher.net.training
    with pytest.raises(InputError, match=r"loss\.teacher need a teacher: .* init=FILE, .* teacher=FILE"):
        load_teacher(None, None)


def test_a_resumed_training_refuses_a_changed_teacher(teacher):
    check_unchanged(teacher, {"teacher": {"sha256": teacher.sha256}})
    check_unchanged(teacher, {"init": {"sha256": teacher.sha256}})  # a checkpoint of an earlier version
    another = {"sha256": "of another file"}
    with pytest.raises(InputError, match=r"best\.ckpt, a teacher of this run, has changed"):
        check_unchanged(teacher, {"teacher": another, "init": another})
    both = teacher._replace(initial=teacher._replace(path=teacher.path.with_name("initial.ckpt")))
    with pytest.raises(InputError, match=r"initial\.ckpt, a teacher of this run, has changed"):
        check_unchanged(both, {"teacher": {"sha256": teacher.sha256}, "init": another})


def test_checkpoints_state_the_teacher_and_its_licenses(teacher):
    about = teacher.as_metadata()
    assert about["name"] == "best.ckpt"
    assert about["model"] == "lite"
    assert about["trained"]["landmarks"] == ["nose"]
    assert "data" in about
