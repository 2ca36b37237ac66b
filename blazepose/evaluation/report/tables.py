"""Markdown tables of metrics."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]], num_text: int = 1) -> str:
    """Format a table whose first `num_text` columns are text, the others numbers."""
    rule = [":---"] * num_text + ["---:"] * (len(columns) - num_text)
    return "\n".join(map(_line, (columns, rule, *rows)))


def _line(cells: Sequence[str]) -> str:
    escaped = (text.replace("|", r"\|") for text in cells)
    return f"| {' | '.join(escaped)} |"


def metrics_table(first: str, columns: Mapping[str, str], rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Format rows of metrics, without columns that are empty in every row.

    Args:
        first: title of the column of row names.
        columns: {key of a metric: column title}.
        rows: {row name: {key: value}}.
    """
    keys = [key for key in columns if any(row[key] is not None for row in rows.values())]
    lines = [(name, *(format_value(row[key]) for key in keys)) for name, row in rows.items()]
    return markdown_table((first, *(columns[key] for key in keys)), lines)


def format_value(value: float | int | str | Sequence[float] | None) -> str:
    """Format a value: floats with one decimal, pairs signed, None as an empty cell."""
    if isinstance(value, list | tuple):
        return ", ".join(f"{part:+z.1f}" for part in value)
    return "" if value is None else f"{value:.1f}" if isinstance(value, float) else str(value)


def format_interval(bounds: Sequence[float] | None) -> str:
    """Format an interval, or None as an empty cell."""
    return "" if bounds is None else f"{bounds[0]:z.1f} to {bounds[1]:z.1f}"
