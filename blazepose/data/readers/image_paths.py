"""Find the images of a label file, whatever the spelling of their names in it."""

import difflib
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from blazepose.data.guide import guide_section
from blazepose.exceptions import InputError, MissingFileError

_SERVER = re.compile(r"^(.*\?d=|[a-z][a-z\d+.-]*://[^/?]*)", re.IGNORECASE)
"""Start of a URL before its path; `?d=` is Label Studio's, for files beside its server."""

_MAX_COMPARED = 10_000
"""Most names that are compared. Chosen: half a second."""

_MAX_SHOWN = 3
"""Names in the message about a folder."""


def spelling(name: str) -> str:
    """Return the form in which two spellings of a name are equal.

    Percent codes are decoded, accented letters have one Unicode composition (macOS decomposes them), and
    letters are lower case: Windows and macOS ignore case, so labels made there may have either.
    """
    return unicodedata.normalize("NFC", _decoded(name).casefold())


def name_parts(name: str) -> tuple[str, ...]:
    """Split the name of an image, a path of any system or a URL, into its folders and its file."""
    path = _SERVER.sub("", name)
    if path != name:
        path = path.partition("?")[0]
    return written_parts(unquote(path).replace("\\", "/"))


def written_parts(name: str) -> tuple[str, ...]:
    """Split a name into its folders and its file, taken literally."""
    if "/" not in name and name.strip("."):
        return (name,)  # most names; pathlib is slow for a hundred thousand
    return PurePosixPath(name).parts


def _decoded(name: str) -> str:
    return unicodedata.normalize("NFC", unquote(name))


class ImagePaths:
    """Paths of the images of a label file.

    Args:
        file: the label file, for messages.
        doc_section: heading of the data set in data/README.md.
        roots: folders that names are relative to, the most likely first.
    """

    def __init__(self, file: Path, doc_section: str, roots: Sequence[Path]) -> None:
        self.file, self.doc_section, self.roots = file, doc_section, roots
        self._paths: dict[Hashable, Path] = {}
        self._images: dict[Path, Hashable] = {}
        self._missing: set[Path] = set()
        self._folders: dict[Path, _Folder] = {}
        self._subfolders: dict[tuple[Path, tuple[str, ...], bool], _Folder | None] = {}

    def find(self, name: str, image: Hashable) -> Path:
        """Return the path of an image, even if it is missing: `require` raises then.

        Args:
            name: as the label file has it.
            image: key of the image in the file, an id or the name; two keys may not have the same path.

        Raises:
            ValueError: if another key has the same path, or if several files match the name.
        """
        if image not in self._paths:
            path = next(self._matches(name), None)
            if path is None:
                path = Path(name)
                self._missing.add(path)
            other = self._images.setdefault(path, image)
            if other != image:
                raise InputError(
                    f"{self.file}: images {other} and {image} both lead to {path}; give each image its own "
                    "name, including the folders in which they differ"
                )
            self._paths[image] = path
        return self._paths[image]

    def _matches(self, name: str) -> Iterator[Path]:
        """Yield matches of a name as written, then with fewer and fewer of its folders (a server's own).

        Each is tried literally below all roots before other spellings of it are.
        """
        for *subfolders, file in _tails(name):
            for literal in (True, False):
                for root in self.roots:
                    if (folder := self._folder(root, tuple(subfolders), literal)) is None:
                        continue
                    match = file if literal else self._match_spelling(folder, file)
                    if match in folder.files:
                        yield folder.path / match

    def _folder(self, root: Path, subfolders: tuple[str, ...], literal: bool) -> "_Folder | None":
        key = root, subfolders, literal
        if key not in self._subfolders:
            folder = self._listed(root.joinpath(*subfolders)) if literal else self._descend(root, subfolders)
            self._subfolders[key] = folder
        return self._subfolders[key]

    def _descend(self, root: Path, subfolders: tuple[str, ...]) -> "_Folder | None":
        folder = self._listed(root)
        for name in subfolders:
            match = name if name in ("/", "..") else self._match_spelling(folder, name)
            if match is None:
                return None
            folder = self._listed(folder.path / match)
        return folder

    def _listed(self, path: Path) -> "_Folder":
        """List each folder once, when it is needed: file by file is slow."""
        if path not in self._folders:
            self._folders[path] = _Folder(path)
        return self._folders[path]

    def _match_spelling(self, folder: "_Folder", name: str) -> str | None:
        """Return the one name in a folder that is another spelling of this one."""
        matches = folder.spellings_of(name)
        for form in (str, _decoded):
            if nearer := {other for other in matches if form(other) == form(name)}:
                matches = nearer
                break
        if len(matches) > 1:
            first, second, *_ = sorted(matches)
            raise InputError(
                f"{self.file}: {name} matches {first} and {second} in {folder.path}; spell it as one of them"
            )
        return next(iter(matches), None)

    def require(self, paths: Iterable[Path]) -> None:
        """Raise FileNotFoundError if some of these images are missing."""
        needed = set(paths)
        if missing := sorted(needed & self._missing):
            raise MissingFileError(
                f"{len(missing)} of {len(needed)} images in {self.file} are missing, first {missing[0]}: "
                f"{self._suggest(str(missing[0]))}; put them into {self.roots[0]}, "
                f"see {guide_section(self.doc_section)}"
            )

    def _suggest(self, name: str) -> str:
        """Describe the image with the nearest name, or the content of the fullest folder."""
        paths = (folder.path / file for folder in self._folders.values() for file in folder.files)
        files = {spelling(path.name): path for path in paths if path != self.file}
        wanted = spelling(PurePosixPath(*name_parts(name)).name)
        if close := difflib.get_close_matches(wanted, islice(sorted(files), _MAX_COMPARED), n=1):
            return f"the nearest name is {files[close[0]]}"
        fullest = max(map(self._listed, self.roots), key=lambda folder: len(folder.names))
        if not fullest.names:
            return f"{fullest.path} is {'empty' if fullest.path.is_dir() else 'missing'}"
        names = ", ".join(fullest.names[:_MAX_SHOWN])
        more = len(fullest.names) - _MAX_SHOWN
        return f"{fullest.path} holds {names}" + f" and {more} more" * (more > 0)


def _tails(name: str) -> Iterator[tuple[str, ...]]:
    """Yield the parts of a name as written, then those of its meaning, from all to the last one alone."""
    if written := written_parts(name):
        yield written
    meant = name_parts(name)
    yield from (meant[start:] for start in range(int(meant == written), len(meant)))


class _Folder:
    """The names in a folder; none if there is no such folder.

    Attributes:
        path: the folder.
        files: names of its files.
        folders: all other names.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: set[str] = set()
        self.folders: set[str] = set()
        with suppress(OSError, ValueError), os.scandir(path) as entries:  # name too long, or with a null byte
            for entry in entries:
                is_file = Path(entry.path).is_file() if entry.is_symlink() else entry.is_file()
                (self.files if is_file else self.folders).add(entry.name)

    @property
    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted([*self.files, *(f"{name}/" for name in self.folders)])

    def spellings_of(self, name: str) -> set[str]:
        """Return the names that differ from a name in spelling only."""
        return self._by_spelling.get(spelling(name), set())

    @cached_property
    def _by_spelling(self) -> dict[str, set[str]]:
        names: defaultdict[str, set[str]] = defaultdict(set)
        for name in self.files | self.folders:
            names[spelling(name)].add(name)
        return dict(names)
