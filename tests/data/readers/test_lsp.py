from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from blazepose.data.annotation import HIDDEN, UNKNOWN, VISIBLE
from blazepose.data.readers import lsp, read_source
from blazepose.topologies.full_body import INDEX


def make(folder: Path, joints: np.ndarray, digits: int = 5) -> Path:
    """Write a data set; joints (people, 14, 3) are stored as LSP-Extended stores them."""
    (folder / "images").mkdir()
    for number in range(1, len(joints) + 1):
        (folder / f"images/im{number:0{digits}d}.jpg").touch()
    savemat(folder / "joints.mat", {"joints": joints.transpose(1, 2, 0)})
    return folder


def person(flag: int = 1) -> np.ndarray:
    """Return joint i at (10 i, 10 i + 1)."""
    return np.array([[10 * i, 10 * i + 1, flag] for i in range(14)], float)


def test_extended(tmp_path):
    joints = np.stack([person(), person()])
    joints[1, 0] = [0, 0, 0]
    source = lsp.read(make(tmp_path, joints), None)
    assert [a.person for a in source.annotations] == ["1", "2"]
    first, second = source.annotations
    assert first.image == tmp_path / "images/im00001.jpg"
    assert first.landmarks_px[INDEX["right_ankle"]].tolist() == [0, 1]
    assert first.landmarks_px[INDEX["left_wrist"]].tolist() == [110, 111]
    assert first.extra_px.tolist() == [[120, 121], [130, 131]]
    assert (first.labelled.sum(), second.labelled.sum()) == (12, 11)
    assert not second.labelled[INDEX["right_ankle"]]
    assert (first.visibility == UNKNOWN).all()


def test_original_flags_occlusion(tmp_path):
    joints = np.stack([person(flag=0), person(flag=0)])
    joints[0, 6, 2] = 1
    make(tmp_path, joints, digits=4)
    savemat(tmp_path / "joints.mat", {"joints": joints.transpose(2, 1, 0)})
    source = lsp.read(tmp_path, None)
    first = source.annotations[0]
    assert first.image.name == "im0001.jpg"
    assert first.labelled.sum() == 12
    assert first.visibility[INDEX["right_wrist"]] == HIDDEN
    assert first.visibility[INDEX["left_wrist"]] == VISIBLE


def test_original_splits(tmp_path):
    joints = np.stack([person(flag=0)] * 1002)
    make(tmp_path, joints, digits=4)
    savemat(tmp_path / "joints.mat", {"joints": joints.transpose(2, 1, 0)})
    train, test = lsp.read(tmp_path, "train"), lsp.read(tmp_path, "test")
    assert [len(train.annotations), len(test.annotations)] == [1000, 2]
    assert [a.person for a in test.annotations] == ["1001", "1002"]
    with pytest.raises(ValueError, match="has no split 'val'; it has train, test"):
        lsp.read(tmp_path, "val")


def test_our_splits_of_the_extended_set(tmp_path):
    joints = np.stack([person()] * 10_000)
    file = make(tmp_path, joints[:1]) / "joints.mat"
    savemat(file, {"joints": joints.transpose(1, 2, 0)})
    for number in range(1, 10_001):
        (tmp_path / f"images/im{number:05d}.jpg").touch()
    train, val = (lsp.read(tmp_path, split).annotations for split in ("train", "val"))
    assert (len(train), len(val)) == (9328, 672)
    assert [a.person for a in val[:3]] == ["28", "34", "52"]
    assert not {a.person for a in train} & {a.person for a in val}
    with pytest.raises(ValueError, match="has no split 'test'; it has train, val"):
        lsp.read(tmp_path, "test")


def test_part_of_the_extended_set_has_no_splits(tmp_path):
    with pytest.raises(ValueError, match=r"holds 1 people, not LSP-Extended.s 10000 .* omit :val"):
        lsp.read(make(tmp_path, person()[None]), "val")


def test_high_resolution_images_are_png(tmp_path):
    make(tmp_path, person()[None])
    (tmp_path / "images/im00001.jpg").rename(tmp_path / "images/im00001.png")
    assert lsp.read(tmp_path, None).annotations[0].image.name == "im00001.png"


def test_nan_and_unlabelled_people_are_counted(tmp_path):
    joints = np.stack([person(), person(), person(flag=0), person()])
    joints[1, 3, 0] = np.nan
    joints[3, 5, 1] = np.inf
    source = lsp.read(make(tmp_path, joints), None)
    assert [a.person for a in source.annotations] == ["1"]
    assert source.left_out == {"NaN or infinite coordinates": 2, "no keypoints": 1}


def test_points_outside_the_image_are_kept(tmp_path):
    joints = person()[None]
    joints[0, 0, :2] = [-30, 9999]
    source = lsp.read(make(tmp_path, joints), None)
    assert source.annotations[0].landmarks_px[INDEX["right_ankle"]].tolist() == [-30, 9999]


def test_no_labelled_people_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"joints.mat holds no labelled people \(left out: no keypoints 1\)"):
        lsp.read(make(tmp_path, person(flag=0)[None]), None)


def test_missing_images(tmp_path):
    make(tmp_path, np.stack([person()] * 3))
    (tmp_path / "images/im00002.jpg").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"1 of 3 images in .*joints.mat are missing, first .*im00002.jpg"
    ):
        lsp.read(tmp_path, None)


def test_missing_joints(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"joints.mat is missing; check the path, or see \S+/data/README.md#lsp"
    ):
        lsp.read(tmp_path, None)


def test_damaged_joints(tmp_path):
    make(tmp_path, np.stack([person()] * 50))
    whole = (tmp_path / "joints.mat").read_bytes()
    for damaged, reason in (
        (
            whole[: len(whole) // 2],
            "cannot be read as a MATLAB file: .*; it begins as a MATLAB file; compare its",
        ),
        (
            b"not matlab",
            "cannot be read as a MATLAB file: .*; it begins as text, 'not matlab'; compare its 10 ",
        ),
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1", "is not a MATLAB file, but a Git LFS pointer"),
    ):
        (tmp_path / "joints.mat").write_bytes(damaged)
        with pytest.raises(ValueError, match=rf"joints\.mat {reason}"):
            lsp.read(tmp_path, None)


def test_other_matlab_files(tmp_path, monkeypatch):
    make(tmp_path, person()[None])
    savemat(tmp_path / "joints.mat", {"points": np.zeros(3), "names": "a"})
    with pytest.raises(ValueError, match=r"joints\.mat holds points, names, not joints; see "):
        lsp.read(tmp_path, None)
    savemat(tmp_path / "joints.mat", {"joints": "text"})
    with pytest.raises(ValueError, match=r"joints\.mat: joints are of type <U4, not numbers"):
        lsp.read(tmp_path, None)
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    (tmp_path / "joints.mat").write_bytes(header + bytes(400))
    with pytest.raises(ValueError, match=r"Please use HDF reader .*; save it with MATLAB's option -v7$"):
        lsp.read(tmp_path, None)


def test_joints_of_another_shape(tmp_path):
    make(tmp_path, person()[None])
    savemat(tmp_path / "joints.mat", {"joints": np.zeros((16, 3, 5))})
    with pytest.raises(ValueError, match=r"shape \(16, 3, 5\), expected \(14, 3, people\)"):
        lsp.read(tmp_path, None)


@pytest.mark.shared
def test_sample(shared: Path):
    source = read_source(f"lsp:{shared}/data/lspet_val")
    assert len(source.annotations) == 672
    first = source.annotations[0]
    assert first.landmarks_px[INDEX["left_hip"]] == pytest.approx([119.552, 126.591], abs=1e-3)
    assert first.labelled.sum() == 12
    assert source.left_out == {}
