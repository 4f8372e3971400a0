"""The studio on a port: sockets, connections, and an end that keeps what there is."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Callable, Iterator

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from tf_style.settings import InputError
from tf_style.studio.app import Studio

# Ports that are tried, from the one that is asked for.
_TRIED = 20
# Connections at once, and seconds in which one has to ask for something.
_MOST, _PATIENCE = 256, 20.0
FRAME_BYTES = 2_000_000


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens there, or at one of the next ports if that is busy.

    Raises:
        InputError: if there is no such host here, all are busy, or the user may not listen there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in range(port, min(port + _TRIED, 65536)) if port else [0]:
        # Of this protocol, asyncio sends at once what there is: otherwise answers wait 40 ms.
        found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            # Windows would share the port with others.
            found.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((host, number))
            found.listen(128)
        except OSError as error:
            found.close()
            # Windows may refuse a busy one as if it were not allowed.
            busy = (errno.EADDRINUSE, *([errno.EACCES] if os.name == "nt" else []))
            if error.errno in busy and port:
                continue
            if error.errno == errno.EACCES and port:
                raise InputError(f"--port={number}: you may not listen there ({error.strerror}). "
                                 "Choose one above 1023") from None
            raise InputError(f"--host={host}: cannot be used ({error.strerror or error})"
                             ) from None
        return found
    raise InputError(f"--port={port}: it and the next {_TRIED - 1} are busy. Choose another")


class _Connection(H11Protocol):
    """A connection, one of a number, that does not wait for ever."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        if len(self.connections) > _MOST:
            transport.abort()
        else:
            self.loop.call_later(_PATIENCE, self._close_idle)

    def _close_idle(self) -> None:
        if self.cycle is None and self in self.connections:
            self.transport.abort()


class Server(uvicorn.Server):
    """Serves a studio until it is asked to stop.

    Args:
        studio: what is served.
        ends: whether it is to stop.
        ready: called when the page can be opened.
    """

    def __init__(
        self, studio: Studio, ends: Callable[[], bool],
        ready: Callable[[], object] = lambda: None,
    ):
        super().__init__(uvicorn.Config(
            studio.app, http=_Connection, ws="websockets-sansio", loop="asyncio", lifespan="on",
            log_config=None, log_level="critical", access_log=False, server_header=False,
            ws_max_size=FRAME_BYTES, ws_per_message_deflate=False, timeout_graceful_shutdown=2,
            # Nobody stands between the page and the studio.
            proxy_headers=False,
        ))
        self._ends, self._ready = ends, ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The command has handlers of its own."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._ready()

    async def on_tick(self, counter: int) -> bool:
        return self._ends() or await super().on_tick(counter)
