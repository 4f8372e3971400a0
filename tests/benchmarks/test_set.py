"""The benchmark set: what is in it, what is found, what results are called."""

import itertools
import re
import sys

import numpy as np
import pytest

from benchmarks import scenes
from benchmarks import set as benchmark_set
from benchmarks.set import CONTENTS, STYLES, Entry, file_name, found, main, pairs
from benchmarks.vote.entries import made_from
from tf_style.image.picture import read_picture, write_picture
from tf_style.settings import InputError

ALL = (*CONTENTS, *STYLES)
KINDS = {"portrait", "crowd", "night", "interior", "text", "animal", "landscape", "town"}


def entry(source):
    return Entry("some", "town", "tuning", "somebody", "CC0", source)


def paint(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_picture(path, np.full((6, 8, 3), 0.5, np.float32))


@pytest.fixture
def quickly_drawn(monkeypatch):
    for name in benchmark_set._DRAWN:
        monkeypatch.setitem(
            benchmark_set._DRAWN, name, lambda: np.full((6, 8, 3), 0.5, np.float32))


@pytest.fixture
def whole(tmp_path, monkeypatch, quickly_drawn):
    """A folder and packages in which everything is found."""
    for each in ALL:
        place, _, path = each.source.partition(":")
        if place in ("folder", "skimage", "sklearn"):
            paint(tmp_path / place / path)
    for package in ("skimage", "sklearn"):
        (tmp_path / package / "__init__.py").write_text("raise RuntimeError('imported')")
        monkeypatch.delitem(sys.modules, package, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / "folder"


def test_has_what_it_should():
    assert {each.kind for each in CONTENTS} == KINDS
    assert [each.kind for each in CONTENTS].count("portrait") == 2
    assert len(STYLES) == 10 and {each.kind for each in STYLES} == {"style"}
    for each in ALL:
        assert each.licence in ("public domain", "CC0", "our own") or re.fullmatch(
            r"CC BY \d\.\d", each.licence)
        assert each.author and each.source


def test_painters_are_dead_for_over_seventy_years():
    painters = [each.author for each in STYLES if each.licence != "our own"]
    assert len(painters) == 6
    assert all(int(author[-5:-1]) < 1950 for author in painters)


def test_names_are_unique_and_fit_for_files():
    names = [each.name for each in ALL]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z0-9_]+", name) for name in names)


@pytest.mark.parametrize("half", benchmark_set.HALVES)
def test_a_half_is_a_half(half):
    contents, styles = ([each for each in some if each.half == half] for some in (CONTENTS, STYLES))
    assert (len(contents), len(styles)) == (len(CONTENTS) / 2, len(STYLES) / 2)
    assert [each.kind for each in contents].count("portrait") == 1


def test_the_page_has_the_table_of_the_set():
    text = benchmark_set.PAGE.read_text(encoding="utf-8")
    assert benchmark_set.table() in text, "run python -m benchmarks.set --write"
    assert benchmark_set.renewed(text) == text


def test_write_renews_the_table_and_nothing_else(tmp_path, monkeypatch, quickly_drawn):
    page = tmp_path / "SET.md"
    page.write_text("before\n\n| old |\n| --- |\n\nafter\n", encoding="utf-8")
    monkeypatch.setattr(benchmark_set, "PAGE", page)
    assert main(["--write", f"--folder={tmp_path}"]) == 0
    assert page.read_text(encoding="utf-8") == f"before\n\n{benchmark_set.table()}\nafter\n"


def test_everything_is_found_and_no_package_imported(whole):
    pictures = found(ALL, whole)
    assert list(pictures) == [each.name for each in ALL]
    assert all(picture.dtype == np.float32 for picture in pictures.values())
    assert not {"skimage", "sklearn"} & set(sys.modules)


def test_a_missing_file_is_left_out(tmp_path):
    assert found([entry("folder:images/some.png")], tmp_path) == {}


def test_a_damaged_file_is_left_out(tmp_path):
    (tmp_path / "some.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")
    assert found([entry("folder:some.png")], tmp_path) == {}


def test_a_package_that_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    assert found([entry("skimage:data/some.png")], tmp_path) == {}
    with pytest.raises(InputError, match="pip install scikit-image"):
        benchmark_set.picture(entry("skimage:data/some.png"), tmp_path)


def test_what_cannot_be_drawn_is_left_out(tmp_path, monkeypatch):
    def without_fonts():
        raise ImportError("no FreeType")

    monkeypatch.setitem(benchmark_set._DRAWN, "page", without_fonts)
    assert found([entry("drawn:page")], tmp_path) == {}


def test_pairs_of_a_half_are_its_contents_with_its_styles(whole):
    for half in benchmark_set.HALVES:
        contents, styles = (
            [each.name for each in some if each.half == half] for some in (CONTENTS, STYLES))
        assert pairs(half, whole) == list(itertools.product(contents, styles))


def test_no_picture_is_in_both_halves(whole):
    tuning, release = ({name for pair in pairs(half, whole) for name in pair}
                       for half in benchmark_set.HALVES)
    assert len(tuning) == len(release) == 10 and not tuning & release


def test_pairs_of_all_are_every_content_with_every_style(whole):
    assert len(set(pairs("all", whole))) == len(CONTENTS) * len(STYLES)


def test_pairs_leave_out_what_is_missing(whole):
    (whole / "images" / "tubingen.jpg").unlink()
    assert len(pairs("tuning", whole)) == 20
    assert "tubingen" not in {content for content, _ in pairs("tuning", whole)}


def test_an_unknown_half_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"tuning, release or all\. Received: 'both'"):
        pairs("both", tmp_path)


def test_the_name_of_a_result_tells_its_pair():
    for content, style in itertools.product(CONTENTS, STYLES):
        pair = content.name, style.name
        assert made_from(file_name(*pair)) == pair
    assert file_name("a_b", "c") == "a_b__c.png"


@pytest.mark.parametrize("name", ["", "a__b", "a_", "_a", "a b", "A", "a/b", "a.b", "a\n"])
def test_a_name_that_could_not_be_read_back_is_refused(name):
    with pytest.raises(InputError, match="expected small letters"):
        file_name(name, "style")
    with pytest.raises(InputError, match="expected small letters"):
        file_name("content", name)


def test_the_command_says_what_is_found(whole, capsys):
    (whole / "images" / "the_scream.jpg").unlink()
    assert main([f"--folder={whole}"]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [each.name for each in ALL]
    assert lines[0].split()[1:] == ["portrait", "tuning", "512x600"]
    missing = [line for line in lines if "missing" in line]
    assert len(missing) == 1 and missing[0].endswith("the_scream.jpg: there is no such file")
    assert last == "19 of 20 found"


def test_the_sheet_shows_every_picture(whole):
    file = whole / "sheet.png"
    assert main([f"--folder={whole}", f"--sheet={file}"]) == 0
    image = read_picture(file)
    assert image.shape == (4 * 240, 5 * 224, 3)
    middle_of_tubingen = image[16 + 80, 224 + 112]
    np.testing.assert_allclose(middle_of_tubingen, 0.5, atol=0.02)


@pytest.mark.parametrize("bad", [
    "--bogus", "extra", "--sheet=sheet.doc", f"--sheet={__file__}/a.png",
], ids=["flag", "place", "ending", "folder"])
def test_bad_input_is_one_line_and_exit_code_2(bad, capsys):
    assert main([bad]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("benchmarks.set: ")


def test_the_page_is_printed_on_light_paper_and_always_the_same():
    page = scenes.page()
    assert page.shape == (576, 768, 3) and page.dtype == np.float32
    assert page.min() >= 0 and page.max() <= 1
    paper = page[60:520, 80:660].mean(axis=2)
    assert np.median(paper) > 0.7
    assert 0.03 < (paper < 0.35).mean() < 0.2, "letters"
    np.testing.assert_array_equal(scenes.page(), page)


def test_the_crowd_is_many_colours_on_a_square():
    crowd = scenes.crowd()
    assert crowd.shape == (576, 768, 3) and crowd.dtype == np.float32
    assert crowd.min() >= 0 and crowd.max() <= 1
    people = crowd[180:].reshape(-1, 3)
    assert (people.max(axis=1) - people.min(axis=1) > 0.3).mean() > 0.25, "clothes, not pavement"
