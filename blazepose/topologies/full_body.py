"""MediaPipe Pose: 33 landmarks of the whole body, in a crop around the hips.

Source: docs/reference/mediapipe.md sections 2 and 3.
"""

from blazepose.topology import HIPS, SHOULDERS, RoiRule, Topology

FULL_BODY = Topology(
    name="full_body",
    landmarks=(
        "nose",
        "left_eye_inner",
        "left_eye",
        "left_eye_outer",
        "right_eye_inner",
        "right_eye",
        "right_eye_outer",
        "left_ear",
        "right_ear",
        "mouth_left",
        "mouth_right",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_pinky",
        "right_pinky",
        "left_index",
        "right_index",
        "left_thumb",
        "right_thumb",
        "left_hip",
        "right_hip",
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
        "left_heel",
        "right_heel",
        "left_foot_index",
        "right_foot_index",
    ),
    skeleton=(
        "nose left_eye_inner left_eye left_eye_outer left_ear, mouth_left mouth_right,"
        "right_shoulder left_shoulder left_elbow left_wrist left_pinky left_index left_wrist left_thumb,"
        "left_shoulder left_hip right_hip, left_hip left_knee left_ankle left_heel left_foot_index left_ankle"
    ),
    roi=RoiRule(
        center=HIPS,
        upward=(HIPS, SHOULDERS),
        enclosed=None,
        expansion=1.25,
        detector_points=("hips", "circle"),
    ),
)

LANDMARKS, OUTPUTS = FULL_BODY.landmarks, FULL_BODY.outputs
NUM_LANDMARKS, NUM_OUTPUTS = FULL_BODY.num_landmarks, FULL_BODY.num_outputs
INDEX, MIRROR, EDGES = FULL_BODY.index, FULL_BODY.mirror, FULL_BODY.edges
ROI_CENTER, ROI_SCALE = FULL_BODY.roi_center, FULL_BODY.roi_scale
LEFT_SHOULDER, RIGHT_SHOULDER = FULL_BODY.indices(SHOULDERS)
LEFT_HIP, RIGHT_HIP = FULL_BODY.indices(HIPS)
TORSO = FULL_BODY.torso
"""Short names, for code about MediaPipe's landmarks alone."""
