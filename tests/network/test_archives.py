"""Saved Keras models from anywhere."""

import io
import json
import struct
import time
import zipfile

import h5py
import keras
import numpy as np
import pytest

from tf_style.network.archives import read_config
from tf_style.network.models import load_model
from tf_style.settings import InputError


def model(name="first", filters=4):
    picture = keras.Input((None, None, 3))
    maps = keras.layers.Conv2D(filters, 3, activation="relu", name=name)(picture)
    maps = keras.layers.BatchNormalization()(keras.ops.relu(maps) + 1.0)
    return keras.Model(picture, maps)


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "a.keras"
    model().save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path, members, kind=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", kind) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def with_config(change):
    """An archive whose configuration was changed."""
    def make(path, members):
        config = json.loads(members["config.json"])
        changed = change(config)
        text = json.dumps(config if changed is None else changed)
        packed(path, {**members, "config.json": text})
    return make


def with_layer(**changes):
    """An archive with another first layer."""
    return with_config(lambda config: config["config"]["layers"][1].update(changes))


def with_options(**changes):
    return with_config(lambda config: config["config"]["layers"][1]["config"].update(changes))


def with_weights(change):
    def make(path, members):
        content = io.BytesIO(members["model.weights.h5"])
        with h5py.File(content, "r+") as file:
            change(file)
        packed(path, {**members, "model.weights.h5": content.getvalue()})
    return make


def with_members(kind=zipfile.ZIP_STORED, **others):
    def make(path, members):
        packed(path, {**members, **{name.replace("__", "."): content
                                    for name, content in others.items()}}, kind)
    return make


def lying(path, members):
    """The configuration is larger than the archive says."""
    packed(path, {**members, "config.json": b" " * 30_000_000}, zipfile.ZIP_DEFLATED)
    content = path.read_bytes()
    path.write_bytes(content.replace(struct.pack("<L", 30_000_000), struct.pack("<L", 1000)))


def twice(path, members):
    packed(path, members)
    with pytest.warns(UserWarning), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", "{}")


def crowded(path, members):
    packed(path, members)
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(2000):
            archive.writestr(f"assets/{number}", "")


def function(module, name, kind="function"):
    return {"module": module, "class_name": kind, "config": name, "registered_name": kind}


BAD = {
    "no archive": (lambda path, _: path.write_text("no model"), "this is no Keras archive"),
    "nothing": (lambda path, _: path.write_bytes(b""), "this is no Keras archive"),
    "an empty archive": (lambda path, _: packed(path, {}), "the archive holds nothing"),
    "the configuration is a bomb": (
        with_members(zipfile.ZIP_DEFLATED, config__json=b" " * 300_000_000),
        "config.json expands to 300000000 bytes, expected at most 8000000"),
    "the metadata are a bomb": (
        with_members(zipfile.ZIP_DEFLATED, metadata__json=b" " * 300_000_000), "metadata.json"),
    "the weights are a bomb": (
        with_members(zipfile.ZIP_DEFLATED, model__weights__h5=b" " * 300_000_000),
        "model.weights.h5 expands to 300000000 bytes, far more than the"),
    "it lies about sizes": (lying, ""),
    "packed in a way without limits": (with_members(zipfile.ZIP_LZMA), "in another way than Keras"),
    "other files": (with_members(readme="x"), "the archive holds "),
    "a path that leads out": (with_members(**{"../../x": "x"}), "the archive holds "),
    "a member twice": (twice, "the archive holds "),
    "thousands of members": (crowded, "the archive holds too many files"),
    "deep JSON": (with_members(config__json="[" * 100_000), ""),
    "a list": (with_members(config__json="[]"), "its configuration is not that of a model"),
    "code": (with_layer(class_name="Lambda"), "it holds a Lambda, which may run code"),
    "code as an activation": (
        with_options(activation={"class_name": "__lambda__", "config": {"value": "x"}}),
        "it holds a __lambda__"),
    "another model's folder": (
        with_layer(class_name="TFSMLayer", config={"filepath": "/a"}), "it holds a TFSMLayer"),
    "a vocabulary in a file": (
        with_layer(class_name="StringLookup", config={"vocabulary": "/a"}), "holds a StringLookup"),
    "a module of Python's": (
        with_layer(module="os", class_name="system"), "it names system of os, which is no part"),
    "a helper of Keras'": (
        with_options(activation=function("keras.utils", "get_file")), "function of keras.utils"),
    "its helper as a class": (
        with_layer(module="keras.src.utils.file_utils", class_name="get_file"), "get_file of "),
    "a module with a name like Keras'": (with_layer(module="keras_layers"), "of keras_layers"),
    "a built-in function": (
        with_options(activation=function("builtins", "exec")), "it names function of builtins"),
    "a built-in class": (with_layer(module="builtins"), "it names Conv2D of builtins"),
    "a module that is no text": (with_layer(module=["os"]), "it names Conv2D of"),
    "more filters than weights": (with_options(filters=10**9), ""),
    "kernels larger than its weights": (with_options(kernel_size=[3000, 3000]), "its layers have"),
    "a link in its weights": (
        with_weights(lambda file: file.__setitem__("x", h5py.ExternalLink("pipe", "/"))),
        "'x' in '/' is a link"),
    "values in another file": (
        with_weights(lambda file: file.create_dataset(
            "x", (3,), "f4", external=[("/dev/zero", 0, 12)])), "lie in another file"),
    "weights without values": (
        with_weights(lambda file: file.create_dataset("x", (10**6, 10**6), chunks=(99, 99))),
        "far more than the"),
    "weights that are none": (with_members(model__weights__h5=b"x"), ""),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_not_safe_to_load_is_refused_at_once(case, members, tmp_path):
    make, message = BAD[case]
    make(tmp_path / "a.keras", members)
    began = time.perf_counter()
    with pytest.raises(InputError) as error:
        load_model(tmp_path / "a.keras")
    assert message in str(error.value) and "\n" not in str(error.value)
    assert str(error.value).startswith(f"network={tmp_path / 'a.keras'}: ")
    assert time.perf_counter() - began < 5


def own_loss(truth, found):
    return 0.0


def test_what_keras_saves_is_loaded(tmp_path):
    for number, name in enumerate(["first", "a b", "a\x1b[31mRED\x07\nx", "Größe: 3"]):
        made = model(name)
        made.compile(loss=own_loss)
        path = tmp_path / f"{number}.keras"
        made.save(path)
        _, values = read_config(path)
        assert values >= made.count_params()
        loaded = load_model(path)
        assert [layer.name for layer in loaded.layers] == [layer.name for layer in made.layers]
        for found, expected in zip(loaded.get_weights(), made.get_weights(), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_an_archive_that_was_packed_again_is_loaded(members, tmp_path):
    packed(tmp_path / "a.keras", members, zipfile.ZIP_DEFLATED)
    assert len(load_model(tmp_path / "a.keras").get_weights()) == 6


class Doubled(keras.layers.Layer):
    def call(self, maps):
        return 2 * maps


def test_a_class_that_was_registered_is_loaded(tmp_path):
    picture = keras.Input((8, 8, 3))
    keras.Model(picture, Doubled()(picture)).save(tmp_path / "a.keras")
    with pytest.raises(InputError, match="it names Doubled of"):
        load_model(tmp_path / "a.keras")
    with keras.saving.custom_object_scope({"Doubled": Doubled}):
        assert isinstance(load_model(tmp_path / "a.keras").layers[1], Doubled)


def older(change=lambda file, config: None):
    def make(path):
        picture = keras.Input((8, 8, 3))
        keras.Model(picture, keras.layers.Conv2D(4, 3, name="first")(picture)).save(path)
        with h5py.File(path, "r+") as file:
            config = json.loads(file.attrs["model_config"])
            change(file, config)
            file.attrs["model_config"] = json.dumps(config)
    return make


OLDER = {
    "code": (
        older(lambda _, config: config["config"]["layers"][1].update(class_name="Lambda")),
        "it holds a Lambda"),
    "more filters than weights": (
        older(lambda _, config: config["config"]["layers"][1]["config"].update(filters=10**9)), ""),
    "a link": (
        older(lambda file, _: file.__setitem__("x", h5py.ExternalLink("pipe", "/"))), "is a link"),
    "weights alone": (lambda path: h5py.File(path, "w").close(), ""),
}


@pytest.mark.parametrize("case", OLDER)
def test_older_files_are_checked_likewise(case, tmp_path):
    make, message = OLDER[case]
    make(tmp_path / "a.h5")
    with pytest.raises(InputError) as error:
        load_model(tmp_path / "a.h5")
    assert message in str(error.value) and "\n" not in str(error.value)


def test_older_files_are_loaded(tmp_path):
    older()(tmp_path / "a.h5")
    assert [layer.name for layer in load_model(tmp_path / "a.h5").layers][1:] == ["first"]
