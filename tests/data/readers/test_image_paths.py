"""Images match all spellings of their names in a label file; other images do not."""

import unicodedata
from pathlib import Path

import pytest

from blazepose.data.readers import image_paths
from blazepose.data.readers.image_paths import ImagePaths


@pytest.fixture
def find(tmp_path):
    """Make files, and return the path below the folder that each name resolves to."""

    def find(files: list[str], *names: str) -> list[str]:
        for file in files:
            (tmp_path / "set" / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "set" / file).touch()
        roots = [tmp_path / "set", tmp_path / "set/images"]
        paths = ImagePaths(tmp_path / "set/labels.json", "landmarks", roots)
        matches = [paths.find(name, name) for name in names]
        paths.require(matches)
        return [str(path.relative_to(tmp_path / "set")) for path in matches]

    return find


NFC, NFD = (unicodedata.normalize(form, "Übung é.jpg") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("a.jpg", "a.jpg"),
        ("./a.jpg", "a.jpg"),
        ("images//a.jpg", "images/a.jpg"),
        ("a%20b.jpg", "images/a b.jpg"),
        ("a b.jpg", "images/a%20b.jpg"),
        ("images/3f2a-Capture_d%C3%A9cran%201.jpg", "images/3f2a-Capture_décran 1.jpg"),
        ("images%2Fa.jpg", "images/a.jpg"),
        (NFC, NFD),
        (NFD, f"images/{NFC}"),
        (f"{NFC}/1.jpg", f"{NFD}/1.jpg"),
        (f"{NFD.replace(' ', '%20')}", NFC),
        ("IMG_1.JPG", "IMG_1.jpg"),
        ("IMG_1.jpg", "IMG_1.JPG"),
        ("img_1.jpg", "IMG_1.JPG"),
        ("Cam 1/0.jpg", "cam%201/0.JPG"),
        ("images\\sub\\a.jpg", "images/sub/a.jpg"),
        ("sub\\a.jpg", "sub\\a.jpg"),
        ("images\\1/a.jpg", "images/a.jpg"),
        ("..\\..\\media\\upload\\4\\a.jpg", "images/a.jpg"),
        ("C:\\Users\\me\\My Set\\cam1\\a.jpg", "cam1/a.jpg"),
        ("/home/other/set/cam1/a.jpg", "cam1/a.jpg"),
        ("file:///home/other/set/cam1/a%20b.jpg", "images/cam1/a b.jpg"),
        ("https://host:8080/data/cam1/a.jpg?sig=x%2Fy.jpg", "cam1/a.jpg"),
        ("s3://bucket/cam1/a.jpg", "cam1/a.jpg"),
        ("/data/local-files/?d=cam1%2Fa.jpg", "cam1/a.jpg"),
        ("http://localhost:8080/data/local-files/?d=a.jpg", "images/a.jpg"),
    ],
)
def test_spellings_of_one_name(find, name, file):
    assert find([file], name) == [file]


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("a%20b.jpg", ["images/a%20b.jpg", "a b.jpg"]),
        ("a.jpg", ["images/a.jpg", "a.JPG", "A.jpg"]),
        (NFC, [f"images/{NFC}", NFD]),
        ("x/a.jpg", ["x/a.jpg", "a.jpg", "X/a.jpg"]),
        ("x/a.jpg", ["X/a.JPG", "a.jpg"]),
        ("cam1/sub/a.jpg", ["images/sub/a.jpg", "a.jpg", "images/a.jpg"]),
        ("A%20b.jpg", ["A b.jpg", "a b.jpg"]),
        ("what?.jpg", ["what?.jpg", "what"]),
    ],
)
def test_the_nearest_spelling_wins(find, name, files):
    """The first of these files matches."""
    assert find(files, name) == files[:1]


def test_an_ambiguous_name_is_an_error(find):
    with pytest.raises(
        ValueError, match=r"labels\.json: a\.jpg matches A\.jpg and a\.JPG in \S+set; spell it"
    ):
        find(["A.jpg", "a.JPG"], "a.jpg")


def test_two_names_of_one_file_are_an_error(find):
    with pytest.raises(ValueError, match=r"images x/a\.jpg and y/a\.jpg both lead to \S+images/a\.jpg"):
        find(["images/a.jpg"], "x/a.jpg", "y/a.jpg")
    with pytest.raises(ValueError, match=r"images a\.jpg and A\.jpg both lead to \S+images/a\.jpg"):
        find([], "a.jpg", "A.jpg")


@pytest.mark.parametrize(
    ("files", "name", "instead"),
    [
        (["images/3f2a9c11-squat.jpg"], "squat-1.jpg", r"the nearest name is \S+images/3f2a9c11-squat\.jpg"),
        (["images/a.png"], "a.jpg", r"the nearest name is \S+images/a\.png"),
        (
            ["images/x1", "images/x2", "images/x3", "images/x4", "images/z/a"],
            "squat.jpg",
            r"\S+images holds x1, x2, x3 and 2 more",
        ),
        (["train/x1"], "squat.jpg", r"\S+set holds train/"),
        ([], "squat.jpg", r"\S+set is missing"),
        (["images/a.jpg"], "", r"\S+set holds images/"),
        (["images/a.jpg"], "a" * 300 + "/" + "b" * 300, r"\S+set holds images/"),
        (["images/a.jpg"], "x\0y.jpg", r"the nearest name is \S+images/a\.jpg"),
    ],
)
def test_a_missing_image_names_the_nearest_one(find, tmp_path, files, name, instead):
    sentence = (
        rf"1 of 1 images in \S+labels\.json are missing, first .*: {instead}; put them into \S+set, see"
    )
    with pytest.raises(FileNotFoundError, match=sentence):
        find(files, name)


def test_links_in_a_circle_do_not_hide_the_others(find, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set/b.jpg").symlink_to("b.jpg")
    assert find(["a.jpg"], "a.jpg") == ["a.jpg"]
    with pytest.raises(FileNotFoundError, match=r"first b\.jpg"):
        find([], "b.jpg")


def test_each_folder_is_listed_once(tmp_path, monkeypatch):
    listed: list[Path] = []
    folder_of = image_paths._Folder
    monkeypatch.setattr(image_paths, "_Folder", lambda path: listed.append(path) or folder_of(path))
    for number in range(50):
        (tmp_path / f"{number} a.jpg").touch()
    paths = ImagePaths(tmp_path / "labels.json", "coco", [tmp_path / "images", tmp_path])
    assert len({paths.find(f"sub/{number}%20A.jpg", number) for number in range(50)}) == 50
    assert sorted(listed) == sorted({*listed})
