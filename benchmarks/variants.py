"""The steps to measure: ours and the tutorial's, for the same layers and pictures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from benchmarks.reference import Reference, feature_model
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.weights import load
from tf_style.run.canvas import Canvas
from tf_style.run.painter import Painter
from tf_style.run.scene import Scene
from tf_style.settings import Settings

CONTENT = ("block4_conv2",)
STYLE = tuple(f"block{number}_conv1" for number in range(1, 6))


def reference_step(content: np.ndarray, style: np.ndarray) -> Callable[[], float]:
    """The tutorial's step."""
    network = ARCHITECTURES["vgg16"]
    kernels = load(network, network.up_to([*CONTENT, *STYLE]), "random").kernels
    model = feature_model(kernels, [*CONTENT, *STYLE])
    step = Reference(model, content[None], style[None], CONTENT, STYLE).compiled()
    return lambda: float(step())


def our_step(content: np.ndarray, style: np.ndarray, precision: str) -> Callable[[], float]:
    """Ours, at one size, with the tutorial's losses."""
    painter = Painter(Settings(
        size=max(content.shape), scales=1, weights="random", precision=precision,
        content_layers=",".join(CONTENT), style_layers=",".join(STYLE),
        style_loss="gram",
    ))
    work = painter.work(Scene.of(painter.settings, content, style))
    canvas = Canvas(work.descent, painter.settings.optimizer, work.block_size())
    canvas.start(work.prepared.start(work.settings))
    targets = canvas.targets(
        *work.prepared.at(work.prepared.scales[-1]), regions=work.prepared.regions)
    rate = tf.constant(work.settings.learning_rate, tf.float32)
    return lambda: float(canvas.step(targets, rate)[0][0])
