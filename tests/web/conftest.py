"""A site of a constant bundle and small files in place of MediaPipe's runtime."""

from pathlib import Path

import pytest

from blazepose.web.site import build_site, read_bundles
from tests.constant_bundle import write_bundle
from tests.web.small_runtime import use_small_runtime, write_tarball


@pytest.fixture
def runtime(monkeypatch, tmp_path) -> dict[str, bytes]:
    """Contents of the files; the cache is empty."""
    return use_small_runtime(monkeypatch, tmp_path / "cache")


@pytest.fixture
def tarball(runtime, tmp_path) -> Path:
    return write_tarball(tmp_path / "tasks-vision.tgz", runtime)


@pytest.fixture(scope="session")
def constant_bundle(tmp_path_factory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("bundle") / "constant.task")


@pytest.fixture
def site(runtime, constant_bundle) -> dict[str, bytes]:
    return build_site(read_bundles([constant_bundle]), runtime)
