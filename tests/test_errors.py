"""Messages and exit status of scripts without Hydra, after errors and signals."""

import io
import logging
import os
import runpy
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from blazepose.errors import friendly_errors

SCRIPT = """
import gc, os, signal, sys, threading, time
from contextlib import suppress
from pathlib import Path
import numpy as np
from blazepose.errors import end, resuming, friendly_errors
from blazepose.atomic import atomic_path
from blazepose.exceptions import InputError, MissingFileError, MissingPackageError
from blazepose.topology import mirror_index

class Destroyed:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)

def write(torch: bool = False) -> None:
    with atomic_path(Path("net.ckpt")) as part:
        part.symlink_to("/dev/full")
        try:
            part.write_text("half")
        except OSError:
            if torch:
                raise RuntimeError("unexpected pos 704 vs 598")  # as torch does
            raise

@friendly_errors
def main() -> None:
    case = sys.argv[1]
    print("running", case)
    if case == "value":
        raise InputError("own.task is empty; export it again")
    if case == "file":
        raise MissingFileError("own.task is missing")
    if case == "library":
        raise MissingPackageError("own.onnx needs ONNX Runtime")
    if case == "deep":
        mirror_index(("left_tail",))
    if case == "key":
        raise KeyError("nose")
    if case == "bug":
        np.zeros(3) + np.zeros(4)
    if case == "number":
        int("three")
    if case == "other":
        raise ValueError("not meant for users")
    if case == "missing":
        Path("gone").read_bytes()
    if case in ("SIGINT", "SIGTERM"):
        with atomic_path(Path("net.ckpt")) as part:
            part.write_text("half")
            signal.raise_signal(signal.Signals[case])
    if case == "resumed":
        with resuming(lambda: "ckpt=last resumes it"):
            signal.raise_signal(signal.SIGTERM)
    if case == "error":
        with resuming(lambda: "ckpt=last resumes it"):
            raise InputError("a.jpg is damaged")
    if case == "converted":
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            sys.exit(1)  # as Lightning does
    if case == "swallowed":
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    if case == "destructor":
        Destroyed()
        time.sleep(20)
    if case == "as timeout":
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)
    if case == "kept":
        end(signal.SIGINT, "what is done is kept")
    if case == "full":
        write()
    if case == "full torch":
        write(torch=True)
    if case == "full thread":
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    print("done")

if __name__ == "__main__":
    main()
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return a function that runs the script on a word and returns exit status, stdout and stderr."""
    script = tmp_path / "demo.py"
    script.write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BLAZEPOSE_TRACEBACK", raising=False)
    # Processes started in the background of a shell ignore Ctrl-C.
    before = {
        kind: signal.signal(kind, signal.default_int_handler) for kind in (signal.SIGINT, signal.SIGTERM)
    }

    def run(word: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", [str(script), word])
        status = 0
        try:
            runpy.run_path(str(script), run_name="__main__")
        except SystemExit as leave:
            status = int(leave.code or 0)
        return status, *capsys.readouterr()

    yield run
    assert all(signal.getsignal(kind) is signal.default_int_handler for kind in before)
    for kind, handler in before.items():
        signal.signal(kind, handler)


def test_all_well(run):
    assert run("nothing") == (0, "running nothing\ndone\n", "")


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("value", "own.task is empty; export it again"),
        ("file", "own.task is missing"),
        ("library", "own.onnx needs ONNX Runtime"),
    ],
)
def test_own_errors_are_one_line(run, word, message):
    assert run(word) == (1, f"running {word}\n", message + "\n")


def test_errors_of_the_package_are_own_errors(run):
    status, _, err = run("deep")
    assert status == 1
    assert err.startswith("no mirror partner for left_tail")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("bug", ValueError),
        ("number", ValueError),
        ("other", ValueError),
        ("missing", FileNotFoundError),
        ("key", KeyError),
    ],
)
def test_a_bug_keeps_its_traceback(run, word, error):
    with pytest.raises(error):
        run(word)


@pytest.mark.parametrize("word", ["value", "deep"])
def test_traceback_on_request(run, word, monkeypatch):
    monkeypatch.setenv("BLAZEPOSE_TRACEBACK", "1")
    with pytest.raises(ValueError, match=r"export it again|no mirror partner"):
        run(word)


def test_zero_requests_no_traceback(run, monkeypatch):
    monkeypatch.setenv("BLAZEPOSE_TRACEBACK", "0")
    assert run("value")[0] == 1


def test_names_that_the_console_cannot_show_are_escaped(monkeypatch):
    """As of images from a zip of another system; a UTF-8 terminal rejects them."""
    console = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr("sys.stdout", console)
    friendly_errors(lambda: print("caf\udce9.jpg is empty"))()
    console.flush()
    assert console.buffer.getvalue() == rb"caf\udce9.jpg is empty" + b"\n"


@pytest.mark.parametrize(
    ("word", "status", "message"),
    [
        ("SIGINT", 130, "ended by Ctrl-C: run the command again"),
        ("SIGTERM", 143, "ended by SIGTERM: run the command again"),
        ("resumed", 143, "ended by SIGTERM: ckpt=last resumes it"),
        ("converted", 143, "ended by SIGTERM: run the command again"),
        ("as timeout", 143, "ended by SIGTERM: run the command again"),
        ("destructor", 143, "ended by SIGTERM: run the command again"),
        ("kept", 130, "ended by Ctrl-C: what is done is kept"),
        ("error", 1, "a.jpg is damaged; ckpt=last resumes it"),
    ],
)
def test_ends_are_one_line_and_a_status(run, tmp_path, word, status, message):
    assert run(word) == (status, f"running {word}\n", message + "\n")
    assert [path.name for path in tmp_path.iterdir()] == ["demo.py"]  # nothing half-written


def test_an_interrupt_that_a_library_swallows_is_no_success(run):
    status, _, err = run("swallowed")
    assert (status, err) == (130, "ended by Ctrl-C: run the command again\n")


@pytest.mark.parametrize("word", ["full", "full torch"])
def test_a_full_disk_is_one_line_wherever_it_is_detected(run, word):
    message = "net.ckpt cannot be written (No space left on device): free some space\n"
    assert run(word) == (1, f"running {word}\n", message)


def test_a_full_disk_is_reported_by_the_main_thread(run):
    assert run("full thread") == (0, "running full thread\ndone\n", "")


def test_only_the_first_of_several_processes_logs(run, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    assert run("SIGTERM")[::2] == (143, "")
    assert run("value")[::2] == (1, "own.task is empty; export it again\n")


def test_the_log_of_a_run_has_the_end_as_well(run, tmp_path):
    handler = logging.FileHandler(tmp_path / "train.log")
    logging.getLogger("blazepose").addHandler(handler)
    try:
        run("SIGTERM")
    finally:
        logging.getLogger("blazepose").removeHandler(handler)
    assert (tmp_path / "train.log").read_text() == "ended by SIGTERM: run the command again\n"


@pytest.fixture
def started(tmp_path):
    """Return a function that starts a script with this `main`, and waits for its first line."""

    def start(text: str) -> subprocess.Popen:
        script = tmp_path / "slow.py"
        head = "import ctypes, time\nfrom blazepose import errors\n@errors.friendly_errors\n"
        script.write_text(f"{head}def main():\n{textwrap.indent(textwrap.dedent(text), '    ')}\nmain()\n")
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
        process = subprocess.Popen(
            [sys.executable, str(script)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout.readline() == "started\n"
        return process

    return start


def test_a_second_signal_ends_at_once(started):
    """While the first one is handled, as when a process of a pool never ends."""
    process = started("""
        try:
            print("started", flush=True)
            time.sleep(60)
        finally:
            print("stopping", flush=True)
            time.sleep(60)
        """)
    process.terminate()
    assert process.stdout.readline() == "stopping\n"
    time.sleep(0.3)  # signals closer in time count as one
    process.terminate()
    assert process.communicate(timeout=3600) == ("", "")
    assert process.returncode == 143


def test_a_process_blocked_forever_ends_too(started):
    process = started("""
        errors._BLOCKED_S = 0.5
        lock, libc = ctypes.create_string_buffer(64), ctypes.CDLL(None)
        with errors.resuming(lambda: "ckpt=last resumes it"):
            libc.pthread_mutex_lock(lock)
            print("started", flush=True)
            libc.pthread_mutex_lock(lock)  # where no signal interrupts it
        """)
    process.terminate()
    assert process.communicate(timeout=3600) == ("", "ended by SIGTERM: ckpt=last resumes it\n")
    assert process.returncode == 143
