import numpy as np
import pytest

from blazepose.skeletons import COCO17, COCO_WHOLEBODY133, HALPE136, LSP14, LSP14_NAMES, MPII16
from blazepose.topologies.full_body import EDGES, INDEX, LANDMARKS, MIRROR, OUTPUTS
from blazepose.topology import mirror_index, mirror_name

SOURCES = {
    "coco": (COCO17, 17),
    "lsp": (LSP14, 14),
    "mpii": (MPII16, 16),
    "coco_wholebody": (COCO_WHOLEBODY133, 133),
    "halpe": (HALPE136, 136),
}


def test_landmarks_have_mediapipes_indices():
    indices = {
        "nose": 0,
        "left_ear": 7,
        "mouth_left": 9,
        "left_shoulder": 11,
        "right_wrist": 16,
        "left_pinky": 17,
    }
    indices |= {"right_index": 20, "left_thumb": 21, "left_hip": 23, "right_ankle": 28, "left_heel": 29}
    indices |= {"right_foot_index": 32, "roi_center": 33, "roi_scale": 34}
    assert {name: INDEX[name] for name in indices} == indices
    assert (len(LANDMARKS), len(OUTPUTS)) == (33, 39)


def test_mirror_twice_is_identity():
    assert (MIRROR[MIRROR] == np.arange(39)).all()


def test_mirror_swaps_sides_and_keeps_the_midline():
    assert [MIRROR[INDEX[name]] for name in ("left_hip", "mouth_right", "nose", "roi_scale")] == [
        24,
        9,
        0,
        34,
    ]
    assert mirror_name("left_eye_inner") == "right_eye_inner"


def test_mirror_needs_partners():
    with pytest.raises(ValueError, match="no mirror partner for left_ear among nose, left_ear"):
        mirror_index(("nose", "left_ear"))


def test_edges_are_mediapipes():
    left = {
        (0, 1),
        (1, 2),
        (2, 3),
        (3, 7),
        (11, 13),
        (13, 15),
        (15, 17),
        (15, 19),
        (15, 21),
        (17, 19),
        (11, 23),
    }
    left |= {(23, 25), (25, 27), (27, 29), (29, 31), (27, 31)}
    right = {
        (0, 4),
        (4, 5),
        (5, 6),
        (6, 8),
        (12, 14),
        (14, 16),
        (16, 18),
        (16, 20),
        (16, 22),
        (18, 20),
        (12, 24),
    }
    right |= {(24, 26), (26, 28), (28, 30), (30, 32), (28, 32)}
    assert set(EDGES) == left | right | {(9, 10), (11, 12), (23, 24)}
    assert len(EDGES) == 35


@pytest.mark.parametrize(("skeleton", "size"), SOURCES.values(), ids=SOURCES)
def test_source_maps_are_one_to_one(skeleton, size):
    names = list(skeleton.values())
    assert set(names) <= set(LANDMARKS)
    assert len(set(names)) == len(names)
    assert set(skeleton) <= set(range(size))


@pytest.mark.parametrize("skeleton", [skeleton for skeleton, _ in SOURCES.values()], ids=SOURCES)
def test_source_maps_name_both_sides(skeleton):
    names = set(skeleton.values())
    assert {mirror_name(name) for name in names} == names


def test_whole_bodies_have_all_landmarks():
    assert set(COCO_WHOLEBODY133.values()) == set(HALPE136.values()) == set(LANDMARKS)


def test_source_maps_by_hand():
    assert [COCO17[i] for i in (0, 1, 16)] == ["nose", "left_eye", "right_ankle"]
    assert [LSP14[i] for i in (0, 5, 6, 11)] == ["right_ankle", "left_ankle", "right_wrist", "left_wrist"]
    assert LSP14_NAMES[12:] == ("neck", "head_top")
    assert [MPII16[i] for i in (0, 3, 10, 13)] == ["right_ankle", "left_hip", "right_wrist", "left_shoulder"]
    # Right eye's outer corner is face point 36; WholeBody's face begins at 23, Halpe's at 26.
    assert COCO_WHOLEBODY133[59] == HALPE136[62] == "right_eye_outer"
    # WholeBody lists one foot after the other, Halpe alternates.
    assert [COCO_WHOLEBODY133[i] for i in (17, 19, 20, 22)] == [
        "left_foot_index",
        "left_heel",
        "right_foot_index",
        "right_heel",
    ]
    assert [HALPE136[i] for i in (20, 21, 24, 25)] == [
        "left_foot_index",
        "right_foot_index",
        "left_heel",
        "right_heel",
    ]
    assert COCO_WHOLEBODY133[129] == HALPE136[132] == "right_pinky"
