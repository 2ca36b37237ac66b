"""Core ML packages: what Xcode shows of them, and the same outputs as torch, or no package."""

import copy
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from blazepose import __version__
from blazepose.commands.export import main
from blazepose.export.coreml import convert_coreml
from blazepose.export.coreml_program import (
    CoreMLProgram,
    import_coremltools,
    open_coreml_detector,
    open_coreml_landmarks,
)
from blazepose.export.detector_export import DETECTOR_TOLERANCE, detector_differences
from blazepose.export.export_module import (
    DETECTOR_OUTPUT_NAMES,
    OUTPUT_NAMES,
    ExportModule,
    metadata_json,
)
from blazepose.export.landmark_export import export_landmark_net
from blazepose.export.targets import TARGETS
from blazepose.export.verify import check_tolerance, differences
from blazepose.models.detector_net import DetectorNet
from blazepose.models.landmark_net import LandmarkNet
from blazepose.models.variants import landmark_variant
from blazepose.supervised_outputs import SupervisedOutputs
from blazepose.training.checkpoint import detector_metadata, landmark_metadata, write_checkpoint

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 256, 256, 3), dtype=np.uint8)
SOURCES = {"train": [], "val": []}


def net_with_statistics(net: nn.Module) -> nn.Module:
    """Give BatchNorm the statistics of an image; without, activations vanish with depth."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    net.train()(torch.rand(2, 3, net.input_spec.size, net.input_spec.size))
    return net.eval()


@pytest.fixture(scope="module")
def lite() -> tuple[LandmarkNet, dict]:
    """A random lite, with heatmaps in the range of trained ones, and its metadata."""
    torch.manual_seed(0)
    net = net_with_statistics(LandmarkNet(landmark_variant("lite", "mediapipe")))
    with torch.no_grad():
        net.heatmaps.weight.mul_(300)
    supervised = SupervisedOutputs(landmarks=("nose",))
    return net, landmark_metadata(net, "mediapipe", supervised, SOURCES, {})


@pytest.fixture(scope="module")
def exported(lite, tiny_lsp, tmp_path_factory) -> Path:
    """The package that the command makes of lite, with the command's output beside it."""
    folder = tmp_path_factory.mktemp("coreml")
    photos = folder / "photos"
    photos.mkdir()
    for photo in sorted((tiny_lsp / "images").iterdir())[:2]:
        shutil.copy(photo, photos)
    write_checkpoint(folder / "lite.ckpt", *lite)
    names = {"--weights": "lite.ckpt", "--out": "my_pose.mlpackage", "--pictures": "photos"}
    flags = [text for flag, name in names.items() for text in (flag, str(folder / name))]
    with pytest.MonkeyPatch.context() as patch, (folder / "printed").open("w") as printed:
        patch.setattr(sys, "stdout", printed)
        main(["--target", "coreml", *flags])
    return folder / "my_pose.mlpackage"


@pytest.mark.slow
def test_the_command_writes_a_package_and_prints_its_size(exported):
    files = sorted(str(path.relative_to(exported)) for path in exported.rglob("*") if path.is_file())
    model = "Data/com.apple.CoreML"
    assert files == [f"{model}/model.mlmodel", f"{model}/weights/weight.bin", "Manifest.json"]
    size = sum((exported / file).stat().st_size for file in files) / 1e6
    assert f"my_pose.mlpackage: {size:.2f} MB, verified" in (exported.parent / "printed").read_text()
    assert {path.stat().st_mode & 0o777 for path in exported.rglob("*") if path.is_file()} == {0o644}
    assert not list(exported.parent.glob(".*"))  # no partial package remains


@pytest.mark.slow
def test_no_path_of_this_machine_is_in_the_package(exported):
    content = b"".join(path.read_bytes() for path in exported.rglob("*") if path.is_file())
    assert str(Path(__file__).parents[2]).encode() not in content
    assert b"site-packages" not in content


@pytest.mark.slow
def test_what_xcode_shows(exported, lite):
    spec = read_spec(exported)
    [image] = spec.description.input
    kind = image.type.imageType
    assert (image.name, kind.width, kind.height) == ("image", 256, 256)
    assert kind.ColorSpace.Name(kind.colorSpace) == "RGB"
    shapes = {output.name: list(output.type.multiArrayType.shape) for output in spec.description.output}
    assert tuple(shapes) == OUTPUT_NAMES
    assert list(shapes.values()) == [[1, 195], [1, 1], [1, 256, 256, 1], [1, 64, 64, 39], [1, 117]]
    for output in spec.description.output:
        assert output.type.multiArrayType.ArrayDataType.Name(output.type.multiArrayType.dataType) == "FLOAT32"
        assert output.shortDescription.startswith(str(shapes[output.name]))
    assert "RGB, 256 x 256" in image.shortDescription
    assert spec.specificationVersion == 7, "iOS 16"
    about = spec.description.metadata
    assert (about.author, about.versionString) == ("blazepose", __version__)
    assert "x and y are the regression" in about.shortDescription
    assert "Trained: 1 of 33 landmarks" in about.shortDescription
    stored = json.loads(about.userDefined["blazepose"])
    assert stored == {**lite[1], "decoding": "regression", "precision": "fp32"}


@pytest.mark.slow
def test_the_read_package_equals_torch(exported, lite):
    verification = differences(open_coreml_landmarks(exported), lite[0], IMAGES)
    check_tolerance(verification, "fp32")
    assert max(verification.worst) > 0, "torch is not compared with itself"


def read_spec(package: Path):
    return import_coremltools().models.MLModel(str(package), skip_model_load=True).get_spec()


def tamper_scale(package: Path) -> None:
    """Multiply pixels by a hundredth more."""
    spec = read_spec(package)
    [block] = spec.mlProgram.functions["main"].block_specializations.values()
    operators = {operator.outputs[0].name: operator for operator in block.operations}
    factor = operators["image__scaled__"].inputs["y"].arguments[0].name
    values = operators[factor].attributes["val"].immediateValue.tensor.floats.values
    assert values[0] == pytest.approx(1 / 255)
    values[0] *= 1.01
    write_spec(package, spec)


def tamper_colors(package: Path) -> None:
    spec = read_spec(package)
    kind = spec.description.input[0].type.imageType
    kind.colorSpace = kind.ColorSpace.Value("BGR")
    write_spec(package, spec)


def write_spec(package: Path, spec) -> None:
    (package / "Data/com.apple.CoreML/model.mlmodel").write_bytes(spec.SerializeToString())


def tamper_weights(package: Path) -> None:
    """Add a little to a few of the numbers in the middle of the file."""
    file = package / "Data/com.apple.CoreML/weights/weight.bin"
    content = bytearray(file.read_bytes())
    middle = len(content) // 8 * 4
    numbers = np.frombuffer(content[middle : middle + 4096], np.float32) + 0.05
    content[middle : middle + 4096] = numbers.astype(np.float32).tobytes()
    file.write_bytes(content)


@pytest.mark.slow
@pytest.mark.parametrize("tamper", [tamper_scale, tamper_colors, tamper_weights])
def test_a_package_that_computes_something_else_is_refused(tamper, exported, lite, tmp_path):
    package = tmp_path / exported.name
    shutil.copytree(exported, package)
    tamper(package)
    with pytest.raises(ValueError, match="differs from torch"):
        check_tolerance(differences(open_coreml_landmarks(package), lite[0], IMAGES), "fp32")


@pytest.mark.slow
def test_half_precision_and_heatmap_decoding(lite, tmp_path):
    net, metadata = copy.deepcopy(lite[0]), {**lite[1], "decoding": "heatmap"}
    net.decode_by_heatmaps()
    module, package = ExportModule(net), tmp_path / "half.mlpackage"
    for weights in module.state_dict().values():  # so that rounding costs nothing
        weights.copy_(weights.half())
    convert_coreml(module, "fp16", metadata_json(metadata, "fp16"), package)
    size = sum(path.stat().st_size for path in package.rglob("*"))
    assert size / 1e6 == pytest.approx(3.0, rel=0.1)
    assert "x and y are decoded from the heatmaps" in read_spec(package).description.metadata.shortDescription
    check_tolerance(differences(open_coreml_landmarks(package), module.net, IMAGES), "fp32")
    results = [CoreMLProgram(package, OUTPUT_NAMES, half)(IMAGES[:1])[0] for half in (False, True)]
    assert (results[1] == results[1].astype(np.float16)).all()
    assert not (results[0] == results[0].astype(np.float16)).all()


@pytest.mark.slow
def test_the_detector(tmp_path):
    torch.manual_seed(0)
    net = net_with_statistics(DetectorNet())
    package = tmp_path / "detector.mlpackage"
    metadata = metadata_json(detector_metadata(net, SOURCES, {}), "fp32")
    convert_coreml(ExportModule(net), "fp32", metadata, package)
    description = read_spec(package).description
    assert tuple(output.name for output in description.output) == DETECTOR_OUTPUT_NAMES
    assert all(output.shortDescription for output in description.output)
    images = np.ascontiguousarray(IMAGES[:, :224, :224])
    check_tolerance(
        detector_differences(open_coreml_detector(package), net, images), "fp32", DETECTOR_TOLERANCE
    )
    with pytest.raises(
        ValueError, match="and the outputs boxes, scores; expected a color image and landmarks,"
    ):
        open_coreml_landmarks(package)


@pytest.mark.slow
def test_a_package_that_differs_does_not_appear(exported, lite, tmp_path, monkeypatch):
    def broken(net: ExportModule, precision: str, metadata: str, path: Path) -> None:
        shutil.copytree(exported, path)
        tamper_weights(path)

    monkeypatch.setitem(TARGETS, "coreml", TARGETS["coreml"]._replace(convert=broken))
    photos, out = exported.parent / "photos", tmp_path / "my_pose.mlpackage"
    with pytest.raises(ValueError, match="differs from torch"):
        export_landmark_net(exported.parent / "lite.ckpt", "coreml", "fp32", out, photos)
    assert not list(tmp_path.iterdir())


def test_the_package_may_be_missing(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "coremltools", None)
    net = ExportModule(LandmarkNet(landmark_variant("lite", "mediapipe")))
    with pytest.raises(ImportError, match=r"need coremltools: pip install .blazepose\[coreml\]."):
        convert_coreml(net, "fp32", "{}", tmp_path / "a.mlpackage")


def test_an_existing_package_is_not_overwritten(tmp_path, capsys):
    out = tmp_path / "my_pose.mlpackage"
    out.mkdir()
    with pytest.raises(FileExistsError, match="choose another --out"):
        export_landmark_net(tmp_path / "none.ckpt", "coreml", "fp32", out)
    with pytest.raises(SystemExit):
        main(["--target", "coreml", "--weights", "none.task", "--out", str(tmp_path / "pose.mlmodel")])
    assert "the suffix for --target coreml is .mlpackage" in capsys.readouterr().err
