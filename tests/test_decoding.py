from blazepose.decoding import DECODINGS, default_decoding


def test_weights_state_their_decoding():
    assert default_decoding({}) == "mediapipe", "Google's"
    exported = {"decoding": "regression", "precision": "fp32"}
    assert default_decoding(exported) == "mediapipe", "MediaPipe refines the regression"
    assert default_decoding({"decoding": "regression"}) == "regression", "a checkpoint trained for it"
    assert default_decoding({"decoding": "heatmap"}) == "heatmap"
    assert {"mediapipe", "heatmap"} < set(DECODINGS)
