"""The files of the page: HTML and scripts, MediaPipe's runtime, bundles, licenses.

A site is {path below the page's address: content}: the server sends it, or it is written as a folder.
"""

import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from blazepose import __version__
from blazepose.atomic import atomic_path
from blazepose.exceptions import ExistingFileError, InputError
from blazepose.file_content import check_file
from blazepose.runtime.draw import LEFT_COLOR, MIDDLE_COLOR, RIGHT_COLOR
from blazepose.runtime.inference_sessions import tflite_metadata
from blazepose.runtime.tracker import PoseTracker
from blazepose.task_bundle import BUNDLE, DETECTOR_ENTRY, read_tflite
from blazepose.topologies.full_body import FULL_BODY, LANDMARKS
from blazepose.web.tasks_vision import PACKAGE

Site = Mapping[str, bytes]

_CSP = re.compile(r'http-equiv="Content-Security-Policy"\s+content="([^"]+)"')

_NOTICE = """\
The page is of blazepose {version}, Apache-2.0: LICENSE.txt.

The files in tasks_vision/ are of the npm package {package}: MediaPipe by Google,
Apache-2.0 (the text of LICENSE.txt), unmodified. vision_bundle.js is its vision_bundle.mjs, renamed, since
some web servers do not know that suffix.

The bundles, and the data that they were trained on, with the licenses of that data:
{bundles}
"""


class Bundle(NamedTuple):
    """A bundle of the page.

    Attributes:
        name: name that the page shows.
        content: content of the file.
        model: its network, as "full"; None where the file does not state it.
        decoding: how x and y are computed, "regression" or "heatmap"; None where the file does not state it.
        data: data sets of the training, each with its license; empty where the file does not state them.
    """

    name: str
    content: bytes
    model: str | None
    decoding: str | None
    data: Sequence[str]

    def describe(self) -> str:
        """Return the network, decoding and size in words."""
        network = f"{self.model}, " if self.model else ""
        decoding = f"decoded by {self.decoding}, " if self.decoding else ""
        return f"{network}{decoding}{len(self.content) / 1e6:.1f} MB"


def read_bundles(paths: Sequence[Path]) -> list[Bundle]:
    """Read the bundles of the page; those of one name get their path as their name."""
    bundles = [read_bundle(path) for path in paths]
    names = [bundle.name for bundle in bundles]
    return [
        bundle if names.count(bundle.name) == 1 else bundle._replace(name=str(path))
        for bundle, path in zip(bundles, paths, strict=True)
    ]


def read_bundle(path: Path) -> Bundle:
    """Read a `.task` bundle whose detector and landmark network load.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not a bundle of a detector and a landmark network.
    """
    if path.suffix != ".task" and path.exists():
        raise InputError(
            f"{path} is not a .task bundle, which the page needs: "
            f"`blazepose export --target task --weights {path}` writes one"
        )
    check_file(path, BUNDLE, "name a .task: exported by `blazepose export --target task`, or Google's")
    detector = tflite_metadata(read_tflite(path, DETECTOR_ENTRY))
    tracker = PoseTracker.load(path, num_threads=1)
    if tracker.topology != FULL_BODY:
        raise InputError(
            f"{path} has {tracker.topology.num_landmarks} landmarks, and MediaPipe Tasks, which the page runs, "
            "take 33: show it with `blazepose track`"
        )
    metadata = tracker.metadata
    return Bundle(
        path.name,
        path.read_bytes(),
        metadata.get("model"),
        metadata.get("decoding"),
        list(dict.fromkeys([*data_sets(metadata), *data_sets(detector)])),
    )


def data_sets(metadata: Mapping[str, Any]) -> list[str]:
    """Return the data sets of a training, of those before it and of its teacher, with their licenses.

    Args:
        metadata: that of the weights; empty for foreign ones.
    """
    sources = metadata.get("data", {}).get("train", [])
    found = [f"{source['name']} ({source['licence']})" for source in sources]
    for earlier in filter(None, (metadata.get("init"), metadata.get("teacher"))):
        found += data_sets(earlier)
    return list(dict.fromkeys(found))


def build_site(bundles: Sequence[Bundle], tasks_vision: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of the page.

    Args:
        bundles: one, or two that are shown side by side.
        tasks_vision: result of load_tasks_vision.
    """
    page = {path.name: path.read_bytes() for path in files(__package__).joinpath("page").iterdir()}
    runtime = {f"tasks_vision/{_served_name(name)}": content for name, content in tasks_vision.items()}
    packed = {f"bundles/{number}.task": bundle for number, bundle in enumerate(bundles, 1)}
    colors = {"left": LEFT_COLOR, "right": RIGHT_COLOR, "middle": MIDDLE_COLOR}
    settings = {
        "bundles": [
            {"file": file, "name": bundle.name, "description": bundle.describe()}
            for file, bundle in packed.items()
        ],
        "landmarks": LANDMARKS,
        "colors": {side: f"rgb{color}" for side, color in colors.items()},
    }
    return {
        **page,
        **runtime,
        **{file: bundle.content for file, bundle in packed.items()},
        "site.json": json.dumps(settings, indent=1).encode(),
        "NOTICE.txt": _notice(bundles).encode(errors="backslashreplace"),
    }


def _served_name(name: str) -> str:
    return Path(name).name.replace(".mjs", ".js")


def _notice(bundles: Sequence[Bundle]) -> str:
    lines = []
    for bundle in bundles:
        lines += [f"- {bundle.name}", *(f"    {data}" for data in bundle.data or ["not stated in the file"])]
    return _NOTICE.format(version=__version__, package=PACKAGE.title, bundles="\n".join(lines))


def security_policy(site: Site) -> str:
    """Return the Content-Security-Policy of the page, which lets nothing leave its own address."""
    match = _CSP.search(site["index.html"].decode())
    assert match
    return match[1]


def check_new(folder: Path) -> None:
    """Raise an error unless the folder is missing or empty.

    Raises:
        FileExistsError: if it is neither.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ExistingFileError(f"{folder} exists; choose another --out, or delete it first")


def write_site(site: Site, folder: Path) -> None:
    """Write the files into a new or empty folder.

    Raises:
        FileExistsError: if the folder has files.
    """
    check_new(folder)
    with atomic_path(folder) as part:
        for name, content in site.items():
            file = part / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
