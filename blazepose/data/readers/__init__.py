"""Readers: one file per annotation format, all returning a `Source`."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from blazepose.data.annotation import Source
from blazepose.data.label_checks import check_labels
from blazepose.data.label_extents import check_boxes, note_outside
from blazepose.data.label_orientation import PIXELS, turn_labels
from blazepose.data.readers import coco, coco_wholebody, halpe, landmarks, lsp, mpii, synthetic
from blazepose.exceptions import InputError
from blazepose.topologies import FULL_BODY
from blazepose.topology import Topology

Reader = Callable[[Path, str | None, Topology], Source]

READERS: dict[str, Reader] = {
    "lsp": lsp.read,
    "coco": coco.read,
    "coco_wholebody": coco_wholebody.read,
    "halpe": halpe.read,
    "mpii": mpii.read,
    "landmarks": landmarks.read,
    "synthetic": synthetic.read,
}


def as_list(value: str | Sequence[object] | None) -> list[str]:
    """Convert the value of a list option to strings: one item without brackets, several, or none."""
    return [value] if isinstance(value, str) else [str(item) for item in value or []]


def read_source(spec: str, topology: Topology = FULL_BODY) -> Source:
    """Read the people of one data set.

    Args:
        spec: `reader:path[:split][:stored|:upright]`; the path may hold colons and begin with `~`, and is
            relative to the working directory. The last part is the orientation of the pixels that labels
            count in, for images that EXIF turns; without it, label_orientation.turn_labels decides.
        topology: landmarks of the annotations, those of the network that they are for.

    Raises:
        ValueError: for an unknown reader or split, an empty data set, or invalid labels.
        FileNotFoundError: for a missing folder, annotation file or image.

    Examples:
        >>> from blazepose.data.readers import read_source
        >>> source = read_source("landmarks:mine/train.json")
        >>> len(source.annotations), source.left_out
        (2, {})
        >>> person = source.annotations[0]
        >>> person.landmarks_px.shape, int(person.labelled.sum())  # hips, shoulders and ankles are labelled
        ((33, 2), 6)
    """
    reader, _, location = spec.partition(":")
    if not location:
        raise InputError(f"{spec!r} is not reader:path[:split]; the readers are {', '.join(READERS)}")
    if reader not in READERS:
        raise InputError(f"{spec}: unknown reader {reader!r}; the readers are {', '.join(READERS)}")
    pixels = None
    if not Path(location).expanduser().exists() and location.endswith(tuple(f":{name}" for name in PIXELS)):
        location, _, pixels = location.rpartition(":")
    path, split = _split_location(location)
    source = check_boxes(check_labels(replace(READERS[reader](path, split, topology), name=spec)))
    if reader == "synthetic":  # our renderer writes no EXIF, and labels points outside the image
        return source
    return note_outside(turn_labels(source, pixels))


def _split_location(location: str) -> tuple[Path, str | None]:
    """Split off what follows the last colon, the split, unless it is part of a path."""
    whole = Path(location).expanduser()
    path, colon, split = location.rpartition(":")
    if not colon or whole.exists() or "/" in split or "\\" in split:
        return whole, None
    return Path(path).expanduser(), split
