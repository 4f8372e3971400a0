"""What a command line asks for, checked as far as it can be without reading a picture."""

from __future__ import annotations

import dataclasses
import functools
import os
import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tf_style.commands import naming
from tf_style.commands.byproducts import Byproducts, Taken, last_snapshot, log_path
from tf_style.commands.command import CommandLine
from tf_style.commands.outputs import check_apart, check_folder
from tf_style.commands.places import check_painter, places_of_model, places_of_run
from tf_style.commands.repeat import Record
from tf_style.commands.stylize_options import StylizeOptions
from tf_style.settings import AUTO, InputError, Settings
from tf_style.settings.settings import DRAWING_LOSSES
from tf_style.settings.size import ORIGINAL

if TYPE_CHECKING:
    from tf_style.network.choice import Choice
    from tf_style.run.checkpoints import Checkpoints
    from tf_style.run.jobs import Job

# The long side of pictures whose own is not known yet, in pixels.
_LARGE = 4096


@dataclasses.dataclass(frozen=True)
class Request:
    """What is to be painted, and what is to be written.

    Attributes:
        options, settings: as they were given.
        record: of the picture that is made again, if any.
        jobs: the pictures to make.
        kept: how many more already exist and are left alone.
        byproducts: what each run writes beside its output.
        report, profile: where they go, if they are asked for.
        checkpoints: where the run is kept, if it is.
        least: the shortest side that the networks can see, as far as it is known.
        taken: the files that nothing else may replace.
        resuming: the command that goes on with the run if it is stopped.
        notes: what was taken for what, and what was left out.
        weights: of the networks that look, as far as they are known.
    """

    options: StylizeOptions
    settings: Settings
    record: Record | None
    jobs: Sequence[Job]
    kept: int = 0
    byproducts: Byproducts | None = None
    report: Path | None = None
    profile: Path | None = None
    checkpoints: Checkpoints | None = None
    least: int = 1
    taken: Taken = dataclasses.field(default_factory=lambda: Taken(()))
    resuming: str = ""
    notes: tuple[str, ...] = ()
    weights: tuple[str | None, ...] = ()

    @property
    def is_single(self) -> bool:
        """Whether only one picture was asked for."""
        return len(self.jobs) + self.kept == 1

    @classmethod
    def of(cls, line: CommandLine) -> Request:
        """Parse and check a command line, without TensorFlow.

        Raises:
            InputError: for anything that it asks for and that is not possible.
        """
        options = line.options(StylizeOptions)
        is_seeded = "seed" in line.given
        record = Record.read(options.settings_from) if options.settings_from else None
        given: Settings | None = None
        if record:
            line, given = record.beneath(line)
            options = line.options(StylizeOptions)
        check_painter(line)
        settings = line.options(Settings)
        notes = [*line.notes]
        jobs, kept = _jobs(options, settings.model, line.places, given, notes.append)
        if options.sheet:
            jobs = [dataclasses.replace(job, output=None, unfinished=None) for job in jobs]
        request = cls(options, settings, record, jobs, kept, notes=tuple(notes))
        return request._checked(line, is_seeded) if jobs else request

    def _checked(self, line: CommandLine, is_seeded: bool) -> Request:
        from tf_style.commands import engines
        from tf_style.image.paths import check_writable, locate
        from tf_style.image.picture import check_output
        from tf_style.network import weights
        from tf_style.network.choice import check_weights, choose
        from tf_style.run import schedule
        from tf_style.run.scene import INITS, check_start, check_together, starts_by_network
        from tf_style.transfer.samples import check_model

        options, job = self.options, self.jobs[0]
        if self.settings.model:
            _check_no_steps(options)
            if options.time_limit and self.is_single:
                raise InputError("--time_limit: has no effect on a single picture with --model, "
                                 "which takes no steps. Leave it out")
        _check_there(self.jobs)
        # Resolving `auto` may need a download; a file named in the environment does not.
        settings, choices = (
            (self.settings, ()) if self.settings.model
            else choose(self.settings, weights.settle_known)
        )
        if settings.optimizer == "lbfgs":
            schedule.check_lbfgs()
        check_together(settings, job.content is not None, len(job.styles),
                       len(job.content_masks), len(job.style_masks), job.protect is not None)
        least = max([1, *[choice.least_size for choice in choices]])
        schedule.check_size(settings, least)
        written = [check_output(each.output, bits=each.bits) for each in self.jobs if each.output]
        sheet = check_output(options.sheet) if options.sheet else None
        for each in self.jobs:
            for path in (each.unfinished, options.snapshot_every and last_snapshot(each.output),
                         options.logs and log_path(each.output)):
                if path:
                    check_writable(path)
        report = check_writable(options.report) if options.report else None
        profile = check_folder("profile", options.profile) if options.profile else None
        byproducts = Byproducts.check(options)
        named = byproducts.named()
        if not self.is_single:
            _check_single({**named, "checkpoint": options.checkpoint})
        inputs = [name for each in self.jobs for name in (each.content, *each.styles) if name]
        inputs += [*job.content_masks, *job.style_masks, *line.flagfiles]
        inputs += [name for name in (job.protect, options.settings_from) if name]
        inputs += [name for choice in choices for name in choice.files]
        if starts_by_network(settings):
            inputs += [os.fspath(check_model("init", settings.init))]
        elif settings.init not in (AUTO, *INITS):
            check_start(settings)
            inputs += [settings.init]
        if settings.model:
            inputs += [os.fspath(check_model("model", settings.model))]
        inputs = list(dict.fromkeys(inputs))
        left = [each.unfinished for each in self.jobs if each.unfinished]
        logs = [log_path(path) for path in written] if options.logs else []
        kept = Path(options.checkpoint) if options.checkpoint else None
        check_apart({"output": written + left, "logs": logs, "sheet": sheet, "report": report,
                     "profile": profile, **named, "checkpoint": kept}, inputs)
        if len(line.places) == 3 and not (options.resume or options.dry_run):
            _check_no_picture(line.places[2])
        outputs = {"output": job.output, "report": report, "profile": profile, **named}
        checkpoints = _checkpoints(options, outputs)
        check_weights(choices)
        notes = self.notes
        if is_seeded and not self._draws(settings, choices):
            notes += ("--seed: nothing is drawn at random here, so that every seed gives the same "
                      "picture; --init=noise and --init_noise draw",)
        engines.check(options)
        if options.cluster and self.is_single and not options.sheet:
            notes += (f"--cluster={options.cluster}: is for several pictures; this one is made "
                      "here",)
        others = filter(None, [sheet, report, profile, *named.values()])
        taken = Taken([*map(locate, inputs), *written, *left, *logs, *others])
        if not self.is_single:
            _check_stand_ins(settings, self.jobs, byproducts, taken, least)
        return dataclasses.replace(
            self, byproducts=byproducts, report=report, profile=profile, checkpoints=checkpoints,
            least=least, taken=taken, notes=notes,
            weights=tuple(choice.weights for choice in choices),
            resuming=_resuming(line, None if len(line.places) == 3 or options.output
                               else job.output, resumed=options.resume),
        )

    def _draws(self, settings: Settings, choices: Sequence[Choice]) -> bool:
        """Whether anything may be drawn at random.

        Args:
            settings: with every `auto` resolved that can be.
        """
        init = settings.init
        if init == AUTO:
            init = "noise" if self.jobs[0].content is None else "content"
        # Weights that are not known yet may have to be learned, if a network is named.
        learned = ("random", "unsupervised", *([None] if self.settings.network != AUTO else []))
        return bool(
            init == "noise" or settings.init_noise or {*settings.style_loss} & {*DRAWING_LOSSES}
            or any(each.architecture and each.weights in learned for each in choices)
        )


def _jobs(
    options: StylizeOptions, model: str | None, places: Sequence[str], given: Settings | None,
    note: Callable[[str], None],
) -> tuple[list[Job], int]:
    """The pictures to make, and how many more already exist and are left alone."""
    content, styles, output = (
        places_of_run(options, places) if model is None
        else places_of_model(options, model, places)
    )
    keep = options.skip_existing
    found = naming.jobs(content, styles, output, keep=keep, note=note)
    jobs = [
        dataclasses.replace(
            # Where a network paints, results are named by it, and there is no style.
            job, styles=() if model else job.styles, content_masks=options.content_mask,
            style_masks=options.style_mask, protect=options.protect, bits=int(options.bits),
            embed_settings=options.embed_settings, given=given, keep=keep,
        )
        for job in found if not (keep and os.path.exists(job.output))
    ]
    return jobs, len(found) - len(jobs)


def _check_no_steps(options: StylizeOptions) -> None:
    """Check that nothing is asked for that needs the steps of a run.

    Raises:
        InputError: if something is.
    """
    for name in ("checkpoint", "resume", "snapshot_every", "animate", "logs", "logdir", "profile",
                 "protect", "dry_run", "style_mask"):
        if getattr(options, name):
            raise InputError(f"--{name}: has no effect with --model, which takes no steps. Leave "
                             "it out")


def _check_there(jobs: Sequence[Job]) -> None:
    """Check that the pictures of all jobs are there, before anything that follows from their names.

    Raises:
        InputError: if one is missing; the message names it.
    """
    from tf_style.image.paths import locate, no_plain_file
    from tf_style.image.picture import read_size

    of_each = [{each.content, *each.styles} for each in jobs]
    for name in (jobs[0].content, *jobs[0].styles):
        everywhere = name and all(name in names for names in of_each)
        if everywhere and no_plain_file(locate(name)):
            read_size(name)


def _check_no_picture(place: str) -> None:
    """Check that the third name is no picture of the user's.

    Where the shell puts two names in place of a pattern, the painting comes third.

    Raises:
        InputError: if it is.
    """
    from tf_style.image.picture import read_size
    from tf_style.image.png import has_note

    path = os.path.expanduser(place)
    # A folder, or a name made of others, cannot be a painting by mistake.
    if not os.path.isfile(path) or has_note(path):
        return
    try:
        read_size(path)
    except InputError:
        return
    raise InputError(f"{place}: the third name is the output, and this picture exists already and "
                     f"is no PNG of tf_style's. To replace it: --output={place}")


def _check_single(outputs: Mapping[str, Path | str | None]) -> None:
    """Check that nothing is asked for that belongs to a single run.

    Args:
        outputs: flag → what it names, if it is given.

    Raises:
        InputError: if something is; the message names it.
    """
    for flag, path in outputs.items():
        if path:
            raise InputError(f"--{flag}={path}: is for a single picture. Expected one "
                             "content and one style")


def _check_stand_ins(
    settings: Settings, jobs: Sequence[Job], byproducts: Byproducts, taken: Taken,
    least: int,
) -> None:
    """Check that several pictures can be made if their files, not yet read, can be used.

    Raises:
        InputError: for anything that fails with plain squares: then the flags are wrong.
    """
    from tf_style.image.picture import check_dimensions, read_picture
    from tf_style.run.scene import Scene

    job, square = jobs[0], np.zeros((64, 64, 3), np.float32)
    read = functools.partial(read_picture, max_pixels=settings.max_pixels)
    if settings.size == ORIGINAL:
        # A stand-in's own size says nothing of theirs.
        settings = settings.replace(size=_LARGE)
    # Masks stand in for the pictures whose proportions they must have.
    masks = [*job.content_masks, *([job.protect] if job.protect else [])]
    content = read(masks[0]) if masks else square
    styles = [read(mask) for mask in job.style_masks] or [square] * len(job.styles)
    scales = Scene.of(
        settings, content if job.content else None, styles, job.content_masks, job.style_masks,
        protect=job.protect, least=least,
    ).scales
    for each in (job for job in jobs if job.output):
        check_dimensions(each.output, scales[-1].height, scales[-1].width)
        byproducts.check_snapshots(each.output, sum(scale.steps for scale in scales), taken)


def _checkpoints(
    options: StylizeOptions, outputs: Mapping[str, Path | None]
) -> Checkpoints | None:
    """The checkpoints that the flags ask for.

    Args:
        outputs: flag → file or folder that the run also writes.

    Raises:
        InputError: for a folder that cannot be used, or flags that do not fit together.
    """
    from tf_style.run.checkpoints import Checkpoints

    folder = options.checkpoint
    if not folder:
        for name, given in (("resume", options.resume),
                            ("checkpoint_every", options.checkpoint_every != AUTO)):
            if given:
                raise InputError(f"--{name}: say where the run is kept: --checkpoint=FOLDER")
        return None
    checkpoints = Checkpoints(folder, every=options.checkpoint_every, resume=options.resume)
    for name, path in outputs.items():
        if path and Path(folder).resolve() in path.resolve().parents:
            raise InputError(f"--{name}={path}: the --checkpoint folder is for checkpoints only")
    return checkpoints


def _resuming(line: CommandLine, output: Path | None, *, resumed: bool) -> str:
    """The command that goes on with a run, for a shell.

    Args:
        output: the file that the run chose, if the command line named none.
        resumed: whether the command line already resumed a run.
    """
    # In front, because nothing after a -- is a flag.
    added = [f"--output={output}"] * (output is not None) + ["--resume"] * (not resumed)
    command = ["tf_style", *added, *line.argv]
    return subprocess.list2cmdline(command) if os.name == "nt" else shlex.join(command)
