"""Pictures of a command that are painted on a Ray cluster: what each worker needs and is told."""

from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Callable

from tf_style.cluster.engine import Engine
from tf_style.cluster.on_ray import RayEngine
from tf_style.cluster.ray_driver import Cluster, Need
from tf_style.cluster.share import Share
from tf_style.cluster.task import Work
from tf_style.commands.request import Request
from tf_style.network.choice import choose, limits
from tf_style.run.jobs import memory_of
from tf_style.run.machine import resolve_precision
from tf_style.settings import AUTO, NETWORKS, WEIGHTS, InputError, Note, Settings

# The settings that may name files.
_FILES = ("network", "weights", "content_network", "content_network_weights", "style_network",
          "style_network_weights", "model", "init")
# A node need not have quite as much memory as it says.
_MOST = 0.95


def share_of(request: Request) -> Share:
    """What each worker needs.

    Raises:
        InputError: for flags that do not go together with a cluster.
    """
    options, settings = request.options, request.settings
    if options.profile:
        raise InputError(f"--profile={options.profile}: is for one process. Leave --cluster out")
    if options.workers != 1:
        raise InputError(f"--workers={options.workers}: is for processes of this machine; on a "
                         "--cluster there are as many as there is room for. Leave one of them out")
    needed = memory_of(request.jobs, settings, least=request.least)
    return Share(len(request.jobs), 1 if settings.threads == AUTO else settings.threads, needed)


def engine(
    request: Request, each: Share, work: Callable[[Request, Share, Settings], Work]
) -> Engine:
    """A cluster that is told what its workers do.

    Args:
        each: what each of them needs.
        work: returns what they do, with what each of them gets and settings for all.

    Raises:
        InputError: if the cluster cannot be used.
    """
    found = RayEngine(request.options.cluster, verbose=request.options.verbose)
    try:
        need = _need(request.settings, each, found.cluster)
        each = dataclasses.replace(each, memory=need.memory)
        found.begin(work(request, each, _settled(request.settings, need)), need)
    except BaseException:
        found.close()
        raise
    return found


def _need(settings: Settings, each: Share, cluster: Cluster) -> Need:
    """What a worker takes of its node: no more memory than any has, as blocks do with that."""
    gpus = cluster.gpus > 0 if settings.device == AUTO else settings.device.startswith("gpu")
    return Need(each.threads, int(gpus), min(each.memory, _MOST * cluster.memory))


def _settled(settings: Settings, need: Need) -> Settings:
    """The settings where nothing is left to what a node has or lacks, so that all paint alike.

    What a GPU can do is known on its node alone: there, its precision is resolved.
    """
    device = "gpu:0" if need.gpus else "cpu"
    precision = (settings.precision if need.gpus
                 else resolve_precision(settings.precision, device))
    if not settings.model:
        given = settings
        settings, choices = choose(settings)
        for text in limits(given, choices):
            warnings.warn(text, Note, stacklevel=2)
    places = {
        name: os.path.abspath(value) for name in _FILES
        if isinstance(value := getattr(settings, name), str)
        and value not in (*NETWORKS, *WEIGHTS) and os.path.isfile(value)
    }
    return settings.replace(device=device, precision=precision, **places)
