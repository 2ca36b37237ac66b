from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from blazepose.metrics.pck import normalized_errors, pck, torso_size
from blazepose.metrics.pck_metric import PckMetric, torso_across
from blazepose.metrics.points import finite_values
from blazepose.topologies import find_topology
from tests.forked_command import HANGS_S, start

PEOPLE = 7

pytestmark = pytest.mark.filterwarnings("ignore:The ``compute`` method of metric PckMetric was called before")


def people() -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(0)
    target = torch.rand(PEOPLE, 33, 2, generator=random)
    return {
        "index": torch.arange(PEOPLE),
        "predicted": target + 0.05 * torch.randn(PEOPLE, 33, 2, generator=random),
        "target": target,
        "labelled": torch.rand(PEOPLE, 33, generator=random) < 0.7,
        "torso": torch.tensor([0.2, 0.3, 0.0, 0.25, torch.nan, 0.4, 0.3]),
    }


def expected(data: dict[str, Tensor]) -> dict[str, float]:
    usable = (data["torso"] > 0).numpy()
    arrays = {name: value.numpy()[usable] for name, value in data.items()}
    errors = normalized_errors(arrays["predicted"], arrays["target"], arrays["torso"])
    return {
        "pck@0.2": pck(errors, arrays["labelled"]),
        "mean_error": 100 * finite_values(errors, arrays["labelled"]).mean(),
        "num_people": 5,
        "num_left_out": 2,
    }


def computed(metric: PckMetric) -> dict[str, float]:
    return {name: value.item() for name, value in metric.compute().items()}


def test_equals_the_functions_and_counts_each_person_once():
    data, metric = people(), PckMetric()
    for rows in ([4, 5, 6], [0, 1], [2, 3, 0], [6, 6]):
        metric.update(**{name: value[rows] for name, value in data.items()})
    assert computed(metric) == pytest.approx(expected(data), rel=1e-5)
    metric.reset()
    assert computed(metric)["num_people"] == 0


def test_empty_is_no_error():
    assert np.isnan(computed(PckMetric())["pck@0.2"])


def test_no_usable_person_is_no_error():
    data, metric = people(), PckMetric()
    metric.update(**(data | {"torso": torch.full((PEOPLE,), torch.nan)}))
    metrics = computed(metric)
    assert np.isnan(metrics["pck@0.2"])
    assert metrics["num_left_out"] == PEOPLE


def test_a_diverged_network_scores_nothing():
    data, metric = people(), PckMetric()
    metric.update(**(data | {"predicted": torch.full((PEOPLE, 33, 2), torch.nan)}))
    assert computed(metric)["pck@0.2"] == 0


def _process(rank: int, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    data, metric = people(), PckMetric()
    # As from a padding sampler: seven people for two processes, the first one twice.
    for rows in ([0, 2], [4, 6]) if rank == 0 else ([1, 3], [5, 0]):
        metric.update(**{name: value[rows] for name, value in data.items()})
    torch.save(computed(metric), Path(folder) / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_processes_equal_one(tmp_path):
    processes = [start(_process, rank, str(tmp_path)) for rank in range(2)]
    for rank, process in enumerate(processes):
        process.join(HANGS_S)
        assert process.exitcode == 0
        assert torch.load(tmp_path / f"{rank}.pt") == pytest.approx(expected(people()), rel=1e-5)


@pytest.mark.parametrize("name", ["full_body", "upper_body"])
def test_torsos_on_the_device_equal_those_of_the_functions(name):
    topology = find_topology(name)
    points = torch.rand(9, topology.num_landmarks, 2, generator=torch.Generator().manual_seed(0))
    labelled = torch.ones(9, topology.num_landmarks, dtype=torch.bool)
    labelled[:4, topology.index["right_hip"]] = name == "full_body"
    expected = torso_size(points.numpy(), labelled.numpy(), topology=topology)
    np.testing.assert_allclose(torso_across(points, labelled, topology), expected, rtol=1e-6)
