"""Detect the first of several processes of one run, started by Lightning, torchrun or SLURM."""

import os

_RANK_VARIABLES = ("NODE_RANK", "GROUP_RANK", "LOCAL_RANK", "SLURM_PROCID")
_LAUNCHER = "BLAZEPOSE_LAUNCHER"
"""Environment variable with the id of the process that starts others of the same training."""


def is_first_process() -> bool:
    """Return whether this is the first process of the whole run, on all machines.

    torchrun numbers the processes of all machines in RANK, also inside SLURM, whose own numbers then count
    machines. Without RANK, the first process has 0 in every variable that is set.
    """
    names = ("RANK",) if "RANK" in os.environ else _RANK_VARIABLES
    return all(os.environ.get(name, "0") == "0" for name in names)


def mark_launcher() -> None:
    """Mark this process, for those that it starts, as the one that watches and ends them."""
    os.environ[_LAUNCHER] = str(os.getpid())


def is_launched() -> bool:
    """Return whether a process that called `mark_launcher` started this one."""
    return os.environ.get(_LAUNCHER, str(os.getpid())) != str(os.getpid())


def has_launcher() -> bool:
    """Return whether the launcher still runs."""
    return os.environ.get(_LAUNCHER) == str(os.getppid())
