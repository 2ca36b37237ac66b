"""Markdown tables of figures."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """A table whose first `words` columns are text, the others numbers."""
    rule = [":---"] * words + ["---:"] * (len(columns) - words)
    return "\n".join(map(_line, (columns, rule, *rows)))


def _line(cells: Sequence[str]) -> str:
    whole = (text.replace("|", r"\|") for text in cells)
    return f"| {' | '.join(whole)} |"


def metrics_table(first: str, columns: Mapping[str, str], rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Rows of figures, without the columns in which nobody has one.

    Args:
        first: title of the column of names.
        columns: {key of a figure: title}.
        rows: {name: {key: figure}}.
    """
    known = [key for key in columns if any(row[key] is not None for row in rows.values())]
    lines = [(name, *(cell(row[key]) for key in known)) for name, row in rows.items()]
    return table((first, *(columns[key] for key in known)), lines)


def cell(value: float | int | str | Sequence[float] | None) -> str:
    """A figure as a cell: a decimal, counts whole, offsets signed, nothing of None, words as they are."""
    if isinstance(value, list | tuple):
        return ", ".join(f"{part:+.1f}" for part in value)
    return "" if value is None else f"{value:.1f}" if isinstance(value, float) else str(value)


def span(bounds: Sequence[float] | None) -> str:
    """An interval as a cell."""
    return "" if bounds is None else f"{bounds[0]:.1f} to {bounds[1]:.1f}"
