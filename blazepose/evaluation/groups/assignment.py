"""Which groups people are in: what their source says, what a table says, and both at once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from blazepose.data.annotation import Annotation, Source
from blazepose.evaluation.fairness.verdicts import MOST_GROUPS, OF_PEOPLE
from blazepose.evaluation.groups.people_table import Metadata, read_metadata
from blazepose.evaluation.score import SUBJECT


class PeopleWithGroups(NamedTuple):
    """People and the groups they are in.

    Attributes:
        sources: with what the table says of their people.
        attributes: that get a verdict: those of the table, those of OF_PEOPLE that a source tells, and the
            intersection.
        notes: sentences about whom the table leaves out.
    """

    sources: list[Source]
    attributes: list[str]
    notes: list[str]

    @property
    def everybody(self) -> list[Annotation]:
        """All people, source after source."""
        return _everybody(self.sources)


def group_people(
    sources: list[Source], table: str | Sequence[str] | None, intersect: Sequence[str]
) -> PeopleWithGroups:
    """Put people into groups.

    Args:
        sources: the people, in the groups that their source tells.
        table: CSV file; None is none, and several are refused.
        intersect: two attributes or more to look at together.

    Raises:
        FileNotFoundError: if the table is missing.
        ValueError: says what is wrong with it, or with `intersect`.
    """
    attributes, notes = [], []
    if not isinstance(table, str | None):
        raise ValueError(f"data.metadata={table}: one table; put the lines of all of them into one file")
    if table:
        file = Path(table)
        told = read_metadata(file, _everybody(sources))
        groups = _spelt_alike(_everybody(sources), told.groups)
        sources, attributes = _add(sources, groups), told.attributes
        notes = _notes(file, told)
    people = _everybody(sources)
    known = {name for person in people for name in person.attributes}
    attributes = [name for name in attributes if name != SUBJECT]
    attributes += [name for name in OF_PEOPLE if name in known and name not in attributes]
    if intersect:
        together = _intersection(people, intersect, known)
        sources, attributes = _add(sources, together), [*attributes, _joined(intersect)]
    for name in list(attributes):
        if (count := len({person.attributes.get(name) for person in people} - {None})) > MOST_GROUPS:
            attributes.remove(name)
            notes.append(f"{name} has {count} values, more than {MOST_GROUPS}: no groups are made of it")
    return PeopleWithGroups(sources, attributes, notes)


def _everybody(sources: list[Source]) -> list[Annotation]:
    return [person for source in sources for person in source.annotations]


def _spelt_alike(
    people: Sequence[Annotation], groups: Sequence[Mapping[str, str]]
) -> list[Mapping[str, str]]:
    """Groups of a table as the people's source spells them: Female and female are one."""
    spelt = {
        (name, group.casefold()): group for person in people for name, group in person.attributes.items()
    }

    def alike(of_one: Mapping[str, str]) -> Mapping[str, str]:
        return {name: spelt.get((name, group.casefold()), group) for name, group in of_one.items()}

    return [alike(of_one) for of_one in groups]


def _notes(file: Path, told: Metadata) -> list[str]:
    notes = []
    if told.unknown_people:
        first = told.unknown_people[0]
        notes.append(f"{file}: lines for nobody in data.test: {len(told.unknown_people)}, as {first!r}")
    if told.without_row:
        notes.append(f"{file} has no line for {told.without_row} people, who are in no group of it")
    return notes


def _joined(names: Sequence[str]) -> str:
    return " x ".join(names)


def _add(sources: list[Source], groups: Sequence[Mapping[str, str]]) -> list[Source]:
    """The same people, in these groups too, one mapping each in the order of the sources."""
    of_people = iter(groups)
    return [
        replace(
            source,
            annotations=[
                replace(person, attributes={**person.attributes, **next(of_people)})
                for person in source.annotations
            ],
        )
        for source in sources
    ]


def _intersection(
    people: Sequence[Annotation], names: Sequence[str], known: Collection[str]
) -> list[Mapping[str, str]]:
    """Groups of several attributes at once, of who has all of them."""
    for name in names:
        if name not in known:
            raise ValueError(
                f"intersect: nobody has the attribute {name}; there are {', '.join(sorted(known)) or 'none'}"
            )
    return [
        {_joined(names): ", ".join(person.attributes[name] for name in names)}
        if all(name in person.attributes for name in names)
        else {}
        for person in people
    ]
