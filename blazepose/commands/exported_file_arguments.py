"""Arguments of the commands for exported files: check, serve, benchmark. No heavy imports."""

import argparse
from collections.abc import Callable
from pathlib import Path


def add_check(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `blazepose check`."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help=".task or .tflite, of anybody")


def add_serve(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `blazepose serve`."""
    parser.add_argument("bundle", type=Path, help=".task: exported, or Google's")
    parser.add_argument(
        "second", type=Path, nargs="?", help=".task to run on the same frames, as that before a fine-tuning"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="new folder for the page, to put on a web server"
    )
    parser.add_argument(
        "--host",
        help="address to listen on; default: 127.0.0.1, this machine only; 0.0.0.0: also others",
    )
    parser.add_argument("--port", type=number(0, 65535), help="default: 8000; 0: a free one")
    parser.add_argument(
        "--tasks-vision",
        type=Path,
        metavar="FILE",
        help="npm tarball of @mediapipe/tasks-vision that you have, instead of npm",
    )


def add_benchmark(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `blazepose benchmark`."""
    add = parser.add_argument
    add(
        "files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help=".task, .tflite or .onnx; .mlpackage for its size and the results of phones",
    )
    add(
        "--threads",
        type=number(1, 256),
        nargs="+",
        default=[1, 2],
        metavar="N",
        help="numbers of threads of the networks; default: 1 2",
    )
    add(
        "--rounds",
        type=number(6),
        default=30,
        metavar="N",
        help="rounds of the latency, from 6; default: %(default)s",
    )
    add("--picture", type=Path, metavar="FILE", help="image of one person: jitter, and input of the networks")
    add(
        "--video",
        type=Path,
        metavar="FILE",
        help="frames per second of each .task on its first 100 frames; without --picture jitter on the first",
    )
    add(
        "--data",
        action="append",
        default=[],
        metavar="READER:PATH",
        help="labelled people for PCK; may be repeated",
    )
    add("--markdown", type=Path, metavar="FILE", help=".md to write; must be new")
    add("--csv", type=Path, metavar="FILE", help=".csv to write, a row per file; must be new")
    add(
        "--phone",
        choices=("android", "ios"),
        help="print the commands that benchmark the files on a phone, and measure nothing",
    )
    add(
        "--results",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="what the commands of --phone have written: file or folder; may be repeated",
    )


def number(low: int, high: int = 10**9) -> Callable[[str], int]:
    """Return a parser of whole numbers from `low` to `high`."""

    def parse(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(
                f"{text} is not a number from {low}" + f" to {high}" * (high < 10**9)
            )
        return int(text)

    return parse
