"""The command `tf_style_evaluate`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tf_style.commands import status
from tf_style.commands.command import Command, CommandLine, CommonOptions, placed
from tf_style.commands.display import say
from tf_style.commands.exits import DONE, tensorflow_quiet
from tf_style.commands.outputs import check_apart, writing
from tf_style.settings import AUTO, MAX_PIXELS, NETWORKS, InputError, Settings
from tf_style.settings.option import File, Files, Number, Switch, Text, option, whole

if TYPE_CHECKING:


    import numpy as np

    from tf_style.commands.judge import Pictures
    from tf_style.commands.scores import Scores
    from tf_style.measure.metrics import Judge
    from tf_style.network.choice import Choice

USAGE = """\
Measure how well pictures took on a style, and how much content they kept.

  tf_style_evaluate CONTENT STYLE GENERATED [GENERATED ...] [--flag=value ...]
  tf_style_evaluate --content=FILE --style=FILE --generated=FILE [--generated=FILE ...]
  tf_style_evaluate --content=FILM --generated=FILM [--style=FILE]

A folder or a pattern as --generated is one curve: pictures of one method, which keep more or less
of the content. Curves are compared at equal content. Of films it is measured how steady they are.
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluateOptions(CommonOptions):
    """The options of `tf_style_evaluate`."""

    content: str | None = option(File(), None, "content picture or film, or sample:NAME")
    style: tuple[str, ...] = option(
        Files(), (), "style picture, sample:NAME or library:NAME; give it again to measure "
        "against several together"
    )
    generated: tuple[str, ...] = option(
        Files(), (), "picture or film to measure, or a folder or pattern; may be given several "
        "times"
    )
    mask: str | None = option(
        File(), None, "the part that matters most, such as a face, white on black: how much of "
        "it is kept is measured as well"
    )
    network: str = option(
        File("NAME|FILE"), AUTO,
        f"the judge: auto, {', '.join(NETWORKS)}, or a saved Keras model file",
    )
    weights: str = option(
        File("NAME|FILE"), AUTO, "the judge's weights: auto, imagenet, unsupervised, included, "
        "random, or a weights file",
    )
    style_layers: str = option(
        Text("NAME,NAME,…"), AUTO, "layers of the judge whose statistics are compared"
    )
    content_layers: str = option(
        Text("NAME"), AUTO, "layer of the judge that is compared position by position"
    )
    at_content: float | str = option(
        Number(0, 1), AUTO, "content similarity at which curves are compared; auto: the middle of "
        "what they have in common"
    )
    offline: bool = option(Switch(), False, Settings.option("offline").help)
    max_pixels: int = option(
        Settings.option("max_pixels").type, MAX_PIXELS, Settings.option("max_pixels").help
    )
    samples: int = option(
        whole(1, 1000), 5, "how many frames of a film are measured as pictures, with a --style"
    )
    json: bool = option(Switch(), False, "print a JSON list instead of a table")
    plot: str | None = option(
        File(), None, "draw the measures against content similarity, or a film's over time"
    )
    copied_map: str | None = option(
        File(), None, "picture that shows where --generated holds pieces of the style, in red"
    )


def evaluate(line: CommandLine) -> int:
    """Measure pictures and print what was found."""
    line = placed(COMMAND, line)
    options = line.options(EvaluateOptions)
    from tf_style.commands import evaluate_film

    if evaluate_film.are_films(options):
        return evaluate_film.evaluate_films(line, options)
    for name in ("content", "style", "generated"):
        if not getattr(options, name):
            raise InputError(f"--{name}: expected a picture, such as --{name}=FILE")
    if "samples" in line.typed:
        raise InputError("--samples: has no effect on pictures. Leave it out")
    from tf_style.commands import judge
    from tf_style.image.paths import expand

    status.show("reading pictures")
    curves = {given: expand(given) for given in options.generated}
    pictures = _pictures(options, [name for names in curves.values() for name in names])
    _check_curves(options, curves, len(pictures.generated))
    choice, fine = judge.chosen(options)
    _check_outputs(line, options, choice, pictures)
    judge.check(choice, fine, pictures)
    line.tell()
    with tensorflow_quiet(options.verbose):
        from tf_style.commands.scores import Scores
        from tf_style.measure.metrics import Judge
        from tf_style.network import networks  # noqa: F401
    status.show("loading the network")
    network, source = judge.built(options, choice, fine, pictures)
    status.show("measuring content and style")
    measuring = Judge(
        network.model, pictures.content, list(pictures.styles.values()), pictures.alphas,
        mask=pictures.mask, fine=fine,
    )
    scores = Scores.of(
        measuring, pictures.generated, curves, options.at_content, source,
        {name: _made_with(name, network.fingerprints) for name in pictures.generated},
    )
    status.hide()
    try:
        scores.print(as_json=options.json)
    finally:
        line.signals.keep()
        _write(options, scores, measuring, pictures)
    for name, same in scores.flattered.items():
        if same and not options.quiet:
            say(f"tf_style_evaluate: {name} was made with the weights that judge it here, which "
                 "flatters it; judge with other --weights")
    return DONE


def _pictures(options: EvaluateOptions, names: Sequence[str]) -> Pictures:
    """Read all pictures; content and styles no larger than they will be seen."""
    from tf_style.commands.judge import Pictures
    from tf_style.image.masks import as_mask, check_proportions
    from tf_style.image.picture import read_picture
    from tf_style.image.style import read_style

    most = options.max_pixels
    generated = {name: read_picture(name, max_pixels=most) for name in names}
    side = max(max(picture.shape[:2]) for picture in generated.values())
    content = read_picture(options.content, max_pixels=most, side=side)
    styles = {name: read_style(name, max_pixels=most, side=side) for name in options.style}
    mask = None if options.mask is None else as_mask(options.mask, max_pixels=most)
    if mask is not None:
        check_proportions(mask, *content.shape[:2], f"--mask={options.mask}")
        if mask.max() < 1 / 255:
            raise InputError(f"--mask={options.mask}: it is black: nothing is inside")
    return Pictures(
        content, mask, {name: picture for name, (picture, _) in styles.items()},
        [alpha for _, alpha in styles.values()], generated,
    )


def _check_curves(
    options: EvaluateOptions, curves: Mapping[str, Sequence[str]], pictures: int
) -> None:
    if options.copied_map and pictures > 1:
        raise InputError(
            f"--copied_map: expected one picture as --generated. Received: {pictures}"
        )
    if options.at_content != AUTO and all(len(names) < 2 for names in curves.values()):
        raise InputError(
            "--at_content: expected a folder or pattern of several pictures as --generated"
        )


def _check_outputs(
    line: CommandLine, options: EvaluateOptions, choice: Choice, pictures: Pictures
) -> None:
    """Check that what will be written can be, and replaces no input."""
    from tf_style.image.picture import check_output
    from tf_style.network import weights
    from tf_style.show.plotting import check_figure

    if options.plot:
        check_figure(options.plot)
    if options.copied_map:
        check_output(options.copied_map)
    check_apart({
        name: Path(path) for name in ("plot", "copied_map") if (path := getattr(options, name))
    }, [
        options.content, *options.style, *pictures.generated, *filter(None, [options.mask]),
        *line.flagfiles, *choice.files, *filter(None, [weights.environment_file()]),
    ])


def _made_with(picture: str, judge: Mapping[str, str]) -> bool | None:
    """Whether the judge's kernels made the picture; `None` where the file does not say."""
    from tf_style.image.picture import read_note
    from tf_style.measure.metrics import flattered

    try:
        maker = json.loads(read_note(picture) or "")["weights"]
        return flattered(maker, judge)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _write(options: EvaluateOptions, scores: Scores, judge: Judge, pictures: Pictures) -> None:
    """Write what was asked for besides the numbers."""
    from tf_style.image.picture import write_picture
    from tf_style.show.plotting import plot_tradeoff, write_figure

    with writing():
        if options.plot:
            write_figure(options.plot, plot_tradeoff(scores.curves))
        if options.copied_map:
            picture, = pictures.generated.values()
            write_picture(options.copied_map, _marked(picture, judge.copied_places(picture)))


def _marked(picture: np.ndarray, places: np.ndarray) -> np.ndarray:
    """A picture in gray, with some places in red."""
    from tf_style.image.color import as_gray

    gray = as_gray(picture)
    return gray + places[..., None] * 0.5 * ((1, 0, 0) - gray)


COMMAND = Command(
    "tf_style_evaluate", USAGE, (EvaluateOptions,), evaluate,
    places=("content", "style", "generated"),
    needed=("content", "style", "generated", "mask", "network", "weights", "json", "plot",
            "copied_map", "at_content", "samples", "offline"),
    examples=("tf_style_evaluate sample:harbor sample:waves sample:harbor",
              "tf_style_evaluate photo.jpg painting.jpg --generated='results/*.png' "
              "--plot=curves.png"),
)
