import pytest

from blazepose.decoding import DECODINGS, check_decoding, check_trained_for, default_decoding
from blazepose.exceptions import InputError
from blazepose.supervised_outputs import SupervisedOutputs


def test_weights_state_their_decoding():
    assert default_decoding({}) == "mediapipe", "Google's"
    exported = {"decoding": "regression", "precision": "fp32"}
    assert default_decoding(exported) == "mediapipe", "MediaPipe refines the regression"
    assert default_decoding({"decoding": "regression"}) == "regression", "a checkpoint trained for it"
    assert default_decoding({"decoding": "heatmap"}) == "heatmap"
    assert {"mediapipe", "heatmap"} < set(DECODINGS)


@pytest.mark.parametrize(
    "lacking",
    [
        SupervisedOutputs(("nose", "left_hip"), (), ("nose",), ("presence",)),
        SupervisedOutputs(("nose",), (), ("nose",), ("heatmaps",)),
    ],
)
def test_heatmaps_at_their_random_start_are_not_decoded(lacking):
    metadata = {"trained": lacking.as_metadata()}
    check_decoding("mediapipe", metadata)
    with pytest.raises(InputError, match="choose mediapipe or regression"):
        check_decoding("heatmap", metadata)
    check_decoding("heatmap", {})
    check_decoding("heatmap", {"trained": SupervisedOutputs.everything().as_metadata()})


def test_a_file_that_decodes_has_no_regression():
    decoded = {"decoding": "heatmap", "precision": "fp16"}
    check_decoding("heatmap", decoded)
    with pytest.raises(InputError, match="blazepose export --decode regression"):
        check_decoding("mediapipe", decoded)
    check_decoding("regression", {"decoding": "heatmap"})
    check_trained_for("regression", decoded)
