"""Compare two weights, or two saved evaluations: what was gained, for whom, and what was forgotten.

Weights are run on the same labelled people. The results are a report (report.md, report.html), all numbers
(comparison.json), and the evaluation of each weights.
"""

import argparse
import shlex
import shutil
import sys
from functools import partial
from pathlib import Path

from blazepose.atomic import atomic_folder, atomic_path
from blazepose.commands.main import parse
from blazepose.errors import friendly_errors, resuming
from blazepose.evaluation.compare.comparison_report import write_comparison, write_video_report
from blazepose.evaluation.compare.comparison_summary import people_lines, video_lines
from blazepose.evaluation.compare.pair import People, is_evaluation, load_pair
from blazepose.evaluation.compare.video_change import check_video, measure_video
from blazepose.evaluation.engine_registry import weights_name
from blazepose.evaluation.report.write import new_folder
from blazepose.exceptions import ExistingFileError, InputError, MissingFileError
from blazepose.runs import resolve_named_weights


@friendly_errors
def main(arguments: list[str] | None = None) -> None:
    """Write the report, and print a summary for each data set and for the video."""
    arguments = sys.argv[1:] if arguments is None else arguments
    args = parse("compare", arguments)
    pair = _resolve(args.before), _resolve(args.after)
    has_people = bool(args.data) or all(map(is_evaluation, pair))
    _check(args, pair, has_people)
    command = shlex.join(["blazepose", "compare", *arguments])
    people = People(args.data, args.metadata, args.roi or "annotation", args.decode)
    folder = new_folder(args.out, Path("compare"), "--out ")
    lines = []
    with atomic_folder(folder) as part, resuming(partial(how_to_resume, folder)):
        video = measure_video(pair, args.video) if args.video else None
        if has_people:
            runs, forgotten = load_pair(pair, people, folder)
            comparison = write_comparison(runs, part, command, forgotten, video)
            lines += people_lines(comparison)
        elif video:
            write_video_report([weights_name(path) for path in pair], video, command, part)
        if args.pictures:
            with atomic_path(args.pictures) as sheet:
                shutil.copy(part / "people.png", sheet)
    print(*lines, *(video_lines(video) if video else []), "", folder / "report.md", sep="\n")


def _resolve(name: str) -> Path:
    """Return an evaluation's folder, or the file of weights."""
    path = Path(name).expanduser()
    return path if is_evaluation(path) else resolve_named_weights(name)


def _check(args: argparse.Namespace, pair: tuple[Path, Path], has_people: bool) -> None:
    """Check the options before any work.

    Raises:
        FileExistsError: if a file would be overwritten.
        FileNotFoundError: if a file is missing.
        ValueError: if options have no effect, or cannot be combined.
    """
    if not has_people and args.video is None:
        raise InputError("nothing to evaluate: give labelled people with --data, or a --video")
    if all(map(is_evaluation, pair)) and args.data:
        raise InputError("--data is for weights, but both are saved evaluations, with their people; omit it")
    if not args.data and (args.metadata or args.roi or args.decode):
        raise InputError("--metadata, --roi and --decode need --data, the people to run weights on")
    if args.pictures is not None:
        if not has_people:
            raise InputError("--pictures needs labelled people; give them with --data")
        _require_new_png(args.pictures)
    if args.video is not None:
        check_video(pair, args.video)


def how_to_resume(folder: Path) -> str:
    """Return the next step after an interrupted comparison."""
    if saved := sorted(str(results.parent) for results in folder.glob("*/results.json")):
        return f"saved: {', '.join(saved)}; pass this instead of its weights, with another --out"
    return "run the command again"


def _require_new_png(file: Path) -> None:
    if file.suffix.lower() != ".png":
        raise InputError(f"--pictures {file}: the file must end in .png")
    if file.exists():
        raise ExistingFileError(f"--pictures {file} exists; choose another name, or delete it first")
    if not file.absolute().parent.is_dir():
        raise MissingFileError(f"--pictures {file}: its folder does not exist")


if __name__ == "__main__":
    main()
