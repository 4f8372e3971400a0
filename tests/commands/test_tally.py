"""What became of all pictures, counted and said in one line."""

from pathlib import Path

import pytest

from tests.commands.conftest import call, made, photo, several
from tf_style import cli
from tf_style.commands.tally import Tally
from tf_style.run.jobs import Job
from tf_style.run.result import Stop

JOBS = [Job(content, (style,), Path("o.png")) for content in "ab" for style in "st"]


def test_outcomes_are_counted_by_how_they_ended():
    tally = Tally(kept=3)
    for job, error, stopped in (
        (JOBS[0], "", Stop.STEPS), (JOBS[1], "", Stop.CALLBACK), (JOBS[1], "", Stop.TIME_LIMIT),
        (JOBS[2], "", Stop.NOT_FINITE), (JOBS[3], "no picture", None),
        # Another process has made it meanwhile.
        (JOBS[0], "", None),
    ):
        tally.count(job, JOBS, error, stopped)
    assert (tally.made, tally.stopped, tally.kept, tally.done) == (1, 2, 4, 6)
    assert tally.failed == ["b x s", "b x t"]


@pytest.mark.parametrize("jobs, name", [
    (JOBS, "b x t"), (JOBS[2:], "t"), (JOBS[1::2], "b"),
    ([Job(None, ("s",), Path("o.png")), Job(None, ("t",), Path("o.png"))], "t"),
    ([Job("b", ("s", "t"), Path("o.png"))] * 2, "b"),
])
def test_a_failure_is_named_by_what_tells_it_apart(jobs, name):
    tally = Tally()
    tally.count(jobs[-1], jobs, "no picture", None)
    assert tally.failed == [name]


@pytest.mark.parametrize("tally, line", [
    (Tally(), "0 pictures made"),
    (Tally(made=1, kept=2), "1 picture made, 2 there already"),
    (Tally(made=2, stopped=1, left=4), "2 pictures made, 1 stopped, 4 not begun"),
    (Tally(failed=["a", "b"]), "0 pictures made, 2 failed: a, b"),
])
def test_all_is_said_in_one_line(tally, line, capfd):
    tally.tell(quiet=False)
    assert capfd.readouterr() == ("", f"tf_style: {line}\n")


@pytest.mark.parametrize("tally, says", [
    (Tally(made=2, kept=1), False), (Tally(failed=["a"]), True), (Tally(stopped=1), True),
    (Tally(left=1), True),
])
def test_quiet_says_what_is_not_made(tally, says, capfd):
    tally.tell(quiet=True)
    assert bool(capfd.readouterr().err) is says


def test_a_loss_that_is_not_finite_counts_as_failed(photos, loss_not_finite, capfd):
    assert call(cli.main, *several("photos/[ac].png")) == 1
    assert made() == ["a_unfinished.png", "c_unfinished.png"]
    error = capfd.readouterr().err
    assert "tf_style: [1/2] a.png x style.png: the loss is not finite\n" in error
    assert error.endswith(f"0 pictures made, 2 failed: {photo('a')}, {photo('c')}\n")


def test_a_style_or_a_pair_is_named_where_that_tells_them_apart(photos, capfd):
    assert call(cli.main, *several("style.png", "photos/[ab].png"), "--output=out/") == 1
    assert capfd.readouterr().err.endswith(f"1 failed: {photo('b')}\n")
    assert call(cli.main, *several("photos/[ab].png", "photos/[ce].png"), "--output=out/") == 1
    error = capfd.readouterr().err
    assert f"2 failed: {photo('b')} x {photo('c')}, {photo('b')} x {photo('e')}" in error
