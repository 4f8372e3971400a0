import os
import re
from pathlib import Path

import numpy as np
import pytest

from tf_style import InputError
from tf_style.commands.naming import jobs, title
from tf_style.image.picture import write_picture


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The working folder, with the folders `photos`, of three files, `styles`, of two, `out`."""
    monkeypatch.chdir(tmp_path)
    for name in ("photos/a.jpg", "photos/b.png", "photos/notes.txt", "styles/s.png", "styles/t.png",
                 "out/older.png"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    return tmp_path


def outputs(*arguments, **given):
    return [job.output.as_posix() for job in jobs(*arguments, **given)]


def test_each_content_with_each_style():
    made = jobs("photos", ["styles/*"], "out/{content}-{style}.webp")
    assert [(job.content, *job.styles) for job in made] == [
        (str(Path("photos", content)), str(Path("styles", style)))
        for content in ("a.jpg", "b.png") for style in ("s.png", "t.png")
    ]
    assert [job.output.as_posix() for job in made] == [
        "out/a-s.webp", "out/a-t.webp", "out/b-s.webp", "out/b-t.webp",
    ]


def test_several_styles_are_one_blend_of_each_combination():
    made = jobs("photos/a.jpg", ["styles", "sample:ink", "styles"], "out/{style}.png")
    assert [job.output.name for job in made] == [
        "s_ink_s.png", "s_ink_t.png", "t_ink_s.png", "t_ink_t.png",
    ]
    assert title(made[1]) == "a.jpg x s.png x sample:ink x t.png"


def test_a_folder_gives_each_its_name_in_it():
    assert outputs("photos", ["sample:ink"], "out") == ["out/a_ink.png", "out/b_ink.png"]
    for name in ("new/", "new"):
        assert outputs("photos", ["sample:ink"], name) == ["new/a_ink.png", "new/b_ink.png"]
    assert outputs("photos/a.jpg", ["sample:ink"], "out/") == ["out/a_ink.png"]
    assert outputs(None, ["styles/*"], "out/") == ["out/s_texture.png", "out/t_texture.png"]


def test_a_texture_is_named_so():
    assert outputs(None, ["styles/s.png"], None) == ["styles/s_texture.png"]
    assert outputs(None, ["sample:ink", "styles/s.png"], None) == ["ink_s_texture.png"]


def saved(name, note="{}"):
    write_picture(name, np.ones((2, 2, 3)), note)


@pytest.mark.parametrize("source", ["photos", "photos/*"])
def test_what_tf_style_made_is_left_out_of_a_folder(source):
    for name in ("a_ink.png", "b_ink.png", "a_ink_2.png", "c_ink.png"):
        saved(f"photos/{name}")
    saved("photos/d.png", None)
    notes = []
    made = jobs(source, ["sample:ink"], None, note=notes.append)
    assert notes == [f"--content={source}: made by tf_style and left out: a_ink.png, a_ink_2.png, "
                     "b_ink.png and 1 more"]
    assert [Path(job.content).name for job in made] == ["a.jpg", "b.png", "d.png"]
    # One that is named, or one of nothing else, is meant.
    assert jobs("photos/a_ink.png", ["sample:ink"], None)[0].content == "photos/a_ink.png"
    assert len(jobs("photos/*_ink.png", ["sample:ink"], None)) == 3
    saved("styles/s_texture.png")
    assert len(jobs(None, ["styles"], None, note=notes.append)) == 2
    assert notes[1:] == ["--style=styles: made by tf_style and left out: s_texture.png"]


def test_styles_are_no_contents_of_the_same_folder():
    notes = []
    made = jobs("photos", [os.path.join(".", "photos", "b.png")], None, note=notes.append)
    assert notes == ["styles are no contents, and left out: b.png"]
    assert [job.content for job in made] == [os.path.join("photos", "a.jpg")]
    # Asked for by its name.
    assert jobs("photos/b.png", ["photos/b.png"], None)
    # All are both: each with each other.
    both = [os.path.join("photos", name) for name in ("a.jpg", "b.png")]
    assert [(job.content, *job.styles) for job in jobs("photos", ["photos"], None)] == [
        tuple(both), tuple(reversed(both))]
    # Whatever the folder is called.
    named = jobs("photos", [os.path.abspath("photos")], None)
    assert [os.path.basename(job.content) != os.path.basename(job.styles[0]) for job in named] == [
        True, True]


def test_one_picture_may_have_any_name():
    assert outputs("photos/a*", ["sample:ink"], "out/made.png") == ["out/made.png"]
    assert outputs(None, ["sample:ink"], "{content}.png") == ["none.png"]


@pytest.mark.parametrize("letter", ["a", "é", "漢", "\U0001f600", "e\u0301"])
@pytest.mark.parametrize("styles", [1, 2, 3, 5])
def test_a_default_name_is_no_longer_than_a_file_system_takes(letter, styles):
    names = [letter * 60 + str(each) for each in range(styles + 1)]
    job, = jobs(f"photos/{names[0]}.png", [f"{each}.png" for each in names[1:]], None)
    longest = job.output.with_name(f"{job.output.stem}_99_unfinished_12000000.png")
    assert len(longest.name.encode()) <= 255
    parts = job.output.stem.split("_")
    # None is left out, and letters stay whole.
    assert len(parts) == min(4, styles + 1)
    assert all(part and names[0].startswith(part) for part in parts)
    with open(longest.name, "w"):
        pass


def test_ordinary_names_are_not_cut():
    assert outputs(f"photos/{'a' * 50}.png", ["sample:ink"], None) == [f"photos/{'a' * 50}_ink.png"]


def test_braces_in_a_pictures_name_are_its_own():
    Path("photos/{style}.png").touch()
    assert outputs("photos/{style}.png", ["sample:ink"], "{content}.png") == ["{style}.png"]


def test_new_names_beside_the_content_are_not_taken():
    Path("photos/a.png").touch()
    Path("photos/b_ink.png").touch()
    expected = ["photos/a_ink.png", "photos/a_ink_2.png", "photos/b_ink_2.png"]
    assert outputs("photos/[ab].*", ["sample:ink"], None) == expected
    with pytest.raises(InputError, match=r"a\.jpg x sample:ink and a\.png x sample:ink would both"):
        jobs("photos/[ab].*", ["sample:ink"], None, keep=True)
    Path("photos/a.png").unlink()
    expected = ["photos/a_ink.png", "photos/b_ink.png"]
    assert outputs("photos/[ab].*", ["sample:ink"], None, keep=True) == expected


def test_what_is_kept_is_no_content_again():
    Path("photos/a_ink.png").touch()
    expected = ["photos/a_ink.png", "photos/b_ink.png"]
    assert outputs("photos", ["sample:ink"], "photos", keep=True) == expected
    assert len(outputs("photos", ["sample:ink"], "photos")) == 3
    # To replace an input is an error, and stays one: nothing is dropped here.
    assert outputs("photos/a.jpg", ["sample:ink"], "photos/a.jpg", keep=True) == ["photos/a.jpg"]


def test_what_a_stopped_run_leaves_has_a_name_of_its_own():
    job, _ = jobs("photos", ["sample:ink"], "out/{content}.webp")
    assert (job.output, job.unfinished) == (Path("out/a.webp"), Path("out/a_unfinished.webp"))
    # A picture alone is written where it was said that it should be, unless that is kept.
    assert jobs("photos/a.jpg", ["sample:ink"], "a.png")[0].unfinished is None
    assert jobs("photos/a.jpg", ["sample:ink"], "a.png", keep=True)[0].unfinished
    Path("photos/a_ink_unfinished.png").touch()
    expected = ["photos/a_ink.png", "photos/b_ink.png"]
    assert outputs("photos", ["sample:ink"], "photos", keep=True) == expected
    Path("photos/a_unfinished.jpg").touch()
    with pytest.raises(InputError, match=r"a\.jpg x sample:ink, stopped before its end, would"):
        jobs("photos", ["sample:ink"], "out/{content}.png")


@pytest.mark.parametrize("arguments, message", [
    (("photos", ["sample:ink"], "a.jpg"),
     r"--output=a\.jpg: several .* or --output='\{content\}_\{style\}\.jpg'"),
    (("photos", ["styles"], "{content}.png"), r"a\.jpg x s\.png and a\.jpg x t\.png would both"),
    (("photos", ["styles"], "{0}.png"), r"no braces but .* Received: '\{0\}'"),
    (("photos", ["styles"], "{content}_{style}}.png"), r"Received: '\}'"),
    (("nothing*", ["styles"], None), r"--content=nothing\*: no picture"),
    (("photos", ["out/*", "nothing*"], None), r"--style=nothing\*: no picture"),
])
def test_what_is_refused(arguments, message):
    with pytest.raises(InputError) as refused:
        jobs(*arguments)
    assert re.search(message, refused.value.flags)


def test_each_name_is_looked_for_a_few_times(folder, monkeypatch):
    """Of many pictures whose names begin alike: not for each number again."""
    Path("alike").mkdir()
    for number in range(60):
        Path("alike", f"{'a' * 60}{number}.png").touch()
    asked = []
    exists = os.path.exists
    monkeypatch.setattr(os.path, "exists", lambda path: asked.append(path) or exists(path))
    found = jobs("alike", ["styles/s.png"], None)
    assert len({job.output for job in found}) == 60
    assert len([path for path in asked if "_s" in os.fspath(path)]) < 200
