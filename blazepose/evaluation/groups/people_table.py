"""Groups that people belong to, from a table beside the pictures: `data.metadata=people.csv`."""

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
from blazepose.data.readers.coco_json import same_id
from blazepose.data.readers.image_paths import name_parts, spelling, written_parts
from blazepose.data.readers.text_files import read_text
from blazepose.evaluation.groups.un_regions import known_region, region_of

SKIN_TONES = tuple("123456")
"""Fitzpatrick's types, as MediaPipe's model card has them."""

Parts = tuple[str, ...]
"""Folders and file of a path."""

_IMAGE, _PERSON, _COUNTRY = "image", "person", "country"

_NOTHING = ("", "?", "n/a", "na", "nan", "null", "unknown")
"""What is written into cells of which nothing is known."""

_ROMAN = dict(zip(("i", "ii", "iii", "iv", "v", "vi"), SKIN_TONES, strict=True))


@dataclass(frozen=True)
class Metadata:
    """What a table says of people.

    Attributes:
        attributes: its columns, but for those that name people; `country` is `region` here.
        groups: {attribute: group} of each person asked for, in their order; without what a cell leaves empty.
        unknown_people: lines of the table that fit nobody asked for, as it spells them.
        without_row: how many of the people asked for have no line, of those who can be scored.
    """

    attributes: list[str]
    groups: list[Mapping[str, str]]
    unknown_people: list[str]
    without_row: int


def as_column(name: str) -> str:
    """How a column is called, however it is written: Skin Tone is skin_tone."""
    return name.strip().lower().replace(" ", "_")


def read_metadata(file: Path, people: Sequence[Annotation]) -> Metadata:
    """What a CSV file says of people.

    A line is for a picture and, if it has a `person`, for that annotation id; else for everybody in the
    picture. A picture is named by its file, with as many of its folders as tell it from others.

    Args:
        file: with a header: `image`, optional `person`, and attributes: `country`, `region`, `skin_tone` or
            any other word.
        people: asked for.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: names the file, the line and what cannot be.
    """
    header, lines = _read(file)
    spelt: dict[tuple[str, str], str] = {}
    pictures = _Pictures(people)
    rows: dict[int, tuple[int, Mapping[str, str]]] = {}
    unknown = []
    for number, line in lines:
        try:
            groups = _groups(line, spelt)
            found = pictures.find(line[_IMAGE], line.get(_PERSON, ""))
        except ValueError as error:
            raise ValueError(f"{file}, line {number}: {error}") from error
        if not found:
            unknown.append(" ".join(filter(None, (line[_IMAGE], line.get(_PERSON)))))
        for row in found:
            if row in rows:
                raise ValueError(
                    f"{file}, lines {rows[row][0]} and {number}, are both for person {people[row].person} of "
                    f"{line[_IMAGE]}"
                )
            rows[row] = number, groups
    if not rows:
        raise ValueError(
            f"{file}: none of its {len(lines)} lines is for anybody in data.test; the first is for "
            f"{lines[0][1][_IMAGE]!r}, data.test has {people[0].image.name}"
        )
    named = [name for name in header if name not in (_IMAGE, _PERSON, _COUNTRY)]
    if not named and _COUNTRY not in header:
        raise ValueError(
            f"{file}: its columns are {', '.join(header)}: none of them says a group of people; add one, as "
            "skin_tone or country"
        )
    return Metadata(
        attributes=list(dict.fromkeys((["region"] if _COUNTRY in header else []) + named)),
        groups=[rows[row][1] if row in rows else {} for row in range(len(people))],
        unknown_people=unknown,
        without_row=sum(
            row not in rows and alignment_error(person) is None for row, person in enumerate(people)
        ),
    )


def _read(file: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Header, and lines with their numbers; cells stripped."""
    if not file.is_file():
        problem = "is a folder, not a table" if file.is_dir() else "is missing"
        raise FileNotFoundError(f"data.metadata={file} {problem}")
    text = read_text(file)
    first = text.partition("\n")[0]
    table = csv.reader(io.StringIO(text, newline=None), delimiter=max(",;\t", key=first.count))
    header = [as_column(cell) for cell in next(table, [])]
    named = [name for name in header if name]  # pandas numbers the lines in a column without a name
    if _IMAGE not in header:
        raise ValueError(f"{file}: its first line names no column 'image', but {', '.join(named) or 'none'}")
    if twice := {name for name in named if named.count(name) > 1}:
        raise ValueError(f"{file}: two columns are named {', '.join(sorted(twice))}")
    lines = []
    for cells in table:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise ValueError(
                f"{file}, line {table.line_num}: {len(cells)} cells, the header has {len(header)}"
            )
        line = dict(zip(header, map(str.strip, cells), strict=True))
        line.pop("", None)
        lines.append((table.line_num, line))
    if not lines:
        raise ValueError(f"{file} has a header, but no lines")
    return named, lines


def _groups(line: Mapping[str, str], spelt: dict[tuple[str, str], str]) -> Mapping[str, str]:
    """Groups of a line; the first spelling of each is kept: Female and female are one.

    Raises:
        ValueError: names the cell that cannot be.
    """
    groups = {
        name: cell
        for name, cell in line.items()
        if cell.casefold() not in _NOTHING and name not in (_IMAGE, _PERSON, _COUNTRY)
    }
    if "region" in groups:
        groups["region"] = known_region(groups["region"])
    if line.get(_COUNTRY) == "NA":
        raise ValueError("country NA is Namibia, or a missing value: write NAM, or leave the cell empty")
    if line.get(_COUNTRY, "").casefold() not in _NOTHING:
        region = region_of(line[_COUNTRY])
        if groups.setdefault("region", region) != region:
            raise ValueError(f"{line[_COUNTRY]} is in {region}, not in {groups['region']}")
    if "skin_tone" in groups:
        groups["skin_tone"] = _skin_tone(groups["skin_tone"])
    return {name: spelt.setdefault((name, cell.casefold()), cell) for name, cell in groups.items()}


def _skin_tone(cell: str) -> str:
    tone = _ROMAN.get(cell.casefold(), cell.removesuffix(".0"))  # a column with gaps, as pandas writes it
    if tone not in SKIN_TONES:
        raise ValueError(f"skin_tone {cell!r} is none of 1 to 6, nor of I to VI")
    return tone


class _Pictures:
    """Rows of people by the picture they are in."""

    def __init__(self, people: Sequence[Annotation]) -> None:
        self._rows: dict[str, dict[Path, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._people = people
        for row, person in enumerate(people):
            self._rows[spelling(person.image.name)][person.image].append(row)

    def find(self, image: str, person: str) -> list[int]:
        """Rows of a person, or of everybody in a picture.

        Raises:
            ValueError: if several pictures could be meant, or none is named.
        """
        if not (named := name_parts(image)):
            raise ValueError("no picture is named")
        # As it is written before other spellings of it.
        tries = ((written_parts(image), tuple), (named, tuple), (named, _spellings))
        fitting = next(filter(None, (self._fitting(*one) for one in tries)), [])
        if len(fitting) > 1:
            raise ValueError(
                f"{image} can be {fitting[0]} or {fitting[1]}: name it with so many of its folders that it "
                "can be one only"
            )
        rows = self._rows[spelling(fitting[0].name)][fitting[0]] if fitting else []
        # A column with gaps has a point in its numbers, as pandas writes it.
        return [row for row in rows if not person or same_id(self._people[row].person) == same_id(person)]

    def _fitting(self, named: Parts, form: Callable[[Parts], Parts]) -> list[Path]:
        """List the pictures whose last parts are these, in a form of both."""
        wanted = form(named)
        candidates = self._rows.get(spelling(named[-1]), ())
        return [path for path in candidates if form(_last_parts(path, len(named))) == wanted]


def _last_parts(path: Path, count: int) -> Parts:
    return (path.name,) if count == 1 else _absolute(path).parts[-count:]


@functools.cache
def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 (keeps links)


def _spellings(parts: Parts) -> Parts:
    return tuple(map(spelling, parts))
