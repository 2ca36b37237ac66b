"""Files in lower precisions: what is stored, and that accelerators run the whole of it."""

from collections import Counter

import numpy as np
import pytest
import torch
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from torch import nn

from blazepose.input_spec import InputSpec
from blazepose.tflite.acceleration import on_cpu, on_gpu, operator_name
from blazepose.tflite.convert import to_tflite
from blazepose.tflite.float16 import store_float16
from blazepose.tflite.int8 import quantize_activations, quantize_weights
from blazepose.tflite.metadata import with_metadata
from blazepose.tflite.model import pack_model, read_model

SPEC = InputSpec(16, 0.0, 1.0)


class Small(nn.Module):
    """Constant padding, a convolution with ReLU6, and one without."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Conv2d(3, 8, 3, 2), nn.Conv2d(8, 4, 1)

    def forward(self, image):
        x = nn.functional.pad(image.permute(0, 3, 1, 2), (0, 1, 0, 1))
        x = nn.functional.relu6(self.first(x))
        return self.last(nn.functional.pad(x, (0, 0, 0, 0, 0, 0))).permute(0, 2, 3, 1)


@pytest.fixture(scope="module")
def float32() -> bytes:
    return to_tflite(Small(), SPEC)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).random((8, 16, 16, 3), np.float32)


@pytest.fixture(scope="module")
def files(float32, images) -> dict[str, bytes]:
    static = quantize_activations(float32, images, "serving_default_output_0_output")
    return {
        "float32": float32,
        "float16": store_float16(float32),
        "int8": with_metadata(quantize_weights(float32), {}),
        "int8_static": with_metadata(static, {}),
    }


def constants(content: bytes) -> Counter:
    """Count the constants of each type."""
    model = read_model(content)
    names = {number: name for name, number in vars(schema.TensorType).items() if isinstance(number, int)}
    return Counter(
        names[tensor.type]
        for tensor in model.subgraphs[0].tensors
        if model.buffers[tensor.buffer].data is not None and names[tensor.type] != "INT32"
    )


def run(content: bytes, image: np.ndarray) -> np.ndarray:
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def test_padding_needs_no_transposes(float32):
    model = read_model(float32)
    names = {operator_name(model, operator) for operator in model.subgraphs[0].operators}
    assert names <= {"PAD", "CONV_2D"}


def test_kernels_and_biases_are_stored_in_the_precision(files):
    assert constants(files["float32"]) == {"FLOAT32": 4}
    assert constants(files["float16"]) == {"FLOAT16": 4}
    assert constants(files["int8"]) == {"INT8": 2, "FLOAT32": 2}
    assert constants(files["int8_static"])["INT8"] == 2


def test_outputs_are_those_of_float32(files, images):
    expected = run(files["float32"], images[0])
    for name, tolerance in (("float16", 2e-3), ("int8", 0.02), ("int8_static", 0.05)):
        output = run(files[name], images[0])
        assert output.dtype == np.float32
        np.testing.assert_allclose(output, expected, atol=tolerance)
        assert (output != expected).any(), name


def test_xnnpack_runs_each_file_as_a_whole(files):
    for name, content in files.items():
        assert on_cpu(content).whole, name


def test_the_gpu_runs_each_file_as_a_whole(files):
    answers = {name: on_gpu(content) for name, content in files.items() if name != "int8_static"}
    if isinstance(answers["float32"], str):
        pytest.skip(answers["float32"])
    for name, answer in answers.items():
        assert answer.whole, name
        assert answer.difference < 1e-3, name


def test_operators_that_xnnpack_leaves_out_are_named(float32):
    """Float16 biases beside int8 kernels: each is known, both together are not."""
    mixed = store_float16(quantize_weights(float32))
    assert on_cpu(mixed) == ("CPU", False, ("CONV_2D (2)",), None)


def test_a_machine_without_a_gpu_gets_a_reason(float32, monkeypatch, tmp_path):
    monkeypatch.setenv("VK_ICD_FILENAMES", str(tmp_path / "none.json"))
    assert "install a Vulkan driver" in on_gpu(float32)


def test_packing_keeps_the_model(float32):
    assert pack_model(read_model(float32)) == pack_model(read_model(pack_model(read_model(float32))))
