"""Decodings: how x and y of the landmarks are computed from the network's outputs (runtime.decode)."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

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
