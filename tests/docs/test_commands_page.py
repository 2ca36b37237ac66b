"""The page of the commands is made from their help."""

import os
import sys

from blazepose.commands.main import COMMANDS
from docs.commands_page import make_page


def test_every_command_has_a_section_with_its_help():
    before = list(sys.argv), dict(os.environ)
    page = make_page()
    assert (sys.argv, dict(os.environ)) == before
    sections = dict(zip(COMMANDS, page.split("\n## blazepose ")[1:], strict=True))
    for name, section in sections.items():
        assert section.startswith(f"{name}\n")
        assert f"usage: blazepose {name} [" in section
        assert COMMANDS[name].example in section
    assert "--target FORMAT" in sections["export"]
    assert "data.train=[READER:PATH,...]" in sections["train"]
