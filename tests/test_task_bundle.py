"""Bundles: MediaPipe's layout, and files that are rejected."""

import zipfile

import pytest

from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, pack, read_tflite

CONTENT = {DETECTOR_ENTRY: bytes(range(100)), LANDMARKS_ENTRY: b"landmarks" * 1000}


@pytest.fixture
def bundle(tmp_path):
    path = tmp_path / "pose.task"
    path.write_bytes(pack(CONTENT))
    return path


def test_entries_are_stored_at_multiples_of_64_bytes(bundle):
    content_of_bundle = bundle.read_bytes()
    for name, content in CONTENT.items():
        assert read_tflite(bundle, name) == content
        assert content_of_bundle.find(content) % 64 == 0
    with zipfile.ZipFile(bundle) as file:
        assert file.testzip() is None
        assert {entry.compress_type for entry in file.infolist()} == {zipfile.ZIP_STORED}


def test_the_same_networks_give_the_same_file(bundle):
    assert pack(CONTENT) == bundle.read_bytes()


def test_a_tflite_file_is_returned_unchanged(tmp_path):
    (tmp_path / "net.tflite").write_bytes(b"....TFL3whatever")
    assert read_tflite(tmp_path / "net.tflite", LANDMARKS_ENTRY) == b"....TFL3whatever"
    (tmp_path / "text.tflite").write_bytes(b"whatever")
    with pytest.raises(ValueError, match=r"text\.tflite cannot be .*: it has no identifier TFL3; it begins"):
        read_tflite(tmp_path / "text.tflite", LANDMARKS_ENTRY)


def test_bad_bundles_are_rejected(bundle, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.task is missing; name a trained, exported"):
        read_tflite(tmp_path / "gone.task", DETECTOR_ENTRY)
    for name, content, kind in (
        ("cut", bundle.read_bytes()[:-50], "a zip archive"),
        ("t", b"some text", "text"),
    ):
        path = tmp_path / f"{name}.task"
        path.write_bytes(content)
        message = (
            rf"{name}\.task cannot be read as a \.task bundle: File is not a zip file; it begins as {kind}"
        )
        with pytest.raises(ValueError, match=message):
            read_tflite(path, DETECTOR_ENTRY)
    hand = tmp_path / "hand.task"
    hand.write_bytes(pack({"hand_detector.tflite": b"", "hand_landmarks_detector.tflite": b""}))
    with pytest.raises(
        ValueError, match=r"hand\.task is no pose bundle: it holds hand_detector\.tflite, hand_"
    ):
        read_tflite(hand, LANDMARKS_ENTRY)
    with zipfile.ZipFile(tmp_path / "packed.task", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(LANDMARKS_ENTRY, CONTENT[LANDMARKS_ENTRY])
    with pytest.raises(ValueError, match=r"packed\.task is compressed, .*: pack it with `zip -0`"):
        read_tflite(tmp_path / "packed.task", LANDMARKS_ENTRY)


def test_damage_inside_is_detected(bundle):
    content = bytearray(bundle.read_bytes())
    content[70] ^= 255
    bundle.write_bytes(content)
    with pytest.raises(ValueError, match=r"pose\.task cannot .*: Bad CRC-32 for file 'pose_detector"):
        read_tflite(bundle, DETECTOR_ENTRY)
