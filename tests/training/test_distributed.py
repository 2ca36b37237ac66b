"""Several processes count each person once, share one run folder, and end together."""

import json
import os
import signal
import socket
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import torch
import torch.distributed.run

from blazepose.data.dataset import PoseDataset
from blazepose.data.readers import read_source
from blazepose.models.landmark_net import COORDINATE_UNIT, LandmarkNet
from blazepose.models.variants import landmark_variant
from tests.forked_command import HANGS_S, run_script, start_script
from tests.stick_figures import write_lsp
from tests.training.saved_net import save

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def seven(tmp_path_factory) -> tuple[Path, str]:
    """A checkpoint, and 7 people: in batches of 3 on 2 processes the last one is there twice."""
    folder = tmp_path_factory.mktemp("seven")
    torch.manual_seed(0)
    net = LandmarkNet(landmark_variant("lite", "mediapipe"))
    spec = f"lsp:{write_lsp(folder / 'people', people=7)}"
    first = torch.from_numpy(PoseDataset([read_source(spec)], net.input_spec)[0]["points"])
    with torch.no_grad():  # the first person's pose for all people: right for some points of the others
        net.tower.landmarks.bias.view(39, 5)[:, :2] = 256 / COORDINATE_UNIT * first[:, :2]
    return save(folder / "net.ckpt", net), spec


@pytest.fixture(scope="module")
def one(seven) -> dict[str, float]:
    """Metrics of one process."""
    measured = validate(*seven, devices=1)
    assert 0 < measured["val/pck@0.2_regression"] < 100
    return measured


def test_two_processes_compute_the_same_metrics_as_one(seven, one):
    assert validate(*seven, devices=2) == pytest.approx(one, rel=1e-4)


def validate(checkpoint: Path, spec: str, devices: int) -> dict[str, float]:
    script = "tests/training/validate_on_processes.py"
    done = run_script(checkpoint.parent, script, str(checkpoint), spec, str(devices))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.parametrize(
    ("launcher", "interpolate"), [("lightning", True), ("torchrun", False), ("slurm", True)]
)
def test_a_distributed_training_is_one_run_with_the_metrics_of_one_process(
    seven, one, tmp_path, launcher, interpolate
):
    """Compare metrics of the initial weights; later ones depend on the batch size.

    With interpolation the first process measures them alone, at the end.
    """
    checkpoint, spec = seven
    initial = ["model.wiring=mediapipe", f"init={checkpoint}", "stages.joint=1"]
    started = start(tmp_path, launcher, spec, *initial, f"optimizer.interpolate={interpolate}")
    assert ended(started) == [0] * len(started), errors(tmp_path)
    (run,) = (tmp_path / "runs/landmark").iterdir()
    results = json.loads((run / "results.json").read_text())
    assert ("interpolated at" in results) == interpolate
    assert results["before val/pck@0.2"] == pytest.approx(one["val/pck@0.2"], abs=1e-3)
    log = (run / "train.log").read_text()
    assert "2 processes" in log
    assert "a step takes 6 samples, loader.batch_size=3 per process; optimizer.lr=0.006 is not scaled" in log
    assert log.count("7 people, 0 left out") == 2  # logged by the first process, for training and validation


@pytest.mark.parametrize(
    ("launcher", "kind", "statuses", "sentence"),
    [
        ("lightning", signal.SIGTERM, [143], "ended by SIGTERM: "),
        (
            "lightning",
            signal.SIGKILL,
            [1],
            "process 1 of this training was killed by SIGKILL (log: {}/train.log); ",
        ),
        ("slurm", signal.SIGTERM, [143, 143], "ended by SIGTERM: "),
        ("slurm", signal.SIGKILL, [1, -9], "the connection to another process of this training broke: "),
    ],
)
def test_processes_end_together_with_one_message(seven, tmp_path, launcher, kind, statuses, sentence):
    started = start(tmp_path, launcher, seven[1], "stages.joint=500")
    while not list(tmp_path.glob("runs/landmark/*/checkpoints/last.ckpt")) and started[0].is_alive():
        time.sleep(0.05)
    if kind == signal.SIGTERM:
        for process in started:
            os.kill(process.pid, kind)
    elif launcher == "slurm":
        os.kill(started[1].pid, kind)
    else:
        os.kill(child(started[0].pid), kind)
    assert ended(started) == statuses, errors(tmp_path)
    (run,) = (tmp_path / "runs/landmark").iterdir()
    run = run.relative_to(tmp_path)
    (message,) = errors(tmp_path).splitlines()
    assert message.startswith(sentence.format(run))
    assert message.endswith(f"blazepose train ckpt={run} resumes the training")
    assert message in (tmp_path / run / "train.log").read_text()
    assert not list(tmp_path.rglob("checkpoints/.*"))


def start(folder: Path, launcher: str, spec: str, *arguments: str) -> list[BaseProcess]:
    """Start a training on two processes; their errors go to one file."""
    words = [str(ROOT / "train.py"), "model=lite", f"data.train=[{spec}]", f"data.val=[{spec}]"]
    words += ["loader.batch_size=3", "loader.num_workers=0", "trainer.accelerator=cpu", "trainer=ddp"]
    devices = 2 if launcher == "lightning" else 1
    words += [f"trainer.devices={devices}", f"trainer.num_nodes={2 // devices}", *arguments]
    port, started = free_port(), []
    for machine in range(2 // devices):
        agent = [torch.distributed.run.__file__, "--nnodes=2", "--nproc_per_node=1", f"--node_rank={machine}"]
        agent += ["--master_addr=127.0.0.1", f"--master_port={port}"]
        slurm = {"SLURM_JOB_NAME": "train", "SLURM_NTASKS": 2, "SLURM_NTASKS_PER_NODE": 1, "SLURM_NNODES": 2}
        slurm |= {"SLURM_PROCID": machine, "SLURM_NODEID": machine, "SLURM_LOCALID": 0}
        slurm |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        variables = {name: str(value) for name, value in slurm.items()} if launcher == "slurm" else {}
        command = [*(agent if launcher == "torchrun" else []), *words]
        outputs = [Path(os.devnull), folder / "errors.txt"]
        started.append(start_script(folder, *command, outputs=outputs, variables=variables))
    return started


def ended(started: list[BaseProcess]) -> list[int | None]:
    """Return the exit statuses of processes."""
    for process in started:
        process.join(HANGS_S)
    return [process.exitcode for process in started]


def errors(folder: Path) -> str:
    return (folder / "errors.txt").read_text()


def child(process: int) -> int:
    """Return the process that this one has started."""
    return int(Path(f"/proc/{process}/task/{process}/children").read_text().split()[0])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
