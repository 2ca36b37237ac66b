"""Decodings: how x and y of the landmarks are computed from the network's outputs (runtime.decode)."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

from blazepose.exceptions import InputError
from blazepose.supervised_outputs import SupervisedOutputs

Decoding = Literal["regression", "mediapipe", "heatmap"]
"""The regression alone; the regression, refined by the heatmap within three cells, as MediaPipe does (of
a file without heatmaps, the regression alone); or the place in the whole heatmap, refined likewise."""

DECODINGS: tuple[Decoding, ...] = get_args(Decoding)

SHARPNESS = 8.0
"""Factor of the heatmap logits in the softmax over cells. Chosen on 800 people of lspet_train; source:
docs/benchmarks/decoding.md."""

PRIOR_CELLS = 6.0
"""Standard deviation, in cells, of the Gaussian around the regression. Chosen on the same people: of two
peaks of nearly equal height, it selects the nearer."""


def default_decoding(metadata: Mapping[str, Any]) -> Decoding:
    """Return the decoding that weights are made for, by their metadata: MediaPipe's, if they state none.

    An exported file, whose metadata have the precision, states "regression" if its graph returns the
    regression, which MediaPipe then refines.
    """
    decoding: Decoding = metadata.get("decoding", "mediapipe")
    return "mediapipe" if decoding == "regression" and "precision" in metadata else decoding


def is_decoded(metadata: Mapping[str, Any]) -> bool:
    """Return whether a file's graph itself decodes by heatmaps, and returns no regression."""
    return metadata.get("decoding") == "heatmap" and "precision" in metadata


def check_decoding(decoding: Decoding, metadata: Mapping[str, Any]) -> None:
    """Check that a network can be run with a decoding.

    Raises:
        ValueError: if it needs the regression, and the graph of the file does not return it; or if it reads
            heatmaps that the training left at random.
    """
    if is_decoded(metadata) and decoding != "heatmap":
        raise InputError(
            f"decode={decoding} needs the regression, which a file exported with --decode heatmap does not "
            "return; leave out the decoding, or write a file that does: blazepose export --decode regression "
            "--weights FILE"
        )
    check_trained_for(decoding, metadata)


def check_trained_for(decoding: Decoding, metadata: Mapping[str, Any]) -> None:
    """Check that the weights are trained for a decoding.

    Raises:
        ValueError: if it reads heatmaps that the weights' training left at random.
    """
    supervised = SupervisedOutputs.from_metadata(metadata.get("trained"))
    if decoding == "heatmap" and supervised.landmarks and not supervised.has_heatmaps:
        raise InputError(
            "decode=heatmap reads heatmaps and presence, which the training of these weights did not "
            "supervise for all landmarks; choose mediapipe or regression"
        )
