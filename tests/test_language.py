"""The words of code and documents are those of the field, in American English. Ruff checks D401."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]

AVOIDED = {
    r"(some|no|every)body|whoever": "person, people, no person",
    r"said|says|told|tells|asked|asks|taught|hears?": "output, predict, state: files do not speak",
    r"surely": "a bound and its confidence",
    r"look(s|ed)? at": "run on, process, read",
    r"g(oes|one) on": "resume, continue",
    r"(normal|initial|recogn|optim|organ)is(e[drs]?|ing|ation|er)": "spelling with z",
    r"colours?|cent(re|red|res)|neighbours?|licences?": "American spelling",
}

OLD_KEYS = "blazepose/training/old_keys.py"
"""Names that files of earlier versions have."""


def documents() -> list[Path]:
    folders = ["blazepose", "configs", "docs", "benchmarks"]
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*"))]
    files += [*sorted(ROOT.glob("*.py")), *sorted(ROOT.glob("*.md")), ROOT / "data/README.md"]
    files += sorted((ROOT / "notebooks").glob("*.ipynb"))
    suffixes = (".py", ".md", ".yaml", ".ipynb", ".html", ".js")
    return [path for path in files if path.suffix in suffixes and path != ROOT / OLD_KEYS]


def test_words():
    found = []
    for path in documents():
        for number, line in enumerate(path.read_text().splitlines(), 1):
            # Keys of files keep their spelling; so do names of the system.
            prose = re.sub(r"[\x22']licence[\x22']", "", line)
            for pattern, instead in AVOIDED.items():
                if match := re.search(rf"\b({pattern})\b", prose, re.IGNORECASE):
                    found.append(f"{path.relative_to(ROOT)}:{number}: {match[0]!r}; better: {instead}")
    assert not found, "\n".join(found)
