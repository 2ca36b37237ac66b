from dataclasses import replace

import pytest

from blazepose.evaluation.fairness.verdicts import MOST_GROUPS
from blazepose.evaluation.groups.assignment import group_people
from tests.evaluation.crowd import source_of


def told(crowd, *groups):
    """The people of the fixture, some of them in groups by their source."""
    rest = [{}] * (len(crowd.annotations) - len(groups))
    people = [replace(a, attributes=g) for a, g in zip(crowd.annotations, [*groups, *rest], strict=True)]
    return source_of(people)


def test_without_a_table_the_groups_are_those_of_the_source(crowd):
    grouped = group_people([told(crowd, {"gender": "male", "shoes": "red"}), source_of([])], None, [])
    assert (grouped.attributes, grouped.notes) == (["gender"], [])
    assert grouped.everybody[0].attributes == {"gender": "male", "shoes": "red"}


def test_the_table_is_added_and_has_the_last_word(crowd, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("image,team,gender\nim0.png,red,Female\nim1.png,blue,\ngone.png,red,\n")
    source = told(crowd, {"gender": "male"}, {"gender": "male", "skin_tone": "2"}, {"gender": "female"})
    grouped = group_people([source], str(file), ["team", "gender"])
    assert grouped.attributes == ["team", "gender", "skin_tone", "team x gender"]
    first, second, third, *_ = (person.attributes for person in grouped.everybody)
    assert first == {"gender": "female", "team": "red", "team x gender": "red, female"}
    assert second == {"gender": "male", "skin_tone": "2", "team": "blue", "team x gender": "blue, male"}
    assert third == {"gender": "female"}
    assert grouped.notes == [
        f"{file}: lines for nobody in data.test: 1, as 'gone.png'",
        f"{file} has no line for 5 people, who are in no group of it",
    ]


def test_subjects_are_known_but_no_group(crowd, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("image,subject\nim0.png,ann\nim1.png,ann\n")
    grouped = group_people([told(crowd)], str(file), [])
    assert grouped.attributes == []
    assert grouped.everybody[1].attributes == {"subject": "ann"}


def test_an_intersection_with_what_nobody_has(crowd):
    with pytest.raises(ValueError, match="intersect: nobody has the attribute team; there are gender"):
        group_people([told(crowd, {"gender": "male"})], None, ["gender", "team"])


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
    assert grouped.notes == ["number has 101 values, more than 100: no groups are made of it"]
