"""Targets: what the terms of an objective compare the image with.

A target is a list of regions of the image: only the whole image, unless styles have their own
regions, or several kinds of places are told apart. A region is a dict. `goals` is a list of dicts
with `share`, the goal's weight, and `target`, the target that `Loss.distance` takes. A region that
is not the whole image also has `weights`, `(1, h, w, 1)`, of the map's positions.

A term that refers to the content has only one region. Where its loss is `paired`, that has
`paired`, the content's map. Where the content is to be protected, the region, or else its `target`,
has `weights`, too: how strongly it is held at each position. So has the `target` of a term that
refers to the previous frame.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from tf_style.image.masks import resized
from tf_style.image.previous import Previous
from tf_style.image.style import Style
from tf_style.loss.statistics import TINY
from tf_style.loss.terms import Loss, Term
from tf_style.network.networks import Network
from tf_style.settings import InputError

Target = list[dict[str, Any]]
Targets = Mapping[str, Target]

# How much more the content counts where a mask protects it. Seen at 256 pixels: with half as much,
# deep style layers still paint over a face's eyes; with twice as much, little changes.
PROTECTION = 20.0

# A map with no more positions along its long side sees so much of the picture at once that what is
# painted there is a thing, and not the manner of painting it. Finer layers than these see strokes.
_MOST_PLACES, _LEAST_STRIDE = 64, 4


class Observer(Protocol):
    """Looks at pictures through networks: whole, or block by block."""

    def content_maps(self, network: int, picture: tf.Tensor) -> dict[str, tf.Tensor]:
        """Layer → feature map, of the layers at which terms refer to the content."""

    def style_statistics(
        self, network: int, picture: tf.Tensor, weights: Mapping[str, Sequence[tf.Tensor]]
    ) -> dict[str, list[tf.Tensor]]:
        """Term → statistics, for the terms whose reference is the style.

        Args:
            weights: layer → for each statistic the weights of the map's positions; without those
                of a layer, there is one, whose weights are equal.
        """


def targets_of(
    observer: Observer, networks: Sequence[Network], terms: Sequence[Term],
    content: np.ndarray | None, styles: Sequence[Style], protect: np.ndarray | None = None,
    previous: Previous | None = None, regions: np.ndarray | None = None,
) -> Targets:
    """What the terms compare an image with.

    A term whose picture is not given has no target, and takes no part. Where styles have several
    `kinds` and no content is given, the targets of the style still have to be `placed`.

    Args:
        observer: looks at the pictures.
        content: `(height, width, 3)` of the image's size; `None` for none.
        styles: each has a region, or none has.
        protect: where the content is held more strongly, `(height, width)` in `[0, 1]`, of the
            image's size; `None` for nowhere.
        previous: of the image's size; `None` for none.
        regions: how much each place of the content belongs to each of the styles' `kinds`,
            `(count, rows, columns)`, coarser than the picture; `None` if they have only one.
    """
    found: dict[str, Target] = {}
    held = None if protect is None else _mask(protect)
    for term in terms:
        if not term.reference and not term.layer:
            found[term.key] = [_region([_goal(1.0, ())])]
        if term.reference == "content" and not term.layer and content is not None:
            found[term.key] = [_kept(term.loss, tf.constant(content[None]), held)]
        if term.reference == "previous" and previous is not None:
            found[term.key] = [_region([_goal(1.0, {
                "map": tf.constant(previous.picture[None]),
                "weights": tf.constant(previous.trust[None, ..., None], tf.float32),
            })])]
    for place, network in enumerate(networks):
        own = [term for term in terms if term.network == place]
        looking = [term for term in own if term.reference == "content" and term.layer]
        if content is not None and looking:
            maps = observer.content_maps(place, tf.constant(content[None]))
            seen = None if held is None else network.continued(held)
            found |= {term.key: [_kept(term.loss, maps[term.layer], seen)] for term in looking}
        own = [term for term in own if term.reference == "style"]
        if own and styles:
            found |= _style_targets(observer, place, network, own, styles)
            if content is not None and regions is not None:
                found |= _placed(network, own, found, regions, content)
    return found


def placed(
    networks: Sequence[Network], terms: Sequence[Term], targets: Targets, regions: np.ndarray,
    content: np.ndarray,
) -> Targets:
    """The targets of the style, each kind of place where the content has its like.

    Args:
        targets: of the terms that refer to the style, not placed yet.
        regions, content: as for `targets_of`.
    """
    found = dict(targets)
    for place, network in enumerate(networks):
        own = [term for term in terms if term.network == place and term.key in targets]
        found |= _placed(network, own, targets, regions, content)
    return found


def _placed(
    network: Network, terms: Sequence[Term], targets: Targets, regions: np.ndarray,
    content: np.ndarray,
) -> dict[str, Target]:
    divided = [term for term in terms if len(targets[term.key]) > 1]
    if not divided:
        return {}
    masks = network.continued(_as_large(regions, content))
    shapes = network.model.compute_output_shape((1, *masks.shape[1:3], 3))
    areas = regions.mean(axis=(1, 2))
    found: dict[str, Target] = {}
    for term in divided:
        weights = tf.image.resize(masks, shapes[term.layer][1:3], method="area")
        found[term.key] = [
            {"goals": [{**goal, "share": float(area) * goal["share"]} for goal in each["goals"]],
             "weights": weights[number : number + 1]}
            for number, (each, area) in enumerate(zip(targets[term.key], areas, strict=True))
        ]
    return found


def _as_large(masks: np.ndarray, picture: np.ndarray) -> tf.Tensor:
    """Masks `(count, rows, columns)` of a picture, at its size: `(count, height, width, 1)`."""
    return tf.image.resize(tf.constant(masks[..., None], tf.float32), picture.shape[:2])


def _kept(loss: Loss, features: tf.Tensor, protect: tf.Tensor | None) -> dict[str, Any]:
    """The region of a term that refers to the content, whose map, or pixels, these are."""
    held = {} if protect is None else {"weights": _held(protect, *features.shape[1:3])}
    if not loss.paired:
        return _region([_goal(1.0, {**loss.target(features), **held})])
    region = {"paired": features, **held}
    # The mean over weights of which few are large would leave little to the others.
    share = float(tf.reduce_mean(held["weights"])) if held else 1.0
    return {**region, **_region([_goal(share, loss.target(loss.of(features, region)))])}


def _held(protect: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """How strongly the content is held at each position of a map, `(1, height, width, 1)`."""
    return 1 + PROTECTION * tf.image.resize(protect, (height, width), method="area")


def _mask(mask: np.ndarray) -> tf.Tensor:
    return tf.constant(mask[None, ..., None])


def _style_targets(
    observer: Observer, place: int, network: Network, terms: Sequence[Term],
    styles: Sequence[Style],
) -> dict[str, Target]:
    if styles[0].region is None:
        # One that has no share describes nothing.
        styles = [style for style in styles if style.share]
    wide = _wide(network, terms, styles)
    seen = [_shown(observer, place, network, terms, style, wide) for style in styles]
    told = _telling(network, terms, styles)
    found: dict[str, Target] = {}
    for term in terms:
        if styles[0].region is not None:
            groups = [[(style.share, each[term.key][0])]
                      for style, each in zip(styles, seen, strict=True)]
        else:
            groups = [
                [_blended(shown)] if term.loss.mean_over_positions else shown
                for shown in _by_kind(styles, [each[term.key] for each in seen])
            ]
        counts = 1.0 if term in told else 0.0
        found[term.key] = [
            _region([_goal(counts * share, term.loss.target(statistic))
                     for share, statistic in group])
            for group in groups
        ]
    for number, style in enumerate(styles):
        if style.region is not None:
            region = network.continued(_mask(style.region))
            weights = _layer_weights(network, terms, region, style.name)
            for term in terms:
                found[term.key][number]["weights"] = weights[term.layer]
    return found


def _by_kind(
    styles: Sequence[Style], seen: Sequence[list[tf.Tensor]]
) -> list[list[tuple[float, tf.Tensor]]]:
    """For each kind of place, or for the whole: each style's share of it, and its statistic."""
    if len(seen[0]) == 1:
        return [[(style.share, each[0]) for style, each in zip(styles, seen, strict=True)]]
    whole = sum(style.share for style in styles)
    found = []
    for kind in range(len(seen[0])):
        # A style that has little of a kind says little of it.
        parts = [style.share * _amount(style, kind) + TINY for style in styles]
        found.append([(whole * part / sum(parts), each[kind])
                      for part, each in zip(parts, seen, strict=True)])
    return found


def _amount(style: Style, kind: int) -> float:
    """How much of a style is of a kind."""
    places = style.kinds[kind]
    return float((places * resized(style.counted(), *places.shape)).mean())


def _wide(network: Network, terms: Sequence[Term], styles: Sequence[Style]) -> set[str]:
    """The layers that see so much of a picture at once that it matters which places count."""
    if styles[0].kinds is None:
        return set()
    # A small style beside a large image has small maps, but those of the image see strokes.
    side = max(max(style.image_side, *style.picture.shape[:2]) for style in styles)
    layers = {term.layer for term in terms}
    if len(styles[0].kinds) == 1:
        # To weigh the places of finer ones, too, changed no picture that was looked at.
        layers = network.coarse(layers)
    strides = {layer: network.architecture.layer(layer).stride for layer in layers}
    return {layer for layer, stride in strides.items()
            if stride >= _LEAST_STRIDE and side // stride <= _MOST_PLACES}


def _telling(
    network: Network, terms: Sequence[Term], styles: Sequence[Style]
) -> Sequence[Term]:
    """The terms whose statistics describe styles: all if none does.

    At a coarse size, a deep layer has so few positions that its statistic describes the picture,
    and the image would take over what is in it, at its place.
    """
    shapes = [network.model.compute_output_shape((1, *style.picture.shape)) for style in styles]
    return [
        term for term in terms
        if sum(math.prod(each[term.layer][1:3]) for each in shapes)
        >= term.loss.least_positions(shapes[0][term.layer][-1])
    ] or terms


def _shown(
    observer: Observer, place: int, network: Network, terms: Sequence[Term], style: Style,
    wide: Collection[str],
) -> dict[str, list[tf.Tensor]]:
    """Term → statistics of one style picture, without the bias that mending leaves.

    Args:
        wide: the layers of which there is a statistic for each kind of place.
    """
    masks = {} if style.mask is None else {
        layer: [each] for layer, each in _layer_weights(
            network, terms, _mask(style.mask), style.name).items()
    }
    shapes = network.model.compute_output_shape((1, *style.picture.shape))
    shown = _as_large(style.kinds, style.picture) if wide else None
    for layer in wide:
        kinds = tf.image.resize(shown, shapes[layer][1:3], method="area")
        masks[layer] = [kind * mask for kind in tf.split(kinds, len(style.kinds))
                        for mask in masks.get(layer, [1.0])]
    found = observer.style_statistics(place, tf.constant(style.picture[None]), masks)
    means = [term.key for term in terms if term.loss.mean_over_positions]
    if style.mended_again is None or not means:
        return found
    again = observer.style_statistics(place, tf.constant(style.mended_again[None]), masks)
    return {**found, **{
        key: [2 * one - other for one, other in zip(found[key], again[key], strict=True)]
        for key in means
    }}


def _layer_weights(
    network: Network, terms: Sequence[Term], mask: tf.Tensor, name: str
) -> dict[str, tf.Tensor]:
    """Layer → a mask of the style `name`, or its region, as weights of the positions of its map.

    Raises:
        InputError: if a loss that looks at windows sees nothing of it in any.
    """
    shapes = network.model.compute_output_shape((1, *mask.shape[1:3], 3))
    found = {
        layer: tf.image.resize(mask, shapes[layer][1:3], method="area")
        for layer in dict.fromkeys(term.layer for term in terms)
    }
    for term in terms:
        weights = found[term.layer]
        if not tf.reduce_sum(term.loss.weight(*weights.shape[1:3], weights)) > 0:
            raise InputError(
                f"--style_loss={term.loss.name}: no window of {term.layer} reaches the mask of "
                f"{name}, which lies at the edge. Choose a larger mask or another loss"
            )
    return found


def _blended(shown: Sequence[tuple[float, tf.Tensor]]) -> tuple[float, tf.Tensor]:
    """One style whose statistic is the weighted mean of these styles' statistics."""
    whole = sum(share for share, _ in shown)
    return whole, tf.add_n([share / whole * statistic for share, statistic in shown])


def _region(goals: list[dict[str, Any]]) -> dict[str, Any]:
    return {"goals": goals}


def _goal(share: float, target: Any) -> dict[str, Any]:
    return {"share": tf.constant(share, tf.float32), "target": target}
