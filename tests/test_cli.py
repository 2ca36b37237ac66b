"""How scripts without Hydra end when something is wrong."""

import io
import runpy

import pytest

from blazepose.cli import say_errors

SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from blazepose.cli import say_errors
from blazepose.topology import mirror_index

@say_errors
def main() -> None:
    what = sys.argv[1]
    print("looking at", what)
    if what == "value":
        raise ValueError("own.task is empty; export it again")
    if what == "file":
        raise FileNotFoundError("own.task is missing")
    if what == "library":
        raise ImportError("own.onnx needs ONNX Runtime")
    if what == "deep":
        mirror_index(("left_tail",))
    if what == "key":
        raise KeyError("nose")
    if what == "bug":
        np.zeros(3) + np.zeros(4)
    if what == "number":
        int("three")
    if what == "unseen":
        Path("gone").read_bytes()
    print("done")

if __name__ == "__main__":
    main()
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs the script on a word; returns exit status, stdout and stderr."""
    script = tmp_path / "demo.py"
    script.write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BLAZEPOSE_TRACEBACK", raising=False)

    def run(word: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", [str(script), word])
        status = 0
        try:
            runpy.run_path(str(script), run_name="__main__")
        except SystemExit as leave:
            status = int(leave.code or 0)
        return status, *capsys.readouterr()

    return run


def test_all_well(run):
    assert run("pictures") == (0, "looking at pictures\ndone\n", "")


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("value", "own.task is empty; export it again"),
        ("file", "own.task is missing"),
        ("library", "own.onnx needs ONNX Runtime"),
    ],
)
def test_own_errors_are_one_sentence(run, word, sentence):
    assert run(word) == (1, f"looking at {word}\n", sentence + "\n")


def test_errors_of_the_package_are_own_errors(run):
    status, _, err = run("deep")
    assert status == 1
    assert err.startswith("no mirror partner for left_tail")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("word", "error"),
    [("bug", ValueError), ("number", ValueError), ("unseen", FileNotFoundError), ("key", KeyError)],
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
    """As of pictures from a zip of another system; a terminal of UTF-8 refuses them."""
    console = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr("sys.stdout", console)
    say_errors(lambda: print("caf\udce9.jpg is empty"))()
    console.flush()
    assert console.buffer.getvalue() == rb"caf\udce9.jpg is empty" + b"\n"
