"""What the page is told as it happens: jobs as text, pictures that form as frames, newest only."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from tf_style.studio.job import PAINTING

# Pages that may be open at once.
_MOST = 64
# Codes of closing. Source: RFC 6455, 7.4.1.
_UNSUPPORTED, _TRY_AGAIN = 1003, 1013


class Hub:
    """Tells all open pages. Any thread may tell; a page that reads slowly keeps nobody waiting.

    Of a job and of its picture, only the newest is kept for each page until it has read it.
    """

    def __init__(self):
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pages: set[_Page] = set()
        # Of the job that is painted now, for pages that are opened meanwhile.
        self._frame: tuple[str, bytes] | None = None

    def begin(self) -> None:
        """Called in the loop that serves pages."""
        self._loop = asyncio.get_running_loop()

    @property
    def has_pages(self) -> bool:
        """Whether anybody looks."""
        return bool(self._pages)

    def job(self, job: dict[str, Any]) -> None:
        """Tell what has become of a job."""
        self._tell(self._keep, job["id"], json.dumps({"type": "job", "job": job}),
                   job.get("state") == PAINTING)

    def removed(self, name: str) -> None:
        """Tell that a job is no longer there."""
        self._tell(self._keep, name, json.dumps({"type": "removed", "id": name}))

    def frame(self, head: dict[str, Any], picture: bytes) -> None:
        """Show a picture as it is now.

        Args:
            head: `job`, `width`, `height`, `step`.
            picture: a JPEG.
        """
        text = json.dumps(head).encode()
        self._tell(self._show, head["job"], len(text).to_bytes(4, "big") + text + picture)

    async def serve(
        self, websocket: WebSocket, jobs: Callable[[], list[dict[str, Any]]]
    ) -> None:
        """Tell one page, until it is closed.

        Args:
            jobs: returns what it is told first.
        """
        if len(self._pages) >= _MOST:
            await websocket.close(_TRY_AGAIN)
            return
        await websocket.accept()
        page = _Page(websocket)
        page.texts[""] = json.dumps({"type": "jobs", "jobs": jobs()})
        if self._frame:
            page.frames[self._frame[0]] = self._frame[1]
        page.news.set()
        self._pages.add(page)
        sends = asyncio.ensure_future(page.send())
        try:
            message = await websocket.receive()
            if message["type"] != "websocket.disconnect":
                # A page says nothing here.
                with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                    await websocket.close(_UNSUPPORTED)
        finally:
            self._pages.discard(page)
            sends.cancel()

    def _tell(self, what: Any, *given: Any) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                # The loop has been closed.
                self._loop.call_soon_threadsafe(what, *given)

    def _keep(self, name: str, text: str, forms: bool = False) -> None:
        if self._frame and self._frame[0] == name and not forms:
            self._frame = None
        for page in self._pages:
            # The newest stands at the end.
            page.texts.pop(name, None)
            page.texts[name] = text
            page.news.set()

    def _show(self, name: str, frame: bytes) -> None:
        self._frame = name, frame
        for page in self._pages:
            page.frames[name] = frame
            page.news.set()


class _Page:
    """What one page is still to be told."""

    def __init__(self, websocket: WebSocket):
        self.texts: dict[str, str] = {}
        self.frames: dict[str, bytes] = {}
        self.news = asyncio.Event()
        self._websocket = websocket

    async def send(self) -> None:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            while True:
                await self.news.wait()
                self.news.clear()
                while self.texts:
                    await self._websocket.send_text(self.texts.pop(next(iter(self.texts))))
                if self.frames:
                    await self._websocket.send_bytes(self.frames.pop(next(iter(self.frames))))
                    if self.frames:
                        self.news.set()
