"""Workers that are actors of a Ray cluster."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.cluster.ray_works import Naps, Reversed
from tf_style.cluster import on_ray
from tf_style.cluster.dispatch import Dispatcher
from tf_style.cluster.engine import Kind
from tf_style.cluster.on_ray import RayEngine
from tf_style.cluster.ray_actor import Actor
from tf_style.cluster.ray_driver import Need, _why, brought_home
from tf_style.cluster.task import Task
from tf_style.settings import InputError

ROOT = Path(__file__).parents[2]
NODE = {"num_cpus": 1, "object_store_memory": 80 << 20, "node_ip_address": "127.0.0.1"}
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no clusters there")
NEED = Need(threads=1, gpus=0, memory=1e8)


@pytest.fixture(scope="module")
def cluster():
    """Ray's own cluster for tests: all nodes are processes of this machine."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *filter(None, sys.path)]))
        for name, value in {
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_MODE": "disabled",
        }.items():
            patch.setenv(name, value)
        # Names of sockets are short.
        folder = tempfile.mkdtemp(prefix="ray_", dir="/tmp")
        # Ray 2.60 writes into the usual folder, too, and does not make it.
        patch.setenv("RAY_TMPDIR", folder)
        temp_dir = Path(folder, "ray")
        temp_dir.mkdir()
        found = Cluster(initialize_head=True, head_node_args={
            **NODE, "include_dashboard": False, "temp_dir": str(temp_dir), "_system_config": {
                "health_check_initial_delay_ms": 500, "health_check_period_ms": 500,
                "health_check_failure_threshold": 2,
            }})
        yield found
        for node in found.list_all_nodes():
            killed(found, node)
        shutil.rmtree(folder, ignore_errors=True)


def killed(cluster, node):
    """End a node, without a word, and all that it has begun."""
    (raylet,) = node.all_processes["raylet"]
    asked = subprocess.run(["pgrep", "-P", str(raylet.process.pid)], capture_output=True, text=True)
    cluster.remove_node(node, allow_graceful=False)
    for process in asked.stdout.split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(process), signal.SIGKILL)


def done_on(cluster, work, data, seen=lambda done: None, **given):
    """What comes of each of the data, and all that is noted."""
    engine, notes = RayEngine(cluster.address), []
    engine.begin(work, NEED)
    dispatcher = Dispatcher(
        engine, note=lambda text, task: notes.append((text, task and task.title)), **given)
    done = []
    for each in dispatcher.done(
        Task(f"k{number}", str(each), each) for number, each in enumerate(data)
    ):
        done.append(each)
        seen(done)
    return done, notes


@pytest.mark.slow
@pytest.mark.alone
def test_nodes_come_and_go(cluster):
    """Three nodes, of which two are killed at random moments, and one more: nothing is lost."""
    draw = random.Random(time.time_ns())
    alive = [cluster.add_node(**NODE), cluster.add_node(**NODE)]
    # Far enough from each other that no task is at hand both times: that would set it aside.
    moments = [draw.randrange(5, 15), draw.randrange(25, 35)]

    def seen(done):
        if moments and len(done) >= moments[0] and len({each.worker for each in done}) >= 3:
            time.sleep(draw.random() * 0.2)
            del moments[0]
            killed(cluster, alive.pop())
            if not moments:
                cluster.add_node(**NODE)

    done, notes = done_on(cluster, Naps(seconds=0.2), range(60), seen)
    assert sorted(each.value for each in done) == [number**2 for number in range(60)]
    assert len({each.task.key for each in done}) == 60
    again = [title for text, title in notes if "it is begun again elsewhere" in text]
    assert again and len({*again}) == len(again) <= 2
    assert not alive and len({each.worker for each in done}) >= 3


@pytest.mark.slow
@pytest.mark.alone
def test_what_kills_workers_twice_is_set_aside(cluster):
    done, notes = done_on(cluster, Naps(), [1, "poison", 2, 3])
    assert sorted(each.value for each in done if not each.lost) == [1, 4, 9]
    (lost,) = [each for each in done if each.lost]
    assert lost.task.title == "poison"
    assert lost.lost.startswith("set aside, as 2 workers ended with it") and "\n" not in lost.lost
    assert [title for _, title in notes] == ["poison"]


@pytest.mark.slow
@pytest.mark.alone
def test_results_are_brought_to_who_shares_no_folder(cluster, tmp_path, monkeypatch):
    """By value as by path; what is said keeps to the names on this side."""
    monkeypatch.chdir(tmp_path)
    names = [("a.txt", "other.txt", "out/a.bin"), ("b.txt", "other.txt", "out/b.bin")]
    for name in ("a.txt", "b.txt", "other.txt"):
        Path(name).write_bytes(f"what is in {name}".encode() * 1000)
    found = []
    # A path through a process's own folder leads each process elsewhere.
    ways = [str(tmp_path)] + ["/proc/self/cwd"] * sys.platform.startswith("linux")
    for way in ways:
        triples = [tuple(f"{way}/{name}" for name in each) for each in names]
        gone = (f"{way}/gone.txt", f"{way}/other.txt", f"{way}/out/gone.bin")
        engine, notes = RayEngine(cluster.address), []
        engine.begin(Reversed(), NEED)
        done = [*Dispatcher(engine, note=lambda text, task: notes.append(text)).done(  # noqa: B023
            Task(f"k{each}", each[0], each, each[:2], Path(each[2])) for each in [*triples, gone])]
        assert {each.value for each in done} == {"a.txt", "b.txt", "No such file or directory"}
        assert sorted(notes) == sorted(f"{each[0]} is read" for each in [*triples, gone])
        found.append({path.name: path.read_bytes() for path in Path("out").iterdir()})
        for path in Path("out").iterdir():
            path.unlink()
    assert found[0].keys() == {"a.bin", "a.log", "b.bin", "b.log"}
    assert all(each == found[0] for each in found)
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]


@pytest.mark.slow
@pytest.mark.alone
def test_workers_of_no_use_are_one_line(cluster):
    for version, why in (
        ("0.0.1", "has tf_style 0.0.1 instead of"), ("unfit", "weights.h5: there is no such file"),
    ):
        with pytest.raises(InputError) as raised:
            done_on(cluster, Naps(version=version), [1])
        assert why in raised.value.flags and "\n" not in raised.value.flags


@pytest.mark.slow
@pytest.mark.alone
def test_an_engine_says_what_actors_say(cluster):
    engine = RayEngine(cluster.address)
    engine.begin(Naps(), NEED)
    for data, kinds in (
        ("unable", [Kind.UNABLE]), ("broken", [Kind.BROKEN]), ("long", [Kind.SHARE]),
        (None, [Kind.RESULT, Kind.LEFT]),
    ):
        if data:
            worker = engine.start()
            assert heard(engine, 1)[0].kind is Kind.READY
            engine.give(worker, Task(data, data, data))
        else:
            engine.stop(worker)
        found = [each.kind for each in heard(engine, len(kinds))]
        assert [kind for kind in found if kind is not Kind.SHARE or data] == kinds
        if data != "long":
            engine.dismiss(worker)
    engine.close()


def heard(engine, count):
    """The next messages, so many, of which those about the share that is done count once."""
    found, ends = [], time.monotonic() + 30
    while len(found) < count and time.monotonic() < ends:
        for each in engine.hear(0.2):
            if each.kind is not Kind.SHARE or each.kind not in [one.kind for one in found]:
                found.append(each)
    return found


@pytest.mark.slow
@pytest.mark.alone
def test_a_cluster_whose_head_is_gone_is_lost(cluster):
    address = cluster.address
    with pytest.raises(InputError) as raised:
        done_on(cluster, Naps(seconds=0.2), range(1000),
                lambda done: len(done) == 3 and killed(cluster, cluster.head_node))
    assert raised.value.flags.startswith(f"--cluster={address}: the Ray cluster ")
    assert raised.value.flags.endswith("what is finished is kept")
    assert "\n" not in raised.value.flags


def test_a_cluster_that_is_not_there_is_one_line(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(InputError, match=rf"^cluster=127.0.0.1:{port}: no Ray cluster answers"):
        RayEngine(f"127.0.0.1:{port}")
    for address in ("", "somewhere", "host:0", "host:no", "ray://host"):
        with pytest.raises(InputError, match="expected local, auto, HOST:PORT or ray://HOST:PORT"):
            RayEngine(address)
    monkeypatch.setattr(on_ray.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'tf_style\[cluster\]'"):
        RayEngine("local")
    monkeypatch.setattr(on_ray.os, "name", "nt")
    with pytest.raises(InputError, match="workers=auto"):
        RayEngine("local")


def test_what_is_not_ray_is_one_line(monkeypatch):
    monkeypatch.setattr(on_ray, "_CONNECT", 3.0)
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(InputError) as raised:
            RayEngine(address)
    assert raised.value.flags.startswith(f"--cluster={address}: the Ray cluster ")
    assert "\n" not in raised.value.flags


def test_room_is_what_the_scarcest_leaves():
    need = Need(threads=2, gpus=1, memory=4e9)
    node = {"CPU": 16.0, "GPU": 4.0, "memory": 13e9}
    assert need.of(node) == 3 and need.of({**node, "GPU": 1.0}) == 1
    assert need.of({"CPU": 16.0, "memory": 13e9}) == 0
    assert Need(2, 0, 1e9).of({"CPU": 7.0, "memory": 13e9}) == 3
    assert need.of(need.left(node, 2)) == 1


def test_why_a_worker_is_lost():
    full = Exception("RayTaskError(OSError)")
    full.cause = OSError(28, "No space left on device")
    assert _why(full) == "cannot take a file (No space left on device)"
    assert _why(Exception("Task was killed due to the node running low on memory.")) == (
        "was ended, as memory is short on its node")
    assert _why(Exception("The actor died because its node has died.")) == "was lost with its node"
    assert _why(Exception("The actor died.")) == "ended"


def test_what_cannot_be_written_at_home_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    output = tmp_path / "out" / "a.png"
    assert brought_home(output, {"a.png": b"1", "a.png.log": b"2"}) is None
    assert (output.read_bytes(), output.with_name("a.png.log").read_bytes()) == (b"1", b"2")
    assert brought_home(None, {}) is None
    # No file can be in what is one itself.
    gone = output / "b.png"
    found = brought_home(gone, {"b.png.log": b"3", "b.png": b"4"})
    assert found.names == ("b.png.log", "b.png") and found.why.startswith(f"{gone}: cannot")
    assert found.place("b.png").read_bytes() == b"4"
    assert found.place("b.png.log").read_bytes() == b"3" and found.place("c.png") is None
    before = {*tmp_path.iterdir()}
    monkeypatch.setattr(tempfile, "tempdir", str(output))
    found = brought_home(gone, {"b.png": b"4"})
    assert found.folder is found.place("b.png") is None and {*tmp_path.iterdir()} == before


def all_of(actor):
    """What an actor says of a task."""
    found = actor.hear()
    while found[-1][0] is not Kind.RESULT:
        found += actor.hear()
    return found


def test_an_actor_keeps_what_it_was_sent_for_the_next_task(tmp_path):
    """What is sent is as big as it is, and comes once; what nobody needs any more is removed."""
    actor = Actor(on_ray.pickle.dumps(Reversed()))
    files = {name: (f"/elsewhere/{name}", 3, number) for number, name in enumerate("ab")}
    assert actor.hear()[0][0] is Kind.READY
    assert actor.see([*files.values()], "/elsewhere/probe") == ([False, False], False)
    (tmp_path / "here").write_bytes(b"123")
    here = (str(tmp_path / "here"), 3, 0)
    assert actor.see([here, (here[0], 4, 0)], here[0]) == ([True, False], True)
    actor.give(("a", "b", "o.bin"), files, ["a", "b"], "o.bin", "", b"abc", b"def")
    said = dict(all_of(actor))
    assert said[Kind.NOTE] == "a is read"
    assert said[Kind.RESULT] == ("a", {"o.bin": b"fedcba", "o.log": b"done"})
    assert actor.see([*files.values()], "") == ([True, True], False)
    files["a"] = ("/elsewhere/c", 3, 7)
    actor.give(("a", "b", "o.bin"), files, ["a"], "o.bin", "", b"xyz")
    said = dict(all_of(actor))
    assert said[Kind.RESULT][1]["o.bin"] == b"fedzyx"
    assert actor.see([("/elsewhere/a", 3, 0), files["b"]], "") == ([False, True], False)
