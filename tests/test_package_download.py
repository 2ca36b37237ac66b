"""Downloads with pip and npm; tests/commands/test_weights.py runs both from a command."""

import sys

import pytest

from blazepose.exceptions import DownloadError, MissingFileError
from blazepose.package_download import Package, downloaded

PACKAGE = Package("thing 1.0", ("npm", "pack", "thing@1.0"), ("--pack-destination",))


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Install an npm that runs a line of Python, with the folder as the last argument."""

    def install(line: str) -> None:
        program = tmp_path / "npm"
        program.write_text(f"#!{sys.executable}\nimport pathlib, sys\n{line}\n")
        program.chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path))
    return install


def test_the_file_is_there_for_a_while(npm, capfd):
    npm("pathlib.Path(sys.argv[-1], 'thing.tgz').write_text(' '.join(sys.argv[1:-1]))")
    with downloaded(PACKAGE, "") as file:
        assert file.read_text() == "pack thing@1.0 --pack-destination"
    assert not file.parent.exists()
    assert capfd.readouterr().out == "$ npm pack thing@1.0\n"


def test_a_failure_names_the_way_by_hand(npm):
    npm("sys.exit(3)")
    message = "npm could not download thing 1.0: do it by hand"
    with pytest.raises(DownloadError, match=message), downloaded(PACKAGE, "do it by hand"):
        pass


def test_a_missing_npm_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    message = "npm is not installed, which downloads thing 1.0: install it; or do it by hand"
    with pytest.raises(MissingFileError, match=message), downloaded(PACKAGE, "do it by hand"):
        pass
