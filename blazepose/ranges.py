"""Range checks for numbers of the config, before any work."""

import math
from collections.abc import Mapping


def check_ranges(section: str, config: object, limits: Mapping[str, tuple[float, float]]) -> None:
    """Check a dataclass of numbers.

    Args:
        section: section of the config, for the message.
        config: the dataclass.
        limits: {attribute: (smallest, largest)}, inclusive; infinity means no limit.

    Raises:
        ValueError: if a value is outside; the message has the first one and its limits.
    """
    for name, (low, high) in limits.items():
        value = getattr(config, name)
        if not low <= value <= high or math.isinf(value):
            upper = "up" if math.isinf(high) else f"to {high:g}"
            raise ValueError(f"{section}.{name}={value:g}: a number from {low:g} {upper}")
