"""Numbers of results.json."""

import math
from collections.abc import Mapping

_DECIMALS = 4


def number(value: float | int) -> float | int | None:
    """Round a number; None for NaN, which JSON lacks."""
    return None if math.isnan(value) else round(value, _DECIMALS)


def numbers(values: Mapping[str, float | int]) -> dict[str, float | int | None]:
    """Round each number of a mapping."""
    return {name: number(value) for name, value in values.items()}
