"""Files without some of their outputs: the others stay the same."""

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from blazepose.runtime.engines import LandmarkEngine
from blazepose.task_bundle import LANDMARKS_ENTRY, read_tflite
from blazepose.tflite.contents import read_contents
from blazepose.tflite.prune import without_outputs


def test_the_mask_is_left_out_with_its_operators(lite_bundle):
    content = read_tflite(lite_bundle, LANDMARKS_ENTRY)
    pruned = without_outputs(content, {2})
    before, after = read_contents(content), read_contents(pruned)
    assert [output for output in before.outputs if output not in after.outputs] == [before.outputs[2]]
    assert sum(after.operators.values()) < sum(before.operators.values()) - 10
    Interpreter(model_content=pruned).allocate_tensors()


def test_an_engine_without_masks_returns_the_same_landmarks(lite_bundle):
    image = np.random.default_rng(0).integers(0, 256, (2, 256, 256, 3), np.uint8)
    whole, pruned = (LandmarkEngine(lite_bundle, masks=masks)(image) for masks in (True, False))
    assert pruned.segmentation is None
    assert whole.segmentation is not None
    for name in ("landmarks", "pose_presence", "heatmaps", "world"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(pruned, name))
