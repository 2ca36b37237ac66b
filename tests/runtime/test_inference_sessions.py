"""Network files by whoever runs them."""

import shutil
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from blazepose.runtime.inference_sessions import open_session, require_contract
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, pack
from tests.runtime.written_onnx import LANDMARK_OUTPUTS, onnx, write_onnx


@pytest.mark.parametrize("channels_first", [False, True])
@pytest.mark.parametrize("batch", ["batch", 1])
def test_onnx_input_layouts_and_batches(tmp_path, channels_first, batch):
    path = write_onnx(tmp_path / "net.onnx", channels_first=channels_first, batch=batch)
    graph = open_session(path, LANDMARKS_ENTRY, 1)
    assert [tuple(node) for node in graph.inputs] == [(1, 256, 256, 3, "float32")]
    assert [shape[1:] for shape in graph.outputs] == list(LANDMARK_OUTPUTS)
    images = np.zeros((3, 256, 256, 3), np.float32)
    images[..., 0] = np.array([0, 0.2, 1])[:, None, None]
    outputs = graph(images)
    assert [output.shape for output in outputs] == [(3, *shape) for shape in LANDMARK_OUTPUTS]
    assert outputs[0][:, 0] == pytest.approx([0, 0.2, 1], rel=1e-3)
    assert outputs[4][:, 0] == pytest.approx([0, 1, 5], rel=1e-3)


@pytest.mark.parametrize("note", [None, {"trained": {"landmarks": ["nose"]}}])
def test_onnx_metadata(tmp_path, note):
    assert open_session(write_onnx(tmp_path / "net.onnx", metadata=note), LANDMARKS_ENTRY).metadata == (
        note or {}
    )


@pytest.mark.parametrize("suffix", [".tflite", ".onnx", ".task"])
@pytest.mark.parametrize("entry", [LANDMARKS_ENTRY, DETECTOR_ENTRY])
def test_missing_empty_and_foreign_files_are_named(tmp_path, suffix, entry):
    path = tmp_path / f"net{suffix}"
    with pytest.raises(FileNotFoundError, match=f"net{suffix} is missing"):
        open_session(path, entry)
    kind = {".tflite": "a TFLite file", ".onnx": "an ONNX file", ".task": r"a \.task bundle"}[suffix]
    for content, sentence in (
        (b"", "is empty: it has 0 bytes"),
        (b"version https://git-lfs.github.com/spec/v1\n", f"is not {kind}, but a Git LFS pointer; `git lfs"),
        (b"<!DOCTYPE html><html>404</html>", f"is not {kind}, but a web page; download the file itself$"),
        (b"not a network at all", rf"cannot be read as {kind}: .*; it begins as text, 'not .* 20 bytes"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"net{suffix} {sentence}"):
            open_session(path, entry)


def test_onnx_files_without_their_data_file_name_it(tmp_path):
    (tmp_path / "app").mkdir()
    net = onnx.load(write_onnx(tmp_path / "net.onnx"))
    onnx.save(net, tmp_path / "split.onnx", save_as_external_data=True, location="split.onnx.data")
    assert open_session(tmp_path / "split.onnx", LANDMARKS_ENTRY)
    path = Path(shutil.copy(tmp_path / "split.onnx", tmp_path / "app"))
    copy = r"; copy the data file that was written with it to the same folder$"
    with pytest.raises(ValueError, match=rf'does not exist: "\S+app/split\.onnx\.data"{copy}'):
        open_session(path, LANDMARKS_ENTRY)
    (tmp_path / "app/split.onnx.data").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(
        ValueError, match=rf"split\.onnx cannot .* given file_length: 43 are out of bounds.*{copy}"
    ):
        open_session(path, LANDMARKS_ENTRY)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda net: setattr(net, "ir_version", 99),
            r"Unsupported model IR version: 99, max \S+ IR version: \d+; update ONNX Runtime with `pip ",
        ),
        (
            lambda net: setattr(net.opset_import[0], "version", 99),
            r"ONNX Runtime only .* Opset 99 .* is till opset \d+; update ONNX Runtime with `pip ",
        ),
        (
            lambda net: setattr(net.graph.node[0], "op_type", "Novel"),
            r"This is an invalid .* No Op registered for Novel .* 18$",
        ),
    ],
)
def test_onnx_files_of_another_version_pass_on_what_onnx_runtime_reports(tmp_path, change, sentence):
    net = onnx.load(write_onnx(tmp_path / "net.onnx"))
    change(net)
    onnx.save(net, tmp_path / "net.onnx")
    with pytest.raises(ValueError, match=rf"net\.onnx cannot be read as an ONNX file: {sentence}"):
        open_session(tmp_path / "net.onnx", LANDMARKS_ENTRY)


@pytest.mark.shared
def test_tflite_files_of_a_newer_version_pass_on_what_litert_reports(shared, tmp_path):
    content = (shared / "models/pose_landmark_lite.tflite").read_bytes()
    net = schema.ModelT.InitFromPackedBuf(content, 0)
    net.operatorCodes[0].version = 99
    builder = flatbuffers.Builder(len(content))
    builder.Finish(net.Pack(builder), file_identifier=b"TFL3")
    path = tmp_path / "net.tflite"
    path.write_bytes(builder.Output())
    with pytest.raises(ValueError, match=r"version '99'.* newer model\?; update LiteRT with `pip install"):
        open_session(path, LANDMARKS_ENTRY)


def test_folders_are_no_networks(tmp_path):
    with pytest.raises(ValueError, match=r"is a folder; name a \.tflite, \.task, \.onnx file$"):
        open_session(tmp_path, LANDMARKS_ENTRY)


@pytest.mark.parametrize("entry", [LANDMARKS_ENTRY, DETECTOR_ENTRY])
def test_a_bundle_without_the_network_says_what_it_holds(tmp_path, entry):
    (tmp_path / "net.task").write_bytes(pack({"other.tflite": b""}))
    with pytest.raises(
        ValueError, match=rf"net\.task is no pose bundle: it holds other\.tflite, not {entry}"
    ):
        open_session(tmp_path / "net.task", entry)


def test_unknown_suffix_lists_the_known(tmp_path):
    (tmp_path / "net.pth").touch()
    with pytest.raises(ValueError, match=r"no engine runs '\.pth' files; they are \.tflite, \.task, \.onnx"):
        open_session(tmp_path / "net.pth", LANDMARKS_ENTRY)


@pytest.mark.parametrize("name", ["run", "run/best.ckpt"])
def test_what_a_training_wrote_has_to_be_exported(tmp_path, name):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/config.yaml").touch()
    (tmp_path / "run/best.ckpt").touch()
    with pytest.raises(
        ValueError, match=rf"{name} is a training's; python export\.py --target tflite --weights"
    ):
        open_session(tmp_path / name, LANDMARKS_ENTRY)


@pytest.mark.parametrize("name", ["gone", "gone.ckpt", "runs/detector/gone"])
def test_what_is_missing_is_missing(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=rf"{name} is missing; name a \.tflite, \.task, \.onnx file$"):
        open_session(tmp_path / name, LANDMARKS_ENTRY)


@pytest.mark.parametrize("suffix", [".tflite", ".onnx", ".task"])
@pytest.mark.parametrize("threads", [0, -1])
def test_fewer_threads_than_one_are_refused(tmp_path, suffix, threads):
    with pytest.raises(ValueError, match=f"^{threads} threads: a number from 1 up, or none for every core$"):
        open_session(tmp_path / f"net{suffix}", LANDMARKS_ENTRY, threads)


def test_the_contract_tells_the_side(tmp_path):
    path = write_onnx(tmp_path / "net.onnx", outputs=([7, 2], [128, 1], [3]), size=128)
    graph = open_session(path, LANDMARKS_ENTRY)

    def expected(size: int) -> list[tuple[int, ...]]:
        return [(7, 2), (size, 1)]

    assert require_contract(graph, path, "small network", None, expected) == 128
    assert require_contract(graph, path, "small network", 128, expected) == 128
    with pytest.raises(ValueError, match=r"not a small network: its inputs are .* expected \[1, 64, 64, 3"):
        require_contract(graph, path, "small network", 64, expected)
    with pytest.raises(ValueError, match=r"expected \[1, 128, 1\] in this order"):
        require_contract(graph, path, "small network", None, lambda size: [(size, 1)])


@pytest.mark.shared
def test_truncated_files_are_refused(shared: Path, tmp_path):
    content = (shared / "models/pose_landmark_lite.tflite").read_bytes()
    for length in (1000, len(content) // 2, len(content) - 4):
        (tmp_path / "cut.tflite").write_bytes(content[:length])
        reason = "The model is not a valid Flatbuffer buffer; it begins as a TFLite file; compare its"
        with pytest.raises(ValueError, match=rf"cut\.tflite cannot be .*: {reason} {length:,} bytes"):
            open_session(tmp_path / "cut.tflite", LANDMARKS_ENTRY)
