"""Tell the first of several processes of one run, started by Lightning, torchrun or SLURM."""

import os

_PARTS = ("NODE_RANK", "GROUP_RANK", "LOCAL_RANK", "SLURM_PROCID")
_LAUNCHER = "BLAZEPOSE_LAUNCHER"
"""Holds the id of the process that starts others of the same training."""


def is_first_process() -> bool:
    """Tell whether this is the first process of the whole run, on all machines.

    torchrun numbers the processes of all machines in RANK, also inside SLURM, whose own numbers then count
    machines. Without RANK, the first process is 0 in whatever numbers it has.
    """
    names = ("RANK",) if "RANK" in os.environ else _PARTS
    return all(os.environ.get(name, "0") == "0" for name in names)


def mark_launcher() -> None:
    """Let the processes that this one starts know that it watches and ends them."""
    os.environ[_LAUNCHER] = str(os.getpid())


def is_launched() -> bool:
    """Tell whether a process that has called `mark_launcher` started this one."""
    return os.environ.get(_LAUNCHER, str(os.getpid())) != str(os.getpid())


def has_launcher() -> bool:
    """Tell whether that process still runs."""
    return os.environ.get(_LAUNCHER) == str(os.getppid())
