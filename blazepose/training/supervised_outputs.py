"""Descriptions of supervised outputs; without torch, for code that only reads metadata."""

from blazepose.topology import NUM_LANDMARKS

HEADS = ("presence", "visibility", "z", "world", "pose", "segmentation")
"""Outputs that labels may supervise beside landmarks and heatmaps."""


def describe_supervised(supervised: dict[str, list[str]]) -> str:
    """Return a line about the outputs that weights were trained on, and those that they were not."""
    landmarks = supervised["landmarks"]
    missing = [name for name in ("heatmaps", *HEADS) if name not in supervised["outputs"]]
    if len(landmarks) < NUM_LANDMARKS:
        missing.insert(0, "the other landmarks")
    text = f"trained: {len(landmarks)} of {NUM_LANDMARKS} landmarks, {', '.join(supervised['outputs'])}"
    return f"{text}; not trained: {', '.join(missing)}" if missing else text


def next_step(supervised: dict[str, list[str]]) -> str:
    """Return the next step for weights with these supervised outputs, up to their path."""
    if supervised["landmarks"]:
        return "evaluate them: blazepose eval weights="
    return "next, the regression: blazepose train stages.joint=0 stages.regression=60 init="
