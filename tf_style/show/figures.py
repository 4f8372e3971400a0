"""Figures of what `tf_style.measure.inspection` computes, by matplotlib. No TensorFlow.

Each function takes plain data and returns a new figure that pyplot does not know about;
`tf_style.show.plotting.write_figure` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure, SubFigure

from tf_style.image.resize import resize

if TYPE_CHECKING:
    from tf_style.measure.inspection import Inspection, Share
    from tf_style.run.result import Result

NAMES = ("maps", "matrices", "reconstructions", "shares")

_LOOK = {
    "font.size": 9, "axes.titlesize": 9, "axes.labelsize": 9, "figure.titlesize": 13,
    "xtick.labelsize": 8, "ytick.labelsize": 8, "legend.fontsize": 8,
    "image.interpolation": "nearest",
}
_WIDTH = 12.0
# Okabe and Ito's palette, which colour-blind people can tell apart.
_PARTS = {"content": "#0072B2", "style": "#D55E00", "variation": "#009E73"}
# Style loss → title, unit, and whether values have a sign.
_MATRICES = {
    "gram": ("Gram matrices", "mean product of two maps", False),
    "phase": ("Phase correlations", "agreement of two maps' phases", True),
}


def plot_inspection(inspection: Inspection) -> dict[str, Figure]:
    """All figures of an inspection: one for each of `NAMES`."""
    return dict(zip(NAMES, (
        plot_feature_maps(inspection.content, inspection.maps),
        plot_matrices(inspection.matrices),
        plot_reconstructions(
            inspection.content, inspection.style, inspection.contents, inspection.styles
        ),
        plot_shares(inspection.generated, inspection.shares),
    ), strict=True))


def most_varied(features: np.ndarray, count: int) -> np.ndarray:
    """The channels whose maps vary most over the picture.

    A sixteenth of the map at each border is ignored: the zeros that a convolution pads with make
    the strongest edge of many pictures.

    Args:
        features: `(h, w, channels)`.
        count: how many, if there are that many.

    Returns:
        Channel numbers `(count,)`, by falling standard deviation.
    """
    height, width = (-(-side // 16) if side > 2 else 0 for side in features.shape[:2])
    within = features[height : features.shape[0] - height, width : features.shape[1] - width]
    deviation = within.astype(np.float64).std(axis=(0, 1))
    return np.argsort(-deviation, kind="stable")[:count]


def plot_feature_maps(
    picture: np.ndarray, maps: Mapping[str, np.ndarray], count: int | None = None
) -> Figure:
    """The maps of each layer that vary most, in rows of eight.

    Args:
        picture: the one that the network saw, `(height, width, 3)`.
        maps: layer → `(h, w, channels)`, as returned by `feature_maps`.
        count: maps of each layer; by default 32 for one layer, fewer for several, at least 8.
    """
    count = count or max(8, 32 // len(maps) // 8 * 8)
    columns = min(count, 8)
    rows = -(-count // columns)
    tall = _WIDTH / (columns + 2) * picture.shape[0] / picture.shape[1] + 0.3
    with matplotlib.rc_context(_LOOK):
        figure = Figure(figsize=(_WIDTH, 0.5 + len(maps) * (rows * tall + 0.2)),
                        layout="constrained")
        figure.suptitle("Feature maps: where in the picture each channel responds. "
                        "The picture at the maps' size, and the channels that vary most")
        parts = figure.subfigures(len(maps), 1, squeeze=False)[:, 0]
        for part, (layer, features) in zip(parts, maps.items(), strict=True):
            _plot_layer(part, picture, layer, features, (rows, columns))
    return figure


def _plot_layer(
    figure: SubFigure, picture: np.ndarray, layer: str, features: np.ndarray,
    grid: tuple[int, int],
) -> None:
    axes = _bare(figure, grid[0], grid[1] + 1)
    height, width, channels = features.shape
    shown = most_varied(features, grid[0] * grid[1])
    bound = _bound(np.abs(features[:, :, shown]))
    least = 0 if features.min() >= 0 else -bound
    _show(axes[0, 0], resize(picture, height, width),
          f"{layer}\n{channels} of {width} × {height}")
    for place, channel in zip(axes[:, 1:].flat, shown, strict=False):
        drawn = place.imshow(features[:, :, channel], cmap="magma", vmin=least, vmax=bound)
        place.set_title(f"channel {channel}")
    figure.colorbar(drawn, ax=axes, label="activation", extend="max", fraction=0.02, pad=0.01)


def plot_matrices(
    pictures: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]],
    target: str = "style",
    count: int = 24,
) -> Figure:
    """The matrices that a style loss compares, as heat maps: a column for each layer.

    Args:
        pictures: title → style loss → layer → matrix `(channels, channels)`, as returned by
            `matrices`.
        target: the title of the picture that the others are compared with; the channels with the
            most energy in it are shown, in falling order.
        count: channels of each layer.
    """
    losses = pictures[target]
    # The diagonal of the Gram matrix holds the channels' energies.
    strongest = {layer: np.argsort(-np.diag(gram), kind="stable")[:count]
                 for layer, gram in losses["gram"].items()}
    columns = len(next(iter(losses.values())))
    cell = min(_WIDTH / columns, 2.5)
    tall = (cell + 0.3) * len(pictures) + 1.4
    with matplotlib.rc_context(_LOOK):
        figure = Figure(figsize=(max(cell * columns + 0.4, 6.5), len(losses) * tall),
                        layout="constrained")
        parts = figure.subfigures(len(losses), 1, squeeze=False)[:, 0]
        for part, (loss, layers) in zip(parts, losses.items(), strict=True):
            title, unit, signed = _MATRICES[loss]
            part.suptitle(f"{title} of the channels that are strongest in the {target}")
            part.supxlabel(f"{unit}; above each: ‖G − A‖² / ‖A‖², with A the {target}'s "
                           "whole matrix", fontsize=9)
            axes = part.subplots(len(pictures), columns, squeeze=False)
            for row, name in zip(axes, pictures, strict=True):
                row[0].set_ylabel(name, fontsize=11)
            for column, layer in zip(axes.T, layers, strict=True):
                shown = {name: each[loss][layer] for name, each in pictures.items()}
                _plot_column(part, column, layer, shown, target, strongest[layer], signed)
    return figure


def _plot_column(
    figure: SubFigure, axes: Sequence[Axes], layer: str, matrices: Mapping[str, np.ndarray],
    target: str, channels: np.ndarray, signed: bool,
) -> None:
    shown = {name: each[np.ix_(channels, channels)] for name, each in matrices.items()}
    largest = max(float(np.abs(each).max()) for each in shown.values()) or 1.0
    if signed:
        norm, colors = Normalize(-largest, largest), "RdBu_r"
    else:
        norm, colors = LogNorm(largest / 1000, largest, clip=True), "magma"
    for place, (name, matrix) in zip(axes, shown.items(), strict=True):
        drawn = place.imshow(matrix, cmap=colors, norm=norm)
        place.set_title(f"{relative_distance(matrices[name], matrices[target]):.2g}")
        place.set_xticks([])
        place.set_yticks([])
    axes[0].set_title(f"{layer}\n{axes[0].get_title()}")
    figure.colorbar(drawn, ax=axes, location="bottom", fraction=0.03, pad=0.01,
                    extend="neither" if signed else "min")


def relative_distance(matrix: np.ndarray, target: np.ndarray) -> float:
    """‖matrix − target‖² / ‖target‖²: 0 at equality, `nan` for a target of zeros."""
    difference, target = (np.asarray(each, np.float64) for each in (matrix - target, target))
    norm = np.sum(target**2)
    return float(np.sum(difference**2) / norm) if norm > 0 else float("nan")


def plot_reconstructions(
    content: np.ndarray,
    style: np.ndarray,
    contents: Mapping[str, Result],
    styles: Mapping[str, Result],
) -> Figure:
    """What each layer alone knows of the content, and what of the style.

    Args:
        content, style: pictures.
        contents, styles: layer → result of `reconstruct_content` or `reconstruct_style`.
    """
    count = 1 + max(len(contents), len(styles))
    rows = 1 if count <= 5 else 2
    columns = -(-count // rows)
    tall = rows * (_WIDTH / columns * content.shape[0] / content.shape[1] + 0.35) + 0.35
    with matplotlib.rc_context(_LOOK):
        figure = Figure(figsize=(_WIDTH, 2 * tall), layout="constrained")
        for part, (title, name, picture, results) in zip(figure.subfigures(2, 1), (
            ("What the feature maps of one layer alone say about the content, from noise",
             "content", content, contents),
            ("What the statistics of one layer alone say about the style, from noise",
             "style", style, styles),
        ), strict=True):
            part.suptitle(title)
            axes = _bare(part, rows, columns)
            _show(axes[0, 0], picture, name)
            for place, (layer, result) in zip(axes.flat[1:], results.items(), strict=False):
                _show(place, result.image, f"{layer}: loss {result.history[-1].loss:.2g}")
    return figure


def plot_shares(image: np.ndarray, shares: Sequence[Share]) -> Figure:
    """How much each layer adds to the loss and to its gradient, and where it pulls.

    Args:
        image: the one whose loss it is, `(height, width, 3)`.
        shares: as returned by `layer_shares`.
    """
    count = len(shares) + 1
    rows = -(-count // 6)
    columns = -(-count // rows)
    cell = _WIDTH / (columns + 0.5)
    tall = cell * image.shape[0] / image.shape[1] + 0.25
    bars = max(2.2, 0.9 + 0.22 * len(shares))
    with matplotlib.rc_context(_LOOK):
        figure = Figure(figsize=(_WIDTH, bars + rows * tall + 0.7), layout="constrained")
        upper, lower = figure.subfigures(2, 1, height_ratios=(bars, rows * tall + 0.5))
        shown, losses, norms = upper.subplots(1, 3, width_ratios=(1, 1.2, 1.2))
        _show(shown, image, "the image")
        _plot_bars(losses, shares, [each.loss for each in shares],
                   "share of the loss", "weighted loss")
        _plot_bars(norms, shares, [each.norm for each in shares],
                   "share of the pull", "length of the gradient (loss per unit of a pixel)")
        norms.set_yticklabels([])
        _plot_pulls(lower, shares, (rows, columns))
    return figure


def _plot_bars(
    axes: Axes, shares: Sequence[Share], values: Sequence[float], title: str, unit: str
) -> None:
    total = sum(values) or 1.0
    drawn = axes.barh([_name(each) for each in shares], values,
                      color=[_PARTS[each.part] for each in shares])
    axes.bar_label(drawn, [_percent(value / total) for value in values], padding=3, fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_title(title)
    axes.set_xlabel(unit)
    axes.spines[["top", "right"]].set_visible(False)


def _plot_pulls(figure: SubFigure, shares: Sequence[Share], grid: tuple[int, int]) -> None:
    maps = {_name(each): each.magnitude for each in shares}
    maps["all together"] = np.linalg.norm(sum(each.gradient for each in shares), axis=2)
    bound = _bound(np.stack(list(maps.values())))
    axes = _bare(figure, *grid)
    norm = LogNorm(bound / 100, bound, clip=True)
    for place, (title, magnitude) in zip(axes.flat, maps.items(), strict=False):
        drawn = place.imshow(magnitude, cmap="magma", norm=norm)
        place.set_title(title)
    figure.suptitle("Where each part pulls: length of its gradient at each pixel")
    figure.colorbar(drawn, ax=axes, label="loss per unit of a pixel", extend="both",
                    fraction=0.02, pad=0.01)


def _name(share: Share) -> str:
    if share.layer:
        return f"{share.part}: {share.layer}"
    return {"content": "the content's pixels", "variation": "total variation"}[share.part]


def _percent(share: float) -> str:
    return "< 1 %" if 0 < share < 0.01 else f"{share * 100:.0f} %"


def _bound(magnitudes: np.ndarray) -> float:
    """The upper end of a colour scale. A few extreme values would leave the map black."""
    return float(np.percentile(magnitudes, 99.5)) or float(np.max(magnitudes)) or 1.0


def _bare(figure: Figure | SubFigure, rows: int, columns: int) -> np.ndarray:
    """Axes `(rows, columns)` without frames."""
    axes = figure.subplots(rows, columns, squeeze=False)
    for each in axes.flat:
        each.set_axis_off()
    return axes


def _show(axes: Axes, picture: np.ndarray, title: str) -> None:
    axes.imshow(np.clip(picture, 0, 1), interpolation="antialiased")
    axes.set_axis_off()
    axes.set_title(title)
