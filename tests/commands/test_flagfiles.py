"""Files of flags: presets, and those of the user."""

import os
from pathlib import Path

import pytest

from tests.commands.conftest import without_tensorflow
from tf_style import cli
from tf_style.commands import flagfiles, flags, stylize
from tf_style.commands.stylize_options import StylizeOptions
from tf_style.settings import Settings
from tf_style.settings.presets import presets


def test_presets_are_the_files_in_flags():
    files = (Path(__file__).parents[2] / "flags").glob("*.flags")
    assert list(presets()) == sorted(path.stem for path in files)
    assert {"quickstart", "shallow", "document"} <= set(presets())


@pytest.mark.parametrize("name", presets())
def test_every_preset_is_read(name):
    line = flags.parse(stylize.COMMAND, [f"--preset={name}"])
    assert line.given and line.flagfiles and not line.places
    line.options(Settings)
    line.options(StylizeOptions)


def test_files_are_split_off_in_their_order(folder):
    (folder / "a.flags").write_text("--size=40\n")
    (folder / "b.flags").write_text("--size=64")
    found, rest = flagfiles.split_off(
        ["x", "--flagfile=a.flags", "--seed=3", "-flagfile", "b.flags", "y"]
    )
    assert found == [("a.flags", ["--size=40"]), ("b.flags", ["--size=64"])]
    assert rest == ["x", "--seed=3", "y"]


def test_comments_empty_lines_and_a_byte_order_mark_are_passed_over(folder):
    (folder / "a.flags").write_text("\ufeff# one\n\n  --size=40  \n// two\n", encoding="utf-8")
    assert flagfiles.split_off(["--flagfile=a.flags"]) == ([("a.flags", ["--size=40"])], [])


def test_files_within_come_first_and_are_sought_beside_it(folder):
    (folder / "sub").mkdir()
    (folder / "sub" / "a.flags").write_text("--size=40\n--flagfile=b.flags\n--seed=3\n")
    (folder / "sub" / "b.flags").write_text("--size=64\n")
    found, _ = flagfiles.split_off(["--flagfile=sub/a.flags"])
    assert found == [(os.path.join("sub", "b.flags"), ["--size=64"]),
                     (os.path.join("sub", "a.flags"), ["--size=40", "--seed=3"])]
    given = flags.parse(stylize.COMMAND, ["--flagfile=sub/a.flags"]).given
    assert given == {"size": "40", "seed": "3"}


BAD = {
    "missing": ("--flagfile=no.flags", "--flagfile=no.flags: cannot be read (No such file"),
    "a picture": ("--flagfile=content.png", "it is not a file of flags"),
    "endless": ("--flagfile=endless.flags", "it is not a file of flags"),
    "a folder": ("--flagfile=.", "--flagfile=.: cannot be read"),
    "a device": ("--flagfile=/dev/zero", "--flagfile=/dev/zero: cannot be read"),
    "of an impossible name": ("--flagfile=a\0b", "no file can have such a name"),
    "of a long name": (f"--flagfile={'a' * 300}", "cannot be used"),
    "doubled again and again": ("--flagfile=0.flags", "expected at most 100 flagfiles"),
    "in itself": ("--flagfile=loop.flags", "loop.flags: names itself"),
    "in itself by another": ("--flagfile=round.flags", "names itself"),
    "with an unknown flag": ("--flagfile=bad.flags",
                             "bad.flags: --sise: there is no such flag. Did you mean --size?"),
    "with a place": ("--flagfile=place.flags",
                     "place.flags: expected one --flag=value a line. Received: 'content.png'"),
    "with an empty value": ("--flagfile=empty.flags", "empty.flags: --size: expected a value"),
    "unknown preset": ("--preset=fancy", "--preset=fancy: there is no such preset. All: "),
    "nothing": ("--flagfile=", "--flagfile: expected a file"),
    "no preset": ("--preset", "--preset: expected a value, such as --preset=NAME"),
}


@pytest.fixture
def bad_files(folder):
    for name, text in {
        "loop": "--flagfile=loop.flags", "round": "--flagfile=back.flags",
        "back": "--flagfile=round.flags", "endless": "#" * 2_000_000, "bad": "--sise=3",
        "place": "content.png", "empty": "--size=",
    }.items():
        (folder / f"{name}.flags").write_text(text)
    for number in range(30):
        (folder / f"{number}.flags").write_text(f"--flagfile={number + 1}.flags\n" * 2)
    (folder / "30.flags").write_text("")


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_one_line_and_writes_nothing(case, bad_files, refused):
    argument, message = BAD[case]
    assert message in refused(cli.main, argument)


def test_a_file_that_cannot_be_read_names_the_presets(refused):
    assert "Presets: --preset=color, " in refused(cli.main, "--flagfile=no.flags")


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="no names for what a process has open")
def test_what_another_process_writes_is_a_file_of_flags():
    """As `--flagfile=<(echo --size=40)` does."""
    reader, writer = os.pipe()
    os.write(writer, b"--size=40\n")
    os.close(writer)
    line = flags.parse(stylize.COMMAND, [f"--flagfile=/dev/fd/{reader}"])
    os.close(reader)
    assert line.given == {"size": "40"} and line.flagfiles == (f"/dev/fd/{reader}",)


def test_files_are_read_without_tensorflow():
    assert without_tensorflow(cli.main, "--preset=no") == 2
