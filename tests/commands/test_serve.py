"""`blazepose serve`: the page on this machine, the page as a folder, and what is wrong with the input."""

import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from blazepose.commands import serve
from tests.constant_bundle import write_bundle
from tests.web.small_runtime import use_small_runtime, write_tarball


@pytest.fixture
def tarball(monkeypatch, tmp_path) -> Path:
    runtime = use_small_runtime(monkeypatch, tmp_path / "cache")
    return write_tarball(tmp_path / "tasks-vision.tgz", runtime)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("bundle") / "constant.task")


def refuse(capsys, *arguments: str | Path) -> str:
    """Run the command, which must fail, and return its one sentence."""
    with pytest.raises(SystemExit) as ended:
        serve.main([str(argument) for argument in arguments])
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


def test_the_folder(bundle, tarball, tmp_path, capsys):
    out = tmp_path / "site"
    serve.main([str(bundle), "--out", str(out), "--tasks-vision", str(tarball)])
    assert (out / "index.html").is_file()
    printed = capsys.readouterr().out
    assert printed.startswith("constant.task: ")
    assert f"python -m http.server --bind 127.0.0.1 --directory {out}\n" in printed


def test_bad_input_costs_no_download(bundle, tarball, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))  # no npm
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    assert "full exists; choose another" in refuse(capsys, bundle, "--out", tmp_path / "full")
    assert "omit --host and --port" in refuse(capsys, bundle, "--out", tmp_path / "new", "--port", "9")
    assert "none.task is missing; name a .task" in refuse(capsys, bundle, tmp_path / "none.task")
    assert "npm is not installed" in refuse(capsys, bundle)


def test_a_taken_port(bundle, tarball, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        message = refuse(capsys, bundle, "--tasks-vision", tarball, "--port", port)
        assert f"cannot serve at 127.0.0.1:{port} (Address already in use); choose another --port" in message


@pytest.mark.parametrize(("host", "warns"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_ctrl_c_ends_the_server(host, warns, bundle, tarball, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    page = []

    def visit() -> None:
        while not page:
            with suppress(OSError):
                page.append(urllib.request.urlopen(f"http://127.0.0.1:{port}/").read())
        os.kill(os.getpid(), signal.SIGINT)

    visitor = threading.Thread(target=visit)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a background process
    try:
        visitor.start()
        serve.main([str(bundle), "--tasks-vision", str(tarball), "--host", host, "--port", str(port)])
    finally:
        signal.signal(signal.SIGINT, before)
    visitor.join()
    assert b"<title>blazepose</title>" in page[0]
    printed = capsys.readouterr().out
    assert f"http://127.0.0.1:{port}/  (Ctrl-C ends it)\n" in printed
    assert ("warning: everyone in the network" in printed) == warns


def test_torch_is_not_needed():
    code = "import sys; sys.modules['torch'] = None; import blazepose.commands.serve"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
