"""What a command line asks for, and what is refused before a picture is read."""

import json
import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.commands.conftest import TINY, photo, several, without_tensorflow
from tf_style import cli
from tf_style.commands import flags, stylize
from tf_style.commands.evaluate import EvaluateOptions
from tf_style.commands.explain import ExplainOptions
from tf_style.commands.learn import LearnOptions
from tf_style.commands.request import Request
from tf_style.commands.stylize_options import StylizeOptions
from tf_style.image.picture import write_picture
from tf_style.settings import InputError, Settings
from tf_style.settings.option import File, Files, Text, Texts

PICTURES = ["--content=content.png", "--style=style.png"]


def asked(*arguments):
    return Request.of(flags.parse(stylize.COMMAND, [str(each) for each in arguments]))


# What is asked for


def test_flags_and_places_ask_for_the_same():
    by_places = asked("content.png", "style.png", "a.png")
    by_flags = asked(*PICTURES, "--output=a.png")
    mixed = asked("content.png", "style.png", "--output=a.png")
    assert by_places.jobs == by_flags.jobs == mixed.jobs
    job, = by_places.jobs
    assert (job.content, job.styles, job.output) == (
        "content.png", ("style.png",), Path("a.png")
    )
    assert by_places.is_single and by_places.least == 4


@pytest.mark.parametrize("flag", ["--style_regions=2", "--style_places=recurring"])
def test_layers_that_auto_may_stand_for_are_not_missed_before_the_weights_are_known(flag):
    """What a download would give is known once it is there."""
    assert asked(*PICTURES, flag).jobs
    assert asked(*PICTURES, flag, "--network=vgg16").jobs
    for more in ("--style_layers=block1_conv1", "--offline --weights=unsupervised"):
        with pytest.raises(InputError, match="needs style layers of block 4 or 5"):
            asked(*PICTURES, flag, *more.split())


def test_an_own_picture_is_made_again_in_third_place(folder):
    write_picture("a.png", np.zeros((4, 4, 3)), note="{}")
    assert asked("content.png", "style.png", "a.png").jobs[0].output == Path("a.png")
    shutil.copy("style.png", "b.png")
    assert asked("content.png", "style.png", "--output=b.png").jobs[0].output == Path("b.png")
    assert asked("content.png", "style.png", "b.png", "--dry_run").jobs
    shutil.copy("style.png", "content_style.jpg")
    made, = asked("content.png", "style.png", "{content}_{style}.jpg").jobs
    assert made.output == Path("content_style.jpg")


def test_none_is_no_content():
    job, = asked("none", "style.png", "a.png").jobs
    assert job.content is None


def test_each_job_has_what_the_flags_say_of_all(photos):
    request = asked(*several("photos/[ac].png"), "--bits=16", "--noembed_settings")
    assert [job.content for job in request.jobs] == [photo("a"), photo("c")]
    assert {(job.bits, job.embed_settings) for job in request.jobs} == {(16, False)}
    assert not request.is_single and request.kept == 0
    masked, = asked("content.png", "style.png", "a.png", "--content_mask=m.png",
                    "--style_mask=n.png", "--protect=p.png").jobs
    assert (masked.content_masks, masked.style_masks) == (("m.png",), ("n.png",))
    assert masked.protect == "p.png"


@pytest.mark.parametrize("flag", ["--device=gpu:0", "--precision=bfloat16"])
def test_what_a_lite_file_cannot_do_is_refused_if_it_is_asked_for(flag, folder, refused):
    pytest.importorskip("ai_edge_litert")
    Path("a.tflite").write_bytes(b"1234TFL3")
    error = refused(cli.main, "content.png", "--model=a.tflite", flag)
    assert f"{flag}: a .tflite file paints with --" in error
    Path("all.flags").write_text(flag)
    assert asked("content.png", "--model=a.tflite", "--flagfile=all.flags", "--device=CPU:0").jobs


def test_several_of_their_own_sizes_are_not_judged_by_a_stand_in(photos):
    Image.new("L", (12, 8), 255).save("small.png")
    flags = [*several("photos/[ac].png"), "--size=original", "--scales=1", "--steps=1"]
    assert len(asked(*flags, "--style_scale=0.2").jobs) == 2
    assert len(asked(*flags, "--content_mask=small.png").jobs) == 2


def test_pictures_that_are_there_are_no_jobs(photos):
    Path("out/a.png").touch()
    request = asked(*several("photos/[ac].png"), "--skip_existing")
    assert [job.content for job in request.jobs] == [photo("c")] and request.kept == 1
    # One that is left of two is one of several: what was asked for does not change.
    assert not request.is_single
    Path("out/c.png").touch()
    request = asked(*several("photos/[ac].png"), "--skip_existing")
    assert not request.jobs and request.kept == 2


def test_nothing_may_replace_what_is_read_or_written(folder):
    Image.open("style.png").save("start.png")
    (folder / "my.flags").write_text("--init=start.png")
    taken = asked(
        "content.png", "style.png", "a.png", "--flagfile=my.flags", "--report=a.json",
        "--plot=p.png", "--animate=f.gif", "--logdir=logs", "--profile=profile",
        "--protect=face.png",
    ).taken
    assert {path.name for path in taken} == {
        "content.png", "style.png", "start.png", "my.flags", "a.png", "a.json", "p.png", "f.gif",
        "logs", "profile", "face.png",
    }


@pytest.mark.parametrize("arguments, command", [
    (["content.png", "style.png", "a.png", "--checkpoint=kept"],
     ["--resume", "content.png", "style.png", "a.png", "--checkpoint=kept"]),
    (["content.png", "style.png", "--checkpoint=kept"],
     ["--output=content_style.png", "--resume", "content.png", "style.png", "--checkpoint=kept"]),
    ([*PICTURES, "--output=a b.png", "--checkpoint=kept", "--resume"],
     [*PICTURES, "--output=a b.png", "--checkpoint=kept", "--resume"]),
    (["--checkpoint=kept", "--", "content.png", "style.png"],
     ["--output=content_style.png", "--resume", "--checkpoint=kept", "--", "content.png",
      "style.png"]),
])
def test_the_command_that_goes_on_names_the_output_and_resumes_once(arguments, command):
    assert shlex.split(asked(*arguments).resuming) == ["tf_style", *command]


def test_a_record_gives_what_the_line_leaves_open(folder):
    (folder / "a.json").write_text(json.dumps({
        "settings": {"size": 40}, "content": "content.png", "style": ["style.png"], "bits": 16,
    }))
    request = asked("--settings_from=a.json", "--output=b.png", "--seed=3")
    job, = request.jobs
    assert (job.content, job.styles, job.bits) == ("content.png", ("style.png",), 16)
    assert str(request.settings.size) == "40" and request.settings.seed == 3
    assert (str(job.given.size), job.given.seed) == ("40", 3)
    assert request.record.source == "a.json" and Path("a.json") in request.taken


# What is refused


BAD = {
    "missing style": (["--content=content.png"], "--style: expected a picture"),
    "nothing": (["--size=64"], "--content: expected a picture"),
    "folder without pictures": (["bare", "style.png"], "--content=bare: no picture matches"),
    "pattern without pictures": (["content.png", "zz*.png"], "--style=zz*.png: no picture matches"),
    "unknown sample": (["sample:harbur", "style.png"], "Did you mean 'harbor'?"),
    "both ways": (["content.png", "style.png", "--content=content.png"],
                  "'content.png': --content is given already"),
    "stray word": ([*PICTURES, "stray"], "'stray': expected --flag=value"),
    "a place too many in front": (
        ["stylize", "content.png", "style.png", "a.png"],
        "tf_style: 'stylize': expected a picture, there is no such file. Expected at most CONTENT"),
    "one style by its place, one by its flag": (
        ["content.png", "style.png", "a.png", "--style=text.png"],
        "'style.png': --style is given already. If it is the result: --output=style.png. For "
        "several styles, give each with its flag, and the result, too: --style=style.png "
        "--style=text.png --output=FILE"),
    "an output in a style's place": (
        ["content.png", "a.png", "--style=style.png"],
        "'a.png': --style is given already. The result is --output=a.png"),
    "a sample nearly so called": (["samples:harbor", "style.png"],
                                  "samples:harbor: there is no such file. Did you mean "
                                  "'sample:harbor'?"),
    "a sample without its mark": (["content.png", "waves"], "Did you mean 'sample:waves'?"),
    "a library nearly so called": (["content.png", "libary:a"], "Did you mean 'library:a'?"),
    "four places": (["content.png", "style.png", "a.png", "b.png"], "'b.png': expected at most"),
    # Settings
    "layer of another network": ([*PICTURES, "--style_layers=conv3_4"],
                                 "VGG16 has no layer 'block3_conv4'. Did you mean 'block3_conv3'"),
    "unknown layer": ([*PICTURES, "--style_layers=block6_conv1"],
                      "--style_layers: VGG16 has no layer 'block6_conv1'. Did you mean "
                      "'block5_conv1'? All layers: tf_style --list_layers"),
    "not a number": ([*PICTURES, "--size=large"],
                     "--size: expected a whole number. Received: 'large'"),
    "negative": ([*PICTURES, "--style_weight=-1"], "--style_weight: expected"),
    "zero": ([*PICTURES, "--size=0"], "--size: expected"),
    "infinite weight": ([*PICTURES, "--style_loss=gram:1e308"],
                        "--style_loss: expected a weight above 0 after 'gram:', at most 1e+06"),
    "huge weight": ([*PICTURES, "--style_weight=1e25"], "at most 1e+06"),
    "contradiction": ([*PICTURES, "--scales=2", "--steps=1,2,3"],
                      "--steps: expected one number, or one for each of the 2 --scales"),
    "size too small": ([*PICTURES, "--size=8", "--style_layers=block5_conv1"],
                       "--size=8: too small for the deepest layer in use. Least side: 16 pixels"),
    "sides of no texture": ([*PICTURES, "--size=40x24"], "the content gives the proportions"),
    "colours of nothing": (["none", "style.png", "--preserve_color=luminance"],
                           "--preserve_color=luminance: there is no content"),
    "model file without layers": ([*PICTURES, "--network=a.keras"],
                                  "name its layers with --content_layers"),
    "model file and weights": ([*PICTURES, "--network=a.keras", "--weights=unsupervised"],
                               "a saved model brings its own weights"),
    "no network file": ([*PICTURES, "--network=no.keras", "--style_layers=a", "--content_layers=a"],
                        "--network=no.keras: expected auto, vgg16, vgg19, compact or a saved "
                        "Keras model, such as model.keras. There is neither such a network nor "
                        "such a file"),
    "no network file, and no layers": ([*PICTURES, "--network=no.keras"],
                                       "such as model.keras. There is neither such a network nor"),
    "neither network nor file": ([*PICTURES, "--network=resnet50"],
                                 "There is neither such a network nor such a file"),
    "mistyped content": (["nowhere/contnt.png", "style.png"],
                         "tf_style: nowhere/contnt.png: there is no such file"),
    "nearly named": (["contnt.png", "style.png"],
                     "contnt.png: there is no such file. Did you mean 'content.png'?"),
    "mistyped style of several": (["*t*.png", "styel.png", "out/"],
                                  "styel.png: there is no such file. Did you mean 'style.png'?"),
    "an address": (["https://example.org/a.jpg?size=1", "style.png"],
                   "https://example.org/a.jpg?size=1: this is an address, not a file; download it"),
    "an address of a file": (["file:///home/a.jpg", "style.png"],
                             "file:///home/a.jpg: this is an address, not a file; leave out file:"),
    "an address of a bucket": (["content.png", "s3://bucket/a.jpg"],
                               "s3://bucket/a.jpg: this is an address, not a file; download it"),
    "an address as the output": (["content.png", "style.png", "https://example.org/a.png"],
                                 "/example.org/a.png: this is an address; files are written on"),
    "an address of weights": ([*PICTURES, "--weights=https://example.org/vgg16.h5"],
                              "this is an address, not a file; download it first"),
    "output without its flag": ([*PICTURES, "a.png"],
                                "'a.png': expected --flag=value, or --output=a.png"),
    "no weights file": ([*PICTURES, "--weights=no.h5"], "--weights=no.h5"),
    "foreign weights": ([*PICTURES, "--weights=text.png"],
                        "this is no complete HDF5 weights file"),
    "shares of others": ([*PICTURES, "--style_blend=1,2"],
                         "--style_blend: expected a share for each"),
    "masks of others": ([*PICTURES, "--style_mask=style.png", "--style_mask=style.png"],
                        "--style_mask: expected a mask for each style (1). Received: 2"),
    # Outputs
    "no folder": (["content.png", "style.png", "style.png/a.png"],
                  "the folder style.png cannot be made, as style.png is a file"),
    "no format": (["content.png", "style.png", "a.xyz"], "expected a name that ends in .png"),
    "bits that a format lacks": (["content.png", "style.png", "a.jpg", "--bits=16"], "a.jpg: "),
    "link to nowhere": (["content.png", "style.png", "nowhere.png"], "does not exist"),
    "long name": (["content.png", "style.png", "a" * 300 + ".png"], "cannot be used (File name"),
    "foreign braces": (["content.png", "style.png", "{contents}.png"], "Received: '{contents}'"),
    "output is content": (["content.png", "style.png", "content.png"],
                          "--output=content.png: this would replace an input"),
    "output is style": (["content.png", "style.png", "./style.png"], "would replace an input"),
    "output is start": (["content.png", "style.png", "text.png", "--init=text.png"],
                        "--output=text.png: this would replace an input"),
    "output is a picture": (["content.png", "style.png", "other.png"],
                            "other.png: the third name is the output, and this picture exists"),
    "report is style": ([*PICTURES, "--report=style.png"],
                        "--report=style.png: this would replace an input"),
    "report is output": (["content.png", "style.png", "a.png", "--report=a.png"],
                         "--report=a.png: this is the --output"),
    "report is weights": ([*PICTURES, "--weights=w.h5", "--report=w.h5"],
                          "--report=w.h5: this would replace an input"),
    "report is flagfile": ([*PICTURES, "--flagfile=my.flags", "--report=my.flags"],
                           "this would replace an input"),
    "profile is a file": ([*PICTURES, "--profile=style.png"],
                          "--profile=style.png: expected a folder"),
    "profile is output": (["content.png", "style.png", "a.png", "--profile=a.png"],
                          "--profile=a.png: this is the --output"),
    # Stops and checkpoints
    "no time": ([*PICTURES, "--time_limit=0"],
                "--time_limit: expected a time above 0, such as 30s"),
    "no unit of time": ([*PICTURES, "--time_limit=3d"], "Received: '3d'"),
    "resume from where": ([*PICTURES, "--resume"],
                          "--resume: say where the run is kept: --checkpoint=FOLDER"),
    "checkpoints where": ([*PICTURES, "--checkpoint_every=3"],
                          "--checkpoint_every: say where the run is kept: --checkpoint=FOLDER"),
    "checkpoint is a file": ([*PICTURES, "--checkpoint=text.png"],
                             "--checkpoint=text.png: expected a folder"),
    "checkpoint among others": ([*PICTURES, "--checkpoint=."],
                                "--checkpoint=.: expected a new folder"),
    "checkpoint nowhere": ([*PICTURES, "--checkpoint=style.png/kept"],
                           "the folder style.png cannot be made"),
    "output in checkpoint": (["content.png", "style.png", "kept/a.png", "--checkpoint=kept"],
                             "--output=kept/a.png: the --checkpoint folder is for"),
    "checkpoint is output": (["content.png", "style.png", "a.png", "--checkpoint=a.png"],
                             "--checkpoint=a.png: this is the --output"),
    "checkpoint never": ([*PICTURES, "--checkpoint=kept", "--checkpoint_every=0"],
                         "--checkpoint_every: expected a whole number"),
}

SEVERAL = ["--content=*t*.png", "--style=style.png"]
# What is wrong with the flags is so for each of several pictures, and said once.
BAD_FOR_ALL = {
    "in one file": (["*t*.png", "style.png", "a.png"],
                    "Expected a folder, or --output='{content}_{style}.png'"),
    "in one name": (["content.png", "[cs]*.png", "{content}.png"], "would both get this name"),
    "over an input": (["*t*.png", "style.png", "{content}.png"], "would replace an input"),
    "shares of others": ([*SEVERAL, "--style_blend=1,2"],
                         "--style_blend: expected a share for each"),
    "size too small": ([*SEVERAL, "--size=8", "--style_layers=block5_conv1"],
                       "too small for the deepest"),
    "style seen too small": ([*SEVERAL, "--style_size=8", "--style_layers=block5_conv1"],
                             "too small for the deepest"),
    "sides of no texture": ([*SEVERAL, "--size=40x24"], "the content gives the proportions"),
    "the size of nothing": (["--content=none", "--style=*t*.png", "--size=original"],
                            "--size=original: there is no content"),
    "too large for WebP": ([*SEVERAL, "--output={content}_new.webp", "--size=20000"],
                           "WebP holds at most 16383 pixels a side"),
    "missing start": ([*SEVERAL, "--init=no.png"], "no.png: there is no such file"),
    "a start that is no word": ([*PICTURES, "--init=zeros"],
                               "--init=zeros: expected content, style, noise, gray, a picture or a "
                               "network; there is no such file\n"),
    "a start nearly a word": ([*SEVERAL, "--init=contnet"], "such file. Did you mean 'content'?"),
    "a start nearly a file": ([*PICTURES, "--init=stile.png"], "--init=stile.png: there is no such "
                              "file. Did you mean 'style.png'?"),
    "start that is no picture": ([*SEVERAL, "--init=text.xyz"], "text.xyz: this is not a picture"),
    "missing content mask": ([*SEVERAL, "--content_mask=no.png"], "no.png: there is no such file"),
    "missing style mask": ([*SEVERAL, "--style_mask=no.png"], "no.png: there is no such file"),
    "black mask": ([*SEVERAL, "--content_mask=black.bmp"],
                   "--content_mask: the region of style is empty: the mask is black"),
    "nothing protected": ([*SEVERAL, "--protect=black.bmp"],
                          "--protect: nothing is protected: the mask is black"),
    "missing mask of what is protected": ([*SEVERAL, "--protect=no.png"],
                                          "no.png: there is no such file"),
    "nothing to protect": (["--content=none", "--style=*t*.png", "--protect=content.png",
                            "--size=40x24"], "--protect: there is no content"),
    "snapshot over an input": (
        ["--content=*t*.png", "--style=sub/content_0002.png", "--output=sub/{content}.png",
         "--snapshot_every=2"],
        "content_0002.png would replace an input, or is another output",
    ),
    "film": ([*SEVERAL, "--animate=a.gif"],
             "--animate=a.gif: is for a single picture"),
    "figure": ([*SEVERAL, "--plot=p.png"], "--plot=p.png: is for a single picture"),
    "summaries": ([*SEVERAL, "--logdir=logs"], "--logdir=logs: is for a single picture"),
    "checkpoint": ([*SEVERAL, "--checkpoint=kept"],
                   "--checkpoint=kept: is for a single picture"),
}


@pytest.fixture
def bad_files(folder):
    (folder / "text.png").write_text("no picture")
    shutil.copy("style.png", "other.png")
    (folder / "bare").mkdir()
    (folder / "w.h5").write_bytes(b"weights")
    (folder / "a.keras").write_bytes(b"network")
    (folder / "my.flags").write_text("\ufeff--size=48\n", encoding="utf-8")
    try:
        (folder / "nowhere.png").symlink_to(folder / "no" / "a.png")
    except OSError:
        # No links for this user of Windows: the name alone has no folder either.
        BAD["link to nowhere"] = BAD["no folder"]
    (folder / "kept").mkdir()
    return folder


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_writes_nothing(case, bad_files, refused):
    arguments, message = BAD[case]
    assert message in refused(cli.main, *arguments)


COMMANDS = {cli.main: StylizeOptions, cli.evaluate: EvaluateOptions, cli.learn: LearnOptions,
            cli.explain: ExplainOptions}
RUNS = {option.name: option for option in Settings.options()}
# Command and flag of each option that is a text.
TEXTS = [
    (command, name) for command, kind in COMMANDS.items()
    for name, option in {
        **(RUNS if command in (cli.main, cli.explain) else {}),
        **{each.name: each for each in kind.options()},
    }.items()
    if isinstance(option.type, (Text, Texts))
]


@pytest.mark.parametrize("name", ["a" * 300, "~/" + "漢" * 300, "a\0b"],
                         ids=["long", "home", "NUL"])
@pytest.mark.parametrize("command, flag", TEXTS,
                         ids=lambda each: getattr(each, "__name__", each))
def test_a_name_that_no_file_can_have_is_one_line(command, flag, name, refused):
    given = {
        cli.main: {"content": "content.png", "style": "style.png"},
        cli.evaluate: {"content": "content.png", "style": "style.png", "generated": "style.png"},
        cli.learn: {"pictures": "style.png", "output": "a.h5"},
        cli.explain: {"content": "content.png", "style": "style.png", "output": "why"},
    }[command]
    error = refused(command, *(f"--{key}={value}" for key, value in {**given, flag: name}.items()))
    assert f": --{flag}" in error


def test_few_texts_name_no_file():
    own = {each.name: each for kind in COMMANDS.values() for each in kind.options()}
    others = {name for _, name in TEXTS
              if not isinstance({**own, **RUNS}[name].type, (File, Files))}
    assert others == {
        "preset", "device", "cluster", "layers", "style_layers", "content_layers", "sheet_of",
    }


@pytest.mark.parametrize("flags", [["--skip_existing"], ["--snapshot_every=1"], []])
@pytest.mark.parametrize("output", ["{content}{style}.png", "{content}_{content}_{content}.png"])
def test_a_name_made_of_others_that_is_too_long_is_one_line(flags, output, folder, refused):
    Image.open("content.png").save("c" * 120 + ".png")
    Image.open("style.png").save("s" * 140 + ".png")
    assert "File name too long" in refused(
        cli.main, f"--content={'c' * 120}.png", f"--style={'s' * 140}.png", f"--output={output}",
        *flags,
    )


@pytest.mark.parametrize("flag, length", [("--skip_existing", 245), ("--snapshot_every=1", 245)])
def test_there_is_room_for_what_is_written_besides(flag, length, refused):
    """For `_unfinished` and the number of a snapshot."""
    name = "a" * length + ".png"
    assert "File name too long" in refused(cli.main, *PICTURES, f"--output={name}", flag)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="all names are Unicode there")
@pytest.mark.parametrize("flag", ["checkpoint", "profile", "logdir"])
@pytest.mark.parametrize("name", [b"kept\xff", b"fold\xff/kept", b"kept"])
def test_a_folder_that_tensorflow_cannot_name_is_one_line(flag, name, folder, refused, monkeypatch):
    os.mkdir(b"fold\xff")
    if name == b"kept":
        # The working folder is part of its name.
        for picture in ("content.png", "style.png"):
            os.rename(picture, os.path.join(b"fold\xff", picture.encode()))
        monkeypatch.chdir(os.fsdecode(b"fold\xff"))
    error = refused(cli.main, *PICTURES, f"--{flag}={os.fsdecode(name)}")
    assert f"--{flag}=" in error and "expected a folder whose whole name is UTF-8" in error


def test_the_home_folder_is_meant_after_every_flag(folder, monkeypatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(folder))
    (folder / "sub").mkdir()
    monkeypatch.chdir(folder / "sub")
    (folder / "my.flags").write_text("--report=~/r.json\n--flagfile=~/more.flags\n")
    (folder / "more.flags").write_text("--logdir=~/logs\n--content=~/content.png\n")
    request = asked("--style=~/style.png", "--output=~/a.png", "--flagfile=~/my.flags", *TINY,
                    "--checkpoint=~/kept", "--cache_dir=~/cache", "--init=~/style.png")
    job, = request.jobs
    found = [job.content, *job.styles, job.output, request.report, request.byproducts.logdir,
             request.checkpoints.folder, request.settings.cache_dir, request.settings.init]
    assert [Path(each) for each in found] == [folder / name for name in (
        "content.png", "style.png", "a.png", "r.json", "logs", "kept", "cache", "style.png")]
    assert asked("~/content.png", "~/style.png", "~/b.png").jobs[0].output == folder / "b.png"


@pytest.mark.parametrize("case", BAD_FOR_ALL)
def test_what_is_bad_for_all_is_said_once(case, folder, refused):
    (folder / "text.xyz").write_text("no picture")
    Image.new("L", (64, 48)).save("black.bmp")
    (folder / "sub").mkdir()
    Image.open("style.png").save("sub/content_0002.png")
    Image.open("content.png").save("content_two.png")
    arguments, message = BAD_FOR_ALL[case]
    assert message in refused(cli.main, *arguments)


def test_a_folder_that_cannot_be_written(refused, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    # Root may write anywhere, so the refusal is a stand-in.
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    error = refused(cli.main, "content.png", "style.png", "a.png")
    assert "a.png: cannot write in . (Permission denied)" in error


@pytest.mark.parametrize("command", [
    (cli.main, "content.png", "style.png", "a.png"),
    (cli.evaluate, *PICTURES, "--generated=content.png"),
    (cli.explain, *PICTURES, "--output=why"),
], ids=["stylize", "evaluate", "explain"])
def test_offline_imagenet_has_to_be_there(command, no_network, folder, refused, monkeypatch):
    monkeypatch.setattr("tf_style.network.download.fetch",
                        lambda *_, **__: pytest.fail("a download"))
    error = refused(*command, "--weights=imagenet", "--offline")
    assert "https://storage.googleapis.com/" in error and str(folder / "keras" / "models") in error


@pytest.mark.parametrize("arguments", [
    [*PICTURES, "--style_layers=block9"], ["content.png", "style.png", "style.png/a.png"],
    [*PICTURES, "--weights=style.png"], [*PICTURES, "--checkpoint=style.png"],
    ["*.png", "style.png", "a.png"], ["*t*.png", "style.png", "--style_blend=1,2"],
    ["*t*.png", "style.png", "--init=no.png"], [*PICTURES, "--weights=imagenet", "--offline"],
])
def test_flags_are_checked_without_tensorflow(arguments, monkeypatch, folder):
    monkeypatch.setenv("KERAS_HOME", str(folder / "keras"))
    Image.open("content.png").save("content_two.png")
    assert without_tensorflow(cli.main, *arguments) == 2


def test_a_run_that_can_be_made_is_not_refused(folder):
    """The fixtures' own pictures and flags pass, so that it is the bad ones that are refused."""
    assert asked(*PICTURES, *TINY).jobs and asked(*SEVERAL, "--output={content}_new.png").jobs


def test_folders_of_outputs_need_not_be_there(folder):
    request = asked(*SEVERAL, "--output=new/one/{content}.png", *TINY, "--report=new/r.json")
    assert request.jobs[0].output.parts[:2] == ("new", "one") and request.report
    asked("content.png", "style.png", "new/a.png", "--checkpoint=new/kept", "--logdir=new/logs/one",
          "--plot=new/p.png", "--animate=new/a.gif", "--profile=new/profile")
    assert not (folder / "new").exists()


def test_one_picture_beside_the_styles_flag_is_the_content():
    job, = asked("content.png", "--style=style.png").jobs
    assert (job.content, job.styles) == ("content.png", ("style.png",))


@pytest.mark.parametrize("arguments", [
    ["--weights=random"], ["--init=noise"], ["--init_noise=0.1"], ["--network=vgg16"],
    ["--style_loss=moments,sliced_wasserstein"], ["--content=none"],
    ["--weights=unsupervised"],
])
def test_a_seed_that_draws_is_silent(arguments):
    content = [] if "--content=none" in arguments else ["--content=content.png"]
    assert not asked(*content, "--style=style.png", "--seed=3", *arguments).notes


def test_a_seed_that_draws_nothing_is_said():
    assert not asked(*PICTURES, "--offline").notes
    note, = asked(*PICTURES, "--seed=3", "--offline").notes
    assert note.startswith("--seed: nothing is drawn at random here")
