"""Tables of attributes: matching of rows to people, and messages for invalid ones."""

import unicodedata
from pathlib import Path

import pytest

from blazepose.evaluation.groups.people_table import read_people_table
from tests.evaluation.crowd import person

PEOPLE = [
    person(Path("data/a/im1.jpg"), 1, (60.0, 50.0), 20, 0.0),
    person(Path("data/a/im1.jpg"), 2, (60.0, 50.0), 20, 0.0),
    person(Path("data/a/im2.jpg"), 3, (60.0, 50.0), 20, 0.0),
    person(Path("data/b/im2.jpg"), 3, (60.0, 50.0), 20, 0.0),
]


@pytest.fixture
def table(tmp_path):
    def write(*lines: str, encoding: str = "utf-8") -> Path:
        file = tmp_path / "people.csv"
        file.write_text("\n".join(lines) + "\n", encoding=encoding)
        return file

    return write


def test_rows_match_images_or_people(table):
    result = read_people_table(
        table(
            "image,person,gender,Skin Tone",
            "im1.jpg,2,female,3",
            "a/im2.jpg,,Male,6.0",
            "data/b/im2.jpg,3,male,",
        ),
        PEOPLE,
    )
    assert result.attributes == ["gender", "skin_tone"]
    assert result.groups == [
        {},
        {"gender": "female", "skin_tone": "3"},
        {"gender": "Male", "skin_tone": "6"},
        {"gender": "Male"},
    ]
    assert (result.unmatched, result.without_row) == ([], 1)


def test_a_row_without_a_person_applies_to_all_people_in_the_image(table):
    result = read_people_table(table("image,team", "im1.jpg,red"), PEOPLE)
    assert result.groups == [{"team": "red"}, {"team": "red"}, {}, {}]
    assert result.without_row == 2


def test_people_who_cannot_be_scored_need_no_row(table):
    no_hips = person(Path("data/a/im3.jpg"), 4, (60.0, 50.0), 20, 0.0)
    no_hips.labelled[24] = False
    result = read_people_table(table("image,team", "im1.jpg,red"), [*PEOPLE, no_hips])
    assert result.without_row == 2


def test_countries_become_regions(table):
    result = read_people_table(
        table("image,country,region", "im1.jpg,Chile,", "a/im2.jpg,,central asia"), PEOPLE
    )
    assert result.attributes == ["region"]
    assert [groups.get("region") for groups in result.groups] == [
        "South America",
        "South America",
        "Central Asia",
        None,
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_tables_as_spreadsheets_write_them(table, encoding, mark):
    file = table(f"image{mark} team ", f"im1.jpg{mark}grün", "", encoding=encoding)
    assert read_people_table(file, PEOPLE).groups[0] == {"team": "grün"}


def test_tables_as_pandas_writes_them(table):
    """A column without a name numbers the rows; in one with missing cells, numbers are floats."""
    result = read_people_table(
        table(",image,person,team", "0,a/im1.jpg,2.0,red", "1,a/im2.jpg,,blue"), PEOPLE
    )
    assert result.attributes == ["team"]
    assert result.groups == [{}, {"team": "red"}, {"team": "blue"}, {}]
    assert result.unmatched == []


def test_cells_for_missing_values_are_empty(table):
    lines = ["image,country,Skin Tone,gender", "a/im2.jpg,unknown,IV,N/A", "b/im2.jpg,CL,nan,female"]
    result = read_people_table(table(*lines), PEOPLE)
    assert result.groups[2:] == [{"skin_tone": "4"}, {"region": "South America", "gender": "female"}]


def test_rows_without_a_match_are_listed(table):
    result = read_people_table(
        table("image,person,team", "im1.jpg,9,red", "im7.jpg,,red", "im1.jpg,1,red"), PEOPLE
    )
    assert result.unmatched == ["im1.jpg 9", "im7.jpg"]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([""], r"is empty"),
        ([";"], r"the header has no column 'image', only: none"),
        (["picture,team", "a,b"], r"the header has no column 'image', only: picture, team"),
        (["image,team,Team", "a,b,c"], r"two columns are named team"),
        (["image,person", "im1.jpg,1"], r"its columns are image, person, and none of them is an attribute"),
        (["image,team"], r"has a header, but no rows"),
        (["image,team", "im1.jpg"], r"line 2: 1 cells, the header has 2"),
        (["image,team", ",red"], r"line 2: the cell 'image' is empty"),
        (["image,team", "im9.jpg,red"], r"none of its 1 rows .* 'im9.jpg', data.test has im1.jpg"),
        (
            ["image,team", "im2.jpg,red"],
            r"line 2: im2.jpg matches both .*a/im2.jpg and .*b/im2.jpg; write more of its path",
        ),
        (["image,team", "im1.jpg,red", "im1.jpg,red"], r"lines 2 and 3, both match person 1 of im1.jpg"),
        (["image,person,team", "im1.jpg,,red", "im1.jpg,2,red"], r"lines 2 and 3, both match person 2"),
        (["image,skin_tone", "im1.jpg,7"], r"line 2: skin_tone '7' must be 1 to 6, or I to VI"),
        (["image,skin_tone", "im1.jpg,dark"], r"line 2: skin_tone 'dark' must be 1 to 6"),
        (["image,country", "im1.jpg,Germnay"], r"line 2: unknown country 'Germnay'; did you mean Germany"),
        (["image,country", "im1.jpg,NA"], r"line 2: country NA is ambiguous: write NAM"),
        (["image,region", "im1.jpg,Nowhere"], r"line 2: unknown region 'Nowhere'"),
        (
            ["image,country,region", "im1.jpg,Chile,Europe"],
            r"line 2: Chile is in South America, not in Europe",
        ),
    ],
)
def test_an_invalid_table_is_one_sentence(table, lines, sentence):
    with pytest.raises(ValueError, match=rf"^\S*people\.csv.*{sentence}") as error:
        read_people_table(table(*lines), PEOPLE)
    assert "\n" not in str(error.value)


def test_a_missing_table_and_one_that_is_not_text(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"data\.metadata=.*people\.csv is missing"):
        read_people_table(tmp_path / "people.csv", PEOPLE)
    (tmp_path / "people.csv").write_bytes("image,team\nim1.jpg,grün\n".encode("latin-1"))
    with pytest.raises(
        ValueError, match=r"people\.csv is not UTF-8: byte 21 is 0xfc; .* \(Excel: CSV UTF-8\)"
    ):
        read_people_table(tmp_path / "people.csv", PEOPLE)
    (tmp_path / "people.csv").write_bytes(b"PK\x03\x04")
    with pytest.raises(
        ValueError, match=r"people\.csv is .* an Excel workbook: .* save the sheet as CSV UTF-8"
    ):
        read_people_table(tmp_path / "people.csv", PEOPLE)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_tables_of_spreadsheets(tmp_path, encoding, newline):
    text = newline.join(["image\tteam", "im1.jpg\tgrün", ""])
    (tmp_path / "people.csv").write_bytes(text.encode(encoding))
    assert read_people_table(tmp_path / "people.csv", PEOPLE).groups[0] == {"team": "grün"}


@pytest.mark.parametrize(
    ("image", "spelled"),
    [
        ("set/a b.jpg", "a%20b.jpg"),
        ("set/a%20b.jpg", "a%20b.jpg"),
        ("set/a%20b.jpg", "a b.jpg"),
        ("set/Übung.jpg", unicodedata.normalize("NFD", "Übung.jpg")),
        ("set/im1.JPG", "im1.jpg"),
        ("set/im1.jpg", "./set/im1.jpg"),
        ("set/im1.jpg", "Set\\im1.jpg"),
        ("set/im1.jpg", f"{Path.cwd()}/set/im1.jpg"),
        (f"{Path.cwd()}/set/im1.jpg", f"file://{Path.cwd()}/set/im1.jpg"),
    ],
)
@pytest.mark.parametrize("number", ["7", "7.0"])
def test_spellings_of_an_image_and_a_person(table, image, spelled, number):
    people = [person(Path(name), 7, (60.0, 50.0), 20, 0.0) for name in (image, "set/other.jpg")]
    result = read_people_table(table("image,person,team", f"{spelled},{number},red"), people)
    assert result.groups == [{"team": "red"}, {}]


def test_the_nearest_spelling_of_an_image_wins(table):
    names = ("a%20b.jpg", "a b.jpg", "A b.jpg")
    people = [person(Path(name), 7, (60.0, 50.0), 20, 0.0) for name in names]
    result = read_people_table(table("image,team", "a%20b.jpg,red", "a b.jpg,blue", "A b.jpg,green"), people)
    assert result.groups == [{"team": "red"}, {"team": "blue"}, {"team": "green"}]
    with pytest.raises(ValueError, match=r"line 2: A B\.jpg matches both a%20b\.jpg and a b\.jpg; write"):
        read_people_table(table("image,team", "A B.jpg,red"), people)
