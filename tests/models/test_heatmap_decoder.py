"""Landmarks decoded from heatmaps inside the network, against the formula written out."""

import pytest
import torch
from torch import Tensor, nn

from blazepose.decoding import PRIOR_CELLS, SHARPNESS
from blazepose.models.heatmap_decoder import HeatmapDecoder
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.topologies.full_body import NUM_LANDMARKS, NUM_OUTPUTS

CELLS, CROP_PX = 64, 256
CELL_PX = CROP_PX / CELLS


@pytest.fixture
def decoder() -> HeatmapDecoder:
    """A decoder whose features are the heatmaps themselves."""
    identity = nn.Conv2d(NUM_OUTPUTS, NUM_OUTPUTS, 1)
    with torch.no_grad():
        identity.weight.copy_(torch.eye(NUM_OUTPUTS)[:, :, None, None])
        nn.init.zeros_(identity.bias)
    return HeatmapDecoder(identity, CELLS, CROP_PX)


PRESENT = torch.full((1, NUM_OUTPUTS, 1), 20.0)


def expected(logits: Tensor, regressed: Tensor, presence: Tensor) -> Tensor:
    """Compute the decoded points from distances to each cell."""
    rows, columns = torch.meshgrid(torch.arange(CELLS), torch.arange(CELLS), indexing="ij")
    cells = torch.stack([columns, rows], dim=-1).flatten(0, 1).double()
    squared = (cells - regressed[:, :, None].double() / CELL_PX).square().sum(dim=-1)
    scores = SHARPNESS * logits.flatten(2).double() - squared / (2 * PRIOR_CELLS**2)
    place = CELL_PX * scores.softmax(dim=2) @ cells
    return presence.sigmoid() * place + (1 - presence.sigmoid()) * regressed


def test_equals_the_formula(decoder):
    random = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(2, NUM_OUTPUTS, CELLS, CELLS, generator=random)
    regressed = torch.empty(2, NUM_OUTPUTS, 2).uniform_(-30, 290, generator=random)
    presence = 3 * torch.randn(2, NUM_OUTPUTS, 1, generator=random)
    with torch.no_grad():
        decoded = decoder(logits, regressed, presence)
    landmarks = slice(NUM_LANDMARKS)
    torch.testing.assert_close(
        decoded[:, landmarks].double(),
        expected(logits, regressed, presence)[:, landmarks],
        atol=0.01,
        rtol=0,
    )
    assert torch.equal(decoded[:, NUM_LANDMARKS:], regressed[:, NUM_LANDMARKS:]), "MediaPipe's next ROI"


def test_a_distant_peak_moves_the_landmark(decoder):
    logits = torch.full((1, NUM_OUTPUTS, CELLS, CELLS), -10.0)
    logits[:, :, 10, 50] = 3
    decoded = decoder(logits, torch.full((1, NUM_OUTPUTS, 2), 100.0), PRESENT)
    assert decoded[0, 0].tolist() == pytest.approx([50 * CELL_PX, 10 * CELL_PX], abs=0.1)


def test_of_two_equal_peaks_the_nearer_is_taken(decoder):
    logits = torch.full((1, NUM_OUTPUTS, CELLS, CELLS), -10.0)
    logits[:, :, 30, [10, 50]] = 3
    regressed = torch.tensor([40 * CELL_PX, 30 * CELL_PX]).expand(1, NUM_OUTPUTS, 2)
    decoded = decoder(logits, regressed, PRESENT)
    assert decoded[0, 0].tolist() == pytest.approx([50 * CELL_PX, 30 * CELL_PX], abs=0.1)


def test_without_evidence_the_regression_stays(decoder):
    logits = torch.full((1, NUM_OUTPUTS, CELLS, CELLS), -10.0)
    regressed = torch.full((1, NUM_OUTPUTS, 2), 130.0)
    assert (decoder(logits, regressed, PRESENT) - regressed).abs().max() < 0.01


@pytest.mark.parametrize("x_px", [-60.0, 4.0, 130.0, 300.0])
def test_an_absent_landmark_keeps_its_regression_also_outside_the_crop(decoder, x_px):
    logits = torch.full((1, NUM_OUTPUTS, CELLS, CELLS), -10.0)
    logits[:, :, 63, 20] = -0.5  # a weak peak at the edge, as below a picture that ends at the hips
    regressed = torch.full((1, NUM_OUTPUTS, 2), x_px)
    assert (decoder(logits, regressed, -PRESENT) - regressed).abs().max() < 0.01
    assert (decoder(logits, regressed, PRESENT) - regressed)[0, 0].abs().max() > 40


def test_other_outputs_and_the_state_dict_stay():
    torch.manual_seed(0)  # with some random weights, a landmark's presence leaves it where it was
    net = LandmarkNet(landmark_variant("lite", "mediapipe")).eval()
    keys = list(net.state_dict())
    image = torch.rand(1, 256, 256, 3, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        net.heatmaps.weight.mul_(1000)
        landmarks, *others = net.forward_export(image)
        net.decode_by_heatmaps()
        decoded, *same = net.forward_export(image)
    for output, other in zip(same, others, strict=True):
        assert torch.equal(output, other)
    moved = (decoded != landmarks).view(NUM_OUTPUTS, 5)
    assert moved[:NUM_LANDMARKS, :2].all()
    assert not moved[:, 2:].any()
    assert not moved[NUM_LANDMARKS:].any()
    net.heatmap_decoder = None
    assert list(net.state_dict()) == keys
