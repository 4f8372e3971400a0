"""The command `tf_style_explain`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tf_style.commands.exits import DONE, say, tensorflow_quiet
from tf_style.commands.flags import answered, parse, refuse
from tf_style.commands.outputs import check_apart
from tf_style.settings import AUTO, EXPLAIN_OPTIONS, WEIGHTS, InputError, Settings

EXPLAIN_USAGE = """\
Draw why it works: feature maps, what each layer keeps, and where each pulls the picture.

  tf_style_explain --content=FILE --style=FILE [--generated=FILE] --output=FOLDER
"""


def explain(argv: list[str]) -> int:
    values, positional = parse("tf_style_explain", EXPLAIN_OPTIONS, argv)
    if answered(values, EXPLAIN_USAGE, EXPLAIN_OPTIONS):
        return DONE
    refuse(positional)
    for name, example in (("content", "FILE"), ("style", "FILE"), ("output", "FOLDER")):
        if not values.get(name):
            raise InputError(f"--{name}: expected a value, such as --{name}={example}")
    chosen = {option.name: values.get(option.name, option.default) for option in EXPLAIN_OPTIONS}
    settings = Settings(**{name: chosen[name] for name in ("size", "steps", "weights", "offline")})
    from tf_style.image import files
    from tf_style.network import weights
    from tf_style.network.architectures import ARCHITECTURES
    from tf_style.network.choice import choose, known_weights
    from tf_style.run import schedule
    from tf_style.view import figures, plotting

    network = ARCHITECTURES["vgg16"]
    layers = [name.strip() for name in chosen["layers"].split(",")]
    layers = [] if layers == [AUTO] else list(dict.fromkeys(layers))
    network.check(layers, "layers")
    known, choices = choose(settings, known_weights)
    source = choices["style"].weights
    needed = network.up_to([*layers, *known.content_layers, *known.style_layers])
    inputs = [values[name] for name in ("content", "style", "generated") if values.get(name)]
    content, style, *generated = (files.read_picture(name) for name in inputs)
    for picture in (content, *generated):
        schedule.plan(settings, picture.shape[:2], {values["style"]: style.shape[:2]},
                      needed[-1].stride)
    inputs += values["flagfile"]
    if source not in (None, *WEIGHTS):
        weights.load(network, needed, source)
        inputs.append(source)
    outputs = _check_folder(values["output"], [f"{name}.png" for name in figures.NAMES], inputs)
    with tensorflow_quiet(values.get("verbose", False)):
        from tf_style.view.inspection import inspect
    quiet = values.get("quiet", False)
    drawn = figures.plot_inspection(inspect(
        content, style, settings, generated=generated[0] if generated else None, layers=layers,
        watch=(lambda stage: None) if quiet else say,
    ))
    outputs[0].parent.mkdir(exist_ok=True)
    for path, figure in zip(outputs, drawn.values(), strict=True):
        plotting.write_figure(path, figure)
        if not quiet:
            print(path)
    return DONE


def _check_folder(folder: str, names: Iterable[str], inputs: Sequence[str]) -> list[Path]:
    """The files of these names in a folder that is there or can be made.

    Raises:
        InputError: if they cannot be written, or one would replace an input.
    """
    from tf_style.image.files import check_writable

    if Path(folder).is_file():
        raise InputError(f"--output={folder}: expected a folder, this is a file")
    paths = [Path(folder, name) for name in names]
    for path in paths:
        check_writable(path if path.parent.is_dir() else path.parent)
        check_apart({"output": path}, inputs)
    return paths
