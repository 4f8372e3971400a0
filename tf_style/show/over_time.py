"""The measures of films, drawn over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tf_style.measure.films import Moment
from tf_style.measure.metrics import Evaluation
from tf_style.show.plotting import literal

# What is drawn of each moment, the same of the source, and the title.
_MOMENTS = {
    "warping_error_1": ("source_warping_error_1", "warping error, lag 1"),
    "warping_error_5": ("source_warping_error_5", "warping error, lag 5"),
    "drift": (None, "drift of still parts, in 1/255"),
    "edge_energy": ("source_edge_energy", "edge energy, relative to the shot's first frame"),
}
# Likewise of sampled frames.
_SAMPLES = {"style_distance": "style distance", "content_similarity": "content similarity"}


def plot_over_time(
    moments: Mapping[str, Sequence[Moment]],
    evaluations: Mapping[str, Mapping[float, Evaluation]] | None = None,
    figure: Figure | None = None,
) -> Figure:
    """The measures of films over time, a panel for each; dotted lines are the sources' own.

    Args:
        moments: name of a film → its moments.
        evaluations: likewise → time of a sampled frame → its measures as a picture.
        figure: where to draw; by default a new one that pyplot does not know about.
    """
    figure = figure or Figure(figsize=(14, 7.5), layout="constrained")
    evaluations = evaluations or {}
    panels = iter(figure.subplots(2, 3 if evaluations else 2, sharex=True).T.ravel())
    first = None
    for measure, (source, title) in _MOMENTS.items():
        axes = next(panels)
        first = first or axes
        for number, (name, film) in enumerate(moments.items()):
            times = [each.time for each in film]
            axes.plot(times, [getattr(each, measure) for each in film], ".-", color=f"C{number}",
                      label=literal(name), markersize=3)
            if source:
                axes.plot(times, [getattr(each, source) for each in film], ":",
                          color=f"C{number}")
            for each in film:
                if each.cut:
                    axes.axvline(each.time, color="gray", linewidth=0.8)
        _finish(axes, title)
    if evaluations:
        for measure, title in _SAMPLES.items():
            axes = next(panels)
            for number, film in enumerate(evaluations.values()):
                axes.plot([*film], [getattr(each, measure) for each in film.values()], "o-",
                          color=f"C{number}")
            _finish(axes, title)
    for axes in figure.axes:
        if axes.get_subplotspec().is_last_row():
            axes.set_xlabel("seconds")
    figure.suptitle("Dotted: the source's own. Gray: cuts")
    handles, labels = first.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", fontsize="small",
                  ncols=min(len(labels), 4))
    return figure


def _finish(axes: Axes, title: str) -> None:
    axes.set_title(title)
    least, most = axes.get_ylim()
    axes.set_ylim(min(0, least), most + 0.05 * abs(most))
    axes.grid(alpha=0.3)
