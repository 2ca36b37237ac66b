"""The process of acceleration.on_gpu: prints JSON in the last line of standard output."""

import json
import sys
from typing import Any

import numpy as np
from ai_edge_litert.compiled_model import CompiledModel
from ai_edge_litert.hardware_accelerator import HardwareAccelerator


def main(path: str) -> None:
    """Print whether the GPU runs the whole file, and how far its outputs are from those of the CPU."""
    try:
        gpu = CompiledModel.from_file(path, HardwareAccelerator.GPU)
        whole = gpu.is_fully_accelerated()
    except RuntimeError:  # some operators are not accelerated
        gpu = CompiledModel.from_file(path, HardwareAccelerator.GPU | HardwareAccelerator.CPU)
        whole = False
    expected = _run(CompiledModel.from_file(path, HardwareAccelerator.CPU))
    pairs = list(zip(expected, _run(gpu), strict=True))
    # A single value, as a probability near 0, has no spread that a difference could be compared with.
    shares = [_difference(a, b) for a, b in pairs if a.size > 1] or [_difference(*pair) for pair in pairs]
    print(json.dumps({"whole": bool(whole), "difference": max(shares)}))


def _difference(expected: np.ndarray, output: np.ndarray) -> float:
    """Return the mean difference, as a share of the spread of the expected values."""
    spread = max(expected.std(), np.abs(expected).mean(), 1e-9)
    return float(np.abs(expected - output).mean() / spread)


def _run(model: Any) -> list[np.ndarray]:
    signature = next(iter(model.get_signature_list()))
    details = model.get_input_tensor_details(signature)
    types = sorted({str(detail["dtype"]) for detail in details.values()} - {"float32"})
    if types:
        sys.exit(f"ERROR: its input is {', '.join(types)}; only float32 is compared")
    names = model.get_signature_list()[signature]
    inputs, outputs = model.create_input_buffers(0), model.create_output_buffers(0)
    random = np.random.default_rng(0)
    for buffer, name in zip(inputs, names["inputs"], strict=True):
        buffer.write(random.random(details[name]["shape"], np.float32).ravel())
    model.run_by_index(0, inputs, outputs)
    shapes = model.get_output_tensor_details(signature)
    return [
        buffer.read(int(np.prod(shapes[name]["shape"])), np.float32)
        for buffer, name in zip(outputs, names["outputs"], strict=True)
    ]


if __name__ == "__main__":
    main(sys.argv[1])
