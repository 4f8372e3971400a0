"""The options of the command `tf_style` besides those of a run: none of them changes a pixel."""

from __future__ import annotations

import dataclasses

from tf_style.commands.command import CommonOptions
from tf_style.settings.option import (
    AUTO,
    Duration,
    File,
    Files,
    OrAuto,
    Switch,
    Text,
    Word,
    option,
    whole,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class StylizeOptions(CommonOptions):
    """What is painted, and what is written."""

    content: str | None = option(
        File(), None, "content picture, or sample:NAME; none: a texture of the style; a "
        "folder, or a pattern such as 'photos/*.jpg': each of its pictures",
    )
    style: tuple[str, ...] = option(
        Files(), (), "style picture, sample:NAME or library:NAME; give it again to blend several; "
        "a folder or pattern: each of its pictures",
    )
    content_mask: tuple[str, ...] = option(
        Files(), (), "for each style, in order: where in the content it goes, white on black"
    )
    style_mask: tuple[str, ...] = option(
        Files(), (), "for each style, in order: which parts of it count; default: what is "
        "not transparent"
    )
    protect: str | None = option(
        File(), None, "part of the content to keep more faithfully, such as a face: white on black"
    )
    output: str | None = option(
        File(), None, "the result: .png, .jpg, .webp or .tiff; of several pictures a "
        "folder, or a pattern such as 'out/{content}_{style}.png'; default: a new name beside the "
        "content",
    )
    skip_existing: bool = option(
        Switch(), False, "make only the pictures whose output is not there yet; one that is "
        "stopped is left in OUTPUT_unfinished.png, to be made again",
    )
    workers: int | str = option(
        OrAuto(whole(1, 1024)), 1, "make so many pictures at a time, of several, of those of a "
        "--sheet, or of a film's pieces, each in a process with its share of --threads and memory; "
        "auto: as many as there are cores, and as memory allows",
    )
    cluster: str | None = option(
        Text("ADDRESS|local"), None, "make several pictures, those of a --sheet, or a film's "
        "pieces on the nodes of a Ray cluster, as many at a time as there is room for, each with "
        "--threads cores, by default one, and a GPU where there are any; local: one of this "
        "machine alone; pip install 'tf_style[cluster]'",
    )
    bits: str = option(
        Word(("8", "16")), "8", "bits per channel: 8, or 16 in PNG and TIFF with pip install "
        "'tf_style[deep]'",
    )
    dry_run: bool = option(Switch(), False, "print sizes, memory and time, and run nothing")
    sheet: str | None = option(
        File(), None, "write one picture of small previews to choose from, each with the flag that "
        "makes it, and nothing else: a row for each content with each style, a column for each of "
        "--sheet_of; 256 pixels, or --size",
    )
    sheet_of: str = option(
        Text("strengths|presets|X,NAME,…"), "strengths", "what a --sheet compares: strengths, from "
        "0.3 to 0.7; presets, all that look different; or some of both, such as 0.4,0.6,color",
    )
    report: str | None = option(
        File(), None, "write settings, versions, seconds, losses and peak memory as JSON; "
        "of several pictures a list",
    )
    embed_settings: bool = option(
        Switch(), True, "keep in a PNG what --settings_from needs: settings, names of the inputs; "
        "--noembed_settings: nothing but the picture",
    )
    settings_from: str | None = option(
        File(), None, "run again what made a PNG, or what its report describes; other flags "
        "given override it",
    )
    logs: bool = option(
        Switch(), False, "write the steps of each picture as text beside it: OUTPUT.log"
    )
    snapshot_every: int | None = option(
        whole(1), None, "write the picture so far every N steps, beside the output: "
        "OUTPUT_0050.png after 50",
    )
    animate: str | None = option(
        File(), None, "write the run as a film, .gif or .webp: at most 100 pictures, "
        "--snapshot_every steps apart or more, then the result",
    )
    plot: str | None = option(
        File(), None, "draw content, style, result and loss curves"
    )
    logdir: str | None = option(
        File("FOLDER"), None, "write losses and pictures for TensorBoard"
    )
    checkpoint: str | None = option(
        File("FOLDER"), None, "keep in this folder what a stopped run needs to go on"
    )
    checkpoint_every: int | str = option(
        whole(1), AUTO, "steps from one checkpoint to the next; auto: so that they take two "
        "percent of the time",
    )
    resume: bool = option(
        Switch(), False, "go on from the last complete checkpoint, with the same pictures and "
        "settings, or with more --steps",
    )
    time_limit: float | None = option(
        Duration(), None, "stop after this much time, such as 30s, 5m or 1h; with --model, "
        "between two pictures of many"
    )
    profile: str | None = option(
        File("FOLDER"), None, "write TensorFlow's own profile of ten steps"
    )
    list_layers: bool = option(Switch(), False, "print the layers of --network and exit")
    list_samples: bool = option(
        Switch(), False, "print the pictures that come with tf_style and exit"
    )
    list_presets: bool = option(
        Switch(), False, "print the presets, and what each is for, and exit"
    )
