"""The command `tf_style_library`, and `library:` in the others."""

import json
import os
import shlex
import shutil
import signal
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tests.commands.conftest import TINY, call, files_in, process, without_tensorflow
from tests.library.conftest import Colors, painting, save
from tf_style import InputError, cli
from tf_style.library import descriptor
from tf_style.run import machine
from tf_style.run.stylizer import Stylizer


@pytest.fixture(autouse=True)
def described(monkeypatch, folder):
    """What pictures were described with, in order; by their colours, in no time."""
    made = []

    def describer(settings, watch=None):
        made.append(settings)
        return Colors()

    monkeypatch.setattr(descriptor, "Describer", describer)
    monkeypatch.setenv("TF_STYLE_LIBRARY", str(folder / "styles.db"))
    return made


@pytest.fixture
def paintings(folder):
    """A folder of six paintings that are in the library."""
    for number, name in enumerate("abcdef"):
        save(folder / "paintings" / f"{name}.png", painting(number))
    assert call(cli.library, "add", "paintings", "-q") == 0
    return folder / "paintings"


def test_add(paintings, capfd):
    save(paintings / "small.jpg", painting(0, 45, 60) * 0.95, quality=60)
    shutil.copy(paintings / "a.png", paintings / "copy.png")
    (paintings / "b.png").rename(paintings / "moved.png")
    (paintings / "c.png").unlink()
    (paintings / "bad.png").write_text("no picture")
    assert call(cli.library, "add", "paintings") == 1
    out, error = capfd.readouterr()
    path = {name: paintings / f"{name}.png" for name in ("a", "b", "c", "copy", "moved", "bad")}
    assert out.splitlines() == [
        f"{paintings / 'small.jpg'} is a near duplicate of {path['a']}",
        f"{path['copy']} is the same as {path['a']}", f"{path['moved']} was {path['b']}",
        f"{path['c']} is gone",
        f"1 picture added to {paintings.parent / 'styles.db'}, 6 known, 1 bad",
    ]
    assert error.startswith(f"tf_style_library: {path['bad']}: ") and error.count("\n") == 1
    assert call(cli.library, "add", "paintings", "--json") == 1
    told = json.loads(capfd.readouterr().out)
    assert (told["new"], told["known"], list(told["bad"])) == ([], 7, [str(path["bad"])])


def test_each_picture_comes_with_a_command_that_runs(paintings, capfd):
    (paintings / "a.png").rename(paintings / "it's a.png")
    call(cli.library, "add", "paintings", "-q")
    assert call(cli.library, "like", paintings / "b.png", "--count=9") == 0
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 10
    for line, command in zip(lines[::2], lines[1::2], strict=True):
        program, photo, style = shlex.split(command)
        assert (program, photo) == ("tf_style", "PHOTO")
        assert line.startswith(f"{os.path.basename(style)}, 80 x 60, distance ")
    assert call(cli.main, "content.png", style, "a.png", *TINY) == 0


def test_json_is_one_document(paintings, capfd):
    found = {}
    for verb in (["like", "paintings/c.png", "--count=2"], ["surprise", "--count=2", "--seed=0"],
                 ["list"], ["browse"]):
        assert call(cli.library, *verb, "--json") == 0
        found[verb[0]] = json.loads(capfd.readouterr().out)
    assert [len(found[verb]["pictures"]) for verb in ("like", "surprise", "list")] == [2, 2, 6]
    assert sum(len(group["pictures"]) for group in found["browse"]["groups"]) == 6
    first = found["like"]["pictures"][0]
    assert set(first) == {"name", "path", "distance", "width", "height", "defects", "palette",
                          "digest", "near_duplicate", "is_there", "command"}
    assert first["command"] == f"tf_style PHOTO {first['path']}"
    assert "distance" not in found["list"]["pictures"][0]


def test_what_suits_a_photograph(paintings, capfd):
    assert call(cli.library, "for", "content.png", "--count=4") == 0
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 12
    scores = [float(line.rpartition("score ")[2][:5]) for line in lines[::3]]
    assert scores == sorted(scores, reverse=True)
    assert all(line.startswith("  it") for line in lines[1::3])
    program, photo, style = shlex.split(lines[2])
    assert (program, photo, style) == ("tf_style", "content.png",
                                       str(paintings / lines[0].partition(",")[0]))
    assert call(cli.library, "for", "content.png", "--json", "--name=c") == 0
    first, = json.loads(capfd.readouterr().out)["pictures"]
    assert (first["name"], first["command"]) == ("c.png", "tf_style content.png " + first["path"])
    assert 0 < first["score"] < 1 and first["reasons"]


def test_on_a_terminal_all_but_commands_ends_between_words(paintings, terminal, capfd):
    verbs = (["for", "content.png"], ["browse"], ["list"])
    told = []
    for verb in verbs:
        assert call(cli.library, *verb) == 0
        told.append(capfd.readouterr().out)
    terminal(40)
    for verb, plain in zip(verbs, told, strict=True):
        assert call(cli.library, *verb) == 0
        shown = capfd.readouterr().out
        assert shown.split() == plain.split()
        assert all(len(line) <= 40 for line in shown.splitlines() if "tf_style" not in line)
        commands = {line for line in plain.splitlines() if "tf_style" in line}
        assert commands <= set(shown.splitlines())


@pytest.fixture
def small_previews(monkeypatch):
    """Previews of two steps that come soon."""
    from tests.library.test_previews import TINY
    from tf_style.library import previews

    monkeypatch.setattr(previews, "_SETTINGS", TINY)


def test_previews_on_a_sheet(paintings, capfd, small_previews):
    for number in range(10, 31):
        save(paintings / f"{number}.png", painting(number))
    call(cli.library, "add", "paintings", "-q")
    capfd.readouterr()
    assert call(cli.library, "for", "content.png", "--sheet=sheet.png") == 0
    lines = capfd.readouterr().out.splitlines()
    assert (len(lines), lines[-1]) == (3 * 24 + 1, "sheet.png")
    five_rows = Image.open("sheet.png").height
    assert call(cli.library, "for", "content.png", "--sheet=sheet.png", "--count=4", "-q") == 0
    assert capfd.readouterr() == ("", "")
    assert 3 < five_rows / Image.open("sheet.png").height < 5
    assert np.asarray(Image.open("sheet.png")).std() > 10


def test_previews_decide_the_order(paintings, capfd, small_previews):
    arguments = ["for", "content.png", "--json", "--previews=4"]
    assert call(cli.library, *arguments) == 0
    found = json.loads(capfd.readouterr().out)["pictures"]
    painted, scores = [[each.get(key) for each in found] for key in ("preview", "score")]
    assert len(found) == 6 and None not in painted[:4] and painted[4:] == [None, None]
    assert scores[:4] == sorted(scores[:4], reverse=True)
    assert call(cli.library, "for", "content.png", "--json") == 0
    before = json.loads(capfd.readouterr().out)["pictures"]
    assert found[4:] == before[4:]
    expected = {each["name"]: each["score"] for each in before}
    assert scores[:4] == pytest.approx([(expected[each["name"]] + each["preview"]) / 2
                                        for each in found[:4]], abs=1e-4)
    assert call(cli.library, "for", "content.png", "--previews=4", "--count=2") == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.partition(",")[0] for line in lines[::3]] == [each["name"] for each in found[:2]]
    assert f", score {scores[0]:.3f}, preview {painted[0]:.3f}" in lines[0]
    # Of more than are shown, too.
    sheet = ["--sheet=sheet.png", "--count=2", "-q"]
    assert call(cli.library, "for", "content.png", "--previews=5", *sheet) == 0
    assert Image.open("sheet.png").width > 2.9 * 32


@pytest.mark.parametrize("cluster", [None, "local"])
def test_all_previews_are_measured_by_one_network(monkeypatch, cluster):
    """By one that every node has."""
    from tf_style.commands import preview_work

    works = []

    def engine(options, each, work):
        works.append(work(each, None))
        raise InputError("enough")

    monkeypatch.setattr(preview_work.engines, "engine", engine)
    made_by = {"network": "vgg16", "weights": "vgg16.h5"}
    with pytest.raises(InputError, match="enough"):
        next(preview_work.painted_by_workers(
            SimpleNamespace(cluster=cluster, quiet=True), "photo.png", ["a.png"], made_by,
            SimpleNamespace(threads=1), None))
    assert works[0].made_by == ({} if cluster else made_by)


def test_a_bad_picture_costs_only_its_preview(paintings, capfd, small_previews):
    (paintings / "b.png").write_text("no picture")
    assert call(cli.library, "for", "content.png", "--sheet=sheet.png", "--json") == 1
    out, error = capfd.readouterr()
    assert len(json.loads(out)["pictures"]) == 6
    assert error.splitlines() == [
        error.splitlines()[0], "tf_style_library: 5 of 6 previews are on the sheet"]
    assert str(paintings / "b.png") in error.splitlines()[0]
    assert os.path.isfile("sheet.png")


@pytest.mark.parametrize(("steps", "said"), [
    (5, "stopped; 2 of 6 previews are on the sheet"),
    (1, "no preview was painted; no sheet was written"),
])
def test_previews_can_be_stopped(paintings, capfd, small_previews, monkeypatch, steps, said):
    import signal

    from tf_style.run.run import Run

    done = []
    hear = Run._hear

    def pressed(self, *arguments):
        done.append(1)
        if len(done) == steps:
            signal.raise_signal(signal.SIGINT)
        hear(self, *arguments)

    monkeypatch.setattr(Run, "_hear", pressed)
    assert call(cli.library, "for", "content.png", "--sheet=sheet.png") == 130
    out, error = capfd.readouterr()
    assert len(out.splitlines()) == 18 + (steps > 2)
    assert error == f"tf_style_library: {said}\n"
    assert os.path.isfile("sheet.png") == (steps > 2)


def test_sheets(paintings, capfd):
    for verb, rows in ((["like", "paintings/c.png"], 1), (["surprise"], 1), (["browse"], 2)):
        assert call(cli.library, *verb, "--sheet=sheet.png") == 0
        assert capfd.readouterr().out.splitlines()[-1] == "sheet.png"
        sheet = np.asarray(Image.open("sheet.png"))
        assert sheet.shape[0] > 60 * rows and sheet.std() > 10
    assert call(cli.library, "like", "paintings/c.png", "--sheet=sheet.png", "--json") == 0
    assert json.loads(capfd.readouterr().out)


@pytest.mark.parametrize("verb", [
    ["like", "content.png"], ["for", "content.png"], ["browse"], ["surprise"]])
@pytest.mark.parametrize("sheet", ["paintings/b.png", "linked.png", "lib.png"])
def test_no_sheet_replaces_the_library_or_its_pictures(paintings, refused, verb, sheet):
    shutil.copy("styles.db", "lib.png")
    os.link(paintings / "b.png", "linked.png")
    reason = refused(cli.library, *verb, "--library=lib.png", f"--sheet={sheet}")
    assert f"--sheet={sheet}: this would replace an input" in reason


def test_a_sheet_in_a_file_of_flags_is_no_matter_to_add(folder):
    save(folder / "sheet.png", painting(1))
    (folder / "own.flags").write_text("--sheet=sheet.png")
    assert call(cli.library, "add", "content.png", "--flagfile=own.flags", "-q") == 0


def test_filters(paintings, capfd):
    save(paintings / "deep" / "blue.png", np.full((300, 400, 3), (0, 0, 0.5), np.float32))
    call(cli.library, "add", "paintings", "-q")
    for flag in ("--folder=paintings/deep", "--palette=navy", "--name=blu", "--min_size=300"):
        assert call(cli.library, "list", flag) == 0
        assert capfd.readouterr().out.startswith("blue.png, 400 x 300"), flag
        assert capfd.readouterr().out.count("\n") <= 2


def test_a_file_of_flags_serves_all_verbs(paintings, capfd):
    Path("all.flags").write_text("--network=compact\n--count=2\n--min_size=8\n")
    for words in (["list"], ["browse"], ["surprise"], ["forget", "a"]):
        assert call(cli.library, *words, "--flagfile=all.flags") == 0, words
    assert "no effect" not in capfd.readouterr().err


def test_forget(paintings, capfd):
    assert call(cli.library, "forget", "a", "b") == 0
    assert capfd.readouterr().out.splitlines() == [str(paintings / f"{name}.png") for name in "ab"]
    assert call(cli.library, "list", "--json") == 0
    assert len(json.loads(capfd.readouterr().out)["pictures"]) == 4


@pytest.mark.parametrize(("arguments", "reason"), [
    (["list", "a.png"], "'a.png': list takes no picture"),
    (["like", "a", "b"], "'b': like takes one picture"),
    (["for", "a", "b"], "'b': for takes one picture"),
    (["for"], "for: expected a picture, such as tf_style_library for photo.jpg"),
    (["for", "nothing.png"], "nothing.png: there is no such file"),
    (["for", "content.png", "--name=zzz"], "there is no picture that is asked for"),
    (["for", "content.png", "--sheet=content.png"], "--sheet=content.png: this would replace"),
    (["like", "a", "--previews=3"], "--previews: has no effect with like"),
    (["add"], "add: expected a picture, such as tf_style_library add paintings"),
    (["paint"], "tf_style_library: 'paint': expected what to do, one of add, like"),
    (["serch", "--verb=serch"], "--verb: expected one of add, like"),
    (["forgot", "a.png"], "forget. Did you mean forget?"),
    (["--count=3"], "expected what to do, one of add"),
    (["like", "nothing.png"], "nothing.png: there is no such file"),
    (["forget", "nothing"], "library:nothing: no picture of"),
    (["list", "--palette=bleu"], "--palette=bleu: expected colours"),
    (["list", "--name=zzz"], "there is no picture that is asked for"),
    (["add", "empty"], "empty: no picture is in this folder"),
    (["list", "--library=content.png"], "content.png: expected a library of tf_style"),
    (["list", "--library=none.db"], "none.db: there is no such library"),
    (["list", "--sheet=a.png"], "--sheet: has no effect with list"),
    (["forget", "a", "--folder=/nowhere"], "--folder: has no effect with forget. Leave it out"),
    (["forget", "a", "--palette=nonsense"], "--palette: has no effect with forget"),
    (["add", "paintings", "--name=a"], "--name: has no effect with add"),
    (["add", "paintings", "--min_size=512"], "--min_size: has no effect with add"),
    (["browse", "--count=12"], "--count: has no effect with browse"),
    (["like", "content.png", "--seed=0"], "--seed: has no effect with like"),
    (["surprise", "--network=compact"], "--network: has no effect with surprise"),
    (["like", "content.png", "--sheet=content.png"], "--sheet=content.png: this would replace"),
    (["like", "content.png", "--sheet=a.txt"], "a.txt"),
    (["like", "content.png", "--workers=2"], "--workers: has no effect with like"),
    (["for", "content.png", "--workers=2"], "--workers: has no effect with for without --sheet"),
    (["add", "content.png", "--workers=0"], "--workers: expected"),
    (["like", "content.png", "--cluster=auto"], "--cluster: has no effect with like"),
    (["for", "content.png", "--cluster=auto"], "--cluster: has no effect with for without"),
    (["add", "content.png", "--cluster=nowhere"], "--cluster=nowhere: expected local, auto"),
    (["add", "content.png", "--cluster=auto", "--workers=2"], "--workers=2: is for processes"),
    (["add", "content.png", "--library=new/a.db", "--weights=none.h5"], "none.h5: there is no su"),
    (["add", "content.png", "--weights=content.png"], "content.png: this is no complete HDF5"),
    (["like", "content.png", "--network=none.keras"], "--network=none.keras: expected auto"),
    (["for", "content.png", "--weights=none.h5", "--sheet=a.png"], "none.h5: there is no such"),
])
def test_one_line_for_what_is_wrong(paintings, folder, refused, arguments, reason):
    (folder / "empty").mkdir()
    assert reason in refused(cli.library, *arguments)


def test_stopping_keeps_what_was_added(folder, capfd, monkeypatch):
    from tf_style.library import adding

    for number in range(6):
        save(folder / "paintings" / f"{number}.png", painting(number))
    describe = adding._describe

    def pressed(*arguments):
        describe(*arguments)
        if len(arguments[-1].new) == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(adding, "_describe", pressed)
    assert call(cli.library, "add", "paintings") == 130
    assert "stopped; the same command goes on" in capfd.readouterr().err
    monkeypatch.undo()
    monkeypatch.setattr(descriptor, "Describer", lambda settings, watch=None: Colors())
    assert call(cli.library, "list", "--json", f"--library={folder / 'styles.db'}") == 0
    assert len(json.loads(capfd.readouterr().out)["pictures"]) in (2, 3)


@pytest.fixture
def workers(monkeypatch):
    """Workers of no processes of their own; the engines that there were."""
    from tests.commands.here import Here

    class Engine(Here):
        made = []  # noqa: RUF012

    monkeypatch.setattr("tf_style.cluster.processes.Processes", Engine)
    return Engine


def added(path, capfd, *flags):
    """What is said when paintings are added of which one is bad, and what is in the library."""
    capfd.readouterr()
    assert call(cli.library, "add", "paintings", f"--library={path}", *flags) == 1
    return [*(text.replace(path.name, "db") for text in capfd.readouterr()), _content(path)]


def test_workers_make_the_same_library(paintings, folder, workers, capfd, described):
    save(paintings / "small.jpg", painting(0, 45, 60) * 0.95, quality=60)
    shutil.copy(paintings / "a.png", paintings / "aa.png")
    (paintings / "bad.png").write_text("no picture")
    others = folder / "others.db"
    assert added(folder / "own.db", capfd) == added(others, capfd, "--workers=3", "--threads=1")
    assert len(workers.made) == 1 and len(workers.made[0].given) == 9
    assert [each.threads for each in described[-2:]] == [1, 1]
    # What is known needs nobody.
    assert call(cli.library, "add", "paintings", f"--library={others}", "--workers=3") == 1
    assert [task.title for task in workers.made[1].given] == [str(paintings / "bad.png")]


def test_nodes_make_the_same_library(paintings, folder, nodes, capfd, described):
    (paintings / "bad.png").write_text("no picture")
    others = folder / "others.db"
    assert added(folder / "own.db", capfd) == added(others, capfd, "--cluster=auto", "--threads=1")
    engine, = nodes.made
    assert len(engine.given) == 7 and engine.need.threads == described[-1].threads == 1
    assert not [task for task in engine.given if task.data.place.startswith(str(paintings))]


def test_nodes_paint_the_same_previews(paintings, nodes, capfd, small_previews):
    (paintings / "b.png").write_text("no picture")
    told = []
    for flags in ([], ["--cluster=auto", f"--threads={machine.use_threads('auto')}"]):
        assert call(cli.library, "for", "content.png", "--sheet=sheet.png", *flags) == 1
        told.append([*capfd.readouterr(), Path("sheet.png").read_bytes()])
    assert told[0] == told[1] and len(nodes.made) == 1


def _content(path):
    """All that a library holds but the times of files."""
    with sqlite3.connect(path) as file:
        return {table: file.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
                for table in ("pictures", "files", "thumbnails", "origins", "descriptors")}


def test_workers_paint_the_same_previews(paintings, workers, capfd, small_previews):
    (paintings / "b.png").write_text("no picture")
    told = []
    # As many as this process computes with already.
    flags = ["--workers=3", f"--threads={machine.use_threads('auto')}"]
    for some in ([], flags):
        assert call(cli.library, "for", "content.png", "--sheet=sheet.png", *some) == 1
        told.append([*capfd.readouterr(), Path("sheet.png").read_bytes()])
    assert told[0] == told[1] and len(workers.made) == 1
    workers.deadly_to = lambda self, wanted: wanted.style.endswith("c.png")
    assert call(cli.library, "for", "content.png", "--sheet=sheet.png", *flags, "-q") == 1
    said = capfd.readouterr().err.splitlines()
    assert f"tf_style_library: {paintings / 'c.png'}: set aside" in "".join(said)
    assert said[-1] == "tf_style_library: 4 of 6 previews are on the sheet"


def test_a_picture_that_ends_workers_is_set_aside(paintings, folder, workers, capfd):
    workers.deadly_to = lambda self, data: data.file.path.endswith("c.png")
    assert call(cli.library, "add", "paintings", "--library=new.db", "--workers=2") == 1
    out, error = capfd.readouterr()
    assert "5 pictures added" in out and "1 bad" in out
    assert [line for line in error.splitlines() if "begun again" not in line] == [
        line for line in error.splitlines()
        if line.startswith(f"tf_style_library: {paintings / 'c.png'}: set aside, as 2 workers")]


def test_workers_stop_and_go_on(paintings, workers, capfd, monkeypatch):
    from tf_style.library import adding

    describe = adding._describe

    def pressed(*arguments):
        describe(*arguments)
        if len(arguments[-1].new) == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(adding, "_describe", pressed)
    add = ["add", "paintings", "--library=new.db", "--workers=2"]
    assert call(cli.library, *add) == 130
    assert "stopped; the same command goes on" in capfd.readouterr().err
    monkeypatch.setattr(adding, "_describe", describe)
    assert call(cli.library, *add) == 0
    assert "4 pictures added" in capfd.readouterr().out


@pytest.mark.slow
def test_workers_are_processes(folder):
    """Nothing stands in for anything."""
    flags = ["--network=compact", "--weights=random", "--style_layers=block1_conv1",
             "--library=own.db"]
    added = process(cli.library, "add", "content.png", "style.png", "--workers=2", *flags)
    assert (added.returncode, added.stdout.partition(" to ")[0]) == (0, "2 pictures added")


def test_what_describes(paintings, described):
    save(paintings / "g.png", painting(9))
    described.clear()
    call(cli.library, "add", "paintings", "-q", "--network=vgg16", "--weights=random", "--offline")
    call(cli.library, "add", "paintings", "-q")
    assert [(each.network, each.weights, each.offline) for each in described] == [
        ("vgg16", "random", True), ("compact", "auto", False)]


def test_no_tensorflow(paintings):
    """In a process of its own, with what is in the library."""
    for verb in (["like", "paintings/a.png"], ["for", "paintings/a.png"], ["list", "--json"],
                 ["browse", "--sheet=sheet.png"], ["surprise"], ["forget", "a"]):
        assert without_tensorflow(cli.library, *verb) == 0
    assert without_tensorflow(cli.library, "list", "--library=none.db") == 2
    assert without_tensorflow(cli.library, "add", "none") == 2
    assert without_tensorflow(cli.library, "add", "content.png", "--weights=none.h5") == 2


def test_a_picture_of_the_library_as_style(paintings, capfd, monkeypatch):
    styles = []
    job = Stylizer.stylize

    def seen(self, content, style, *arguments, **options):
        styles.append([getattr(each, "name", each) for each in
                       (style if isinstance(style, (list, tuple)) else [style])])
        return job(self, content, style, *arguments, **options)

    monkeypatch.setattr(Stylizer, "stylize", seen)
    assert call(cli.main, "content.png", "library:a", "one.png", *TINY) == 0
    assert call(cli.main, "content.png", "-o", "two.png", "--style=library:b.png",
                "--style=style.png", *TINY) == 0
    assert call(cli.main, "content.png", "-o", "near.png",
                f"--style=library:like={paintings / 'a.png'},2", *TINY) == 0
    capfd.readouterr()
    assert call(cli.main, "--settings_from=one.png", "-o", "again.png", "--library=none.db") == 0
    assert (files_in(".")["again.png"] is not None)
    text = Image.open("near.png").text
    recorded = json.loads(next(iter(text.values())))
    assert len(json.dumps(recorded).split("paintings")) > 2
    assert "library:" not in json.dumps(recorded)


@pytest.mark.parametrize(("arguments", "reason"), [
    (["content.png", "library:none"], "library:none: no picture of"),
    (["content.png", "--style=library:a", "--library=none.db"], "none.db: there is no such"),
    (["content.png", "library:like=content.png,2", "out.png"], "--style=library:like="),
    (["--content=library:", "--style=style.png"], "--content=library:: expected one picture"),
    (["content.png", "library:like=none.png"], "none.png: there is no such file"),
])
def test_what_is_no_picture_of_the_library(paintings, refused, arguments, reason):
    assert reason in refused(cli.main, *arguments)


@pytest.mark.parametrize("written", [
    ["--output=library:t"], ["--sheet=library:t"], ["--plot=library:t"], ["--animate=library:t"],
    ["library:t"]])
def test_nothing_is_written_over_a_picture_of_the_library(paintings, refused, written):
    # A result that tf_style made may be replaced where its file is named.
    assert call(cli.main, "content.png", "style.png", "paintings/t.png", *TINY) == 0
    assert call(cli.library, "add", "paintings", "-q") == 0
    before = (paintings / "t.png").read_bytes()
    assert "library:t: expected a name that ends in" in refused(
        cli.main, "content.png", "style.png", *written, *TINY)
    assert (paintings / "t.png").read_bytes() == before


def test_all_options_that_are_read_may_name_a_picture_of_the_library(paintings):
    from tf_style.commands import stylize
    from tf_style.commands.flags import parse
    from tf_style.commands.library_names import resolved

    read = ["content", "style", "content_mask", "style_mask", "protect", "init"]
    line = resolved(stylize.COMMAND, parse(
        stylize.COMMAND, [*(f"--{name}=library:a" for name in read), "--report=library:a"]))
    expected = {name: str(paintings / "a.png") for name in read}
    assert {name: value[0] if isinstance(value, list) else value
            for name, value in line.given.items()} == {**expected, "report": "library:a"}


def test_a_library_as_pictures(paintings, monkeypatch, capfd):
    from tf_style.network import unsupervised

    seen = []

    def stand_in(architecture, layers, pictures, **options):
        seen.append(len(pictures))
        raise KeyboardInterrupt

    monkeypatch.setattr(unsupervised, "learn", stand_in)
    call(cli.learn, "library:", "-o", "a.h5")
    assert seen == []
    call(cli.learn, "--pictures=library:", "-o", "a.h5")
    assert seen == [6]


def test_in_a_process_of_its_own_with_a_network(folder):
    """Nothing stands in for anything."""
    flags = ["--network=compact", "--weights=random", "--style_layers=block1_conv1"]
    added = process(cli.library, "add", "content.png", "style.png", "--library=own.db", *flags)
    assert (added.returncode, added.stdout.partition(" to ")[0]) == (0, "2 pictures added")
    like = process(cli.library, "like", "sample:ink", "--library=own.db", "--json")
    assert {each["name"] for each in json.loads(like.stdout)["pictures"]} == {
        "content.png", "style.png"}
