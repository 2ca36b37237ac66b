"""MkDocs hook: the page of the commands, from their help."""

import io
import os
import sys
from contextlib import redirect_stdout, suppress
from unittest.mock import patch

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from blazepose.commands.main import COMMANDS, overview, run

_INTRODUCTION = """\
# Commands

`train` and `eval` take `key=value`, the others `--flags`. In a clone, `python -m blazepose COMMAND` runs the
code of the working directory. A command that fails prints one sentence: the value or the file, what is
wrong with it, and the next step.
"""

_GUIDES = {
    "train": ("training-from-scratch", "fine-tuning", "detector", "several-gpus"),
    "eval": ("evaluating", "fairness"),
    "eval-detector": ("detector",),
    "compare": ("comparing",),
    "interpolate": ("fine-tuning",),
    "export": ("exporting",),
    "track": ("tracking",),
    "serve": ("web",),
    "benchmark": ("benchmarking",),
    "synth": ("synthetic-people",),
}
"""{command: pages below guides/}."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page."""
    files.append(File.generated(config, "reference/commands.md", content=make_page()))
    return files


def make_page() -> str:
    """Return the page in Markdown."""
    return "\n\n".join([_INTRODUCTION, f"```text\n{overview()}\n```", *map(_section, COMMANDS)])


def _section(name: str) -> str:
    command, text = COMMANDS[name], _help(name)
    parts = [f"## blazepose {name}", f"{command.summary[0].upper()}{command.summary[1:]}."]
    if command.example not in text:
        parts.append(f"```sh\n{command.example}\n```")
    parts.append(f"```text\n{text}\n```")
    if guides := _GUIDES.get(name):
        links = (f"[{guide.replace('-', ' ')}](../guides/{guide}.md)" for guide in guides)
        parts.append(f"Guides: {', '.join(links)}.")
    return "\n\n".join(parts)


def _help(name: str) -> str:
    """Return what `blazepose NAME --help` prints."""
    text = io.StringIO()
    with (
        patch.object(sys, "argv", sys.argv),
        patch.dict(os.environ, COLUMNS="100"),  # argparse's width
        redirect_stdout(text),
        suppress(SystemExit),
    ):
        run(name, ["--help"])
    return text.getvalue().strip()
