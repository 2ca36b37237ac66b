"""Explanation of config keys in the terminal, and on the page of the documentation."""

import importlib.util
import re
from pathlib import Path

import pytest

from blazepose.commands.config import GROUPS, main
from tests.commands.test_main import HEAVY, blazepose

ROOT = Path(__file__).parents[2]
NAMES = [key.name for groups in GROUPS.values() for group in groups for key in group.keys]


def printed(capsys, *arguments: str) -> str:
    main([*arguments])
    return capsys.readouterr().out


def test_all_keys_are_printed_with_nothing_heavy_loaded():
    heavy = HEAVY | {"omegaconf"}
    loaded = f"import atexit; atexit.register(lambda: print(sorted({heavy} & set(sys.modules))))"
    done = blazepose("config", before=loaded)
    assert not done.returncode, done.stderr
    assert all(f"  {name}=" in done.stdout for name in NAMES)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_pattern_selects_keys_of_both_commands(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert printed(capsys, "seed").splitlines() == [
        "blazepose train",
        "  seed=0                            seed of all random generators (from 0 to",
        "                                    4294967295)",
        "",
        "blazepose eval",
        "  seed=0                            seed of the jitter and of the random people",
        "                                    in the report (from 0 up)",
    ]


def test_long_keys_have_a_line_of_their_own(capsys):
    lines = printed(capsys, "copy_paste").splitlines()
    assert lines[:4] == [
        "blazepose train",
        "",
        "detector.windows: Distribution of the training windows of the detector.",
        "  detector.windows.copy_paste_prob=0.5",
    ]
    assert lines[4].startswith(" " * 36 + "probability that another image")


def test_unknown_keys_get_close_ones(capsys):
    with pytest.raises(SystemExit):
        main(["warmup_step_"])
    assert capsys.readouterr().err == (
        "unknown config key 'warmup_step_'; did you mean optimizer.warmup_steps?\n"
    )


@pytest.mark.parametrize("folder", ["configs", "docs"])
def test_patterns_of_comments_and_pages_exist(folder):
    files = [path for path in (ROOT / folder).rglob("*") if path.suffix in (".yaml", ".md", ".py")]
    text = "".join(path.read_text() for path in files)
    patterns = re.findall(r"`blazepose config ([^`]+)`", text)
    assert patterns
    assert not [pattern for pattern in patterns if not any(pattern in name for name in NAMES)]


def test_the_page_has_every_key():
    pytest.importorskip("mkdocs")
    spec = importlib.util.spec_from_file_location("config_page", ROOT / "docs/config_page.py")
    hook = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hook)
    page = hook.make_page()
    assert "<" not in page, "HTML drops what is in angle brackets"
    rows = re.findall(r"^\| `([\w.]+)` \| `[^`]+` \|[^|]*\|[^|]*\|$", page, re.MULTILINE)
    assert rows == NAMES
