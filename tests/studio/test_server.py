"""The studio on its port, and what strangers may try there."""

import contextlib
import errno
import os
import socket
import struct
import time
import zlib

import httpx
import pytest

from tests.studio.served import LONG, MODEL
from tf_style.settings import InputError
from tf_style.studio import server
from tf_style.studio.server import bound


@pytest.fixture
def painting(page):
    """A job at hand, which is to be unharmed."""
    job = page.post(options=LONG)
    page.when(job, "painting")
    before = page.job(job)["loss"][-1][0]
    yield page
    after = page.job(job)
    assert after["state"] == "painting"
    ends = time.monotonic() + 60
    while page.job(job)["loss"][-1][0] <= before:
        assert time.monotonic() < ends
    assert page.get("/api/form").json()["version"]


def test_a_busy_port_is_passed_over():
    with contextlib.closing(bound("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        with contextlib.closing(bound("127.0.0.1", port)) as second:
            assert port < second.getsockname()[1] < port + 20


def test_where_it_cannot_listen_is_said():
    with pytest.raises(InputError, match=r"^host=203\.0\.113\.1: cannot be used"):
        bound("203.0.113.1", 8150)
    with pytest.raises(InputError, match=r"^host=no such host"):
        bound("no such host", 8150)


def test_all_ports_busy_is_said(monkeypatch):
    monkeypatch.setattr(server, "_TRIED", 1)
    with (
        contextlib.closing(bound("127.0.0.1", 0)) as first,
        pytest.raises(InputError, match="are busy"),
    ):
        bound("127.0.0.1", first.getsockname()[1])


@pytest.mark.skipif(os.name == "nt", reason="Windows says this of busy ports, too")
def test_a_port_that_needs_rights_is_not_called_busy(monkeypatch):
    def bind(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(server.socket, "socket", type("Denied", (socket.socket,), {"bind": bind}))
    with pytest.raises(InputError, match=r"^port=80: you may not listen there \(Permission denied"):
        bound("127.0.0.1", 80)


def connected(page):
    return socket.create_connection(("127.0.0.1", page.studio.port), 10)


def test_many_connections_take_nothing_from_the_job(painting, monkeypatch):
    monkeypatch.setattr(server, "_MOST", 40)
    with contextlib.ExitStack() as stack:
        many = [stack.enter_context(connected(painting)) for _ in range(200)]
        refused = 0
        for each in many[60:]:
            each.settimeout(10)
            with contextlib.suppress(ConnectionError):
                assert each.recv(1) == b""
            refused += 1
        assert refused == 140


def test_a_connection_that_asks_for_nothing_is_closed(page, monkeypatch):
    monkeypatch.setattr(server, "_PATIENCE", 0.2)
    with connected(page) as silent, connected(page) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: ")
        for each in (silent, slow):
            each.settimeout(10)
            with contextlib.suppress(ConnectionError):
                assert each.recv(1) == b""


@pytest.mark.parametrize("text", [
    b"\0" * 5000, b"GET " + b"x" * 100_000,
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil\r\n\r\n",
    b"POST /api/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
])
def test_what_is_no_http_is_refused(page, text):
    with connected(page) as each:
        each.sendall(text)
        each.settimeout(10)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while piece := each.recv(65536):
                answer += piece
        assert answer.startswith(b"HTTP/1.1 4")


def test_an_upload_says_how_large_it_is_and_is_not_read(painting):
    with connected(painting) as each:
        each.sendall(
            f"POST /api/pictures HTTP/1.1\r\nHost: 127.0.0.1:{painting.studio.port}\r\n"
            f"Origin: {painting.base}\r\nCookie: {painting.cookie}\r\n"
            "Content-Length: 1000000000\r\n\r\n".encode())
        each.settimeout(20)
        assert each.recv(65536).startswith(b"HTTP/1.1 413")


def test_an_upload_that_hides_its_size_ends_where_it_is_too_large(painting, monkeypatch):
    monkeypatch.setattr("tf_style.studio.pictures.UPLOAD_BYTES", 1_000_000)
    monkeypatch.setattr("tf_style.studio.app.UPLOAD_BYTES", 1_000_000)
    sent = 0

    def chunks():
        nonlocal sent
        while sent < 100_000_000:
            sent += 65536
            yield b"." * 65536

    with contextlib.suppress(httpx.HTTPError):
        assert painting.http.post("/api/pictures", content=chunks()).status_code == 413
    assert sent < 50_000_000
    assert not list((painting.studio.folder / "pictures").glob(".*"))


def chunk(kind, content):
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def bomb(side):
    """A PNG of that many pixels a side, in a few kilobytes."""
    squeeze = zlib.compressobj(9)
    rows = b"".join(squeeze.compress(bytes(1 + -(-side // 8))) for _ in range(side))
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
            + chunk(b"IDAT", rows + squeeze.flush()) + chunk(b"IEND", b""))


def test_a_bomb_is_refused(painting):
    answer = painting.upload(bomb(30_000), "bomb.png")
    assert answer.status_code == 400
    error = answer.json()["error"]["message"]
    assert error.startswith("bomb.png: ") and "too large to open safely" in error


def test_who_goes_away_while_uploading_leaves_nothing(painting):
    with connected(painting) as each:
        each.sendall(
            f"POST /api/pictures HTTP/1.1\r\nHost: 127.0.0.1:{painting.studio.port}\r\n"
            f"Origin: {painting.base}\r\nCookie: {painting.cookie}\r\n"
            "Content-Length: 100000\r\n\r\n".encode() + b"." * 5000)
    ends = time.monotonic() + 20
    while list((painting.studio.folder / "pictures").glob(".*")):
        assert time.monotonic() < ends
        time.sleep(0.02)


@pytest.mark.parametrize("said", ["{}", "x" * 100_000, b"\0" * 100_000])
def test_a_socket_that_says_anything_is_closed(painting, said):
    from websockets.exceptions import ConnectionClosed

    with painting.events() as events, pytest.raises(ConnectionClosed):
        events.recv()
        events.send(said)
        while True:
            events.recv(20)


def test_a_message_that_is_too_large_is_refused(painting):
    from websockets.exceptions import ConnectionClosed

    with painting.events() as events, pytest.raises(ConnectionClosed):
        events.send(b"." * 3_000_000)
        while True:
            events.recv(20)


def test_who_never_reads_keeps_nobody_waiting(painting):
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            # Its buffers are soon full.
            stack.enter_context(painting.events(max_queue=1, close_timeout=0.1))
        quick = stack.enter_context(painting.events())
        job = painting.by_network(draft=True, options=MODEL)
        assert painting.when(job)["state"] == "done"
        assert quick.recv(20)
