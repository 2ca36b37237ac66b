"""The server of the page: it sends the files of a site from memory, and receives nothing."""

import hashlib
import ipaddress
import socketserver
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote, urlsplit

from blazepose.exceptions import InputError
from blazepose.web.site import Site, security_policy

_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "txt": "text/plain; charset=utf-8",
    "wasm": "application/wasm",
    "task": "application/octet-stream",
}
"""Content type of each suffix of a site's files."""


class PageServer(socketserver.ThreadingTCPServer):
    """Server of a site.

    Args:
        site: its files.
        host: address to listen on.
        port: 0 takes a free one.

    Raises:
        ValueError: if the address or port cannot be used.

    Attributes:
        address: address of the page in a browser of this machine.
        is_loopback: whether only this machine reaches the server.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, site: Site, host: str, port: int) -> None:
        try:
            super().__init__((host, port), _PageHandler)
        except OSError as error:
            raise InputError(
                f"cannot serve at {host}:{port} ({error.strerror}); choose another --port or --host"
            ) from error
        self.site = site
        self.host = host
        self.is_loopback = ipaddress.ip_address(str(self.server_address[0])).is_loopback
        # Pages of other sites cannot show this one in a frame; a <meta> has no such directive.
        self.policy = f"{security_policy(site)}; frame-ancestors 'none'"
        self.tags = {name: f'"{hashlib.sha256(content).hexdigest()}"' for name, content in site.items()}

    @property
    def address(self) -> str:
        """Address of the page."""
        everywhere = self.host in ("", "0.0.0.0")
        return f"http://{'127.0.0.1' if everywhere else self.host}:{self.server_address[1]}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a browser that closes a connection early."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _PageHandler(BaseHTTPRequestHandler):
    """Sends a file of the site. Only GET and HEAD are known, so that nothing can be sent to the server."""

    server: PageServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.server.is_loopback and _hostname(self.headers.get("Host")) not in _LOOPBACK_NAMES:
            # Against DNS rebinding: a page of another site whose name leads to this machine.
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "open the page at localhost or 127.0.0.1")
            return
        name = unquote(urlsplit(self.path).path).removeprefix("/") or "index.html"
        content = self.server.site.get(name)
        if content is None:
            self.send_error(HTTPStatus.NOT_FOUND)
        elif self.headers.get("If-None-Match") == self.server.tags[name]:
            self._send_head(HTTPStatus.NOT_MODIFIED, name, len(content))
        else:
            self._send_head(HTTPStatus.OK, name, len(content))
            if self.command != "HEAD":
                self.wfile.write(content)

    do_HEAD = do_GET  # noqa: N815

    def _send_head(self, status: HTTPStatus, name: str, length: int = 0) -> None:
        self.send_response(status)
        self.send_header("Content-Type", _TYPES[name.rpartition(".")[2]])
        self.send_header("Content-Length", str(length))
        self.send_header("ETag", self.server.tags[name])
        self.send_header("Cache-Control", "no-cache")
        self.end_headers()

    def end_headers(self) -> None:
        """Add the headers of every reply, also of errors."""
        self.send_header("Content-Security-Policy", self.server.policy)
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        super().end_headers()

    def version_string(self) -> str:
        """Name no version of the server or of Python."""
        return "blazepose"

    def log_message(self, *arguments: Any) -> None:
        """Print no line per request."""


def _hostname(host: str | None) -> str | None:
    """Return the name in a Host header, without port and brackets."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
