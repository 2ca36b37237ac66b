"""Check the installed wheel in an environment without torch: its files, and its command on a video."""

import importlib.util
import json
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np

import blazepose
from blazepose.runtime.media import VideoWriter

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.append(str(CHECKOUT / "tests"))
from constant_bundle import write_bundle  # noqa: E402

FRAMES = 3


def list_files(package: Path) -> set[str]:
    """Return the files of a package, relative to it, without bytecode and README files."""
    paths = [*package.rglob("*"), *(package / "configs").rglob("*")]  # rglob does not follow the symlink
    return {
        str(path.relative_to(package))
        for path in paths
        if path.is_file() and path.suffix not in (".pyc", ".md")
    }


def main() -> None:
    """Exit with a message if a file is missing or superfluous, or if no pose is tracked."""
    installed = Path(blazepose.__file__).parent
    if "site-packages" not in installed.parts:
        sys.exit(f"blazepose is imported from {installed}, not from the wheel")
    if importlib.util.find_spec("torch"):
        sys.exit("torch is installed: the check needs an environment with the bare wheel")
    if difference := list_files(CHECKOUT / "blazepose") ^ list_files(installed):
        sys.exit(f"checkout and wheel differ in {', '.join(sorted(difference))}")
    command = Path(sys.executable).with_name("blazepose")
    subprocess.run([command, "--help"], check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundle = write_bundle(folder / "constant.task")
        with VideoWriter(folder / "video.mp4", Fraction(30)) as writer:
            for number in range(FRAMES):
                writer.write(np.full((240, 320, 3), 90, np.uint8), number * 1000 / 30)
        outputs = ["--out", folder / "overlay.mp4", "--landmarks", folder / "poses.jsonl"]
        subprocess.run([command, "track", folder / "video.mp4", "--weights", bundle, *outputs], check=True)
        lines = [json.loads(line) for line in (folder / "poses.jsonl").read_text().splitlines()]
        if [len(line["poses"]) for line in lines] != [1] * FRAMES or not (folder / "overlay.mp4").is_file():
            sys.exit(f"expected one pose in each of {FRAMES} frames, got {lines}")
    print(f"{installed}: {len(list_files(installed))} files, {FRAMES} frames tracked without torch")


if __name__ == "__main__":
    main()
