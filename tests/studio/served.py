"""A studio that is served, and its page's part, played by a client."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import threading
import time

import numpy as np
import pytest
from PIL import Image

for _package in ("starlette", "uvicorn", "websockets", "httpx"):
    pytest.importorskip(_package, reason="needs pip install 'tf_style[studio]', and httpx")

import httpx  # noqa: E402
import websockets.sync.client  # noqa: E402

from tf_style.studio.app import Studio  # noqa: E402
from tf_style.studio.server import Server, bound  # noqa: E402

# A run that is over at once.
TINY = {"size": 32, "steps": [2], "scales": 1, "network": "compact", "weights": "random"}
MODEL = {"model": "sample:waves", "size": 32}
LONG = {**TINY, "steps": [5000], "tolerance": 0}
OVER = ("done", "stopped", "failed", "cancelled")


class Page:
    """Asks a studio as its page does."""

    def __init__(self, studio: Studio):
        self.studio, self.base = studio, f"http://127.0.0.1:{studio.port}"
        self.http = httpx.Client(base_url=self.base, headers={"Origin": self.base}, timeout=60)
        assert self.http.get(studio.address()).status_code == 303
        self.cookie = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())

    def get(self, path, **query):
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer

    def post(self, content="sample:harbor", styles=("sample:waves",), **more):
        """Post a job; returns it, or what is answered in place of one."""
        options = more.pop("options", TINY)
        data = {"content": content, "styles": list(styles), "options": options, **more}
        return self.http.post("/api/jobs", json=data).json()

    def by_network(self, **more):
        return self.post(styles=(), **{"options": MODEL, **more})

    def job(self, job):
        return self.get(f"/api/jobs/{job['id']}").json()

    def act(self, job, verb):
        return self.http.post(f"/api/jobs/{job['id']}/{verb}").json()

    def when(self, job, state=OVER, seconds=60.0):
        """The job when it is in one of these states."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            found = self.job(job)
            if found["state"] in state and (state == OVER or found["step"] > 1):
                return found
            time.sleep(0.02)
        raise AssertionError(found)

    def upload(self, content, name="photo.png", path="/api/pictures"):
        return self.http.post(path, content=content, headers={"X-Name": name})

    def events(self, path="/api/events", **given):
        return websockets.sync.client.connect(
            self.base.replace("http", "ws") + path,
            **{"origin": self.base, "additional_headers": {"Cookie": self.cookie},
               "max_size": None, **given})


@contextlib.contextmanager
def serving(folder, **given):
    """A studio that is served in a thread; gives its page."""
    folder.mkdir(exist_ok=True)
    listening = bound("127.0.0.1", 0)
    reports: list[str] = []
    studio = Studio(folder, port=listening.getsockname()[1], report=reports.append, **given)
    ready, ends = threading.Event(), threading.Event()
    server = Server(studio, ends.is_set, ready.set)
    thread = threading.Thread(
        target=lambda: asyncio.run(server.serve([listening])), daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        page = Page(studio)
        page.reports = reports
        yield page
        page.http.close()
    finally:
        ends.set()
        thread.join(60)
        studio.close()
    assert not thread.is_alive()


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("studio")) as page:
        yield page


@pytest.fixture
def page(served):
    """The page of a studio without jobs, in which nothing goes wrong inside."""
    yield served
    left = [job for job in served.get("/api/jobs").json() if job["state"] not in OVER]
    for job in left:
        served.act(job, "cancel")
    for job in left:
        served.when(job)
    assert served.http.delete("/api/jobs").status_code == 204
    assert served.reports == []


def file_of(picture, kind="PNG"):
    """A picture, `(height, width, 3)` in `[0, 1]`, as bytes."""
    buffer = io.BytesIO()
    Image.fromarray((picture * 255).round().astype(np.uint8)).save(buffer, kind)
    return buffer.getvalue()


def pixels(content):
    return np.asarray(Image.open(io.BytesIO(content)))


def frame_of(message):
    """The head of a frame, and its picture."""
    length = int.from_bytes(message[:4], "big")
    return json.loads(message[4 : 4 + length]), pixels(message[4 + length :])
