"""Find the pictures of a label file, however the file spells their names."""

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

_SERVER = re.compile(r"^(.*\?d=|[a-z][a-z\d+.-]*://[^/?]*)", re.IGNORECASE)
"""Begin of an address before its path; `?d=` is Label Studio's, of files beside its server."""

_COMPARED = 10_000
"""Most names that are compared. Chosen: half a second."""

_SHOWN = 3
"""Names in the message about a folder."""


def spelling(name: str) -> str:
    """Return the form in which two spellings of a name are equal.

    Per cent codes are decoded, letters with accents are of one Unicode composition (macOS takes them apart),
    and capitals are small: Windows and macOS take both for one name, so labels made there may have either.
    """
    return unicodedata.normalize("NFC", _decoded(name).casefold())


def name_parts(name: str) -> tuple[str, ...]:
    """Split the name of a picture, a path of any system or an address, into its folders and its file."""
    path = _SERVER.sub("", name)
    if path != name:
        path = path.partition("?")[0]
    return written_parts(unquote(path).replace("\\", "/"))


def written_parts(name: str) -> tuple[str, ...]:
    """Split a name into its folders and its file, taken literally."""
    if "/" not in name and name.strip("."):
        return (name,)  # most names; of a hundred thousand, pathlib is slow
    return PurePosixPath(name).parts


def _decoded(name: str) -> str:
    return unicodedata.normalize("NFC", unquote(name))


class ImagePaths:
    """The pictures of a label file.

    Args:
        file: the label file, for messages.
        anchor: heading of the data set in data/README.md.
        roots: folders that names are relative to, the likeliest first.
    """

    def __init__(self, file: Path, anchor: str, roots: Sequence[Path]) -> None:
        self.file, self.anchor, self.roots = file, anchor, roots
        self._paths: dict[Hashable, Path] = {}
        self._images: dict[Path, Hashable] = {}
        self._missing: set[Path] = set()
        self._folders: dict[Path, _Folder] = {}
        self._below: dict[tuple[Path, tuple[str, ...], bool], _Folder | None] = {}

    def find(self, name: str, image: Hashable) -> Path:
        """Return the path of a picture, even if it is missing: `require` raises then.

        Args:
            name: as the label file has it.
            image: what the file calls it by, an id or the name: another one may not lead to the same path.

        Raises:
            ValueError: if another one does, or if several files could be meant.
        """
        if image not in self._paths:
            path = next(self._matches(name), None)
            if path is None:
                path = Path(name)
                self._missing.add(path)
            other = self._images.setdefault(path, image)
            if other != image:
                raise ValueError(
                    f"{self.file}: images {other} and {image} both lead to {path}; give each picture a name "
                    "of its own, with the folders that tell them apart"
                )
            self._paths[image] = path
        return self._paths[image]

    def _matches(self, name: str) -> Iterator[Path]:
        """Yield a name as it is written; then without more and more of its folders, which are a server's own.

        Each is taken literally below all roots before other spellings of it are.
        """
        for *below, file in _tails(name):
            for literal in (True, False):
                for root in self.roots:
                    if (folder := self._folder(root, tuple(below), literal)) is None:
                        continue
                    found = file if literal else self._alike(folder, file)
                    if found in folder.files:
                        yield folder.path / found

    def _folder(self, root: Path, below: tuple[str, ...], literal: bool) -> "_Folder | None":
        key = root, below, literal
        if key not in self._below:
            found = self._listed(root.joinpath(*below)) if literal else self._descend(root, below)
            self._below[key] = found
        return self._below[key]

    def _descend(self, root: Path, below: tuple[str, ...]) -> "_Folder | None":
        folder = self._listed(root)
        for name in below:
            found = name if name in ("/", "..") else self._alike(folder, name)
            if found is None:
                return None
            folder = self._listed(folder.path / found)
        return folder

    def _listed(self, path: Path) -> "_Folder":
        """List each folder once, when it is needed: file by file is slow."""
        if path not in self._folders:
            self._folders[path] = _Folder(path)
        return self._folders[path]

    def _alike(self, folder: "_Folder", name: str) -> str | None:
        """Return the one name in a folder that is another spelling of this one."""
        found = folder.alike(name)
        for form in (str, _decoded):
            if nearer := {other for other in found if form(other) == form(name)}:
                found = nearer
                break
        if len(found) > 1:
            first, second, *_ = sorted(found)
            raise ValueError(
                f"{self.file}: {name} can be {first} or {second} in {folder.path}; spell it as one of them"
            )
        return next(iter(found), None)

    def require(self, paths: Iterable[Path]) -> None:
        """Raise FileNotFoundError if some of these paths are of missing pictures."""
        needed = set(paths)
        if missing := sorted(needed & self._missing):
            raise FileNotFoundError(
                f"{len(missing)} of {len(needed)} pictures in {self.file} are missing, first {missing[0]}: "
                f"{self._instead(str(missing[0]))}; put them into {self.roots[0]}, "
                f"see data/README.md#{self.anchor}"
            )

    def _instead(self, name: str) -> str:
        """Say which picture has nearly this name, or what there is."""
        paths = (folder.path / file for folder in self._folders.values() for file in folder.files)
        files = {spelling(path.name): path for path in paths if path != self.file}
        wanted = spelling(PurePosixPath(*name_parts(name)).name)
        if close := difflib.get_close_matches(wanted, islice(sorted(files), _COMPARED), n=1):
            return f"the nearest name is {files[close[0]]}"
        fullest = max(map(self._listed, self.roots), key=lambda folder: len(folder.names))
        if not fullest.names:
            return f"{fullest.path} is {'empty' if fullest.path.is_dir() else 'missing'}"
        more = len(fullest.names) - _SHOWN
        return f"{fullest.path} holds {', '.join(fullest.names[:_SHOWN])}" + f" and {more} more" * (more > 0)


def _tails(name: str) -> Iterator[tuple[str, ...]]:
    """Yield the parts of a name as it is written, then of what it means, from all to the last one alone."""
    if written := written_parts(name):
        yield written
    meant = name_parts(name)
    yield from (meant[start:] for start in range(int(meant == written), len(meant)))


class _Folder:
    """The names of what a folder holds; none if there is no such folder.

    Attributes:
        path: of the folder.
        files: names of its files.
        folders: all other names.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: set[str] = set()
        self.folders: set[str] = set()
        with suppress(OSError, ValueError), os.scandir(path) as entries:  # too long a name, or a zero in it
            for entry in entries:
                is_file = Path(entry.path).is_file() if entry.is_symlink() else entry.is_file()
                (self.files if is_file else self.folders).add(entry.name)

    @property
    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted([*self.files, *(f"{name}/" for name in self.folders)])

    def alike(self, name: str) -> set[str]:
        """Return the names that equal a name but for their spelling."""
        return self._by_spelling.get(spelling(name), set())

    @cached_property
    def _by_spelling(self) -> dict[str, set[str]]:
        names: defaultdict[str, set[str]] = defaultdict(set)
        for name in self.files | self.folders:
            names[spelling(name)].add(name)
        return dict(names)
