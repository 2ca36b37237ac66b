"""Commands in processes forked from one that has imported them: the imports take most of a short command."""

import multiprocessing
import os
import runpy
import sys
import tempfile
from pathlib import Path
from subprocess import CompletedProcess

_ROOT = Path(__file__).parents[1]
_HANGS_S = 3600
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    ["blazepose.commands.train", "blazepose.commands.eval", "blazepose.commands.export"]
)


def run_script(folder: Path, script: str, *arguments: str) -> CompletedProcess[str]:
    """Run a script of the repository with these arguments in a folder: train.py, blazepose/__main__.py."""
    command = [str(_ROOT / script), *arguments]
    with tempfile.TemporaryDirectory() as outputs:
        files = [str(Path(outputs) / name) for name in ("stdout", "stderr")]
        process = _context.Process(target=_run, args=(str(folder), command, files))
        process.start()
        process.join(_HANGS_S)
        if process.exitcode is None:
            process.kill()
        stdout, stderr = (Path(file).read_text(errors="replace") for file in files)
        return CompletedProcess(command, process.exitcode, stdout, stderr)


def _run(folder: str, command: list[str], files: list[str]) -> None:
    for descriptor, file in enumerate(files, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), descriptor)
    os.chdir(folder)
    sys.argv = command
    runpy.run_path(command[0], run_name="__main__")
