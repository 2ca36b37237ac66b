"""Errors that the user of a command or of the package can correct.

Their messages are complete: the value or the file, what is wrong with it, and the next step. Commands print
them without a traceback (blazepose.errors). Each is also an error of Python's own kind, so that
`except ValueError` and `except FileNotFoundError` catch them.
"""


class BlazePoseError(Exception):
    """Base class of these errors."""


class InputError(BlazePoseError, ValueError):
    """A value, an option or the content of a file is invalid."""


class MissingFileError(BlazePoseError, FileNotFoundError):
    """A file or a folder is missing."""


class ExistingFileError(BlazePoseError, FileExistsError):
    """An output exists, and would be overwritten."""


class FileError(BlazePoseError, OSError):
    """A file or a folder cannot be read or written."""


class MissingPackageError(BlazePoseError, ImportError):
    """An optional package is not installed."""


class ProcessError(BlazePoseError, ChildProcessError):
    """Another process of the same work has failed or was lost."""


class DownloadError(BlazePoseError, ConnectionError):
    """A package manager cannot fetch a file."""


def install_command(extra: str) -> str:
    """Return the command that adds an extra to the installed package, a clone's too."""
    return f'pip install "blazepose[{extra}]"'
