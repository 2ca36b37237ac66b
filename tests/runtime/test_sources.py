"""Streams, cameras, and folders of mixed files."""

import logging
import re
from fractions import Fraction
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from blazepose.runtime import media, video_reader
from blazepose.runtime.media import VideoWriter, camera_fps, open_source


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments) -> None: ...


def test_a_stream_is_opened_by_its_address(video):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=video.parent)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        source = open_source(f"{address}/{video.name}")
        assert source.fps
        assert len(list(source.frames)) == len(list(open_source(str(video)).frames))
        with pytest.raises(ValueError, match=rf"^{address}/gone\.mp4 cannot be opened as a stream: "):
            open_source(f"{address}/gone.mp4")
        server.shutdown()


def test_a_stream_that_stops_yields_the_frames_so_far(video, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(media, "_TIMEOUT_S", 10.0)
    broadcast = tmp_path / "a.ts"
    with av.open(str(video)) as source, av.open(str(broadcast), "w") as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)

    class StoppingHandler(QuietHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(broadcast.read_bytes())
            self.wfile.flush()
            done.wait()

    done = Event()
    with ThreadingHTTPServer(("127.0.0.1", 0), StoppingHandler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        source = open_source(f"http://127.0.0.1:{server.server_port}/a.ts")
        with caplog.at_level(logging.WARNING):
            frames = list(source.frames)
        done.set()
        server.shutdown()
    assert len(frames) == len(list(open_source(str(broadcast)).frames)) > 0
    assert re.search(r"a\.ts cannot be read beyond \d\.\d\d s: ", caplog.text)
    assert "damaged" not in caplog.text


def test_frames_of_a_camera_s_jpeg_stream_have_their_arrival_times(monkeypatch):
    """ESP32 and other IP cameras send them; FFmpeg would assume 25 a second."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)  # 4 kB: FFmpeg waits for 2
    jpeg = cv2.imencode(".jpg", noise)[1].tobytes()
    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"

    class CameraHandler(QuietHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            self.wfile.write(4 * (head.encode() + jpeg + b"\r\n"))
            done.wait(20)

    done, arrivals = Event(), iter([5.0, 5.5, 6.5])
    monkeypatch.setattr(video_reader, "time", SimpleNamespace(monotonic=partial(next, arrivals)))
    with ThreadingHTTPServer(("127.0.0.1", 0), CameraHandler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        frames = open_source(f"http://127.0.0.1:{server.server_port}/stream").frames
        assert [next(frames).time_ms for _ in range(3)] == [0, 500, 1500]
        frames.close()
        done.set()
        server.shutdown()


def test_times_within_a_tick_are_written_a_tick_apart(tmp_path):
    """No time is below zero, where MP4 would lose the frame."""
    times_ms = [-20.0, 0.0, 33.0, 33.0001, 33.0002, 33.3, 66.0]
    with VideoWriter(tmp_path / "a.mp4", Fraction(30)) as writer:
        for time_ms in times_ms:
            writer.write(np.zeros((48, 64, 3), np.uint8), time_ms)
    with av.open(str(tmp_path / "a.mp4")) as video:
        ticks = [round(float(frame.pts * frame.time_base * 90_000)) for frame in video.decode(video=0)]
    assert ticks == [0, 1, 2970, 2971, 2972, 2997, 5940]


def test_files_of_a_folder_that_are_no_images_are_counted(tmp_path, caplog):
    for name in ("a.png", "b.TIF"):
        cv2.imwrite(str(tmp_path / name), np.full((9, 9, 3), 90, np.uint8))
    for name in ("c.gif", "notes.txt", ".hidden"):
        (tmp_path / name).write_text("")
    with caplog.at_level(logging.INFO, "blazepose"):
        assert len(list(open_source(str(tmp_path)).frames)) == 2
    assert f"{tmp_path}: 2 files are no images and are skipped" in caplog.text


def test_an_animation_is_warned_of(tmp_path, caplog):
    images = [Image.new("RGB", (16, 16), color) for color in ("red", "green", "blue")]
    images[0].save(tmp_path / "dance.webp", save_all=True, append_images=images[1:])
    images[0].save(tmp_path / "still.webp")
    assert len(list(open_source(str(tmp_path)).frames)) == 2
    (warning,) = caplog.messages
    assert warning.endswith("dance.webp has 3 images, of which the first is used; save it as a video")


@pytest.mark.parametrize(
    ("reported", "fps"),
    [(0.0, 30), (-1.0, 30), (float("nan"), 30), (float("inf"), 30), (25.0, 25), (30000 / 1001, 30000 / 1001)],
)
def test_a_camera_without_a_plausible_frame_rate_has_the_default(reported, fps):
    assert float(camera_fps(reported)) == pytest.approx(fps)
