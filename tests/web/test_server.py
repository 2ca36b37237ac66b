"""The server sends the files of the site, to this machine only, and nothing else."""

import http.client
import socket
import threading
from collections.abc import Iterator

import pytest

from blazepose.exceptions import InputError
from blazepose.web.server import PageServer
from blazepose.web.site import security_policy


@pytest.fixture
def server(site) -> Iterator[PageServer]:
    with PageServer(site, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.01}).start()
        yield server
        server.shutdown()


def send(server: PageServer, method: str, path: str, headers: dict[str, str] | None = None):
    connection = http.client.HTTPConnection(*server.server_address)
    connection.request(method, path, headers=headers or {})
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    return reply, content


def test_every_file_is_sent(server, site):
    for name, content in site.items():
        reply, received = send(server, "GET", f"/{name}")
        assert (reply.status, received) == (200, content), name
    assert send(server, "GET", "/?a=1")[1] == site["index.html"]


def test_types_let_a_browser_run_the_files(server):
    types = {
        "index.html": "text/html",
        "main.js": "text/javascript",
        "tasks_vision/vision_bundle.js": "text/javascript",
        "tasks_vision/vision_wasm_internal.wasm": "application/wasm",
        "site.json": "application/json",
    }
    for name, kind in types.items():
        assert send(server, "HEAD", f"/{name}")[0].headers["Content-Type"].startswith(kind)


def test_head_has_no_content(server, site):
    reply, content = send(server, "HEAD", "/main.js")
    assert (int(reply.headers["Content-Length"]), content) == (len(site["main.js"]), b"")


def test_every_reply_restricts_the_page(server, site):
    for path in ("/", "/none"):
        headers = send(server, "GET", path)[0].headers
        assert headers["Content-Security-Policy"] == f"{security_policy(site)}; frame-ancestors 'none'"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_an_unchanged_file_is_not_sent_again(server):
    tag = send(server, "GET", "/main.js")[0].headers["ETag"]
    reply, content = send(server, "GET", "/main.js", {"If-None-Match": tag})
    assert (reply.status, content) == (304, b"")
    assert send(server, "GET", "/style.css", {"If-None-Match": tag})[0].status == 200


@pytest.mark.parametrize("path", ["/none", "/../LICENSE", "/%2e%2e/server.py", "//etc/passwd", "/bundles/"])
def test_other_paths_are_not_found(server, path):
    assert send(server, "GET", path)[0].status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_sent_to_it(server, method):
    assert send(server, method, "/")[0].status == 501


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1", "[::1]:80", "LOCALHOST"])
def test_forwarded_ports_work(server, host):
    assert send(server, "GET", "/", {"Host": host})[0].status == 200


@pytest.mark.parametrize("host", ["example.com", "localhost.example.com:80", "", "[", "192.168.0.7"])
def test_other_names_of_this_machine_are_refused(server, host):
    reply, content = send(server, "GET", "/bundles/1.task", {"Host": host})
    assert reply.status == 421
    assert b"open the page at localhost or 127.0.0.1" in content


def test_a_public_server_has_any_name(site):
    with PageServer(site, "0.0.0.0", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.01}).start()
        assert not server.is_loopback
        assert server.address.startswith("http://127.0.0.1:")
        assert send(server, "GET", "/", {"Host": "machine.example"})[0].status == 200
        server.shutdown()


def test_a_taken_port_is_named(server, site):
    port = server.server_address[1]
    with pytest.raises(InputError, match=rf"cannot serve at 127.0.0.1:{port} \(Address already in use\)"):
        PageServer(site, "127.0.0.1", port)
    with pytest.raises(InputError, match=r"cannot serve at no\.such\.host\.invalid:0 \("):
        PageServer(site, "no.such.host.invalid", 0)


def test_an_early_end_of_a_connection_is_no_error(server, capfd):
    with socket.create_connection(server.server_address) as connection:
        connection.sendall(b"GET /bundles/1.task HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert send(server, "GET", "/")[0].status == 200
    assert capfd.readouterr().err == ""
