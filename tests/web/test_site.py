"""The files of the page, and the folder that any web server can send."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from blazepose.exceptions import ExistingFileError, InputError, MissingFileError
from blazepose.runtime.draw import LEFT_COLOR
from blazepose.runtime.tracker import PoseTracker
from blazepose.topologies import find_topology
from blazepose.topologies.full_body import LANDMARKS
from blazepose.web.site import build_site, data_sets, read_bundle, read_bundles, security_policy, write_site

PAGE = Path(__file__).parents[2] / "blazepose/web/page"


def test_the_folder_has_the_files_of_the_server(site, constant_bundle, tmp_path):
    write_site(site, tmp_path / "site")
    written = {path for path in (tmp_path / "site").rglob("*") if path.is_file()}
    assert {str(path.relative_to(tmp_path / "site")): path.read_bytes() for path in written} == site
    assert {path.name for path in PAGE.iterdir()} < set(site)
    assert site["bundles/1.task"] == constant_bundle.read_bytes()
    assert site["tasks_vision/vision_bundle.js"] == b"content of vision_bundle.mjs"
    assert b"Apache License" in site["LICENSE.txt"]


def test_nothing_is_overwritten(site, tmp_path):
    (tmp_path / "empty").mkdir()
    write_site(site, tmp_path / "empty")
    for path in (tmp_path, tmp_path / "empty/index.html"):
        with pytest.raises(ExistingFileError, match="exists; choose another --out"):
            write_site(site, path)


def test_the_page_gets_names_and_colors_from_the_package(site):
    settings = json.loads(site["site.json"])
    assert settings["landmarks"] == list(LANDMARKS)
    assert settings["colors"]["left"] == f"rgb{LEFT_COLOR}"
    (bundle,) = settings["bundles"]
    assert (bundle["file"], bundle["name"]) == ("bundles/1.task", "constant.task")
    assert re.fullmatch(r"\d\.\d MB", bundle["description"])


def test_two_bundles_of_one_name_have_paths(runtime, constant_bundle, tmp_path):
    other = tmp_path / constant_bundle.name
    other.write_bytes(constant_bundle.read_bytes())
    bundles = read_bundles([constant_bundle, other])
    assert [bundle.name for bundle in bundles] == [str(constant_bundle), str(other)]
    assert {"bundles/1.task", "bundles/2.task"} < set(build_site(bundles, runtime))


def test_the_notice_has_the_licenses_of_the_data(runtime, constant_bundle):
    bundle = read_bundle(constant_bundle)
    assert "constant.task\n    not stated in the file" in build_site([bundle], runtime)["NOTICE.txt"].decode()
    bundle = bundle._replace(data=["lsp:data (for research)"])
    notice = build_site([bundle], runtime)["NOTICE.txt"].decode()
    assert "@mediapipe/tasks-vision 1.1.0" in notice
    assert "constant.task\n    lsp:data (for research)" in notice


def test_scripts_and_styles_are_files(site):
    policy = security_policy(site)
    assert "connect-src 'self'" in policy
    assert "unsafe-inline" not in policy
    html = site["index.html"].decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)", html)
    references = re.findall(r'(?:src|href)="([^":]+)"', html)
    references += [
        name for file in PAGE.glob("*.js") for name in re.findall(r"from '\./(.+?)'", file.read_text())
    ]
    assert set(references) <= set(site)


def test_files_that_are_no_bundle_are_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"none.task is missing; name a .task: exported by"):
        read_bundle(tmp_path / "none.task")
    network = tmp_path / "net.tflite"
    network.write_bytes(b"    TFL3")
    with pytest.raises(InputError, match=r"net.tflite is not a .task bundle.* --weights .*net.tflite`"):
        read_bundle(network)
    (tmp_path / "text.task").write_text("text")
    with pytest.raises(InputError, match=r"text.task cannot be read as a .task bundle"):
        read_bundle(tmp_path / "text.task")


def test_metadata_are_shown(constant_bundle):
    bundle = read_bundle(constant_bundle)
    assert (bundle.model, bundle.decoding, bundle.data) == (None, None, [])
    described = bundle._replace(model="full", decoding="heatmap").describe()
    assert described == f"full, decoded by heatmap, {bundle.describe()}"
    own, before = ({"data": {"train": [{"name": name, "licence": "free"}]}} for name in ("own", "before"))
    metadata = {**own, "init": {**before, "init": own}, "teacher": {**before, "init": None}}
    assert data_sets(metadata) == ["own (free)", "before (free)"]
    assert data_sets({**own, "teacher": before}) == ["own (free)", "before (free)"]


def test_a_bundle_of_another_topology_is_refused(constant_bundle, monkeypatch):
    """MediaPipe Tasks have 33 landmarks."""
    other = SimpleNamespace(topology=find_topology("upper_body"), metadata={})
    monkeypatch.setattr(PoseTracker, "load", lambda *arguments, **options: other)
    with pytest.raises(InputError, match=r"has 25 landmarks; MediaPipe Tasks, .* `blazepose track`"):
        read_bundle(constant_bundle)
