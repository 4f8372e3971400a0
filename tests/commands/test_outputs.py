"""Files that a command writes: that none replaces an input, or another."""

import os
import sys
from pathlib import Path

import pytest

from tf_style import InputError
from tf_style.commands.outputs import check_apart, check_folder, identity


@pytest.fixture
def link(folder):
    """`link.png` leads to `style.png`."""
    try:
        (folder / "link.png").symlink_to("style.png")
    except OSError:
        pytest.skip("no links for this user")
    return Path("link.png")


def test_what_is_apart_passes(folder):
    check_apart({"output": [Path("a.png"), Path("b.png")], "report": Path("a.json"), "plot": None},
                ["content.png", "sample:harbor", "missing.png"])
    # One flag may name a file twice: that is for whoever names them to see.
    check_apart({"output": [Path("a.png"), Path("a.png")]}, [])


@pytest.mark.parametrize("outputs, message", [
    ({"output": Path("content.png")}, "--output=content.png: this would replace an input"),
    ({"output": [Path("a.png"), Path("./style.png")]}, "--output=style.png: this would replace"),
    ({"output": Path("a.png"), "plot": Path("sub/../a.png")},
     "--plot=sub/../a.png: this is the --output"),
    ({"output": [Path("a.png"), Path("b.png")], "report": Path("b.png")},
     "--report=b.png: this is the --output"),
    ({"logdir": Path("logs"), "profile": Path("logs")}, "--profile=logs: this is the --logdir"),
])
def test_what_is_not_apart_is_named(outputs, message, folder):
    (folder / "sub").mkdir()
    with pytest.raises(InputError) as refused:
        check_apart(outputs, ["content.png", "style.png"])
    assert message.replace("/", os.sep) in refused.value.flags


def test_a_link_to_an_input_is_that_input(link):
    with pytest.raises(InputError, match=r"output=link\.png: this would replace an input"):
        check_apart({"output": link}, ["style.png"])
    with pytest.raises(InputError, match=r"output=style\.png: this would replace an input"):
        check_apart({"output": Path("style.png")}, ["link.png"])


def test_a_hard_link_is_the_same_file(folder):
    os.link("style.png", "other.png")
    assert identity(Path("other.png")) == identity(Path("style.png")) != identity(Path("a.png"))


def test_files_that_are_not_there_are_known_by_their_place(folder, link):
    assert identity(Path("a.png")) == identity(folder / "a.png")
    assert identity(Path("a.png")) != identity(Path("b.png"))
    (folder / "sub").symlink_to(folder, target_is_directory=True)
    assert identity(Path("sub/a.png")) == identity(Path("a.png"))


@pytest.mark.parametrize("platform, same", [("linux", False), ("darwin", True), ("win32", True)])
def test_capitals_tell_files_apart_where_the_system_does(platform, same, monkeypatch):
    monkeypatch.setattr(sys, "platform", platform)
    assert (identity(Path("A.png")) == identity(Path("a.png"))) is same


def test_a_name_that_no_file_can_have_is_left_to_who_writes_there():
    assert identity(Path("a\0b.png")) == "a\0b.png"


def test_a_folder_that_is_there_or_can_be_made(folder):
    (folder / "logs").mkdir()
    assert check_folder("logdir", "logs") == Path("logs")
    assert check_folder("logdir", "new") == Path("new") and not Path("new").exists()
    assert check_folder("logdir", "new/logs") == Path("new/logs") and not Path("new").exists()


@pytest.mark.parametrize("name", ["style.png", "style.png/logs"])
def test_what_cannot_be_a_folder_is_named(name):
    with pytest.raises(InputError, match=f"^logdir={name}: expected a folder, or a new name$"):
        check_folder("logdir", name)


def test_a_folder_that_is_write_protected_is_named(folder, monkeypatch):
    (folder / "logs").mkdir()
    # Root may write anywhere, so the refusal is a stand-in.
    monkeypatch.setattr(os, "access", lambda *_: False)
    for name in ("logs", "new"):
        with pytest.raises(InputError, match=f"^logdir={name}: cannot write in "):
            check_folder("logdir", name)
