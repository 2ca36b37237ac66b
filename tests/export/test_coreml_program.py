"""Core ML programs, read back: nothing that cannot be computed is left out."""

from pathlib import Path

import numpy as np
import pytest

from blazepose.export.coreml_program import CoreMLProgram, import_coremltools


def small_package(path: Path, operator: str, half: bool = False, **parameters: float) -> Path:
    """Write a program that applies an operator to an image of 4 x 4."""
    ct = import_coremltools()
    from coremltools.converters.mil.mil import Builder

    @Builder.program(input_specs=[Builder.TensorSpec((1, 3, 4, 4))], opset_version=ct.target.iOS16)
    def program(image):
        return getattr(Builder, operator)(x=image, name="result", **parameters)

    ct.convert(
        program,
        inputs=[ct.ImageType(name="image", shape=(1, 3, 4, 4))],
        compute_precision=ct.precision.FLOAT16 if half else ct.precision.FLOAT32,
        minimum_deployment_target=ct.target.iOS16,
        skip_model_load=True,
    ).save(str(path))
    return path


def test_an_operator_without_a_function_is_an_error(tmp_path):
    package = small_package(tmp_path / "a.mlpackage", "tan")
    with pytest.raises(ValueError, match=r"cannot be verified, .*: its operators tan are not in "):
        CoreMLProgram(package, ["result"])


def test_numbers_beyond_half_precision_are_an_error(tmp_path):
    single = CoreMLProgram(small_package(tmp_path / "a.mlpackage", "mul", y=300.0), ["result"])
    half = CoreMLProgram(small_package(tmp_path / "b.mlpackage", "mul", True, y=300.0), ["result"])
    white = np.full((1, 4, 4, 3), 255, np.uint8)
    assert (single(white)[0] == 76500).all()
    with pytest.raises(ValueError, match=r"exceeds the range of torch\.float16; .* --precision fp32"):
        half(white)


def test_images_of_another_size_are_refused(tmp_path):
    program = CoreMLProgram(small_package(tmp_path / "a.mlpackage", "relu6"), ["result"])
    with pytest.raises(ValueError, match=r"takes images of \(1, 4, 4, 3\), not of \(1, 8, 8, 3\)"):
        program(np.zeros((1, 8, 8, 3), np.uint8))
