"""Whom detectors find, and how near the ROI is: one or several on the same pictures.

python -m blazepose.detection pose_landmarker_full.task runs/detector/detector-TIME --data
coco:data/coco:val2017
"""

import argparse
from collections.abc import Mapping

from blazepose.data.annotated_image import group_by_image
from blazepose.data.datamodule import find_image_files
from blazepose.data.readers import read_source
from blazepose.errors import friendly_errors
from blazepose.evaluation.detector_score import false_alarms, score_detector
from blazepose.evaluation.engine_registry import open_detector
from blazepose.metrics.detection import LEAST_SCORE
from blazepose.training.runs import resolve_named_weights

_EPILOG = """\
found %     people to whom an answer of at least 0.5 belongs: its middle is less than half a side off
right %     of these answers, those that belong to somebody
AP overlap  average precision over all answers, an answer right if the boxes overlap by half; Google's
            detector says one size for everybody
AP place    the same, an answer right if the middle is less than half a side off
good ROI %  people whose ROI is near enough for the landmark network: a tenth of its side in place and in
            size, and 8 degrees
centre, side, turn   medians of these errors over people who were found: % of the ROI's side, degrees

Pictures in which nobody has hips, shoulders and head labelled are not looked at; people without these labels,
crowds, and people smaller than 3 % of the picture are neither right nor wrong.
"""

_COLUMNS = {
    "recall": "found %",
    "precision": "right %",
    "ap": "AP overlap",
    "ap_place": "AP place",
    "roi_good": "good ROI %",
    "roi_center": "centre %",
    "roi_side": "side %",
    "roi_rotation_deg": "turn deg",
}
"""Of metrics.detection.detection_figures."""


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m blazepose.detection",
        description=__doc__.splitlines()[0],
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("weights", nargs="+", help="run folder, .ckpt, .task, .tflite or .onnx")
    parser.add_argument(
        "--data", action="append", default=[], metavar="READER:PATH", help="labelled people; may be repeated"
    )
    parser.add_argument(
        "--negatives",
        action="append",
        default=[],
        metavar="DIR",
        help="people-free pictures; may be repeated",
    )
    return parser.parse_args(arguments)


@friendly_errors
def main(arguments: list[str] | None = None) -> None:
    """Print a table for each set of people, and one for the people-free pictures."""
    args = _parse(arguments)
    if not (args.data or args.negatives):
        raise ValueError("nothing to look at: name labelled people with --data, or pictures with --negatives")
    weights = [resolve_named_weights(name) for name in args.weights]
    detectors = {path: open_detector(path, LEAST_SCORE) for path in weights}
    for spec in args.data:
        source = read_source(spec)
        scenes = group_by_image([source], "--data")
        people = sum(len(scene.people) for scene in scenes)
        print(f"\n{spec}: {people} people in {len(scenes)} pictures", *source.notes, sep="\n")
        print("  " + "".join(f"{title:>12}" for title in _COLUMNS.values()))
        for path, detector in detectors.items():
            print(_row(score_detector(detector, scenes)) + f"  {path}")
    pictures = find_image_files(args.negatives, "--negatives")
    if pictures:
        print(f"\n{len(pictures)} people-free pictures, of which somebody is found in")
        for path, detector in detectors.items():
            print(f"  {false_alarms(detector, pictures):10.1f} %  {path}")


def _row(figures: Mapping[str, float]) -> str:
    return "  " + "".join(f"{figures[name]:12.1f}" for name in _COLUMNS)


if __name__ == "__main__":
    main()
