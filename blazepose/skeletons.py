"""Keypoints of other data sets, by the names of the topologies' landmarks.

Each skeleton is {index of the keypoint in the source: landmark name}. A keypoint whose name the topology of a
training lacks, or that has no counterpart (neck, head top, ...), still enlarges the crop of the whole body.
"""

from collections.abc import Mapping

_COCO17_NAMES = (
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow "
    "left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle"
)
COCO17: Mapping[int, str] = dict(enumerate(_COCO17_NAMES.split()))
"""Source: the COCO keypoint task's category entry."""

_LSP12_NAMES = (
    "right_ankle right_knee right_hip left_hip left_knee left_ankle "
    "right_wrist right_elbow right_shoulder left_shoulder left_elbow left_wrist"
)
LSP14: Mapping[int, str] = dict(enumerate(_LSP12_NAMES.split()))
"""Source: Leeds Sports Pose (Extended) README."""
LSP14_NAMES: tuple[str, ...] = (*LSP14.values(), "neck", "head_top")

MPII16: Mapping[int, str] = {
    0: "right_ankle",
    1: "right_knee",
    2: "right_hip",
    3: "left_hip",
    4: "left_knee",
    5: "left_ankle",
    10: "right_wrist",
    11: "right_elbow",
    12: "right_shoulder",
    13: "left_shoulder",
    14: "left_elbow",
    15: "left_wrist",
}
"""Source: the MPII Human Pose README; 6 pelvis, 7 thorax, 8 upper neck, 9 head top."""

COCO_WHOLEBODY133: Mapping[int, str] = {
    **COCO17,
    17: "left_foot_index",
    19: "left_heel",
    20: "right_foot_index",
    22: "right_heel",
    # 23..90 is the 68-point face.
    23 + 36: "right_eye_outer",
    23 + 39: "right_eye_inner",
    23 + 42: "left_eye_inner",
    23 + 45: "left_eye_outer",
    23 + 48: "mouth_right",
    23 + 54: "mouth_left",
    # 91..111 left hand, 112..132 right hand, each 21 points: wrist, then four per finger from the thumb.
    91 + 3: "left_thumb",
    91 + 5: "left_index",
    91 + 17: "left_pinky",
    112 + 3: "right_thumb",
    112 + 5: "right_index",
    112 + 17: "right_pinky",
}
"""Source: the COCO-WholeBody README. The big toe is the foot index."""

HALPE136: Mapping[int, str] = {
    **COCO17,
    # 17 head, 18 neck, 19 hip; the feet alternate left and right.
    20: "left_foot_index",
    21: "right_foot_index",
    24: "left_heel",
    25: "right_heel",
    26 + 36: "right_eye_outer",
    26 + 39: "right_eye_inner",
    26 + 42: "left_eye_inner",
    26 + 45: "left_eye_outer",
    26 + 48: "mouth_right",
    26 + 54: "mouth_left",
    94 + 3: "left_thumb",
    94 + 5: "left_index",
    94 + 17: "left_pinky",
    115 + 3: "right_thumb",
    115 + 5: "right_index",
    115 + 17: "right_pinky",
}
"""Source: the Halpe Full-Body README."""
