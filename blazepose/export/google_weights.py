"""Google's published networks, recognized by checksum, and a `.task` bundle of them. Needs no torch.

Source: docs/reference/mediapipe.md section 4.
"""

import hashlib
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from blazepose.exceptions import InputError
from blazepose.file_content import check_file, is_tflite, recognize, unreadable
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.runtime.inference_sessions import metadata_entry
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, pack
from blazepose.tflite.metadata import (
    NORMALIZATION_KEY,
    normalization,
    normalization_metadata,
    with_metadata,
)

LANDMARK_NETWORKS = ("lite", "full", "heavy")
DETECTOR = "detector"

SHA256: Mapping[str, str] = {
    "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c": DETECTOR,
    "f17bfbecadb61c3be1baa8b8d851cc6619c870a87167b32848ad20db306b9d61": "lite",
    "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f": "full",
    "59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe": "heavy",
    "ca929c9c33b15bf76e6e7fbe74209f125c0688ee1b4a363eda06d51bbdd85a32": "full",
}
"""{checksum: network}: pose_detection.tflite and pose_landmark_{lite,full,heavy}.tflite of MediaPipe.

The detector is also, byte for byte, that of Google's pose_landmarker_full.task. The last is the landmark
network of that bundle: the weights of pose_landmark_full.tflite, with metadata of the input.
"""

_FILES = "a MediaPipe wheel, an npm tarball of @mediapipe/pose, a .task or a .tflite"


def find_networks(path: Path) -> dict[str, bytes]:
    """Return Google's networks in a file, by name: DETECTOR, "lite", "full" and "heavy".

    Args:
        path: MediaPipe wheel, npm tarball of @mediapipe/pose, `.task` bundle or `.tflite` file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be read, or has none of Google's networks.
    """
    check_file(path, _FILES, f"name {_FILES}")
    try:
        networks = {
            SHA256[sha]: content for content in _tflite_files(path) if (sha := _sha256(content)) in SHA256
        }
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise unreadable(path, _FILES, error) from error
    if not networks:
        usable = "; a .task is usable as it is, as init= or --weights" if path.suffix == ".task" else ""
        raise InputError(
            f"{path} has none of the files of Google's that are known here by their SHA-256 "
            f"({', '.join(LANDMARK_NETWORKS)} and the detector){usable}"
        )
    return networks


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _tflite_files(path: Path) -> Iterator[bytes]:
    """Yield the TFLite files inside an archive, or the file itself.

    Raises:
        ValueError: if it is neither an archive nor a TFLite file.
    """
    content = path.read_bytes()
    if is_tflite(content):  # first: metadata may make it a zip file, too
        yield content
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name) for name in archive.namelist() if name.endswith(".tflite"))
    elif tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            for member in archive:
                entry = archive.extractfile(member) if member.name.endswith(".tflite") else None
                if entry:
                    yield entry.read()
    else:
        raise InputError(f"{path} is {recognize(content[:64]) or 'an unknown format'}; name {_FILES}")


def pack_bundle(networks: Mapping[str, bytes], name: str) -> bytes:
    """Build the `.task` bundle of a landmark network and the detector, with the metadata MediaPipe needs.

    Args:
        networks: result of find_networks, with DETECTOR and `name`.
        name: one of LANDMARK_NETWORKS.
    """
    landmarks = networks[name]
    if metadata_entry(landmarks, NORMALIZATION_KEY) is None:
        entry = normalization_metadata(normalization(LANDMARK_INPUT))
        landmarks = with_metadata(landmarks, {NORMALIZATION_KEY: entry})
    return pack({DETECTOR_ENTRY: networks[DETECTOR], LANDMARKS_ENTRY: landmarks})
