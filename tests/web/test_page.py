"""The page in Chromium, with MediaPipe's own runtime: what a user does, sees and gets, and what leaves."""

import functools
import json
import re
import shutil
import threading
from collections.abc import Iterator
from fractions import Fraction
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from blazepose.exceptions import DownloadError, MissingFileError
from blazepose.export.expected import write_expected
from blazepose.runtime.media import VideoWriter
from blazepose.web.server import PageServer
from blazepose.web.site import build_site, read_bundles, write_site
from blazepose.web.tasks_vision import load_tasks_vision
from tests.mediapipe_runtime import look, picture
from tests.web.chromium import Page, open_chromium, requests_of

GUIDE = Path(__file__).parents[2] / "docs/guides/web.md"
MAX_ERROR_PX = 0.05
USAGE = "https://odml.pa.googleapis.com/v1/log"
"""Address of MediaPipe's usage statistics."""

READY = "(async () => { await (await import('/main.js')).ready; return document.body.innerText; })()"
CLOSE = "(async () => { (await import('/main.js')).close(); })()"

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def bundle(shared) -> Path:
    return shared / "models/pose_landmarker_full.task"


@pytest.fixture(scope="module")
def site(bundle) -> dict[str, bytes]:
    """Google's full, twice."""
    try:
        runtime = load_tasks_vision()
    except (MissingFileError, DownloadError) as error:
        pytest.skip(str(error))
    return build_site(read_bundles([bundle, bundle]), runtime)


@pytest.fixture(scope="module")
def address(site) -> Iterator[str]:
    with PageServer(site, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.address
        server.shutdown()


@pytest.fixture(scope="module")
def folder(site, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("static") / "site"
    write_site(site, folder)
    return folder


@pytest.fixture(scope="module")
def static_address(folder) -> Iterator[str]:
    """The same page as a folder, sent by another server."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.fixture(scope="module")
def photo(shared, tmp_path_factory) -> Path:
    """A PNG: decoders of JPEG differ."""
    path = tmp_path_factory.mktemp("photo") / "pose.png"
    cv2.imwrite(str(path), cv2.imread(str(shared / "data/mp_reference/pose.jpg")))
    return path


@pytest.fixture(scope="module")
def expected(bundle, photo) -> np.ndarray:
    """Landmarks (33, 5) of MediaPipe in Python, in pixels."""
    (found,) = look(bundle, [picture(photo)], video=False)
    assert found
    return found.landmarks


@pytest.fixture(scope="module")
def page(static_address, photo, tmp_path_factory) -> Iterator[Page]:
    """A browser with the static page, and a camera that shows the photo."""
    camera = tmp_path_factory.mktemp("camera") / "camera.y4m"
    frame = cv2.cvtColor(cv2.resize(cv2.imread(str(photo)), (640, 426)), cv2.COLOR_BGR2YUV_I420).tobytes()
    camera.write_bytes(b"YUV4MPEG2 W640 H426 F10:1 Ip A1:1 C420jpeg\n" + (b"FRAME\n" + frame) * 3)
    flags = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
    with open_chromium(*flags, f"--use-file-for-fake-video-capture={camera}") as page:
        page.open(static_address)
        page.evaluate(READY)
        yield page


def choose(page: Page, file: Path) -> None:
    """Choose a file, and wait until it is shown or refused."""
    page.evaluate("for (const id of ['status', 'alert']) document.getElementById(id).textContent = ''")
    page.choose_files("#file", file)
    shown = f"document.getElementById('status').innerText.startsWith({json.dumps(file.name)})"
    page.wait(f"document.getElementById('alert').textContent || {shown}")


def download(page: Page, number: int, folder: Path) -> list[dict]:
    """Press the button of a view for its landmarks, and return the lines."""
    folder.mkdir(exist_ok=True)
    page.download_into(folder)
    page.evaluate(f"document.querySelectorAll('figcaption button')[{number}].click()")
    page.wait_for_download()
    (file,) = folder.iterdir()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    file.unlink()
    return lines


def test_a_picture_is_as_in_python_and_nothing_leaves(address, photo, expected, tmp_path):
    net_log = tmp_path / "net.json"
    with open_chromium(net_log=net_log) as page:
        page.open(address)
        page.evaluate(READY)
        choose(page, photo)
        (line,) = download(page, 1, tmp_path / "downloads")
        text = page.evaluate("document.body.innerText")
        assert "Distance between the two: 0.0 px (median), 0.0 px (largest, " in text
        page.evaluate(CLOSE)  # MediaPipe then sends its usage statistics, or tries to
        blocked = page.wait("document.getElementById('blocked').innerText")
    assert (line["frame"], line["time_ms"], line["image"]) == (0, None, photo.name)
    (pose,) = line["poses"]
    assert set(pose) == {"id", "landmarks", "landmarks_world", "pose_presence", "roi"}
    difference = np.abs(np.array(pose["landmarks"]) - expected)
    print(f"largest difference of x or y: {difference[:, :2].max():.4f} px")
    assert difference[:, :2].max() < MAX_ERROR_PX
    assert difference[:, 3:].max() < 0.001
    assert np.shape(pose["landmarks_world"]) == (33, 3)
    assert re.search(rf"\d to {re.escape(USAGE)}", blocked)

    requests = requests_of(net_log, address.rstrip("/"))
    assert f"{address}bundles/2.task" in requests
    assert [url for url in requests if not url.startswith((address, f"blob:{address}"))] == []


def test_another_server_gives_the_same_page(page, photo, expected, tmp_path):
    choose(page, photo)
    (line,) = download(page, 0, tmp_path / "downloads")
    assert np.abs(np.array(line["poses"][0]["landmarks"]) - expected)[:, :2].max() < MAX_ERROR_PX
    with pytest.raises(AssertionError, match="Failed to fetch"):  # by the policy in its <meta>
        page.evaluate("fetch('http://localhost:1/')")
    assert "1 to http://localhost:1" in page.wait("document.getElementById('blocked').innerText")


def test_every_frame_of_a_video(page, shared, tmp_path):
    video = tmp_path / "clip.mp4"
    image = picture(shared / "data/mp_reference/pose.jpg")
    with VideoWriter(video, Fraction(10)) as writer:
        for number in range(4):
            shifted = np.roll(image[:666, :1000], 5 * number, axis=1)
            writer.write(shifted, 100.0 * number)
    choose(page, video)
    page.evaluate("document.getElementById('every').click()")
    for _ in range(2):  # the second time from the end: it begins anew
        page.evaluate("document.getElementById('play').click()")
        page.wait("document.getElementById('play').innerText === 'Play'")
    lines = download(page, 0, tmp_path / "downloads")
    assert [line["frame"] for line in lines] == [0, 1, 2, 3]
    assert [line["time_ms"] for line in lines] == pytest.approx([0, 100, 200, 300], abs=1)
    assert [[pose["id"] for pose in line["poses"]] for line in lines] == [[0]] * 4
    noses = [line["poses"][0]["landmarks"][0][0] for line in lines]
    assert noses[3] - noses[0] == pytest.approx(15, abs=3)


def test_the_camera(page):
    page.evaluate("document.getElementById('camera').click()")
    page.wait("/^Camera .* frames.s$/.test(document.getElementById('status').parentElement.innerText)")
    assert page.wait("document.querySelector('.numbers').innerText.startsWith('1 person, ')")
    assert page.evaluate("document.querySelector('[name=mirror]').checked")


def test_settings_reach_mediapipe(page, photo):
    choose(page, photo)
    change = """(() => {{
      const input = document.querySelector('[name={0}]');
      input.{1} = {2};
      input.dispatchEvent(new Event('change', {{bubbles: true}}));
    }})()"""
    numbers = "document.querySelector('.numbers').innerText"
    page.evaluate(change.format("minPosePresenceConfidence", "value", 1))
    page.wait(f"{numbers}.startsWith('0 people')")
    page.evaluate(change.format("minPosePresenceConfidence", "value", 0.5))
    page.wait(f"{numbers}.startsWith('1 person')")
    green = """(() => {
      const {data} = document.querySelector('canvas').getContext('2d').getImageData(460, 350, 1, 1);
      return data[1] - data[0];
    })()"""
    before = page.evaluate(green)
    page.evaluate(change.format("mask", "checked", "true"))
    page.wait(f"{green} > {before} + 20")
    page.evaluate(change.format("mask", "checked", "false"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.png", "a.png cannot be read by this browser as a picture: convert it to PNG or JPEG."),
        ("a.mp4", 'a.mp4 cannot be decoded by this browser: convert it with ffmpeg -i "a.mp4"'),
        ("a.txt", "a.txt is neither a picture nor a video: choose such a file"),
    ],
)
def test_files_that_cannot_be_shown(page, name, message, tmp_path):
    (tmp_path / name).write_text("nothing")
    choose(page, tmp_path / name)
    assert page.evaluate("document.getElementById('alert').innerText").startswith(message)


def test_ids_and_distances(page):
    code = """(async () => {
      const {PoseIds, compare} = await import('/poses.js');
      const at = (x) => ({id: null, landmarks: [[x, 0], [x + 10, 0], [x, 30]]});
      const ids = new PoseIds();
      const assign = (timeMs, ...positions) => {
        const poses = positions.map(at);
        ids.assign(poses, timeMs);
        return poses.map(({id}) => id);
      };
      const frames = [
        assign(0, 0, 100), assign(100, 101, 2), assign(200, 102), assign(300, 103, 0), assign(400),
        assign(1300, 0), assign(1500, 104),
      ];
      const {median, largest, people} = compare([at(0), at(100)], [at(104), at(1)]);
      return {frames, median, largest: largest.px, people, none: compare([at(0)], [at(50)])};
    })()"""
    assert page.evaluate(code) == {
        # The order changes; one person is missing for a frame, then both, one of them for too long.
        "frames": [[0, 1], [1, 0], [1], [1, 0], [], [0], [2]],
        "median": 2.5,
        "largest": 4,
        "people": 2,
        "none": None,
    }


def test_the_examples_of_the_guide(page, folder, static_address, bundle, photo, expected):
    html, script, check = re.findall(
        r"^```(?:html|js)\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL
    )
    (folder / "app.html").write_text(html)
    (folder / "app.js").write_text(script)
    (folder / "photo.png").write_bytes(photo.read_bytes())
    page.open(f"{static_address}app.html")
    x, y = map(float, re.findall(r"[\d.]+", page.wait("document.querySelector('p')?.innerText")))
    assert np.hypot(*(expected[0, :2] - (x, y))) < MAX_ERROR_PX

    shutil.copy(bundle, folder / "my_pose.task")
    write_expected(folder / "my_pose.task", "task", {"input": {"size": 256}}, photo.parent)
    (folder / "check.html").write_text(html.replace("app.js", "check.js"))
    (folder / "check.js").write_text(check)
    page.open(f"{static_address}check.html")
    shown = page.wait("document.querySelector('p')?.innerText")
    assert shown.startswith("as exported: mean distance ")
    assert float(shown.split()[-2]) < MAX_ERROR_PX
