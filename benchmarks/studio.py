"""The studio: how soon a page sees something, and whether it answers while it paints.

`python -m benchmarks.studio` starts `tf_style_studio` in a process of its own and plays its page.
Seconds are those of the clock, from the request to what the page gets, so that a busy machine
counts; the studio's own processor time stands beside them. Memory is the process's, before and
after the queue of jobs.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from absl import app, flags

from benchmarks import record

FLAGS = flags.FLAGS
flags.DEFINE_integer("size", 512, "long side of the picture that is painted meanwhile, in pixels")
flags.DEFINE_integer("asked", 100, "how many times the page asks meanwhile")
flags.DEFINE_integer("tabs", 20, "how many pages are open")
flags.DEFINE_integer("jobs", 100, "how many jobs are queued")
flags.DEFINE_string("style", "sample:waves", "a style picture: a file, or sample:NAME")
flags.DEFINE_string("output", None, "write the figures as JSON")
_OVER = ("done", "stopped", "failed", "cancelled")


class Page:
    """A studio in a process of its own, and its page's part."""

    def __init__(self, folder: str):
        import httpx

        began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from tf_style import cli; cli.studio()", "--nobrowser",
             "--port=0", f"--folder={folder}"], stdout=subprocess.PIPE, text=True)
        address = self.process.stdout.readline().strip()
        self.started = time.monotonic() - began
        self.base = address.partition("/?")[0]
        self.http = httpx.Client(base_url=self.base, headers={"Origin": self.base}, timeout=600)
        self.http.get(address)
        self.cookie = "; ".join(f"{name}={each}" for name, each in self.http.cookies.items())

    def post(self, **data: Any) -> dict[str, Any]:
        answer = self.http.post("/api/jobs", json={"content": "sample:harbor", **data})
        answer.raise_for_status()
        return answer.json()

    def wait(self, job: dict[str, Any], state: tuple[str, ...] = _OVER) -> dict[str, Any]:
        while True:
            found = self.http.get(f"/api/jobs/{job['id']}").json()
            if found["state"] in state:
                return found
            time.sleep(0.01)

    @contextlib.contextmanager
    def events(self) -> Iterator[Any]:
        import websockets.sync.client

        with websockets.sync.client.connect(
            self.base.replace("http", "ws") + "/api/events", origin=self.base, max_size=None,
            additional_headers={"Cookie": self.cookie},
        ) as events:
            yield events

    def first_frame(self, job: Callable[[], dict[str, Any]]) -> float:
        """Seconds until the page sees something of a job."""
        with self.events() as events:
            while isinstance(events.recv(), bytes):
                pass
            began = time.monotonic()
            name = job()["id"]
            while True:
                message = events.recv()
                if isinstance(message, bytes):
                    head = json.loads(message[4 : 4 + int.from_bytes(message[:4], "big")])
                    if head["job"] == name:
                        return time.monotonic() - began

    def memory(self) -> float:
        """Resident, in MB."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return round(int(next(each for each in lines if each.startswith("VmRSS")).split()[1]) / 1e3)

    def processor(self) -> float:
        """Seconds of all cores so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(argv: list[str]) -> None:
    del argv
    logging.getLogger("httpx").setLevel(logging.WARNING)
    at_once = _preview_at_once()
    with tempfile.TemporaryDirectory() as folder:
        page = Page(folder)
        try:
            figures = {"seconds_to_address": round(page.started, 2), **at_once, **_first(page),
                       **_meanwhile(page), **_many(page)}
        finally:
            page.process.terminate()
            page.process.wait()
    for name, value in figures.items():
        print(f"{name}: {value}")
    if FLAGS.output:
        record.write(FLAGS.output, figures)


def _preview_at_once() -> dict[str, Any]:
    """The first preview of a strange style, asked for before TensorFlow is loaded."""
    with tempfile.TemporaryDirectory() as folder:
        page = Page(folder)
        try:
            style = _style(page)
            seconds = page.first_frame(lambda: page.post(styles=[style], draft=True))
        finally:
            page.process.terminate()
            page.process.wait()
    return {"first_preview_at_once": round(seconds, 2)}


def _style(page: Page) -> str:
    if FLAGS.style.startswith("sample:"):
        return FLAGS.style
    content = Path(FLAGS.style).read_bytes()
    return page.http.post("/api/pictures", content=content).json()["ref"]


def _first(page: Page) -> dict[str, Any]:
    """How soon there is something to see."""
    style, figures = _style(page), {}

    def took(name: str, job: Callable[[], dict[str, Any]]) -> None:
        before = page.processor()
        figures[name] = round(page.first_frame(job), 2)
        figures[f"{name}_processor"] = round(page.processor() - before, 2)

    # At once after the start: what is still being loaded counts.
    took("first_by_network", lambda: page.post(options={"model": "sample:waves"}, draft=True))
    # What the worker answers itself, it answers once it is ready.
    began = time.monotonic()
    page.http.get("/api/library/like", params={"ref": "sample:ink"})
    figures["seconds_to_ready"] = round(time.monotonic() - began, 2)
    took("first_preview", lambda: page.post(styles=[style], draft=True))
    took("second_preview", lambda: page.post(styles=[style], draft=True))
    for name, value in (("strength", 0.7), ("style_scale", 2), ("preserve_color", "luminance")):
        took(f"preview_after_{name}", lambda option={name: value}: page.post(
            styles=[style], draft=True, options=option))
    options = {"network": "compact", "size": FLAGS.size}
    page.wait(page.post(styles=[style], options={**options, "steps": 1}))
    took("second_picture", lambda: page.post(styles=[style], options=options))
    for job in page.http.get("/api/jobs").json():
        page.http.post(f"/api/jobs/{job['id']}/cancel")
        page.wait(job)
    return figures


def _meanwhile(page: Page) -> dict[str, Any]:
    """How soon the page gets answers while a picture is painted."""
    job = page.post(styles=[_style(page)], options={
        "network": "compact", "size": FLAGS.size, "steps": 10_000, "tolerance": 0})
    page.wait(job, ("painting",))
    with contextlib.ExitStack() as stack:
        for _ in range(FLAGS.tabs):
            events = stack.enter_context(page.events())
            threading.Thread(target=_read, args=(events,), daemon=True).start()
        times = []
        for number in range(FLAGS.asked):
            path = ("/", "/api/jobs", "/api/form", f"/api/jobs/{job['id']}")[number % 4]
            began = time.monotonic()
            page.http.get(path).raise_for_status()
            times.append(time.monotonic() - began)
            time.sleep(0.02)
    page.http.post(f"/api/jobs/{job['id']}/cancel")
    page.wait(job)
    return {"answer_median": round(statistics.median(times), 4),
            "answer_slowest": round(max(times), 4)}


def _read(events: Any) -> None:
    with contextlib.suppress(Exception):
        while True:
            events.recv()


def _many(page: Page) -> dict[str, Any]:
    """Whether many jobs are painted in order, and what memory they take."""
    def queue() -> bool:
        jobs = [page.post(options={"model": "sample:ink", "size": 128})
                for _ in range(FLAGS.jobs)]
        page.wait(jobs[-1])
        ended = [each for each in reversed(page.http.get("/api/jobs").json())
                 if each["state"] == "done"]
        page.http.delete("/api/jobs")
        return [each["id"] for each in ended[-len(jobs):]] == [each["id"] for each in jobs]

    in_order, memory = [], []
    for _ in range(3):
        in_order.append(queue())
        memory.append(page.memory())
    return {"in_order": all(in_order), "megabytes_after_each_queue": memory}


if __name__ == "__main__":
    app.run(main)
