"""Download of a package with the user's own pip or npm."""

import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from blazepose.exceptions import DownloadError, MissingFileError


class Package(NamedTuple):
    """A package of a registry.

    Attributes:
        title: name and version.
        command: command line that downloads it into the current folder, pip or npm first.
        options: further options, up to that of the folder.
    """

    title: str
    command: tuple[str, ...]
    options: tuple[str, ...]

    @property
    def command_line(self) -> str:
        """The command as text."""
        return shlex.join(self.command)


@contextmanager
def downloaded(package: Package, by_hand: str) -> Iterator[Path]:
    """Download a package, with the output of the package manager, and yield its file for a while.

    Args:
        package: the package.
        by_hand: the user's way without a download, for the message of an error.

    Raises:
        FileNotFoundError: if the package manager is not installed.
        ConnectionError: if it fails.
    """
    program, *arguments = package.command
    installed = [sys.executable, "-m", "pip"] if program == "pip" else [shutil.which(program)]
    if not installed[0]:
        raise MissingFileError(
            f"{program} is not installed, which downloads {package.title}: install it; or {by_hand}"
        )
    print(f"$ {package.command_line}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([*installed, *arguments, *package.options, folder], check=False)
        if done.returncode:
            raise DownloadError(f"{program} could not download {package.title}: {by_hand}")
        (file,) = Path(folder).iterdir()
        yield file
