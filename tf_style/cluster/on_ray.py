"""Workers that are actors of a Ray cluster. Neither TensorFlow nor Ray of its own."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import pickle
import queue
import secrets
import socket
from typing import Any

from tf_style.cluster.child import Child, import_paths
from tf_style.cluster.engine import Message
from tf_style.cluster.ray_driver import LOCAL, Cluster, Need
from tf_style.cluster.task import Task, Work
from tf_style.settings import InputError

# Seconds to reach the port of a cluster, to be connected with it, and for its end.
_REACH, _CONNECT, _GRACE = 5.0, 60.0, 10.0


class RayEngine:
    """An engine whose workers are actors of a Ray cluster; they end with this process.

    Args:
        address: of a running cluster, as Ray knows it; `local`: one that only this machine reaches
            and that ends with the engine.
        verbose: whether what Ray prints is shown.

    Attributes:
        cluster: what its nodes have; `None` until it is known.

    Raises:
        InputError: if there is no such cluster, or no Ray.
    """

    def __init__(self, address: str, *, verbose: bool = False):
        check(address)
        self._address = address
        self._heard: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._numbers = itertools.count()
        self._started = self._room = self._counted = 0
        self.cluster: Cluster | None = None
        self._child = Child(
            "tf_style.cluster.ray_driver", self._heard.put,
            lambda code: self._heard.put(("ended", code)),
            environment=_environment(address), verbose=verbose)
        self._send(address)
        try:
            self.cluster = self._connected()
        except BaseException:
            self.close()
            raise

    def begin(self, work: Work, need: Need) -> None:
        """Say what workers do, and what each of them takes, before all else."""
        self._send((pickle.dumps(work), need))

    def room(self) -> int:
        return max(0, self._room - (self._started - self._counted))

    def start(self) -> str:
        self._started += 1
        name = f"actor {next(self._numbers)}"
        self._send(("start", (name,)))
        return name

    def give(self, worker: str, task: Task) -> None:
        self._send(("give", (worker, task)))

    def stop(self, worker: str) -> None:
        self._send(("stop", (worker,)))

    def dismiss(self, worker: str) -> None:
        self._send(("dismiss", (worker,)))

    def hear(self, seconds: float) -> list[Message]:
        """As an engine's.

        Raises:
            InputError: if the cluster is lost, or has no node for a worker, or what came from it
                cannot be written.
        """
        found: list[Message] = []
        with contextlib.suppress(queue.Empty):
            self._take(*self._heard.get(timeout=seconds), found)
            while True:
                self._take(*self._heard.get_nowait(), found)
        return found

    def close(self) -> None:
        # The end of its orders is the end of its process, which ends the workers.
        self._child.end()
        self._child.wait(_GRACE)

    def _connected(self) -> Cluster:
        try:
            what, value = self._heard.get(timeout=_CONNECT)
        except queue.Empty:
            # It hears nothing while Ray waits for an answer.
            self._child.wait(0)
            raise self._error(f"did not answer within {_CONNECT:.0f} seconds") from None
        if what == "connected":
            return value
        self._take(what, value, [])
        raise AssertionError(what)

    def _take(self, what: str, value: Any, found: list[Message]) -> None:
        if what == "said":
            found.append(value)
        elif what == "room":
            self._room, self._counted = value
        elif what == "lost":
            raise self._error(value)
        elif what == "failed":
            raise InputError(value)
        elif what == "broken":
            raise RuntimeError(value)
        else:
            raise self._error("is lost" if self.cluster else "cannot be used")

    def _error(self, what: str) -> InputError:
        kept = "; what is finished is kept" if self.cluster else ""
        return InputError(f"--cluster={self._address}: the Ray cluster {what}{kept}")

    def _send(self, message: Any) -> None:
        self._child.send(pickle.dumps(message))


def check_address(address: str) -> None:
    """Check that an address may be that of a cluster, whether there is one or not.

    Raises:
        InputError: if it is none.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    is_port = port.isdecimal() and len(port) < 6 and 0 < int(port) < 65536
    if address not in (LOCAL, "auto") and not (host and is_port):
        raise InputError(f"--cluster={address}: expected local, auto, HOST:PORT or "
                         "ray://HOST:PORT")


def check(address: str) -> None:
    """Check what can be known of a cluster without Ray.

    Raises:
        InputError: if it cannot be used.
    """
    check_address(address)
    if os.name == "nt":
        raise InputError(f"--cluster={address}: Ray clusters are for Linux and macOS. On Windows "
                         "use --workers=auto")
    if importlib.util.find_spec("ray") is None:
        raise InputError(f"--cluster={address}: needs Ray: pip install 'tf_style[cluster]'")
    if address in (LOCAL, "auto"):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _REACH).close()
    except OSError as error:
        why = error.strerror or str(error) or "no answer"
        raise InputError(f"--cluster={address}: no Ray cluster answers there ({why})") from None


def _environment(address: str) -> dict[str, str]:
    """What Ray is told by variables."""
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONWARNINGS": "ignore"}
    if address != LOCAL:
        return quiet
    return {
        **quiet, "PYTHONPATH": os.pathsep.join(import_paths()), "RAY_ADDRESS": "",
        # Ray listens on the loopback interface alone where it expects no other node.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        # Other users of this machine reach that, too.
        "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32),
    }
