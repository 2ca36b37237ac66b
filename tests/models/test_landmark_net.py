"""The landmark network: sizes, exported outputs, gradients."""

import copy

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from blazepose.export.export_module import ExportModule
from blazepose.models.blocks import ConvNorm, Separable, fold
from blazepose.models.landmark_net import COORDINATE_UNIT, LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.topologies import find_topology

# Parameters, and millions of multiply-adds. Source: docs/reference/mediapipe.md section 5.
GOOGLE = {"lite": (1_363_089, 197.8), "full": (3_169_489, 386.1), "heavy": (13_751_073, 1927.3)}


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def cost(name: str, wiring: str) -> tuple[int, float]:
    """Return parameters and millions of multiply-adds of the exported network."""
    net = ExportModule(LandmarkNet(landmark_variant(name, wiring)))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.zeros(1, 256, 256, 3))
    return count(net), counter.get_total_flops() / 2e6


@pytest.mark.parametrize("name", GOOGLE)
def test_folded_parameters_and_operations_are_googles(name):
    parameters, millions = cost(name, "mediapipe")
    assert parameters == GOOGLE[name][0]
    assert millions == pytest.approx(GOOGLE[name][1], abs=0.05)


# Parameters in a file, where depthwise convolutions have biases of zero, and millions of multiply-adds.
# Source of full's: both files of 2021. Of lite's: the paper has 1.3 M parameters and 0.39 of full's cost.
PAPER = {
    ("paper_full", "full_body"): (3_459_173, 424.0),
    ("paper_full", "upper_body"): (3_413_053, 424.0),
    ("paper_lite", "full_body"): (1_293_437, 0.39 * 424.0),
}


@pytest.mark.parametrize(("name", "topology"), PAPER)
def test_parameters_and_operations_are_the_papers(name, topology):
    net = ExportModule(LandmarkNet(landmark_variant(name, "paper"), topology=find_topology(topology)))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        landmarks, presence, mask = net(torch.zeros(1, 256, 256, 3))
    biases = sum(m.out_channels for m in net.modules() if isinstance(m, nn.Conv2d) and m.bias is None)
    assert count(net) + biases == PAPER[name, topology][0]
    assert counter.get_total_flops() / 2e6 == pytest.approx(PAPER[name, topology][1], rel=0.02)
    assert landmarks.shape == (1, 5 * find_topology(topology).num_outputs)
    assert (presence.shape, mask.shape) == ((1, 1), (1, 128, 128, 1))


def test_the_papers_network_has_heatmaps_for_training():
    net = LandmarkNet(landmark_variant("paper_lite", "paper"), topology=find_topology("upper_body")).eval()
    out = net(torch.zeros(1, 3, 256, 256), masks=0)
    assert out.heatmaps.shape == (1, 31, 64, 64)
    assert out.offsets.shape == (1, 2 * 27, 64, 64)
    assert out.world is None


@pytest.mark.parametrize(("name", "convolutions"), [("lite", 88), ("full", 96), ("heavy", 198)])
def test_convolutions_are_googles(name, convolutions):
    net = ExportModule(LandmarkNet(landmark_variant(name, "mediapipe")))
    assert sum(isinstance(m, nn.Conv2d) for m in net.modules()) == convolutions


@pytest.mark.parametrize("name", ["lite", "full"])
def test_wirings_cost_the_same(name):
    google, paper = cost(name, "mediapipe"), cost(name, "paper")
    assert paper[0] == pytest.approx(google[0], rel=0.05)
    assert paper[1] == pytest.approx(google[1], rel=0.015)


@pytest.fixture(scope="module", params=["mediapipe", "paper"])
def net(request):
    torch.manual_seed(0)
    return LandmarkNet(landmark_variant("lite", request.param))


def test_forward_export_shapes(net):
    landmarks, presence, mask, heatmaps, world = net.eval().forward_export(torch.rand(2, 256, 256, 3))
    assert landmarks.shape == (2, 195)
    assert presence.shape == (2, 1)
    assert mask.shape == (2, 256, 256, 1)
    assert heatmaps.shape == (2, 64, 64, 39)
    assert world.shape == (2, 117)
    assert ((presence > 0) & (presence < 1)).all()


def test_landmark_order_is_point_by_point(net):
    images = torch.rand(1, 256, 256, 3)
    flat = net.eval().forward_export(images)[0]
    structured = net(images.permute(0, 3, 1, 2)).landmarks
    torch.testing.assert_close(flat.view(1, 39, 5), structured)


def test_segmentation_is_omitted_on_request(net):
    assert net.eval()(torch.rand(1, 3, 256, 256), masks=0).segmentation is None
    assert len(net.eval()(torch.rand(3, 3, 256, 256), masks=2).segmentation) == 2


def test_starts_at_the_center_and_without_a_mask(net):
    out = net.eval()(torch.rand(2, 3, 256, 256))
    assert (out.landmarks[..., :2] - 128).abs().max() < 8
    assert out.segmentation.sigmoid().sub(0.5).abs().max() < 0.1
    assert out.heatmaps.sigmoid().mean() < 0.02


def randomize_statistics(net: nn.Module) -> None:
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)


def test_coordinates_are_in_crop_pixels(net):
    copied = copy.deepcopy(net).eval()
    with torch.no_grad():
        copied.tower.landmarks.weight.zero_()
        copied.tower.landmarks.bias.fill_(0.5)
    landmarks = copied(torch.rand(1, 3, 256, 256)).landmarks
    assert (landmarks[..., :3] == 0.5 * COORDINATE_UNIT).all()
    assert (landmarks[..., 3:] == 0.5).all()


def test_bfloat16_does_not_round_coordinates(net):
    copied = copy.deepcopy(net).eval()
    with torch.no_grad():
        copied.tower.landmarks.weight.zero_()
        copied.tower.landmarks.bias.fill_(200.3 / COORDINATE_UNIT)
    with torch.autocast("cpu", torch.bfloat16):
        landmarks = copied(torch.rand(1, 3, 256, 256)).landmarks
    torch.testing.assert_close(landmarks[..., :3], torch.full_like(landmarks[..., :3], 200.3))


def test_folding_changes_nothing(net):
    copied = copy.deepcopy(net).eval()
    randomize_statistics(copied)
    folded = fold(copy.deepcopy(copied))
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    images = torch.rand(1, 256, 256, 3)
    with torch.no_grad():
        for a, b in zip(copied.forward_export(images), folded.forward_export(images), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-3, atol=2e-3)


def gradients(net: LandmarkNet, output: str) -> dict[str, bool]:
    """Return which parts have gradients after a backward pass from one output."""
    net.zero_grad(set_to_none=True)
    out = net.train()(torch.rand(2, 3, 256, 256), masks=0)
    getattr(out, output).square().sum().backward()
    return {
        part: any(p.grad is not None and p.grad.abs().sum() > 0 for p in getattr(net, part).parameters())
        for part in ("encoder", "decoder", "heatmaps", "tower")
    }


@pytest.mark.parametrize(
    ("name", "wiring"), [("lite", "mediapipe"), ("lite", "paper"), ("paper_lite", "paper")]
)
def test_gradient_stop(name, wiring):
    net = LandmarkNet(landmark_variant(name, wiring), gradient_stop=True)
    assert gradients(net, "heatmaps") == {"encoder": True, "decoder": True, "heatmaps": True, "tower": False}
    assert gradients(net, "landmarks") == {
        "encoder": False,
        "decoder": False,
        "heatmaps": False,
        "tower": True,
    }


def test_without_gradient_stop_the_regression_trains_the_encoder():
    paper = LandmarkNet(landmark_variant("lite", "paper"))
    assert gradients(paper, "landmarks") == {
        "encoder": True,
        "decoder": True,
        "heatmaps": False,
        "tower": True,
    }
    google = LandmarkNet(landmark_variant("lite", "mediapipe"))  # its regression head uses the encoder alone
    assert gradients(google, "landmarks") == {
        "encoder": True,
        "decoder": False,
        "heatmaps": False,
        "tower": True,
    }


def test_the_regression_head_pads_bottom_and_right():
    block = ConvNorm(1, 1, 3, 2, depthwise=True, linear=True, pad_end=True).eval()
    nn.init.ones_(block.conv.weight)
    corner = torch.zeros(1, 1, 4, 4)
    corner[0, 0, 0, 0] = 1
    # TensorFlow's SAME at stride 2 starts its first window at the first pixel, symmetric padding before it.
    assert block(corner)[0, 0].tolist() == [[pytest.approx(1, abs=1e-4), 0], [0, 0]]
    last = torch.zeros(1, 1, 4, 4)
    last[0, 0, 3, 3] = 1
    assert block(last)[0, 0].tolist() == [[0, 0], [0, pytest.approx(1, abs=1e-4)]]


def test_separable_residual_at_stride_two():
    block = Separable(2, 3, 2).eval()
    nn.init.zeros_(block.pointwise.conv.weight)
    x = torch.rand(1, 2, 4, 4)
    y = block(x)
    torch.testing.assert_close(y[:, :2], nn.functional.max_pool2d(x, 2))
    assert (y[:, 2] == 0).all()


def test_only_the_regression_head_pads_one_sided():
    net = LandmarkNet(landmark_variant("full", "mediapipe"))
    one_sided = [name for name, m in net.named_modules() if isinstance(m, ConvNorm) and m.pad_end]
    assert len(one_sided) == 2
    assert all(name.startswith("tower.levels") for name in one_sided)


def test_an_unsupervised_pose_flag_starts_high():
    """MediaPipe's threshold is 0.5; weights trained without negative images must not lose people."""
    net = LandmarkNet(landmark_variant("lite", "paper")).eval()
    flag = net.forward_export(torch.rand(4, 256, 256, 3))[1]
    assert (flag > 0.9).all()
