from pathlib import Path

import pytest

from blazepose.data import readers
from blazepose.data.annotation import Source
from blazepose.data.readers import READERS, read_source
from blazepose.topology import Topology


@pytest.fixture
def calls(monkeypatch) -> list[tuple[Path, str | None]]:
    """Arguments of the calls of the lsp reader."""
    recorded: list[tuple[Path, str | None]] = []

    def read(path: Path, split: str | None, topology: Topology) -> Source:
        recorded.append((path, split))
        return Source("", "lsp", [], "")

    monkeypatch.setitem(READERS, "lsp", read)
    return recorded


@pytest.mark.parametrize(
    ("spec", "path", "split"),
    [
        ("lsp:data/lspet", "data/lspet", None),
        ("lsp:data/lsp:train", "data/lsp", "train"),
        ("lsp:/data:2/lsp", "/data:2/lsp", None),
        ("lsp:/data:2/lsp:test", "/data:2/lsp", "test"),
        ("lsp:C:\\lsp", "C:\\lsp", None),
        ("lsp:~/my set", "/home/me/my set", None),
        ("lsp:~/lsp:test", "/home/me/lsp", "test"),
        ("lsp:data/lsp:stored", "data/lsp", None),
        ("lsp:data/lsp:test:upright", "data/lsp", "test"),
    ],
)
def test_path_and_split(calls, monkeypatch, spec, path, split):
    monkeypatch.setenv("HOME", "/home/me")
    assert read_source(spec).name == spec
    assert calls == [(Path(path), split)]


def test_a_folder_whose_name_ends_like_a_split(calls, tmp_path):
    (tmp_path / "set:1").mkdir()
    read_source(f"lsp:{tmp_path}/set:1")
    read_source(f"lsp:{tmp_path}/set:1:train")
    assert calls == [(tmp_path / "set:1", None), (tmp_path / "set:1", "train")]


def test_the_orientation_of_the_labels(calls, monkeypatch):
    """The last part of the spec is passed to turn_labels."""
    pixels = []
    monkeypatch.setattr(readers, "turn_labels", lambda source, value: pixels.append(value) or source)
    for spec in ("lsp:data/lsp", "lsp:data/lsp:stored", "lsp:data/lsp:test:upright"):
        read_source(spec)
    assert pixels == [None, "stored", "upright"]


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("data/lspet", "'data/lspet' is not reader:path"),
        ("lsp:", "'lsp:' is not reader:path"),
        (
            "lps:data/lspet",
            "unknown reader 'lps'; the readers are lsp, coco, coco_wholebody, halpe, mpii, landmarks",
        ),
    ],
)
def test_unreadable_specs(spec, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_source(spec)


@pytest.mark.parametrize("reader", READERS)
def test_missing_data_sets_refer_to_their_heading(reader, tmp_path):
    with pytest.raises(FileNotFoundError, match=rf"nowhere\S* is missing.*see \S+/data/README.md#{reader}$"):
        read_source(f"{reader}:{tmp_path}/nowhere")


def test_headings_exist():
    readme = Path(readers.__file__).parents[3] / "data/README.md"
    headings = [
        line.removeprefix("## ") for line in readme.read_text().splitlines() if line.startswith("## ")
    ]
    assert set(READERS) <= set(headings)
