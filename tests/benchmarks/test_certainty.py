"""Tables of how often intervals and verdicts are right, here of a few trials."""

import re
from pathlib import Path

import numpy as np

from benchmarks import certainty


def rows(text: str) -> dict[str, list[str]]:
    lines = [re.split(r" \| ", line.strip("| ")) for line in text.splitlines() if line.startswith("| ")]
    return {", ".join(cells[:2]) if len(cells) > 3 else cells[0]: cells for cells in lines}


def test_intervals_cover_most_of_the_time(capsys):
    certainty.intervals(10)
    table = rows(capsys.readouterr().out)
    assert len(table) == 2 + 16 + 4
    assert float(table["100 hard"][1]) >= 70
    assert float(table["20 rare"][1]) > float(table["20 rare"][2]), "nobody of 20 fails, of many some do"


def test_verdicts_by_true_range(capsys):
    certainty.verdicts(2)
    table = rows(capsys.readouterr().out)
    assert table["14 of 30 hard people, 0"][2:] == ["100.0", "0.0", "0.0", "0.0"]
    assert table["6 of 500 easy people, 25"][2:] == ["100.0", "100.0", "0.0", "100.0"]
    assert table["6 of 500 easy people, 0"][2:] == ["0.0", "0.0", "100.0", "0.0"]


def test_a_few_people_raise_an_alarm_by_chance_if_each_is_all_right_or_all_wrong(capsys):
    certainty.small(20)
    table = rows(capsys.readouterr().out)
    assert len(table) == 1 + 4 * 5
    assert float(table["3 coin"][2]) > 0
    assert table["19 hard"][1:] == ["0.0", "0.0"]


def test_a_group_in_the_dark_is_found(monkeypatch, capsys):
    """Of sixty people of whom all points are right, but none where it is darkest."""
    monkeypatch.setattr(certainty, "open_weights", lambda path: None)
    monkeypatch.setattr(certainty, "read_source", lambda spec: None)
    monkeypatch.setattr(certainty, "_seen", lambda engine, source, light: np.full(60, float(light > 0.04)))
    certainty.planted(Path("net.task"), "lsp:people", groups=2, trials=3)
    table = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()[4:]]
    assert table[0] == ["1", "100.0", "0.0", "0.0", "0.0", "0.0"]
    assert table[-1] == ["0.03", "0.0", "100.0", "100.0", "0.0", "100.0"]


def test_pictures_are_darkened():
    class Echo:
        input_size, metadata = 4, {}

        def __call__(self, images: np.ndarray) -> np.ndarray:
            return images

    engine = certainty._InTheDark(Echo(), 0.1)
    assert (engine(np.full((1, 4, 4, 3), 200, np.uint8)) == 20).all()
