"""Footage in, overlays and JSON lines out; and what is left when something goes wrong."""

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest

from blazepose.runtime.media import open_source
from blazepose.runtime.session import TrackingSummary, track_source
from tests.runtime.scripted import at
from tests.runtime.told import TIMES_MS, Told, lines, names


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.jpg"):
        cv2.imwrite(str(tmp_path / "in" / name), np.full((80, 120, 3), 90, np.uint8))
    return tmp_path / "in"


def drawn(image: np.ndarray) -> bool:
    return bool(np.ptp(image) > 60)


def test_a_video_gets_an_overlay_and_a_line_for_every_frame(video, tmp_path):
    overlay, records = tmp_path / "new/seen.mp4", tmp_path / "new/seen.jsonl"
    found = track_source(open_source(str(video)), Told(), (), overlay, records)
    assert found == TrackingSummary(frames=6, with_people=3, people=2, stopped=False)
    frames = list(open_source(str(overlay)).frames)
    assert [frame.time_ms for frame in frames] == pytest.approx(TIMES_MS, abs=1)
    assert [drawn(frame.image) for frame in frames] == [True, False] * 3
    said = lines(records)
    assert [line["frame"] for line in said] == list(range(6))
    assert [line["time_ms"] for line in said] == pytest.approx(TIMES_MS, abs=1)
    assert [[pose["id"] for pose in line["poses"]] for line in said] == [[0], [], [0], [], [1], []]
    assert names(tmp_path / "new") == ["seen.jsonl", "seen.mp4"]


def test_rois_are_for_the_first_frame_of_a_video_and_for_every_picture(video, folder):
    tracker, still = Told(), Told(video=False)
    track_source(open_source(str(video)), tracker, [at(60)])
    assert tracker.given == [[at(60)], [], [], [], [], []]
    track_source(open_source(str(folder)), still, [at(60)])
    assert still.given == [[at(60)]] * 2


def test_a_picture_becomes_a_picture(folder, tmp_path):
    records = tmp_path / "seen.jsonl"
    footage = open_source(str(folder / "a.png"))
    track_source(footage, Told(video=False), (), tmp_path / "seen.jpg", records)
    assert drawn(cv2.imread(str(tmp_path / "seen.jpg")))
    (line,) = lines(records)
    assert (line["image"], line["time_ms"]) == (str(folder / "a.png"), None)


def test_colours_are_kept(tmp_path):
    cv2.imwrite(str(tmp_path / "blue.png"), np.full((80, 120, 3), (255, 0, 0), np.uint8))
    track_source(open_source(str(tmp_path / "blue.png")), Told(video=False), (), tmp_path / "seen.png")
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "seen.png"))[0, 0], (255, 0, 0))


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_becomes_a_new_or_an_empty_folder(folder, tmp_path, there):
    if there:
        (tmp_path / "out").mkdir()
    found = track_source(open_source(str(folder)), Told(video=False), (), tmp_path / "out")
    assert found.frames == 2
    assert names(tmp_path / "out") == ["a.png", "b.jpg"]
    assert drawn(cv2.imread(str(tmp_path / "out/a.png")))


def test_pictures_of_one_name_in_several_folders_are_all_written(folder, tmp_path):
    for name, grey in (("x", 30), ("y", 60)):
        (folder / name).mkdir()
        cv2.imwrite(str(folder / name / "a.png"), np.full((80, 120, 3), grey, np.uint8))
    found = track_source(open_source(str(folder)), Told(video=False), (), tmp_path / "out")
    assert found.frames == 4
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert sorted(str(path.relative_to(tmp_path / "out")) for path in files) == [
        "a.png",
        "b.jpg",
        "x/a.png",
        "y/a.png",
    ]
    greys = [cv2.imread(str(tmp_path / "out" / name / "a.png"))[0, 0, 0] for name in ("", "x", "y")]
    assert greys == [90, 30, 60]


@pytest.mark.parametrize("name", ["one.jpg", "one.mp4"])
def test_a_folder_becomes_neither_one_picture_nor_a_video(folder, tmp_path, name):
    with pytest.raises(ValueError, match=rf"{name}: pictures of a folder go into a folder"):
        track_source(open_source(str(folder)), Told(video=False), (), tmp_path / name)
    assert names(tmp_path) == ["in"]


@pytest.mark.parametrize("name", ["seen.mp4", "seen"])
def test_a_picture_becomes_neither_a_video_nor_a_folder(folder, tmp_path, name):
    with pytest.raises(ValueError, match=rf"{name}: an overlay of a picture ends in \.bmp, \.jpeg, \.jpg, "):
        track_source(open_source(str(folder / "a.png")), Told(video=False), (), tmp_path / name)
    assert names(tmp_path) == ["in"]


@pytest.mark.parametrize("option", ["overlay", "records"])
@pytest.mark.parametrize("name", ["in.mp4", "in/a.png", "in"])
def test_originals_are_never_overwritten(video, folder, tmp_path, name, option):
    """Nor by the name of a folder, with the original's name in it."""
    source = tmp_path / name
    before = {path: path.read_bytes() for path in (video, *folder.iterdir())}
    footage = open_source(str(source))
    with pytest.raises(FileExistsError, match=rf"{name} exists(; choose| and is not empty; name) another"):
        track_source(footage, Told(video=footage.rate is not None), **{option: source})
    assert {path: path.read_bytes() for path in (video, *folder.iterdir())} == before


@pytest.mark.parametrize("name", ["seen.mp4", "seen.jsonl"])
@pytest.mark.parametrize("folder", [False, True])
def test_what_is_there_already_is_not_overwritten(video, tmp_path, name, folder):
    earlier, tracker = tmp_path / name, Told()
    if folder:
        earlier.mkdir()
    else:
        earlier.write_text("earlier")
    with pytest.raises(FileExistsError, match=rf"{name} exists; choose another name, or delete it first$"):
        track_source(open_source(str(video)), tracker, (), tmp_path / "seen.mp4", tmp_path / "seen.jsonl")
    assert tracker.given == []
    assert names(tmp_path) == sorted(["in.mp4", name])
    assert earlier.is_dir() if folder else earlier.read_text() == "earlier"


def test_pictures_of_a_folder_are_not_mixed_with_earlier_ones(folder, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/other.png").write_text("earlier")
    with pytest.raises(FileExistsError, match="out exists and is not empty; name another folder"):
        track_source(open_source(str(folder)), Told(video=False), (), tmp_path / "out")
    assert names(tmp_path / "out") == ["other.png"]


def test_one_file_cannot_be_both(video, tmp_path):
    with pytest.raises(ValueError, match=r"both\.mp4 cannot be both the overlay and the JSON lines"):
        track_source(open_source(str(video)), Told(), (), tmp_path / "both.mp4", tmp_path / "both.mp4")
    assert names(tmp_path) == ["in.mp4"]


@pytest.mark.parametrize(
    ("option", "name", "sentence"),
    [
        ("overlay", "file/seen.mp4", r"file/seen\.mp4 cannot be written: (File exists|Not a directory)"),
        ("overlay", "file/deep/seen.mp4", r"seen\.mp4 cannot be written: Not a directory"),
        ("overlay", "seen.avi", r"--out \S+seen\.avi: an overlay of a video ends in \.mkv, \.mov, \.mp4"),
        ("overlay", "seen.png", r"seen\.png: an overlay of a video ends in"),
        ("overlay", "seen", r"seen: an overlay of a video ends in"),
        ("records", "file/seen.jsonl", r"file/seen\.jsonl cannot be written: (File exists|Not a directory)"),
    ],
)
def test_places_that_cannot_be_written_are_told_at_once(video, tmp_path, option, name, sentence):
    (tmp_path / "file").write_text("")
    tracker, before = Told(), names(tmp_path)
    places = {"overlay": tmp_path / "good.mp4", option: tmp_path / name}
    with pytest.raises(ValueError, match=f"^[^\n]*{sentence}[^\n]*$"):
        track_source(open_source(str(video)), tracker, (), **places)
    assert names(tmp_path) == before
    assert tracker.given == []


def test_an_overlay_folder_that_cannot_be_made_is_told_at_once(folder, tmp_path):
    (tmp_path / "file").write_text("")
    tracker = Told(video=False)
    with pytest.raises(ValueError, match=r"cannot be written"):
        track_source(open_source(str(folder)), tracker, (), tmp_path / "file" / "out")
    assert tracker.given == []


def test_a_folder_without_permission_is_told_at_once(video, tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(ValueError, match=r"seen\.jsonl cannot be written: no permission in \S+$"):
        track_source(open_source(str(video)), Told(), (), None, tmp_path / "seen.jsonl")


@pytest.mark.parametrize(("rois", "sentence"), [(2, "nobody at 1 of the 2 ROIs: so nobody"), (1, "")])
def test_a_place_where_nobody_is_seen_is_told(video, caplog, rois, sentence):
    with caplog.at_level(logging.WARNING):
        track_source(open_source(str(video)), Told(), [at(60), at(90)][:rois])
    assert sentence in caplog.text
    assert bool(caplog.text) == (rois == 2)
