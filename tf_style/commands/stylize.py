"""The command `tf_style`."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf_style.commands.byproducts import Byproducts
from tf_style.commands.exits import DONE, FAILED, INTERRUPTED, interruptible, say, tensorflow_quiet
from tf_style.commands.flags import answered, parse
from tf_style.commands.outputs import check_apart, check_folder
from tf_style.commands.progress import Profiler, Progress, Watchers, closed, minutes
from tf_style.commands.repeat import Record
from tf_style.commands.resumption import checkpoints_of, resuming_command
from tf_style.settings import (
    AUTO,
    COMMAND_OPTIONS,
    WEIGHTS,
    InputError,
    Settings,
    as_seconds,
)

if TYPE_CHECKING:
    import numpy as np

    from tf_style.run.batch import Job
    from tf_style.run.checkpoints import Checkpoints
    from tf_style.run.forecast import Forecast
    from tf_style.run.scene import Scene
    from tf_style.run.schedule import Scale
    from tf_style.run.stylizer import Result, Step, Stylizer

STYLIZE_USAGE = """\
Paint a content picture in the style of another picture.

  tf_style CONTENT STYLE [OUTPUT] [--flag=value ...]
  tf_style --content=FILE --style=FILE [--output=FILE] [--flag=value ...]
  tf_style --content=FOLDER --style=FILE --output='out/{content}_{style}.png' [--flag=value ...]
"""

_BITS = next(option for option in COMMAND_OPTIONS if option.name == "bits")


def stylize(argv: list[str]) -> int:
    options = (*COMMAND_OPTIONS, *Settings.options())
    values, positional = parse("tf_style", options, argv)
    if answered(values, STYLIZE_USAGE, options):
        return DONE
    if values.get("list_samples"):
        _list_samples()
        return DONE
    if values.get("list_layers"):
        _list_layers(values.get("network", "vgg16"))
        return DONE
    record = Record.read(values["settings_from"]) if "settings_from" in values else None
    if record:
        values = record.beneath(values, positional)
    names = {field.name for field in dataclasses.fields(Settings)}
    settings = Settings(**{name: value for name, value in values.items() if name in names})
    from tf_style.commands import many

    quiet = values.get("quiet", False)
    jobs, kept = _jobs(values, positional)
    several = len(jobs) + kept > 1
    if not jobs:
        return many.finish(many.Tally(kept=kept), quiet=quiet)
    request = _Request.check(values, jobs, settings, several=several)
    if record:
        record.compare_inputs(request.scene.inputs)
    with tensorflow_quiet(values.get("verbose", False)):
        from tf_style.run.stylizer import Stylizer
    if several:
        # A dry run learns nothing.
        stylizer = many.stylizer(Stylizer, settings, () if request.dry else jobs)
    else:
        stylizer = Stylizer(settings)
    if record:
        record.compare_stylizer(stylizer)
    if several:
        return many.run(
            stylizer, jobs, many.Tally(kept=kept), least=request.least, dry=request.dry,
            report=request.report, profile=request.profile, byproducts=request.byproducts,
            time_limit=request.time_limit, quiet=quiet,
        )
    named = len(positional) == 3 or values.get("output")
    again = resuming_command(
        argv, None if named else request.job.output, resumed=values.get("resume", False)
    )
    return request.run(stylizer, again, quiet=quiet)


def _list_samples() -> None:
    from tf_style.image import samples

    for title, group in (("content", samples.CONTENT_SAMPLES), ("style", samples.STYLE_SAMPLES)):
        print(f"{title}:")
        for name, text in group.items():
            print(f"  {samples.PREFIX}{name:16} {text}")


def _list_layers(network: str) -> None:
    from tf_style.network.architectures import ARCHITECTURES

    if network not in ARCHITECTURES:
        with tensorflow_quiet(False):
            from tf_style.network.features import load_model
        for layer in load_model(network).layers:
            print(layer.name)
        return
    print(f"{'layer':14} channels  stride  sees (pixels)")
    for layer in ARCHITECTURES[network].layers:
        print(f"{layer.name:14} {layer.channels:8} {layer.stride:7} {layer.field:14}")


@dataclasses.dataclass(frozen=True)
class _Request:
    """What the flags ask for, checked as far as it can be without TensorFlow.

    Attributes:
        job: the picture to be made; of several, the first.
        scene, alpha, plan: of that job; of several, stand-ins.
        least: the shortest side that the networks can see, as far as it is known.
    """

    job: Job
    scene: Scene
    alpha: np.ndarray | None
    report: Path | None
    byproducts: Byproducts
    profile: Path | None
    checkpoints: Checkpoints | None
    time_limit: float | None
    dry: bool
    plan: tuple[Scale, ...]
    least: int

    @classmethod
    def check(
        cls, values: Mapping[str, Any], jobs: Sequence[Job], settings: Settings, *, several: bool
    ) -> _Request:
        from tf_style.commands import many
        from tf_style.image import files
        from tf_style.network import weights
        from tf_style.network.choice import choose, known_weights, uses
        from tf_style.run import schedule
        from tf_style.run.scene import INITS, Scene

        # What `auto` stands for may take a download to know; a file in the environment does not.
        known, choices = choose(settings, known_weights)
        networks = uses(known, choices)
        if settings.optimizer == "lbfgs":
            schedule.check_lbfgs()
        job = jobs[0]
        inputs = list(dict.fromkeys(
            name for each in jobs for name in (each.content, *each.styles) if name
        ))
        inputs += [*job.content_masks, *job.style_masks, *values["flagfile"]]
        inputs += [values["settings_from"]] if "settings_from" in values else []
        inputs += [name for choice in choices.values() for name in choice.files]
        if settings.init not in (AUTO, *INITS):
            inputs.append(settings.init)
        written = [files.check_output(each.output, bits=each.bits) for each in jobs]
        report = values.get("report")
        report = files.check_writable(report) if report else None
        profile = check_folder("profile", values["profile"]) if "profile" in values else None
        byproducts = Byproducts.check(values, job.output)
        if several:
            many.check_single({**byproducts.named(), "checkpoint": values.get("checkpoint")})
        outputs = {"output": job.output, "report": report, "profile": profile,
                   **byproducts.named()}
        kept = Path(values["checkpoint"]) if values.get("checkpoint") else None
        left = [each.unfinished for each in jobs if each.unfinished]
        check_apart({**outputs, "output": written + left, "checkpoint": kept}, inputs)
        checkpoints = checkpoints_of(values, outputs)
        limit = values.get("time_limit")
        limit = as_seconds(limit) if limit else None
        scene = many.stand_in(settings, job) if several else Scene.of(
            settings, job.content, job.styles, job.content_masks, job.style_masks
        )
        least = max(use.least_size for use in networks)
        plan = schedule.plan(
            settings,
            None if scene.content is None else scene.content.shape[:2],
            {name: style.shape[:2] for name, style in zip(job.styles, scene.styles, strict=True)},
            least,
        )
        files.check_dimensions(job.output, plan[-1].height, plan[-1].width)
        others = [*map(files.locate, inputs), *written, *left, *filter(None, outputs.values())]
        for path in written:
            dataclasses.replace(byproducts, output=path).check_snapshots(
                sum(scale.steps for scale in plan), others
            )
        for use in networks:
            if use.layers and use.choice.weights not in (None, *WEIGHTS):
                weights.load(use.choice.architecture, use.layers, use.choice.weights)
        alpha = files.read_alpha(job.content) if job.content and not several else None
        return cls(
            job, scene, alpha, report, byproducts, profile, checkpoints, limit,
            bool(values.get("dry_run")), plan, least,
        )

    def run(self, stylizer: Stylizer, again: str, *, quiet: bool) -> int:
        """Run it. `again` is the command that goes on if it is stopped."""
        from tf_style.view.report import report, write_report

        if self.dry:
            _print_forecast(stylizer.forecast(self.scene))
            return DONE
        watchers = Watchers([
            *([] if quiet else [Progress(self.plan)]),
            *([Profiler(self.profile)] if self.profile else []),
            *self.byproducts.watchers(stylizer.settings),
        ])
        with interruptible() as interrupted, closed(watchers):
            def callback(step: Step) -> bool:
                watchers.show(step)
                return bool(interrupted)

            result: Result = stylizer.paint(
                self.scene, callback=callback, checkpoints=self.checkpoints,
                time_limit=self.time_limit,
            )
        output = self.job.written(result)
        try:
            result.save(output, alpha=self.alpha, bits=self.job.bits,
                        embed_settings=self.job.embed_settings)
            if self.report:
                write_report(self.report, report(
                    result, output=os.fspath(output), bits=self.job.bits
                ))
            self.byproducts.write(result)
        except InputError as error:
            # What could be written when the run began cannot any more: no fault of the input.
            say(f"tf_style: {error}")
            return FAILED
        if not quiet:
            print(output)
        if watchers.failed or result.stopped == "not finite":
            return FAILED
        if result.stopped in ("callback", "time limit") and not (quiet and not interrupted):
            say(f"tf_style: stopped after {len(result.history)} steps; the picture so far is in "
                f"{output}")
            say(f"tf_style: go on with: {again}" if self.checkpoints else
                "tf_style: without --checkpoint=FOLDER there is nothing to go on from")
        return INTERRUPTED if interrupted else DONE


def _jobs(values: Mapping[str, Any], positional: list[str]) -> tuple[list[Job], int]:
    """What is to be made, and how many more are there already and left alone."""
    from tf_style.commands import naming

    content, styles, output = _pictures(values, positional)
    keep = bool(values.get("skip_existing"))
    found = naming.jobs(content, styles, output, keep=keep)
    common = {
        "content_masks": tuple(values.get("content_mask") or ()),
        "style_masks": tuple(values.get("style_mask") or ()),
        "bits": _BITS.parse(values.get("bits", _BITS.default)),
        "embed_settings": values.get("embed_settings", True),
    }
    jobs = [dataclasses.replace(job, **common) for job in found
            if not (keep and job.output.exists())]
    return jobs, len(found) - len(jobs)


def _pictures(
    values: Mapping[str, Any], positional: list[str]
) -> tuple[str | None, tuple[str, ...], str | None]:
    """Content, styles and output, each from its flag or from its place."""
    if len(positional) > 3:
        raise InputError(
            f"{positional[3]!r}: expected at most CONTENT STYLE OUTPUT. Flags are written "
            "--flag=value, patterns --content='photos/*.jpg'"
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
    return None if content == "none" else content, styles, output or values.get("output")


def _print_forecast(sizes: Sequence[Forecast]) -> None:
    print("size         steps  blocks  memory  time at most")
    for each in sizes:
        size = f"{each.scale.width}x{each.scale.height}"
        print(f"{size:12} {each.scale.steps:5}  {each.block_size or '-':>6}  "
              f"{each.memory / 1e9:4.1f} GB  {minutes(each.seconds)}")
    print(f"about {minutes(sum(each.seconds for each in sizes))} and "
          f"{max(each.memory for each in sizes) / 1e9:.1f} GB in all, and what loading takes")
