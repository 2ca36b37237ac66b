"""Operators of Core ML's programs: the same results as coremltools' own evaluation, or known ones."""

import numpy as np
import pytest
import torch

from blazepose.export.coreml_program import import_coremltools
from blazepose.export.mil_operators import OPERATORS

X = np.random.default_rng(0).normal(size=(1, 2, 3, 4)).astype(np.float32)
EVALUATED = {
    "add": {"y": X[:, :, :1]},
    "clip": {"alpha": -0.5, "beta": 0.5},
    "expand_dims": {"axes": [0, -1]},
    "mul": {"y": X + 1},
    "relu6": {},
    "reshape": {"shape": [-1, 8]},
    "sigmoid": {},
    "slice_by_index": {
        "begin": [0, 1, 2, 1],
        "end": [1, 2, 3, 4],
        "stride": [1, 1, 1, 2],
        "begin_mask": [False, False, True, False],
        "end_mask": [False, False, False, True],
        "squeeze_mask": [False, True, False, False],
    },
    "softmax": {"axis": 2},
    "sub": {"y": X[..., :1]},
    "transpose": {"perm": [0, 2, 3, 1]},
}


@pytest.mark.parametrize("name", EVALUATED)
def test_as_coremltools_evaluates_constants(name):
    import_coremltools()
    from coremltools.converters.mil.mil import Builder, Function

    parameters = EVALUATED[name]
    with Function({}):
        expected = getattr(Builder, name)(x=X * 9, **parameters).val
    tensors = {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in parameters.items()}
    computed = OPERATORS[name](x=torch.from_numpy(X * 9), **tensors)
    np.testing.assert_allclose(computed.numpy(), expected, rtol=1e-6, atol=1e-6)


def test_concat_joins_in_order():
    parts = [torch.zeros(1, 2), torch.ones(1, 1)]
    assert OPERATORS["concat"](values=parts, axis=1, interleave=False).tolist() == [[0, 0, 1]]


def test_padding_is_given_from_the_first_to_the_last_dimension():
    row = torch.ones(1, 1, 1, 1)
    padded = OPERATORS["pad"](x=row, pad=[0, 0, 0, 1, 2, 0, 0, 3], mode="constant", constant_val=5.0)
    assert padded.shape == (1, 2, 3, 4)
    assert padded[0, 0].tolist() == [[5, 5, 5, 5], [5, 5, 5, 5], [1, 5, 5, 5]]


def test_conv_pads_top_bottom_left_right():
    image = torch.arange(4.0).reshape(1, 1, 2, 2)
    rest = {"strides": [1, 1], "dilations": [1, 1], "groups": 1, "bias": torch.tensor([10.0])}
    kernel = torch.tensor([[[[1.0, 0.0]]]])  # takes the left of two pixels
    shifted = OPERATORS["conv"](x=image, weight=kernel, pad_type="custom", pad=[0, 0, 1, 0], **rest)
    assert shifted.tolist() == [[[[10, 10], [10, 12]]]]
    plain = OPERATORS["conv"](x=image, weight=kernel, pad_type="valid", pad=[9, 9, 9, 9], **rest)
    assert plain.tolist() == [[[[10], [12]]]]


def test_pooling_and_upsampling():
    image = torch.arange(4.0).reshape(1, 1, 2, 2)
    pooling = {"strides": [2, 2], "pad_type": "custom", "ceil_mode": False}
    assert OPERATORS["max_pool"](x=image, kernel_sizes=[2, 2], pad=[0, 0, 0, 0], **pooling).item() == 3
    scale = {"scale_factor_height": 1.0, "scale_factor_width": 2.0}
    row = torch.tensor([[[[0.0, 1.0]]]])
    by_centers = OPERATORS["upsample_bilinear"](x=row, align_corners=False, **scale)
    # Source: the grid of points in coremltools' documentation of the operator.
    assert by_centers.flatten().tolist() == [0, 0.25, 0.75, 1]


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("conv", {"weight": torch.ones(1, 1, 1, 1), "strides": [1, 1], "dilations": [1, 1], "groups": 1}),
        ("max_pool", {"kernel_sizes": [2, 2], "strides": [2, 2], "ceil_mode": False}),
    ],
)
def test_other_paddings_are_refused(name, parameters):
    with pytest.raises(ValueError, match="padding 'same'"):
        OPERATORS[name](x=torch.ones(1, 1, 2, 2), pad_type="same", pad=[0, 0, 0, 0], **parameters)


def test_a_parameter_without_a_meaning_here_is_an_error():
    with pytest.raises(TypeError, match="threshold"):
        OPERATORS["relu6"](x=torch.ones(1), threshold=2.0)
