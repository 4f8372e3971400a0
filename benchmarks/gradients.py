"""How well one network stands for another: `python -m benchmarks.gradients`.

    python -m benchmarks.gradients --reference_weights=vgg16.h5 --weights=unsupervised

The reference makes a picture as `tf_style` does by default. At the start, a quarter, the middle
and the end of each size, both networks are shown the picture that the run has then. The cosine
between the gradients of their objectives tells whether the other would pull the pixels the same
way: 1 is the same direction, 0 no relation. It is measured for the whole objective, and for its
content and style parts alone. Each network has its own default layers and weights of the loss.
Where the run nears its goal, the parts cancel, and what is left of the whole depends on details.

Everything is computed in float32, including the run. The start is the picture after the first step:
before it, the picture is the content, which has no content gradient.
"""

from __future__ import annotations

import dataclasses
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_style.commands.command import Command, CommandLine, CommonOptions, placed, require
from tf_style.commands.display import answer, say
from tf_style.commands.exits import DONE, guarded, tensorflow_quiet
from tf_style.commands.outputs import check_apart, writing
from tf_style.image.paths import check_writable
from tf_style.image.picture import read_picture
from tf_style.run.inputs import Picture, PictureFile
from tf_style.run.schedule import Scale, needed_sides
from tf_style.settings import AUTO, NETWORKS, WEIGHTS, InputError, Settings
from tf_style.settings.option import File, Texts, Word, option, whole

if TYPE_CHECKING:
    from tf_style.run.painter import Painter
    from tf_style.run.result import Step
    from tf_style.run.run import Work

PROGRAM = "benchmarks.gradients"
USAGE = """\
The cosine between the pixel gradients of two networks, on pictures from a run of the first.

  python -m benchmarks.gradients --reference_weights=FILE --network=vgg19 --weights=FILE
  python -m benchmarks.gradients --reference_weights=FILE --network=small.keras
"""
# Share of a size's steps that are done.
PLACES = {"start": 0.0, "quarter": 0.25, "middle": 0.5, "end": 1.0}
PARTS = ("whole", "content", "style")
MEAN = "mean"
PAIRS = ("sample:harbor,sample:brushstrokes", "sample:grace_hopper,sample:ink")


@dataclasses.dataclass(frozen=True)
class Agreement:
    """How far two gradients with respect to one picture point the same way.

    Attributes:
        size: long side of the picture, in pixels.
        place: where in that size's steps it comes from, one of `PLACES`.
        whole, content, style: the cosine, from -1 to 1, between the gradients of the whole
            objectives and of their parts; `None` where one of the gradients is zero or there is no
            such part.
    """

    size: int
    place: str
    whole: float | None
    content: float | None
    style: float | None


class Comparison:
    """Two networks that look at the same content and style.

    Args:
        reference: makes the picture.
        other: is compared with it; of the same size.
        content: a path, `sample:NAME`, or an array `(height, width, 3)`.
        style: likewise, or a file that has been read.

    Attributes:
        settings: of `reference` and `other`, with every `auto` resolved.

    Raises:
        InputError: for pictures, settings or weights that cannot be used.
    """

    def __init__(
        self, reference: Settings, other: Settings, content: Picture, style: Picture | PictureFile
    ):
        from tf_style.run.painter import Painter
        from tf_style.run.scene import Scene

        self._painter = _reference_painter(reference)
        painters = [self._painter, Painter(other.replace(precision="float32"))]
        scenes = [Scene.of(each.settings, content, style, least=each.least_size)
                  for each in painters]
        self._works = [each.work(scene) for each, scene in zip(painters, scenes, strict=True)]
        self.settings = dict(zip(
            ("reference", "other"), (work.settings for work in self._works), strict=True
        ))
        # Sizes that one of them cannot see are left out.
        least = max(each.least_size for each in painters)
        self._scene = scenes[0].seen_by(painters[0].settings, least)

    def agreements(self) -> list[Agreement]:
        """One for each place in each size, coarse sizes first."""
        found = []
        for scale, pictures in self.pictures():
            targets = [
                work.descent.objective.targets(
                    *work.prepared.at(scale), regions=work.prepared.regions)
                for work in self._works
            ]
            for place, picture in pictures.items():
                first, second = (
                    _gradients(work, goal, picture)
                    for work, goal in zip(self._works, targets, strict=True)
                )
                cosines = {part: cosine(first.get(part), second.get(part)) for part in PARTS}
                found.append(Agreement(max(scale.height, scale.width), place, **cosines))
        return found

    def seconds(self, rounds: int) -> dict[str, float]:
        """Seconds of one whole gradient at the full size, the median of some taken in turn.

        Returns:
            `reference`, `other`, and `ratio`: the first over the second.
        """
        from benchmarks.turns import alternate

        taken = alternate(dict(zip(self.settings, map(_step, self._works), strict=True)), rounds)
        medians = {name: statistics.median(each) for name, each in taken.items()}
        return {**medians, "ratio": medians["reference"] / medians["other"]}

    def pictures(self) -> Iterator[tuple[Scale, dict[str, np.ndarray]]]:
        """Each size of the reference's run, with the picture that it has at each place."""
        steps: list[Step] = []
        self._painter.paint(self._scene, callback=steps.append)
        for scale in self._scene.scales:
            own = [step for step in steps if step.scale == scale.number]
            # A run that is no longer finite ends early.
            if own:
                yield scale, {place: own[round(share * (len(own) - 1))].image()
                              for place, share in PLACES.items()}


def compare(
    reference: Settings, other: Settings, content: Picture, style: Picture | PictureFile
) -> list[Agreement]:
    """How far the gradients of two networks agree along a run of the reference: `Comparison`."""
    return Comparison(reference, other, content, style).agreements()


def cosine(first: np.ndarray | None, second: np.ndarray | None) -> float | None:
    """The cosine of the angle between two arrays; `None` where one is missing or zero."""
    if first is None or second is None:
        return None
    first, second = (each.astype(np.float64).ravel() for each in (first, second))
    lengths = np.linalg.norm(first) * np.linalg.norm(second)
    return float(first @ second / lengths) if lengths else None


def mean(agreements: Iterable[Agreement]) -> dict[str, float | None]:
    """The mean of each cosine, over those that there are."""
    agreements = list(agreements)
    found = {part: [getattr(each, part) for each in agreements] for part in PARTS}
    known = {part: [each for each in values if each is not None]
             for part, values in found.items()}
    return {part: statistics.fmean(values) if values else None for part, values in known.items()}


def means(agreements: Sequence[Agreement]) -> list[dict[str, Any]]:
    """The mean at each size and place, over each size, over each place, and over all."""
    return [
        {"size": size, "place": place, **mean(
            each for each in agreements
            if size in (each.size, MEAN) and place in (each.place, MEAN)
        )}
        for size in [*sorted({each.size for each in agreements}), MEAN]
        for place in [*PLACES, MEAN]
    ]


def table(rows: Iterable[Mapping[str, Any]]) -> str:
    """`means` as a Markdown table."""
    lines = [f"| size | place | {' | '.join(PARTS)} |", "|---|---|" + "---|" * len(PARTS)]
    for row in rows:
        shown = ["–" if row[part] is None else f"{row[part]:.3f}" for part in PARTS]
        lines.append(f"| {row['size']} | {row['place']} | {' | '.join(shown)} |")
    return "\n".join(lines)


def _reference_painter(settings: Settings) -> Painter:
    """Its painter; an error names the flags of the reference."""
    from tf_style.run.painter import Painter

    try:
        return Painter(settings.replace(precision="float32"))
    except InputError as error:
        raise InputError(error.flags.replace("--weights", "--reference_weights")) from None


def _gradients(
    work: Work, targets: Mapping[str, Any], picture: np.ndarray
) -> dict[str, np.ndarray]:
    """Part of the objective → its gradient with respect to the picture; `whole` is their sum."""
    import tensorflow as tf

    objective = work.descent.objective
    image = tf.constant(picture[None], tf.float32)
    found = {}
    for part in dict.fromkeys(term.part for term in objective.terms):
        own = {term.key: targets[term.key] for term in objective.terms
               if term.part == part and term.key in targets}
        if own:
            found[part] = objective.value_and_gradient(image, own)[2].numpy()
    return {**found, "whole": sum(found.values())}


def _step(work: Work) -> Callable[[], np.ndarray]:
    """A function that computes one whole gradient at the full size."""
    import tensorflow as tf

    content, styles = work.prepared.at(work.prepared.scales[-1])
    targets = work.descent.objective.targets(content, styles, regions=work.prepared.regions)
    image, first = tf.constant(content[None]), tf.constant(0)
    return lambda: work.descent.value_and_gradient(image, targets, first, 0)[2].numpy()


@dataclasses.dataclass(frozen=True, kw_only=True)
class GradientsOptions(CommonOptions):
    """The options of this program."""

    reference_weights: str | None = option(
        File("NAME|FILE"), None, "of the network that makes the picture"
    )
    reference_network: str = option(Word(NETWORKS), "vgg16", "the network that makes the picture")
    network: str | None = option(
        Settings.option("network").type, None,
        "the network that is compared with it, as are the next five flags: "
        f"{', '.join(NETWORKS)}, or a saved Keras model file",
    )
    weights: str | None = option(
        Settings.option("weights").type, None, Settings.option("weights").help
    )
    content_layers: Mapping[str, float] | None = option(
        Settings.option("content_layers").type, None, "default: those of tf_style; of a saved "
        "model, those of the reference",
    )
    style_layers: Mapping[str, float] | None = option(
        Settings.option("style_layers").type, None, "likewise"
    )
    content_weight: float | None = option(
        Settings.option("content_weight").type, None, Settings.option("content_weight").help
    )
    style_weight: float | None = option(
        Settings.option("style_weight").type, None, Settings.option("style_weight").help
    )
    pair: tuple[str, ...] = option(
        Texts("CONTENT,STYLE"), (), "content and style picture; may be given several times; "
        "default: two pairs of samples",
    )
    size: int = option(whole(8, 32768), 512, "long side of the full size, in pixels")
    scales: int | str = option(
        Settings.option("scales").type, AUTO, "how many sizes, coarse to fine, as in tf_style"
    )
    rounds: int = option(whole(1), 5, "how many gradients of each network are timed")
    output: str | None = option(File(), None, "write the figures as JSON")

    def reference(self) -> Settings:
        """The settings of the reference."""
        return Settings(size=self.size, scales=self.scales, network=self.reference_network,
                        weights=self.reference_weights)

    def other(self) -> Settings:
        """The settings of the network that is compared with it.

        A saved model, which has no default layers, is taken to have the reference's.
        """
        names = ("network", "weights", "content_layers", "style_layers", "content_weight",
                 "style_weight")
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        if given.get("network", NETWORKS[0]) not in NETWORKS:
            from tf_style.network.choice import choose

            resolved = choose(self.reference())[0]
            given = {"content_layers": resolved.content_layers,
                     "style_layers": resolved.style_layers, **given}
        return Settings(size=self.size, scales=self.scales, **given)

    def pairs(self) -> dict[str, tuple[np.ndarray, PictureFile]]:
        """The content and the style of each pair."""
        sides = needed_sides(self.reference())
        found = {}
        for pair in self.pair or PAIRS:
            names = pair.split(",")
            if len(names) != 2:
                raise InputError(f"--pair={pair}: expected two pictures, such as "
                                 "--pair=photo.jpg,painting.jpg")
            found[pair] = (read_picture(names[0], side=sides[0]),
                           PictureFile.of(names[1], side=sides[1]))
        return found

    def files(self) -> list[str]:
        """All files that are read."""
        words = (None, AUTO, *NETWORKS, *WEIGHTS)
        return [*(name for pair in self.pair or PAIRS for name in pair.split(",")),
                *(name for name in (self.reference_weights, self.network, self.weights)
                  if name not in words)]


def gradients(line: CommandLine) -> int:
    """Compare two networks on each pair, and print a table."""
    line = placed(COMMAND, line)
    options = line.options(GradientsOptions)
    require(options, reference_weights="vgg16.h5")
    pairs = options.pairs()
    reference, other = options.reference(), options.other()
    if options.output:
        check_apart({"output": check_writable(options.output)},
                    [*options.files(), *line.flagfiles])
    with tensorflow_quiet(options.verbose):
        from benchmarks import record
    agreements: dict[str, list[Agreement]] = {}
    for pair, (content, style) in pairs.items():
        if not options.quiet:
            say(f"{PROGRAM}: {pair}")
        comparison = Comparison(reference, other, content, style)
        agreements[pair] = comparison.agreements()
    rows = means([each for found in agreements.values() for each in found])
    seconds = comparison.seconds(options.rounds)
    answer(f"{table(rows)}\n\nOne gradient at {options.size} pixels: reference "
           f"{seconds['reference']:.3f} s, other {seconds['other']:.3f} s, ratio "
           f"{seconds['ratio']:.2f}.", whole=True)
    if options.output:
        with writing():
            record.write(options.output, {
                **{name: settings.as_dict() for name, settings in comparison.settings.items()},
                "seconds": seconds, "means": rows,
                "pairs": {pair: [dataclasses.asdict(each) for each in found]
                          for pair, found in agreements.items()},
            })
    return DONE


COMMAND = Command(PROGRAM, USAGE, (GradientsOptions,), gradients)


if __name__ == "__main__":
    sys.exit(guarded(COMMAND, None))
