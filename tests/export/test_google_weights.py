"""Google's networks: found in whatever file they come in, checked, packed."""

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from blazepose.export.google_weights import DETECTOR, LANDMARK_NETWORKS, SHA256, find_networks, pack_bundle
from blazepose.runtime.inference_sessions import metadata_entry
from blazepose.runtime.tracker import PoseTracker
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, read_tflite
from blazepose.tflite.metadata import NORMALIZATION_KEY, read_normalization
from tests.mediapipe_runtime import frames, look, picture


def standalone(shared: Path, name: str) -> bytes:
    file = "pose_detection" if name == DETECTOR else f"pose_landmark_{name}"
    return (shared / "models" / f"{file}.tflite").read_bytes()


@pytest.fixture(scope="module")
def networks(shared) -> dict[str, bytes]:
    return {name: standalone(shared, name) for name in (DETECTOR, *LANDMARK_NETWORKS)}


@pytest.fixture(scope="module")
def packed(networks, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("packed") / "full.task"
    path.write_bytes(pack_bundle(networks, "full"))
    return path


def test_every_network_is_pinned():
    assert set(SHA256.values()) == {DETECTOR, *LANDMARK_NETWORKS}


@pytest.mark.shared
@pytest.mark.parametrize("name", [DETECTOR, *LANDMARK_NETWORKS])
def test_a_file_of_its_own(shared, networks, name, tmp_path):
    (tmp_path / "net.tflite").write_bytes(networks[name])
    assert find_networks(tmp_path / "net.tflite") == {name: networks[name]}


@pytest.mark.shared
def test_archives_of_packages(networks, tmp_path):
    wheel, tarball = tmp_path / "mediapipe.whl", tmp_path / "pose.tgz"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mediapipe/__init__.py", "")
        archive.writestr("mediapipe/modules/hand.tflite", b"\0\0\0\0TFL3")
        archive.writestr("mediapipe/modules/pose_detection.tflite", networks[DETECTOR])
        archive.writestr("mediapipe/modules/pose_landmark_full.tflite", networks["full"])
    with tarfile.open(tarball, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("package"))
        for name in ("lite", "heavy"):
            entry = tarfile.TarInfo(f"package/pose_landmark_{name}.tflite")
            entry.size = len(networks[name])
            archive.addfile(entry, io.BytesIO(networks[name]))
    assert find_networks(wheel) == {name: networks[name] for name in (DETECTOR, "full")}
    assert find_networks(tarball) == {name: networks[name] for name in ("lite", "heavy")}


@pytest.mark.shared
def test_googles_own_bundle_is_packed_unchanged(shared):
    official = shared / "models" / "pose_landmarker_full.task"
    found = find_networks(official)
    assert set(found) == {DETECTOR, "full"}
    assert found[DETECTOR] == standalone(shared, DETECTOR)  # the same bytes alone and in the bundle
    entries = {entry: read_tflite(official, entry) for entry in (DETECTOR_ENTRY, LANDMARKS_ENTRY)}
    assert found == {DETECTOR: entries[DETECTOR_ENTRY], "full": entries[LANDMARKS_ENTRY]}
    assert found["full"] in pack_bundle(found, "full")


@pytest.mark.shared
def test_a_changed_byte_is_not_googles(networks, tmp_path):
    content = bytearray(networks["lite"])
    content[-1] ^= 1
    (tmp_path / "lite.tflite").write_bytes(content)
    with pytest.raises(ValueError, match=r"lite\.tflite has none of the files of Google's"):
        find_networks(tmp_path / "lite.tflite")


def test_an_unknown_bundle_is_usable_without_packing(tmp_path):
    with zipfile.ZipFile(tmp_path / "own.task", "w") as archive:
        archive.writestr(LANDMARKS_ENTRY, b"\0\0\0\0TFL3")
    with pytest.raises(ValueError, match=r"own\.task has none of .*usable as it is, as init= or --weights"):
        find_networks(tmp_path / "own.task")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"# read me please", "is text, '# read me please'; name a MediaPipe wheel"),
        (b"\0\1\2\3\4\5\6\7", "is an unknown format; name a MediaPipe wheel"),
        (b"<!doctype html><title>Sign in</title>", "a web page; download the file itself"),
        (b"", "is empty"),
    ],
)
def test_other_files(content, problem, tmp_path):
    (tmp_path / "file.whl").write_bytes(content)
    with pytest.raises(ValueError, match=problem):
        find_networks(tmp_path / "file.whl")


@pytest.mark.shared
def test_half_a_download(networks, tmp_path):
    with tarfile.open(tmp_path / "whole.tgz", "w:gz") as archive:
        entry = tarfile.TarInfo("package/pose_landmark_lite.tflite")
        entry.size = len(networks["lite"])
        archive.addfile(entry, io.BytesIO(networks["lite"]))
    whole = (tmp_path / "whole.tgz").read_bytes()
    (tmp_path / "half.tgz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"half\.tgz cannot be read as a MediaPipe wheel"):
        find_networks(tmp_path / "half.tgz")


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no\.whl is missing; name a MediaPipe wheel"):
        find_networks(tmp_path / "no.whl")


@pytest.mark.shared
def test_the_bundle_has_the_metadata_that_mediapipe_needs(networks, packed):
    assert read_tflite(packed, DETECTOR_ENTRY) == networks[DETECTOR]
    entry = metadata_entry(read_tflite(packed, LANDMARKS_ENTRY), NORMALIZATION_KEY)
    assert entry is not None
    assert read_normalization(entry) == (0, 255)
    assert pack_bundle(networks, "full") == packed.read_bytes()


@pytest.mark.shared
@pytest.mark.parametrize("video", [False, True])
def test_mediapipe_gives_the_results_of_googles_own_bundle(shared, packed, video):
    folder = shared / "data" / "mp_reference"
    images = frames(folder / "pose_squats.mp4", 6) if video else [picture(folder / "pose.jpg")]
    official = shared / "models" / "pose_landmarker_full.task"
    for one, other in zip(look(official, images, video), look(packed, images, video), strict=True):
        assert one is not None
        assert other is not None
        for field in ("landmarks", "world", "mask"):
            np.testing.assert_array_equal(getattr(one, field), getattr(other, field))


@pytest.mark.shared
def test_the_tracker_gives_the_results_of_googles_own_bundle(shared, packed):
    image = picture(shared / "data" / "mp_reference" / "pose.jpg")
    official = shared / "models" / "pose_landmarker_full.task"
    (one,), (other,) = (
        PoseTracker.load(path, running_mode="image")(image, None) for path in (official, packed)
    )
    np.testing.assert_array_equal(one.landmarks, other.landmarks)
    np.testing.assert_array_equal(one.world, other.world)
