"""Running again what made a picture: --settings_from."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tf_style
from tests.commands.conftest import TINY, call, files_in, without_tensorflow
from tf_style import cli, feature_model
from tf_style.commands import flags, stylize
from tf_style.commands.repeat import _WORDS, Record
from tf_style.image.picture import read_note, read_picture, write_picture
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.kernel_files import write_kernels
from tf_style.network.weights import load
from tf_style.run import machine
from tf_style.run.inputs import Inputs
from tf_style.settings import MAX_PIXELS, Settings
from tf_style.settings.option import File

DATA = Path(__file__).parents[1] / "data"
ONE = ["content.png", "style.png", "a.png", *TINY, "--quiet"]


@pytest.fixture(autouse=True)
def others(folder):
    """One more style, and masks of two."""
    Image.open("style.png").transpose(Image.Transpose.FLIP_LEFT_RIGHT).save("other.png")
    for name, left in (("left", 255), ("right", 0)):
        mask = np.full((48, 64), 255 - left, np.uint8)
        mask[:, :32] = left
        Image.fromarray(mask).save(f"{name}.png")


def note(name):
    return json.loads(read_note(name))


SEVERAL = ["--style=style.png", "--style=other.png", "--style_blend=1,3", "--content_mask=left.png",
           "--content_mask=right.png", "--protect=left.png", "--size=original"]
START = ["--style=style.png", "--init=other.png", "--init_noise=0.5", "--seed=7", "--strength=0.7",
         "--style_size=24"]
DEEP = ["--style=style.png", "--preserve_color=histogram", "--style_mask=other.png", "--bits=16"]
TEXTURE = ["--content=none", "--style=style.png", "--size=40x24"]


@pytest.mark.parametrize("flags", [
    SEVERAL, *[pytest.param(flags, marks=pytest.mark.slow) for flags in (START, DEEP, TEXTURE)]
])
def test_the_same_pixels_from_the_picture_and_from_the_report(flags, folder):
    if any("bits" in flag for flag in flags):
        pytest.importorskip("imagecodecs")
    assert call(cli.main, "--content=content.png", *ONE[3:], "--scales=1", "--steps=1", *flags,
                "--output=a.png", "--report=a.json") == 0
    for source, again in (("a.png", "b.png"), ("a.json", "c.png")):
        assert call(cli.main, f"--settings_from={source}", f"--output={again}", "--quiet") == 0
        assert (read_picture(again) == read_picture("a.png")).all()
        assert note(again) == note("a.png")
    report = json.loads((folder / "a.json").read_text())
    assert {name: report[name] for name in note("a.png")} == note("a.png")


def test_flags_given_beside_it_win(folder):
    assert call(cli.main, *ONE) == 0
    assert call(cli.main, "other.png", "left.png", "b.png", "--settings_from=a.png", "--seed=3",
                "--quiet", "--steps=4", "--size=40") == 0
    found = note("b.png")
    assert (found["content"], found["style"]) == ("other.png", ["left.png"])
    assert found["settings"] == {
        **note("a.png")["settings"], "seed": 3, "steps": [4], "size": 40
    }


# What was given, what that became, the flags of now, and what is given then.
WITH_NEW_VALUES = {
    "a strength replaces a strength": (
        {"strength": 0.7}, {"strength": "auto", "style_weight": 88.3}, ["--strength=0.9"],
        {"strength": 0.9, "style_weight": "auto"},
    ),
    "a strength replaces a weight": (
        {"style_weight": 2.5}, {}, ["--strength=0.9"], {"strength": 0.9, "style_weight": "auto"},
    ),
    "a weight replaces a strength": (
        {"strength": 0.7}, {"strength": "auto", "style_weight": 88.3}, ["--style_weight=3"],
        {"strength": "auto", "style_weight": 3},
    ),
    "a strength stays with other weights": (
        {"strength": 0.7}, {"strength": "auto", "style_weight": 88.3}, ["--weights=random"],
        {"strength": 0.7, "style_weight": "auto"},
    ),
    "a scale replaces a size of the style": (
        {"style_size": 24}, {}, ["--style_scale=0.5"], {"style_size": "auto", "style_scale": 0.5},
    ),
    "shares go with their styles": (
        {"style_blend": [1, 3]}, {}, ["--style=other.png"], {"style_blend": "auto"},
    ),
    "shares that were found go, too": (
        {}, {"style_blend": [1, 1]}, ["--style=other.png"], {"style_blend": "auto"},
    ),
    "steps go with their sizes": (
        {"scales": 2, "steps": [3, 2]}, {}, ["--scales=1"], {"scales": 1, "steps": "auto"},
    ),
    "one number of steps is for any sizes": (
        {"scales": 2, "steps": [5]}, {}, ["--scales=1"], {"scales": 1, "steps": (5,)},
    ),
    "steps that were found go with their sizes": (
        {}, {"scales": 2, "steps": [100, 50]}, ["--scales=1"], {"scales": 1, "steps": "auto"},
    ),
    "sizes that were found go with their steps": (
        {}, {"scales": 3, "steps": [60, 40, 30]}, ["--steps=9,8"],
        {"scales": "auto", "steps": (9, 8)},
    ),
    "scales and steps are found for another size": (
        {}, {"scales": 3, "steps": [60, 40, 30], "size": 512}, ["--size=1024"],
        {"scales": "auto", "steps": "auto"},
    ),
    "scales are found for another size, steps stay": (
        {"steps": [9]}, {"scales": 3, "size": 512}, ["--size=1024"],
        {"scales": "auto", "steps": (9,)},
    ),
    "steps that were given stay with another size": (
        {"steps": [60, 60, 40, 30]}, {"scales": 4}, ["--size=64"], {"steps": (60, 60, 40, 30)},
    ),
    "scales that were given stay with another size": (
        {"scales": 2}, {"steps": [100, 50]}, ["--size=1024"], {"scales": 2, "steps": "auto"},
    ),
    "steps are found for another content": (
        {}, {"steps": [60, 60, 40, 30], "scales": 4}, ["--content=other.png"],
        {"steps": "auto", "scales": "auto"},
    ),
    "blocks are found for another size": (
        {}, {"block_size": 64}, ["--size=1024"], {"block_size": "auto"},
    ),
    "blocks are found for other memory": (
        {}, {"block_size": 64}, ["--max_memory=2"], {"block_size": "auto", "max_memory": 2},
    ),
    "blocks that were given stay": (
        {"block_size": 64}, {}, ["--size=1024"], {"block_size": 64},
    ),
    "a precision is found for another device": (
        {"device": "gpu:0"}, {"precision": "float16"}, ["--device=cpu"], {"precision": "auto"},
    ),
    "a precision that was given stays": (
        {"precision": "float16"}, {"device": "gpu:0"}, ["--device=cpu"], {"precision": "float16"},
    ),
    "weights go with their network": (
        {"weights": "w.h5"}, {}, ["--network=vgg19"], {"weights": "auto", "network": "vgg19"},
    ),
    "weights of a part stay where they were given": (
        {"content_network": "vgg19", "content_network_weights": "imagenet"},
        {"style_network": "vgg16", "style_network_weights": "w.h5"}, ["--weights=random"],
        {"content_network": "vgg19", "content_network_weights": "imagenet",
         "style_network": "auto", "style_network_weights": "auto"},
    ),
    "a part's network stays where it was given": (
        {"style_network": "vgg19", "style_network_weights": "imagenet"},
        {"content_network": "vgg16", "content_network_weights": "w.h5"}, ["--network=vgg19"],
        {"content_network": "auto", "content_network_weights": "auto", "style_network": "vgg19",
         "style_network_weights": "imagenet"},
    ),
    "weights of a part go with its network": (
        {"style_network": "vgg19", "style_network_weights": "imagenet"}, {},
        ["--style_network=vgg16"], {"style_network": "vgg16", "style_network_weights": "auto"},
    ),
    "layers, pooling and weight are found for other weights": (
        {}, {"content_layers": {"block3_conv3": 1}, "style_layers": {"block1_conv1": 1},
             "pooling": "max", "style_weight": 14}, ["--weights=random"],
        dict.fromkeys(("content_layers", "style_layers", "pooling", "style_weight"), "auto"),
    ),
    "layers that were given stay": (
        {"content_layers": {"block3_conv3": 1}}, {}, ["--weights=random"],
        {"content_layers": {"block3_conv3": 1}},
    ),
    "one part's layers are nothing to the other's network": (
        {}, {"content_layers": {"block3_conv3": 1}, "style_layers": {"block1_conv1": 1}},
        ["--content_network=vgg19"],
        {"content_layers": "auto", "style_layers": {"block1_conv1": 1}},
    ),
    "a start is found without content": (
        {}, {"init": "content"}, ["--content=none"], {"init": "auto"},
    ),
    "a start is found with a content": (
        {}, {"init": "noise"}, ["--content=other.png"], {"init": "auto"},
    ),
    "a start that was given stays": (
        {"init": "noise"}, {}, ["--content=other.png"], {"init": "noise"},
    ),
    "places are contents and styles, too": (
        {"style_blend": [1, 3]}, {"init": "noise"}, ["content.png", "other.png"],
        {"style_blend": "auto", "init": "auto"},
    ),
    "what nothing changes is what it became": (
        {"strength": 0.7, "size": "original"},
        {"strength": "auto", "style_weight": 88.3, "size": 512, "scales": 3,
         "steps": [60, 40, 30], "block_size": 64, "init": "content", "pooling": "average",
         "style_layers": {"block1_conv1": 1}, "precision": "bfloat16", "device": "gpu:0",
         "weights": "random"},
        ["--seed=3", "--tv_weight=2"],
        {"strength": "auto", "style_weight": 88.3, "scales": 3, "steps": (60, 40, 30),
         "block_size": 64, "init": "content", "pooling": "average", "seed": 3,
         "style_layers": {"block1_conv1": 1}, "precision": "bfloat16", "device": "gpu:0",
         "weights": "random", "tv_weight": 2},
    ),
    # Phase has shallow layers of its own.
    "layers are found anew for another style loss": (
        {"strength": 0.7},
        {"strength": "auto", "style_weight": 88.3, "style_layers": {"block5_conv1": 1}},
        ["--style_loss=phase"],
        {"strength": 0.7, "style_weight": "auto", "style_layers": "auto"},
    ),
}


def beneath(record, *arguments):
    """The settings with a record beneath these flags, and those of the next record."""
    Path("x.json").write_text(json.dumps(record))
    Path("b.png").touch()
    line, given = Record.read("x.json").beneath(flags.parse(stylize.COMMAND, list(arguments)))
    return line.options(Settings), given


@pytest.mark.parametrize("case", WITH_NEW_VALUES)
def test_what_belongs_to_a_replaced_value_goes_with_it(case):
    given, became, arguments, expected = WITH_NEW_VALUES[case]
    whole = {**Settings().as_dict(), **given}
    settings, _ = beneath({"given": whole, "settings": {**whole, **became}}, *arguments)
    assert {name: getattr(settings, name) for name in expected} == expected


@pytest.mark.parametrize("settings, arguments, expected", [
    ({"steps": [60, 60, 40, 21]}, ["--size=64"], {"steps": "auto"}),
    ({"block_size": 64, "precision": "float16"}, ["--device=cpu"],
     {"block_size": "auto", "precision": "auto"}),
    ({"content_network": "vgg19", "content_network_weights": "imagenet"}, ["--weights=random"],
     {"content_network": "auto", "content_network_weights": "auto"}),
    ({"style_weight": 2.5, "content_weight": 3}, ["--weights=random"],
     {"style_weight": "auto", "content_weight": 3}),
    ({"steps": [3, 2], "scales": 2, "init": "noise", "style_weight": 2.5}, ["--seed=3"],
     {"steps": (3, 2), "scales": 2, "init": "noise", "style_weight": 2.5}),
])
def test_a_record_that_does_not_say_what_was_given_counts_all_as_auto(
    settings, arguments, expected
):
    """As those of older versions; what nothing changes is what it was all the same."""
    found, _ = beneath({"settings": settings}, *arguments)
    assert {name: getattr(found, name) for name in expected} == expected


def test_an_older_record_of_a_saved_model_is_read():
    """Whose layers cannot have been left to `auto`."""
    settings = {"network": "a.keras", "content_layers": {"a": 1}, "style_layers": {"b": 1}}
    found, given = beneath({"settings": settings}, "--size=64", "--network=a.keras")
    for each in (found, given):
        assert (each.network, dict(each.content_layers), dict(each.style_layers)) == (
            "a.keras", {"a": 1}, {"b": 1}
        )


LAYERS = {"content_layers": {"a": 1}, "style_layers": {"b": 1}}
FILES = {"weights": "w.h5", "content_network_weights": "w.h5", "style_network_weights": "w.h5"}
MODEL = {"network": "m.keras", "content_network": "m.keras", "style_network": "m.keras", **LAYERS}
# What was given, what that became, the flags of now, what they become, and what is told of.
PATHS = {
    "a cache": (
        {"cache_dir": "/a/b"}, {}, [], {"cache_dir": "auto"}, "--cache_dir=/a/b",
    ),
    "weights": (
        {"weights": "w.h5"}, FILES, [], dict.fromkeys(FILES, "auto"), "--weights=w.h5",
    ),
    "weights that auto stood for": (
        {}, {**FILES, "pooling": "max"}, [], {**dict.fromkeys(FILES, "auto"), "pooling": "auto"},
        "--weights=w.h5",
    ),
    "weights of a part": (
        {"style_network_weights": "w.h5"}, {"weights": "random"}, [],
        {"weights": "random", "style_network_weights": "auto"}, "--style_network_weights=w.h5",
    ),
    "a saved model": (
        {"network": "m.keras", **LAYERS}, MODEL, [],
        {"network": "auto", "content_network": "auto", **dict.fromkeys(LAYERS, "auto")},
        "--network=m.keras and its layers",
    ),
    "a saved model of a part": (
        {"style_network": "m.keras", **LAYERS}, {"content_network": "vgg19"}, [],
        {"content_network": "vgg19", "content_layers": {"a": 1}, "style_network": "auto",
         "style_layers": "auto"},
        "--style_network=m.keras and its layers",
    ),
    "several": (
        {"cache_dir": "a", "weights": "w.h5", "style_network_weights": "v.h5"}, {}, [],
        {"cache_dir": "auto", "weights": "auto", "style_network_weights": "auto"},
        "--weights=w.h5, --style_network_weights=v.h5, --cache_dir=a",
    ),
    "a start on another machine": (
        {"init": "//there/b.png"}, {}, [], {"init": "auto"}, "--init=//there/b.png",
    ),
    "a start from a network": (
        {"init": "b.keras"}, {}, [], {"init": "auto"}, "--init=b.keras",
    ),
    "a start from our network": (
        {"init": "sample:all"}, {}, [], {"init": "sample:all"}, None,
    ),
    "a start from a picture": ({"init": "b.png"}, {}, [], {"init": "b.png"}, None),
    "a file called like a word": (
        {"weights": "./random"}, {}, [], {"weights": "auto"}, "--weights=./random",
    ),
    "a cache that was not used": (
        {"cache_dir": "a"}, {"cache_dir": "auto"}, [], {"cache_dir": "auto"}, None,
    ),
    "weights given now": (
        {"weights": "w.h5"}, FILES, ["--weights=w.h5"],
        {"weights": "w.h5", "style_network_weights": "auto"}, None,
    ),
    "a saved model given now": (
        {"network": "m.keras", **LAYERS}, MODEL, ["--network=n.keras"],
        {"network": "n.keras", "content_network": "auto", **LAYERS}, None,
    ),
    "a built-in network given now": (
        {"network": "m.keras", **LAYERS}, MODEL, ["--network=vgg19", "--style_layers=c"],
        {"network": "vgg19", "content_layers": {"a": 1}, "style_layers": {"c": 1}}, None,
    ),
    "a cache given now": (
        {"cache_dir": "a"}, {}, ["--cache_dir=b"], {"cache_dir": "b"}, None,
    ),
    "weights of this environment": (
        {}, {"weights": "ours.h5"}, [], {"weights": "ours.h5"}, None,
    ),
    "words": (
        {"network": "vgg19", "weights": "imagenet", "style_network_weights": "unsupervised",
         "device": "gpu:0", "init": "noise"}, {}, [],
        {"network": "vgg19", "weights": "imagenet", "style_network_weights": "unsupervised",
         "device": "gpu:0", "init": "noise"}, None,
    ),
}


@pytest.mark.parametrize("case", PATHS)
def test_what_a_stranger_names_besides_pictures_is_left_out_and_told(case, monkeypatch, recwarn):
    given, became, arguments, expected, told = PATHS[case]
    monkeypatch.setenv("TF_STYLE_WEIGHTS", "ours.h5")
    whole = {**Settings().as_dict(), **given}
    found, again = beneath({"given": whole, "settings": {**whole, **became}}, *arguments)
    assert {name: getattr(found, name) for name in expected} == expected
    assert [str(each.message) for each in recwarn] == ([] if told is None else [
        "x.json names files or folders besides its pictures, which count only if you give them "
        f"yourself: {told}"
    ])
    assert again.cache_dir in ("auto", "b") and "w.h5" not in again.style_network_weights


def test_the_next_record_has_given_what_all_flags_together_gave():
    given = {**Settings().as_dict(), "strength": 0.7, "steps": [3, 2], "offline": True}
    settings = {**given, "strength": "auto", "style_weight": 88.3, "scales": 2}
    _, found = beneath({"given": given, "settings": settings}, "--seed=3")
    assert found == Settings(strength=0.7, steps=(3, 2), seed=3)
    _, found = beneath({"given": given, "settings": settings}, "--style_weight=3", "--scales=1")
    assert found == Settings(style_weight=3, scales=1)


def test_a_chain_of_records_keeps_what_was_left_open():
    assert call(cli.main, *ONE[:3], *(flag for flag in ONE[3:] if "steps" not in flag),
                "--steps=1", "--strength=0.7") == 0
    assert call(cli.main, "--settings_from=a.png", "--output=b.png", "--seed=3", "--quiet") == 0
    first, second = note("a.png"), note("b.png")
    assert second["given"] == {**first["given"], "seed": 3}
    assert second["given"]["style_weight"] == second["given"]["init"] == "auto"
    assert second["settings"]["style_weight"] == first["settings"]["style_weight"] > 14
    assert call(cli.main, "none", "style.png", "c.png", "--settings_from=b.png", "--quiet") == 0
    assert note("c.png")["settings"]["init"] == "noise"


@pytest.mark.parametrize("given, became, expected", [
    # What came later has no effect with a network that paints.
    ({"model": "sample:waves"}, {"model": "sample:waves"}, {"style_places": "auto"}),
    # Before places were weighed, they all counted, and VGG16's pictures had two regions.
    ({}, {"style_regions": 2}, {"style_places": "all", "style_regions": 2}),
])
def test_options_that_came_later_do_what_was_done_before(given, became, expected):
    before = {**Settings().as_dict(), **given}
    del before["style_places"]
    found, _ = beneath({"given": before, "settings": {**before, **became}})
    assert {name: getattr(found, name) for name in expected} == expected


def test_regions_that_were_found_are_found_anew_without_deep_layers():
    given = Settings().as_dict()
    record = {"given": given, "settings": {**given, "style_regions": 2}}
    found, _ = beneath(record, "--large_forms=0")
    assert found.style_regions == "auto"


@pytest.mark.parametrize("source", ["made_by_195f233.png", "made_by_195f233.json"])
def test_what_version_195f233_wrote_is_run_again(source):
    assert call(cli.main, f"--settings_from={DATA / source}", "--output=a.png", "--quiet") == 0
    then = json.loads((DATA / "made_by_195f233.json").read_text())
    now = note("a.png")
    # An option that came later has its default, or what runs did before there was one.
    assert now["settings"] == {"max_pixels": MAX_PIXELS, "large_forms": "auto", "model": None,
                               "temporal_weight": 1000.0, "content_loss": "squared",
                               "threads": machine.cores(), "style_regions": 1,
                               "style_places": "all",
                               **then["settings"]}
    for name in ("content", "style", "content_mask", "style_mask", "digests", "weights", "bits"):
        assert now[name] == then[name]
    assert now["protect"] is None
    difference = read_picture("a.png") - read_picture(DATA / "made_by_195f233.png")
    assert np.abs(difference).max() < 1.5 / 255


def test_a_saved_model_is_run_again_if_it_is_given_again(capfd):
    feature_model(["block1_conv1", "block1_conv2"], "random").save("model.keras")
    arguments = [flag for flag in ONE if "weights" not in flag]
    assert call(cli.main, *arguments, "--network=model.keras") == 0
    assert call(cli.main, "--settings_from=a.png", "--network=model.keras", "--output=b.png",
                "--quiet") == 0
    assert (read_picture("a.png") == read_picture("b.png")).all()
    assert capfd.readouterr().err == ""
    Path("model.keras").unlink()
    assert call(cli.main, "--settings_from=a.png", "--weights=random", "--output=c.png") == 0
    assert capfd.readouterr().err.startswith(
        "tf_style: a.png names files or folders besides its pictures, which count only if you "
        "give them yourself: --network=model.keras and its layers\n"
    )
    assert note("c.png")["settings"]["network"] == "vgg16"


def test_a_strangers_cache_is_neither_made_nor_emptied(folder):
    assert call(cli.main, *ONE, "--report=a.json") == 0
    report = json.loads((folder / "a.json").read_text())
    (folder / "mine").mkdir()
    entry = folder / "mine" / f"{'0' * 32}.h5"
    entry.write_text("mine")
    for cache in ("mine", "theirs"):
        report["settings"] |= {"cache_dir": cache, "weights": "unsupervised"}
        (folder / "a.json").write_text(json.dumps(report))
        assert call(cli.main, "--settings_from=a.json", "--output=b.png", "--quiet") == 0
    assert list((folder / "mine").iterdir()) == [entry] and not (folder / "theirs").exists()


def test_the_compact_network_is_the_same_again(capfd):
    arguments = [flag for flag in ONE if "weights" not in flag]
    assert call(cli.main, *arguments, "--network=compact") == 0
    assert call(cli.main, "--settings_from=a.png", "--output=b.png", "--quiet") == 0
    assert (read_picture("a.png") == read_picture("b.png")).all()
    assert note("b.png")["settings"]["weights"] == "included"
    assert call(cli.main, "--settings_from=a.png", "--output=c.png", "--quiet", "--network=vgg16",
                "--weights=random") == 0
    assert note("c.png")["settings"]["network"] == "vgg16"
    assert capfd.readouterr().err == ""


def test_what_auto_stood_for_is_repeated(no_network, capfd):
    arguments = [flag for flag in ONE if "weights" not in flag]
    assert call(cli.main, *arguments) == 0
    assert call(cli.main, "--settings_from=a.png", "--output=b.png", "--weights=random",
                "--quiet") == 0
    assert note("b.png")["settings"]["network"] == "vgg16"
    assert call(cli.main, "--settings_from=b.png", "--output=c.png", "--weights=included",
                "--quiet") == 0
    assert note("c.png")["settings"]["network"] == "compact"
    assert (read_picture("a.png") == read_picture("c.png")).all()
    assert capfd.readouterr().err == ""


def test_an_older_picture_is_one_of_vgg16():
    record = Record.read(str(DATA / "made_by_195f233.png"))
    assert record.given.network == record.settings.network == "vgg16"


def test_whether_to_fetch_is_not_repeated(folder):
    assert call(cli.main, *ONE, "--offline") == 0
    assert note("a.png")["settings"]["offline"]
    assert call(cli.main, "--settings_from=a.png", "--output=b.png", "--quiet") == 0
    assert not note("b.png")["settings"]["offline"]


def test_without_output_a_new_name_and_inputs_are_kept(folder, capfd):
    assert call(cli.main, *ONE) == 0
    before = files_in(folder)
    assert call(cli.main, "--settings_from=a.png", "--output=a.png") == 2
    assert "--output=a.png: this would replace an input" in capfd.readouterr().err
    assert call(cli.main, "--settings_from=a.png") == 0
    assert capfd.readouterr().out == "content_style.png\n"
    after = files_in(folder)
    assert all(after[name] == before[name] for name in before)


def test_what_has_changed_is_said(folder, capfd):
    vgg16 = ARCHITECTURES["vgg16"]
    layers = vgg16.up_to(["block1_conv2"])
    write_kernels("w.h5", load(vgg16, layers, "random", seed=1).kernels)
    assert call(cli.main, *ONE, "--weights=w.h5",
                "--report=a.json") == 0
    assert capfd.readouterr().err == ""
    shutil.copy("other.png", "style.png")
    write_kernels("w.h5", load(vgg16, layers, "random", seed=2).kernels)
    report = json.loads((folder / "a.json").read_text())
    report["versions"]["numpy"] = "0.9"
    (folder / "a.json").write_text(json.dumps(report))
    again = ["--settings_from=a.json", "--weights=w.h5", "--output=b.png"]
    assert call(cli.main, *again, "--quiet") == 0
    assert capfd.readouterr().err == ""
    assert call(cli.main, *again) == 0
    lines = [line for line in capfd.readouterr().err.splitlines() if "made" in line]
    assert lines[0] == "tf_style: style.png has changed since a.json was made from it"
    assert lines[1].startswith("tf_style: a.json was made with numpy 0.9 (here ")
    assert lines[2] == ("tf_style: the weights of block1_conv1, block1_conv2 have changed since "
                        "a.json was made with them")
    assert len(lines) == 3
    # Other pictures and weights, named by flags, are not those of then that have changed.
    assert call(cli.main, "content.png", "other.png", "c.png", "--settings_from=a.png",
                "--weights=random", "--quiet") == 0
    assert capfd.readouterr().err == ""


def test_a_run_that_was_stopped_is_said_to_be_unlike(folder, capfd):
    assert call(cli.main, *ONE, "--time_limit=0.001", "--report=a.json") == 0
    for source in ("a.png", "a.json"):
        assert call(cli.main, f"--settings_from={source}", "--output=b.png") == 0
        assert (f"tf_style: {source} was stopped before its end, and all steps are taken now: "
                "pixels differ\n") in capfd.readouterr().err
    assert call(cli.main, "--settings_from=b.png", "--output=c.png") == 0
    assert "pixels differ" not in capfd.readouterr().err


def test_a_run_with_more_steps_than_it_began_with_is_said_to_be_unlike(capfd):
    assert call(cli.main, *ONE, "--checkpoint=kept", "--time_limit=0.001") == 0
    assert call(cli.main, *ONE, "--checkpoint=kept", "--resume", "--steps=3,4") == 0
    assert call(cli.main, "--settings_from=a.png", "--output=b.png") == 0
    assert "a.png went on with more steps than it began with: pixels differ" in (
        capfd.readouterr().err)


def test_the_size_of_the_content_is_that_of_the_content_now(folder):
    Image.open("content.png").resize((40, 56)).save("tall.png")
    assert call(cli.main, *ONE, "--size=original") == 0
    assert call(cli.main, "--settings_from=a.png", "--content=tall.png", "--output=b.png",
                "--quiet") == 0
    assert Image.open("b.png").size == (40, 56)


def test_an_optimised_picture_is_painted_by_a_network(folder):
    assert call(cli.main, *ONE, "--protect=left.png") == 0
    assert call(cli.main, "--settings_from=a.png", "--model=sample:waves", "--output=b.png",
                "--quiet") == 0
    assert Image.open("b.png").size == (32, 24)
    assert note("b.png")["settings"]["model"] == "sample:waves"


def test_a_copy_elsewhere_asks_for_the_pictures(folder, monkeypatch, capfd):
    assert call(cli.main, *ONE) == 0
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    assert call(cli.main, "--settings_from=../a.png") == 2
    assert capfd.readouterr().err == (
        "tf_style: --settings_from=../a.png: content.png: there is no such file here. Give "
        "--content=FILE, or run it in the folder where it was made\n"
    )
    assert call(cli.main, "--settings_from=../a.png", "--content=../content.png",
                "--style=../style.png", "--quiet", "--output=b.png") == 0
    assert (read_picture("b.png") == read_picture("../a.png")).all()


def test_arrays_are_known_by_their_digests(content, style, capfd):
    settings = dict(flag[2:].split("=") for flag in TINY)
    tf_style.stylize(content, "style.png", **settings).save("a.png")
    found = note("a.png")
    assert found["content"] == "array:" + found["digests"][found["content"]]
    assert call(cli.main, "--settings_from=a.png") == 2
    assert "the content was an array, not a file. Give --content=FILE" in capfd.readouterr().err


def test_digests_are_of_file_bytes_and_of_pixels(folder, content):
    before = Inputs.of("content.png", ["sample:waves", folder / "style.png"]).digests
    assert list(before) == ["content.png", "sample:waves", str(folder / "style.png")]
    with open("content.png", "ab") as file:
        file.write(b"\0")
    after = Inputs.of("content.png", ["sample:waves", folder / "style.png"]).digests
    assert {name for name in before if before[name] != after[name]} == {"content.png"}
    assert Inputs.of(content, [content + 0]).digests == Inputs.of(content * 1, [content]).digests


def saved_with(**settings):
    def save():
        write_picture("x.png", np.zeros((8, 8, 3)), json.dumps(
            {"settings": settings, "versions": {"tf_style": "9.9"}}
        ))
    return save


def text(content):
    def save():
        with open("x.png", "w") as file:
            file.write(content)
    return save


def recorded(content, **record):
    return text(json.dumps({"settings": {}, "content": content, "style": ["style.png"], **record}))


@pytest.mark.parametrize("make, message", [
    (lambda: None, "--settings_from=x.png: there is no such file"),
    (lambda: Image.new("RGB", (8, 8)).save("x.png"), "x.png: it holds no settings"),
    (lambda: Image.new("RGB", (8, 8)).save("x.png", format="JPEG"), "this is not complete JSON"),
    (text(""), "it holds no settings"),
    (text('{"settings": {"size": 3'), "this is not complete JSON"),
    (text("[" * 100_000), "this is not complete JSON"),
    (text("[1, 2]"), "it holds no settings"),
    (text('{"settings": {}, "style": "style.png"}'), "expected file names in 'style'"),
    (text('{"settings": {}, "content": 3}'), "expected file names in 'content'"),
    (text('{"settings": {}}'), "--content: expected a picture"),
    (text('{"settings": {}, "given": {"size": -1}}'), "its settings cannot be used (--size:"),
    (text('{"settings": {}, "given": {"glow": 1}}'), "whose settings glow are not known here"),
    (text('{"settings": {}, "given": 3}'), "it holds no settings"),
    (text('{"settings": {}, "given": {"steps": 1%s}}' % ("0" * 400)), "settings cannot be used"),
    (text('{"settings": {}, "given": {"size": 1%s}}' % ("0" * 400)), "settings cannot be used"),
    (text('{"settings": {}, "given": {"tv_weight": 1%s}}' % ("0" * 400)), "cannot be used"),
    (text('{"settings": {"seed": 1%s}}' % ("0" * 5000)), "this is not complete JSON"),
    (text("[" * 9 + " " * 10_000_000), "this is larger than a report"),
    (text(json.dumps({"settings": {}, "style": ["style.png"] * 101})), "at most 100 files"),
    (recorded("."), ".: this is a folder. Give --content=FILE"),
    (recorded("*.png"), "*.png: there is no such file here. Give --content=FILE"),
    (recorded("a\0b"), "no file can have such a name"),
    (recorded("a\x1b[31m"), "a\\x1b[31m: there is no such file here"),
    (recorded("a" * 100_000), "aaa…: it cannot be read"),
    (recorded("sample:../a"), "there is no such sample"),
    (recorded("\\\\there\\a.png"), "on another machine. Give --content=FILE"),
    (recorded("//there/a.png"), "on another machine. Give --content=FILE"),
    (recorded("content.png", style=["style.png", "//there/b.png"]), "Give --style=FILE"),
    (recorded("content.png", settings={"init": "none.png"}), "Give --init=FILE"),
    (saved_with(hue=3, glow=1), "made by tf_style 9.9, whose settings glow, hue are not known"),
    (saved_with(size=-1), "its settings cannot be used (--size: expected"),
    (saved_with(style_layers=3), "its settings cannot be used"),
    (saved_with(steps={}), "its settings cannot be used"),
])
def test_what_cannot_be_run_again_is_one_line(make, message, refused):
    make()
    assert message in refused(cli.main, "--settings_from=x.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")
@pytest.mark.parametrize("record", [
    {"content": "pipe"}, {"content_mask": ["pipe"]}, {"protect": "pipe"},
    {"settings": {"init": "pipe"}}, None,
])
def test_a_pipe_is_never_waited_for(record, refused):
    os.mkfifo("pipe")
    recorded(**{"content": "content.png", **(record or {})})()
    source = "pipe" if record is None else "x.png"
    assert "this is a pipe or a device" in refused(cli.main, f"--settings_from={source}")


def test_a_device_that_is_not_here_is_named(folder, capfd):
    assert call(cli.main, *ONE, "--report=a.json") == 0
    report = json.loads((folder / "a.json").read_text())
    report["settings"]["device"] = "gpu:7"
    (folder / "a.json").write_text(json.dumps(report))
    assert call(cli.main, "--settings_from=a.json", "--output=b.png") == 2
    assert "--device=gpu:7: TensorFlow sees" in capfd.readouterr().err
    assert call(cli.main, "--settings_from=a.json", "--output=b.png", "--device=cpu",
                "--quiet") == 0


# What a saved picture holds


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tiff"])
def test_nothing_private_is_copied(name, folder):
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[1] = "SecretPlace"
    photo = Image.open("content.png")
    photo.save("photo.jpg", exif=exif, comment=b"SecretWords")
    assert b"SecretPlace" in (folder / "photo.jpg").read_bytes()
    assert call(cli.main, "photo.jpg", "style.png", name, *TINY, "--animate=f.webp") == 0
    for made in (name, "f.webp"):
        assert b"Secret" not in (folder / made).read_bytes()
        with Image.open(made) as image:
            assert not image.getexif().get_ifd(0x8825)
            assert "SecretCamera" not in str(dict(image.getexif()))


def test_embedded_settings_can_be_left_out(folder):
    assert call(cli.main, *ONE, "--noembed_settings") == 0
    assert read_note("a.png") is None
    assert b"content.png" not in (folder / "a.png").read_bytes()


def test_damage_is_seen_before_tensorflow_is_imported(folder):
    (folder / "x.json").write_text("{")
    assert without_tensorflow(cli.main, "--settings_from=x.json") == 2


def test_no_setting_lets_a_record_choose_a_file():
    """Every one that can name a file is left out, but for a picture that the run starts from."""
    files = {option.name for option in Settings.options() if isinstance(option.type, File)}
    assert files - {"init"} == {*_WORDS}


def test_large_forms_are_found_anew_with_the_layers(monkeypatch):
    """They show in the layers' weights; other weights have layers of their own."""
    record = Record(
        "a.png", Settings(large_forms=0.6), Settings(style_layers="block4_conv1"), {}, 8, {}, {},
        {}, {"given": {}, "settings": {}},
    )
    assert record._recorded(set())["style_layers"] == {"block4_conv1": 1.0}
    assert record._recorded(set())["large_forms"] == "auto"
    anew = record._recorded({"weights"})
    assert (anew["style_layers"], anew["large_forms"]) == ("auto", 0.6)
