"""Fetch Google's published weights with pip or npm, and pack them as a .task bundle."""

from collections.abc import Sequence
from pathlib import Path

from blazepose.atomic import atomic_path
from blazepose.commands.main import parse
from blazepose.errors import friendly_errors
from blazepose.exceptions import ExistingFileError, InputError, MissingFileError
from blazepose.export.google_weights import DETECTOR, LANDMARK_NETWORKS, find_networks, pack_bundle
from blazepose.package_download import Package, downloaded

# The wheels of all platforms have the same networks; later versions have none.
_WHEEL = Package(
    "mediapipe 0.10.21",
    (
        "pip",
        "download",
        "mediapipe==0.10.21",
        "--no-deps",
        "--only-binary=:all:",
        "--platform=manylinux_2_28_x86_64",
        "--python-version=3.12",
    ),
    ("--disable-pip-version-check", "--dest"),
)
_TARBALL = Package(
    "@mediapipe/pose 0.5.1675469404",
    ("npm", "pack", "@mediapipe/pose@0.5.1675469404"),
    ("--loglevel=error", "--pack-destination"),
)
_NETWORKS = {_WHEEL: (DETECTOR, "full"), _TARBALL: LANDMARK_NETWORKS}
"""{package: names of the networks inside}."""


@friendly_errors
def main(arguments: list[str] | None = None) -> None:
    """Collect the two networks, pack them, and print the source and the next steps."""
    args = parse("weights", arguments)
    out = (args.out or Path(f"pose_landmarker_{args.model}.task")).expanduser()
    _require_new_bundle(out)
    networks, sources = _collect(args.model, [path.expanduser() for path in args.files])
    content = pack_bundle(networks, args.model)
    with atomic_path(out) as part:
        part.write_bytes(content)
    print(
        f"{out}: Google's {args.model} and pose detector, {len(content) / 1e6:.1f} MB, license Apache-2.0\n"
        f"  from {' and '.join(sources)}, SHA-256 checked\n"
        f"  track      blazepose track VIDEO --weights {out} --out overlay.mp4\n"
        f"  fine-tune  blazepose train model={args.model} init={out} experiment=finetune ..."
    )


def _require_new_bundle(out: Path) -> None:
    """Check the file to write before anything is fetched."""
    if out.suffix != ".task":
        raise InputError(f"--out {out}: the file must end in .task")
    if out.exists():
        raise ExistingFileError(f"{out} exists; choose another --out, or delete it first")
    if not out.absolute().parent.is_dir():
        raise MissingFileError(f"--out {out}: its folder does not exist; create it first")


def _collect(model: str, files: Sequence[Path]) -> tuple[dict[str, bytes], list[str]]:
    """Return the landmark network and the detector, and where they are from.

    The user's files come first; packages are fetched for what these lack.
    """
    networks: dict[str, bytes] = {}
    sources = [str(path) for path in files]
    for path in files:
        networks |= find_networks(path)
    for package, names in _NETWORKS.items():
        if {DETECTOR, model} & set(names) - set(networks):
            networks |= _fetch(package, model)
            sources.append(package.title)
    return networks, sources


def _fetch(package: Package, model: str) -> dict[str, bytes]:
    """Download a package and return its networks."""
    by_hand = (
        f"run `{package.command_line}` on a machine where it works, and give the file with --from; or "
        f"download pose_landmarker_{model}.task from Google's page of the Pose Landmarker (MediaPipe, Models)"
    )
    with downloaded(package, by_hand) as file:
        return find_networks(file)


if __name__ == "__main__":
    main()
