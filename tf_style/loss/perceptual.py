"""Losses of Keras that compare pictures by their feature maps."""

from __future__ import annotations

import hashlib
import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from tf_style.image.paths import PathLike
from tf_style.loss.style import STYLE_LOSSES
from tf_style.network.features import build_features, check_range, choose_features
from tf_style.settings import AUTO, InputError, LiveModel, Remark, Settings
from tf_style.settings.option import Number, Weights

# What gradients in float16 are scaled to: far from both ends of its range.
_SCALE = 16.0


class _FeatureLoss(keras.losses.Loss):
    """What both losses share: a network, built once, and how it is named when a model is saved."""

    _unit_rms = False

    def __init__(
        self,
        layers: str | Iterable[str] | Mapping[str, float],
        weights: str,
        network: PathLike | keras.Model,
        dtype: str,
        input_range: tuple[float, float],
        seed: int,
        cache_dir: PathLike,
        offline: bool,
        reduction: str | None,
        name: str,
    ):
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self._layers = Weights("layer").parse("layers", layers)
        self._range = check_range(input_range)
        self._choice = choose_features(self._layers, weights, network=network, offline=offline)
        self._given = {"dtype": dtype, "seed": seed}
        built = build_features(
            self._choice, [*self._layers], dtype=dtype, input_range=self._range, seed=seed,
            unit_rms=self._unit_rms, cache_dir=cache_dir, offline=offline,
        )
        self._model, self._fingerprints = built.model, built.fingerprints

    @abstractmethod
    def _loss_of(self, maps: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """The loss of one layer's maps, float32 `(batch,)`."""

    def _of_maps(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """The weighted mean of the layers' losses, float32 `(batch,)`."""
        targets = self._model(tf.stop_gradient(y_true))

        def loss(pictures: tf.Tensor) -> tf.Tensor:
            maps = self._model(pictures)
            return tf.add_n([
                weight * self._loss_of(maps[name], targets[name])
                for name, weight in self._layers.items()
            ]) / sum(self._layers.values())

        half = any(each.dtype == "float16" for each in self._model.output.values())
        return _with_scaled_gradient(loss, y_pred) if half else loss(y_pred)

    @property
    def _fingerprint(self) -> str:
        text = "\n".join(f"{name} {digest}" for name, digest in self._fingerprints.items())
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def get_config(self) -> dict[str, Any]:
        """Plain data that `from_config` takes; Keras saves it with a compiled model.

        Network and weights are named, not held: a file must be where it was. With them goes a
        fingerprint, so that a change does not go unnoticed.

        Raises:
            InputError: for a network that is a model in memory, as nothing names it.
        """
        if isinstance(self._choice.network, LiveModel):
            raise InputError(
                f"network={self._choice.network}: a model in memory cannot be saved with "
                f"{type(self).__name__}. Save it first, and give the file: network='features.keras'"
            )
        return {
            **super().get_config(), **self._given, "layers": dict(self._layers),
            "network": str(self._choice.network), "weights": str(self._choice.weights or AUTO),
            "input_range": list(self._range), "fingerprint": self._fingerprint,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> _FeatureLoss:
        """The loss that `get_config` described.

        Raises:
            InputError: if its network or weights are not there.

        Warns:
            UserWarning: if the network's kernels have changed since.
        """
        given = {name: value for name, value in config.items() if name != "fingerprint"}
        made = cls(**given)
        if config.get("fingerprint", made._fingerprint) != made._fingerprint:
            warnings.warn(f"{made.name}: the kernels of {made._choice.network} have changed since "
                          "it was saved", Remark, stacklevel=2)
        return made


@keras.saving.register_keras_serializable(package="tf_style")
class PerceptualLoss(_FeatureLoss):
    """How differently a network sees two pictures: a `keras.losses.Loss`, also for `metrics=`.

    The mean squared difference of their feature maps, position by position, each layer's divided by
    its mean square over the pictures that come with tf_style (`unit_rms` of `feature_model`). A
    pixel loss rewards a blur where it cannot know where a line runs; here, a blur is none.

    For each picture the weighted mean over layers, plus `pixel_weight` times the pixels' mean
    absolute difference, in float32: 0 at equality, and about 1 to 2 for pictures that have nothing
    in common. It takes two batches `(batch, height, width, 3)` of one size, the truth first.

    A model compiled with it can be saved. To load it, have Keras know the class: say
    `from tf_style import PerceptualLoss` before `keras.models.load_model`.

    Args:
        layers: of the network, as in `feature_model`, or a mapping of name to weight.
        weights, network, dtype, seed, cache_dir, offline: as in `feature_model`. The loss is
            float32 whatever the `dtype` of the maps.
        input_range: black and white in both pictures. The prediction may go beyond it.
        pixel_weight: of the mean absolute difference of the pixels, in units of `input_range`,
            which is added: without it, colours may drift.
        reduction, name: as for every loss of Keras.

    Raises:
        InputError: (a `ValueError`) as `feature_model` does.

    Source: Johnson, Alahi, Fei-Fei, ECCV 2016, eq. 2; with several layers and their fixed scale as
        Chen, Koltun, ICCV 2017, eq. 1, but with squares.

    Example:
        >>> model = keras.Sequential([keras.Input((None, None, 3)),
        ...                           keras.layers.Conv2D(3, 3, padding="same")])
        >>> loss = PerceptualLoss("block1_conv2,block2_conv2", network="compact", pixel_weight=1)
        >>> model.compile("adam", loss, metrics=[StyleLoss("block1_conv2", network="compact")])
        >>> pictures = np.random.default_rng(0).random((4, 32, 32, 3), np.float32)
        >>> history = model.fit(pictures, pictures, verbose=0)
        >>> sorted(history.history)
        ['loss', 'style_loss']
    """

    _unit_rms = True

    def __init__(
        self,
        layers: str | Iterable[str] | Mapping[str, float] = (
            "block1_conv2", "block2_conv2", "block3_conv3"),
        weights: str = AUTO,
        *,
        network: PathLike | keras.Model = AUTO,
        pixel_weight: float = 0.0,
        dtype: str = AUTO,
        input_range: tuple[float, float] = (0.0, 1.0),
        seed: int = 0,
        cache_dir: PathLike = AUTO,
        offline: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str = "perceptual_loss",
    ):
        self._pixel_weight = Number(0, 1e6).parse("pixel_weight", pixel_weight)
        super().__init__(layers, weights, network, dtype, input_range, seed, cache_dir, offline,
                         reduction, name)
        self._given["pixel_weight"] = self._pixel_weight

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """The loss of each picture, float32 `(batch,)`."""
        found = self._of_maps(y_true, y_pred)
        if not self._pixel_weight:
            return found
        low, high = self._range
        return found + self._pixel_weight / (high - low) * tf.reduce_mean(
            tf.abs(y_pred - y_true), axis=(1, 2, 3))

    def _loss_of(self, maps: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.square(
            tf.cast(maps, tf.float32) - tf.cast(targets, tf.float32)), axis=(1, 2, 3))


@keras.saving.register_keras_serializable(package="tf_style")
class StyleLoss(_FeatureLoss):
    """How differently two pictures are painted: a `keras.losses.Loss`, also for `metrics=`.

    It compares statistics of their feature maps, whatever is where: textures, strokes, colours. For
    each picture the weighted mean over layers, float32: 0 at equality, and 1 where the prediction's
    maps are all zero. It takes two batches `(batch, height, width, 3)`, the truth first. They may
    have different sizes, and one truth may serve the whole batch.

    To load a model that was saved with it, say `from tf_style import StyleLoss` before
    `keras.models.load_model`.

    Args:
        layers: of the network, as in `feature_model`, or a mapping of name to weight.
        weights, network, dtype, seed, cache_dir, offline: as in `feature_model`.
        style_loss: one of `STYLE_LOSSES` of tf_style: `gram`, `moments`, `mean_std`,
            `sliced_wasserstein`, `histogram`, `neighbors`, `phase`, `phase_match`. Those that draw
            at random draw the same in each step, from `seed`.
        input_range: black and white in both pictures.
        reduction, name: as for every loss of Keras.

    Raises:
        InputError: (a `ValueError`) as `feature_model` does, and for an unknown `style_loss`.

    Source: Johnson, Alahi, Fei-Fei, ECCV 2016, eq. 4, each layer's made independent of scale by
        the truth's norm.

    Example:
        >>> loss = StyleLoss(network="compact")
        >>> pictures = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
        >>> float(loss(pictures, pictures))
        0.0
    """

    def __init__(
        self,
        layers: str | Iterable[str] | Mapping[str, float] = (
            "block1_conv2", "block2_conv2", "block3_conv3"),
        weights: str = AUTO,
        *,
        network: PathLike | keras.Model = AUTO,
        style_loss: str = "gram",
        dtype: str = AUTO,
        input_range: tuple[float, float] = (0.0, 1.0),
        seed: int = 0,
        cache_dir: PathLike = AUTO,
        offline: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str = "style_loss",
    ):
        kinds = Settings.option("style_loss").parse(style_loss)
        if len(kinds) > 1:
            raise InputError(f"style_loss: expected one loss. Received: {', '.join(kinds)}")
        self._loss = STYLE_LOSSES[next(iter(kinds))]
        super().__init__(layers, weights, network, dtype, input_range, seed, cache_dir, offline,
                         reduction, name)
        self._given["style_loss"] = self._loss.name

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """The loss of each picture, float32 `(batch,)`."""
        return self._of_maps(y_true, y_pred)

    def _loss_of(self, maps: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        draw = tf.constant([self._given["seed"], 0], tf.int32)
        target = self._loss.target(self._loss.statistic(targets, None))
        return self._loss.distance(
            self._loss.statistic(maps, None), tf.nest.map_structure(tf.stop_gradient, target), draw)


def _with_scaled_gradient(
    loss: Callable[[tf.Tensor], tf.Tensor], pictures: tf.Tensor
) -> tf.Tensor:
    """`loss(pictures)`, float32 `(batch,)`; inside of it, gradients stay in float16's range.

    Whatever multiplies the loss outside, as Keras' `LossScaleOptimizer` does, is left out there.

    Source: Micikevicius et al., Mixed Precision Training, ICLR 2018.
    """

    @tf.custom_gradient
    def found(pictures: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(pictures)
            value = loss(pictures)
            # Losses are squares: of the gradient, this leaves about the scale at each value.
            size = tf.cast(tf.reduce_prod(tf.shape(pictures)[1:]), tf.float32)
            # Rounding makes some losses less than 0.
            scale = _SCALE * size / tf.stop_gradient(tf.sqrt(tf.maximum(value, 0) + 1e-12))
            scaled = scale * value

        def gradient(
            upstream: tf.Tensor, variables: Sequence[tf.Variable] = ()
        ) -> tuple[tf.Tensor, list[None]]:
            found = tape.gradient(scaled, pictures) * (upstream / scale)[:, None, None, None]
            return found, [None] * len(variables)

        return value, gradient

    return found(pictures)
