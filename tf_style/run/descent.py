"""A compiled objective, which runs share. It holds no state of any of them."""

from __future__ import annotations

import copy
import hashlib
import math
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tf_style.image.previous import Previous
from tf_style.image.style import Style
from tf_style.loss.blocks import Blocks
from tf_style.loss.compiled import Compiled
from tf_style.loss.objective import Objective
from tf_style.loss.targets import Target, Targets, placed
from tf_style.run.optimizers import EPSILON, Moments, adam

Value = tuple[tf.Tensor, dict[str, tf.Tensor], tf.Tensor]


class Descent:
    """The compiled steps down an objective, for pictures of any size and for several threads.

    Attributes:
        objective: what is descended.
    """

    def __init__(self, objective: Objective):
        self.objective = objective
        self._whole = Compiled(objective.value_and_gradient)
        self._blocks: dict[int, Blocks] = {}
        self._move = Compiled(_moved)
        self._lock = threading.Lock()
        # How much more the style counts than in the objective.
        self._factor = 1.0
        # Those of the styles that were seen last: the frames of a film have the same.
        self._style_targets: tuple[object, Targets] = (None, {})

    def with_style_weight(self, weight: float) -> Descent:
        """The same compiled steps, but the style has another weight, above 0.

        The objective has a part for the style, and does not normalise gradients.
        """
        other = copy.copy(self)
        other._factor = weight / self.objective.weights["style"]
        return other

    @property
    def traces(self) -> int:
        """How many times a step has been traced, whatever the pictures.

        Once for each kind of scene: with and without a content, with `protect`, and for each set of
        layers that are compared region by region.
        """
        return max([self._whole.traces, *[each.traces for each in self._blocks.values()]])

    def targets(
        self, content: np.ndarray | None, styles: Sequence[Style], block_size: int,
        protect: np.ndarray | None = None, previous: Previous | None = None,
        regions: np.ndarray | None = None,
    ) -> Targets:
        """What an image is compared with.

        Args:
            content: `(height, width, 3)`, of the image's size, or `None`.
            styles: as they are seen at that size.
            block_size: 0 for whole pictures; those no larger than a block are always taken whole.
            protect: where the content is held more strongly, `(height, width)` in `[0, 1]`.
            previous: what a film's frame is to look like, of the image's size.
            regions: how much each place of the content belongs to each of the styles' `kinds`.
        """
        shapes = [style.picture.shape for style in styles]
        shapes += [] if content is None else [content.shape]
        side = max(max(shape[:2]) for shape in shapes)
        objective = self._objective_for(side, block_size)
        of_style = self._of_style(objective, styles)
        if content is not None and regions is not None:
            of_style = placed(
                self.objective.networks, self.objective.terms, of_style, regions, content
            )
        if self._factor != 1:
            of_style = {key: _weighted(each, self._factor) for key, each in of_style.items()}
        return {**objective.targets(content, (), protect, previous), **of_style}

    def _of_style(self, objective: Any, styles: Sequence[Style]) -> Targets:
        """The targets of the terms that refer to the style."""
        key = objective, *map(_digest, styles)
        # One reference, as another thread may put its own there.
        kept = self._style_targets
        if kept[0] != key:
            own = {term.key for term in self.objective.terms if term.reference == "style"}
            found = objective.targets(None, styles)
            kept = key, {name: each for name, each in found.items() if name in own}
            self._style_targets = kept
        return kept[1]

    def value_and_gradient(
        self, image: tf.Tensor, targets: Targets, step: tf.Tensor, block_size: int
    ) -> Value:
        """See `Objective.value_and_gradient`."""
        objective = self._objective_for(max(image.shape[1:3]), block_size)
        if objective is self.objective:
            return self._whole(image, targets, step)
        return objective.value_and_gradient(image, targets, step)

    def move(
        self, image: tf.Tensor, moments: Moments, loss: tf.Tensor, gradient: tf.Tensor,
        learning_rate: tf.Tensor, targets: Targets,
    ) -> tuple[tf.Tensor, Moments, tf.Tensor]:
        """The image and the moments after a step by Adam, and the loss; `nan` if not finite.

        Where the pixel loss holds the image at the content, steps do not overshoot it.
        """
        curvature = self.objective.curvature(targets, int(tf.size(image)))
        if self.objective.kept == 1 and np.any(curvature):
            # The way to the content is known: whatever the rate and the number of steps, go there.
            learning_rate = tf.ones_like(learning_rate)
        epsilon = learning_rate * curvature + EPSILON
        return self._move(image, moments, loss, gradient, learning_rate, epsilon)

    def _objective_for(self, side: int, block_size: int) -> Any:
        if not 0 < block_size < side:
            return self.objective
        with self._lock:
            if block_size not in self._blocks:
                self._blocks[block_size] = Blocks(self.objective, block_size)
            return self._blocks[block_size]


def _digest(style: Style) -> bytes:
    """What tells a style, as it is seen, from another."""
    side = style.image_side if style.kinds is not None else 0
    found = hashlib.sha256(repr((style.share, side)).encode())
    for each in (style.picture, style.mended_again, style.mask, style.region, style.kinds):
        found.update(b"" if each is None else repr(each.shape).encode())
        found.update(b"" if each is None else np.ascontiguousarray(each, np.float32))
    return found.digest()


def _weighted(target: Target, factor: float) -> Target:
    """The same target, but each goal counts so many times as much."""
    return [
        {**region, "goals": [{**goal, "share": factor * goal["share"]} for goal in region["goals"]]}
        for region in target
    ]


def _moved(
    image: tf.Tensor, moments: Moments, loss: tf.Tensor, gradient: tf.Tensor,
    learning_rate: tf.Tensor, epsilon: tf.Tensor,
) -> tuple[tf.Tensor, Moments, tf.Tensor]:
    # One value that is not finite would spread over the whole image and both moments.
    finite = tf.reduce_all(tf.math.is_finite(loss)) & tf.math.is_finite(tf.reduce_sum(gradient))
    step, moments = adam(moments, tf.where(finite, gradient, tf.zeros_like(gradient)),
                         learning_rate, epsilon)
    moved = tf.where(finite, tf.clip_by_value(image - step, 0.0, 1.0), image)
    return moved, moments, tf.where(finite, loss, math.nan)


