"""Labels in stored and in upright pixels, of images that EXIF turns."""

from pathlib import Path

import numpy as np
import pytest

from blazepose.data.annotation import UNKNOWN, Annotation, Source
from blazepose.data.label_orientation import turn_labels
from blazepose.orientation import MATRICES, points_upright, size_upright
from blazepose.topologies.full_body import NUM_LANDMARKS
from tests.stored_images import FORMATS, encode

STORED_SIZE = 60, 40
STORED_POINTS = np.random.default_rng(0).uniform((2, 2), (57, 37), (NUM_LANDMARKS, 2)).astype(np.float32)
MIDDLE = STORED_POINTS * [0.3, 0.4] + [10, 10]
"""Points inside the image, stored and upright."""


def write(folder: Path, orientation: int, number: int = 1, name: str = "JPEG", size=STORED_SIZE) -> Path:
    path = folder / f"{number}{FORMATS[name]}"
    path.write_bytes(encode(np.full((size[1], size[0], 3), 99, np.uint8), name, orientation))
    return path


def labelled(image: Path, points_px: np.ndarray, size=None, **changes) -> Annotation:
    return Annotation(
        image=image,
        person=image.stem,
        landmarks_px=points_px.astype(np.float32),
        labelled=np.ones(NUM_LANDMARKS, bool),
        visibility=np.full(NUM_LANDMARKS, UNKNOWN, np.int8),
        image_size=size,
        **changes,
    )


def turned(*people: Annotation, pixels: str | None = None, **changes) -> Source:
    return turn_labels(Source("landmarks:labels.json", "landmarks", list(people), "", **changes), pixels)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", MATRICES)
def test_the_user_can_set_stored_pixels(tmp_path, orientation, name):
    image = write(tmp_path, orientation, name=name)
    source = turned(labelled(image, STORED_POINTS), pixels="stored")
    expected = points_upright(STORED_POINTS, STORED_SIZE, orientation)
    np.testing.assert_allclose(source.annotations[0].landmarks_px, expected, atol=1e-4)
    assert source.notes == []


@pytest.mark.parametrize("orientation", MATRICES)
def test_all_labels_of_a_person_are_turned(tmp_path, orientation):
    image = write(tmp_path, orientation)
    head, box = np.array([20, 5], np.float32), np.array([4, 6, 30, 20], np.float32)
    world = np.random.default_rng(1).normal(size=(NUM_LANDMARKS, 3)).astype(np.float32)
    person = labelled(
        image,
        world[:, :2] * 5 + 20,  # as in a camera far away
        STORED_SIZE,
        extra_px=head[None],
        head_top_px=head,
        box_xyxy=box,
        landmarks_world=world,
    )
    source = turned(person, pixels="stored", ignored_boxes={image: box[None]})
    moved = source.annotations[0]
    assert moved.image_size == size_upright(STORED_SIZE, orientation)
    corners = points_upright(np.array([[4, 6], [30, 20]]), STORED_SIZE, orientation)
    np.testing.assert_allclose(moved.box_xyxy, [*corners.min(axis=0), *corners.max(axis=0)])
    np.testing.assert_allclose(source.ignored_boxes[image], [moved.box_xyxy])
    np.testing.assert_allclose(moved.head_top_px, points_upright(head, STORED_SIZE, orientation))
    np.testing.assert_allclose(moved.extra_px[0], moved.head_top_px)
    offsets = moved.landmarks_px - moved.landmarks_px[0]
    np.testing.assert_allclose(
        offsets, (moved.landmarks_world - moved.landmarks_world[0])[:, :2] * 5, atol=1e-4
    )
    np.testing.assert_array_equal(moved.landmarks_world[:, 2], world[:, 2])


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_the_size_of_the_upright_image_decides(tmp_path, orientation):
    image = write(tmp_path, orientation)
    source = turned(labelled(image, MIDDLE, (40, 60)))
    np.testing.assert_array_equal(source.annotations[0].landmarks_px, MIDDLE.astype(np.float32))
    assert source.notes == []


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_the_size_of_the_stored_image_decides(tmp_path, orientation):
    image = write(tmp_path, orientation)
    source = turned(labelled(image, MIDDLE, STORED_SIZE))
    expected = points_upright(MIDDLE, STORED_SIZE, orientation)
    np.testing.assert_allclose(source.annotations[0].landmarks_px, expected, atol=1e-4)
    assert source.annotations[0].image_size == (40, 60)
    assert source.notes == []


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
@pytest.mark.parametrize("size", [None, STORED_SIZE])
def test_points_outside_the_stored_image_are_upright(tmp_path, orientation, size):
    """Label Studio's converter writes the stored size beside upright labels."""
    image = write(tmp_path, orientation)
    points = points_upright(STORED_POINTS, STORED_SIZE, orientation)
    source = turned(labelled(image, points, size))
    np.testing.assert_allclose(source.annotations[0].landmarks_px, points, atol=1e-4)
    assert source.annotations[0].image_size in (None, (40, 60))
    assert source.notes == []


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_points_outside_the_upright_image_are_stored(tmp_path, orientation):
    source = turned(labelled(write(tmp_path, orientation), STORED_POINTS))
    expected = points_upright(STORED_POINTS, STORED_SIZE, orientation)
    np.testing.assert_allclose(source.annotations[0].landmarks_px, expected, atol=1e-4)
    assert source.notes == []


@pytest.mark.parametrize("orientation", [2, 3, 4, 6])
def test_upright_is_assumed_where_nothing_decides_and_counted(tmp_path, orientation):
    size = (40, 40)
    images = [write(tmp_path, orientation, number, size=size) for number in (1, 2)]
    source = turned(*(labelled(image, MIDDLE, size) for image in images))
    np.testing.assert_array_equal(source.annotations[0].landmarks_px, MIDDLE.astype(np.float32))
    assert source.notes == [
        "2 images of landmarks:labels.json have an EXIF orientation, first 1.jpg, and neither size nor "
        "points show whether labels count in stored or in upright pixels: upright is assumed; if you know "
        "it, append :stored or :upright to the name of the source"
    ]


def test_the_majority_of_the_source_decides_otherwise(tmp_path):
    """One tool wrote the file: an image upside down follows one on its side."""
    sideways, upside_down = write(tmp_path, 6, 1), write(tmp_path, 3, 2)
    source = turned(labelled(sideways, STORED_POINTS), labelled(upside_down, MIDDLE))
    expected = points_upright(MIDDLE, STORED_SIZE, 3)
    np.testing.assert_allclose(source.annotations[1].landmarks_px, expected, atol=1e-4)
    assert "1 images of" in source.notes[0]
    assert "stored is assumed" in source.notes[0]


def test_points_of_other_images_precede_the_stored_size(tmp_path):
    images = [write(tmp_path, 6, number) for number in (1, 2)]
    upright = points_upright(STORED_POINTS, STORED_SIZE, 6)
    source = turned(labelled(images[0], upright, STORED_SIZE), labelled(images[1], MIDDLE, STORED_SIZE))
    np.testing.assert_array_equal(source.annotations[1].landmarks_px, MIDDLE.astype(np.float32))
    assert [person.image_size for person in source.annotations] == [(40, 60)] * 2


def test_a_size_that_contradicts_the_user_is_an_error(tmp_path):
    image = write(tmp_path, 6)
    with pytest.raises(ValueError, match=r"1\.jpg are for 40x60, its upright size .* omit :stored"):
        turned(labelled(image, MIDDLE, (40, 60)), pixels="stored")


def test_images_without_orientation_stay_as_they_are(tmp_path):
    people = [labelled(write(tmp_path, 1), STORED_POINTS), labelled(tmp_path / "nowhere.jpg", MIDDLE)]
    source = turned(*people)
    assert all(after is before for after, before in zip(source.annotations, people, strict=True))
