import pytest

from blazepose.decoding import DECODINGS, check_decoding, default_decoding
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
    with pytest.raises(InputError, match="choose decoding mediapipe or regression"):
        check_decoding("heatmap", metadata)
    check_decoding("heatmap", {})
    check_decoding("heatmap", {"trained": SupervisedOutputs.everything().as_metadata()})
