"""Data module: sources to loaders."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from blazepose.config.landmark import Augmentation, PersonFilter
from blazepose.config.train import LoaderConfig
from blazepose.data.annotation import Source
from blazepose.data.datamodule import (
    PoseDataModule,
    describe_people,
    describe_sources,
    labelled_outputs,
    read_filtered,
    shared_people,
)
from blazepose.data.dataset import PoseDataset
from blazepose.data.filters import EVALUATION_FILTER
from blazepose.data.image_folders import find_image_files
from blazepose.data.readers import read_source
from blazepose.data.sampler import EpochSampler
from blazepose.input_spec import LANDMARK_INPUT
from blazepose.topologies.full_body import INDEX
from tests.stick_figures import write_lsp

TORSO_NAMES = ["left_shoulder", "right_shoulder", "left_hip", "right_hip"]


def loaders(sources: list[Source], augmentation: Augmentation, config: LoaderConfig) -> PoseDataModule:
    train, val = PoseDataset(sources, LANDMARK_INPUT, augmentation), PoseDataset([], LANDMARK_INPUT)
    return PoseDataModule(train, val, config)


def own_labels(folder: Path, image: Path) -> str:
    """Write a person with labelled torso, one point hidden, and heel; return its `landmarks` source."""
    flat = [80, 30, 2, 40, 30, 2, 75, 80, 2, 45, 80, 1, 70, 120, 2]
    category = {"id": 1, "name": "person", "keypoints": [*TORSO_NAMES, "left_heel"]}
    content = {
        "images": [{"id": 1, "file_name": str(image)}],
        "categories": [category],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "keypoints": flat}],
    }
    (folder / "own.json").write_text(json.dumps(content))
    return f"landmarks:{folder / 'own.json'}"


def test_sources_mix_freely(tiny_lsp, tmp_path):
    own = own_labels(tmp_path, tiny_lsp / "images" / "im00001.jpg")
    sources = read_filtered([f"lsp:{tiny_lsp}", own], PersonFilter(min_side_px=50.0))
    assert [len(source.annotations) for source in sources] == [24, 1]
    labelled = labelled_outputs(sources, [])
    assert len(labelled.landmarks) == 13
    assert "left_heel" in labelled.landmarks
    assert labelled.outputs == ("heatmaps", "presence", "visibility")
    data = loaders(sources, Augmentation(hflip_prob=0.0), LoaderConfig(25, 0))
    (batch,) = data.train_dataloader()
    heel = batch["labelled"][:, INDEX["left_heel"]]
    assert heel.sum() == 1
    assert (batch["visibility"][~heel] < 1).all()  # LSP has no visibility labels
    assert (batch["visibility"][heel] >= 0).sum() == 5


def test_rendered_people_supervise_all_outputs(tiny_lsp, tiny_rendered):
    lsp, rendered = read_filtered([f"lsp:{tiny_lsp}", f"synthetic:{tiny_rendered}"], EVALUATION_FILTER)
    outputs = ("heatmaps", "presence", "visibility", "z", "world", "segmentation")
    assert labelled_outputs([lsp], []).outputs == outputs[:2]
    assert labelled_outputs([lsp, rendered], []).outputs == outputs
    negatives = find_image_files(str(tiny_rendered / "train/negatives"), "data.negatives")
    assert labelled_outputs([rendered], negatives).outputs == (*outputs, "pose")
    assert labelled_outputs([lsp], negatives).outputs == (*outputs[:2], "pose")


def test_no_source_and_one_without_brackets(tiny_lsp):
    assert read_filtered(None, EVALUATION_FILTER) == []
    (source,) = read_filtered(f"lsp:{tiny_lsp}", EVALUATION_FILTER)
    assert describe_people(source) == f"lsp:{tiny_lsp}: 24 people, 0 left out"


def test_reasons_are_given_if_no_people_are_left(tmp_path):
    folder = write_lsp(tmp_path / "two", people=2)
    with pytest.raises(
        ValueError,
        match=r"no people left to use: lsp:.*two: 0 people, 2 left out \(2 crop smaller .*\); "
        r"label hips and shoulders, or lower the limits of filter\.\*$",
    ):
        read_filtered([f"lsp:{folder}"], PersonFilter(min_side_px=900.0))


@pytest.mark.parametrize("size", [0, -1])
def test_a_batch_size_below_1_is_an_error(size):
    with pytest.raises(ValueError, match=r"loader\.batch_size"):
        LoaderConfig(size, 0)


def test_people_in_both_training_and_validation(tiny_lsp, tmp_path):
    sources = [read_source(f"lsp:{tiny_lsp}")]
    assert len(shared_people(sources, sources)) == len(sources[0].annotations)
    others = [read_source(f"lsp:{write_lsp(tmp_path / 'others', people=3)}")]
    assert not shared_people(sources, others)


def test_images_in_both_training_and_validation(tiny_lsp, tmp_path):
    """Two label files use the same names for the frames of two videos."""
    source = read_source(f"lsp:{tiny_lsp}")
    renamed = [replace(person, person=f"{person.person} b") for person in source.annotations]
    lines = describe_sources([source], [replace(source, annotations=renamed)])
    num_images = len({person.image for person in renamed})
    assert any(line.startswith(f"WARNING: {num_images} images of data.val are also in") for line in lines)
    others = read_source(f"lsp:{write_lsp(tmp_path / 'others', people=3)}")
    assert not any("WARNING" in line for line in describe_sources([source], [others]))


def test_a_resumed_run_starts_at_its_epoch_before_set_epoch(tiny_lsp):
    """Workers fetch the first batches before Lightning calls set_epoch."""
    sources = [read_source(f"lsp:{tiny_lsp}")]
    data = loaders(sources, Augmentation(), LoaderConfig(4, 0))
    data.load_state_dict({"first_epoch": 2})
    sampler = EpochSampler(len(data.train_set), 4, shuffle=True)
    sampler.set_epoch(2)
    assert list(data.train_dataloader().sampler) == list(sampler)
