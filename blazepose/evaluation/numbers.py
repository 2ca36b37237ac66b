"""Figures as results.json has them."""

import math
from collections.abc import Mapping

_DECIMALS = 4


def number(value: float | int) -> float | int | None:
    """Rounded; None of NaN, which JSON does not know."""
    return None if math.isnan(value) else round(value, _DECIMALS)


def numbers(values: Mapping[str, float | int]) -> dict[str, float | int | None]:
    """number() of each."""
    return {name: number(value) for name, value in values.items()}
