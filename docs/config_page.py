"""MkDocs hook: the page of config keys, from the dataclasses of `blazepose.config`."""

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from blazepose.commands.config import GROUPS
from blazepose.config.option import Group

_INTRODUCTION = """\
# Config keys

Keys of `blazepose train` and `blazepose eval`, set on the command line as `key=value`
(`blazepose train optimizer.lr=0.001`) or in a YAML file (`configs/experiment/`). Values that are not allowed
are refused before any work. In the terminal, `blazepose config optimizer` explains the keys with `optimizer`
in their name.
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page."""
    files.append(File.generated(config, "reference/config.md", content=make_page()))
    return files


def make_page() -> str:
    """Return the page in Markdown."""
    parts = [_INTRODUCTION]
    for command, groups in GROUPS.items():
        parts += [f"## blazepose {command}", *map(_make_table, groups)]
    return "\n\n".join(parts)


def _make_table(group: Group) -> str:
    rows = ["| key | default | allowed | meaning |", "|---|---|---|---|"]
    rows += [f"| `{key.name}` | `{key.default}` | {key.allowed} | {key.meaning} |" for key in group.keys]
    return "\n".join(([f"### {group.name}", "", group.meaning, ""] if group.name else []) + rows)
