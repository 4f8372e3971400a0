"""`TF_CONFIG`: which processes train one network together, and which of them this one is.

No TensorFlow.
"""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from tf_style.settings import InputError

_EXAMPLE = ('{"cluster": {"worker": ["host1:12345", "host2:12345"]}, '
            '"task": {"type": "worker", "index": 0}}')
# In seconds: until all processes are there, and from one look to the next.
WAIT, _AGAIN = 300.0, 0.2


@dataclasses.dataclass(frozen=True)
class Cluster:
    """The processes that train one network together.

    Attributes:
        names: what they are called, such as `worker 0`; the first is the chief.
        addresses: `HOST:PORT` of each.
        rank: which of them this one is, counted from 0.
    """

    names: tuple[str, ...]
    addresses: tuple[str, ...]
    rank: int

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Cluster | None:
        """What the environment says; `None` where it tells of one process at most.

        Raises:
            InputError: if it says what cannot be.
        """
        text = environment.get("TF_CONFIG", "").strip()
        if not text:
            return None
        try:
            given = json.loads(text)
        except ValueError:
            raise _unlike("JSON", text) from None
        if not isinstance(given, dict):
            raise _unlike("an object", text)
        jobs = given.get("cluster") or {}
        if not isinstance(jobs, dict) or not all(
                isinstance(job, list) and all(map(_is_address, job)) for job in jobs.values()):
            raise _unlike("lists of HOST:PORT under 'cluster'", jobs)
        if others := {*jobs} - {"chief", "worker"}:
            raise _unlike("'worker', and perhaps 'chief', under 'cluster' alone", sorted(others)[0])
        tasks = [(f"{job} {index}", address) for job in ("chief", "worker")
                 for index, address in enumerate(jobs.get(job, ()))]
        addresses = tuple(address for _, address in tasks)
        if twice := [each for each in addresses if addresses.count(each) > 1]:
            raise _unlike("an address for each process", f"{twice[0]} twice")
        names = tuple(name for name, _ in tasks)
        if not names:
            return None
        task = given.get("task")
        task = task if isinstance(task, dict) else {}
        name = f"{task.get('type')} {task.get('index')}"
        if name not in names:
            raise _unlike(f"'task' to be one of {', '.join(names)}", name)
        return cls(names, addresses, names.index(name)) if len(names) > 1 else None

    def meet(self, watch: Callable[[str], object], seconds: float = WAIT) -> None:
        """Wait until all processes are there: TensorFlow itself would wait for an hour.

        Args:
            watch: called with whom it waits for.

        Raises:
            InputError: if one does not come within `seconds`, or this one's port is taken.
        """
        _, port = _parted(self.addresses[self.rank])
        ends = time.monotonic() + seconds
        try:
            # Who looks for this process finds it here, and TensorFlow's server later on.
            both = socket.has_dualstack_ipv6()
            server = socket.create_server(
                ("", port), family=socket.AF_INET6 if both else socket.AF_INET,
                dualstack_ipv6=both, backlog=len(self.names) + 16)
        except OSError as error:
            raise InputError(
                f"TF_CONFIG: {self.addresses[self.rank]}, which is {self.names[self.rank]}'s, "
                f"cannot be used here ({error.strerror or error})") from None
        with server:
            said = ""
            # From the first again: one that was there may have given up since.
            while found := self._first_missing():
                name, address, reason = found
                if name != said:
                    watch(f"waiting for {name} at {address}")
                    said = name
                if time.monotonic() > ends:
                    raise InputError(
                        f"TF_CONFIG: {name} at {address} has not come within {seconds:.0f} s "
                        f"({reason}). Start the same command there, with a TF_CONFIG that "
                        "differs in 'task' alone")
                time.sleep(_AGAIN)

    def _first_missing(self) -> tuple[str, str, str] | None:
        """The first process that cannot be reached: its name, address and why; `None`: all can."""
        for name, address in zip(self.names, self.addresses, strict=True):
            if reason := _missing(address):
                return name, address, reason
        return None


def _missing(address: str) -> str:
    """Why nobody can be reached at an address; empty if somebody can."""
    try:
        socket.create_connection(_parted(address), timeout=5).close()
    # The codec of names refuses some.
    except (OSError, UnicodeError) as error:
        return getattr(error, "strerror", None) or str(error)
    return ""


def _parted(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _is_address(value: Any) -> bool:
    host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    return bool(host) and port.isdecimal() and len(port) < 6 and 0 < int(port) < 1 << 16


def _unlike(expected: str, received: Any) -> InputError:
    return InputError(f"TF_CONFIG: expected {expected}, as in {_EXAMPLE}. Received: {received!r}")
