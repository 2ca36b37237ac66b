import math

import numpy as np
import pytest
import torch
from torch import nn

from blazepose.decoding import DECODINGS, PRIOR_CELLS, SHARPNESS
from blazepose.exceptions import InputError
from blazepose.models.heatmap_decoder import HeatmapDecoder
from blazepose.runtime.decode import (
    RawOutputs,
    decode_by_heatmap,
    decode_landmarks,
    decode_outputs,
    refine_by_heatmap,
    sigmoid,
)


def refine_one(x: float, y: float, heatmap: np.ndarray) -> tuple[float, float]:
    """Refine one point cell by cell, by the rule of docs/reference/mediapipe.md section 3."""
    height, width = heatmap.shape
    column, row = math.trunc(x * width), math.trunc(y * height)
    if not (0 <= column < width and 0 <= row < height):
        return x, y
    mass = mass_x = mass_y = best = 0.0
    for r in range(max(0, row - 3), min(height, row + 4)):
        for c in range(max(0, column - 3), min(width, column + 4)):
            p = 1 / (1 + math.exp(-float(heatmap[r, c])))
            best = max(best, p)
            mass, mass_x, mass_y = mass + p, mass_x + c * p, mass_y + r * p
    if best < 0.5:
        return x, y
    return mass_x / mass / width, mass_y / mass / height


def test_sigmoid_without_overflow():
    with np.errstate(all="raise"):
        assert sigmoid(np.array([-1e4, 0.0, math.log(3), 1e4])) == pytest.approx([0, 0.5, 0.75, 1])


def test_decode_by_hand():
    raw = np.zeros((2, 39, 5), np.float32)
    raw[1, 38] = 64, 128, -256, math.log(3), -math.log(3)
    decoded = decode_landmarks(raw.reshape(2, 195), input_size=256)
    assert decoded.shape == (2, 39, 5)
    assert decoded[1, 38] == pytest.approx([0.25, 0.5, -1, 0.75, 0.25])
    assert decoded[0, 0] == pytest.approx([0, 0, 0, 0.5, 0.5])


def test_all_outputs_are_decoded():
    landmarks = np.zeros((2, 39, 5), np.float32)
    landmarks[1, 0] = 88, 52, -64, 0, 0
    heatmaps = np.full((2, 64, 64, 39), -100.0, np.float32)
    heatmaps[1, 10, 20:22, 0] = 0, math.log(3)
    world = np.arange(2 * 117, dtype=np.float32).reshape(2, 117)
    masks = np.ones((2, 256, 256, 1), np.float32)
    raw = RawOutputs(landmarks.reshape(2, 195), np.array([[0.1], [0.9]], np.float32), masks, heatmaps, world)
    decoded = decode_outputs(raw, 256)
    refined = [(20 * 0.5 + 21 * 0.75) / 1.25 / 64, 10 / 64]
    assert decoded.landmarks[1, 0] == pytest.approx([*refined, -0.25, 0.5, 0.5], abs=1e-6)
    assert decoded.regressed[1, 0] == pytest.approx([88 / 256, 52 / 256])
    np.testing.assert_array_equal(decoded.world[1, 32], world[1, 96:99])
    assert decoded.pose_presence == pytest.approx([0.1, 0.9])
    assert decoded.segmentation.shape == (2, 256, 256)
    assert decode_outputs(raw._replace(segmentation=None), 256).segmentation is None


def outputs(regressed_px: float, heatmaps: np.ndarray | None, decoded: bool = False) -> RawOutputs:
    """Return outputs of one crop with all 39 points at one place."""
    landmarks = np.zeros((1, 39, 5), np.float32)
    landmarks[..., :2] = regressed_px
    landmarks[..., 4] = 20  # present
    return RawOutputs(landmarks.reshape(1, 195), np.ones((1, 1)), None, heatmaps, np.zeros((1, 117)), decoded)


def two_peaks(left: float, right: float) -> np.ndarray:
    """Return heatmaps with peaks at (10, 30) and (50, 30) in cells."""
    heatmaps = np.full((1, 64, 64, 39), -10.0, np.float32)
    heatmaps[:, 30, 10], heatmaps[:, 30, 50] = left, right
    return heatmaps


def test_each_decoding_of_a_distant_peak():
    raw = outputs(128.0, two_peaks(-10.0, 3.0))  # the regression is 18 cells off
    decoded = {name: 64 * decode_outputs(raw, 256, name).landmarks[0, :, :2] for name in DECODINGS}
    assert decoded["regression"][0] == pytest.approx([32, 32])
    assert decoded["mediapipe"][0] == pytest.approx([32, 32]), "the window has no peak"
    assert decoded["heatmap"][0] == pytest.approx([50, 30], abs=0.05)
    assert decoded["heatmap"][33] == pytest.approx([32, 32]), "auxiliary points keep the regression"


def test_what_is_outside_the_picture_keeps_its_regression():
    """As the legs of a person whose picture ends at the hips: their heatmaps have weak peaks at the edge."""
    raw = outputs(280.0, two_peaks(-10.0, -0.7))
    raw.landmarks[:, 4::5] = -6
    assert decode_outputs(raw, 256, "heatmap").landmarks[0, 0, :2] * 256 == pytest.approx([280, 280], abs=1)


def test_decoding_by_heatmap_equals_the_formula():
    random = np.random.default_rng(0)
    heatmaps = 3 * random.standard_normal((2, 64, 64, 39))
    regressed, previous = random.uniform(-0.1, 1.1, (2, 39, 2)), random.uniform(0, 1, (2, 33, 2))
    previous[1] = np.nan
    presence = random.uniform(0, 1, (2, 39))
    decoded = decode_by_heatmap(regressed, heatmaps, presence, previous)
    cells = np.stack(np.meshgrid(np.arange(64), np.arange(64)), axis=-1).reshape(-1, 2)
    for person in range(2):
        for point in range(33):
            squared = ((cells - 64 * regressed[person, point]) ** 2).sum(axis=1)
            if person == 0:
                squared += ((cells - 64 * previous[person, point]) ** 2).sum(axis=1)
            scores = SHARPNESS * heatmaps[person, :, :, point].ravel() - squared / (2 * PRIOR_CELLS**2)
            weights = np.exp(scores - scores.max())
            moved = weights @ cells / weights.sum() / 64 - regressed[person, point]
            expected = regressed[person, point] + presence[person, point] * moved
            assert decoded[person, point] == pytest.approx(expected, abs=1e-9)


def test_the_network_that_decodes_returns_the_same():
    """runtime.decode on the CPU, and the layers that exported graphs contain."""
    random = np.random.default_rng(0)
    heatmaps = 3 * random.standard_normal((2, 64, 64, 39)).astype(np.float32)
    regressed = random.uniform(-0.1, 1.1, (2, 39, 2)).astype(np.float32)
    presence = 3 * random.standard_normal((2, 39)).astype(np.float32)
    identity = nn.Conv2d(39, 39, 1, bias=False)
    identity.weight.data = torch.eye(39)[:, :, None, None]
    with torch.inference_mode():
        features = torch.from_numpy(heatmaps).permute(0, 3, 1, 2)
        inputs = torch.from_numpy(256 * regressed), torch.from_numpy(presence)[..., None]
        in_graph = HeatmapDecoder(identity, 64, 256)(features, *inputs)
    decoded = decode_by_heatmap(regressed, heatmaps, sigmoid(presence))
    np.testing.assert_allclose(in_graph / 256, decoded, atol=2e-5)


def test_of_two_peaks_the_one_of_the_frame_before_stays():
    raw = outputs(128.0, two_peaks(3.0, 3.1))
    single = decode_outputs(raw, 256, "heatmap").landmarks[0, 0, :2] * 64
    previous = np.full((1, 33, 2), [12 / 64, 30 / 64])
    tracked = decode_outputs(raw, 256, "heatmap", previous).landmarks[0, 0, :2] * 64
    assert single == pytest.approx([50, 30], abs=0.05)
    assert tracked == pytest.approx([10, 30], abs=0.05)
    surer = outputs(128.0, two_peaks(-2.0, 5.0))
    moved = decode_outputs(surer, 256, "heatmap", previous).landmarks[0, 0, :2] * 64
    assert moved == pytest.approx([50, 30], abs=0.05), "a clear peak is followed, however far"


def test_a_graph_that_decodes_is_only_refined():
    raw = outputs(4 * 32.0, two_peaks(5.0, -10.0), decoded=True)
    raw.heatmaps[:, 30, 33] = 1  # in the window
    assert decode_outputs(raw, 256, "heatmap").landmarks[0, 0, :2] * 64 == pytest.approx([33, 30], abs=0.05)
    with pytest.raises(InputError, match="needs the regression, which these outputs do not contain"):
        decode_outputs(raw, 256, "mediapipe")


def test_what_a_decoding_lacks_is_named():
    refined, without_heatmaps = outputs(128.0, None)._replace(refined=True), outputs(128.0, None)
    for decoding in ("regression", "heatmap"):
        with pytest.raises(InputError, match="MediaPipe does not return"):
            decode_outputs(refined, 256, decoding)
    with pytest.raises(InputError, match="decode=heatmap needs heatmaps, which these weights do not have"):
        decode_outputs(without_heatmaps, 256, "heatmap")
    assert decode_outputs(without_heatmaps, 256, "regression").landmarks[0, 0, 0] == 0.5


def test_refine_by_hand():
    heatmap = np.full((1, 64, 64, 1), -100.0, np.float32)
    heatmap[0, 10, 20:22, 0] = 0, math.log(3)  # 0.5 and 0.75: no half cell is added
    refined = refine_by_heatmap(np.array([[[22 / 64, 12.9 / 64]]], np.float32), heatmap)
    assert refined[0, 0] == pytest.approx([(20 * 0.5 + 21 * 0.75) / 1.25 / 64, 10 / 64], abs=1e-6)


def test_refine_needs_confidence_inside_its_window():
    heatmaps = np.full((1, 64, 64, 3), -100.0, np.float32)
    heatmaps[0, 30, 30, 0] = -0.01  # just under 0.5
    heatmaps[0, 30, 34, 1] = 9.0  # four columns off: outside the 7x7 window
    heatmaps[0, 30, 33, 2] = 9.0
    points = np.full((1, 3, 2), 30.5 / 64, np.float32)
    refined = refine_by_heatmap(points, heatmaps)
    np.testing.assert_array_equal(refined[0, :2], points[0, :2])
    assert refined[0, 2] * 64 == pytest.approx([33, 30])


def test_points_off_the_map_stay():
    heatmaps = np.full((1, 64, 64, 5), 9.0, np.float32)
    points = np.array([[[-0.1, 0.5], [0.5, 1.0], [1e9, 0.5], [np.nan, 0.5], [0.5, -1 / 64]]], np.float32)
    np.testing.assert_array_equal(refine_by_heatmap(points, heatmaps), points)


def test_a_point_less_than_a_cell_outside_is_refined():
    # trunc(-0.5) is 0: MediaPipe casts to int, which rounds towards zero.
    heatmaps = np.full((1, 64, 64, 1), 9.0, np.float32)
    assert refine_by_heatmap(np.array([[[-0.5 / 64, 0.5]]]), heatmaps)[0, 0] * 64 == pytest.approx([1.5, 32])


@pytest.mark.parametrize("shape", [(64, 64), (48, 32)])
def test_refine_equals_the_literal_loop(shape):
    rng = np.random.default_rng(0)
    points = rng.uniform(-0.1, 1.1, (4, 39, 2)).astype(np.float32)
    heatmaps = rng.normal(-4, 2, (4, *shape, 39)).astype(np.float32)
    expected = [
        [refine_one(float(x), float(y), heatmaps[b, :, :, k]) for k, (x, y) in enumerate(points[b])]
        for b in range(4)
    ]
    moved = np.abs(np.array(expected) - points).max(axis=-1) > 0
    assert 0.2 < moved.mean() < 0.8, "both cases must occur"
    np.testing.assert_allclose(refine_by_heatmap(points, heatmaps), expected, atol=1e-6)


def test_batch_equals_singles():
    rng = np.random.default_rng(1)
    points, heatmaps = rng.uniform(size=(3, 39, 2)), rng.normal(size=(3, 64, 64, 39))
    singles = [refine_by_heatmap(points[i : i + 1], heatmaps[i : i + 1])[0] for i in range(3)]
    np.testing.assert_array_equal(refine_by_heatmap(points, heatmaps), singles)
