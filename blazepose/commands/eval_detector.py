"""Evaluate one or more detectors on the same images: recall, precision, AP and ROI accuracy.

blazepose eval-detector pose_landmarker_full.task runs/detector/RUN --data coco:data/coco:val2017
"""

from collections.abc import Mapping

from blazepose.commands.main import parse
from blazepose.data.annotated_image import group_by_image
from blazepose.data.image_folders import find_image_files
from blazepose.data.readers import read_source
from blazepose.errors import friendly_errors
from blazepose.evaluation.detector_metrics import DETECTOR_METRICS
from blazepose.evaluation.detector_score import detector_metrics, false_alarms, score_images
from blazepose.evaluation.engine_registry import open_detector
from blazepose.exceptions import InputError
from blazepose.metrics.detection import LEAST_SCORE
from blazepose.runs import resolve_named_weights
from blazepose.topologies import find_topology

_COLUMNS = {metric.key: metric.column for metric in DETECTOR_METRICS}


@friendly_errors
def main(arguments: list[str] | None = None) -> None:
    """Print a table for each data set, and one for the negative images."""
    args = parse("eval-detector", arguments)
    if not (args.data or args.negatives):
        raise InputError(
            "nothing to evaluate: give labelled people with --data, or negative images with --negatives"
        )
    topology = find_topology(args.topology)
    weights = [resolve_named_weights(name) for name in args.weights]
    detectors = {path: open_detector(path, LEAST_SCORE) for path in weights}
    for spec in args.data:
        source = read_source(spec)
        images = group_by_image([source], "--data")
        people = sum(len(image.people) for image in images)
        print(f"\n{spec}: {people} people in {len(images)} images", *source.notes, sep="\n")
        print("  " + "".join(f"{title:>{_width(title)}}" for title in _COLUMNS.values()))
        for path, detector in detectors.items():
            print(_row(detector_metrics(score_images(detector, images, topology))) + f"  {path}")
    negatives = find_image_files(args.negatives, "--negatives")
    if negatives:
        print(f"\nfalse alarms in {len(negatives)} negative images")
        for path, detector in detectors.items():
            print(f"  {false_alarms(detector, negatives):10.1f} %  {path}")


def _row(metrics: Mapping[str, float]) -> str:
    return "  " + "".join(f"{metrics[key]:{_width(title)}.1f}" for key, title in _COLUMNS.items())


def _width(title: str) -> int:
    return max(len(title) + 2, 10)


if __name__ == "__main__":
    main()
