"""Attributes of people from a CSV table: `data.metadata=people.csv`."""

import csv
import functools
import io
import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from blazepose.data.align import alignment_error
from blazepose.data.annotation import Annotation
from blazepose.data.readers.coco_json import normalize_id
from blazepose.data.readers.image_paths import name_parts, spelling, written_parts
from blazepose.data.readers.text_files import read_text
from blazepose.evaluation.groups.un_regions import canonical_region, region_of
from blazepose.exceptions import InputError, MissingFileError

SKIN_TONES = tuple("123456")
"""Fitzpatrick skin types, as in MediaPipe's model card."""

Parts = tuple[str, ...]
"""Folders and file of a path."""

_IMAGE, _PERSON, _COUNTRY = "image", "person", "country"

_MISSING = ("", "?", "n/a", "na", "nan", "null", "unknown")
"""Cell values that stand for a missing value."""

_ROMAN = dict(zip(("i", "ii", "iii", "iv", "v", "vi"), SKIN_TONES, strict=True))


@dataclass(frozen=True)
class PeopleTable:
    """Attributes of people, from a table.

    Attributes:
        attributes: columns, without those that identify people; `country` becomes `region`.
        groups: {attribute: group} of each person, without empty cells.
        unmatched: image and person of each row without a match, as spelled in the table.
        without_row: number of scorable people without a row.
    """

    attributes: list[str]
    groups: list[Mapping[str, str]]
    unmatched: list[str]
    without_row: int


def as_column(name: str) -> str:
    """Normalize a column name: Skin Tone becomes skin_tone."""
    return name.strip().lower().replace(" ", "_")


def read_people_table(file: Path, people: Sequence[Annotation]) -> PeopleTable:
    """Read the attributes of people from a CSV file.

    A row applies to an image and, if it has a `person`, to that annotation id; else to all people in the
    image. An image is identified by its file name, with as many parent folders as make it unique.

    Args:
        file: CSV file with a header: `image`, optional `person`, and attributes: `country`, `region`,
            `skin_tone` or any other name.
        people: people to look up.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if a row is invalid.
    """
    header, lines = _read(file)
    spellings: dict[tuple[str, str], str] = {}
    index = _ImageIndex(people)
    rows: dict[int, tuple[int, Mapping[str, str]]] = {}
    unmatched = []
    for number, line in lines:
        try:
            groups = _groups(line, spellings)
            matched = index.find(line[_IMAGE], line.get(_PERSON, ""))
        except ValueError as error:
            raise InputError(f"{file}, line {number}: {error}") from error
        if not matched:
            unmatched.append(" ".join(filter(None, (line[_IMAGE], line.get(_PERSON)))))
        for row in matched:
            if row in rows:
                raise InputError(
                    f"{file}, lines {rows[row][0]} and {number}, both match person {people[row].person} of "
                    f"{line[_IMAGE]}"
                )
            rows[row] = number, groups
    if not rows:
        raise InputError(
            f"{file}: none of its {len(lines)} rows matches a person in data.test; the first is for "
            f"{lines[0][1][_IMAGE]!r}, data.test has {people[0].image.name}"
        )
    attributes = [name for name in header if name not in (_IMAGE, _PERSON, _COUNTRY)]
    if not attributes and _COUNTRY not in header:
        raise InputError(
            f"{file}: its columns are {', '.join(header)}, and none of them is an attribute of people; add "
            "one, as skin_tone or country"
        )
    return PeopleTable(
        attributes=list(dict.fromkeys((["region"] if _COUNTRY in header else []) + attributes)),
        groups=[rows[row][1] if row in rows else {} for row in range(len(people))],
        unmatched=unmatched,
        without_row=sum(
            row not in rows and alignment_error(person) is None for row, person in enumerate(people)
        ),
    )


def _read(file: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Read the header and the numbered rows, with stripped cells."""
    if not file.is_file():
        problem = "is a folder, not a table" if file.is_dir() else "is missing"
        raise MissingFileError(f"data.metadata={file} {problem}")
    text = read_text(file)
    first = text.partition("\n")[0]
    table = csv.reader(io.StringIO(text, newline=None), delimiter=max(",;\t", key=first.count))
    header = [as_column(cell) for cell in next(table, [])]
    named = [name for name in header if name]  # pandas writes row numbers in a column without a name
    if _IMAGE not in header:
        raise InputError(f"{file}: the header has no column 'image', only: {', '.join(named) or 'none'}")
    if duplicates := {name for name in named if named.count(name) > 1}:
        raise InputError(f"{file}: two columns are named {', '.join(sorted(duplicates))}")
    lines = []
    for cells in table:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise InputError(
                f"{file}, line {table.line_num}: {len(cells)} cells, the header has {len(header)}"
            )
        line = dict(zip(header, map(str.strip, cells), strict=True))
        line.pop("", None)
        lines.append((table.line_num, line))
    if not lines:
        raise InputError(f"{file} has a header, but no rows")
    return named, lines


def _groups(line: Mapping[str, str], spellings: dict[tuple[str, str], str]) -> Mapping[str, str]:
    """Return the groups of a row, in their first spelling: Female and female are one group.

    Raises:
        ValueError: if a cell is invalid.
    """
    groups = {
        name: cell
        for name, cell in line.items()
        if cell.casefold() not in _MISSING and name not in (_IMAGE, _PERSON, _COUNTRY)
    }
    if "region" in groups:
        groups["region"] = canonical_region(groups["region"])
    if line.get(_COUNTRY) == "NA":
        raise InputError("country NA is ambiguous: write NAM for Namibia, or leave a missing value empty")
    if line.get(_COUNTRY, "").casefold() not in _MISSING:
        region = region_of(line[_COUNTRY])
        if groups.setdefault("region", region) != region:
            raise InputError(f"{line[_COUNTRY]} is in {region}, not in {groups['region']}")
    if "skin_tone" in groups:
        groups["skin_tone"] = _skin_tone(groups["skin_tone"])
    return {name: spellings.setdefault((name, cell.casefold()), cell) for name, cell in groups.items()}


def _skin_tone(cell: str) -> str:
    tone = _ROMAN.get(cell.casefold(), cell.removesuffix(".0"))  # pandas writes floats if cells are missing
    if tone not in SKIN_TONES:
        raise InputError(f"skin_tone {cell!r} must be 1 to 6, or I to VI")
    return tone


class _ImageIndex:
    """Rows of people by image."""

    def __init__(self, people: Sequence[Annotation]) -> None:
        self._rows: dict[str, dict[Path, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._people = people
        for row, person in enumerate(people):
            self._rows[spelling(person.image.name)][person.image].append(row)

    def find(self, image: str, person: str) -> list[int]:
        """Find the rows of a person, or of all people in an image.

        Raises:
            ValueError: if several images match, or none is named.
        """
        if not (parts := name_parts(image)):
            raise InputError("the cell 'image' is empty")
        # The exact spelling takes precedence over others.
        tries = ((written_parts(image), tuple), (parts, tuple), (parts, _spellings))
        matching = next(filter(None, (self._matching(*attempt) for attempt in tries)), [])
        if len(matching) > 1:
            raise InputError(f"{image} matches both {matching[0]} and {matching[1]}; write more of its path")
        rows = self._rows[spelling(matching[0].name)][matching[0]] if matching else []
        # pandas writes ids as floats if cells are missing.
        return [
            row
            for row in rows
            if not person or normalize_id(self._people[row].person) == normalize_id(person)
        ]

    def _matching(self, parts: Parts, normalize: Callable[[Parts], Parts]) -> list[Path]:
        """List the images whose path ends in these parts, both normalized."""
        wanted = normalize(parts)
        candidates = self._rows.get(spelling(parts[-1]), ())
        return [path for path in candidates if normalize(_last_parts(path, len(parts))) == wanted]


def _last_parts(path: Path, count: int) -> Parts:
    return (path.name,) if count == 1 else _absolute(path).parts[-count:]


@functools.cache
def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 (keeps links)


def _spellings(parts: Parts) -> Parts:
    return tuple(map(spelling, parts))
