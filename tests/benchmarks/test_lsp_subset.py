"""Parts of LSP's people."""

import sys

import numpy as np
import pytest

from benchmarks import lsp_subset
from blazepose.data.readers import read_source


@pytest.fixture
def write(monkeypatch, tmp_path, tiny_lsp, capsys):
    """Return a function that writes a subset of 24 people, and returns its source."""

    def call(name: str, *options: str):
        monkeypatch.setattr(sys, "argv", ["lsp_subset.py", str(tiny_lsp), str(tmp_path / name), *options])
        lsp_subset.main()
        return read_source(f"lsp:{tmp_path / name}")

    return call


def places(people) -> set[bytes]:
    return {person.landmarks_px.tobytes() for person in people.annotations}


@pytest.mark.parametrize("options", [("--every", "8"), ("--people", "5")])
def test_a_part_and_the_others_are_all_people(write, tiny_lsp, options):
    part, others = write("part", *options), write("others", *options, "--others")
    everyone = read_source(f"lsp:{tiny_lsp}")
    assert len(part.annotations) == (3 if "--every" in options else 5)
    assert places(part) | places(others) == places(everyone)
    assert not places(part) & places(others)


def test_labels_keep_their_images(write, tiny_lsp):
    part = write("part", "--every", "8")
    everyone = read_source(f"lsp:{tiny_lsp}").annotations
    for person, original in zip(part.annotations, everyone[7::8], strict=True):
        np.testing.assert_array_equal(person.landmarks_px, original.landmarks_px)
        assert person.image.resolve() == original.image.resolve()


def test_more_people_include_the_fewer(write):
    assert places(write("five", "--people", "5")) < places(write("nine", "--people", "9"))


def test_nothing_is_overwritten(write, capsys):
    write("part", "--every", "8")
    with pytest.raises(SystemExit):
        write("part", "--every", "8")
    assert "part exists; choose another folder" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        write("both")
    assert "give one of --every N and --people N" in capsys.readouterr().err
