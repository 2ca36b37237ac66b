"""Rank of a process in a run, from the environment variables of the launchers."""

import os
import subprocess
import sys

import pytest

from blazepose.rank import has_launcher, is_first_process, is_launched, mark_launcher

ALONE: dict[str, str] = {}
TORCHRUN = {"RANK": "0", "LOCAL_RANK": "0", "GROUP_RANK": "0", "WORLD_SIZE": "2"}
SLURM = {"SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0"}


@pytest.fixture
def variables(monkeypatch):
    def set_variables(values: dict[str, str]) -> None:
        for name in (*TORCHRUN, *SLURM, "NODE_RANK", "BLAZEPOSE_LAUNCHER"):
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return set_variables


@pytest.mark.parametrize(
    ("values", "first"),
    [
        (ALONE, True),
        (TORCHRUN, True),
        (TORCHRUN | {"RANK": "1", "GROUP_RANK": "1"}, False),  # the second machine's agent
        (TORCHRUN | {"RANK": "1", "LOCAL_RANK": "1"}, False),
        (SLURM, True),
        (SLURM | {"SLURM_PROCID": "1", "SLURM_NODEID": "1"}, False),
        (SLURM | {"SLURM_PROCID": "1", "SLURM_LOCALID": "1"}, False),
        # torchrun inside SLURM numbers machines in order of arrival
        (TORCHRUN | SLURM | {"SLURM_PROCID": "1"}, True),
        (TORCHRUN | SLURM | {"RANK": "1"}, False),
        ({"LOCAL_RANK": "0", "NODE_RANK": "0"}, True),  # Lightning's own launcher
        ({"LOCAL_RANK": "1", "NODE_RANK": "0"}, False),
        ({"NODE_RANK": "1"}, False),  # the user starts one process on each machine
    ],
)
def test_the_first_process_of_all_machines(variables, values, first):
    variables(values)
    assert is_first_process() == first


def test_a_process_detects_its_launcher(variables, monkeypatch):
    variables(ALONE)
    assert not is_launched()
    monkeypatch.setenv("BLAZEPOSE_LAUNCHER", "")  # restored after the test
    mark_launcher()
    assert not is_launched()
    code = "from blazepose.rank import *; print(is_launched(), has_launcher())"
    child = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, text=True)
    assert child.stdout.split() == ["True", "True"]
    monkeypatch.setenv("BLAZEPOSE_LAUNCHER", "-1")  # no parent has this id: the launcher has ended
    assert is_launched()
    assert not has_launcher()
