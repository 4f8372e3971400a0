"""What a run leaves beside its output."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tests.commands.conftest import TINY, call, without_tensorflow
from tf_style import cli
from tf_style.commands import byproducts
from tf_style.commands.byproducts import Byproducts
from tf_style.commands.stylize_options import StylizeOptions
from tf_style.image.picture import read_note, read_picture
from tf_style.settings import InputError

ONE = ["content.png", "style.png", "a.png", *TINY, "--steps=3,4", "--quiet"]


def names():
    return sorted(path.name for path in Path().iterdir())


def test_all_of_them(folder):
    assert call(cli.main, "content.png", "style.png", "a.jpg", *ONE[3:], "--snapshot_every=3",
                "--animate=film.gif", "--plot=figure.png", "--logdir=logs") == 0
    assert names() == ["a.jpg", "a_0003.png", "a_0006.png", "content.png", "figure.png",
                       "film.gif", "logs", "style.png"]
    assert [Image.open(f"a_000{step}.png").size for step in (3, 6)] == [(16, 12), (32, 24)]
    with Image.open("film.gif") as film:
        assert film.size == (32, 24) and film.n_frames == 3
    assert Image.open("figure.png").size[0] > 1000
    events, = Path("logs").iterdir()
    assert events.name.startswith("events.out.tfevents")


def test_a_snapshot_is_the_picture_after_so_many_steps():
    assert call(cli.main, *ONE, "--snapshot_every=7") == 0
    assert (read_picture("a_0007.png") == read_picture("a.png")).all()


def test_a_resumed_run_goes_on_with_its_snapshots_and_its_log(folder):
    kept = ["--checkpoint=kept", "--snapshot_every=2", "--logs"]
    assert call(cli.main, *ONE, *kept, "--time_limit=0.001") == 0
    assert len(Path("a.png.log").read_text().splitlines()) == 1
    assert call(cli.main, *ONE, *kept, "--resume") == 0
    assert call(cli.main, *ONE[:2], "b.png", *ONE[3:], *kept[1:]) == 0
    assert [name for name in names() if name.startswith("a_")] == [
        f"a_000{step}.png" for step in (2, 4, 6)]
    for step in (2, 4, 6):
        assert (read_picture(f"a_000{step}.png") == read_picture(f"b_000{step}.png")).all()
    resumed, unbroken = ([line.partition(" s  ")[2] for line in Path(name).read_text().splitlines()]
                         for name in ("a.png.log", "b.png.log"))
    assert resumed == unbroken and len(unbroken) == 7


def test_a_snapshot_is_no_photograph_of_its_folder(folder):
    assert call(cli.main, *ONE, "--snapshot_every=3") == 0
    assert json.loads(read_note("a_0003.png")) == {"snapshot": 3}
    assert call(cli.main, *ONE, "--snapshot_every=3", "--noembed_settings") == 0
    assert read_note("a_0003.png") is None


def test_nothing_is_left_that_is_not_asked_for(folder):
    nothing = Byproducts.check(StylizeOptions())
    assert nothing.named() == {"animate": None, "plot": None, "logdir": None}
    assert list(nothing.watchers(Path("a.png"), None)) == []
    before = set(folder.iterdir())
    nothing.write(None)
    nothing.check_snapshots(Path("a.png"), 1000, byproducts.Taken([Path("a_0001.png")]))
    assert set(folder.iterdir()) == before


@pytest.mark.parametrize("every, shown", [(1, [1, 2, 3, 4, 5]), (2, [2, 4]), (6, [])])
def test_snapshots_are_so_many_steps_apart_at_any_size(every, shown, folder):
    snapshots = byproducts.Snapshots(Path("a.jpg"), every)
    for number in range(1, 6):
        snapshots.show(SimpleNamespace(
            number=number, image=lambda: np.zeros((3, 4, 3), np.float32)))
    assert sorted(path.name for path in folder.glob("a_*")) == [
        f"a_{step:04}.png" for step in shown
    ]


def test_a_texture_is_plotted_without_content():
    assert call(cli.main, "none", *ONE[1:], "--plot=figure.png") == 0
    assert Image.open("figure.png").size[0] > 1000


@pytest.mark.parametrize("flags, message", [
    (["--animate=a.mp4"], "a.mp4: expected a name that ends in .gif or .webp"),
    (["--animate=content.png/a.gif"], "the folder content.png cannot be made"),
    (["--animate=style.gif"], "--animate=style.gif: this would replace an input"),
    (["--plot=a.xyz"], "a.xyz: expected a name that ends in"),
    (["--plot=content.png"], "--plot=content.png: this would replace an input"),
    (["--plot=a.png"], "--plot=a.png: this is the --output"),
    (["--logdir=content.png"], "--logdir=content.png: expected a folder"),
    (["--logdir=content.png/logs"], "--logdir=content.png/logs: expected a folder, or a new name"),
    (["--logdir=logs", "--profile=logs"], "--logdir=logs: this is the --profile"),
    (["--snapshot_every=0"], "--snapshot_every: expected a whole number, at least 1"),
    (["--snapshot_every=often"], "--snapshot_every: expected a whole number"),
    (["--snapshot_every=2", "--style=a_0006.png"],
     "--snapshot_every=2: a_0006.png would replace an input"),
    (["--snapshot_every=1", "--plot=a_0001.png"], "a_0001.png would replace an input, or is"),
])
def test_bad_input_is_one_line_and_writes_nothing(flags, message, refused):
    Image.open("style.png").save("a_0006.png")
    Image.open("style.png").save("style.gif")
    assert message in refused(
        cli.main, "--content=content.png", "--style=style.png", "--style=style.gif",
        "--output=a.png", *ONE[3:], *flags
    )


def test_a_snapshot_through_a_link_is_refused(refused):
    try:
        Path("a_0003.png").symlink_to("style.png")
    except OSError:
        pytest.skip("no links for this user")
    error = refused(cli.main, *ONE, "--snapshot_every=3")
    assert "a_0003.png would replace an input" in error


def test_they_are_checked_before_tensorflow_is_imported():
    assert without_tensorflow(
        cli.main, "content.png", "style.png", "a.png", "--animate=a.gif", "--plot=b.png",
        "--snapshot_every=5", "--logdir=style.png/logs",
    ) == 2


def test_a_snapshot_that_fails_does_not_end_the_run(monkeypatch, capfd):
    shown = []

    def full(self, step):
        shown.append(step.step)
        raise InputError("a_0001.png: cannot be written (No space left on device)")

    monkeypatch.setattr(byproducts.Snapshots, "show", full)
    assert call(cli.main, *ONE, "--snapshot_every=1") == 1
    assert capfd.readouterr().err == (
        "tf_style: a_0001.png: cannot be written (No space left on device)\n"
    )
    assert len(shown) == 1 and np.isfinite(read_picture("a.png")).all()


def test_a_film_that_cannot_be_written_leaves_the_output(monkeypatch, capfd):
    from tf_style.show import animation

    def full(path, content):
        raise InputError(f"{path}: cannot be written (No space left on device)")

    monkeypatch.setattr(animation, "write_bytes", full)
    assert call(cli.main, *ONE, "--animate=a.gif") == 1
    assert "a.gif: cannot be written" in capfd.readouterr().err
    assert read_picture("a.png").shape == (24, 32, 3)


@pytest.mark.parametrize("taken, every, most, found", [
    (["a_0006.png"], 3, 10**9, "a_0006.png"),
    (["a_0006.png"], 3, 5, None),
    (["a_0006.png"], 4, 10**9, None),
    (["a_0000.png", "a_006.png", "a_00006.png", "ab_0006.png", "a_0006.jpg"], 1, 10**9, None),
    (["a_12000000.png"], 1, 12_000_000, "a_12000000.png"),
    (["a_0009.png", "b/../a_0008.png", "a_0007.png"], 2, 10**9, "a_0008.png"),
    (["b/a_0006.png"], 1, 10**9, None),
])
def test_snapshots_are_looked_for_by_their_names(taken, every, most, found, folder):
    """However many steps there are, no file is looked for that nobody named."""
    (folder / "b").mkdir()
    asked = Byproducts(every, False, None, None, None, None)
    files = byproducts.Taken(map(Path, taken))
    if found is None:
        asked.check_snapshots(Path("a.png"), most, files)
    else:
        with pytest.raises(InputError, match=f"every={every}: {found} would replace"):
            asked.check_snapshots(Path("a.png"), most, files)


def test_a_million_snapshots_at_each_of_twelve_sizes_are_checked_at_once(capfd):
    assert call(cli.main, "content.png", "style.png", "a.png", *TINY, "--scales=12",
                "--steps=1000000", "--snapshot_every=1", "--animate=a.gif", "--dry_run") == 0
    assert "1000000" in capfd.readouterr().out
