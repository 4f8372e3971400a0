"""What the arguments without a flag stand for: content, style and output."""

from __future__ import annotations

import os
from collections.abc import Sequence

from tf_style.commands.command import CommandLine
from tf_style.commands.foreign import is_there
from tf_style.commands.stylize_options import StylizeOptions
from tf_style.image.samples import PREFIX
from tf_style.settings import AUTO, InputError, Settings

# All that LiteRT paints with.
_OF_LITE = {"device": "cpu", "precision": "float32"}


def check_painter(line: CommandLine) -> None:
    """Check that a --model is one, before anything that follows from there being one.

    Raises:
        InputError: if not, or if it cannot paint as it is asked to.
    """
    from tf_style.transfer.samples import ENDING, check_model

    model = line.given.get("model")
    if not model:
        return
    path = check_model("model", Settings.option("model").parse(model))
    # A record or a cluster's settings say what others were painted with.
    for name in _OF_LITE.keys() & line.typed if path.suffix == ENDING else ():
        wanted = str(line.given[name])
        if wanted.lower().removesuffix(":0") not in (AUTO, _OF_LITE[name]):
            raise InputError(f"--{name}={wanted}: a .tflite file paints with "
                             f"--{name}={_OF_LITE[name]}. Leave it out, or take the .keras file")


def places_of_run(
    options: StylizeOptions, places: Sequence[str]
) -> tuple[str | None, tuple[str, ...], str | None]:
    """Content, styles and output, each from its flag or its position."""
    if len(places) > 3 and is_there(places[1]) and not (
            places[0] == "none" or is_there(places[0])):
        # Out of habit, people begin with what is to be done.
        raise InputError(f"{places[0]!r}: expected a picture, there is no such file. Expected at "
                         "most CONTENT STYLE OUTPUT")
    if len(places) > 3:
        raise InputError(
            f"{places[3]!r}: expected at most CONTENT STYLE OUTPUT. Write flags as "
            "--flag=value, and patterns in quotes: --content='photos/*.jpg'"
        )
    # A stray word is usually a flag's value after a stray space.
    if len(places) == 1 and not (options.style and not options.content and is_there(places[0])):
        hint = ("two pictures: tf_style CONTENT STYLE" if not (options.content and options.style)
                else f"--output={places[0]}" if not options.output
                else "--style=FILE again for another style")
        raise InputError(f"{places[0]!r}: expected --flag=value, or {hint}")
    for name, stray in zip(("content", "style", "output"), places, strict=False):
        if getattr(options, name):
            hint = _instead(options, stray) if name == "style" else ""
            raise InputError(f"{stray!r}: --{name} is given already{hint}")
    content, style, output = [
        each and StylizeOptions.option("content").type.parse(name, each)
        for name, each in zip(("content", "style", "output"), [*places, None, None, None],
                              strict=False)
    ]
    content = content or options.content
    styles = (style,) if style else options.style
    for name, value in (("content", content), ("style", styles)):
        if not value:
            raise InputError(f"--{name}: expected a picture, such as --{name}=FILE. Pictures that "
                             "come with tf_style: tf_style --list_samples")
    return None if content == "none" else content, styles, output or options.output


def _instead(options: StylizeOptions, stray: str) -> str:
    """What to do with what stands in the place of a style that has a flag; empty if unknown."""
    if not is_there(stray):
        return "" if options.output else f". The result is --output={stray}"
    both = " ".join(f"--style={each}" for each in (stray, *options.style))
    return (f". If it is the result: --output={stray}. For several styles, give each with its "
            f"flag, and the result, too: {both} --output=FILE")


def places_of_model(
    options: StylizeOptions, model: str, places: Sequence[str], *, replaces: bool = True
) -> tuple[str, tuple[str, ...], str | None]:
    """Content, what to name results by, and output, where a network paints.

    Args:
        replaces: whether an output that exists is replaced.
    """
    if options.style:
        raise InputError("--style: a --model has its own style, the one it was trained for. Leave "
                         "out one of them")
    if len(places) > 2:
        raise InputError(f"{places[2]!r}: with --model expected at most CONTENT OUTPUT")
    names = [name for name in ("content", "output") if not getattr(options, name)]
    if len(places) > len(names):
        given = "content" if options.content else "output"
        raise InputError(f"{places[-1]!r}: --{given} is given already")
    found = {name: StylizeOptions.option(name).type.parse(name, place)
             for name, place in zip(names, places, strict=False)}
    content = found.get("content", options.content)
    if not content or content == "none":
        raise InputError("--content: expected a picture, such as --content=FILE")
    output = found.get("output")
    if output and os.path.isfile(output) and replaces and not options.skip_existing:
        # Out of habit, people write CONTENT STYLE.
        raise InputError(f"{output}: with --model the second name is the output, and this file "
                         f"exists already. To replace it: --output={output}")
    if output and output.startswith(PREFIX):
        raise InputError(f"{output}: with --model the second name is the output, and no style is "
                         "given. Leave it out")
    return content, (model,), output or options.output
