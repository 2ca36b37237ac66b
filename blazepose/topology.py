"""The 33 landmarks, the 6 auxiliary outputs, and the mapping of other skeletons onto them.

Order and names: MediaPipe Pose (docs/reference/mediapipe.md section 3). Left and right are the person's.
"""

import itertools
from collections.abc import Iterable, Mapping

import numpy as np

from blazepose.exceptions import InputError

LANDMARKS: tuple[str, ...] = (
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
)
"""The landmarks of the API, in the order of every output."""

AUXILIARY: tuple[str, ...] = (
    "roi_center",
    "roi_scale",
    "auxiliary_35",
    "auxiliary_36",
    "auxiliary_37",
    "auxiliary_38",
)
"""Outputs 33..38. The first two drive tracking: mid-hip, and a point on the circle around it that
encloses the person, in the direction of the head. MediaPipe does not use the other four."""

OUTPUTS: tuple[str, ...] = LANDMARKS + AUXILIARY
NUM_LANDMARKS = len(LANDMARKS)
NUM_OUTPUTS = len(OUTPUTS)
INDEX: Mapping[str, int] = {name: i for i, name in enumerate(OUTPUTS)}

ROI_CENTER = INDEX["roi_center"]
ROI_SCALE = INDEX["roi_scale"]
NUM_HEATMAPS = ROI_SCALE + 1
"""Outputs with a heatmap target; the last four channels are unused."""

LEFT_SHOULDER, RIGHT_SHOULDER = INDEX["left_shoulder"], INDEX["right_shoulder"]
LEFT_HIP, RIGHT_HIP = INDEX["left_hip"], INDEX["right_hip"]
TORSO = (LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP)


def mirror_name(name: str) -> str:
    """Return the name of the point on the other side; the same name for a point on the midline.

    Examples:
        >>> from blazepose.topology import mirror_name
        >>> mirror_name("left_wrist"), mirror_name("mouth_right"), mirror_name("nose")
        ('right_wrist', 'mouth_left', 'nose')
    """
    swap = {"left": "right", "right": "left"}
    return "_".join(swap.get(word, word) for word in name.split("_"))


def mirror_index(names: tuple[str, ...]) -> np.ndarray:
    """Compute the indices that swap left and right: `points[mirror_index(names)]`, int64 (len(names),).

    Raises:
        ValueError: if a left or right name has no partner.

    Examples:
        >>> from blazepose.topology import LANDMARKS, mirror_index
        >>> mirror_index(("nose", "left_wrist", "right_wrist"))
        array([0, 2, 1])
        >>> LANDMARKS[mirror_index(LANDMARKS)[LANDMARKS.index("left_heel")]]
        'right_heel'
    """
    position = {name: i for i, name in enumerate(names)}
    missing = [name for name in names if mirror_name(name) not in position]
    if missing:
        raise InputError(f"no mirror partner for {', '.join(missing)} among {', '.join(names)}")
    return np.array([position[mirror_name(name)] for name in names])


MIRROR = mirror_index(OUTPUTS)
"""Indices that swap left and right of all 39 outputs; the first 33 do so for the landmarks."""


def both_sides(names: Iterable[str]) -> list[int]:
    """Return the indices of these landmarks and of their partners on the other side."""
    points = {INDEX[name] for name in names}
    return sorted(points | {int(MIRROR[point]) for point in points})


def _edges(text: str) -> tuple[tuple[int, int], ...]:
    pairs = []
    for chain in text.split(","):
        pairs += list(itertools.pairwise(chain.split()))
    edges = [(INDEX[a], INDEX[b]) for a, b in pairs]
    edges += [(int(MIRROR[a]), int(MIRROR[b])) for a, b in edges]
    return tuple(sorted({(min(edge), max(edge)) for edge in edges}))


EDGES = _edges(
    "nose left_eye_inner left_eye left_eye_outer left_ear, mouth_left mouth_right,"
    "right_shoulder left_shoulder left_elbow left_wrist left_pinky left_index left_wrist left_thumb,"
    "left_shoulder left_hip right_hip, left_hip left_knee left_ankle left_heel left_foot_index left_ankle"
)
"""MediaPipe's skeleton: pairs of landmark indices."""

# --- source skeletons ---------------------------------------------------------------------------
# Each is {keypoint index in the source: our landmark name}. Keypoints of a source that have no
# counterpart (neck, head top, ...) still enlarge the aligned crop.

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
