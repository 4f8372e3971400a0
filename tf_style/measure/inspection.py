"""What a network sees in pictures, and what each of its layers demands of the generated image."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from tf_style.image.picture import as_picture
from tf_style.image.resize import fit
from tf_style.loss.objective import Objective
from tf_style.loss.style import STYLE_LOSSES
from tf_style.network.networks import Network
from tf_style.run.inputs import Picture, PictureFile
from tf_style.run.painter import Painter
from tf_style.run.result import Result
from tf_style.run.run import Callback
from tf_style.run.scene import Scene
from tf_style.settings import Settings

# The style losses whose statistic is a matrix: one row and one column for each channel.
MATRICES = ("gram", "phase")


@dataclasses.dataclass(frozen=True)
class Inspection:
    """All that can be seen of one run.

    Attributes:
        content, style, generated: pictures at the size at which they were looked at; the first of
            several styles, mended and recoloured as the run does.
        maps: layer → feature maps of the content, `(h, w, channels)`.
        matrices: `content`, `style`, `generated` → style loss → layer → matrix; the style's is of
            the places that its mask lets count.
        contents, styles: layer → what that layer alone reconstructs of the content, and of the
            style.
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
    style: Picture | PictureFile | Sequence[Picture | PictureFile],
    settings: Settings | None = None,
    *,
    generated: Picture | None = None,
    layers: Sequence[str] = (),
    content_masks: Sequence[Picture] = (),
    style_masks: Sequence[Picture] = (),
    protect: Picture | None = None,
    watch: Callable[..., object] = lambda stage, share=None: None,
) -> Inspection:
    """Look at a run from all sides. It takes two more runs for each layer.

    The networks and the objective are the run's own, with its padding, pooling and precision, and
    the styles as the run sees them.

    Args:
        content: a path, `sample:NAME`, or an array `(height, width, 3)`.
        style: likewise, one or several.
        settings: defaults to `Settings()`.
        generated: the picture made from both; by default it is made here.
        layers: to look at; by default the settings' content and style layers, and where each part
            has a network of its own, that part's.
        content_masks, style_masks, protect: as for `tf_style.stylize`.
        watch: called with a few words on what comes next, and how much of it is done, 0 to 1, if
            that is known.

    Raises:
        InputError: (a `ValueError`) for pictures, settings or weights that cannot be used.
    """
    content = as_picture(content, "content")
    styles = style if isinstance(style, (list, tuple)) else [style]
    most = (settings or Settings()).max_pixels
    given = [PictureFile.of(os.fspath(each), max_pixels=most)
             if isinstance(each, (str, os.PathLike)) else each for each in styles]
    styles = [each.pixels if isinstance(each, PictureFile) else as_picture(each, "style")
              for each in given]
    painter = Painter(settings or Settings(), lambda: [content, *styles], watch=watch)
    settings = painter.settings
    scene = Scene.of(
        settings, content, given, content_masks, style_masks, protect=protect,
        least=painter.least_size,
    )
    if generated is None:
        watch("making a picture of both")
        generated = painter.paint(scene).image
    full = scene.scales[-1]
    generated = fit(as_picture(generated, "generated"), max(full.height, full.width))
    networks = painter.networks([content, *styles], layers)
    of_content, of_style = _layers_of_parts(settings, layers, alike=len(networks) == 1)
    watch("looking at maps, matrices and shares")
    shown = painter.work(scene).prepared.at(full)[1][0]
    seen = {"content": full.fit(content), "style": shown.picture, "generated": generated}
    maps = feature_maps(networks[0].model, seen["content"])
    of_pictures = {
        name: matrices(networks[-1].model, picture, shown.mask if name == "style" else None)
        for name, picture in seen.items()
    }
    shares = layer_shares(painter, scene, generated)
    contents, reconstructed = {}, {}
    every = list(dict.fromkeys([*of_content, *of_style]))
    for number, layer in enumerate(every, 1):
        watch(f"reconstructing from {layer}, {number} of {len(every)}")
        if layer in of_content:
            contents[layer] = reconstruct_content(content, given, layer, settings)
        if layer in of_style:
            reconstructed[layer] = reconstruct_style(content, given, layer, settings)
    return Inspection(
        **seen,
        maps={layer: maps[layer] for layer in of_content},
        matrices={
            name: {loss: {layer: of_layers[layer] for layer in of_style}
                   for loss, of_layers in losses.items()}
            for name, losses in of_pictures.items()
        },
        contents=contents,
        styles=reconstructed,
        shares=shares,
    )


def _layers_of_parts(
    settings: Settings, layers: Sequence[str], alike: bool
) -> tuple[list[str], list[str]]:
    """The layers that are looked at for the content, and for the style.

    Args:
        layers: as for `inspect`.
        alike: whether one network looks at both; another may lack the layers of the first.
    """
    parts = [sorted(settings.content_layers), sorted(settings.style_layers)]
    if layers or alike:
        parts = [list(layers) or sorted({*parts[0], *parts[1]})] * 2
    return parts[0], parts[1]


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


def matrices(
    model: keras.Model, picture: np.ndarray, mask: np.ndarray | None = None
) -> dict[str, dict[str, np.ndarray]]:
    """What a style loss keeps of a picture: a matrix of relations between channels.

    Args:
        model: a feature model.
        picture: `(height, width, 3)` in `[0, 1]`.
        mask: how much each of its pixels counts, `(height, width)` in `[0, 1]`; `None`: all alike.

    Returns:
        Style loss → layer → `(channels, channels)` float32, for the style losses `MATRICES`.
    """
    maps = {layer: tf.constant(each[None]) for layer, each in feature_maps(model, picture).items()}
    weights = {
        layer: None if mask is None else tf.image.resize(
            tf.constant(mask[None, ..., None], tf.float32), each.shape[1:3], method="area")
        for layer, each in maps.items()
    }
    return {
        name: {layer: STYLE_LOSSES[name].statistic(each, weights[layer]).numpy()[0]
               for layer, each in maps.items()}
        for name in MATRICES if name in STYLE_LOSSES
    }


def reconstruct_content(
    content: Picture, style: Picture | Sequence[Picture], layer: str, settings: Settings, *,
    callback: Callback | None = None,
) -> Result:
    """The picture that noise becomes if it has only one layer's feature maps of the content.

    What the maps say nothing about stays noise: this is what the layer does not see.

    Args:
        content: a path, `sample:NAME`, or an array `(height, width, 3)`.
        style: the same; no loss sees it, but `weights="unsupervised"` learns from both pictures.
        layer: whose feature maps.
        settings: with every `auto` resolved, as `Stylizer.settings` and `Result.settings` are.
        callback: as for `Stylizer.stylize`.

    Source: Mahendran, Vedaldi, Understanding Deep Image Representations by Inverting Them, CVPR
        2015; Gatys, Ecker, Bethge, CVPR 2016, figure 1.
    """
    alone = _one_layer(settings, "content", layer, 1.0).replace(init="noise")
    return _reconstructed(content, style, alone, "content", callback)


def reconstruct_style(
    content: Picture, style: Picture | Sequence[Picture], layer: str, settings: Settings, *,
    callback: Callback | None = None,
) -> Result:
    """The texture that noise becomes if it has only one layer's statistics of the style.

    Args:
        content: gives the size; otherwise as `style` in `reconstruct_content`.
        style: a path, `sample:NAME`, or an array `(height, width, 3)`.
        layer: whose statistics.
        settings, callback: as for `reconstruct_content`.

    Source: Gatys, Ecker, Bethge, Texture Synthesis Using Convolutional Neural Networks, 2015.
    """
    alone = _one_layer(settings, "style", layer, 1.0).replace(init="noise")
    return _reconstructed(content, style, alone, "style", callback)


@dataclasses.dataclass(frozen=True)
class Share:
    """What one layer adds to the loss of an image, and where it pulls the image.

    Attributes:
        part: of the loss: `content`, `style` or `variation`.
        layer: its name; empty for the total variation and the content's pixels.
        loss: weighted, as in the total.
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


def layer_shares(painter: Painter, scene: Scene, image: np.ndarray) -> list[Share]:
    """The loss of an image and its gradient, split by layer.

    They are those of the run: losses and gradients of all shares add up to the whole objective's.

    Args:
        painter: the one that would make the picture.
        scene: what it would make it from.
        image: `(height, width, 3)` in `[0, 1]`: a generated image, or where one starts. The content
            is resized to its size.

    Returns:
        A share for each content layer, the content's pixels, each style layer and the total
        variation, in this order;
        those whose weight is 0 are left out.
    """
    work = painter.work(scene)
    objective = work.descent.objective
    height, width = image.shape[:2]
    scale = dataclasses.replace(work.prepared.scales[-1], height=height, width=width)
    targets = objective.targets(
        *work.prepared.at(scale), work.prepared.protected_at(scale), None, work.prepared.regions
    )
    image = tf.constant(image[None], tf.float32)
    shares = []
    for part, layer in dict.fromkeys((term.part, term.layer) for term in objective.terms):
        own = {term.key: targets[term.key] for term in objective.terms
               if (term.part, term.layer) == (part, layer) and term.key in targets}
        if own:
            loss, _, gradient = objective.value_and_gradient(image, own)
            shares.append(Share(part, layer, float(loss[0]), gradient.numpy()[0]))
    return shares


def _reconstructed(
    content: Picture, style: Picture | Sequence[Picture], settings: Settings, part: str,
    callback: Callback | None,
) -> Result:
    """The picture that only the terms of one part ask for."""
    def objective(networks: Sequence[Network], settings: Settings) -> Objective:
        # With a style that weighs nothing, pixels would take over from the content's maps.
        whole = Objective.of(networks, settings.replace(content_weight=1.0, style_weight=1.0))
        return dataclasses.replace(
            whole, terms=[term for term in whole.terms if term.part == part]
        )

    painter = Painter(settings, objective=objective)
    scene = Scene.of(painter.settings, content, style, least=painter.least_size)
    return painter.paint(scene, callback=callback)


def _one_layer(settings: Settings, part: str, layer: str, weight: float) -> Settings:
    """The settings of an objective that sees nothing but one layer."""
    other = "style" if part == "content" else "content"
    of_other = getattr(settings, f"{other}_layers")
    if settings.network_of("content")[1:] == settings.network_of("style")[1:]:
        # The other part has no weight. It names all layers so that every layer has the same
        # network: learned weights are kept under the deepest layer's name.
        of_other = dict.fromkeys([*settings.content_layers, *settings.style_layers, layer], 1.0)
    return settings.replace(**{
        f"{part}_layers": {layer: 1.0}, f"{part}_weight": weight,
        f"{other}_layers": of_other, f"{other}_weight": 0.0, "tv_weight": 0.0,
        "style_places": "all", "style_regions": 1,
    })
