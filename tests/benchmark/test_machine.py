"""The line about the machine."""

import datetime
import re

from blazepose.benchmark.machine import describe_machine


def test_the_machine_is_described():
    parts = describe_machine().split("; ")
    assert re.fullmatch(r".+, \d+ cores", parts[0])
    assert re.fullmatch(r"Python 3\.\d+\.\d+\S*", parts[2])
    assert any(re.fullmatch(r"LiteRT \d\S*", part) for part in parts)
    assert parts[-1] == datetime.date.today().isoformat()
