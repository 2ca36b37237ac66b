"""Print the keys of `blazepose train` and `blazepose eval`: default, meaning and allowed values.

blazepose config             # all keys
blazepose config optimizer   # those with "optimizer" in their name
"""

import shutil
import textwrap

from blazepose.commands.main import parse
from blazepose.config import evaluate, train
from blazepose.config.option import Key, describe_section, describe_unknown
from blazepose.errors import friendly_errors
from blazepose.exceptions import InputError

GROUPS = {
    "train": [describe_section(section) for section in train.SECTIONS],
    "eval": [describe_section(section) for section in evaluate.SECTIONS],
}
"""Keys of each command that takes them, by section."""

_INDENT = 36
_MAX_WIDTH = 120


@friendly_errors
def main(arguments: list[str] | None = None) -> None:
    """Print the keys that match the pattern.

    Raises:
        ValueError: if there are none; the message has the closest keys.
    """
    pattern = parse("config", arguments).pattern
    width = min(_MAX_WIDTH, shutil.get_terminal_size().columns)
    lines = [line for command in GROUPS for line in _describe(command, pattern, width)]
    if not lines:
        names = [key.name for groups in GROUPS.values() for group in groups for key in group.keys]
        raise InputError(describe_unknown(pattern, names))
    print("\n".join(lines[1:]))


def _describe(command: str, pattern: str, width: int) -> list[str]:
    """Return the lines on the matching keys of a command, under a heading."""
    lines = []
    for group in GROUPS[command]:
        if keys := [key for key in group.keys if pattern in key.name]:
            lines += ["", f"{group.name}: {group.meaning}"] if group.name else []
            lines += [line for key in keys for line in _describe_key(key, width)]
    return lines and ["", f"blazepose {command}", *lines]


def _describe_key(key: Key, width: int) -> list[str]:
    """Return the lines on a key: `optimizer.lr=0.006`, and its meaning in a column."""
    setting = f"  {key.name}={key.default}"
    meaning = f"{key.meaning} ({key.allowed})" if key.allowed else key.meaning
    lines = textwrap.wrap(meaning, width, initial_indent=" " * _INDENT, subsequent_indent=" " * _INDENT)
    if len(setting) < _INDENT:
        return [setting + lines[0][len(setting) :], *lines[1:]]
    return [setting, *lines]


if __name__ == "__main__":
    main()
