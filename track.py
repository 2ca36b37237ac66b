"""Follow people in pictures and videos: `python track.py VIDEO --weights my_pose.task --out seen.mp4`."""

import argparse
import math
from pathlib import Path

from blazepose.errors import end, friendly_errors
from blazepose.geometry import Roi
from blazepose.runtime.media import open_source
from blazepose.runtime.session import track_source
from blazepose.runtime.tracker import PoseTracker, TrackerOptions


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="Find people in pictures or follow them through videos. "
        "Ctrl-C and SIGTERM end it and keep what has been done."
    )
    parser.add_argument(
        "input", help="picture, folder of pictures, video, a stream's address, or a camera's number"
    )
    parser.add_argument(
        "--weights", type=Path, required=True, help=".task, or landmark network .tflite, .onnx"
    )
    parser.add_argument(
        "--detector", type=Path, help="file whose detector is used; default: the bundle's own"
    )
    parser.add_argument("--out", type=Path, help="overlay to write: video, picture, or folder of pictures")
    parser.add_argument("--landmarks", type=Path, help="JSON lines to write, one a frame")
    parser.add_argument(
        "--roi",
        metavar="X,Y,SIDE,DEGREES",
        action="append",
        default=[],
        help="where a person is in the first frame, or in every picture; the detector is not asked there: "
        "centre and side in pixels, turn; --roi=-5,... if the first is negative; may be repeated",
    )
    parser.add_argument(
        "--people", type=int, default=TrackerOptions.people, help="at most so many; default: %(default)s"
    )
    parser.add_argument(
        "--min-detection",
        type=float,
        default=TrackerOptions.min_detection,
        help="score from which the detector sees a person; default: %(default)s",
    )
    parser.add_argument(
        "--min-presence",
        type=float,
        default=TrackerOptions.min_presence,
        help="score above which a person is still there; default: %(default)s",
    )
    parser.add_argument("--no-smooth", action="store_true", help="landmarks as the network says them")
    parser.add_argument("--mask", action="store_true", help="tint people in the overlay")
    parser.add_argument("--threads", type=int, help="of the networks; default: every core")
    return parser.parse_args()


@friendly_errors
def main() -> None:
    """Open, look, write, and say what was found."""
    args = arguments()
    if not (args.out or args.landmarks):
        raise ValueError("nothing to write: name an overlay with --out, JSON lines with --landmarks, or both")
    if args.mask and not args.out:
        raise ValueError("--mask tints people in the overlay; name one with --out")
    rois = [parse_roi(text) for text in args.roi]
    if len(rois) > args.people:
        raise ValueError(f"--roi names {len(rois)} people; follow them with --people {len(rois)}")
    footage = open_source(args.input)
    tracker = PoseTracker.load(
        args.weights,
        args.detector,
        args.threads,
        people=args.people,
        video=footage.rate is not None,
        smooth=not args.no_smooth,
        mask=args.mask,
        min_detection=args.min_detection,
        min_presence=args.min_presence,
    )
    trained = tracker.metadata.get("trained")
    if args.mask and trained is not None and "segmentation" not in trained.get("outputs", ()):
        raise ValueError(f"{args.weights} never learned masks: leave --mask away")
    if not (tracker.detects or rois):
        raise ValueError(
            f"{args.weights} holds no detector: name a file that has one with --detector, "
            "or say with --roi where the person is"
        )
    out, landmarks = (path and path.expanduser() for path in (args.out, args.landmarks))
    found = track_source(footage, tracker, rois, out, landmarks)
    unit = "pictures" if footage.rate is None else "frames"
    people = "" if footage.rate is None else f", {found.people} different"
    ended = "stopped; " if found.stopped else ""
    print(f"{ended}people in {found.with_people} of {found.frames} {unit}{people}")
    for path in filter(None, (out, landmarks)):
        print(path)
    if found.stopped:
        kept = " and ".join(str(path) for path in (out, landmarks) if path)
        end(found.stopped, f"{kept} hold the first {found.frames} {unit}; for all of them name other files")


def parse_roi(text: str) -> Roi:
    """`X,Y,SIDE,DEGREES` as an ROI.

    Raises:
        ValueError: if it is something else.
    """
    try:
        x, y, side, degrees = map(float, text.split(","))
    except ValueError:
        raise ValueError(f"--roi {text}: four numbers, X,Y,SIDE,DEGREES, as in --roi 310,240,420,0") from None
    return Roi(x, y, side, math.radians(degrees))


if __name__ == "__main__":
    main()
