"""What a command is made of: its options, its help, its answers."""

import dataclasses

import pytest
from PIL import Image

import tf_style
from tests.commands.conftest import TINY, assert_tells, call
from tf_style import InputError, cli
from tf_style.commands.command import (
    Command,
    CommandLine,
    CommonOptions,
    refuse_places,
    require,
)
from tf_style.image.picture import read_picture
from tf_style.settings.option import Number, Options, Switch, Text, Texts, option, whole


@dataclasses.dataclass(frozen=True, kw_only=True)
class Own(CommonOptions):
    name: str | None = option(Text("FILE"), None, "a name")
    many: tuple[str, ...] = option(Texts(), (), "several names")
    size: int = option(whole(0), 0, "as this command has it")
    fast: bool = option(Switch(), False, "faster")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Other(Options):
    size: int = option(whole(0), 7, "as others have it")
    share: float = option(Number(0, 1), 0.5, "a word " * 30)


COMMAND = Command("tf_own", "Do a thing.\n", (Own, Other), lambda line: 0)


def test_of_two_options_of_one_name_the_first_counts():
    names = [each.name for each in COMMAND.options]
    assert names == ["name", "many", "size", "fast", "preset", "flagfile", "quiet", "verbose",
                     "version", "help", "share"]
    size, = (each for each in COMMAND.options if each.name == "size")
    assert size.default == 0


def test_help_has_the_usage_the_forms_and_the_defaults():
    text = COMMAND.help()
    lines = text.splitlines()
    assert lines[:3] == ["Do a thing.", "", "  --name=FILE"]
    assert {"  --many=NAME", "  --size=N", "  --fast", "  --share=X"} <= set(lines)
    assert max(map(len, lines)) <= 88
    assert_tells(text, {
        "name": (None, "a name"), "many": (None, "several names"), "fast": (None, "faster"),
        # Zero is a default like any other.
        "size": ("0", "as this command has it"), "share": ("0.5", "a word " * 29),
    })


def test_options_are_parsed_and_have_a_commands_own_defaults():
    line = CommandLine([], {"share": "0.25", "fast": True}, [])
    assert (line.options(Other).share, line.options(Other).size) == (0.25, 7)
    assert line.options(Other, size=9).size == 9
    assert line.options(Own).fast and not line.options(Own).quiet
    given = CommandLine([], {"size": "3"}, [])
    assert given.options(Other, size=9).size == 3
    with pytest.raises(InputError, match=r"^--share: expected a number, at most 1. Received: 2$"):
        CommandLine([], {"share": "2"}, []).options(Other)


@pytest.mark.parametrize("given, answer", [
    ({"help": True}, COMMAND.help()), ({"version": True}, f"tf_style {tf_style.__version__}"),
    ({"help": True, "version": True}, COMMAND.help()),
])
def test_help_and_version_are_answered(given, answer, capsys):
    assert COMMAND.answers(CommandLine([], given, []))
    assert capsys.readouterr().out == f"{answer}\n"


def test_nothing_else_is_answered(capsys):
    assert not COMMAND.answers(CommandLine([], {"quiet": True, "help": False}, []))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("command", [cli.main, cli.evaluate, cli.learn, cli.explain])
def test_every_command_has_the_common_flags(command, capsys):
    assert call(command, "--help") == 0
    assert_tells(capsys.readouterr().out, {
        "preset": (None, "a named set of defaults: flags/NAME.flags"),
        "flagfile": (None, "a file of flags, one a line, taken as defaults"),
        "quiet": (None, "print nothing but errors"),
        "verbose": (None, "let TensorFlow print its own messages"),
        "version": (None, "print the version and exit"),
        "help": (None, "print this and exit"),
    })


@pytest.mark.parametrize("command, arguments", [
    (cli.main, ["content.png", "style.png", "a.png", *TINY]),
    (cli.main, ["content.png", "style.png", "a.png", *TINY, "--dry_run"]),
    (cli.evaluate, ["--content=content.png", "--style=style.png", "--generated=content.png",
                    "--weights=random"]),
    (cli.learn, ["--pictures=content.png", "--output=a.h5"]),
    (cli.explain, ["--content=content.png", "--style=style.png", "--output=out",
                   "--weights=random"]),
])
def test_every_command_that_reads_pictures_has_a_limit(command, arguments, folder, capfd):
    assert call(command, *arguments, "--max_pixels=1000") == 2
    told = capfd.readouterr()
    assert "pixels are too large to open safely. For a file that you trust" in told.err
    assert told.err.count("\n") == 1 and "--max_pixels=1000" in told.err and not told.out
    assert {path.name for path in folder.iterdir()} == {"content.png", "style.png"}
    assert call(command, "--help") == 0
    assert_tells(capfd.readouterr().out, {"max_pixels": ("178956970", "most pixels")})


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "1e12", "99999999999"])
def test_a_limit_is_a_number_of_pixels(value, capfd):
    assert call(cli.main, "content.png", "style.png", "a.png", f"--max_pixels={value}") == 2
    assert capfd.readouterr().err.startswith("tf_style: --max_pixels: expected a whole number")


def test_a_raised_limit_changes_no_pixel(capfd, monkeypatch):
    assert call(cli.main, "content.png", "style.png", "a.png", *TINY, "--quiet") == 0
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert call(cli.main, "content.png", "style.png", "b.png", *TINY, "--quiet",
                "--max_pixels=1000000") == 0
    assert (read_picture("a.png") == read_picture("b.png", max_pixels=10_000)).all()


def test_places_are_refused():
    refuse_places(CommandLine([], {}, []))
    with pytest.raises(InputError, match=r"^'stray': expected --flag=value. All flags: --help$"):
        refuse_places(CommandLine([], {}, ["stray", "other"]))


def test_what_a_command_cannot_do_without_is_named():
    require(Own(name="a", many="b"), name="FILE", many="FILE")
    for given in ({}, {"many": ()}):
        with pytest.raises(InputError, match=r"^--many: expected a value, such as --many=FILE$"):
            require(Own(name="a", **given), name="FILE", many="FILE")
