"""Flags, as they are read from the command line and from files."""

import pytest
from PIL import Image

from tests.commands.conftest import TINY, call
from tf_style import InputError, cli
from tf_style.commands import evaluate, flags, stylize
from tf_style.commands.stylize_options import StylizeOptions
from tf_style.settings import Settings


def parse(*arguments):
    return flags.parse(stylize.COMMAND, list(arguments))


def test_flags_are_texts_and_the_rest_are_places():
    line = parse("a.png", "--size=40", "b.png", "--quiet", "--style=s", "--style", "t")
    assert line.given == {"size": "40", "quiet": True, "style": ["s", "t"]}
    assert list(line.places) == ["a.png", "b.png"] and line.flagfiles == ()
    assert list(line.argv)[:2] == ["a.png", "--size=40"]


def test_what_is_not_given_is_not_there():
    assert parse().given == {} and list(parse().places) == []


def test_switches_can_be_switched_off():
    assert parse("--noquiet", "--embed_settings=false").given == {
        "quiet": False, "embed_settings": False
    }


def test_behind_two_dashes_there_are_no_flags():
    line = parse("--quiet", "--", "--size=40", "--preset=shallow", "--flagfile=no")
    assert line.given == {"quiet": True}
    assert list(line.places) == ["--size=40", "--preset=shallow", "--flagfile=no"]


def test_each_kind_of_options_takes_its_own_of_a_line():
    line = parse("a.png", "--size=40", "--bits=16", "--style=s", "--style=t")
    assert str(line.options(Settings).size) == "40"
    options = line.options(StylizeOptions)
    assert (options.bits, options.style, options.content) == ("16", ("s", "t"), None)


def test_two_parsings_know_nothing_of_each_other():
    flags.parse(evaluate.COMMAND, ["--json"])
    with pytest.raises(InputError, match="json: there is no such flag"):
        parse("--json")


def test_the_command_line_wins_over_files_wherever_it_stands(folder):
    (folder / "my.flags").write_text(
        "# a comment\n--style=missing.png\n\n--size=64\n--preset=shallow\n"
    )
    for order in (["--flagfile=my.flags", "--size=40"], ["--size=40", "--flagfile", "my.flags"]):
        line = parse(*order, "--style=style.png")
        assert line.given["size"] == "40" and line.given["style"] == ["style.png"]
        # What the preset gives is there all the same.
        assert "style_layers" in line.given
        assert [name.rpartition("/")[2] for name in line.flagfiles] == [
            "shallow.flags", "my.flags"
        ]


def test_a_flagfile_gives_a_run_its_defaults(folder):
    (folder / "my.flags").write_text(
        "\n".join(["--content=content.png", "--style=missing.png", *TINY])
    )
    assert call(cli.main, "--flagfile=my.flags", "--style=style.png", "--output=a.png",
                "--size=40") == 0
    assert Image.open("a.png").size == (40, 30)


BAD = {
    "unknown flag": (["--stlye_weight=3"],
                     "--stlye_weight: there is no such flag. Did you mean --style_weight? "
                     "All flags: tf_style --helpfull"),
    "unlike any": (["--xyzzy"], "--xyzzy: there is no such flag. All flags: tf_style --helpfull"),
    "no value": (["--size"], "size"),
    "bad switch": (["--quiet=perhaps"],
                   "--quiet: expected true or false. Received: 'perhaps'"),
    "empty value": (["--report="], "--report: expected a value. Received none"),
    "empty among several": (["--style=a", "--style="], "--style: expected a value"),
    "absl's own flag": (["--undefok=foo", "--foo=1"], "--undefok: there is no such flag"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_flag_is_one_line_and_writes_nothing(case, refused):
    arguments, message = BAD[case]
    assert message in refused(cli.main, "content.png", "style.png", *arguments)
