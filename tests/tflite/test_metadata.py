"""Metadata that MediaPipe reads in a TFLite file."""

import pytest

from blazepose.input_spec import DETECTOR_INPUT, LANDMARK_INPUT
from blazepose.runtime.inference_sessions import metadata_entry
from blazepose.tflite.metadata import (
    NORMALIZATION_KEY,
    Normalization,
    normalization,
    normalization_metadata,
    read_normalization,
)


def test_normalization_of_both_networks():
    assert normalization(LANDMARK_INPUT) == (0, 255)
    assert normalization(DETECTOR_INPUT) == (127.5, 127.5)


def test_written_metadata_is_read():
    content = normalization_metadata(Normalization(127.5, 127.5))
    assert content[4:8] == b"M001"
    assert read_normalization(content) == (127.5, 127.5)


def test_googles_own_entry_is_read(shared):
    content = (shared / "models" / "pose_detection.tflite").read_bytes()
    entry = metadata_entry(content, NORMALIZATION_KEY)
    assert entry is not None
    assert read_normalization(entry) == (127.5, 127.5)


@pytest.mark.parametrize("name", ["blazepose", "TFLITE_METADATA"])
def test_missing_entries(shared, name):
    assert metadata_entry((shared / "models" / "pose_landmark_full.tflite").read_bytes(), name) is None
