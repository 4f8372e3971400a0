"""Figures of results and of evaluations, by matplotlib."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tf_style.image.paths import PathLike, check_writable, write_bytes
from tf_style.measure.metrics import Evaluation
from tf_style.settings import InputError

if TYPE_CHECKING:
    from tf_style.run.result import Result


# What is drawn over content similarity, and its title.
_TRADEOFFS = {
    "style_distance": "style distance", "style_distance_large": "style distance, large",
    "gram_distance": "Gram distance", "sliced_distance": "sliced distance",
    "patch_distance": "patch distance", "local_distance": "local distance",
    "local_distance_large": "local distance, large", "copied": "copied",
}


def plot(result: Result, figure: Figure | None = None) -> Figure:
    """Content, style, result and loss curves in one figure.

    Args:
        result: of a run.
        figure: where to draw; by default a new one from pyplot, which `plt.show()` shows.

    Returns:
        The figure; `figure.savefig("run.png")` writes it.
    """
    if figure is None:
        from matplotlib import pyplot

        figure = pyplot.figure(figsize=(12, 7.5), layout="constrained")
    pictures = {} if result.content is None else {"content": result.content}
    for number, style in enumerate(result.styles, start=1):
        pictures["style" if len(result.styles) == 1 else f"style {number}"] = style
    upper, lower = figure.subfigures(2, 1, height_ratios=(3, 4))
    for axes, (title, picture) in zip(
        upper.subplots(1, len(pictures), squeeze=False)[0], pictures.items(), strict=True
    ):
        _show(axes, title, picture)
    shown, curves = lower.subplots(1, 2)
    _show(shown, "result", result.image)
    _plot_losses(curves, result)
    return figure


def _show(axes: Axes, title: str, picture: np.ndarray) -> None:
    axes.imshow(np.clip(picture, 0, 1))
    axes.set_title(title)
    axes.set_axis_off()


def _plot_losses(axes: Axes, result: Result) -> None:
    steps = np.arange(1, len(result.history) + 1)
    axes.plot(steps, [step.loss for step in result.history], color="black", label="loss")
    for part in result.history[-1].parts if result.history else ():
        axes.plot(steps, [step.parts[part] for step in result.history], label=part)
    for at, (before, after) in enumerate(zip(result.history, result.history[1:], strict=False)):
        if before.scale != after.scale:
            axes.axvline(at + 1.5, color="gray", linewidth=0.8, linestyle=":")
    axes.set_yscale("log")
    # The content's part starts at zero, which would stretch the axis.
    least = min((step.loss for step in result.history if np.isfinite(step.loss)), default=1)
    axes.set_ylim(bottom=max(least, 1e-12) / 100)
    axes.set_xlabel("step (dotted: the next size)")
    axes.set_ylabel("weighted loss")
    axes.set_title("losses")
    axes.legend()


def plot_tradeoff(
    curves: Mapping[str, Sequence[Evaluation]], figure: Figure | None = None
) -> Figure:
    """Distances to the style over content similarity, a panel for each.

    Args:
        curves: name → the measures of one picture, or of several that make a curve.
        figure: where to draw; by default a new one that pyplot does not know about.
    """
    figure = figure or Figure(figsize=(14, 7.5), layout="constrained")
    drawn = [name for name in _TRADEOFFS if any(
        np.isfinite(getattr(each, name)) for curve in curves.values() for each in curve
    )] or ["style_distance"]
    panels = figure.subplots(-(-len(drawn) // 4), min(len(drawn), 4), squeeze=False).ravel()
    for axes, measure in zip(panels, drawn, strict=False):
        for name, curve in curves.items():
            points = sorted((each.content_similarity, getattr(each, measure)) for each in curve)
            axes.plot(*zip(*points, strict=True), "o-", label=literal(name))
        axes.set_title(_TRADEOFFS[measure])
        axes.set_xlabel("content similarity")
        least, most = axes.get_ylim()
        axes.set_ylim(min(0, least), most)
        axes.grid(alpha=0.3)
    for axes in panels[len(drawn) :]:
        axes.set_axis_off()
    figure.suptitle("Lower right is better (1: the untouched content, 0: the style itself)")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", fontsize="small",
                  ncols=min(len(labels), 4))
    return figure


def literal(name: str) -> str:
    """A name as matplotlib shows it as it is."""
    text = name.encode("utf-8", "backslashreplace").decode("utf-8")
    text = "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
    # A label that begins with a line is left out of the legend, and dollars enclose formulas.
    return ("\u200b" * text.startswith("_") + text).replace("$", r"\$")


def check_figure(path: PathLike) -> None:
    """Check that a figure can be written to `path`.

    Raises:
        InputError: for an ending that matplotlib does not know, or a place that cannot be written.
    """
    known = Figure().canvas.get_supported_filetypes()
    if _ending(path) not in known:
        raise InputError(
            f"{path}: expected a name that ends in one of .{', .'.join(sorted(known))}"
        )
    check_writable(path)


def write_figure(path: PathLike, figure: Figure) -> None:
    """Write a figure in the format that the ending of `path` names, completely or not at all.

    Raises:
        InputError: if it cannot be written.
    """
    content = io.BytesIO()
    with warnings.catch_warnings():
        # It warns of each letter that its font lacks, again and again.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(content, format=_ending(path), dpi=150)
    write_bytes(path, content.getbuffer())


def _ending(path: PathLike) -> str:
    return os.fspath(path).rpartition(".")[2].lower()
