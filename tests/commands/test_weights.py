"""`blazepose weights`: package managers that work, fail or are missing, and files by hand."""

import hashlib
import io
import os
import stat
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import flatbuffers
import pytest
from ai_edge_litert import schema_py_generated as schema

from blazepose.commands import weights
from blazepose.export import google_weights
from blazepose.export.google_weights import DETECTOR
from blazepose.task_bundle import DETECTOR_ENTRY, LANDMARKS_ENTRY, read_tflite

FAKE_PIP = """
import pathlib, shutil, sys
arguments = sys.argv[1:]
pathlib.Path({log!r}).write_text(" ".join(arguments))
if {wheel!r} is None:
    sys.exit("ERROR: No matching distribution found for mediapipe==0.10.21")
shutil.copy({wheel!r}, arguments[arguments.index("--dest") + 1])
"""

FAKE_NPM = """#!/bin/sh
echo "$@" > {log}
while [ "$1" != --pack-destination ]; do shift; done
cp {tarball} "$2"
"""


def tiny_tflite(name: str) -> bytes:
    """Build a valid TFLite file without a graph."""
    model = schema.ModelT()
    model.version, model.description, model.buffers = 3, name, [schema.BufferT()]
    builder = flatbuffers.Builder(64)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


@pytest.fixture
def networks(monkeypatch) -> dict[str, bytes]:
    """Small files in place of Google's."""
    contents = {name: tiny_tflite(name) for name in (DETECTOR, "lite", "full", "heavy")}
    known = {hashlib.sha256(content).hexdigest(): name for name, content in contents.items()}
    monkeypatch.setattr(google_weights, "SHA256", known)
    return contents


@pytest.fixture
def wheel(networks, tmp_path) -> Path:
    path = tmp_path / "packages" / "mediapipe.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        for name in (DETECTOR, "full"):
            archive.writestr(f"mediapipe/modules/{name}.tflite", networks[name])
    return path


@pytest.fixture
def tarball(wheel, networks) -> Path:
    path = wheel.with_name("pose.tgz")
    with tarfile.open(path, "w:gz") as archive:
        for name in ("lite", "full", "heavy"):
            entry = tarfile.TarInfo(f"package/pose_landmark_{name}.tflite")
            entry.size = len(networks[name])
            archive.addfile(entry, io.BytesIO(networks[name]))
    return path


@pytest.fixture
def managers(tmp_path, monkeypatch):
    """Install a pip and an npm that copy files, and return the folder of the arguments they got."""

    def install(wheel: Path | None, tarball: Path | None = None) -> Path:
        log = tmp_path / "log"
        log.mkdir()
        pip, programs = tmp_path / "site" / "pip", tmp_path / "bin"
        pip.mkdir(parents=True)
        programs.mkdir()
        code = FAKE_PIP.format(log=str(log / "pip"), wheel=wheel and str(wheel))
        (pip / "__main__.py").write_text(code)
        (pip / "__init__.py").touch()
        monkeypatch.setenv("PYTHONPATH", str(pip.parent))
        monkeypatch.setenv("PATH", str(programs) + os.pathsep + "/bin" if tarball else str(programs))
        if tarball:
            npm = programs / "npm"
            npm.write_text(FAKE_NPM.format(log=log / "npm", tarball=tarball))
            npm.chmod(npm.stat().st_mode | stat.S_IEXEC)
        return log

    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return install


def refuse(capsys, *arguments: str) -> str:
    """Run the command, which must fail, and return its one sentence."""
    with pytest.raises(SystemExit) as ended:
        weights.main(list(arguments))
    assert ended.value.code == 1
    return capsys.readouterr().err.strip()


def check_bundle(path: Path, networks: dict[str, bytes], name: str) -> None:
    assert read_tflite(path, DETECTOR_ENTRY) == networks[DETECTOR]
    model = schema.ModelT.InitFromPackedBuf(read_tflite(path, LANDMARKS_ENTRY), 0)
    assert model.description == name.encode()
    assert [entry.name for entry in model.metadata] == [b"TFLITE_METADATA"]


def test_full_needs_pip_alone(managers, wheel, networks, capsys):
    log = managers(wheel)
    weights.main(["full"])
    check_bundle(Path("pose_landmarker_full.task"), networks, "full")
    assert [path.name for path in Path().iterdir()] == ["pose_landmarker_full.task"]
    asked = (log / "pip").read_text()
    assert asked.startswith("download mediapipe==0.10.21 --no-deps --only-binary=:all: --platform=manylinux")
    assert not Path(asked.split("--dest ")[1]).exists()  # nothing stays of the download
    out = capsys.readouterr().out
    assert "$ pip download mediapipe==0.10.21 " in out
    assert "pose_landmarker_full.task: Google's full and pose detector, 0.0 MB, license Apache-2.0" in out
    assert "from mediapipe 0.10.21, SHA-256 checked" in out


@pytest.mark.parametrize("name", ["lite", "heavy"])
def test_lite_and_heavy_are_npms(managers, wheel, tarball, networks, name, capsys):
    log = managers(wheel, tarball)
    weights.main([name, "--out", "models.task"])
    check_bundle(Path("models.task"), networks, name)
    assert (log / "npm").read_text().startswith("pack @mediapipe/pose@0.5.1675469404 --loglevel=error")
    assert "from mediapipe 0.10.21 and @mediapipe/pose 0.5.1675469404, SHA-256" in capsys.readouterr().out


def test_files_by_hand_need_no_package_manager(managers, wheel, tarball, networks, capsys):
    log = managers(None)
    weights.main(["heavy", "--from", str(wheel), "--from", str(tarball)])
    check_bundle(Path("pose_landmarker_heavy.task"), networks, "heavy")
    assert not list(log.iterdir())
    assert f"from {wheel} and {tarball}, SHA-256 checked" in capsys.readouterr().out


def test_what_a_file_lacks_is_fetched(managers, wheel, networks, tmp_path, capsys):
    managers(wheel)
    landmarks = tmp_path / "pose_landmark_lite.tflite"
    landmarks.write_bytes(networks["lite"])
    weights.main(["lite", "--from", str(landmarks)])
    check_bundle(Path("pose_landmarker_lite.task"), networks, "lite")
    assert f"from {landmarks} and mediapipe 0.10.21," in capsys.readouterr().out


def test_a_failing_pip_leads_to_the_way_by_hand(managers, networks, capfd):
    managers(None)
    message = refuse(capfd, "full").splitlines()
    assert message[-1].startswith(
        "pip could not download mediapipe 0.10.21: run `pip download mediapipe==0.10"
    )
    assert "and give the file with --from; or download pose_landmarker_full.task from Google's" in message[-1]
    assert not list(Path().iterdir())


def test_a_missing_npm_is_named(managers, wheel, networks, capsys):
    managers(wheel)
    message = refuse(capsys, "lite")
    assert message.startswith("npm is not installed, which downloads @mediapipe/pose 0.5.1675469404: install")
    assert "`npm pack @mediapipe/pose@0.5.1675469404`" in message
    assert not list(Path().iterdir())


def test_another_content_than_googles_is_refused(managers, tmp_path, networks, capsys):
    forged = tmp_path / "forged.whl"
    with zipfile.ZipFile(forged, "w") as archive:
        archive.writestr("pose_landmark_full.tflite", tiny_tflite("forged"))
    managers(forged)
    assert "forged.whl has none of the files of Google's that are known here" in refuse(capsys, "full")
    assert not list(Path().iterdir())


def test_nothing_is_overwritten_or_fetched_in_vain(managers, wheel, networks, capsys):
    log = managers(wheel)
    Path("pose_landmarker_full.task").write_text("mine")
    assert "pose_landmarker_full.task exists; choose another --out" in refuse(capsys, "full")
    assert "--out full.zip: the file must end in .task" in refuse(capsys, "full", "--out", "full.zip")
    assert "no/full.task: its folder does not exist" in refuse(capsys, "full", "--out", "no/full.task")
    assert Path("pose_landmarker_full.task").read_text() == "mine"
    assert not list(log.iterdir())


def test_packages_have_what_they_are_fetched_for():
    names = {name for networks in weights._NETWORKS.values() for name in networks}
    assert names == set(google_weights.SHA256.values())


def test_torch_is_not_needed():
    code = "import sys; sys.modules['torch'] = None; import blazepose.commands.weights"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
