"""What a network sees in pictures, and what each of its layers asks of the generated image."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from tf_style.image import files
from tf_style.loss.objective import Network, Objective, Style
from tf_style.loss.style import STYLE_LOSSES
from tf_style.loss.variation import total_variation
from tf_style.network.features import feature_model
from tf_style.run.stylizer import Callback, Picture, Result, Stylizer
from tf_style.settings import Settings

# The style losses whose statistic is a matrix: one row and one column for each channel.
MATRICES = ("gram", "phase")


@dataclasses.dataclass(frozen=True)
class Inspection:
    """All that can be seen of one run.

    Attributes:
        content, style, generated: pictures at the size at which they were looked at.
        maps: layer → feature maps of the content, `(h, w, channels)`.
        matrices: `content`, `style`, `generated` → style loss → layer → matrix.
        contents, styles: layer → what it alone reconstructs of the content, and of the style.
        shares: of the generated image's loss.
    """

    content: np.ndarray
    style: np.ndarray
    generated: np.ndarray
    maps: Mapping[str, np.ndarray]
    matrices: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]]
    contents: Mapping[str, Result]
    styles: Mapping[str, Result]
    shares: Sequence[Share]


def inspect(
    content: Picture,
    style: Picture,
    settings: Settings | None = None,
    *,
    generated: Picture | None = None,
    layers: Sequence[str] = (),
    watch: Callable[[str], object] = lambda stage: None,
) -> Inspection:
    """Look at a run from all sides. It takes two more runs for each layer.

    Args:
        content, style: paths, `sample:NAME`, or arrays `(height, width, 3)`.
        settings: defaults to `Settings()`.
        generated: the picture made of both; by default it is made here.
        layers: to look at; by default the settings' content and style layers.
        watch: called with a few words on what comes next.

    Raises:
        InputError: (a `ValueError`) for pictures, settings or weights that cannot be used.
    """
    content, style = files.as_picture(content, "content"), files.as_picture(style, "style")
    stylizer = Stylizer(settings, pictures=[content, style])
    settings = stylizer.settings
    of_run = dict.fromkeys([*settings.content_layers, *settings.style_layers])
    layers = list(layers) or sorted(of_run)
    if generated is None:
        watch("making a picture of both")
        generated = stylizer.stylize(content, style).image
    generated = files.fit(files.as_picture(generated, "generated"), settings.size)
    seen = {"content": files.fit(content, settings.size),
            "style": files.fit(style, settings.size), "generated": generated}
    model = feature_model(dict.fromkeys([*layers, *of_run]), settings.weights,
                          network=settings.network, pictures=[content, style], seed=settings.seed,
                          cache_dir=settings.cache_dir, offline=settings.offline)
    watch("looking at maps, matrices and shares")
    maps = feature_maps(model, seen["content"])
    of_pictures = {name: matrices(model, picture) for name, picture in seen.items()}
    shares = layer_shares(model, generated, content, style, settings)
    contents, styles = {}, {}
    for layer in layers:
        watch(f"reconstructing from {layer}")
        contents[layer] = reconstruct_content(content, style, layer, settings)
        styles[layer] = reconstruct_style(content, style, layer, settings)
    return Inspection(
        **seen,
        maps={layer: maps[layer] for layer in layers},
        matrices={
            name: {loss: {layer: of_layers[layer] for layer in layers}
                   for loss, of_layers in losses.items()}
            for name, losses in of_pictures.items()
        },
        contents=contents,
        styles=styles,
        shares=shares,
    )


def feature_maps(model: keras.Model, picture: np.ndarray) -> dict[str, np.ndarray]:
    """What each layer makes of a picture.

    Args:
        model: a feature model.
        picture: `(height, width, 3)` in `[0, 1]`.

    Returns:
        Layer name → `(h, w, channels)` float32.
    """
    maps = model(tf.constant(picture[None], tf.float32), training=False)
    return {layer: tf.cast(each, tf.float32).numpy()[0] for layer, each in maps.items()}


def matrices(model: keras.Model, picture: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """What a style loss keeps of a picture: a matrix of relations between channels.

    Args:
        model: a feature model.
        picture: `(height, width, 3)` in `[0, 1]`.

    Returns:
        Style loss → layer → `(channels, channels)` float32, for the style losses `MATRICES`.
    """
    maps = {layer: tf.constant(each[None]) for layer, each in feature_maps(model, picture).items()}
    return {
        name: {layer: STYLE_LOSSES[name].statistic(each, None).numpy()[0]
               for layer, each in maps.items()}
        for name in MATRICES if name in STYLE_LOSSES
    }


def reconstruct_content(
    content: Picture, style: Picture, layer: str, settings: Settings, *,
    callback: Callback | None = None,
) -> Result:
    """The picture that noise becomes where one layer's feature maps of the content are all it has.

    What the maps say nothing about stays noise: it is what the layer does not see.

    Args:
        content: a path, `sample:NAME`, or an array `(height, width, 3)`.
        style: the same; seen by no loss, but `weights="unsupervised"` learn from both pictures.
        layer: whose feature maps.
        settings: with every `auto` resolved, as `Stylizer.settings` and `Result.settings` are.
        callback: as for `Stylizer.stylize`.

    Source: Mahendran, Vedaldi, Understanding Deep Image Representations by Inverting Them, CVPR
        2015; Gatys, Ecker, Bethge, CVPR 2016, figure 1.
    """
    alone = _one_layer(settings, "content", layer, 1.0).replace(init="noise")
    return Stylizer(alone).stylize(content, style, callback=callback)


def reconstruct_style(
    content: Picture, style: Picture, layer: str, settings: Settings, *,
    callback: Callback | None = None,
) -> Result:
    """The texture that noise becomes where one layer's statistics of the style are all it has.

    Args:
        content: gives the size; otherwise as `style` in `reconstruct_content`.
        style: a path, `sample:NAME`, or an array `(height, width, 3)`.
        layer: whose statistics.
        settings, callback: as for `reconstruct_content`.

    Source: Gatys, Ecker, Bethge, Texture Synthesis Using Convolutional Neural Networks, 2015.
    """
    alone = _one_layer(settings, "style", layer, 1.0).replace(init="noise")
    return Stylizer(alone).stylize(content, style, callback=callback)


@dataclasses.dataclass(frozen=True)
class Share:
    """What one layer adds to the loss of an image, and where it pulls the image.

    Attributes:
        part: of the loss: `content`, `style` or `variation`.
        layer: its name; empty for the total variation, which sees the pixels.
        loss: weighted, as it is added up.
        gradient: of that loss with respect to the image, `(height, width, 3)` float32, per unit of
            a pixel's value.
    """

    part: str
    layer: str
    loss: float
    gradient: np.ndarray

    @property
    def magnitude(self) -> np.ndarray:
        """Length of the gradient at each pixel, `(height, width)`."""
        return np.linalg.norm(self.gradient, axis=2)

    @property
    def norm(self) -> float:
        """Length of the whole gradient."""
        return float(np.linalg.norm(self.gradient))


def layer_shares(
    model: keras.Model,
    image: np.ndarray,
    content: np.ndarray,
    style: np.ndarray,
    settings: Settings,
) -> list[Share]:
    """The loss of an image and its gradient, taken apart by layers.

    Losses and gradients of all shares add up to those of the whole objective.

    Args:
        model: a feature model with the settings' content and style layers.
        image: `(height, width, 3)` in `[0, 1]`: a generated image, or where one starts.
        content: a picture, resized to the image's size.
        style: a picture, resized as in a run.
        settings: with every `auto` resolved.

    Returns:
        A share for each content layer, each style layer and the total variation, in this order;
        those whose weight is 0 are left out.
    """
    height, width = image.shape[:2]
    style_side = max(1, round(max(height, width) * settings.style_scale))
    image, content, style = (tf.constant(each[None], tf.float32) for each in (
        image, np.clip(files.resize(content, height, width), 0, 1), files.fit(style, style_side)
    ))
    shares = []
    for part, layers, weight in (
        ("content", settings.content_layers, settings.content_weight),
        ("style", settings.style_layers, settings.style_weight),
    ):
        for layer, own in layers.items() if weight else ():
            # In the objective a layer counts by its weight's share.
            weighted = weight * own / sum(layers.values())
            alone = _one_layer(settings, part, layer, weighted)
            network = Network(model, alone.content_layers, alone.style_layers)
            objective = Objective([network], alone)
            targets = objective.targets(content, [Style(style)])

            def loss(image: tf.Tensor, objective=objective, targets=targets) -> tf.Tensor:
                return tf.add_n(list(objective.parts(image, targets).values()))

            shares.append(_share(part, layer, loss, image))
    if settings.tv_weight:
        shares.append(_share(
            "variation", "", lambda image: settings.tv_weight * total_variation(image), image
        ))
    return shares


def _share(
    part: str, layer: str, loss: Callable[[tf.Tensor], tf.Tensor], image: tf.Tensor
) -> Share:
    with tf.GradientTape() as tape:
        tape.watch(image)
        value = loss(image)
    return Share(part, layer, float(value), tape.gradient(value, image).numpy()[0])


def _one_layer(settings: Settings, part: str, layer: str, weight: float) -> Settings:
    """The settings of an objective that sees nothing but one layer."""
    other = "style" if part == "content" else "content"
    # The other part has no weight. It names all layers so that the network is one and the same
    # for every layer: learned weights are kept under the deepest layer's name.
    every = dict.fromkeys([*settings.content_layers, *settings.style_layers, layer], 1.0)
    return settings.replace(**{
        f"{part}_layers": {layer: 1.0}, f"{part}_weight": weight,
        f"{other}_layers": every, f"{other}_weight": 0.0, "tv_weight": 0.0,
    })
