"""`--sheet`: previews to choose from, and nothing else."""

import importlib.util
import itertools
import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.commands.conftest import TINY, call, files_in, photo, without_tensorflow
from tests.commands.here import Here
from tf_style import cli
from tf_style.cluster.worker import Speaker
from tf_style.commands import flags, sheet, stylize
from tf_style.image.picture import read_note, read_picture
from tf_style.run import machine, painter
from tf_style.show import sheet as drawing

PICTURES = ["content.png", "style.png"]
SHEET = [*PICTURES, "--sheet=sheet.png", *TINY]


def columns(*arguments):
    """Label → settings of each column, and what is said of others."""
    notes = []
    line = flags.parse(stylize.COMMAND, [*PICTURES, "--sheet=sheet.png", *arguments])
    found = sheet._columns(stylize.COMMAND, line, notes.append)
    return {each.label: each.request.settings for each in found}, notes


@pytest.fixture
def drawn(monkeypatch):
    """What is drawn: rows of cells."""
    grids = []
    original = drawing.contact_sheet
    monkeypatch.setattr(drawing, "contact_sheet", lambda rows: grids.append(rows) or original(rows))
    return grids


def captions(rows):
    return [[cell.caption for cell in row] for row in rows]


# What is on it


def test_a_sheet_of_strengths_is_all_that_is_written(folder, drawn, capfd):
    before = files_in(folder)
    assert call(cli.main, *SHEET) == 0
    after = files_in(folder)
    assert {*after} - {*before} == {"sheet.png"} and all(after[each] == before[each]
                                                         for each in before)
    labels = [f"--strength=0.{digit}" for digit in range(3, 8)]
    assert captions(drawn[0]) == [[*PICTURES, *labels]]
    out, error = capfd.readouterr()
    assert out == "sheet.png\n"
    assert "[5/5] content.png x style.png --strength=0.7" in error
    assert error.endswith(" with the words under it in place of --sheet\n")
    assert Image.open("sheet.png").width > 7 * 32
    pictures = [cell.picture for cell in drawn[0][0][2:]]
    assert all(not np.array_equal(*pair) for pair in itertools.pairwise(pictures))


def test_a_label_is_what_to_type(drawn):
    assert call(cli.main, *SHEET, "--sheet_of=0.4,0.7,color") == 0
    cells = {cell.caption: cell.picture for cell in drawn[0][0]}
    assert [*cells] == [*PICTURES, "--strength=0.4", "--strength=0.7", "--preset=color"]
    for label in ("--strength=0.4", "--strength=0.7", "--preset=color"):
        assert call(cli.main, *PICTURES, "a.png", *TINY, label) == 0
        error = np.abs(cells[label] / 255 - read_picture("a.png"))
        assert error.max() < 0.02, label


def test_strengths_share_one_network_and_one_trace(monkeypatch):
    made = []

    class Counted(painter.Painter):
        def __init__(self, *arguments, **given):
            super().__init__(*arguments, **given)
            made.append(self)

    monkeypatch.setattr(painter, "Painter", Counted)
    assert call(cli.main, *SHEET, "--sheet_of=0.4,0.5,0.6") == 0
    assert len(made) == 3 and made[-1].traces == 1
    assert made[0]._networks[0] is made[-1]._networks[0]


def test_each_content_with_each_style_is_a_row(photos, drawn, capfd):
    arguments = ["--content=photos/[ac].png", "--style=[cs]*.png", "--sheet=out/sheet.png", *TINY]
    assert call(cli.main, *arguments, "--sheet_of=0.5,color") == 0
    assert captions(drawn[0]) == [
        [content, style, "--strength=0.5", "--preset=color"]
        for content in ("a.png", "c.png") for style in ("content.png", "style.png")
    ]
    assert capfd.readouterr().out == f"{Path('out/sheet.png')}\n"


def test_blended_styles_are_shown_as_one_and_textures_without_a_content(drawn, capfd):
    assert call(cli.main, "--content=none", "--style=style.png", "--style=content.png", *TINY,
                "--sheet=sheet.png", "--sheet_of=0.5") == 0
    assert captions(drawn[0]) == [["style.png + content.png", "--strength=0.5"]]
    assert capfd.readouterr().err.endswith(" in place of --sheet and --sheet_of\n")


def test_a_single_row_that_is_too_wide_is_folded():
    cells = [drawing.Cell(None, str(number)) for number in range(10)]
    assert captions(sheet._folded(cells)) == [list("01234"), list("56789")]
    assert captions(sheet._folded(cells[:9]))[1] == ["5", "6", "7", "8", ""]
    assert len(sheet._folded(cells[:7])) == 1


def test_previews_are_small_and_take_few_steps():
    found, _ = columns()
    assert [str(each.size) for each in found.values()] == ["256"] * 5
    assert {each.steps for each in found.values()} == {(50, 25)}
    found, _ = columns("--size=64", "--steps=7", "--sheet_of=0.5")
    settings, = found.values()
    assert (str(settings.size), settings.steps) == ("64", (7,))
    # A preset's size is that of the whole picture, and its steps belong to it.
    for arguments in (["--sheet_of=poster"], ["--preset=poster", "--sheet_of=0.5"]):
        settings, = columns(*arguments)[0].values()
        assert (str(settings.size), settings.scales, settings.steps) == ("256", "auto", (50, 25))
    settings, = columns("--sheet_of=tutorial", "--weights=random")[0].values()
    assert settings.steps == (100,)


def test_presets_are_those_that_look_different_and_can_be_had(monkeypatch):
    found, notes = columns("--sheet_of=presets", "--weights=random")
    assert next(iter(found)) == "nothing added"
    assert {"--preset=color", "--preset=document"} <= {*found}
    # Another size or other pictures are no other look; nor are layers that random weights have
    # anyway.
    same = ("strokes", "poster", "quality", "quickstart")
    assert not {f"--preset={name}" for name in same} & {*found}
    assert ("--preset=fast" in found) != ("--preset=preview" in found)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    found, notes = columns("--sheet_of=presets", "--weights=random")
    assert "--preset=gatys" not in found
    note, = notes
    assert note.startswith("--preset=gatys: left out (--optimizer=lbfgs: this needs SciPy")


def test_a_preset_adds_to_what_was_typed_and_no_pictures(folder):
    found, _ = columns("--sheet_of=color,quickstart", "--seed=3", "--preset=strokes",
                       "--init=noise")
    assert found["--preset=color"].preserve_color == "luminance"
    assert found["--preset=color"].content_layers == {"block3_conv3": 1.0}
    assert {each.seed for each in found.values()} == {3}
    line = flags.parse(stylize.COMMAND, ["--sheet=a.png", "--sheet_of=quickstart,color", "--",
                                         *PICTURES])
    plain, color = sheet._columns(stylize.COMMAND, line, lambda text: None)
    assert plain.request.jobs == color.request.jobs and len(plain.request.jobs) == 1
    assert plain.request.jobs[0].content == "content.png"
    assert color.request.settings.preserve_color == "luminance"


def test_networks_that_would_have_to_be_learned_are_left_out(drawn, no_network, capfd):
    assert call(cli.main, *PICTURES, "--sheet=sheet.png", "--sheet_of=presets", "--size=32",
                "--steps=1", "--offline") == 0
    error = capfd.readouterr().err
    assert "--preset=document: left out (no pretrained VGG16)" in error
    labels = [cell.caption for row in drawn[0] for cell in row]
    assert {"nothing added", "--preset=color"} <= {*labels} and "--preset=shallow" not in labels
    # Where auto is the compact network, it is no other look.
    assert "--preset=fast" not in labels
    assert error.count("using the network that comes with tf_style") == 1


def test_a_sheet_is_no_photograph(photos, drawn, refused):
    for _ in range(2):
        assert call(cli.main, "--content=photos/*.png", "--style=style.png", "--sheet_of=0.5",
                    "--sheet=photos/sheet.png", *TINY, "--content_layers=block2_conv1") == 1
    assert captions(drawn[0]) == captions(drawn[1])
    assert json.loads(read_note("photos/sheet.png")) == {"sheet": ["--strength=0.5"]}
    assert "it holds no settings" in refused(cli.main, "--settings_from=photos/sheet.png")
    assert call(cli.main, *SHEET, "--sheet_of=0.5", "--noembed_settings") == 0
    assert read_note("sheet.png") is None


@pytest.mark.parametrize("name", ["sheet.jpg", "sheet.webp", "new/sheet.tiff"])
def test_a_sheet_has_any_format_and_folders_are_made(name):
    assert call(cli.main, *PICTURES, f"--sheet={name}", "--sheet_of=0.5", *TINY) == 0
    assert Image.open(name).height > 32


def test_workers_and_nodes_paint_the_same_sheet(photos, drawn, nodes, capfd, monkeypatch):
    class Engine(Here):
        made = []  # noqa: RUF012

    monkeypatch.setattr("tf_style.cluster.processes.Processes", Engine)
    # TensorFlow computes in this process already, and its threads stay as many as they are.
    flags = ["--content=photos", "--style=style.png", "--sheet=sheet.png", *TINY,
             f"--threads={machine.cores()}", "--sheet_of=0.4,color",
             "--content_layers=block2_conv1"]
    told = []
    for more in ([], ["--workers=2"], ["--cluster=auto"]):
        assert call(cli.main, *flags, *more) == 1
        told.append(capfd.readouterr())
    assert all(each.out == told[0].out for each in told)
    assert all(each.err.endswith(told[0].err.splitlines()[-1] + "\n") for each in told)
    assert all(each.err.count(f"{photo('b')}: this is not a picture") == 1 for each in told)
    assert all("tf_style: 6 of 10 pictures are on the sheet\n" in each.err for each in told)
    assert captions(drawn[0]) == captions(drawn[1]) == captions(drawn[2])
    for grid in drawn[1:]:
        for one, other in zip(itertools.chain(*drawn[0]), itertools.chain(*grid), strict=True):
            np.testing.assert_array_equal(one.picture, other.picture)
    (engine,), (node,) = Engine.made, nodes.made
    assert len(engine.given) == len(node.given) == 10


def test_workers_stop_and_leave_what_is_made(folder, drawn, capfd, monkeypatch):
    class Engine(Here):
        made = []  # noqa: RUF012

    share = Speaker.share

    def pressed(self, done):
        share(self, done)
        if len(Engine.made[0].given) == 3:
            signal.raise_signal(signal.SIGINT)
            self.stopping = True

    monkeypatch.setattr("tf_style.cluster.processes.Processes", Engine)
    monkeypatch.setattr(Speaker, "share", pressed)
    assert call(cli.main, *SHEET, "--workers=2", f"--threads={machine.cores()}") == 130
    out, error = capfd.readouterr()
    # The fourth was given to the other before anybody asked; the third is no preview.
    assert out == "sheet.png\n" and "3 of 5 pictures are on the sheet" in error
    assert "--strength=0.5" not in captions(drawn[0])[0]


# What goes wrong


BAD = {
    "report": (["--report=a.json"], "--sheet and --report: nothing but the sheet is written"),
    "checkpoint": (["--checkpoint=kept"], "--sheet and --checkpoint: nothing but the sheet"),
    "output": (["--output=a.png"], "--sheet and --output: nothing but the sheet is written"),
    "third place": (["a.png"], "--sheet and a.png: nothing but the sheet is written. Leave out"),
    "dry run": (["--dry_run"], "--sheet and --dry_run: nothing but"),
    "record": (["--settings_from=a.png"], "--sheet and --settings_from: nothing but"),
    "strength": (["--strength=0.4"], "--strength: this sheet shows strengths of its own"),
    "style weight": (["--style_weight=4"], "--style_weight: this sheet shows strengths of its own"),
    "no such preset": (["--sheet_of=0.4,colour"], "Received: 'colour'. Presets: color, document"),
    "workers and cluster": (["--workers=2", "--cluster=auto"], "--workers=2: is for processes of"),
    "too strong": (["--sheet_of=1.5"], "numbers from 0 to 1 and names of presets"),
    "nothing between commas": (["--sheet_of=0.4,,0.5"], "Received: ''"),
    "ending": (["--sheet=sheet.pdf"], "sheet.pdf: expected a name that ends in"),
    "over an input": (["--sheet=style.png"], "--sheet=style.png: this would replace an input"),
    "too much": (["--size=4000"], "expected at most 3 pictures of --size=4000. Received: 5"),
    "own size": (["--size=original"], "--size=original: expected a number of pixels with --sheet"),
    "no such style": (["--style_layers=block9_conv1"], "VGG16 has no layer 'block9_conv1'"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_one_line_and_writes_nothing(case, refused):
    arguments, message = BAD[case]
    assert message in refused(cli.main, *PICTURES, "--sheet=sheet.png", *arguments)


def test_what_a_sheet_is_of_needs_a_sheet(refused):
    assert "say where the sheet goes: --sheet=FILE" in refused(
        cli.main, *PICTURES, "--sheet_of=presets")


def test_bad_input_needs_no_tensorflow():
    for arguments in (["no.png", "style.png"], [*PICTURES, "--plot=a.png"]):
        assert without_tensorflow(cli.main, *arguments, "--sheet=sheet.png") == 2


def test_a_picture_that_cannot_be_read_is_one_line(folder, refused):
    (folder / "text.png").write_text("no picture")
    error = refused(cli.main, "text.png", "style.png", "--sheet=sheet.png", *TINY)
    assert "text.png: this is not a picture" in error


def test_of_several_it_is_said_once_and_the_others_are_made(photos, drawn, capfd):
    assert call(cli.main, "--content=photos", "--style=style.png", "--sheet=sheet.png", *TINY,
                "--sheet_of=0.4,0.6", "--content_layers=block2_conv1") == 1
    assert captions(drawn[0]) == [[f"{name}.png", "style.png", "--strength=0.4", "--strength=0.6"]
                                  for name in "ace"]
    error = capfd.readouterr().err
    assert error.count(f"{photo('b')}: this is not a picture") == 1
    assert "tf_style: 6 of 10 pictures are on the sheet\n" in error


@pytest.mark.parametrize("step, cells", [(2, 0), (7, 1)])
def test_ctrl_c_leaves_what_is_made_or_nothing(step, cells, folder, drawn, pressed, capfd):
    pressed(step, signal.SIGINT)
    before = files_in(folder)
    assert call(cli.main, *SHEET) == 130
    out, error = capfd.readouterr()
    if cells:
        assert captions(drawn[0]) == [[*PICTURES, "--strength=0.3"]]
        assert out == "sheet.png\n" and "1 of 5 pictures are on the sheet" in error
        Image.open("sheet.png").load()
    else:
        assert out == "" and error.endswith("tf_style: stopped at once; no result was written\n")
        assert files_in(folder) == before


def test_ctrl_c_twice_gives_up_the_picture_at_hand(folder, drawn, pressed):
    pressed(7, signal.SIGINT, signal.SIGINT)
    assert call(cli.main, *SHEET) == 130
    assert captions(drawn[0]) == [[*PICTURES, "--strength=0.3"]]


def test_ctrl_c_while_the_sheet_is_written_leaves_the_older_one(folder, monkeypatch):
    (folder / "sheet.png").write_bytes(b"older")

    def asked(*_):
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(os, "replace", asked)
    before = files_in(folder)
    assert call(cli.main, *SHEET, "--sheet_of=0.5") == 130
    assert files_in(folder) == before


def test_the_time_that_is_up_ends_it(folder, drawn, capfd):
    assert call(cli.main, *SHEET, "--time_limit=1e-9") == 0
    assert capfd.readouterr() == ("", "tf_style: stopped at once; no result was written\n")
    assert not drawn and not Path("sheet.png").exists()


def test_a_full_disk_is_one_line_and_exits_with_1(folder, full_disk, capfd):
    full_disk()
    assert call(cli.main, *SHEET, "--sheet_of=0.5", "--quiet") == 1
    assert capfd.readouterr().err == (
        "tf_style: sheet.png: cannot be written (No space left on device)\n")
    assert not Path("sheet.png").exists()


def test_quiet_says_nothing(capfd):
    assert call(cli.main, *SHEET, "--sheet_of=0.4,0.6", "--quiet") == 0
    assert capfd.readouterr() == ("", "")
