"""Commands in processes forked from one that has imported them: the imports take most of a short command."""

import multiprocessing
import os
import runpy
import sys
import tempfile
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from subprocess import CompletedProcess

_ROOT = Path(__file__).parents[1]
HANGS_S = 3600
"""Time after which a process counts as hanging, also on a busy machine."""
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    ["blazepose.commands.train", "blazepose.commands.eval", "blazepose.commands.export"]
)


def run_script(
    folder: Path, script: str, *arguments: str, prepare: Callable[[], None] | None = None
) -> CompletedProcess[str]:
    """Run a script of the repository with these arguments in a folder: train.py, blazepose/__main__.py.

    Its process calls `prepare` first.
    """
    with tempfile.TemporaryDirectory() as outputs:
        files = [Path(outputs) / name for name in ("stdout", "stderr")]
        process = start_script(folder, script, *arguments, outputs=files, prepare=prepare)
        process.join(HANGS_S)
        if process.exitcode is None:
            process.kill()
        stdout, stderr = (file.read_text(errors="replace") for file in files)
        return CompletedProcess([script, *arguments], process.exitcode, stdout, stderr)


def start_script(
    folder: Path,
    script: str,
    *arguments: str,
    outputs: list[Path],
    variables: Mapping[str, str] | None = None,
    prepare: Callable[[], None] | None = None,
) -> BaseProcess:
    """Start a script; it appends stdout and stderr to the two files of `outputs`."""
    command = [str(_ROOT / script), *arguments]
    return start(_run, folder, command, outputs, dict(variables or {}), prepare)


def start(function: Callable[..., None], *arguments: object) -> BaseProcess:
    """Start a function of a module in a process."""
    process = _context.Process(target=function, args=arguments)
    process.start()
    return process


def _run(
    folder: Path,
    command: list[str],
    outputs: list[Path],
    variables: dict[str, str],
    prepare: Callable[[], None] | None,
) -> None:
    multiprocessing.set_start_method(None, force=True)  # the default: workers of a DataLoader are forked
    for descriptor, file in enumerate(outputs, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), descriptor)
    os.environ.update(variables)
    os.chdir(folder)
    if prepare is not None:
        prepare()
    sys.argv = command
    runpy.run_path(command[0], run_name="__main__")
