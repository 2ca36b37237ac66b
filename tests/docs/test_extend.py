"""The worked examples of docs/extend: in a copy of the repository, their edits fit and their tests pass."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = {path.stem: path for path in sorted((ROOT / "docs/extend").glob("*.md")) if path.stem != "index"}
BLOCK = re.compile(r'^```(\w+) title="(.+?)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
SNIPPET = re.compile(r'^--8<-- "(.+)"$', re.MULTILINE)
TEST_COMMAND = re.compile(r"^python -m pytest (.+)$", re.MULTILINE)


def copy_repository(folder: Path) -> Path:
    for name in ("benchmarks", "blazepose", "configs", "docs", "tests"):
        shutil.copytree(
            ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    (folder / "data").mkdir()
    for name in ("pyproject.toml", "data/README.md"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def apply_page(page: str, folder: Path) -> list[str]:
    """Write the files of a page and make its edits; return the arguments of its pytest commands."""
    text = PAGES[page].read_text()
    for kind, name, content in BLOCK.findall(text):
        file = folder / name
        if kind == "diff":
            edit(file, content)
        else:
            assert not file.exists(), f"{name} exists"
            file.parent.mkdir(exist_ok=True)
            file.write_text(SNIPPET.sub(lambda match: (ROOT / match[1]).read_text().rstrip(), content))
    tests = [argument for command in TEST_COMMAND.findall(text) for argument in command.split()]
    assert tests, f"{page}.md runs no test"
    return tests


def edit(file: Path, diff: str) -> None:
    """Make the edits of a diff, its parts separated by @@; each part has to fit in exactly one place."""
    text = file.read_text()
    for part in diff.split("@@\n"):
        lines = part.splitlines()
        before, after = (
            "\n".join(line[1:] for line in lines if not line.startswith(sign)) for sign in ("+", "-")
        )
        assert f"\n{text}".count(f"\n{before}\n") == 1, f"{file.name} has not exactly one place for\n{part}"
        text = f"\n{text}".replace(f"\n{before}\n", f"\n{after}\n")[1:]
    file.write_text(text)


@pytest.mark.parametrize("page", PAGES)
def test_the_edits_of_a_page_fit(page, tmp_path):
    copy = copy_repository(tmp_path)
    tests = apply_page(page, copy)
    assert all((copy / name).exists() for name in tests)
    for check in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *check, str(copy)], capture_output=True, text=True, check=False
        )
        assert not done.returncode, done.stdout


@pytest.mark.slow
def test_the_examples_work(tmp_path):
    copy = copy_repository(tmp_path)
    tests = sorted({name for page in PAGES for name in apply_page(page, copy)})
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stdout[-8000:] + done.stderr[-2000:]
