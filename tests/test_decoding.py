from blazepose.decoding import DECODINGS, default_decoding


def test_weights_state_their_decoding():
    assert default_decoding({}) == "mediapipe", "Google's"
    assert default_decoding({"decoding": "regression"}) == "mediapipe", "an exported graph of the regression"
    assert default_decoding({"decoding": "heatmap"}) == "heatmap"
    assert {"mediapipe", "heatmap"} < set(DECODINGS)
