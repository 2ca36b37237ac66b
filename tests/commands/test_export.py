"""The last line of `blazepose export`: the landmarks for the test of an app."""

from pathlib import Path

import pytest

from blazepose.commands import export
from blazepose.exceptions import InputError

OUT = Path("out/my_pose.task")


def damaged(*_):
    raise InputError("out/expected.json is damaged")


@pytest.mark.parametrize(
    ("write", "line"),
    [
        (
            lambda *_: Path("out/my_pose.task.png"),
            "out/expected.json: its landmarks on my_pose.task.png, for the test of an app",
        ),
        (lambda *_: None, "expected.json was not written: no person was found in up to 16 pictures"),
        (damaged, "expected.json was not written: out/expected.json is damaged"),
    ],
)
def test_an_export_succeeds_with_and_without_expected_landmarks(monkeypatch, write, line):
    monkeypatch.setattr(export, "write_expected", write)
    assert export._expected_landmarks(OUT, "task", {}, None) == line
