"""A weightlifter: COCO's 17 keypoints and the ends of the bar, in a crop around the hips."""

from blazepose.skeletons import COCO17
from blazepose.topologies.full_body import FULL_BODY
from blazepose.topology import Topology

LIFTER = Topology(
    name="lifter",
    landmarks=(*COCO17.values(), "left_bar_end", "right_bar_end"),
    skeleton=(
        "nose left_eye left_ear, right_shoulder left_shoulder left_elbow left_wrist,"
        "left_shoulder left_hip right_hip, left_hip left_knee left_ankle, left_bar_end right_bar_end"
    ),
    roi=FULL_BODY.roi,
)
