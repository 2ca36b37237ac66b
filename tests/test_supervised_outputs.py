import json

import pytest

from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.topologies.full_body import INDEX

TRAINED = {
    "landmarks": ["nose"],
    "visibility": [],
    "heatmaps": ["nose", "left_hip"],
    "outputs": ["heatmaps", "presence"],
}


@pytest.mark.parametrize("trained", [TRAINED, {"landmarks": ["nose"], "outputs": []}, None])
def test_metadata_are_written_as_they_were_read(trained):
    supervised = SupervisedOutputs.from_metadata(trained)
    assert json.dumps(supervised.as_metadata()) == json.dumps(trained)


def test_a_training_records_all_fields():
    metadata = SupervisedOutputs(landmarks=("nose",)).as_metadata()
    assert list(metadata.items()) == [
        ("landmarks", ["nose"]),
        ("visibility", []),
        ("heatmaps", []),
        ("outputs", []),
    ]


def test_missing_fields_are_empty():
    supervised = SupervisedOutputs.from_metadata({"landmarks": ["nose"]})
    assert (supervised.visibility, supervised.heatmaps, supervised.outputs) == ((), (), ())


def test_all_outputs_of_foreign_weights_count_as_supervised():
    foreign = SupervisedOutputs.from_metadata(None)
    assert foreign.mask("landmarks").all()
    assert foreign.mask("visibility").all()
    assert foreign.outputs == SupervisedOutputs.everything().outputs
    assert foreign.describe() == "trained outputs: unknown, not in the weights' metadata"


def test_a_later_training_adds_to_an_earlier_one():
    earlier = SupervisedOutputs.from_metadata({"landmarks": ["nose"], "outputs": ["presence"]})
    later = SupervisedOutputs(("left_hip", "nose"), ("left_hip",), (), ("heatmaps", "presence"))
    expected = SupervisedOutputs(("nose", "left_hip"), ("left_hip",), (), ("presence", "heatmaps"))
    assert earlier.merge(later) == expected


def test_a_mask_is_in_the_order_of_the_landmarks():
    mask = SupervisedOutputs.from_metadata(TRAINED).mask("heatmaps")
    assert mask.nonzero()[0].tolist() == [INDEX["nose"], INDEX["left_hip"]]


def test_descriptions_name_what_is_missing():
    assert SupervisedOutputs.from_metadata(TRAINED).describe() == (
        "trained: 1 of 33 landmarks, heatmaps, presence; "
        "not trained: the other landmarks, visibility, z, world, pose, segmentation"
    )
    assert SupervisedOutputs.from_metadata(TRAINED).describe("supervised") == (
        "supervised: 1 of 33 landmarks, heatmaps, presence; "
        "not supervised: the other landmarks, visibility, z, world, pose, segmentation"
    )
    assert SupervisedOutputs.everything().describe() == (
        "trained: 33 of 33 landmarks, heatmaps, presence, visibility, z, world, pose, segmentation"
    )
