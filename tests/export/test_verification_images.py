"""The images of an export: which are fitted to, and which are compared on."""

import numpy as np
import pytest

from blazepose.data.readers import read_source
from blazepose.export import verification_images as images
from blazepose.export.verification_images import landmark_images
from blazepose.geometry import Roi
from blazepose.runtime.landmarker import LandmarkResult
from blazepose.topologies import FULL_BODY

METADATA = {
    "task": "landmark",
    "topology": list(FULL_BODY.outputs),
    "input": {"size": 64},
    "recipe": {},
    "data": {"train": [], "val": []},
}


def never():
    raise AssertionError("the network is not needed")


class Found:
    """Finds a person in pictures with even numbers, at the center."""

    input_size, metadata, topology = 64, {}, FULL_BODY

    def __init__(self, presences):
        self.presences = iter(presences)

    def __call__(self, network, image, roi):
        center = np.array([roi.center_x, roi.center_y])
        alignment = np.stack([center, center - [0, 20]])
        return LandmarkResult(
            np.zeros((33, 5)), alignment, np.zeros((33, 3)), next(self.presences), None, Roi(0, 0, 1, 0)
        )


def test_missing_data_is_an_error_that_names_the_flag(tmp_path, tiny_lsp):
    gone = METADATA | {"data": {"train": [], "val": [{"name": f"lsp:{tmp_path / 'gone'}"}]}}
    with pytest.raises(FileNotFoundError, match="--pictures"):
        landmark_images(gone, "fp32", None, never)
    read = landmark_images(gone, "fp32", tiny_lsp / "images", never)
    assert (read.test.shape, len(read.fit)) == ((24, 64, 64, 3), 0)


def test_rounding_is_fitted_to_other_images_than_those_of_the_comparison(tiny_lsp):
    people = METADATA | {"data": {"train": [], "val": [{"name": f"lsp:{tiny_lsp}"}]}}
    for precision in ("fp16", "int8"):
        read = landmark_images(people, precision, None, never)
        assert len(read.fit) == len(read.test) == 12
        assert not any((fit == test).all() for fit in read.fit for test in read.test)


def test_int8_is_fitted_to_people_of_the_training_data(tiny_lsp, monkeypatch):
    read = []
    monkeypatch.setattr(images, "read_source", lambda name, _: read.append(name) or read_source(name))
    source, other = {"name": f"lsp:{tiny_lsp}"}, {"name": f"lsp:{tiny_lsp}/"}
    data = METADATA | {"data": {"train": [source], "val": [other]}}
    crops = landmark_images(data, "int8", None, never)
    assert read == [other["name"], source["name"]]
    assert (len(crops.fit), len(crops.test)) == (24, 24)
    landmark_images(data, "fp16", None, never)
    assert read[2:] == [other["name"]], "the training data may be large"


def test_int8_takes_the_people_of_pictures(tiny_lsp, monkeypatch):
    monkeypatch.setattr(images, "run_landmarker", Found([0.9, 0.2] * 12))
    read = landmark_images(METADATA, "int8", tiny_lsp / "images", lambda: Found([]))
    assert (len(read.fit), len(read.test)) == (6, 6)
    monkeypatch.setattr(images, "run_landmarker", Found([0.9] + [0.2] * 23))
    with pytest.raises(ValueError, match=r"^int8_static is fitted to people, and 1 of 24 pictures"):
        landmark_images(METADATA, "int8_static", tiny_lsp / "images", lambda: Found([]))
