"""The command `tf_style_explain`."""

from __future__ import annotations

import dataclasses
import time
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tf_style.commands import status
from tf_style.commands.command import (
    Command,
    CommandLine,
    CommonOptions,
    placed,
    require,
)
from tf_style.commands.display import mention, printable, say
from tf_style.commands.drawing import count, minutes
from tf_style.commands.exits import DONE, INTERRUPTED, tensorflow_quiet
from tf_style.commands.outputs import check_apart, writing
from tf_style.settings import AUTO, InputError, Note, Settings
from tf_style.settings.option import File, Files, Text, option
from tf_style.settings.size import Size, SizeType

if TYPE_CHECKING:
    import numpy as np

    from tf_style.run.scene import Scene

USAGE = """\
Draw why it works: feature maps, what each layer keeps, and where each pulls the picture.

  tf_style_explain CONTENT STYLE [GENERATED] -o FOLDER [--flag=value ...]
  tf_style_explain --content=FILE --style=FILE [--generated=FILE] --output=FOLDER

It also takes the flags of tf_style, and explains a run with them.
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExplainOptions(CommonOptions):
    """The options of `tf_style_explain` besides those of a run."""

    content: str | None = option(File(), None, "content picture, or sample:NAME")
    style: tuple[str, ...] = option(
        Files(), (), "style picture, sample:NAME or library:NAME; give it again to blend several"
    )
    content_mask: tuple[str, ...] = option(
        Files(), (), "for each style, in order: where in the content it goes"
    )
    style_mask: tuple[str, ...] = option(
        Files(), (), "for each style, in order: which parts of it count; default: what is "
        "not transparent"
    )
    protect: str | None = option(
        File(), None, "part of the content to keep more faithfully, such as a face"
    )
    generated: str | None = option(
        File(), None, "the picture made of both; default: one is made"
    )
    output: str | None = option(
        File("FOLDER"), None, "folder for the figures, made if it is missing"
    )
    layers: str = option(
        Text("NAME,NAME,…"), AUTO, "layers to show; auto: those of a run"
    )
    size: Size = option(
        SizeType(), 256, "long side, in pixels, at which the pictures are examined; if it is not "
        "given, at most the content's own; original: the content's own",
    )


def explain(line: CommandLine) -> int:
    """Inspect a run and draw what was found."""
    line = placed(COMMAND, line)
    options = line.options(ExplainOptions)
    require(options, content="FILE", style="FILE", output="FOLDER")
    settings = line.options(Settings, size=options.size)
    if "size" not in line.given:
        settings = settings.replace(size=_not_enlarged(options, settings))
    from tf_style.image.picture import read_picture
    from tf_style.network import weights
    from tf_style.network.choice import check_weights, choose
    from tf_style.run.scene import INITS, Scene, starts_by_network
    from tf_style.run.schedule import plan
    from tf_style.show import figures, plotting

    if starts_by_network(settings):
        raise InputError(f"--init={settings.init}: a network starts a run of tf_style alone. Leave "
                         "it out")
    layers = [name.strip() for name in options.layers.split(",")]
    layers = [] if layers == [AUTO] else list(dict.fromkeys(layers))
    known, choices = choose(settings, weights.settle_known)
    looking = [
        dataclasses.replace(choice, content=dict.fromkeys([*choice.names, *layers]), style={})
        for choice in choices
    ]
    for choice in looking:
        if choice.architecture:
            choice.architecture.check(layers, "layers")
    least = max(choice.least_size for choice in looking)
    scene = Scene.of(
        known, options.content, list(options.style), options.content_mask, options.style_mask,
        protect=options.protect, least=least,
    )
    generated = (
        read_picture(options.generated, max_pixels=settings.max_pixels)
        if options.generated else None
    )
    if generated is not None:
        plan(known, generated.shape[:2],
             [(style.name, style.picture.shape[:2]) for style in scene.styles], least)
    check_weights(looking)
    inputs = [options.content, *options.style, *options.content_mask, *options.style_mask]
    inputs += [each for each in (options.protect, options.generated) if each]
    inputs += [] if settings.init in (AUTO, *INITS) else [settings.init]
    inputs += [*line.flagfiles, *(name for choice in choices for name in choice.files)]
    outputs = _check_folder(options.output, [f"{name}.png" for name in figures.NAMES], inputs)
    opaque = all(style.alpha is None for style in scene.styles)
    line.tell()
    with tensorflow_quiet(options.verbose):
        from tf_style.measure.inspection import inspect
        from tf_style.run import machine
    # Of a device that is not there, one line tells.
    machine.resolve(settings)
    _tell_enlarged(scene, options.generated, generated)
    began = time.perf_counter()
    drawn = figures.plot_inspection(inspect(
        scene.content, [style.picture for style in scene.styles], settings, generated=generated,
        layers=layers, content_masks=options.content_mask, protect=options.protect,
        style_masks=options.style_mask if opaque else [style.counted() for style in scene.styles],
        watch=status.show,
    ))
    line.signals.keep()
    status.show("drawing")
    with writing():
        outputs[0].parent.mkdir(parents=True, exist_ok=True)
    for path, figure in zip(outputs, drawn.values(), strict=True):
        if line.signals:
            return INTERRUPTED
        with writing():
            plotting.write_figure(path, figure)
        if not options.quiet:
            mention(printable(path))
    status.hide()
    if not options.quiet:
        say(f"tf_style_explain: {count(len(outputs), 'figure')} in "
            f"{minutes(time.perf_counter() - began)}")
    return DONE


def _not_enlarged(options: ExplainOptions, settings: Settings) -> Size:
    """The long side that is looked at, or the content's own if that is smaller."""
    from tf_style.image.picture import read_size

    side = max(read_size(options.content, settings.max_pixels))
    return Size(max(8, min(options.size.long_side, side)))


def _tell_enlarged(scene: Scene, name: str | None, generated: np.ndarray | None) -> None:
    """Say which pictures are looked at larger than they are."""
    full = scene.scales[-1]
    side = max(full.height, full.width)
    shown = [("the content", scene.content, side), (name, generated, side)]
    shown += [(style.name, style.picture, seen)
              for style, seen in zip(scene.styles, full.sides(len(scene.styles)), strict=True)]
    for each, picture, seen in shown:
        if picture is not None and max(picture.shape[:2]) < seen:
            height, width = picture.shape[:2]
            warnings.warn(f"{each}: enlarged from {width}x{height} to a long side of {seen} pixels",
                          Note, stacklevel=2)


def _check_folder(folder: str, names: Iterable[str], inputs: Sequence[str]) -> list[Path]:
    """The files with these names in a folder that exists or can be created.

    Raises:
        InputError: if they cannot be written, or one would replace an input.
    """
    from tf_style.image.paths import check_writable

    if Path(folder).is_file():
        raise InputError(f"--output={folder}: expected a folder, this is a file")
    paths = [Path(folder, name) for name in names]
    for path in paths:
        check_writable(path)
        check_apart({"output": path}, inputs)
    return paths


COMMAND = Command(
    "tf_style_explain", USAGE, (ExplainOptions, Settings), explain,
    places=("content", "style", "generated"),
    needed=("content", "style", "generated", "output", "layers", "size", "preset", "network",
            "weights", "content_layers", "style_layers", "offline"),
    examples=("tf_style_explain sample:harbor sample:waves -o why",
              "tf_style_explain photo.jpg painting.jpg result.png -o why --preset=strokes"),
)
