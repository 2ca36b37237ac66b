"""Overlays and JSON lines of sources, and refused outputs."""

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest

from blazepose.runtime.media import open_source
from blazepose.runtime.session import TrackingSummary, track_source
from tests.runtime.scripted import at
from tests.runtime.stub_tracker import TIMES_MS, StubTracker, lines, names


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.jpg"):
        cv2.imwrite(str(tmp_path / "in" / name), np.full((80, 120, 3), 90, np.uint8))
    return tmp_path / "in"


def drawn(image: np.ndarray) -> bool:
    return bool(np.ptp(image) > 60)


def test_a_video_gets_an_overlay_and_a_line_for_every_frame(video, tmp_path):
    overlay, jsonl = tmp_path / "new/out.mp4", tmp_path / "new/out.jsonl"
    summary = track_source(open_source(str(video)), StubTracker(), (), overlay, jsonl)
    assert summary == TrackingSummary(frames=6, with_people=3, people=2, stopped=False)
    frames = list(open_source(str(overlay)).frames)
    assert [frame.time_ms for frame in frames] == pytest.approx(TIMES_MS, abs=1)
    assert [drawn(frame.image) for frame in frames] == [True, False] * 3
    written = lines(jsonl)
    assert [line["frame"] for line in written] == list(range(6))
    assert [line["time_ms"] for line in written] == pytest.approx(TIMES_MS, abs=1)
    assert [[pose["id"] for pose in line["poses"]] for line in written] == [[0], [], [0], [], [1], []]
    assert names(tmp_path / "new") == ["out.jsonl", "out.mp4"]


def test_rois_apply_to_the_first_frame_of_a_video_and_to_every_image(video, folder):
    tracker, image_tracker = StubTracker(), StubTracker(running_mode="image")
    track_source(open_source(str(video)), tracker, [at(60)])
    assert tracker.rois == [[at(60)], [], [], [], [], []]
    track_source(open_source(str(folder)), image_tracker, [at(60)])
    assert image_tracker.rois == [[at(60)]] * 2


def test_an_image_gets_an_image(folder, tmp_path):
    jsonl = tmp_path / "out.jsonl"
    source = open_source(str(folder / "a.png"))
    track_source(source, StubTracker(running_mode="image"), (), tmp_path / "out.jpg", jsonl)
    assert drawn(cv2.imread(str(tmp_path / "out.jpg")))
    (line,) = lines(jsonl)
    assert (line["image"], line["time_ms"]) == (str(folder / "a.png"), None)


def test_colors_are_kept(tmp_path):
    cv2.imwrite(str(tmp_path / "blue.png"), np.full((80, 120, 3), (255, 0, 0), np.uint8))
    track_source(
        open_source(str(tmp_path / "blue.png")), StubTracker(running_mode="image"), (), tmp_path / "out.png"
    )
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "out.png"))[0, 0], (255, 0, 0))


@pytest.mark.parametrize("exists", [False, True])
def test_a_folder_gets_a_new_or_an_empty_folder(folder, tmp_path, exists):
    if exists:
        (tmp_path / "out").mkdir()
    summary = track_source(open_source(str(folder)), StubTracker(running_mode="image"), (), tmp_path / "out")
    assert summary.frames == 2
    assert names(tmp_path / "out") == ["a.png", "b.jpg"]
    assert drawn(cv2.imread(str(tmp_path / "out/a.png")))


def test_images_of_one_name_in_several_folders_are_all_written(folder, tmp_path):
    for name, gray in (("x", 30), ("y", 60)):
        (folder / name).mkdir()
        cv2.imwrite(str(folder / name / "a.png"), np.full((80, 120, 3), gray, np.uint8))
    summary = track_source(open_source(str(folder)), StubTracker(running_mode="image"), (), tmp_path / "out")
    assert summary.frames == 4
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert sorted(str(path.relative_to(tmp_path / "out")) for path in files) == [
        "a.png",
        "b.jpg",
        "x/a.png",
        "y/a.png",
    ]
    grays = [cv2.imread(str(tmp_path / "out" / name / "a.png"))[0, 0, 0] for name in ("", "x", "y")]
    assert grays == [90, 30, 60]


@pytest.mark.parametrize("name", ["one.jpg", "one.mp4"])
def test_a_folder_gets_neither_an_image_nor_a_video(folder, tmp_path, name):
    with pytest.raises(ValueError, match=rf"{name}: overlays of a folder go into a folder"):
        track_source(open_source(str(folder)), StubTracker(running_mode="image"), (), tmp_path / name)
    assert names(tmp_path) == ["in"]


@pytest.mark.parametrize("name", ["out.mp4", "noending"])
def test_an_image_gets_neither_a_video_nor_a_folder(folder, tmp_path, name):
    with pytest.raises(ValueError, match=rf"{name}: an overlay of an image ends in \.bmp, \.jpeg, \.jpg, "):
        track_source(
            open_source(str(folder / "a.png")), StubTracker(running_mode="image"), (), tmp_path / name
        )
    assert names(tmp_path) == ["in"]


@pytest.mark.parametrize("option", ["overlay", "jsonl"])
@pytest.mark.parametrize("name", ["in.mp4", "in/a.png", "in"])
def test_originals_are_never_overwritten(video, folder, tmp_path, name, option):
    """Not by the name of their folder, either."""
    original = tmp_path / name
    before = {path: path.read_bytes() for path in (video, *folder.iterdir())}
    source = open_source(str(original))
    mode = "image" if source.fps is None else "video"
    with pytest.raises(FileExistsError, match=rf"{name} exists(; choose| and is not empty; name) another"):
        track_source(source, StubTracker(running_mode=mode), **{option: original})
    assert {path: path.read_bytes() for path in (video, *folder.iterdir())} == before


@pytest.mark.parametrize("name", ["out.mp4", "out.jsonl"])
@pytest.mark.parametrize("folder", [False, True])
def test_existing_files_are_not_overwritten(video, tmp_path, name, folder):
    earlier, tracker = tmp_path / name, StubTracker()
    if folder:
        earlier.mkdir()
    else:
        earlier.write_text("earlier")
    with pytest.raises(FileExistsError, match=rf"{name} exists; choose another name, or delete it first$"):
        track_source(open_source(str(video)), tracker, (), tmp_path / "out.mp4", tmp_path / "out.jsonl")
    assert tracker.rois == []
    assert names(tmp_path) == sorted(["in.mp4", name])
    assert earlier.is_dir() if folder else earlier.read_text() == "earlier"


def test_overlays_of_a_folder_are_not_mixed_with_earlier_files(folder, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/other.png").write_text("earlier")
    with pytest.raises(FileExistsError, match="out exists and is not empty; name another folder"):
        track_source(open_source(str(folder)), StubTracker(running_mode="image"), (), tmp_path / "out")
    assert names(tmp_path / "out") == ["other.png"]


def test_one_file_cannot_be_overlay_and_json_lines(video, tmp_path):
    with pytest.raises(ValueError, match=r"both\.mp4 cannot be both the overlay and the JSON lines"):
        track_source(open_source(str(video)), StubTracker(), (), tmp_path / "both.mp4", tmp_path / "both.mp4")
    assert names(tmp_path) == ["in.mp4"]


@pytest.mark.parametrize(
    ("option", "name", "message"),
    [
        ("overlay", "file/out.mp4", r"file/out\.mp4 cannot be written: (File exists|Not a directory)"),
        ("overlay", "file/deep/out.mp4", r"out\.mp4 cannot be written: Not a directory"),
        ("overlay", "out.avi", r"--out \S+out\.avi: an overlay of a video ends in \.mkv, \.mov, \.mp4"),
        ("overlay", "out.png", r"out\.png: an overlay of a video ends in"),
        ("overlay", "noending", r"noending: an overlay of a video ends in"),
        ("jsonl", "file/out.jsonl", r"file/out\.jsonl cannot be written: (File exists|Not a directory)"),
    ],
)
def test_unwritable_files_are_refused_before_the_first_frame(video, tmp_path, option, name, message):
    (tmp_path / "file").write_text("")
    tracker, before = StubTracker(), names(tmp_path)
    outputs = {"overlay": tmp_path / "good.mp4", option: tmp_path / name}
    with pytest.raises(ValueError, match=f"^[^\n]*{message}[^\n]*$"):
        track_source(open_source(str(video)), tracker, (), **outputs)
    assert names(tmp_path) == before
    assert tracker.rois == []


def test_an_overlay_folder_that_cannot_be_created_is_refused_before_the_first_frame(folder, tmp_path):
    (tmp_path / "file").write_text("")
    tracker = StubTracker(running_mode="image")
    with pytest.raises(ValueError, match=r"cannot be written"):
        track_source(open_source(str(folder)), tracker, (), tmp_path / "file" / "out")
    assert tracker.rois == []


def test_a_folder_without_permission_is_refused(video, tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(ValueError, match=r"out\.jsonl cannot be written: no permission in \S+$"):
        track_source(open_source(str(video)), StubTracker(), (), None, tmp_path / "out.jsonl")


@pytest.mark.parametrize(
    ("rois", "message"),
    [(2, "no person found at 1 of the 2 given ROIs in the first frame; it will not be tracked"), (1, "")],
)
def test_rois_without_a_person_are_warned_of(video, caplog, rois, message):
    with caplog.at_level(logging.WARNING):
        track_source(open_source(str(video)), StubTracker(), [at(60), at(90)][:rois])
    assert message in caplog.text
    assert bool(caplog.text) == (rois == 2)
