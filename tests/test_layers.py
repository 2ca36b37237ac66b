"""Imports go down the layers of docs/architecture.md."""

import ast
from pathlib import Path

import blazepose

PACKAGE = Path(blazepose.__file__).parent
USE = {"training", "evaluation", "export", "synthetic", "runtime", "web", "benchmark"}
PARTS = {"data", "targets", "models", "losses", "metrics", "tflite"}


def layer(part: str) -> int:
    """3 for commands, 2 for what uses the parts, 1 for the parts, 0 for the ground."""
    return 3 if part == "commands" else 2 if part in USE else int(part in PARTS)


def imported_parts(file: Path) -> set[str]:
    """Names below `blazepose` that a file imports, also within functions."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("blazepose."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {name.name.split(".")[1] for name in node.names if name.name.startswith("blazepose.")}
    return found


def test_imports_go_down():
    upward = []
    doors = {PACKAGE / "__init__.py", *PACKAGE.rglob("__main__.py")}
    for file in sorted(set(PACKAGE.rglob("*.py")) - doors):
        own = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        upward += [f"{file.name} imports {part}" for part in imported_parts(file) if layer(part) > layer(own)]
    assert upward == []
