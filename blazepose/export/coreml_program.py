"""Core ML packages, read back and run by torch: Core ML itself runs on Apple's systems only."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from blazepose.exceptions import InputError, MissingPackageError, install_command
from blazepose.export.export_module import DETECTOR_OUTPUT_NAMES, OUTPUT_NAMES
from blazepose.export.mil_operators import OPERATORS
from blazepose.native_messages import hide_harmless_messages
from blazepose.runtime.decode import RawOutputs
from blazepose.tflite.convert import quiet

_DTYPES = {"fp16": torch.float16, "fp32": torch.float32}


def import_coremltools() -> Any:
    """Import coremltools, without its warnings about what it lacks outside macOS.

    Raises:
        ImportError: if it is missing; the message names the extra to install.
    """
    try:
        with hide_harmless_messages(), quiet():
            import coremltools
    except ImportError as error:
        raise MissingPackageError(
            f"Core ML packages need coremltools: {install_command('coreml')}"
        ) from error
    return coremltools


def open_coreml_landmarks(path: Path) -> Callable[[np.ndarray], RawOutputs]:
    """Return a function that runs the landmark network of a package on a uint8 RGB crop."""
    program = CoreMLProgram(path, OUTPUT_NAMES)
    return lambda images: RawOutputs.from_arrays(program(images))


def open_coreml_detector(path: Path) -> Callable[[np.ndarray], Sequence[np.ndarray]]:
    """Return a function that runs the detector of a package on a uint8 RGB image."""
    return CoreMLProgram(path, DETECTOR_OUTPUT_NAMES)


class CoreMLProgram:
    """The program of a package, run operator by operator as its files state it, image scaling included.

    Weights and constants have the values of the files, in half precision too; the arithmetic is float32.

    Args:
        path: the `.mlpackage`.
        output_names: the outputs to return.
        half_arithmetic: round the result of each operator to the type that the program gives it, as devices
            do that compute in half precision. These may round the sums inside an operator, too.

    Raises:
        ImportError: if coremltools is missing.
        ValueError: if the input is no color image, an output is missing, or OPERATORS lacks an operator.
    """

    def __init__(self, path: Path, output_names: Sequence[str], half_arithmetic: bool = False) -> None:
        coremltools = import_coremltools()
        from coremltools.converters.mil.frontend.milproto.load import load
        from coremltools.converters.mil.mil.types import builtin_to_string

        model = coremltools.models.MLModel(str(path), skip_model_load=True)
        spec = model.get_spec()
        self.description, self._output_names = spec.description, output_names
        self._image = spec.description.input[0].type.imageType
        colors = self._image.ColorSpace.Name(self._image.colorSpace)
        names = [output.name for output in spec.description.output]
        if colors not in ("RGB", "BGR") or names != list(output_names):
            raise InputError(
                f"the Core ML package has an input of type {colors} and the outputs {', '.join(names)}; "
                f"expected a color image and {', '.join(output_names)}"
            )
        self._blue_first, self._half_arithmetic = colors == "BGR", half_arithmetic
        operations = load(spec, spec.specificationVersion, model.weights_dir).functions["main"].operations
        self._steps = [operator for operator in operations if operator.op_type != "const"]
        unknown = {operator.op_type for operator in self._steps} - set(OPERATORS)
        if unknown:
            raise InputError(
                f"the Core ML package cannot be verified, and no file was written: its operators "
                f"{', '.join(sorted(unknown))} are not in blazepose/export/mil_operators.py; install the "
                f"versions of constraints.txt"
            )
        self._constants = {
            operator.outputs[0].name: _constant(operator.outputs[0].val)
            for operator in operations
            if operator.op_type == "const"
        }
        self._dtypes = [_DTYPES[builtin_to_string(operator.outputs[0].dtype)] for operator in self._steps]

    @torch.no_grad()
    def __call__(self, images: np.ndarray) -> list[np.ndarray]:
        """Run one uint8 RGB image (1, height, width, 3) and return the outputs, float32.

        Raises:
            ValueError: if the program takes images of another size, or a result exceeds the range of its
                type.
        """
        size = (1, self._image.height, self._image.width, 3)
        if images.shape != size:
            raise InputError(f"the program takes images of {size}, not of {images.shape}")
        pixels = images[..., ::-1] if self._blue_first else images
        image = torch.from_numpy(pixels.transpose(0, 3, 1, 2).astype(np.float32))
        values: dict[str, Any] = {**self._constants, self.description.input[0].name: image}
        for operator, dtype in zip(self._steps, self._dtypes, strict=True):
            [output] = operator.outputs
            arguments = {name: _lookup(values, variable) for name, variable in operator.inputs.items()}
            result = OPERATORS[operator.op_type](**arguments)
            assert tuple(result.shape) == tuple(output.shape), f"{operator.name} has {tuple(result.shape)}"
            rounded = result.to(dtype)
            if not rounded.isfinite().all():
                raise InputError(
                    f"a result of the exported network ({operator.name}) exceeds the range of {dtype}; "
                    f"no file was written{'; use --precision fp32' if dtype == torch.float16 else ''}"
                )
            values[output.name] = rounded.float() if self._half_arithmetic else result
        return [values[name].numpy() for name in self._output_names]


def _constant(value: Any) -> Any:
    """Return a constant as OPERATORS takes it: floats as a tensor, others as Python's own."""
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.astype(np.float32)) if value.dtype.kind == "f" else value.tolist()
    return value.item() if isinstance(value, np.generic) else value


def _lookup(values: Mapping[str, Any], variable: Any) -> Any:
    """Return the values of an argument: of a variable, or of a list of them."""
    if isinstance(variable, Sequence):
        return [values[part.name] for part in variable]
    return values[variable.name]
