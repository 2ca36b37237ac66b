"""Benchmark exported files side by side: `blazepose benchmark mine.task pose_landmarker_full.task`."""

import shlex
import sys
from pathlib import Path

from blazepose.atomic import atomic_path
from blazepose.benchmark.files import open_files
from blazepose.benchmark.machine import describe_machine
from blazepose.benchmark.measure import BenchmarkOptions, measure
from blazepose.benchmark.phone_commands import PHONES
from blazepose.benchmark.table import to_csv, to_markdown
from blazepose.commands.main import parse
from blazepose.errors import friendly_errors
from blazepose.exceptions import ExistingFileError, InputError, MissingFileError


@friendly_errors
def main(arguments: list[str] | None = None) -> None:
    """Print the table and write it to files, or print the commands for a phone."""
    arguments = sys.argv[1:] if arguments is None else arguments
    args = parse("benchmark", arguments)
    outputs = {
        suffix: path.expanduser() for suffix, path in ((".md", args.markdown), (".csv", args.csv)) if path
    }
    for suffix, path in outputs.items():
        _require_new(path, suffix)
    files = open_files([path.expanduser() for path in args.files])
    threads = tuple(sorted(set(args.threads)))
    if args.phone:
        if outputs or args.data or args.picture or args.video or args.results:
            raise InputError(
                "--phone prints commands and measures nothing: omit the other options but --threads"
            )
        print(*PHONES[args.phone](files, threads), sep="\n")
        return
    options = BenchmarkOptions(
        threads=threads,
        rounds=args.rounds,
        picture=args.picture and args.picture.expanduser(),
        video=args.video and args.video.expanduser(),
        data=tuple(args.data),
        results=tuple(path.expanduser() for path in args.results),
    )
    rows, notes = measure(files, options)
    names = [file.name for file in files]
    below = [
        *notes,
        f"Machine: {describe_machine()}.",
        f"`{shlex.join(['blazepose', 'benchmark', *arguments])}`",
    ]
    text = "\n".join([to_markdown(names, rows), "", *(f"- {line}" for line in below)])
    print(text)
    contents = {".md": f"{text}\n", ".csv": to_csv(names, rows)}
    for suffix, path in outputs.items():
        with atomic_path(path) as part:
            part.write_text(contents[suffix], encoding="utf-8")


def _require_new(path: Path, suffix: str) -> None:
    option = {".md": "--markdown", ".csv": "--csv"}[suffix]
    if path.suffix != suffix:
        raise InputError(f"{option} {path}: the file must end in {suffix}")
    if path.exists():
        raise ExistingFileError(f"{option} {path} exists; choose another name, or delete it first")
    if not path.absolute().parent.is_dir():
        raise MissingFileError(f"{option} {path}: its folder does not exist; create it first")


if __name__ == "__main__":
    main()
