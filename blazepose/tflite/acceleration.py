"""Whether LiteRT's accelerators run a TFLite file as a whole: XNNPACK on the CPU, ML Drift on the GPU.

An operator that an accelerator does not know runs in LiteRT's own slow kernels, and on a GPU each change of
the processor copies the activations.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ai_edge_litert import schema_py_generated as schema

from blazepose.native_messages import hide_harmless_messages
from blazepose.tflite.model import pack_model, read_model

_CONSTANT_OPERATORS = (schema.BuiltinOperator.DEQUANTIZE, schema.BuiltinOperator.DENSIFY)
"""Operators that restore constants; they belong to the operators that read these."""

_SOFTWARE_GPUS = tuple(
    Path(folder)
    for folder in ("/usr/lib/chromium", "/usr/lib/chromium-browser", "/opt/google/chrome", "/opt/chromium")
)
"""Folders of browsers, which bring a Vulkan loader and SwiftShader, a GPU in software."""

_WRONG = 0.25
"""Difference from which outputs are wrong. Chosen: arithmetic in 8 bits has up to 0.12, Google's sparse
detector 0.8."""

_TIMEOUT_S = 300
"""SwiftShader takes a few seconds for a network."""


class Acceleration(NamedTuple):
    """How an accelerator runs a file.

    Attributes:
        device: what the accelerator ran on.
        whole: it runs every operator.
        left_out: operators that it does not run, and why or how many.
        difference: mean difference between its outputs and those of the CPU for random pixels, as a share of
            the spread of these, of the output that differs most; None where it was not compared.
    """

    device: str
    whole: bool
    left_out: tuple[str, ...] = ()
    difference: float | None = None

    @property
    def is_wrong(self) -> bool:
        """Whether the outputs are others, which rounding does not explain."""
        return self.difference is not None and self.difference > _WRONG


def on_cpu(content: bytes) -> Acceleration:
    """Return how XNNPACK runs a file."""
    whole = _compiles_whole(content)
    return Acceleration("CPU", whole, () if whole else _left_out_by_xnnpack(content))


def _compiles_whole(content: bytes) -> bool:
    from ai_edge_litert.compiled_model import CompiledModel
    from ai_edge_litert.hardware_accelerator import HardwareAccelerator

    with hide_harmless_messages():
        return CompiledModel.from_buffer(content, HardwareAccelerator.CPU).is_fully_accelerated()


def _left_out_by_xnnpack(content: bytes) -> tuple[str, ...]:
    """Compile each operator alone, with its constants: LiteRT does not list those that it rejected."""
    model = read_model(content)
    graph = model.subgraphs[0]
    restored = {
        int(output): operator
        for operator in graph.operators
        if _code(model, operator) in _CONSTANT_OPERATORS
        for output in operator.outputs
    }
    rejected: Counter[str] = Counter()
    operators = graph.operators
    for operator in operators:
        if _code(model, operator) in _CONSTANT_OPERATORS:
            continue
        sources = _restoring(operator, restored)
        graph.operators = [*sources, operator]
        made = {int(output) for source in sources for output in source.outputs}
        graph.inputs = [
            int(i) for i in operator.inputs if _is_activation(model, int(i)) and int(i) not in made
        ]
        graph.outputs = [int(output) for output in operator.outputs]
        model.signatureDefs = None
        if not _compiles_alone(pack_model(model)):
            rejected[operator_name(model, operator)] += 1
    return tuple(f"{name} ({count})" for name, count in rejected.items())


def _compiles_alone(content: bytes) -> bool:
    try:
        return _compiles_whole(content)
    except (RuntimeError, ValueError):
        return False


def _restoring(operator: Any, restored: Mapping[int, Any]) -> list[Any]:
    """Return the operators that restore an operator's constants, in the order in which they run."""
    chain: list[Any] = []
    for index in map(int, operator.inputs):
        if index in restored:
            chain += [*_restoring(restored[index], restored), restored[index]]
    return chain


def _is_activation(model: Any, index: int) -> bool:
    if index < 0:
        return False
    data = model.buffers[model.subgraphs[0].tensors[index].buffer].data
    return data is None or not len(data)


def _code(model: Any, operator: Any) -> int:
    code = model.operatorCodes[operator.opcodeIndex]
    # Files from before the schema had more than 127 operators have the code in the other field.
    return max(code.builtinCode, code.deprecatedBuiltinCode)


_NAMES = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}


def operator_name(model: Any, operator: Any) -> str:
    """Return the name of an operator in the schema, or that of a custom operator."""
    code = model.operatorCodes[operator.opcodeIndex]
    if code.customCode:
        return f"custom {code.customCode.decode()}"
    return _NAMES[_code(model, operator)]


def on_gpu(content: bytes) -> Acceleration | str:
    """Return how LiteRT's GPU accelerator runs a file, or why that is unknown on this machine.

    It runs in a process of its own, since a driver may end it. Without a GPU, that of a browser in software
    takes its place: it shows what is accelerated and whether the numbers are right, not how fast it is.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.tflite"
        path.write_bytes(content)
        command = [sys.executable, "-m", "blazepose.tflite.gpu_process", str(path)]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_S,
                env=os.environ | software_gpu(),
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"it did not answer within {_TIMEOUT_S} seconds"
    device = re.search(r"Selected adapter: (.*?), arch", done.stderr)
    if not device and done.returncode:
        return (
            "LiteRT found no GPU: install a Vulkan driver, or Chromium, which has one in software "
            "(/usr/lib/chromium)"
        )
    if done.returncode:
        reasons = re.findall(r"^ERROR: ([^\[].*)", done.stderr, re.MULTILINE)
        return f"LiteRT did not load the file: {(reasons or [f'status {done.returncode}'])[0]}"
    answer = json.loads(done.stdout.splitlines()[-1])
    rejected = re.search(r"not supported by GPU delegate:\n(.*?)\n\d+ operations", done.stderr, re.DOTALL)
    reasons = rejected[1].splitlines() if rejected else []
    return Acceleration(
        device[1] if device else "GPU",
        answer["whole"],
        tuple(line.rstrip(": ") for line in reasons),
        answer["difference"],
    )


def software_gpu() -> dict[str, str]:
    """Return variables that let LiteRT find the software GPU of a browser, if the machine names no driver."""
    drivers = [*Path("/usr/share/vulkan/icd.d").glob("*.json"), *Path("/etc/vulkan/icd.d").glob("*.json")]
    if drivers or os.environ.get("VK_ICD_FILENAMES"):
        return {}
    for folder in _SOFTWARE_GPUS:
        driver = folder / "vk_swiftshader_icd.json"
        if driver.is_file():
            libraries = os.pathsep.join(filter(None, (os.environ.get("LD_LIBRARY_PATH"), str(folder))))
            return {"VK_ICD_FILENAMES": str(driver), "LD_LIBRARY_PATH": libraries}
    return {}
