"""Devices that take the steps of one training together, of this machine and of others.

Each has a copy of the network and takes its share of each batch; gradients are averaged, and each
copy is moved by the same, so that all stay equal.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tf_style.run import machine
from tf_style.run.checkpoints import differences
from tf_style.settings import AUTO, InputError, Settings
from tf_style.transfer.tf_config import Cluster


class LostError(RuntimeError):
    """Another process of the training is gone."""


class Replicas:
    """Those who take the steps.

    Args:
        strategy: what joins them; `None` for one device.
        cluster: the processes; `None` for this one alone.

    Attributes:
        devices: those of this process; the first is `None` where TensorFlow's own choice counts.
        rank: which of the processes this one is, counted from 0.
        processes: how many these are; each has the same number of devices.
        chief: whether this process is the one that tells and writes.
        title: what this process is called; empty if it is alone.
    """

    def __init__(
        self, strategy: tf.distribute.Strategy | None = None, cluster: Cluster | None = None
    ):
        self._strategy = strategy
        self._cluster = cluster
        self.devices = strategy.extended.worker_devices if strategy else (None,)
        self.rank, self.processes = (cluster.rank, len(cluster.names)) if cluster else (0, 1)
        self.chief = self.rank == 0
        self.title = cluster.names[cluster.rank] if cluster else ""
        self._sum = tf.function(self._summed, autograph=False)

    @property
    def count(self) -> int:
        """How many there are."""
        return self.processes * len(self.devices)

    def run(self, function: Callable[[int], Any]) -> list[Any]:
        """What a function of tensors returns on each device of this process, in a `tf.function`.

        Args:
            function: called with the number of the device.
        """
        strategy = self._strategy
        places = strategy.experimental_distribute_values_from_function(
            lambda context: context.replica_id_in_sync_group % len(self.devices))
        found = strategy.run(function, (places,))
        each = [strategy.experimental_local_results(value) for value in tf.nest.flatten(found)]
        return [tf.nest.pack_sequence_as(found, values) for values in zip(*each, strict=True)]

    def mean(self, values: Any) -> Any:
        """The mean over all replicas of a nest of tensors, in a function that `run` calls."""
        if self.count == 1:
            return values
        return tf.distribute.get_replica_context().all_reduce(
            tf.distribute.ReduceOp.MEAN, tf.nest.map_structure(tf.convert_to_tensor, values))

    def together(self, values: tf.Tensor) -> tf.Tensor:
        """The same, of which each replica follows the gradient of its own part.

        If then gradients are averaged, their mean is the gradient of a function of the mean.
        """
        if self.count == 1:
            return values
        return values + tf.stop_gradient(self.mean(values) - values)

    def sum(self, values: np.ndarray) -> np.ndarray:
        """The sum over all processes of float64 values.

        Raises:
            LostError: if one of them is gone.
        """
        if self.processes == 1:
            return values
        with self.joined():
            return self._sum(tf.constant(values, tf.float64)).numpy()

    def of_chief(self, values: np.ndarray) -> np.ndarray:
        """The float64 values that the chief has."""
        return self.sum(np.where(self.chief, values, 0.0))

    def any(self, flag: bool) -> bool:
        """Whether a flag is true in one process."""
        return bool(self.sum(np.float64(bool(flag))) > 0)

    def check_alike(self, origin: Mapping[str, Any]) -> None:
        """See that all processes train the same.

        Args:
            origin: what decides the weights, as plain JSON data.

        Raises:
            InputError: in all of them, if one does not.
        """
        text = json.dumps(origin).encode()
        told = np.zeros(int(np.rint(self.of_chief(np.float64(len(text))))))
        told[: len(text)] = list(text)[: len(told)]
        theirs = json.loads(np.rint(self.of_chief(told)).astype(np.uint8).tobytes())
        found = differences(theirs, json.loads(text))
        if self.any(bool(found)):
            raise InputError(
                f"TF_CONFIG: {self.title if found else 'another process'} would train another "
                f"network than the chief: {'; '.join(found) or 'it says what differs'}")

    @contextlib.contextmanager
    def joined(self) -> Iterator[None]:
        """What fails in this context because another process is gone is a `LostError`."""
        try:
            yield
        except tf.errors.OpError as error:
            if self.processes == 1 or isinstance(error, tf.errors.ResourceExhaustedError):
                raise
            raise LostError(f"{self.title}: another process of the training is gone "
                            f"({type(error).__name__})") from None

    def _summed(self, values: tf.Tensor) -> tf.Tensor:
        def added(place: int) -> tf.Tensor:
            # An argument is on no device.
            return tf.distribute.get_replica_context().all_reduce(
                tf.distribute.ReduceOp.SUM, tf.identity(values))

        # Each device of a process adds the same. A mean, multiplied, would not always be whole.
        return self.run(added)[0] / len(self.devices)


def gathered(settings: Settings, watch: Callable[..., object]) -> tuple[Replicas, Settings]:
    """Who is to take the steps, and the settings as they are then.

    These are all processes that `TF_CONFIG` tells of, and all GPUs of this machine unless
    `settings.device` names one.

    Args:
        watch: called with whom it waits for.

    Raises:
        InputError: if they cannot be joined.
    """
    cluster = Cluster.read()
    gpus = tf.config.get_visible_devices("GPU")
    if cluster is None and (settings.device != AUTO or len(gpus) < 2):
        return Replicas(), settings
    # What follows begins to compute.
    machine.use_threads(settings.threads)
    if cluster is None:
        return Replicas(tf.distribute.MirroredStrategy()), settings
    try:
        if settings.device != AUTO:
            settings = _alone(settings, gpus)
        cluster.meet(watch)
        watch("joining the other processes")
        return Replicas(tf.distribute.MultiWorkerMirroredStrategy(), cluster), settings
    except RuntimeError:
        raise InputError("TF_CONFIG: TensorFlow computes in this process already. Train in a new "
                         "one, or unset TF_CONFIG") from None
    except tf.errors.OpError as error:
        raise InputError(f"TF_CONFIG: the processes cannot be joined ({error.message})") from None


def on_one(settings: Settings) -> Settings:
    """The settings of a training that is to leave all GPUs but one to others."""
    several = settings.device == AUTO and len(tf.config.get_visible_devices("GPU")) > 1
    return settings.replace(device="gpu:0") if several else settings


def _alone(settings: Settings, gpus: Sequence[tf.config.PhysicalDevice]) -> Settings:
    """Have the strategy take the device that is named, which is then the first."""
    kind, _, number = settings.device.lower().partition(":")
    which = [each for each in gpus if kind == "gpu" and each.name.endswith(f":{number or 0}")]
    if not which and kind != "cpu":
        # Says what is wrong with it.
        machine.resolve_device(settings.device)
    tf.config.set_visible_devices(which, "GPU")
    return settings.replace(device="gpu:0" if which else settings.device)
