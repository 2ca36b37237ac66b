"""Table of a benchmark: a column per file in Markdown, a row per file in CSV."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from blazepose.metrics.bootstrap import Interval

Value = None | int | float | str | Interval
"""A cell; None where a file has no such value."""

_NONE = "-"


@dataclass(frozen=True)
class Row:
    """A measure of all files.

    Attributes:
        key: its column in CSV.
        label: its name in Markdown, with the unit.
        values: one for each file.
        digits: decimals in Markdown.
        signed: write the sign of positive numbers, as of changes.
    """

    key: str
    label: str
    values: Sequence[Value]
    digits: int = 0
    signed: bool = False

    def cells(self) -> list[str]:
        """Return the cells in Markdown."""
        return [self._cell(value) for value in self.values]

    def _cell(self, value: Value) -> str:
        if value is None:
            return _NONE
        if isinstance(value, str):
            return value.replace("|", "\\|")
        if isinstance(value, Interval):
            first, low, high = map(self._cell, value)
            return f"{first}, {low} to {high}"
        return f"{value:{'+' * self.signed},.{self.digits}f}"


def to_markdown(names: Sequence[str], rows: Sequence[Row]) -> str:
    """Return a table in Markdown, whose columns are aligned in a terminal, too."""
    lines = [["", *names], *([row.label, *row.cells()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def to_csv(names: Sequence[str], rows: Sequence[Row]) -> str:
    """Return a table in CSV; an interval has further columns `_low` and `_high`."""
    columns: list[tuple[str, list[Value]]] = [
        ("file", list(names)),
        *(column for row in rows for column in _columns(row)),
    ]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([key for key, _ in columns])
    writer.writerows(zip(*([_number(value) for value in values] for _, values in columns), strict=True))
    return text.getvalue()


def _number(value: Value) -> Value:
    """Shorten a number to six digits, beyond which no measurement is meaningful."""
    return f"{value:.6g}" if isinstance(value, float) else value


def _columns(row: Row) -> Iterator[tuple[str, list[Value]]]:
    if not any(isinstance(value, Interval) for value in row.values):
        yield row.key, list(row.values)
        return
    intervals = [value if isinstance(value, Interval) else (value, None, None) for value in row.values]
    for key, values in zip(("", "_low", "_high"), zip(*intervals, strict=True), strict=True):
        yield row.key + key, list(values)
