"""The upper-body model of 2020: the first 25 landmarks of MediaPipe Pose, in a crop around the shoulders.

It serves people whose hips are outside the picture: shoulders and face are enough.

Source: docs/reference/mediapipe.md section 7.
"""

from blazepose.topologies.full_body import FULL_BODY
from blazepose.topology import HIPS, SHOULDERS, RoiRule, Topology

UPPER_BODY = Topology(
    name="upper_body",
    landmarks=FULL_BODY.landmarks[:25],
    skeleton=(
        "nose left_eye_inner left_eye left_eye_outer left_ear, mouth_left mouth_right,"
        "right_shoulder left_shoulder left_elbow left_wrist left_pinky left_index left_wrist left_thumb,"
        "left_shoulder left_hip right_hip"
    ),
    roi=RoiRule(
        center=SHOULDERS,
        upward=(HIPS, SHOULDERS),
        enclosed=("left_elbow", "right_elbow", "left_wrist", "right_wrist", *HIPS),
        expansion=1.5,
        detector_points=("shoulders", "upper_circle"),
        upward_by_head=True,
    ),
)
