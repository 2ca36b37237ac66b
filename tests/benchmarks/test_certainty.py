"""Tables of how often intervals and verdicts are right, of a few trials: the metrics' own tests count more."""

import re

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
    assert table["14 of 30 hard people, 0"][2:] == ["100.0", "0.0", "0.0", "-"]
    assert table["6 of 500 easy people, 25"][2:] == ["100.0", "100.0", "0.0", "100.0"]
    assert table["6 of 500 easy people, 0"][2:] == ["0.0", "0.0", "100.0", "-"]
