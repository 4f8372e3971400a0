"""The command `tf_style_studio`."""

import contextlib
import importlib.util
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

for _package in ("starlette", "uvicorn", "websockets", "httpx"):
    pytest.importorskip(_package, reason="needs pip install 'tf_style[studio]', and httpx")

import httpx  # noqa: E402

import tf_style  # noqa: E402
from tests.commands.conftest import call, without_tensorflow  # noqa: E402
from tests.studio.served import TINY  # noqa: E402
from tf_style import cli  # noqa: E402
from tf_style.commands import studio  # noqa: E402
from tf_style.studio.server import Server, bound  # noqa: E402

ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)/\?token=[\w-]{32}\n")
LONG = {**TINY, "steps": [5000], "tolerance": 0}


@pytest.fixture
def served(monkeypatch, folder):
    """What was to be served, in place of serving it."""
    found = []

    async def serve(server, sockets):
        found.append(server)
        server._ready()
        for each in sockets:
            each.close()

    monkeypatch.setattr(Server, "serve", serve)
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
    monkeypatch.setenv("LOCALAPPDATA", str(folder / "data"))
    return found


def test_it_prints_the_address_and_keeps_results_in_the_users_folder(served, folder, capfd):
    assert call(cli.studio, "--nobrowser", "--port=0") == 0
    assert ADDRESS.fullmatch(capfd.readouterr().out)
    if sys.platform != "darwin":
        assert (folder / "data" / "tf_style" / "studio" / "studio.db").is_file()


def test_the_browser_is_opened_with_a_ticket(served, capfd, monkeypatch):
    opened, there = [], threading.Event()
    monkeypatch.setenv("BROWSER", "any")
    monkeypatch.setattr(studio.webbrowser, "open", lambda text: (opened.append(text), there.set()))
    assert call(cli.studio, "--folder=results", "--port=0") == 0
    assert there.wait(10)
    printed = capfd.readouterr().out.strip()
    assert opened[0] != printed and opened[0].partition("=")[0] == printed.partition("=")[0]


def test_without_windows_no_browser_takes_the_terminal(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(studio.sys, "platform", "linux")
    monkeypatch.setattr(studio.webbrowser, "open", None)
    studio._open("http://127.0.0.1")


def test_a_busy_port_is_said(served, capfd):
    listening = bound("127.0.0.1", 0)
    port = listening.getsockname()[1]
    assert call(cli.studio, "--folder=results", "--nobrowser", f"--port={port}") == 0
    told = capfd.readouterr()
    found = int(ADDRESS.fullmatch(told.out)[1])
    assert found > port
    assert f"tf_style_studio: port {port} is busy; listening at {found}\n" in told.err
    listening.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "mine.example"])
def test_other_machines_need_a_word(refused, host):
    told = refused(cli.studio, f"--host={host}", "--folder=results")
    assert f"--host={host}: others could open the page" in told and "add --public" in told


def test_with_the_word_other_machines_may(served, capfd):
    assert call(cli.studio, "--host=0.0.0.0", "--public", "--folder=results", "--nobrowser",
                "--port=0") == 0
    assert capfd.readouterr().out.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(("flag", "words"), [
    ("--port=70000", "at most 65535"), ("--keep=some", "an amount above 0, such as 500MB or 5GB"),
    ("--folder=content.png", "content.png: cannot be used"),
    ("--folder=.", ": expected a new or an empty folder, or a studio's"),
    ("--library=none.db", "none.db: there is no such library"),
    ("--library=content.png", "content.png: expected a library of tf_style"),
    ("--model=none.keras", "--model=none.keras: expected a .keras file that tf_style_train wrote. "
                           "There is no such file"),
    ("--model=folder.keras", "--model=folder.keras: expected a .keras file that tf_style_train "
                             "wrote. This is a folder"),
    ("--model=sample:a.keras", "--model=sample:a.keras: expected a .keras file that tf_style_train "
                               "wrote"),
    ("--model=content.png", "--model=content.png: expected a .keras file that tf_style_train"),
    ("--host=203.0.113.1", "add --public"), ("photo.png", "'photo.png': expected --flag=value"),
])
def test_what_cannot_be_used_is_refused(refused, flag, words):
    Path("folder.keras").mkdir()
    assert words in refused(cli.studio, "--nobrowser", flag)


@pytest.mark.parametrize("package", ["starlette", "uvicorn", "websockets"])
def test_what_is_not_installed_is_said(refused, monkeypatch, package):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec",
                        lambda name, *rest: None if name == package else find(name, *rest))
    assert (f"the studio needs {package}; pip install 'tf_style[studio]'"
            in refused(cli.studio, "--folder=results"))


def test_bad_input_loads_no_tensorflow():
    assert without_tensorflow(cli.studio, "--host=0.0.0.0") == 2
    assert without_tensorflow(cli.studio, "--model=none.keras") == 2


class Process:
    """A studio in a process of its own."""

    def __init__(self, folder):
        code = ("import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
                "from tf_style import cli; cli.studio()")
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, "--nobrowser", "--port=0", f"--folder={folder}"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(Path(tf_style.__file__).parents[1])},
        )
        address = self.process.stdout.readline().strip()
        base = address.partition("/?")[0]
        self.http = httpx.Client(base_url=base, headers={"Origin": base}, timeout=60)
        assert self.http.get(address).status_code == 303

    def post(self, options):
        return self.http.post("/api/jobs", json={
            "content": "sample:harbor", "styles": ["sample:waves"], "options": options}).json()

    def jobs(self):
        return self.http.get("/api/jobs").json()

    def until(self, reached):
        ends = time.monotonic() + 120
        while not reached(self.jobs()):
            assert time.monotonic() < ends and self.process.poll() is None
            time.sleep(0.05)


@pytest.fixture
def begun():
    """Begins a studio, which does not outlive the test."""
    with contextlib.ExitStack() as stack:
        def begin(folder):
            made = Process(folder)
            for end in (made.process.wait, made.process.kill, made.process.stdout.close,
                        made.process.stderr.close, made.http.close):
                stack.callback(end)
            return made

        yield begin


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_a_killed_studio_loses_no_history_and_one_that_is_stopped_goes_on(begun):
    first = begun("results")
    first.post(TINY)
    first.until(lambda jobs: jobs[0]["state"] == "done")
    long, later = first.post({**LONG, "scales": 2, "steps": [3, 5000]}), first.post(TINY)
    first.until(lambda jobs: jobs[1]["scale"] == 2)
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    second = begun("results")
    jobs = second.jobs()
    assert [each["state"] for each in jobs[1:]] == ["stopped", "done"]
    assert jobs[1]["id"] == long["id"] and "ended while it was painted" in jobs[1]["why"]
    assert second.http.get(f"/api/jobs/{jobs[2]['id']}/result.png").status_code == 200
    second.until(lambda jobs: jobs[0]["state"] == "done")
    assert second.jobs()[0]["id"] == later["id"]
    second.http.post(f"/api/jobs/{long['id']}/resume")
    second.until(lambda jobs: jobs[0]["state"] == "painting" and jobs[0]["step"] > 3)
    second.process.send_signal(signal.SIGINT)
    _, told = second.process.communicate(timeout=120)
    assert second.process.returncode == 130 and "Traceback" not in told
    with contextlib.closing(sqlite3.connect("results/studio.db")) as file:
        data = [json.loads(row) for row, in file.execute("SELECT data FROM jobs ORDER BY place")]
    assert [each["state"] for each in data] == ["done", "done", "waiting"]
    assert len(data[2]["loss"]) >= 3 and Path(f"results/jobs/{long['id']}/checkpoint").is_dir()
