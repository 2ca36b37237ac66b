from dataclasses import replace

import pytest

from blazepose.evaluation.fairness.verdicts import MOST_GROUPS
from blazepose.evaluation.groups.assignment import group_people
from tests.evaluation.crowd import source_of


def with_attributes(crowd, *groups):
    """Return the people of the fixture, the first ones with attributes."""
    rest = [{}] * (len(crowd.annotations) - len(groups))
    people = [replace(a, attributes=g) for a, g in zip(crowd.annotations, [*groups, *rest], strict=True)]
    return source_of(people)


def test_without_a_table_the_groups_are_those_of_the_source(crowd):
    grouped = group_people(
        [with_attributes(crowd, {"gender": "male", "shoes": "red"}), source_of([])], None, []
    )
    assert (grouped.attributes, grouped.notes) == (["gender"], [])
    assert grouped.all_people[0].attributes == {"gender": "male", "shoes": "red"}


def test_the_table_is_added_and_takes_precedence(crowd, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("image,team,gender\nim0.png,red,Female\nim1.png,blue,\ngone.png,red,\n")
    source = with_attributes(
        crowd, {"gender": "male"}, {"gender": "male", "skin_tone": "2"}, {"gender": "female"}
    )
    grouped = group_people([source], str(file), ["team", "gender"])
    assert grouped.attributes == ["team", "gender", "skin_tone", "team x gender"]
    first, second, third, *_ = (person.attributes for person in grouped.all_people)
    assert first == {"gender": "female", "team": "red", "team x gender": "red, female"}
    assert second == {"gender": "male", "skin_tone": "2", "team": "blue", "team x gender": "blue, male"}
    assert third == {"gender": "female"}
    assert grouped.notes == [
        f"{file}: 1 rows match no person in data.test, the first is 'gone.png'",
        f"{file} has no row for 5 people, who are in none of its groups",
    ]


def test_subjects_are_read_but_are_no_groups(crowd, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("image,subject\nim0.png,ann\nim1.png,ann\n")
    grouped = group_people([with_attributes(crowd)], str(file), [])
    assert grouped.attributes == []
    assert grouped.all_people[1].attributes == {"subject": "ann"}


def test_an_intersection_with_a_missing_attribute(crowd):
    with pytest.raises(ValueError, match="intersect: no person has the attribute team; available: gender"):
        group_people([with_attributes(crowd, {"gender": "male"})], None, ["gender", "team"])


def test_names_of_people_are_no_groups(crowd):
    people = [
        replace(crowd.annotations[0], person=str(k), attributes={"number": str(k)})
        for k in range(MOST_GROUPS + 1)
    ]
    file = crowd.annotations[0].image.with_name("people.csv")
    lines = [f"im0.png,{k},{k}" for k in range(MOST_GROUPS + 1)]
    file.write_text("\n".join(["image,person,number", *lines]))
    grouped = group_people([source_of(people)], str(file), [])
    assert grouped.attributes == []
    assert grouped.notes == ["number has 101 values, more than 100; it is not used as groups"]
