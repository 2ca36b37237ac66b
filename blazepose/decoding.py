"""Decodings: how x and y of the landmarks are computed from the network's outputs (runtime.decode)."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

from blazepose.exceptions import InputError
from blazepose.supervised_outputs import SupervisedOutputs

Decoding = Literal["regression", "mediapipe", "heatmap"]
"""The regression alone; the regression, refined by the heatmap within three cells, as MediaPipe does; or the
place in the whole heatmap, refined likewise."""

DECODINGS: tuple[Decoding, ...] = get_args(Decoding)


def default_decoding(metadata: Mapping[str, Any]) -> Decoding:
    """Return the decoding that weights are made for, by their metadata: MediaPipe's, if they state none.

    An exported file, whose metadata have the precision, states "regression" if its graph returns the
    regression, which MediaPipe then refines.
    """
    decoding: Decoding = metadata.get("decoding", "mediapipe")
    return "mediapipe" if decoding == "regression" and "precision" in metadata else decoding


def check_decoding(decoding: Decoding, metadata: Mapping[str, Any]) -> None:
    """Check that the weights are trained for a decoding.

    Raises:
        ValueError: if it reads heatmaps that the weights' training left at random.
    """
    if decoding == "heatmap" and not SupervisedOutputs.from_metadata(metadata.get("trained")).has_heatmaps:
        raise InputError(
            "decoding heatmap reads heatmaps and presence, which the training of these weights did not "
            "supervise for all landmarks; choose decoding mediapipe or regression"
        )
