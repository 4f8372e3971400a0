"""What a command is made of: its options, its help, its answers."""

import dataclasses
import shlex

import pytest
from PIL import Image

import tf_style
from tests.commands.conftest import TINY, assert_tells, call
from tf_style import InputError, cli
from tf_style.commands import (
    camera,
    evaluate,
    explain,
    flags,
    learn,
    library,
    studio,
    stylize,
    train,
)
from tf_style.commands.command import (
    Command,
    CommandLine,
    CommonOptions,
    placed,
    require,
)
from tf_style.commands.exits import guarded
from tf_style.commands.request import Request
from tf_style.image.picture import read_picture
from tf_style.settings.option import Number, Options, Switch, Text, Texts, option, whole
from tf_style.settings.presets import presets


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
COMMANDS = [each.COMMAND for each in (
    stylize, evaluate, explain, learn, train, camera, library, studio)]
PLACED = dataclasses.replace(COMMAND, places=("name", "many"))


def test_of_two_options_of_one_name_the_first_counts():
    names = [each.name for each in COMMAND.options]
    assert names == ["name", "many", "size", "fast", "preset", "flagfile", "library", "quiet",
                     "verbose", "version", "help", "helpfull", "completion", "share"]
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
    with pytest.raises(InputError, match=r"^share: expected a number, at most 1. Received: 2$"):
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


@pytest.mark.parametrize("command", [
    cli.main, cli.evaluate, cli.learn, cli.explain, cli.train, cli.camera])
def test_every_command_has_the_common_flags(command, capsys):
    assert call(command, "--helpfull") == 0
    assert_tells(capsys.readouterr().out, {
        "preset": (None, "a named set of defaults: flags/NAME.flags"),
        "flagfile": (None, "a file of flags, one per line, taken as defaults"),
        "quiet": (None, "print nothing but errors"),
        "verbose": (None, "let TensorFlow print its own messages"),
        "version": (None, "print the version and exit"),
        "help": (None, "print the flags that people need and exit"),
        "helpfull": (None, "print all flags and exit"), "completion": (None, "in this shell"),
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
    assert call(command, "--helpfull") == 0
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


@pytest.mark.parametrize("given, places, found", [
    ({}, ["a", "b", "c"], {"name": "a", "many": ["b", "c"]}),
    ({"name": "a"}, ["b"], {"name": "a", "many": ["b"]}),
    ({"many": ["b"]}, ["a"], {"name": "a", "many": ["b"]}),
    ({}, [], {}),
])
def test_places_fill_what_has_no_flag(given, places, found):
    line = placed(PLACED, CommandLine([], given, places))
    assert (line.given, line.places) == (found, [])


def test_places_that_nothing_is_left_for_are_refused():
    for command, given in ((COMMAND, {}), (PLACED, {"name": "a", "many": ["b"]})):
        with pytest.raises(InputError, match=r"^'stray': expected .* flags: tf_own helpfull$"):
            placed(command, CommandLine([], given, ["stray", "other"]))


def test_help_is_short_where_the_command_says_what_is_needed():
    command = dataclasses.replace(
        COMMAND, needed=("share", "name"), examples=("tf_own one", "tf_own two")
    )
    shown = [line.split()[0] for line in command.help(full=False).splitlines() if "  --" in line]
    assert shown == ["--share=X", "--name=FILE", "--help,", "--helpfull"]
    assert command.help(full=False).endswith("Examples:\n  tf_own one\n  tf_own two")
    assert "--fast" in command.help() and "--helpfull" in command.help()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.program)
def test_help_names_at_most_fifteen_flags_and_gives_two_examples(command):
    names = {each.name for each in command.options}
    assert set(command.needed) | set(command.places) <= names and len(command.examples) == 2
    told = command.help(full=False)
    assert told.count("\n  --") <= 15
    for example in command.examples:
        assert f"\n  {example}" in told
        program, *arguments = shlex.split(example)
        assert program == command.program and flags.parse(command, arguments).given is not None
    told = command.help()
    assert all((f"\n  --{name}" in told) != (name in command.unused) for name in names)


@pytest.mark.parametrize("command", [each for each in COMMANDS if not each.alone],
                         ids=lambda each: each.program)
def test_a_command_called_with_nothing_says_how(command, capsys):
    assert guarded(command, []) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3 and max(map(len, lines)) < 200
    assert lines[1] == f"A first try: {command.examples[0]}"
    assert lines[2].endswith(f"{command.program} --help")


def test_the_first_try_of_a_picture_can_be_made():
    _, *arguments = shlex.split(stylize.COMMAND.examples[0])
    job, = Request.of(flags.parse(stylize.COMMAND, arguments)).jobs
    assert job.content == "sample:harbor"


def test_presets_are_listed_with_what_each_is_for(capsys):
    assert call(cli.main, "--list_presets") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(presets())
    assert all(len(line.split()) > 4 and line.endswith(".") for line in lines)


def test_what_a_command_cannot_do_without_is_named():
    require(Own(name="a", many="b"), name="FILE", many="FILE")
    for given in ({}, {"many": ()}):
        with pytest.raises(InputError, match=r"^many: expected a value, such as many=FILE$"):
            require(Own(name="a", **given), name="FILE", many="FILE")
