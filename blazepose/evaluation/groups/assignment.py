"""Assignment of people to groups: from their source, from a table, and intersections."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from blazepose.data.annotation import Annotation, Source
from blazepose.evaluation.fairness.verdicts import DEMOGRAPHIC_ATTRIBUTES, MOST_GROUPS
from blazepose.evaluation.groups.people_table import PeopleTable, read_people_table
from blazepose.evaluation.score import SUBJECT
from blazepose.exceptions import InputError


class PeopleWithGroups(NamedTuple):
    """People and the groups they are in.

    Attributes:
        sources: sources, whose people have the attributes of the table, too.
        attributes: attributes that get a verdict: those of the table, the DEMOGRAPHIC_ATTRIBUTES that a
            source has, and the intersection.
        notes: sentences about people and rows without a match in the table.
    """

    sources: list[Source]
    attributes: list[str]
    notes: list[str]

    @property
    def all_people(self) -> list[Annotation]:
        """All people, source after source."""
        return _all_people(self.sources)


def group_people(
    sources: list[Source], table: str | Sequence[str] | None, intersect: Sequence[str]
) -> PeopleWithGroups:
    """Assign people to groups.

    Args:
        sources: people, with the attributes of their source.
        table: CSV file or None; several files are rejected.
        intersect: two or more attributes whose intersection forms further groups.

    Raises:
        FileNotFoundError: if the table is missing.
        ValueError: if the table or `intersect` is invalid.
    """
    attributes, notes = [], []
    if not isinstance(table, str | None):
        raise InputError(f"data.metadata={table}: give one table; merge several into one file")
    if table:
        file = Path(table)
        content = read_people_table(file, _all_people(sources))
        groups = _unify_spelling(_all_people(sources), content.groups)
        sources, attributes = _add_attributes(sources, groups), content.attributes
        notes = _notes(file, content)
    people = _all_people(sources)
    available = {name for person in people for name in person.attributes}
    attributes = [name for name in attributes if name != SUBJECT]
    attributes += [name for name in DEMOGRAPHIC_ATTRIBUTES if name in available and name not in attributes]
    if intersect:
        groups = _intersection(people, intersect, available)
        sources, attributes = _add_attributes(sources, groups), [*attributes, _joined(intersect)]
    for name in list(attributes):
        if (count := len({person.attributes.get(name) for person in people} - {None})) > MOST_GROUPS:
            attributes.remove(name)
            notes.append(f"{name} has {count} values, more than {MOST_GROUPS}; it is not used as groups")
    return PeopleWithGroups(sources, attributes, notes)


def _all_people(sources: list[Source]) -> list[Annotation]:
    return [person for source in sources for person in source.annotations]


def _unify_spelling(
    people: Sequence[Annotation], groups: Sequence[Mapping[str, str]]
) -> list[Mapping[str, str]]:
    """Spell the groups of a table as the source does: Female and female are one group."""
    spellings = {
        (name, group.casefold()): group for person in people for name, group in person.attributes.items()
    }

    return [
        {name: spellings.get((name, group.casefold()), group) for name, group in attributes.items()}
        for attributes in groups
    ]


def _notes(file: Path, table: PeopleTable) -> list[str]:
    notes = []
    if table.unmatched:
        count, first = len(table.unmatched), table.unmatched[0]
        notes.append(f"{file}: {count} rows match no person in data.test, the first is {first!r}")
    if table.without_row:
        notes.append(f"{file} has no row for {table.without_row} people, who are in none of its groups")
    return notes


def _joined(names: Sequence[str]) -> str:
    return " x ".join(names)


def _add_attributes(sources: list[Source], groups: Sequence[Mapping[str, str]]) -> list[Source]:
    """Add attributes to people; `groups` has one mapping per person, in the order of the sources."""
    added = iter(groups)
    return [
        replace(
            source,
            annotations=[
                replace(person, attributes={**person.attributes, **next(added)})
                for person in source.annotations
            ],
        )
        for source in sources
    ]


def _intersection(
    people: Sequence[Annotation], names: Sequence[str], available: Collection[str]
) -> list[Mapping[str, str]]:
    """Intersect the groups of several attributes, for people who have all of them."""
    for name in names:
        if name not in available:
            raise InputError(
                f"intersect: no person has the attribute {name}; available: "
                f"{', '.join(sorted(available)) or 'none'}"
            )
    return [
        {_joined(names): ", ".join(person.attributes[name] for name in names)}
        if all(name in person.attributes for name in names)
        else {}
        for person in people
    ]
