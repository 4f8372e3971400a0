"""Who does the work of a command: processes of this machine, or a Ray cluster. No TensorFlow."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Callable
from typing import Protocol

from tf_style.cluster import on_ray, processes
from tf_style.cluster.engine import Engine
from tf_style.cluster.ray_driver import Cluster, Need
from tf_style.cluster.share import Share, share
from tf_style.cluster.task import Work
from tf_style.commands import status
from tf_style.image.samples import PREFIX
from tf_style.network import weights
from tf_style.network.choice import choose, limits
from tf_style.run.machine import resolve_precision
from tf_style.settings import AUTO, NETWORKS, WEIGHTS, InputError, Note, Settings

# The settings that may name files.
_FILES = ("network", "weights", "content_network", "content_network_weights", "style_network",
          "style_network_weights", "model", "init")
# A node need not have quite as much memory as it says.
_MOST = 0.95

# Makes settings the same everywhere, where that is not left to this machine.
Settle = Callable[[Settings], Settings]


class Options(Protocol):
    """The options of a command that say who does its work."""

    workers: int | str
    cluster: str | None
    verbose: bool


def check(options: Options) -> None:
    """Check that flags go together, whether there is such a cluster or not.

    Raises:
        InputError: if they do not.
    """
    if not options.cluster:
        return
    on_ray.check_address(options.cluster)
    if options.workers != 1:
        raise InputError(f"--workers={options.workers}: is for processes of this machine; on a "
                         "--cluster there are as many as there is room for. Leave one of them out")


def share_of(
    options: Options, threads: int | str, tasks: int, needed: Callable[[], float]
) -> Share | None:
    """What each worker gets; `None` where this process does all by itself.

    Args:
        threads: of each worker; `auto`: its share of the cores, or one on a cluster.
        tasks: how many there are, at most.
        needed: returns the bytes that a worker takes.
    """
    if options.cluster:
        return Share(tasks, 1 if threads == AUTO else threads, needed())
    if options.workers == 1:
        return None
    each = share(options.workers, threads, tasks, needed())
    return each if each.workers > 1 else None


def engine(
    options: Options, each: Share, work: Callable[[Share, Settle], Work], device: str = AUTO
) -> tuple[Engine, Share]:
    """What has the workers of a command, and what each of them gets now that this is known.

    Args:
        each: what each of them is to get.
        work: returns what they do.
        device: on which they compute.

    Raises:
        InputError: if the cluster cannot be used.
    """
    if not options.cluster:
        made = work(each, lambda settings: settings)
        return processes.Processes(made, each.workers, verbose=options.verbose), each
    status.show("connecting")
    found = on_ray.RayEngine(options.cluster, verbose=options.verbose)
    try:
        need = _need(device, each, found.cluster)
        room = sum(map(need.of, found.cluster.nodes))
        each = Share(max(1, min(each.workers, room)), each.threads, need.memory)
        found.begin(work(each, functools.partial(_settled, need=need)), need)
    except BaseException:
        found.close()
        raise
    return found, each


def absolute(name: str) -> str:
    """A file's name as it is known from every folder."""
    return name if name.startswith(PREFIX) else os.path.abspath(name)


def _need(device: str, each: Share, cluster: Cluster) -> Need:
    """What a worker takes of its node: no more memory than any has, as blocks do with that."""
    gpus = cluster.gpus > 0 if device == AUTO else device.startswith("gpu")
    return Need(each.threads, int(gpus), min(each.memory, _MOST * cluster.memory))


def _settled(settings: Settings, need: Need) -> Settings:
    """The settings where nothing is left to what a node has or lacks, so that all compute alike.

    What a GPU can do is known on its node alone: there, its precision is resolved.
    """
    device = "gpu:0" if need.gpus else "cpu"
    precision = (settings.precision if need.gpus
                 else resolve_precision(settings.precision, device))
    if not settings.model:
        given = settings
        settings, choices = choose(
            settings, functools.partial(weights.settle, watch=status.show))
        for text in limits(given, choices):
            warnings.warn(text, Note, stacklevel=2)
    places = {
        name: os.path.abspath(value) for name in _FILES
        if isinstance(value := getattr(settings, name), str)
        and value not in (*NETWORKS, *WEIGHTS) and os.path.isfile(value)
    }
    return settings.replace(device=device, precision=precision, **places)
