"""Headless Chromium, driven through the pipe of its DevTools protocol: needs no package."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FLAGS = ("--headless", "--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking")
_TIMEOUT_S = 60


class Page:
    """A page of the browser."""

    def __init__(self, commands: int, replies: int) -> None:
        self._commands, self._replies, self._buffer = commands, os.fdopen(replies, "rb", 0), b""
        self._number, self._loaded, self._downloaded = 0, False, False
        self._download: str | None = None
        self._session: str | None = None
        (target,) = (t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        attach = {"targetId": target["targetId"], "flatten": True}
        self._session = self.call("Target.attachToTarget", **attach)["sessionId"]
        for domain in ("Page", "Runtime", "DOM"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            reply = self._read()
            if reply.get("id") == self._number:
                assert "error" not in reply, f"{method}: {reply['error']}"
                return reply["result"]
            self._note(reply)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            content = self._replies.read(1 << 20)
            assert content, "Chromium has ended"
            self._buffer += content
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def _note(self, message: dict[str, Any]) -> None:
        event, parameters = message.get("method"), message.get("params", {})
        self._loaded |= event == "Page.loadEventFired"
        if event == "Browser.downloadWillBegin":
            self._download = parameters["guid"]
        # The end of an earlier download may be reported again.
        is_this = parameters.get("guid") == self._download
        self._downloaded |= is_this and parameters.get("state") == "completed"

    def open(self, address: str) -> None:
        """Open an address, and wait until it is loaded."""
        self._loaded = False
        self.call("Page.navigate", url=address)
        while not self._loaded:
            self._note(self._read())

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression, which may be a promise."""
        options = {"awaitPromise": True, "returnByValue": True, "userGesture": True}
        reply = self.call("Runtime.evaluate", expression=expression, **options)
        assert "exceptionDetails" not in reply, json.dumps(reply["exceptionDetails"])
        return reply["result"].get("value")

    def wait(self, condition: str) -> Any:
        """Return the value of an expression once it is true."""
        loop = "while (!(value = (%s)) && performance.now() < end) await new Promise(r => setTimeout(r, 20));"
        head = f"let value; const end = performance.now() + {_TIMEOUT_S * 1000};"
        value = self.evaluate(f"(async () => {{ {head} {loop % condition} return value; }})()")
        assert value, f"{condition} stays false on the page: {self.evaluate('document.body.innerText')}"
        return value

    def choose_files(self, selector: str, *files: Path) -> None:
        """Choose files in an <input type=file>."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(file) for file in files])

    def download_into(self, folder: Path) -> None:
        """Save the next download in a folder."""
        self._downloaded, self._download = False, None
        options = {"behavior": "allow", "downloadPath": str(folder), "eventsEnabled": True}
        self.call("Browser.setDownloadBehavior", **options)

    def wait_for_download(self) -> None:
        """Return once the download is complete."""
        while not self._downloaded:
            self._note(self._read())

    def screenshot(self, file: Path, width: int, height: int) -> None:
        """Write a PNG of the page at a size in pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.evaluate("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


@contextmanager
def open_chromium(*flags: str, net_log: Path | None = None) -> Iterator[Page]:
    """Start a browser with an empty profile; the test is skipped without Chromium."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not program:
        pytest.skip("Chromium is not installed")
    read_commands, commands = os.pipe()
    replies, write_replies = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = [*FLAGS, "--remote-debugging-pipe", f"--user-data-dir={profile}", *flags]
        if net_log:
            options.append(f"--log-net-log={net_log}")
        # The protocol's pipe is file descriptors 3 and 4.
        shell = f'exec "$@" 3<&{read_commands} 4>&{write_replies}'
        process = subprocess.Popen(
            ["bash", "-c", shell, "bash", program, *options, "about:blank"],
            pass_fds=(read_commands, write_replies),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read_commands)
        os.close(write_replies)
        try:
            page = Page(commands, replies)
            yield page
            page._session = None
            page.call("Browser.close")
        finally:
            os.close(commands)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def requests_of(net_log: Path, origin: str) -> set[str]:
    """Return the addresses that pages of an origin have requested, by Chromium's own log of its network.

    The log is complete once Chromium has ended. It has requests of the browser itself, too, such as those of
    its autofill, which no page causes or prevents.
    """
    log = json.loads(net_log.read_text())
    requests = [event.get("params", {}) for event in log["events"]]
    return {request["url"] for request in requests if request.get("initiator") == origin}
