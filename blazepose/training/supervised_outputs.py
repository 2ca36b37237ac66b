"""What weights have learned, in words; without torch, for those who only read what weights say."""

from blazepose.topology import NUM_LANDMARKS

HEADS = ("presence", "visibility", "z", "world", "pose", "segmentation")
"""What labels may teach beside landmarks and heatmaps."""


def describe_supervised(trained: dict[str, list[str]]) -> str:
    """What weights have learned and what they have not, in a line."""
    landmarks = trained["landmarks"]
    missing = [name for name in ("heatmaps", *HEADS) if name not in trained["outputs"]]
    if len(landmarks) < NUM_LANDMARKS:
        missing.insert(0, "the other landmarks")
    text = f"learned: {len(landmarks)} of {NUM_LANDMARKS} landmarks, {', '.join(trained['outputs'])}"
    return f"{text}; not learned: {', '.join(missing)}" if missing else text


def next_step(trained: dict[str, list[str]]) -> str:
    """What to do next with weights that have learned this; the weights' name follows."""
    if trained["landmarks"]:
        return "evaluate them: python eval.py weights="
    return "next, the regression: python train.py stages.joint=0 stages.regression=60 init="
