"""The options that the page offers are those of a run, and take no path from it."""

import json

import pytest

from tf_style.settings import InputError, Settings
from tf_style.settings.option import File
from tf_style.settings.presets import preset_values, presets
from tf_style.studio import form


def test_every_option_of_a_run_is_offered_but_those_of_the_machine():
    names = {each["name"] for each in form.form()}
    assert {each.name for each in Settings.options()} - names == {
        "device", "threads", "max_memory", "max_pixels", "cache_dir", "offline", "temporal_weight"}
    assert {*form.FIRST} <= names


def test_the_form_is_plain_and_says_what_values_are():
    fields = {each["name"]: each for each in json.loads(json.dumps(form.form()))}
    kinds = {each["kind"] for each in fields.values()}
    assert kinds == {"number", "whole", "switch", "word", "size", "text", "weights"}
    assert fields["strength"] | {"kind": "number", "minimum": 0, "maximum": 1, "default": "auto",
                                 "words": ["auto"], "group": "picture"} == fields["strength"]
    assert fields["style_scale"]["kind"] == "text" and fields["seed"]["kind"] == "whole"
    assert fields["preserve_color"]["words"] == ["none", "luminance", "statistics", "histogram"]
    assert "moments" in fields["style_loss"]["words"]
    assert fields["model"]["default"] is None and "sample:waves" in fields["model"]["words"]
    assert {each["group"] for each in fields.values()} == {"picture", "loss", "networks", "steps"}


def test_defaults_of_the_form_are_the_defaults_of_a_run():
    given = {each["name"]: each["default"] for each in form.form()}
    assert form.checked(given) == Settings()


@pytest.mark.parametrize("option", [each for each in form.offered()
                                    if isinstance(each.type, File)], ids=lambda each: each.name)
@pytest.mark.parametrize("value", ["/etc/passwd", "~/weights.h5", "../x.keras", ["vgg16"], 3])
def test_no_option_takes_a_path(option, value):
    with pytest.raises(InputError, match=rf"^{option.name}: expected one of") as raised:
        form.checked({option.name: value})
    assert raised.value.flags.startswith(f"--{option.name}: ")


@pytest.mark.parametrize("options", [
    {"cache_dir": "/tmp"}, {"offline": False}, {"device": "cpu"}, {"nothing": 1},
    {"size": [[1], 2]}, {"steps": {"a": 1}}, {"strength": "9" * 5000}, {"style_layers": {"": {}}},
])
def test_what_cannot_be_used_is_refused(options):
    with pytest.raises(InputError):
        form.checked(options)


@pytest.mark.parametrize("name", presets())
def test_presets_can_be_chosen(name):
    assert form.checked(form.preset(name), offline=True) == Settings(
        **preset_values(name), offline=True)


def test_numbers_of_presets_are_numbers_to_the_page():
    assert form.preset("poster") == {"size": 4096, "scales": 6, "steps": "100,80,60,40,15,8"}
