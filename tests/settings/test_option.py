"""Types of options: how values are written, and what is refused."""

import dataclasses
import os
import pickle

import pytest

from tf_style.settings.option import (
    Bytes,
    Duration,
    File,
    Files,
    InputError,
    Note,
    Number,
    Numbers,
    Options,
    Remark,
    Switch,
    Text,
    Texts,
    Weights,
    Word,
    option,
    whole,
    with_flags,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Common(Options):
    quiet: bool = option(Switch(), False, "print nothing")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Own(Common):
    size: int | str = option(whole(8, 64), "auto", "how large")
    file: str | None = option(Text("FILE"), None, "which file")

    def check_conflicts(self):
        if self.file == "no" and self.size != "auto":
            raise InputError("--file and --size: choose one of them")


def test_own_options_come_before_those_of_every_command():
    assert [each.name for each in Own.options()] == ["size", "file", "quiet"]
    assert Own.option("size").default == "auto"


def test_values_are_parsed_and_defaults_stay():
    own = Own(size="12")
    assert (own.size, own.file, own.quiet) == (12, None, False)
    assert Own().size == "auto" and Own(size="auto").size == "auto"
    with pytest.raises(InputError, match=r"size: expected a whole number, at most 64. Received"):
        Own(size="65")
    with pytest.raises(InputError, match="choose one of them"):
        Own(size=8, file="no")


def test_auto_is_a_word_where_it_is_the_default_alone():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Other(Options):
        size: int = option(whole(8), 9, "how large")

    with pytest.raises(InputError, match=r"size: expected a whole number. Received: 'auto'"):
        Other(size="auto")


@pytest.mark.parametrize("kind, given, value", [
    (Number(0, 1), "0.5", 0.5), (Number(), 3, 3.0), (whole(), "3", 3), (whole(), 3.0, 3),
    (Numbers(whole(1)), "3,2", (3, 2)), (Numbers(Number()), 5, (5.0,)), (Texts(), "a", ("a",)),
    (Texts(), ["a", "b"], ("a", "b")), (Word(("a", "b")), "b", "b"), (Text(), 3, "3"),
    (Weights("layer"), "a:2, b", {"a": 2.0, "b": 1.0}), (Weights("layer"), {"a": 2}, {"a": 2.0}),
    (Duration(), "30", 30.0), (Duration(), "5m", 300.0), (Duration(), "1h", 3600.0),
    (Bytes(), "5GB", 5e9), (Bytes(), "0.5m", 5e5), (Bytes(), "2000", 2000.0),
    (Duration(), 0.5, 0.5), (Switch(), True, True), (File(), "sample:a", "sample:a"),
    (File(), "no/a*.png", "no/a*.png"), (File(), "a~.png", "a~.png"), (Files(), "a", ("a",)),
])
def test_values_of_each_type(kind, given, value):
    assert kind.parse("x", given) == value


@pytest.mark.parametrize("kind, given, message", [
    (Number(0, 1), 1.5, "a number, at most 1. Received: 1.5"),
    (Number(above=0), 0, "a number above 0. Received: 0"),
    (whole(1), 0, "a whole number, at least 1. Received: 0"),
    (whole(), 2.5, "a whole number. Received: 2.5"), (whole(), True, "a whole number"),
    (Number(), "inf", "a number. Received: 'inf'"), (Number(), None, "a number"),
    (Numbers(whole(1), most=2), "1,2,3", "at most 2 numbers. Received: 3"),
    (Numbers(whole(1)), "1,", "a whole number. Received: ''"),
    (Word(("a", "b")), "c", "one of a, b. Received: 'c'"),
    (Weights("layer"), "", "at least one layer"), (Weights("layer"), "a,a", "'a' is named twice"),
    (Weights("loss", ("gram",)), "gramm", "some of gram. Received: 'gramm'"),
    (Weights("layer"), "a:0", "a weight above 0 after 'a:'"),
    (Duration(), "3d", "a time above 0, such as 30s"), (Duration(), "0", "a time above 0"),
    (Bytes(), "0", "an amount above 0, such as 500MB"), (Bytes(), "5 cats", "an amount above 0"),
    (Bytes(), "9" * 400, "an amount above 0"), (Bytes(), "nan", "an amount above 0"),
    (Duration(), "s", "a time above 0"), (Switch(), "yes", "true or false. Received: 'yes'"),
])
def test_what_is_refused(kind, given, message):
    with pytest.raises(InputError) as error:
        kind.parse("x", given)
    assert str(error.value).startswith("x: ") and message in str(error.value)


@pytest.mark.parametrize("given, found", [
    ("~", ""), ("~/a.png", "/a.png"), ("~/a/*.png", "/a/*.png"), ("~nobody-has-this-name/a", None),
    ("./~/a.png", None), ("a~", None), ("~a.png", None),
])
def test_a_file_may_be_in_the_home_folder(given, found, tmp_path, monkeypatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    expected = given if found is None else f"{tmp_path}{found}"
    assert File().parse("x", given) == expected
    assert Files().parse("x", [given, "b"]) == (expected, "b")


@pytest.mark.parametrize("name, message", [
    ("a\0b", "x='a\\x00b': no file can have such a name"),
    ("a" * 5000, "cannot be used (File name too long)"),
    ("漢" * 300, "cannot be used (File name too long)"),
    ("a/" * 3000, "cannot be used (File name too long)"),
])
@pytest.mark.skipif(os.name == "nt", reason="Windows has other limits")
def test_names_that_no_file_can_have(name, message):
    for kind in (File(), Files()):
        with pytest.raises(InputError) as error:
            kind.parse("x", name)
        assert message in str(error.value)


MANY = "9" * 400


@pytest.mark.parametrize("kind", [
    Number(), Number(0, 1), Number(above=0), whole(0), whole(1, 9), Numbers(Number()),
    Numbers(whole(1)), Weights("layer"), Duration(), Word(("8", "16")),
], ids=lambda kind: type(kind).__name__)
@pytest.mark.parametrize("text", [
    MANY, "-" + MANY, MANY + "." + MANY, MANY * 20, "1e" + MANY, "٣" * 400, "1_0" * 200,
])
def test_numbers_of_many_digits_are_refused(kind, text):
    if isinstance(kind, Weights):
        text = f"a:{text}"
    with pytest.raises(InputError, match="x: expected "):
        kind.parse("x", text)


@pytest.mark.parametrize("kind, value", [
    (Number(), 10**400), (whole(), 10**400), (whole(1, 9), -10**400),
    (Weights("layer"), {"a": 10**400}), (Duration(), 10**400),
])
def test_so_are_they_from_python(kind, value):
    with pytest.raises(InputError, match="x: expected "):
        kind.parse("x", value)


@pytest.mark.parametrize("flags, arguments", [
    ("--size=64x48: expected the long side, or --content=none",
     "size=64x48: expected the long side, or content=None"),
    ("--content_mask: expected a mask; see --preserve_color=none",
     "content_masks: expected a mask; see preserve_color=none"),
    ("--layers: no such layer. All layers: tf_style --list_layers --network=vgg19",
     "layers: no such layer. All layers: tf_style --list_layers --network=vgg19"),
    ("my--file.png: '--size' is no picture", "my--file.png: '--size' is no picture"),
])
@pytest.mark.parametrize("kind", [InputError, Remark, Note])
def test_what_is_said_names_arguments_in_python_and_flags_on_the_command_line(
    flags, arguments, kind
):
    error = kind(flags)
    assert (str(error), error.flags) == (arguments, flags)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.flags) == (arguments, flags)
    if kind is not InputError:
        assert with_flags(again) == flags == with_flags(UserWarning(flags))
