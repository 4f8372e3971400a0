"""Who hears of the jobs of a command, and who may stop them."""

import itertools
import json
import os
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.commands.conftest import call, made, photo, several
from tf_style import cli
from tf_style.commands.audience import Audience
from tf_style.commands.request import Request
from tf_style.commands.tally import Tally
from tf_style.image.picture import read_note
from tf_style.run import jobs
from tf_style.run.jobs import Job
from tf_style.run.result import Result
from tf_style.run.scene import Scene
from tf_style.settings import InputError

ACE = several("photos/[ace].png")


# Asked to stop


def test_ctrl_c_ends_the_picture_and_begins_no_other(photos, capfd, pressed):
    # The first step of the second picture.
    pressed(6, signal.SIGINT)
    assert call(cli.main, *ACE) == 130
    error = capfd.readouterr().err
    left = os.path.join("out", "c_unfinished.png")
    assert made() == ["a.png", "c_unfinished.png"]
    assert f"stopped after 1 step; the picture so far is in {left}\n" in error
    assert error.endswith("tf_style: 1 picture made, 1 stopped, 1 not begun\n")
    assert call(cli.main, *ACE, "--skip_existing") == 0
    assert capfd.readouterr().err.endswith("tf_style: 2 pictures made, 1 there already\n")
    assert made() == ["a.png", "c.png", "e.png"]


@pytest.mark.parametrize("owner, name, time", [
    # The first scene is a stand-in.
    (Scene, "of", 3), (Result, "save", 1),
], ids=["reading", "saving"])
def test_ctrl_c_between_two_pictures_begins_no_other(
    owner, name, time, photos, capfd, monkeypatch
):
    original, count = getattr(owner, name), itertools.count(1)

    def pressed(*arguments, **given):
        if next(count) == time:
            signal.raise_signal(signal.SIGINT)
        return original(*arguments, **given)

    monkeypatch.setattr(owner, name, pressed)
    assert call(cli.main, *ACE) == 130
    assert made() == ["a.png"]
    assert capfd.readouterr().err.endswith("tf_style: 1 picture made, 2 not begun\n")


def test_pressed_again_the_picture_at_hand_is_given_up(photos, capfd, pressed):
    pressed(6, signal.SIGINT, signal.SIGINT)
    assert call(cli.main, *ACE) == 130
    assert made() == ["a.png"]
    assert capfd.readouterr().err.endswith("tf_style: 1 picture made, 2 not begun\n")


def test_a_time_limit_is_for_all(photos, capfd, monkeypatch):
    """It is up when the second picture is to be begun."""
    clock = iter([0.0] * 3)
    monkeypatch.setattr(jobs, "time", SimpleNamespace(perf_counter=lambda: next(clock, 60.0)))
    assert call(cli.main, *ACE, "--time_limit=1m", "--quiet") == 0
    assert capfd.readouterr().err == "tf_style: 1 picture made, 2 not begun\n"
    assert made() == ["a.png"]


def test_a_time_that_is_up_ends_the_picture_at_hand(photos, capfd):
    assert call(cli.main, *ACE, "--time_limit=0.05s") == 0
    assert made() == ["a_unfinished.png"]
    assert capfd.readouterr().err.endswith("0 pictures made, 1 stopped, 2 not begun\n")


# What each picture has


def test_each_picture_has_its_snapshots(photos):
    flags = ["--snapshot_every=3", "--noembed_settings"]
    assert call(cli.main, *several("photos/[ac].png"), *flags) == 0
    assert made() == ["a.png", "a_0003.png", "c.png", "c_0003.png"]
    assert read_note("out/a.png") is None


def test_each_picture_has_its_settings(photos):
    assert call(cli.main, *several("photos/[ac].png")) == 0
    assert [json.loads(read_note(f"out/{name}.png"))["content"] for name in "ac"] == [
        photo("a"), photo("c")
    ]


def test_snapshots_that_fail_cost_no_picture(photos, monkeypatch, capfd):
    def full(*_):
        raise InputError("the disk is full")

    monkeypatch.setattr("tf_style.commands.byproducts.Snapshots.show", full)
    assert call(cli.main, *several("photos/[ac].png"), "--snapshot_every=3") == 1
    error = capfd.readouterr().err
    assert error.count("tf_style: the disk is full\n") == 2
    assert error.endswith("tf_style: 2 pictures made\n") and made() == ["a.png", "c.png"]


# What it says


def audience(*contents, made=0, quiet=False, interrupted=()):
    request = Request(
        SimpleNamespace(quiet=quiet), None, None,
        [Job(content, ("s.png",), Path(f"{content}.out.png")) for content in contents],
    )
    return Audience(request, Tally(made=made), interrupted), request.jobs


def test_a_heading_says_which_of_several_jobs_it_is():
    host, (_, second) = audience("a.png", "b.png", made=1)
    assert host.heading(second) == "[2/2] b.png x s.png: "
    host, (alone,) = audience("a.png")
    assert host.heading(alone) == ""


def test_no_other_job_begins_once_the_user_has_asked_to_stop():
    interrupted = []
    host, (job, _) = audience("a.png", "b.png", interrupted=interrupted)
    assert not host.stop()
    interrupted.append(signal.SIGINT)
    assert host.stop()
    with pytest.raises(KeyboardInterrupt):
        host.begin(job, None, None)


def test_what_fails_beside_a_picture_is_said_and_remembered(capfd):
    host, _ = audience("a.png")
    assert not host.failed
    host.fail(InputError("f.gif: cannot be written"))
    assert host.failed and capfd.readouterr().err == "tf_style: f.gif: cannot be written\n"
