"""How many workers this machine has room for, and what each of them gets. No TensorFlow."""

from __future__ import annotations

import dataclasses

from tf_style.run import machine
from tf_style.settings import AUTO


@dataclasses.dataclass(frozen=True)
class Share:
    """What workers get of a machine.

    Attributes:
        workers: how many there are.
        threads: with which each of them computes.
        memory: bytes that each of them may take; `None` if that is not known.
    """

    workers: int
    threads: int
    memory: float | None


def share(workers: int | str, threads: int | str, tasks: int, needed: float) -> Share:
    """The share of each worker of this machine.

    Args:
        workers: how many; `auto`: as many as there are cores for their threads, and as there is
            memory for.
        threads: of each; `auto`: the cores are shared out, or one where both are `auto`.
        tasks: how many there are to do.
        needed: bytes that one worker takes.
    """
    cores, limit = machine.cores(), machine.memory_limit()
    if workers == AUTO:
        workers = max(1, cores // (1 if threads == AUTO else threads))
        if limit is not None:
            workers = min(workers, int(limit // needed))
    workers = max(1, min(workers, tasks))
    each = max(1, cores // workers) if threads == AUTO else threads
    return Share(workers, each, None if limit is None else limit / workers)
