"""The loss of unequal limbs."""

import pytest
import torch
from torch.utils.data import default_collate

from blazepose.data.dataset import PoseDataset
from blazepose.data.readers import read_source
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.losses.landmark_losses import symmetry_loss
from blazepose.models.landmark_net import LandmarkNet, network_input
from blazepose.models.variants import landmark_variant
from blazepose.topologies.full_body import INDEX, NUM_LANDMARKS


def test_it_is_the_mean_difference_of_labelled_limbs():
    world, labelled = torch.zeros(1, NUM_LANDMARKS, 3), torch.zeros(1, NUM_LANDMARKS, dtype=torch.bool)
    for name in ("left_hip", "left_knee", "left_ankle", "right_hip", "right_knee", "right_ankle"):
        labelled[0, INDEX[name]] = True
    world[0, INDEX["left_knee"], 1], world[0, INDEX["right_knee"], 1] = 0.4, 0.5
    world[0, INDEX["left_ankle"], 1], world[0, INDEX["right_ankle"], 1] = 0.8, 0.9
    world[0, INDEX["left_elbow"], 0] = 9.0
    assert symmetry_loss(world, labelled) == pytest.approx(0.05)


def test_steps_reduce_it(tiny_rendered):
    people = PoseDataset([read_source(f"synthetic:{tiny_rendered}")], LANDMARK_INPUT)
    batch = default_collate([people[k] for k in range(2)])
    torch.manual_seed(0)
    net = LandmarkNet(landmark_variant("lite", "paper"))
    torch.nn.init.normal_(net.tower.world.weight, std=0.1)
    optimizer = torch.optim.SGD(net.tower.world.parameters(), 1e-3)
    losses = []
    for _ in range(5):
        world = net.eval()(network_input(batch["image"]), masks=0).world[:, :NUM_LANDMARKS]
        losses.append(symmetry_loss(world, batch["world_labelled"]))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert 0 < losses[-1] < losses[0]
