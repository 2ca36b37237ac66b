"""Landmarks in a CSV file."""

import cv2
import numpy as np
import pytest

from blazepose.data.readers import read_source
from blazepose.skeletons import LSP14
from blazepose.topologies.full_body import INDEX
from tests.stick_figures import stick_figure


@pytest.fixture
def labels(tmp_path):
    """Write 8 stick figures with 12 landmarks each."""
    lines, rng = ["image,person,landmark,x,y"], np.random.default_rng(0)
    for k in range(8):
        image, points = stick_figure(rng)
        cv2.imwrite(str(tmp_path / f"{k}.png"), image)
        lines += [f"{k}.png,a,{name},{points[i, 0]:.2f},{points[i, 1]:.2f}" for i, name in LSP14.items()]
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    return tmp_path / "labels.csv"


def test_points_become_landmarks(labels):
    source = read_source(f"points_csv:{labels}")
    points = stick_figure(np.random.default_rng(0))[1]
    first = source.annotations[0]
    assert (len(source.annotations), first.image.name, first.person) == (8, "0.png", "a")
    assert first.labelled.sum() == len(LSP14)
    ankle = next(index for index, name in LSP14.items() if name == "left_ankle")
    assert first.landmarks_px[INDEX["left_ankle"]] == pytest.approx(points[ankle], abs=0.01)


def test_wrong_files_are_rejected(labels):
    text = labels.read_text()
    labels.write_text(text.replace("left_ankle", "left_foot"))
    with pytest.raises(ValueError, match="unknown landmark 'left_foot'; the landmarks are nose"):
        read_source(f"points_csv:{labels}")
    labels.write_text(f"{text}\n7.png,a,nose,left,1")
    with pytest.raises(ValueError, match="line 98: x or y is not a number"):
        read_source(f"points_csv:{labels}")
    labels.write_text(text.replace("person", "id"))
    with pytest.raises(ValueError, match="lacks the columns person; see data"):
        read_source(f"points_csv:{labels}")


@pytest.mark.slow
def test_a_network_trains_on_them(labels, tmp_path, monkeypatch):
    from blazepose.commands.main import main

    monkeypatch.chdir(tmp_path)
    sources = [f"data.train=[points_csv:{labels}]", f"data.val=[points_csv:{labels}]", "data.negatives=[]"]
    small = ["model=lite", "stages.joint=1", "loader.batch_size=4", "loader.num_workers=0"]
    monkeypatch.setattr("sys.argv", ["blazepose", "train", *sources, *small, "filter.min_side_px=0"])
    main()
    assert list(tmp_path.glob("runs/landmark/*/checkpoints/best.ckpt"))
