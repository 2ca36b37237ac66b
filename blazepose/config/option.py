"""Options: config keys with a default, a meaning and allowed values; sections check them before any work."""

import dataclasses
import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, TypeVar, cast

from blazepose.exceptions import InputError

T = TypeVar("T")


@dataclass(frozen=True)
class Option:
    """Meaning and allowed values of a key.

    Attributes:
        meaning: meaning for users, with units.
        low: smallest number; None if the key takes no number, or any value.
        high: largest number; infinity means no limit.
        choices: words that the key takes.
    """

    meaning: str
    low: float | None
    high: float
    choices: tuple[str, ...]

    @property
    def allowed(self) -> str:
        """Description of the allowed values; "" allows every value of the type."""
        if self.low is None:
            return ", ".join(self.choices)
        upper = "up" if math.isinf(self.high) else f"to {self.high:.10g}"
        return ", or ".join([f"from {self.low:.10g} {upper}", *self.choices])

    def check(self, key: str, value: Any) -> None:
        """Check a value; None is allowed, since the type of the key decides whether it takes None.

        Raises:
            ValueError: if the value is not allowed; the message names the key and the allowed values.
        """
        if value is None or value in self.choices:
            return
        if self.low is None:
            if self.choices:
                raise InputError(f"{key}={value} is unknown; {key} is one of {self.allowed}")
        elif not isinstance(value, int | float) or not self.low <= value <= self.high or math.isinf(value):
            raise InputError(f"{key}={show_value(value)} must be a number {self.allowed}")


def option(
    default: T, meaning: str, low: float | None = None, high: float = math.inf, choices: Sequence[str] = ()
) -> T:
    """Declare a key, a field of a section; the arguments are those of `Option`."""
    metadata = {"option": Option(meaning, low, high, tuple(choices))}
    if isinstance(default, list):
        return cast(T, dataclasses.field(default_factory=default.copy, metadata=metadata))
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Section:
    """Base of the config's dataclasses: `class OptimizerConfig(Section, name="optimizer")`.

    Raises:
        ValueError: names the key whose value is not allowed.
    """

    prefix: ClassVar[str] = ""

    def __init_subclass__(cls, name: str = "") -> None:
        cls.prefix = f"{name}." if name else ""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            field.metadata["option"].check(f"{self.prefix}{field.name}", getattr(self, field.name))


class Key(NamedTuple):
    """A key as users see it.

    Attributes:
        name: full name: optimizer.lr.
        default: default as on the command line.
        allowed: description of the allowed values, or "".
        meaning: meaning, with units.
    """

    name: str
    default: str
    allowed: str
    meaning: str


class Group(NamedTuple):
    """Keys of a section as users see them.

    Attributes:
        name: name of the section: optimizer; "" for keys at the top of the config.
        meaning: first line of the section's docstring.
        keys: the keys.
    """

    name: str
    meaning: str
    keys: list[Key]


def describe_section(section: type[Section]) -> Group:
    """Return the keys of a section with their defaults."""
    defaults, keys = section(), []
    for field in dataclasses.fields(section):
        declared: Option = field.metadata["option"]
        default = show_value(getattr(defaults, field.name))
        keys.append(Key(f"{section.prefix}{field.name}", default, declared.allowed, declared.meaning))
    return Group(section.prefix.rstrip("."), (section.__doc__ or "").partition("\n")[0], keys)


def show_value(value: Any) -> str:
    """Format a value as on the command line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{','.join(map(show_value, value))}]"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def describe_unknown(key: str, keys: Sequence[str]) -> str:
    """Return a sentence on a key that does not exist, and those of similar spelling."""
    by_spelling = {name: name for name in keys} | {name.rpartition(".")[2]: name for name in keys}
    close = difflib.get_close_matches(key, by_spelling, n=3, cutoff=0.6)
    names = list(dict.fromkeys(by_spelling[name] for name in close))
    hint = f"did you mean {' or '.join(names)}?" if names else "`blazepose config` prints all keys"
    return f"unknown config key {key!r}; {hint}"
