import itertools
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tf_style
from tests.library.conftest import Colors, painting, save
from tf_style import InputError, Settings
from tf_style.library.catalogue import Catalogue
from tf_style.library.entry import look_at
from tf_style.library.library import Library, default_path


def names(matches):
    return [os.path.basename(match.path) for match in matches]


def shades(picture, factor=0.95):
    return np.clip(picture * factor, 0, 1)


def test_pictures_of_a_folder_at_any_depth(library, paintings):
    added = library.add(paintings)
    assert sorted(map(os.path.basename, added.new)) == [f"{name}.png" for name in "abcdef"]
    assert (added.known, added.bad, added.gone) == (0, {}, [])
    assert library.names == [f"{name}.png" for name in "abcdef"]
    assert len(library) == 6


def test_what_is_known_is_not_looked_at_again(library, paintings, colors):
    library.add(paintings)
    assert colors.described == 6
    save(paintings / "g.png", painting(7))
    added = library.add([paintings / "a.png", paintings])
    assert (len(added.new), added.known, colors.described) == (1, 6, 7)


def test_adding_can_be_stopped_and_goes_on(library, paintings):
    first = library.add(paintings, lambda added, whole: added.done == 2 and whole == 6)
    assert len(first.new) == 2
    second = library.add(paintings)
    assert (len(second.new), second.known) == (4, 2)


def elsewhere(most=99):
    """Describes at most so many pictures, and remembers their files."""
    def described(describer, files):
        for file, digest in itertools.islice(files, most):
            asked.append(os.path.basename(file.path))
            try:
                entry, picture = look_at(file, digest)
                yield file.path, (entry, describer.describe(picture))
            except InputError as error:
                yield file.path, error

    asked = []
    return described, asked


def test_pictures_are_described_elsewhere(library, paintings, colors):
    (paintings / "bad.png").write_text("no picture")
    shutil.copy(paintings / "a.png", paintings / "aa.png")
    described, asked = elsewhere()
    added = library.add(paintings, elsewhere=described)
    assert (len(added.new), list(added.copies), list(added.bad)) == (
        6, [str(paintings / "aa.png")], [str(paintings / "bad.png")])
    # A copy of one that is described at the moment is known as soon as that is there.
    assert colors.described == len(asked) - 1 <= 7
    described, asked = elsewhere()
    assert library.add(paintings, elsewhere=described).known == 7 and asked == ["bad.png"]


def test_what_is_known_is_passed_over_until_a_stop(library, paintings):
    library.add(paintings)
    save(paintings / "z.png", painting(9))
    described, asked = elsewhere()
    added = library.add(paintings, lambda added, whole: added.done == 3, elsewhere=described)
    assert (added.known, added.new, asked) == (3, [], [])
    (paintings / "a.png").unlink()
    described, asked = elsewhere(most=0)
    # Nobody was there to describe the last: not all was looked at.
    added = library.add(paintings, elsewhere=described)
    assert (added.new, added.gone) == ([], [])


def test_bad_files_are_named_and_the_others_added(library, paintings):
    (paintings / "b.png").write_text("no picture")
    (paintings / "c.png").write_bytes((paintings / "c.png").read_bytes()[:200])
    (paintings / "z.png").touch()
    added = library.add([paintings, paintings / "nothing.png"])
    assert sorted(map(os.path.basename, added.bad)) == ["b.png", "c.png", "nothing.png", "z.png"]
    assert all(why.startswith(path) and "\n" not in why for path, why in added.bad.items())
    assert len(added.new) == 4


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")
def test_a_pipe_is_not_waited_for(library, paintings):
    pipe = str(paintings / "pipe.png")
    os.mkfifo(pipe)
    # Whoever reads it all the same need not wait for ever.
    writer = threading.Thread(target=lambda: os.close(os.open(pipe, os.O_WRONLY)))
    writer.start()
    described, asked = elsewhere()
    expected = {pipe: f"{pipe}: this is a pipe or a device"}
    try:
        for options in ({}, {"elsewhere": described}):
            assert library.add(paintings, **options).bad == expected
        assert (len(library), asked) == (6, [])
        for ask in (library.add, library.like):
            with pytest.raises(InputError, match="this is a pipe or a device"):
                ask(pipe)
    finally:
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        writer.join()
        os.close(reader)


def test_what_is_wrong_with_the_library_is_no_bad_file(library, paintings, monkeypatch):
    from tf_style.library.catalogue import Catalogue

    def full(self, *_):
        raise InputError(f"{self.path}: full")

    monkeypatch.setattr(Catalogue, "add", full)
    with pytest.raises(InputError, match=r"styles\.db: full"):
        library.add(paintings)


def test_a_name_that_stands_for_no_picture(library, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty: no picture is in this folder"):
        library.add(tmp_path / "empty")
    with pytest.raises(InputError, match=r"^https://example.org/a.png: this is an address"):
        library.add("https://example.org/a.png")


def test_no_library_is_made_if_nothing_can_describe(paintings, tmp_path):
    def refuse(settings):
        raise InputError("--weights=none.h5: there is no such file")

    for path, reason in ((tmp_path / "deep" / "new.db", "none.h5: there is no such file"),
                         # Without TensorFlow, which a describer needs.
                         (paintings / "a.png" / "new.db", "new.db: the folder .* cannot be made")):
        with Library(path, describer=refuse) as made, pytest.raises(InputError, match=reason):
            made.add(paintings)
        assert not path.parent.is_dir()


def test_the_same_bytes_are_one_picture(library, paintings):
    shutil.copy(paintings / "a.png", paintings / "deep" / "copy.png")
    added = library.add(paintings)
    assert len(library) == 6
    assert added.copies == {str(paintings / "deep" / "copy.png"): str(paintings / "a.png")}


def test_the_same_bytes_read_ahead_are_one_picture(library, paintings, colors, monkeypatch):
    """The second is read while the first is described."""
    shutil.copy(paintings / "a.png", paintings / "aa.png")
    describe = colors.describe
    monkeypatch.setattr(colors, "describe", lambda picture: time.sleep(0.2) or describe(picture))
    added = library.add([paintings / "a.png", paintings / "aa.png"])
    assert (len(added.new), added.copies) == (
        1, {str(paintings / "aa.png"): str(paintings / "a.png")})
    assert colors.described == 1


def test_moved_and_deleted_files_are_noticed(library, paintings, tmp_path, colors):
    library.add(paintings)
    (paintings / "a.png").rename(paintings / "deep" / "moved.png")
    (paintings / "b.png").unlink()
    assert "b.png" not in names(library.like(paintings / "c.png"))
    with pytest.raises(InputError, match=r"library:a.png: .*a\.png is no longer there"):
        library["a.png"]
    added = library.add(paintings)
    assert added.moved == {str(paintings / "deep" / "moved.png"): str(paintings / "a.png")}
    assert [os.path.basename(path) for path in added.gone] == ["b.png"]
    assert colors.described == 6
    assert library["moved"] == str(paintings / "deep" / "moved.png")
    assert [record.paths for record in library.records(name="moved")] == [
        (str(paintings / "deep" / "moved.png"),)]
    assert "moved.png" in names(library.like(paintings / "c.png"))
    # Its disk may only be away.
    gone, = (record for record in library.records() if not record.is_there)
    assert os.path.basename(gone.path) == "b.png"


def test_near_duplicates_are_found(library, paintings):
    paintings_first = library.add(paintings)
    assert paintings_first.twins == {}
    twin = save(paintings / "small.jpg", shades(painting(0, 45, 60)), quality=60)
    added = library.add(paintings)
    assert added.twins == {twin: str(paintings / "a.png")}
    shown = [match for group in library.browse() for match in group.pictures]
    assert sorted(names(shown)) == [f"{name}.png" for name in "abcdef"]
    assert names(library.like(paintings / "a.png", 1)) == ["small.jpg"]


def test_a_file_is_no_near_duplicate_of_what_it_showed_before(library, paintings):
    library.add(paintings)
    save(paintings / "a.png", np.clip(shades(painting(0)) + 0.02, 0, 1))
    save(paintings / "z.png", shades(painting(9)))
    added = library.add(paintings)
    assert sorted(os.path.basename(path) for path in added.new) == ["a.png", "z.png"]
    assert added.twins == {}
    shown = [match for group in library.browse() for match in group.pictures]
    assert sorted(names(shown)) == [*(f"{name}.png" for name in "abcdef"), "z.png"]


def test_of_near_duplicates_the_first_that_is_asked_for_and_there_is_shown(library, paintings):
    library.add(paintings)
    for name, height, width in (("large", 120, 160), ("small", 45, 60)):
        save(paintings / "big" / f"{name}.jpg", shades(painting(0, height, width)), quality=60)
    assert len(library.add(paintings).twins) == 2

    def shown(**filters):
        return sorted(names(match for group in library.browse(**filters)
                            for match in group.pictures))

    others = [f"{name}.png" for name in "bcdef"]
    assert shown() == ["a.png", *others]
    for wanted in ({"folder": paintings / "big"}, {"min_size": 100}):
        assert shown(**wanted) == ["large.jpg"]
        assert names(library.surprise(9, **wanted)) == ["large.jpg"]
        assert names(library.suits(painting(9), **wanted)) == ["large.jpg"]
    assert shown(name="small") == ["small.jpg"]
    for name in ("a.png", "big/large.jpg"):
        # Nor is a photograph's near duplicate its style.
        assert sorted(names(library.suits(paintings / name, 9))) == others
    (paintings / "a.png").unlink()
    assert shown() == [*others, "large.jpg"]
    library.add(paintings)
    assert shown() == [*others, "large.jpg"]
    library.forget(["a.png"])
    assert shown() == [*others, "large.jpg"]


def test_what_is_only_painted_alike_is_no_duplicate(library, paintings):
    for number in (10, 11):
        save(paintings / f"{number}.png", 0.5 + 0.1 * (painting(number) - 0.5))
    added = library.add(paintings)
    near, = library.like(paintings / "10.png", 1)
    assert os.path.basename(near.path) == "11.png" and near.distance < 0.1
    assert added.twins == {}


def test_like_against_the_definition(library, paintings):
    library.add(paintings)
    seen = {name: Colors().describe(painting(number)).astype(float)
            for number, name in enumerate("abcdef")}
    apart = {name: ((each - seen["c"]) ** 2).sum() for name, each in seen.items() if name != "c"}
    expected = sorted(apart, key=apart.get)
    found = library.like(paintings / "c.png", 3)
    assert names(found) == [f"{name}.png" for name in expected[:3]]
    assert [match.distance for match in found] == pytest.approx(
        sorted(apart.values())[:3], abs=0.01)


def test_like_a_picture_that_is_not_there(library, paintings, tmp_path):
    library.add(paintings)
    near = shades(painting(3))
    assert names(library.like(near, 1)) == ["d.png"]
    assert names(library.like(Image.fromarray(np.uint8(255 * near)), 1)) == ["d.png"]
    assert names(library.like(save(tmp_path / "near.png", near), 1)) == ["d.png"]
    with pytest.raises(InputError, match=r"nothing\.png: there is no such file"):
        library.like(tmp_path / "nothing.png")


def test_for_a_picture_that_is_there_no_network_is_needed(library, paintings, tmp_path):
    library.add(paintings)

    def refuse(settings):
        raise AssertionError

    with Library(library.path, describer=refuse) as again:
        assert len(again.like(paintings / "c.png")) == 5
        assert again.browse() and again.surprise()


def test_filters(library, paintings):
    save(paintings / "blue.png", np.full((300, 400, 3), (0, 0, 0.5), np.float32))
    library.add(paintings)

    def left(**filters):
        return [os.path.basename(record.path)[:-4] for record in library.records(**filters)]

    assert left(folder=paintings / "deep") == ["e", "f"]
    assert left(name="E") == ["blue", "e"]
    assert left(name="?.png") == list("abcdef")
    assert left(min_size=200) == ["blue"]
    assert left(palette="navy") == ["blue"]
    assert left(folder=paintings / "deep", name="f") == ["f"]
    assert names(library.like(paintings / "a.png", name="f")) == ["f.png"]
    assert names(library.surprise(5, name="f")) == ["f.png"]
    with pytest.raises(InputError, match="palette=bleu"):
        library.like(paintings / "a.png", palette="bleu")


@pytest.mark.parametrize("wanted", [{"folder": "deep"}, {"name": "copy"}])
def test_of_several_files_that_which_is_asked_for_is_named(
    library, paintings, monkeypatch, wanted
):
    monkeypatch.chdir(paintings)
    original, copy = (str(paintings / name) for name in ("a.png", "deep/copy.png"))
    shutil.copy(original, copy)
    library.add(paintings)

    def found():
        some = [library.like(painting(9), 9, **wanted), library.suits(painting(9), 9, **wanted),
                library.surprise(9, **wanted),
                [each for group in library.browse(**wanted) for each in group.pictures]]
        return [{match.path for match in each} for each in some]

    def record():
        return next(each for each in library.records(**wanted) if copy in each.paths)

    assert all(copy in paths and original not in paths for paths in found())
    assert record().paths == (copy,)
    assert (library["a.png"], library["copy"]) == (original, copy)
    os.remove(copy)
    assert not any(paths & {copy, original} for paths in found())
    assert (record().path, record().is_there) == (copy, False)
    # The same bytes.
    assert library["copy"] == original


def test_surprise(library, paintings):
    library.add(paintings)
    found = library.surprise(3, seed=0)
    assert len({match.path for match in found}) == 3
    assert library.surprise(3, seed=0) == found
    assert {tuple(names(library.surprise(3, seed=seed))) for seed in range(9)} - {
        tuple(names(found))}


def test_names(library, paintings):
    save(paintings / "deep" / "a.png", painting(20))
    library.add(paintings)
    digest = library.records(name="b.png")[0].digest
    expected = str(paintings / "b.png")
    for name in ("b.png", "b", "B.PNG", expected, digest, digest[:8], "paintings/b.png"):
        assert library[name] == expected
    assert library["deep/a"] == library["deep/a.png"] == str(paintings / "deep" / "a.png")
    assert library["paintings/a.png"] == str(paintings / "a.png")
    with pytest.raises(InputError, match=r"library:a\.png: several pictures are called so"):
        library["a.png"]
    with pytest.raises(InputError, match=r"library:bb.png: .*Did you mean 'b.png'"):
        library["bb.png"]


def test_names_as_paths_and_in_loops(library, paintings):
    library.add(paintings)
    assert library[Path("b.png")] == library[paintings / "b.png"] == library["b"]
    assert "b" in library and Path("deep", "e.png") in library and "nothing" not in library
    assert list(library) == library.names
    os.unlink(paintings / "c.png")
    assert "c" not in library
    assert [record.path for record in library.forget(paintings / "a.png")] == [
        str(paintings / "a.png")]


def test_whether_a_name_is_in_no_library(tmp_path):
    with Library(tmp_path / "none.db") as library, pytest.raises(InputError, match="no such lib"):
        "b" in library  # noqa: B015


def test_of_two_with_a_name_the_one_that_is_there_is_meant(library, paintings):
    path = save(paintings / "deep" / "a.png", painting(20))
    library.add(paintings)
    os.unlink(paintings / "a.png")
    assert library["a"] == library["A.png"] == path and library.resolve("a") == [path]
    with pytest.raises(InputError, match="several pictures are called so"):
        library.forget("a")
    assert [record.path for record in library.forget("paintings/a")] == [str(paintings / "a.png")]
    os.unlink(path)
    with pytest.raises(InputError, match=r"library:a: .*a\.png is no longer there"):
        library["a"]


def test_resolve(library, paintings):
    library.add(paintings)
    assert library.resolve("b") == [str(paintings / "b.png")]
    assert len(library.resolve("")) == 6
    for number, text in ((1, ""), (2, ",2"), (5, ",99")):
        for verb, ask in (("like", library.like), ("for", library.suits)):
            found = library.resolve(f"{verb}={paintings / 'c.png'}{text}")
            assert found == [match.path for match in ask(paintings / "c.png", number)]


def test_a_picture_of_the_library_to_compare_with(library, paintings):
    library.add(paintings)
    for verb in ("like", "for"):
        for text in ("", ",2"):
            assert library.resolve(f"{verb}=library:b{text}") == library.resolve(
                f"{verb}={paintings / 'b.png'}{text}")
        with pytest.raises(InputError, match=r"library:none: no picture of .* is called so"):
            library.resolve(f"{verb}=library:none")


@pytest.mark.parametrize("count", [0, -1, 1.5, "9" * 5000, None])
def test_one_line_for_a_count_that_is_none(library, paintings, count):
    library.add(paintings)
    expected = "^count: expected a whole number.* Received: .{1,203}$"
    for ask in (library.like, library.suits):
        with pytest.raises(InputError, match=expected):
            ask(paintings / "b.png", count)
    with pytest.raises(InputError, match=expected):
        library.surprise(count)
    with pytest.raises(InputError, match=r"^previews: expected a whole number"):
        library.suits(paintings / "b.png", previews=-1)


@pytest.mark.parametrize("verb", ["like", "for"])
@pytest.mark.parametrize("count", ["0", "9" * 5000])
def test_one_line_for_a_count_behind_a_picture(library, paintings, verb, count):
    library.add(paintings)
    with pytest.raises(InputError, match=f"^library:{verb}=PICTURE,N: expected a whole number"):
        library.resolve(f"{verb}={paintings / 'b.png'},{count}")


def test_what_suits_a_photograph(library, paintings):
    save(paintings / "harsh.png", np.indices((60, 80)).sum(0)[..., None] // 4 % 2 * np.ones(3))
    library.add(paintings)
    photograph = save(paintings.parent / "photo.png", painting(9))
    found = library.suits(photograph, 99)
    assert len(found) == 7 and names(found)[-1] == "harsh.png"
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    assert all(each.reasons for each in found)
    assert "its fine marks are stronger than what they cover" in found[-1].reasons
    apart = {match.path: match.distance for match in library.like(photograph)}
    assert {each.path: each.distance for each in found} == apart
    assert library.suits(painting(9), 2)[0].path == found[0].path
    assert names(library.suits(photograph, name="harsh")) == ["harsh.png"]
    assert library.suits(photograph, name="nothing") == []


def test_previews_decide(library, paintings, monkeypatch):
    """Of as many as are painted, and before all others."""
    from tf_style.library import previews as home
    from tf_style.library.previews import INCLUDED, Preview

    library.add(paintings)
    asked = []

    def previews(photograph, styles, judge):
        asked.append((list(styles), judge))
        for number in range(len(styles)):
            yield InputError("bad") if number == 2 else Preview(painting(9), 0.3 * number)

    monkeypatch.setattr(home, "previews", previews)
    before = library.suits(painting(9), 6)
    found = library.suits(painting(9), 6, previews=4)
    assert names(found) == [names(before)[place] for place in (3, 1, 0, 2, 4, 5)]
    assert [each.preview for each in found] == [0.9, 0.3, 0, None, None, None]
    assert found[0].score == pytest.approx((before[3].score + 0.9) / 2, abs=1e-4)
    assert found[3:] == [before[2], *before[4:]]
    assert asked == [([each.path for each in before[:4]], INCLUDED)]
    assert names(library.suits(painting(9), 2, previews=4)) == names(found)[:2]


def test_each_thumbnail_is_looked_at_once(library, paintings, monkeypatch):
    """Another process need not look again, and a library that cannot be written suits no less."""
    library.add(paintings)
    photograph, looks = save(paintings.parent / "photo.png", painting(9)), []
    found = library.suits(photograph, callback=lambda *each: looks.append(each))
    assert looks == [(number, 6) for number in range(6)]
    assert library.suits(photograph, callback=lambda *each: looks.append(each)) == found
    with Library(library.path, describer=library._make) as again:
        assert again.suits(photograph, callback=lambda *each: looks.append(each)) == found
    assert len(looks) == 6
    save(paintings / "new.png", painting(7))
    library.add(paintings)
    assert len(library.suits(photograph, callback=lambda *each: looks.append(each))) == 7
    assert looks[6:] == [(0, 1)]
    library.close()
    with sqlite3.connect(library.path) as file:
        file.execute("DROP TABLE textures")
    file.close()
    monkeypatch.setattr(Catalogue, "keep_textures", refused)
    with Library(library.path, describer=library._make) as again:
        assert len(again.suits(photograph)) == 7


def refused(catalogue, found):
    raise InputError("it cannot be written, only read")


def test_a_photograph_of_the_library_is_not_its_own_style(library, paintings, colors):
    library.add(paintings)
    save(paintings / "small.jpg", shades(painting(0, 45, 60)), quality=60)
    library.add(paintings)
    described = colors.described
    assert sorted(names(library.suits(paintings / "c.png"))) == [
        f"{name}.png" for name in "abdef"]
    assert colors.described == described


def test_forget(library, paintings):
    library.add(paintings)
    with pytest.raises(InputError):
        library.forget(["a.png", "nothing"])
    assert len(library) == 6
    assert [record.path for record in library.forget(["a.png"])] == [str(paintings / "a.png")]
    assert len(library) == 5 and (paintings / "a.png").is_file()
    assert "a.png" not in names(library.like(paintings / "c.png"))


def test_one_name_to_forget_is_no_list_of_letters(library, paintings):
    save(paintings / "cd.png", painting(9))
    library.add(paintings)
    assert [os.path.basename(record.path) for record in library.forget("cd")] == ["cd.png"]
    assert {"c.png", "d.png"} < set(library.names)


def test_what_others_change_is_noticed(library, paintings):
    library.add(paintings)
    with Library(library.path, describer=lambda settings: Colors()) as other:
        # Each has looked at everything once.
        for each in (library, other):
            assert len(each.like(paintings / "c.png")) == len(each.suits(paintings / "c.png")) == 5
        new = save(paintings / "new.png", painting(9))
        other.add(new)
        assert library["new"] == new and "new.png" in library.names
        assert len(library) == len(library.like(new)) + 1 == len(library.suits(new)) + 1 == 7
        other.forget("a")
        assert "a.png" not in names(library.like(new))
        assert "a.png" not in names(library.suits(new)) and len(library.suits(new)) == 5
        assert len(library.browse()) and len(library.surprise()) == 6
        library.forget("b")
        assert len(other.like(new)) == len(other.suits(new)) == 4


def test_another_describer_finds_nothing_of_the_first(library, paintings):
    library.add(paintings)
    other = Colors()
    other.origin = "colors:2"
    with Library(library.path, Settings(network="compact"),
                 describer=lambda settings: other) as again:
        with pytest.raises(InputError, match="none of its pictures was described by colors:2"):
            again.like(paintings / "a.png")
        again.add(paintings)
        assert len(again) == 6 and other.described == 7
        assert len(again.like(paintings / "a.png")) == 5


def test_what_described_most_goes_on(library, paintings):
    library.add(paintings)
    seen = []

    def describer(settings):
        seen.append(settings)
        return Colors()

    with Library(library.path, describer=describer) as again:
        again.add(save(paintings / "new.png", painting(9)))
        again.like(painting(2))
    assert seen == [Settings(network="compact")]


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_names_that_are_no_text(library, tmp_path):
    path = save(tmp_path / os.fsdecode(b"caf\xe9") / os.fsdecode(b"\xff.png"), painting(0))
    other = save(tmp_path / "other.png", painting(1))
    added = library.add([os.path.dirname(path), other])
    assert added.new == [path, other]
    assert library.like(other)[0].path == path
    assert library[os.fsdecode(b"\xff")] == path


def test_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("TF_STYLE_LIBRARY", "~/mine.db")
    assert default_path() == Path.home() / "mine.db"
    for name in ("~/own.db", Path("~/own.db")):
        assert Library(name).path == Path.home() / "own.db"
    monkeypatch.delenv("TF_STYLE_LIBRARY")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert default_path().parts[-2:] == ("tf_style", "library.db")


def test_no_tensorflow_to_search(library, paintings):
    library.add(paintings)
    code = f"""
import sys, tf_style
with tf_style.Library({str(library.path)!r}) as library:
    assert len(library.like({str(paintings / "a.png")!r})) == 5
    assert len(library.suits({str(paintings / "a.png")!r})) == 5
    library.browse(), library.surprise(), library.records(palette="navy"), library["a"]
assert "tensorflow" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, env={
        **os.environ, "PYTHONPATH": str(Path(tf_style.__file__).parents[1])})


@pytest.mark.slow
def test_copies_find_their_original(tmp_path):
    """By the compact network: crops, rescaled, recompressed and recoloured ones among others."""
    from tf_style.image.picture import read_picture
    from tf_style.image.resize import fit
    from tf_style.image.samples import CONTENT_SAMPLES, STYLE_SAMPLES

    folder = tmp_path / "many"
    originals = {}
    for name in (*CONTENT_SAMPLES, *STYLE_SAMPLES):
        picture = fit(read_picture(f"sample:{name}"), 400)
        originals[name] = picture
        save(folder / f"{name}.png", picture)
        for number, turned in enumerate((picture[:, ::-1, ::-1], picture[..., ::-1])):
            save(folder / f"{name}_{number}.png", turned)
    for seed in range(20):
        save(folder / f"soft_{seed}.png", painting(seed, 300, 400))
    with Library(tmp_path / "styles.db", Settings(network="compact")) as library:
        library.add(folder)
        for name, picture in originals.items():
            height, width = picture.shape[:2]
            for copy in (picture[height // 8 : -height // 8, width // 8 : -width // 8],
                         fit(picture, 180), shades(picture, np.float32([1.05, 1, 0.92]))):
                assert f"{name}.png" in names(library.like(copy, 5))
