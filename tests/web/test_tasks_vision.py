"""MediaPipe's runtime: from a tarball, npm or the cache, and nothing but the files that were tested."""

import pytest

from blazepose.exceptions import FileError, InputError, MissingFileError
from blazepose.web.tasks_vision import cache_folder, load_tasks_vision
from tests.web.small_runtime import write_tarball


@pytest.fixture
def no_npm(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


def test_a_tarball_fills_the_cache(runtime, tarball, no_npm):
    assert load_tasks_vision(tarball) == runtime
    tarball.unlink()
    assert load_tasks_vision() == runtime
    assert {str(path.relative_to(cache_folder())) for path in cache_folder().rglob("*.*")} == set(runtime)


def test_npm_is_the_last_choice(runtime, tarball, tmp_path, monkeypatch, capfd):
    npm = tmp_path / "npm"
    npm.write_text(f'#!/bin/sh\nfor folder; do :; done\n/bin/cp {tarball} "$folder"\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert load_tasks_vision() == runtime
    assert capfd.readouterr().out == "$ npm pack @mediapipe/tasks-vision@1.1.0\n"
    npm.unlink()
    assert load_tasks_vision() == runtime


def test_without_npm_the_way_by_hand_is_named(runtime, no_npm):
    with pytest.raises(MissingFileError, match=r"npm is not installed.*@1\.1\.0` on a .* --tasks-vision"):
        load_tasks_vision()


@pytest.mark.parametrize("change", ["other", "missing"])
def test_another_content_is_refused(change, runtime, tmp_path):
    name = "wasm/vision_wasm_internal.wasm"
    content = {name: b"other"} if change == "other" else {}
    path = write_tarball(tmp_path / "forged.tgz", {k: runtime[k] for k in runtime if k != name} | content)
    with pytest.raises(InputError, match=f"forged.tgz is not the npm .*: {name} is missing or has another"):
        load_tasks_vision(path)
    assert not cache_folder().exists()


def test_a_damaged_cache_is_not_used(runtime, tarball, no_npm):
    load_tasks_vision(tarball)
    (cache_folder() / "vision_bundle.mjs").write_text("damaged")
    with pytest.raises(MissingFileError, match="npm is not installed"):
        load_tasks_vision()
    load_tasks_vision(tarball)
    assert load_tasks_vision() == runtime


def test_bad_tarballs_are_named(runtime, tmp_path):
    with pytest.raises(MissingFileError, match=r"none.tgz is missing; `npm pack .*` fetches the npm tarball"):
        load_tasks_vision(tmp_path / "none.tgz")
    (tmp_path / "text.tgz").write_text("text")
    with pytest.raises(InputError, match=r"text.tgz cannot be read as the npm tarball"):
        load_tasks_vision(tmp_path / "text.tgz")


def test_a_cache_that_cannot_be_written_is_named(tarball, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(FileError, match=r"cannot be written .*: set XDG_CACHE_HOME to a folder"):
        load_tasks_vision(tarball)
