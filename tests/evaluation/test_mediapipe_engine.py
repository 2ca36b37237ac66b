"""Google's own runtime on our crops, against our decoding of the same network."""

import sys
from pathlib import Path

import numpy as np
import pytest

from blazepose.data.align import aligned_roi
from blazepose.data.image import read_image
from blazepose.data.readers import read_source
from blazepose.evaluation.engines import open_weights
from blazepose.geometry import crop_image, roi_to_image_matrix
from blazepose.runtime.decode import decode_landmarks, refine_by_heatmap, sigmoid


@pytest.mark.slow
def test_mediapipe_says_of_a_crop_what_we_decode(shared):
    pytest.importorskip("mediapipe", reason="MediaPipe is not installed")
    people = read_source(f"lsp:{shared}/data/lspet_val").annotations[::170]
    crops = np.stack(
        [crop_image(read_image(p.image), roi_to_image_matrix(aligned_roi(p)), 256) for p in people]
    )
    bundle = shared / "models" / "pose_landmarker_full.task"
    said, own = (open_weights(bundle, engine)(crops) for engine in ("mediapipe", "litert"))
    found, expected = (decode_landmarks(raw.landmarks, 256)[:, :33] for raw in (said, own))
    expected[..., :2] = refine_by_heatmap(expected[..., :2], own.heatmaps[..., :33])
    np.testing.assert_allclose(found[..., :3], expected[..., :3], atol=0.01 / 256)
    np.testing.assert_allclose(found[..., 3:], expected[..., 3:], atol=1e-4)
    np.testing.assert_allclose(said.world[:, :99], own.world[:, :99], atol=1e-4)
    np.testing.assert_allclose(sigmoid(said.segmentation), sigmoid(own.segmentation), atol=1e-2)
    assert np.isnan(said.pose_presence).all()
    # What MediaPipe has refined is not refined again.
    np.testing.assert_array_equal(refine_by_heatmap(found[..., :2], said.heatmaps[..., :33]), found[..., :2])


def test_without_mediapipe_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(ImportError, match=r"engine=mediapipe needs MediaPipe: pip install"):
        open_weights(Path("pose.task"), "mediapipe")


def test_its_threads_are_its_own():
    with pytest.raises(ValueError, match="leave num_threads out"):
        open_weights(Path("pose.task"), "mediapipe", num_threads=2)
