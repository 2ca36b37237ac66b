"""Sessions of LiteRT and ONNX Runtime, and refused files."""

import shutil
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from blazepose.runtime.inference_sessions import check_signature, open_session
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, pack
from tests.runtime.written_onnx import LANDMARK_OUTPUTS, onnx, write_onnx


@pytest.mark.parametrize("channels_first", [False, True])
@pytest.mark.parametrize("batch", ["batch", 1])
def test_onnx_input_layouts_and_batches(tmp_path, channels_first, batch):
    path = write_onnx(tmp_path / "net.onnx", channels_first=channels_first, batch=batch)
    session = open_session(path, LANDMARKS_ENTRY, 1)
    assert [tuple(node) for node in session.inputs] == [(1, 256, 256, 3, "float32")]
    assert [shape[1:] for shape in session.outputs] == list(LANDMARK_OUTPUTS)
    images = np.zeros((3, 256, 256, 3), np.float32)
    images[..., 0] = np.array([0, 0.2, 1])[:, None, None]
    outputs = session(images)
    assert [output.shape for output in outputs] == [(3, *shape) for shape in LANDMARK_OUTPUTS]
    assert outputs[0][:, 0] == pytest.approx([0, 0.2, 1], rel=1e-3)
    assert outputs[4][:, 0] == pytest.approx([0, 1, 5], rel=1e-3)


@pytest.mark.parametrize("metadata", [None, {"trained": {"landmarks": ["nose"]}}])
def test_onnx_metadata(tmp_path, metadata):
    assert open_session(write_onnx(tmp_path / "net.onnx", metadata=metadata), LANDMARKS_ENTRY).metadata == (
        metadata or {}
    )


@pytest.mark.parametrize("suffix", [".tflite", ".onnx", ".task"])
@pytest.mark.parametrize("entry", [LANDMARKS_ENTRY, DETECTOR_ENTRY])
def test_missing_empty_and_foreign_files_are_refused(tmp_path, suffix, entry):
    path = tmp_path / f"net{suffix}"
    with pytest.raises(FileNotFoundError, match=f"net{suffix} is missing"):
        open_session(path, entry)
    kind = {".tflite": "a TFLite file", ".onnx": "an ONNX file", ".task": r"a \.task bundle"}[suffix]
    for content, message in (
        (b"", "is empty: it has 0 bytes"),
        (b"version https://git-lfs.github.com/spec/v1\n", f"is not {kind}, but a Git LFS pointer; `git lfs"),
        (b"<!DOCTYPE html><html>404</html>", f"is not {kind}, but a web page; download the file itself$"),
        (b"not a network at all", rf"cannot be read as {kind}: .*; it begins as text, 'not .* 20 bytes"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"net{suffix} {message}"):
            open_session(path, entry)


def test_onnx_files_without_their_data_file_are_refused(tmp_path):
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
    ("change", "message"),
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
def test_onnx_files_of_another_version_pass_on_what_onnx_runtime_reports(tmp_path, change, message):
    net = onnx.load(write_onnx(tmp_path / "net.onnx"))
    change(net)
    onnx.save(net, tmp_path / "net.onnx")
    with pytest.raises(ValueError, match=rf"net\.onnx cannot be read as an ONNX file: {message}"):
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


def test_folders_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"is a folder; choose a \.tflite, \.task, \.onnx file$"):
        open_session(tmp_path, LANDMARKS_ENTRY)


@pytest.mark.parametrize("entry", [LANDMARKS_ENTRY, DETECTOR_ENTRY])
def test_a_bundle_without_the_network_is_refused(tmp_path, entry):
    (tmp_path / "net.task").write_bytes(pack({"other.tflite": b""}))
    with pytest.raises(
        ValueError, match=rf"net\.task is no pose bundle: it holds other\.tflite, not {entry}"
    ):
        open_session(tmp_path / "net.task", entry)


def test_an_unknown_suffix_lists_the_supported(tmp_path):
    (tmp_path / "net.pth").touch()
    with pytest.raises(ValueError, match=r"no support for '\.pth' files; choose \.tflite, \.task, \.onnx"):
        open_session(tmp_path / "net.pth", LANDMARKS_ENTRY)


@pytest.mark.parametrize(("name", "kind"), [("run", "run"), ("run/best.ckpt", "checkpoint")])
def test_checkpoints_and_runs_must_be_exported(tmp_path, name, kind):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/config.yaml").touch()
    (tmp_path / "run/best.ckpt").touch()
    with pytest.raises(
        ValueError, match=rf"{name} is a training {kind}; .* exported file: blazepose export --target tflite"
    ):
        open_session(tmp_path / name, LANDMARKS_ENTRY)


@pytest.mark.parametrize("name", ["gone", "gone.ckpt", "runs/detector/gone"])
def test_missing_files_are_refused(tmp_path, name):
    with pytest.raises(
        FileNotFoundError, match=rf"{name} is missing; choose a \.tflite, \.task, \.onnx file$"
    ):
        open_session(tmp_path / name, LANDMARKS_ENTRY)


@pytest.mark.parametrize("suffix", [".tflite", ".onnx", ".task"])
@pytest.mark.parametrize("threads", [0, -1])
def test_fewer_threads_than_one_are_refused(tmp_path, suffix, threads):
    with pytest.raises(
        ValueError, match=f"^num_threads must be 1 or more, not {threads}; leave it out for every core$"
    ):
        open_session(tmp_path / f"net{suffix}", LANDMARKS_ENTRY, threads)


def test_the_signature_check_returns_the_side(tmp_path):
    path = write_onnx(tmp_path / "net.onnx", outputs=([7, 2], [128, 1], [3]), size=128)
    session = open_session(path, LANDMARKS_ENTRY)

    def expected(size: int) -> list[tuple[int, ...]]:
        return [(7, 2), (size, 1)]

    assert check_signature(session, path, "small network", None, expected) == 128
    assert check_signature(session, path, "small network", 128, expected) == 128
    with pytest.raises(ValueError, match=r"not a small network: its inputs are .* expected \[1, 64, 64, 3"):
        check_signature(session, path, "small network", 64, expected)
    with pytest.raises(ValueError, match=r"expected \[1, 128, 1\] in this order"):
        check_signature(session, path, "small network", None, lambda size: [(size, 1)])


@pytest.mark.shared
def test_truncated_files_are_refused(shared: Path, tmp_path):
    content = (shared / "models/pose_landmark_lite.tflite").read_bytes()
    for length in (1000, len(content) // 2, len(content) - 4):
        (tmp_path / "cut.tflite").write_bytes(content[:length])
        reason = "The model is not a valid Flatbuffer buffer; it begins as a TFLite file; compare its"
        with pytest.raises(ValueError, match=rf"cut\.tflite cannot be .*: {reason} {length:,} bytes"):
            open_session(tmp_path / "cut.tflite", LANDMARKS_ENTRY)
