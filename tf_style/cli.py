"""The commands: flags, checks, exit codes.

`tf_style`, `tf_style_evaluate`, `tf_style_learn`, `tf_style_explain`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import itertools
import json
import math
import os
import random
import signal
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

import tf_style
from tf_style.settings import (
    AUTO,
    COMMAND_OPTIONS,
    EVALUATE_OPTIONS,
    EXPLAIN_OPTIONS,
    LEARN_OPTIONS,
    WEIGHTS,
    InputError,
    Option,
    Settings,
)

if TYPE_CHECKING:
    import numpy as np

    from tf_style.run.schedule import Scale
    from tf_style.run.stylizer import Result, Step
    from tf_style.view.metrics import Evaluation

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

STYLIZE_USAGE = """\
Paint a content picture in the style of another picture.

  tf_style CONTENT STYLE [OUTPUT] [--flag=value ...]
  tf_style --content=FILE --style=FILE [--output=FILE] [--flag=value ...]
"""
EVALUATE_USAGE = """\
Measure how well pictures took over a style, and how much content they kept.

  tf_style_evaluate --content=FILE --style=FILE --generated=FILE [--generated=FILE ...]
"""

LEARN_USAGE = """\
Learn a network's features from pictures of your own, without labels.

  tf_style_learn --pictures=FOLDER --output=my.weights.h5
  tf_style --weights=my.weights.h5 CONTENT STYLE
"""

EXPLAIN_USAGE = """\
Draw why it works: feature maps, what each layer keeps, and where each pulls the picture.

  tf_style_explain --content=FILE --style=FILE [--generated=FILE] --output=FOLDER
"""


def main(argv: Sequence[str] | None = None) -> None:
    """The command `tf_style`."""
    sys.exit(_guarded("tf_style", _stylize, argv))


def evaluate(argv: Sequence[str] | None = None) -> None:
    """The command `tf_style_evaluate`."""
    sys.exit(_guarded("tf_style_evaluate", _evaluate, argv))


def learn(argv: Sequence[str] | None = None) -> None:
    """The command `tf_style_learn`."""
    sys.exit(_guarded("tf_style_learn", _learn, argv))


def explain(argv: Sequence[str] | None = None) -> None:
    """The command `tf_style_explain`."""
    sys.exit(_guarded("tf_style_explain", _explain, argv))


def _guarded(
    program: str, command: Callable[[list[str]], int], argv: Sequence[str] | None
) -> int:
    """Run a command; turn what stops it into one line on stderr and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding lacks is no reason to fail.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = lambda message, *_, **__: _say(f"{program}: {message}")
        try:
            return command(list(sys.argv[1:] if argv is None else argv))
        except InputError as error:
            _say(f"{program}: {error}")
            return BAD_INPUT
        except KeyboardInterrupt:
            _say(f"{program}: stopped; nothing was written")
            return INTERRUPTED
        except MemoryError:
            _say(f"{program}: not enough memory; try a smaller --size")
            return FAILED
        except BrokenPipeError:
            # Whoever read our output has gone. Python would complain again when it exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FAILED


def _say(text: str) -> None:
    print(" ".join(text.split("\n")), file=sys.stderr, flush=True)


# Flags ------------------------------------------------------------------------------------------


def _parse(program: str, options: Sequence[Option], argv: list[str]) -> tuple[dict, list[str]]:
    """The flags that were given, by name, and the arguments that are no flags.

    What the command line gives replaces what presets and flagfiles give, wherever it stands; the
    names of these are the value of `flagfile`.
    """
    defaults, given = _split_off_files(argv)
    values: dict[str, Any] = {"flagfile": [name for name, _ in defaults]}
    for origin, arguments in (*defaults, ("", given)):
        found, positional = _parse_some(program, options, arguments, origin)
        values.update(found)
    return values, positional


def _parse_some(
    program: str, options: Sequence[Option], arguments: list[str], origin: str
) -> tuple[dict[str, Any], list[str]]:
    where = f"{origin}: " if origin else ""
    values = flags.FlagValues()
    values.set_gnu_getopt(True)
    for option in options:
        define = {"bool": flags.DEFINE_boolean, "list": flags.DEFINE_multi_string}.get(
            option.kind, flags.DEFINE_string
        )
        define(option.name, None, option.help, flag_values=values)
    try:
        positional = values([program, *arguments])[1:]
    except flags.UnrecognizedFlagError as error:
        known = [option.name for option in options]
        near = difflib.get_close_matches(error.flagname, known, n=1)
        hint = f" Did you mean --{near[0]}?" if near else ""
        raise InputError(
            f"{where}--{error.flagname}: there is no such flag.{hint} All flags: {program} --help"
        ) from None
    except flags.Error as error:
        raise InputError(f"{where}{error}") from None
    if origin and positional:
        raise InputError(f"{where}expected one --flag=value a line. Received: {positional[0]!r}")
    found = {option.name: values[option.name].value for option in options
             if values[option.name].present}
    for name, value in found.items():
        if value == "" or (isinstance(value, list) and "" in value):
            raise InputError(f"{where}--{name}: expected a value. Received none")
    return found, positional


def _split_off_files(argv: list[str]) -> tuple[list[tuple[str, list[str]]], list[str]]:
    """The (name, flags) of each preset and flagfile in `argv`, and what is left of it."""
    files, rest = [], []
    arguments = iter(argv)
    for argument in arguments:
        if argument == "--":
            rest += [argument, *arguments]
            break
        name, equals, value = argument.lstrip("-").partition("=")
        if argument.startswith("-") and name == "undefok":
            # absl's own way to let unknown flags pass.
            raise InputError("--undefok: there is no such flag")
        if not argument.startswith("-") or name not in ("preset", "flagfile"):
            rest.append(argument)
            continue
        if not equals:
            value = next(arguments, "")
        if not value:
            raise InputError(f"--{name}: expected a {'name' if name == 'preset' else 'file'}")
        path = _preset_path(value) if name == "preset" else Path(value)
        files += _read_flagfile(path, ())
    return files, rest


def _read_flagfile(path: Path, within: tuple[Path, ...]) -> list[tuple[str, list[str]]]:
    if path.resolve() in within:
        raise InputError(f"--flagfile={path}: names itself")
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text file"
        raise InputError(
            f"--flagfile={path}: cannot be read ({reason}). Presets: "
            f"{', '.join('--preset=' + name for name in _presets())}"
        ) from None
    files, own = [], []
    for line in lines:
        name, _, value = line.lstrip("-").partition("=")
        if line.startswith("-") and name in ("preset", "flagfile"):
            nested = _preset_path(value) if name == "preset" else path.parent / value
            files += _read_flagfile(nested, (*within, path.resolve()))
        elif line and not line.startswith(("#", "//")):
            own.append(line)
    return [*files, (os.fspath(path), own)]


def _preset_folders() -> tuple[Path, ...]:
    package = Path(tf_style.__file__).parent
    return package / "flags", package.parent / "flags"


def _presets() -> list[str]:
    return sorted({file.stem for folder in _preset_folders() for file in folder.glob("*.flags")})


def _preset_path(name: str) -> Path:
    for folder in _preset_folders():
        if (folder / f"{name}.flags").is_file():
            return folder / f"{name}.flags"
    raise InputError(f"--preset={name}: there is no such preset. All: {', '.join(_presets())}")


def _help(usage: str, options: Sequence[Option]) -> str:
    lines = [usage]
    for option in options:
        form = option.form or {"int": "N", "float": "X", "bool": ""}.get(option.kind, "NAME")
        form = "|".join(option.choices) or form
        shown = option.default is not None and option.default is not False
        default = f" (default: {option.default})" if shown else ""
        lines.append(f"  --{option.name}{'=' if form else ''}{form}")
        lines += textwrap.wrap(option.help + default, 88, initial_indent=" " * 6,
                               subsequent_indent=" " * 6, break_on_hyphens=False)
    return "\n".join(lines)


def _answered(values: Mapping[str, Any], usage: str, options: Sequence[Option]) -> bool:
    """Whether the flags ask no more than --help or --version; prints the answer."""
    if values.get("help"):
        print(_help(usage, options))
    elif values.get("version"):
        print(f"tf_style {tf_style.__version__}")
    else:
        return False
    return True


def _refuse(positional: Sequence[str]) -> None:
    if positional:
        raise InputError(f"{positional[0]!r}: expected --flag=value. All flags: --help")


# tf_style ---------------------------------------------------------------------------------------


def _stylize(argv: list[str]) -> int:
    options = (*COMMAND_OPTIONS, *Settings.options())
    values, positional = _parse("tf_style", options, argv)
    if _answered(values, STYLIZE_USAGE, options):
        return DONE
    if values.get("list_samples"):
        _list_samples()
        return DONE
    if values.get("list_layers"):
        _list_layers(values.get("network", "vgg16"))
        return DONE
    names = {field.name for field in dataclasses.fields(Settings)}
    settings = Settings(**{name: value for name, value in values.items() if name in names})
    job = _Job.check(values, positional, settings)
    with _tensorflow_quiet(values.get("verbose", False)):
        from tf_style.run.stylizer import Stylizer
    return job.run(Stylizer, settings, quiet=values.get("quiet", False))


def _list_samples() -> None:
    from tf_style.image import samples

    for title, group in (("content", samples.CONTENT_SAMPLES), ("style", samples.STYLE_SAMPLES)):
        print(f"{title}:")
        for name, text in group.items():
            print(f"  {samples.PREFIX}{name:16} {text}")


def _list_layers(network: str) -> None:
    from tf_style.network.architectures import ARCHITECTURES

    if network not in ARCHITECTURES:
        with _tensorflow_quiet(False):
            from tf_style.network.features import load_model
        for layer in load_model(network).layers:
            print(layer.name)
        return
    print(f"{'layer':14} channels  stride  sees (pixels)")
    for layer in ARCHITECTURES[network].layers:
        print(f"{layer.name:14} {layer.channels:8} {layer.stride:7} {layer.field:14}")


@dataclasses.dataclass(frozen=True)
class _Job:
    """What the flags ask for, checked as far as it can be without TensorFlow."""

    content_name: str
    style_names: tuple[str, ...]
    content: np.ndarray
    styles: tuple[np.ndarray, ...]
    output: Path
    report: Path | None
    profile: Path | None
    plan: tuple[Scale, ...]

    @classmethod
    def check(cls, values: Mapping[str, Any], positional: list[str], settings: Settings) -> _Job:
        from tf_style.image import files
        from tf_style.network import weights
        from tf_style.network.architectures import ARCHITECTURES
        from tf_style.run import schedule

        content_name, style_names, output = _pictures(values, positional)
        # What `auto` stands for may take a download to know; a file in the environment does not.
        source = settings.weights
        if source == AUTO:
            source = weights.environment_file() if settings.network in ARCHITECTURES else None
        known = settings.for_weights(source or AUTO, learned=weights.are_learned(source))
        layers = [*known.content_layers, *known.style_layers]
        least = 1
        if settings.network in ARCHITECTURES:
            architecture = ARCHITECTURES[settings.network]
            architecture.check(known.content_layers, "content_layers")
            architecture.check(known.style_layers, "style_layers")
            least = architecture.least_size(layers)
        elif not Path(settings.network).is_file():
            raise InputError(
                f"--network={settings.network}: expected {', '.join(ARCHITECTURES)} or a saved "
                "Keras model. There is no such file"
            )
        inputs = [content_name, *style_names, *values["flagfile"]]
        inputs += [name for name in (source, settings.network)
                   if name not in (None, *WEIGHTS, *ARCHITECTURES)]
        output = (files.check_output(output) if output
                  else _new_name(content_name, style_names))
        files.check_writable(output)
        report = values.get("report")
        report = files.check_writable(report) if report else None
        profile = Path(values["profile"]) if values.get("profile") else None
        if profile and (profile.is_file() or not profile.absolute().parent.is_dir()):
            raise InputError(f"--profile={profile}: expected a folder, or a new name in one")
        _check_apart({"output": output, "report": report, "profile": profile}, inputs)
        content, *styles = (files.read_picture(name) for name in (content_name, *style_names))
        plan = schedule.plan(
            settings,
            content.shape[:2],
            {name: style.shape[:2] for name, style in zip(style_names, styles, strict=True)},
            least,
        )
        files.check_dimensions(output, plan[-1].height, plan[-1].width)
        if settings.network in ARCHITECTURES and source not in (None, *WEIGHTS):
            weights.load(architecture, architecture.up_to(layers), source)
        return cls(content_name, style_names, content, tuple(styles), output, report, profile, plan)

    def run(self, stylizer_class: type, settings: Settings, *, quiet: bool) -> int:
        from tf_style.view.report import report, write_report

        stylizer = stylizer_class(settings)
        progress = None if quiet else _Progress(self.plan)
        profiler = _Profiler(self.profile) if self.profile else None
        with _interrupt() as interrupted, _closed(progress), _closed(profiler):
            def callback(step: Step) -> bool:
                for watcher in (progress, profiler):
                    if watcher:
                        watcher.show(step)
                return bool(interrupted)

            result: Result = stylizer.stylize(self.content, self.styles, callback=callback)
        try:
            result.save(self.output)
            if self.report:
                write_report(self.report, report(
                    result, content=self.content_name, style=self.style_names,
                    output=os.fspath(self.output),
                ))
        except InputError as error:
            # What could be written when the run began cannot any more: no fault of the input.
            _say(f"tf_style: {error}")
            return FAILED
        if not quiet:
            print(self.output)
        if result.stopped == "not finite":
            return FAILED
        if interrupted:
            _say(f"tf_style: stopped after {len(result.history)} steps; the picture so far is in "
                 f"{self.output}")
            return INTERRUPTED
        return DONE


def _pictures(
    values: Mapping[str, Any], positional: list[str]
) -> tuple[str, tuple[str, ...], str | None]:
    """Content, styles and output, each from its flag or from its place."""
    if len(positional) > 3:
        raise InputError(
            f"{positional[3]!r}: expected at most CONTENT STYLE OUTPUT. Flags are written "
            "--flag=value"
        )
    # A stray word is most often a flag's value behind a space too many.
    if len(positional) == 1:
        raise InputError(
            f"{positional[0]!r}: expected --flag=value, or two pictures: tf_style CONTENT STYLE"
        )
    for name, stray in zip(("content", "style", "output"), positional, strict=False):
        if values.get(name):
            raise InputError(f"{stray!r}: --{name} is given already")
    content, style, output = [*positional, None, None, None][:3]
    content = content or values.get("content")
    styles = (style,) if style else tuple(values.get("style") or ())
    for name, value in (("content", content), ("style", all(styles) and styles)):
        if not value:
            raise InputError(f"--{name}: expected a picture, such as --{name}=FILE. Pictures that "
                             "come with tf_style: tf_style --list_samples")
    return content, styles, output or values.get("output")


def _new_name(content: str, styles: Iterable[str]) -> Path:
    """A name that is not taken, beside the content; for samples, in the working folder."""
    stems = [Path(name.partition(":")[2] if name.startswith("sample:") else name).stem
             for name in (content, *styles)]
    folder = Path() if content.startswith("sample:") else Path(content).parent
    # File systems take names of 255 bytes.
    stem = "_".join(stem[:50] for stem in stems[:4])
    path, number = folder / f"{stem}.png", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}_{number}.png"
    return path


def _check_apart(outputs: Mapping[str, Path | None], inputs: Iterable[str]) -> None:
    """See that nothing that will be written replaces an input, or another output.

    Raises:
        InputError: which one would.
    """
    from tf_style.image.files import locate

    named = {name: path for name, path in outputs.items() if path}
    for name, path in named.items():
        if any(_same_file(path, locate(each)) for each in inputs):
            raise InputError(f"--{name}={path}: this would replace an input")
    for (first, path), (second, other) in itertools.combinations(named.items(), 2):
        if _same_file(path, other):
            raise InputError(f"--{second}={other}: this is the --{first}")


def _same_file(first: Path, second: Path) -> bool:
    if first.exists() and second.exists():
        return os.path.samefile(first, second)
    return os.path.realpath(first) == os.path.realpath(second)


@contextlib.contextmanager
def _interrupt() -> Iterator[list[int]]:
    """A list that Ctrl-C fills; pressed again, Ctrl-C interrupts at once."""
    received: list[int] = []

    def receive(number: int, frame: Any) -> None:
        received.append(number)
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, receive)
    try:
        yield received
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _tensorflow_quiet(verbose: bool) -> Iterator[None]:
    """Import TensorFlow within: its start-up messages stay off the screen."""
    if verbose:
        yield
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # The messages before its log starts heed no variable. They are written by C++ code.
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:
        yield
        return
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(sink)


class _Progress:
    """A bar on a terminal, plain lines elsewhere, both on stderr."""

    WIDTH = 10
    EVERY = 5.0

    def __init__(self, plan: Sequence[Scale]):
        self._plan = plan
        self._terminal = sys.stderr.isatty()
        self._shown = 0
        self._next_line = 0.0
        self._scale_began = (0, 0.0)

    def show(self, step: Step) -> None:
        line = (f"{step.width}x{step.height} ({step.scale}/{step.scales}) "
                f"{self._bar(step)}step {step.step}/{step.steps}{self._left(step)}  "
                f"loss {step.loss:.3g}  "
                + "  ".join(f"{name} {part:.3g}" for name, part in step.parts.items()))
        if self._terminal:
            columns = (os.get_terminal_size(sys.stderr.fileno()).columns or 80) - 1
            sys.stderr.write("\r" + line[:columns].ljust(min(self._shown, columns)))
            self._shown = len(line)
        elif step.seconds >= self._next_line or step.step == step.steps:
            self._next_line = step.seconds + self.EVERY
            sys.stderr.write(line + "\n")
        sys.stderr.flush()

    def close(self) -> None:
        if self._terminal and self._shown:
            sys.stderr.write("\n")

    def _bar(self, step: Step) -> str:
        if not self._terminal:
            return ""
        done = round(self.WIDTH * step.step / step.steps)
        return f"[{'#' * done}{'-' * (self.WIDTH - done)}] "

    def _left(self, step: Step) -> str:
        """Time left, if what is left goes at this size's pace, pixel for pixel."""
        if self._scale_began[0] != step.scale:
            # The first step at a size is not counted: it is compiled, too.
            self._scale_began = step.scale, step.seconds
            return ""
        pixels = step.width * step.height
        pace = (step.seconds - self._scale_began[1]) / (step.step - 1) / pixels
        rest = (step.steps - step.step) * pixels + sum(
            scale.steps * scale.width * scale.height for scale in self._plan[step.scale:]
        )
        minutes, seconds = divmod(math.ceil(pace * rest), 60)
        return f", {minutes}:{seconds:02} left"


class _Profiler:
    """Has TensorFlow record ten steps of the last size, without the first, which compiles."""

    STEPS = 10

    def __init__(self, folder: Path):
        self._folder = folder
        self._left = self.STEPS
        self._running = False

    def show(self, step: Step) -> None:
        from tf_style.run import runtime

        if self._running:
            self._left -= 1
            if not self._left:
                self.close()
        elif self._left and step.scale == step.scales:
            runtime.start_profile(os.fspath(self._folder))
            self._running = True

    def close(self) -> None:
        from tf_style.run import runtime

        if self._running:
            runtime.stop_profile()
            self._running = False


@contextlib.contextmanager
def _closed(watcher: _Progress | _Profiler | None) -> Iterator[None]:
    try:
        yield
    finally:
        if watcher:
            watcher.close()


# tf_style_evaluate ------------------------------------------------------------------------------


def _evaluate(argv: list[str]) -> int:
    values, positional = _parse("tf_style_evaluate", EVALUATE_OPTIONS, argv)
    if _answered(values, EVALUATE_USAGE, EVALUATE_OPTIONS):
        return DONE
    _refuse(positional)
    for name in ("content", "style", "generated"):
        if not values.get(name):
            raise InputError(f"--{name}: expected a picture, such as --{name}=FILE")
    from tf_style.image import files
    from tf_style.network import weights
    from tf_style.network.architectures import ARCHITECTURES
    from tf_style.network.kernel_files import digests
    from tf_style.view import metrics

    content = files.read_picture(values["content"])
    styles = [files.read_picture(name) for name in values["style"]]
    generated = {name: files.read_picture(name) for name in values["generated"]}
    network = ARCHITECTURES["vgg16"]
    for name, picture in generated.items():
        _check_visible(name, picture.shape[:2], network.least_size(metrics.STYLE_LAYERS))
        for style_name, style in zip(values["style"], styles, strict=True):
            seen = files.fitted_size(*style.shape[:2], max(picture.shape[:2]))
            _check_visible(style_name, seen, network.least_size(metrics.STYLE_LAYERS))
    if values.get("plot"):
        from tf_style.view.plotting import check_figure

        check_figure(values["plot"])
        _check_apart({"plot": Path(values["plot"])}, [
            values["content"], *values["style"], *values["generated"], *values["flagfile"],
            *[name for name in (values.get("weights"), weights.environment_file()) if name],
        ])
    layers = network.up_to(metrics.STYLE_LAYERS)
    given = values.get("weights", AUTO)
    if given not in (AUTO, *WEIGHTS):
        weights.load(network, layers, given)
    with _tensorflow_quiet(values.get("verbose", False)):
        from tf_style.network.features import vgg_model
    source = weights.resolve(given, network)
    kernels = weights.load(network, layers, source, pictures=[content, *styles]).kernels
    judge = metrics.Judge(vgg_model(network, metrics.STYLE_LAYERS, kernels), content, styles)
    measured = {name: judge.evaluate(picture) for name, picture in generated.items()}
    flattered = {name: _made_with(name, digests(kernels)) for name in generated}
    if values.get("json"):
        rows = [
            {"generated": name, **_without_nan(dataclasses.asdict(measured[name])),
             "weights": source, "flattered": flattered[name]}
            for name in values["generated"]
        ]
        print(json.dumps(rows, indent=2))
    else:
        _print_table(measured, source)
    for name, same in flattered.items():
        if same:
            _say(f"tf_style_evaluate: {name} was made with the weights that judge it here, which "
                 "flatters it; judge with other --weights")
    if values.get("plot"):
        from tf_style.view.plotting import plot_tradeoff, write_figure

        write_figure(values["plot"], plot_tradeoff(measured))
    return DONE


def _check_visible(name: str, shape: tuple[int, int], least: int) -> None:
    if min(shape) < least:
        raise InputError(
            f"{name}: {shape[1]}x{shape[0]} pixels are too few for the judge. Least side: {least}"
        )


def _made_with(picture: str, judge: Mapping[str, str]) -> bool | None:
    """Whether the judge's kernels made the picture; `None` where the file does not say."""
    from tf_style.image.files import read_note
    from tf_style.view.metrics import flattered

    try:
        maker = json.loads(read_note(picture) or "")["weights"]
        return flattered(maker, judge)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _without_nan(measures: Mapping[str, float]) -> dict[str, float | None]:
    """JSON has no number for what could not be measured; it has null."""
    return {name: None if math.isnan(value) else value for name, value in measures.items()}


def _print_table(measured: Mapping[str, Evaluation], source: str) -> None:
    width = max(len(name) for name in measured)
    print(f"judged by {source}")
    print(f"{'generated':{width}}  style distance  content similarity  edge agreement"
          "  colour distance")
    for name, each in measured.items():
        print(f"{name:{width}}  {each.style_distance:14.3f}  {each.content_similarity:18.3f}  "
              f"{each.edge_agreement:14.3f}  {each.color_distance:15.3f}")


# tf_style_learn ---------------------------------------------------------------------------------


# More would not be looked at: as many crops are learned from, whatever the number of pictures.
_LEARNED_FROM = 24


def _learn(argv: list[str]) -> int:
    values, positional = _parse("tf_style_learn", LEARN_OPTIONS, argv)
    if _answered(values, LEARN_USAGE, LEARN_OPTIONS):
        return DONE
    _refuse(positional)
    chosen = {option.name: option.parse(values.get(option.name, option.default))
              for option in LEARN_OPTIONS if option.name in ("network", "seed")}
    for name, example in (("pictures", "paintings"), ("output", "my.weights.h5")):
        if not values.get(name):
            raise InputError(f"--{name}: expected a value, such as --{name}={example}")
    from tf_style.image import files
    from tf_style.network.architectures import ARCHITECTURES

    output = files.check_writable(values["output"])
    if output.suffix != ".h5":
        raise InputError(f"--output={output}: expected a name that ends in .h5")
    names = [name for pattern in values["pictures"] for name in files.expand(pattern)]
    _check_apart({"output": output}, [*names, *values["flagfile"]])
    if len(names) > _LEARNED_FROM:
        _say(f"tf_style_learn: learning from {_LEARNED_FROM} of {len(names)} pictures, drawn by "
             f"--seed={chosen['seed']}")
        names = random.Random(chosen["seed"]).sample(names, _LEARNED_FROM)
    pictures = [files.shrink(files.read_picture(name), 1024) for name in names]
    with _tensorflow_quiet(values.get("verbose", False)):
        from tf_style.network.kernel_files import write_kernels
        from tf_style.network.unsupervised import learn as learn_kernels
    architecture = ARCHITECTURES[chosen["network"]]
    kernels = learn_kernels(architecture, architecture.layers, pictures, seed=chosen["seed"])
    write_kernels(output, kernels)
    if not values.get("quiet"):
        print(output)
    return DONE


# tf_style_explain -------------------------------------------------------------------------------


def _explain(argv: list[str]) -> int:
    values, positional = _parse("tf_style_explain", EXPLAIN_OPTIONS, argv)
    if _answered(values, EXPLAIN_USAGE, EXPLAIN_OPTIONS):
        return DONE
    _refuse(positional)
    for name, example in (("content", "FILE"), ("style", "FILE"), ("output", "FOLDER")):
        if not values.get(name):
            raise InputError(f"--{name}: expected a value, such as --{name}={example}")
    chosen = {option.name: values.get(option.name, option.default) for option in EXPLAIN_OPTIONS}
    settings = Settings(**{name: chosen[name] for name in ("size", "steps", "weights")})
    from tf_style.image import files
    from tf_style.network import weights
    from tf_style.network.architectures import ARCHITECTURES
    from tf_style.run import schedule
    from tf_style.view import figures, plotting

    network = ARCHITECTURES["vgg16"]
    layers = [name.strip() for name in chosen["layers"].split(",")]
    layers = [] if layers == [AUTO] else list(dict.fromkeys(layers))
    network.check(layers, "layers")
    source = weights.environment_file() if settings.weights == AUTO else settings.weights
    known = settings.for_weights(source or AUTO, learned=weights.are_learned(source))
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
    with _tensorflow_quiet(values.get("verbose", False)):
        from tf_style.view.inspection import inspect
    quiet = values.get("quiet", False)
    drawn = figures.plot_inspection(inspect(
        content, style, settings, generated=generated[0] if generated else None, layers=layers,
        watch=(lambda stage: None) if quiet else _say,
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
        _check_apart({"output": path}, inputs)
    return paths
