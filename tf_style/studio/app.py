"""The studio's routes: what the page asks for by HTTP and WebSocket."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import json
import traceback
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

import tf_style
from tf_style.image.picture import read_layers, write_picture
from tf_style.library.library import Library
from tf_style.settings import MAX_PIXELS, InputError
from tf_style.settings.presets import presets
from tf_style.studio import films, form, recipe
from tf_style.studio import job as jobs
from tf_style.studio.camera import Camera, Choice
from tf_style.studio.events import Hub
from tf_style.studio.guard import Guard
from tf_style.studio.job import Job
from tf_style.studio.jobs import Queue
from tf_style.studio.networks import Network
from tf_style.studio.pictures import UPLOAD_BYTES, Pictures, TooLargeError, has_result
from tf_style.studio.store import Store

PAGE = Path(__file__).parent / "page"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript",
          ".svg": "image/svg+xml", ".png": "image/png", ".json": "application/json",
          ".webmanifest": "application/manifest+json"}
_JSON_BYTES = 256 * 1024
_MOST_LISTED, _MOST_ALIKE = 500, 100
# Something went wrong inside. Source: RFC 6455, 7.4.1.
_INSIDE = 1011
_FOREVER = {"Cache-Control": "private, max-age=86400"}
_ENDINGS = (".png", ".jpg", ".tif")
# Where something is sent to → what it is to be.
_UPLOADS = {"/api/pictures": "picture", "/api/films": "film", "/api/networks": "network"}


@dataclasses.dataclass
class Studio:
    """A studio: what it keeps, what it paints, and how it is asked. To be closed.

    Args:
        folder: of results; held by this process.
        keep: bytes that it may take.
        library: the user's.
        host, port: where it is reached.
        fixed: settings that are the same for all jobs.
        report: called with what went wrong inside.
        networks: the user's own.

    Attributes:
        queue, pictures, store, hub, guard: its parts.
    """

    folder: Path
    keep: float = 5e9
    library: Library | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    fixed: dict[str, Any] = dataclasses.field(default_factory=lambda: {"offline": True})
    report: Callable[[str], object] = lambda text: None
    networks: Sequence[Network] = ()

    def __post_init__(self) -> None:
        self.store, self.hub = Store(self.folder, self.keep), Hub()
        self.pictures = Pictures(
            self.store, self.library, self.fixed.get("max_pixels", MAX_PIXELS), self.networks)
        self.queue = Queue(self.store, self.pictures, self.hub, self.fixed, self.report)
        has_films, samples = films.are_possible(), form.samples()
        # The user's own are offered as the samples are.
        names = {each.reference: Path(each.name).stem for each in self.networks}
        self._offers = {
            "version": tf_style.__version__, "options": form.form(), "first": list(form.FIRST),
            "presets": [{"name": name, "help": text, "values": form.preset(name)}
                        for name, text in presets().items()],
            "samples": {**samples, "style": [*names, *samples["style"]]}, "networks": names,
            "models": {**form.models(), **{each: each for each in names}},
            "upload_bytes": UPLOAD_BYTES,
            "camera": has_films, "films": has_films,
        }
        self.guard = Guard(
            Starlette(routes=self._routes(), lifespan=self._living, exception_handlers={
                InputError: _input_error, HTTPException: _http_error, TooLargeError: _too_large,
                OSError: _disk_error, ClientDisconnect: _gone, Exception: self._error,
            }),
            host=self.host, port=self.port,
        )

    @property
    def app(self) -> ASGIApp:
        """The ASGI application."""
        return self.guard

    def address(self, *, once: bool = False) -> str:
        """What opens the page.

        Args:
            once: only the first time. Other users of the machine see what a browser is started
                with.
        """
        # Where it listens everywhere, it is reached here.
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        host = f"[{host}]" if ":" in host else host
        token = self.guard.ticket() if once else self.guard.token
        return f"http://{host}:{self.port}/?token={token}"

    def close(self) -> None:
        """Close its files, when it is no longer served."""
        self.store.close()

    def _routes(self) -> list[Any]:
        return [
            Route("/", self._page),
            Route("/page/{name}", self._page),
            Route("/api/form", self._form),
            *(Route(path, self._upload, methods=["POST"]) for path in _UPLOADS),
            Route("/api/pictures/{ref}", self._picture),
            Route("/api/library", self._library),
            Route("/api/library/like", self._like),
            Route("/api/library/for", self._for),
            Route("/api/jobs", self._jobs),
            Route("/api/jobs", self._add, methods=["POST"]),
            Route("/api/jobs", self._clear, methods=["DELETE"]),
            Route("/api/jobs/{id}", self._job),
            Route("/api/jobs/{id}", self._remove, methods=["DELETE"]),
            Route("/api/jobs/{id}/command", self._recipe),
            Route("/api/jobs/{id}/python", self._recipe),
            Route("/api/jobs/{id}/result{ending}", self._result),
            Route("/api/jobs/{id}/{verb}", self._act, methods=["POST"]),
            WebSocketRoute("/api/events", self._events),
            WebSocketRoute("/api/camera", self._camera),
        ]

    @asynccontextmanager
    async def _living(self, app: Starlette) -> AsyncIterator[None]:
        self.hub.begin()
        # Pictures take long: what is quick does not wait for them.
        self._views = CapacityLimiter(4)
        self.queue.start()
        yield
        await to_thread.run_sync(self.queue.close)

    async def _page(self, request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        # A list of what is there: no name is made a path.
        path = {each.name: each for each in PAGE.iterdir()}.get(name)
        if path is None or path.suffix not in _TYPES:
            raise HTTPException(404, "there is no such file")
        return FileResponse(path, media_type=_TYPES[path.suffix],
                            headers={"Cache-Control": "no-cache"})

    async def _form(self, request: Request) -> Response:
        return JSONResponse(self._offers)

    async def _upload(self, request: Request) -> Response:
        _check_length(request, UPLOAD_BYTES)
        kind = _UPLOADS[request.url.path]
        name = unquote(request.headers.get("x-name", kind), errors="replace")
        upload = await self.pictures.add(request.stream(), name, kind)
        await to_thread.run_sync(self.queue.make_room)
        return JSONResponse({"ref": f"{kind}:{upload.digest}", "name": upload.name,
                             "width": upload.width, "height": upload.height, **upload.more}, 201)

    async def _picture(self, request: Request) -> Response:
        reference = request.path_params["ref"]
        side = _number(request, "side", 1024)
        view = await to_thread.run_sync(self.pictures.view, reference, side, limiter=self._views)
        headers = {} if reference.startswith("result:") else _FOREVER
        return Response(view, media_type="image/jpeg", headers=headers)

    async def _library(self, request: Request) -> Response:
        start, count = _number(request, "start", 0), _number(request, "count", 60)
        found, total = await to_thread.run_sync(
            self.pictures.library, start, min(count, _MOST_LISTED),
            request.query_params.get("name"))
        return JSONResponse({"pictures": found, "total": total})

    async def _like(self, request: Request) -> Response:
        return await self._searched(request, self.pictures.like)

    async def _for(self, request: Request) -> Response:
        return await self._searched(request, self.pictures.suiting)

    async def _searched(self, request: Request, search: Callable[..., Any]) -> Response:
        reference = request.query_params.get("ref", "")
        count = min(_number(request, "count", 12), _MOST_ALIKE)
        found = await asyncio.wrap_future(
            self.queue.between(functools.partial(search, reference, count)))
        return JSONResponse({"pictures": found, "total": len(found)})

    async def _jobs(self, request: Request) -> Response:
        return JSONResponse(self.queue.jobs())

    async def _add(self, request: Request) -> Response:
        asked = jobs.Request.of(await _json(request))
        try:
            job = await to_thread.run_sync(self.queue.add, asked)
        except InputError as error:
            message = self.pictures.told(error.flags, asked.references)
            return JSONResponse({"error": jobs.told(message)}, 400)
        return JSONResponse(job.as_dict(), 201)

    async def _clear(self, request: Request) -> Response:
        await to_thread.run_sync(self.queue.clear)
        return Response(status_code=204)

    async def _job(self, request: Request) -> Response:
        return JSONResponse(self._found(request).as_dict())

    async def _remove(self, request: Request) -> Response:
        job = self._found(request)
        if not await to_thread.run_sync(self.queue.remove, job.id):
            raise HTTPException(409, "it is being painted; cancel it first")
        return Response(status_code=204)

    async def _act(self, request: Request) -> Response:
        job = self._found(request)
        does = {"stop": self.queue.stop, "cancel": self.queue.cancel,
                "resume": self.queue.resume}.get(request.path_params["verb"])
        if does is None:
            raise HTTPException(404, "there is no such address")
        job = await to_thread.run_sync(does, job.id)
        return JSONResponse(job.as_dict() if job else {})

    async def _result(self, request: Request) -> Response:
        job, ending = self._found(request), request.path_params["ending"]
        endings = (job.ends,) if job.request.is_film else _ENDINGS
        if not has_result(job) or ending not in endings:
            raise HTTPException(404, "there is no such result")
        path = self.store.result(job)
        if not path.is_file():
            raise HTTPException(404, "somebody has removed the file of this result")
        if ending != job.ends:
            path = await to_thread.run_sync(_converted, path, ending, limiter=self._views)
        name = recipe.file_name(job.title, ending)
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
        return FileResponse(path, headers=headers)

    async def _recipe(self, request: Request) -> Response:
        job = self._found(request)
        is_command = request.url.path.endswith("/command")

        def text() -> str:
            run, settings = self.queue.run_job(job)
            name = recipe.file_name(job.title, job.ends)
            if job.request.is_film and not is_command:
                raise HTTPException(404, "films are painted by the command alone")
            if is_command:
                more = {"steadiness": job.request.options["steadiness"]} if (
                    "steadiness" in job.request.options) else {}
                return recipe.command(run, settings, name, more)
            return recipe.python(run, settings, name)

        return PlainTextResponse(await to_thread.run_sync(text))

    async def _events(self, websocket: WebSocket) -> None:
        await self.hub.serve(websocket, self.queue.jobs)

    async def _camera(self, websocket: WebSocket) -> None:
        await websocket.accept()
        camera, choice, named = Camera(self.queue.painters), None, ()
        with suppress(WebSocketDisconnect, RuntimeError):
            while (message := await websocket.receive())["type"] == "websocket.receive":
                text = message.get("text")
                try:
                    if text is not None:
                        asked = Choice.of(text, **self.fixed)
                        named = (asked.settings.model or "",)
                        choice = dataclasses.replace(
                            asked, settings=self.pictures.settled(asked.settings))
                        continue
                    frame = message.get("bytes") or b""
                    painted = await asyncio.wrap_future(self.queue.between(
                        functools.partial(camera.paint, choice, frame)))
                except InputError as error:
                    error = jobs.told(self.pictures.told(error.flags, named))
                    await websocket.send_text(
                        json.dumps({"error": error, "of_frame": text is None}))
                except Exception:
                    self.report(traceback.format_exc())
                    await websocket.close(_INSIDE)
                    return
                else:
                    await websocket.send_bytes(painted)

    def _found(self, request: Request) -> Job:
        job = self.queue.job(request.path_params["id"])
        if job is None:
            raise HTTPException(404, "there is no such job")
        return job

    async def _error(self, request: Request, error: Exception) -> Response:
        self.report("".join(traceback.format_exception(error)))
        return _told("something went wrong inside the studio; the terminal says more", 500)


def _converted(path: Path, ending: str) -> Path:
    """A result in another format, made when it is first asked for."""
    made = path.with_suffix(ending)
    if not made.exists() or made.stat().st_mtime_ns < path.stat().st_mtime_ns:
        pixels, alpha = read_layers(path)
        if alpha is not None:
            # As it was before it became a PNG: over white.
            pixels = 1 - alpha[..., None] * (1 - pixels)
        write_picture(made, pixels, None, alpha=alpha)
    return made


async def _json(request: Request) -> Any:
    _check_length(request, _JSON_BYTES)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _JSON_BYTES:
            raise TooLargeError(_JSON_BYTES)
    try:
        data = json.loads(body, parse_constant=_no_number)
        # Half a character is no text.
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise InputError("expected JSON") from None
    return data


def _no_number(text: str) -> None:
    raise ValueError(text)


def _check_length(request: Request, most: int) -> None:
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > most:
        raise TooLargeError(most)


def _number(request: Request, name: str, usual: int) -> int:
    text = request.query_params.get(name, "")
    return int(text[:9]) if text[:9].isdecimal() else usual


def _told(message: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": jobs.told(message)}, status, headers)


async def _input_error(request: Request, error: Exception) -> Response:
    return _told(error.flags, 400)


async def _http_error(request: Request, error: Exception) -> Response:
    return _told(error.detail, error.status_code)


async def _disk_error(request: Request, error: Exception) -> Response:
    return _told(f"nothing can be written in the studio's folder ({error.strerror or error})", 507)


async def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=400)


async def _too_large(request: Request, error: Exception) -> Response:
    # What is still sent is not read.
    return _told(str(error), 413, {"Connection": "close"})
