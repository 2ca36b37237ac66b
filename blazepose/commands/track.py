"""Track people in images and videos: `blazepose track VIDEO --weights my_pose.task --out overlay.mp4`."""

import math

from blazepose.commands.main import parse
from blazepose.errors import end, friendly_errors
from blazepose.exceptions import InputError
from blazepose.geometry import Roi
from blazepose.runtime.media import open_source
from blazepose.runtime.session import track_source
from blazepose.runtime.tracker import PoseTracker
from blazepose.supervised_outputs import SupervisedOutputs


@friendly_errors
def main(arguments: list[str] | None = None) -> None:
    """Process the input, write the outputs, and print a summary."""
    args = parse("track", arguments)
    if not (args.out or args.landmarks):
        raise InputError("nothing to write: name an overlay with --out, JSON lines with --landmarks, or both")
    if args.output_segmentation_masks and not args.out:
        raise InputError("--output-segmentation-masks tints people in the overlay; name one with --out")
    rois = [parse_roi(text) for text in args.roi]
    if len(rois) > args.num_poses:
        raise InputError(f"got {len(rois)} --roi but --num-poses {args.num_poses}; set it to {len(rois)}")
    source = open_source(args.input)
    tracker = PoseTracker.load(
        args.weights,
        args.detector,
        args.threads,
        args.delegate,
        num_poses=args.num_poses,
        running_mode="image" if source.fps is None else "video",
        smooth_landmarks=not args.no_smooth_landmarks,
        output_segmentation_masks=args.output_segmentation_masks,
        min_pose_detection_confidence=args.min_pose_detection_confidence,
        min_pose_presence_confidence=args.min_pose_presence_confidence,
        decoding=args.decode,
    )
    supervised = SupervisedOutputs.from_metadata(tracker.metadata.get("trained"), tracker.topology)
    if args.output_segmentation_masks and "segmentation" not in supervised.outputs:
        raise InputError(f"{args.weights} was not trained on masks; leave --output-segmentation-masks out")
    if not (tracker.detects or rois):
        raise InputError(
            f"{args.weights} has no detector: name a file that has one with --detector, "
            "or give the person's ROI with --roi"
        )
    out, landmarks = (path and path.expanduser() for path in (args.out, args.landmarks))
    summary = track_source(source, tracker, rois, out, landmarks)
    unit = "images" if source.fps is None else "frames"
    noun = "person" if summary.people == 1 else "people"
    people = "" if source.fps is None else f", {summary.people} {noun} in total"
    stopped = "stopped; " if summary.stopped else ""
    print(f"{stopped}people in {summary.with_people} of {summary.frames} {unit}{people}")
    for path in filter(None, (out, landmarks)):
        print(path)
    if summary.stopped:
        written = " and ".join(str(path) for path in (out, landmarks) if path)
        end(
            summary.stopped,
            f"{written} contain the first {summary.frames} {unit}; for all of them name other files",
        )


def parse_roi(text: str) -> Roi:
    """Parse `X,Y,SIDE,DEGREES` to an ROI.

    Raises:
        ValueError: if the text is not four numbers.
    """
    try:
        x, y, side, degrees = map(float, text.split(","))
    except ValueError:
        raise InputError(f"--roi {text}: four numbers, X,Y,SIDE,DEGREES, as in --roi 310,240,420,0") from None
    return Roi(x, y, side, math.radians(degrees))


if __name__ == "__main__":
    main()
