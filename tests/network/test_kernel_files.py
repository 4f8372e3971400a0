import os
import re

import h5py
import keras
import numpy as np
import pytest

from tests.network.conftest import LAYERS, VGG16, assert_same
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.kernel_files import (
    LEARNED,
    digests,
    lacking,
    read_kernels,
    read_notes,
    read_origin,
    write_kernels,
)
from tf_style.network.weights import load
from tf_style.settings import InputError

CONVOLUTIONS = [layer for layer in LAYERS if not layer.pooling]


def test_notop_file_is_read_by_name(tmp_path, kernels):
    path = tmp_path / "a.h5"
    write_kernels(path, dict(reversed(kernels.items())))
    assert_same(read_kernels(path, VGG16, CONVOLUTIONS), kernels)


def test_what_is_written_keras_reads_by_name(tmp_path, kernels):
    path = tmp_path / "a.h5"
    write_kernels(path, kernels)
    model = keras.applications.VGG16(weights=None, include_top=False)
    model.load_weights(path, by_name=True, skip_mismatch=False)
    np.testing.assert_array_equal(
        model.get_layer("block2_conv1").get_weights()[0], kernels["block2_conv1"][0]
    )


def test_a_whole_model_h5_is_read_by_name(tmp_path):
    model = keras.applications.VGG16(weights=None, include_top=False)
    path = tmp_path / "model.h5"
    model.save(path)
    kernel, _ = read_kernels(path, VGG16, CONVOLUTIONS)["block2_conv1"]
    np.testing.assert_array_equal(kernel, model.get_layer("block2_conv1").get_weights()[0])


def test_complete_keras3_weights_are_read_in_order(tmp_path):
    model = keras.applications.VGG16(weights=None, include_top=False)
    path = tmp_path / "all.weights.h5"
    model.save_weights(path)
    found = read_kernels(path, VGG16, VGG16.convolutions)
    for name, (kernel, _) in found.items():
        np.testing.assert_array_equal(kernel, model.get_layer(name).get_weights()[0])


def test_incomplete_keras3_weights_are_refused(tmp_path):
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(64, 3)])
    path = tmp_path / "few.weights.h5"
    model.save_weights(path)
    with pytest.raises(InputError, match="must hold all 13 convolutions of VGG16"):
        read_kernels(path, VGG16, CONVOLUTIONS)


def test_a_feature_models_own_weights_are_refused(tmp_path):
    from tf_style.network.features import feature_model

    path = tmp_path / "ours.weights.h5"
    feature_model(["block1_conv1"], "random").save_weights(path)
    with pytest.raises(InputError, match="preprocessing folded in"):
        read_kernels(path, VGG16, CONVOLUTIONS)


def test_a_missing_layer_is_named_with_what_there_is(tmp_path, kernels):
    del kernels["block1_conv2"]
    path = tmp_path / "a.h5"
    write_kernels(path, kernels)
    with pytest.raises(InputError) as error:
        read_kernels(path, VGG16, CONVOLUTIONS)
    assert "no layer 'block1_conv2'; it has block1_conv1, block2_conv1" in str(error.value)


@pytest.mark.parametrize("own, asked, message", [
    ("vgg19", "vgg16", "weights of VGG19, as 'block3_conv4' is in them, not of VGG16. Give "
     "network=vgg19"),
    ("vgg16", "vgg19", "weights of VGG16, as there is no 'block3_conv4' in them, not of VGG19. "
     "Give network=vgg16"),
])
def test_another_networks_layers_of_the_same_names_are_refused(tmp_path, own, asked, message):
    def layers(network, deepest):
        return ARCHITECTURES[network].up_to([deepest])

    path = tmp_path / "a.h5"
    write_kernels(path, load(
        ARCHITECTURES[own], layers(own, "block4_conv1"), "random"
    ).kernels)
    first = [each for each in layers(asked, "block3_conv3") if not each.pooling]
    with pytest.raises(InputError, match=re.escape(message)):
        read_kernels(path, ARCHITECTURES[asked], first)


@pytest.mark.parametrize("change, message", [
    (lambda kernel, bias: (kernel[..., :5], bias), "has the shapes 3x3x64x5 and 64"),
    (lambda kernel, bias: (kernel, bias[:7]), "and 7, expected 3x3x64x64 and 64"),
    (lambda kernel, bias: (kernel, bias * np.nan), "values that are not finite"),
    (lambda kernel, bias: (kernel * np.inf, bias), "values that are not finite"),
])
def test_a_layer_that_does_not_fit_is_named(tmp_path, kernels, change, message):
    with np.errstate(invalid="ignore"):
        kernels["block1_conv2"] = change(*kernels["block1_conv2"])
    path = tmp_path / "a.h5"
    write_kernels(path, kernels)
    with pytest.raises(InputError) as error:
        read_kernels(path, VGG16, CONVOLUTIONS)
    assert "layer 'block1_conv2'" in str(error.value) and message in str(error.value)


def changed(change):
    """A file of the kernels that was changed."""
    def make(path, kernels):
        write_kernels(path, kernels)
        with h5py.File(path, "r+") as file:
            group = file["block1_conv1"]
            change(file, group, "block1_conv1_W_1:0")
    return make


def replaced(value):
    def change(file, group, name):
        del group[name]
        group[name] = value
    return changed(change)


def empty_group(file, group, name):
    del group[name]
    group.create_group(name)


def keras3_of_groups(path, kernels):
    with h5py.File(path, "w") as file:
        for name in "01":
            file.create_group(f"layers/conv2d/vars/{name}")


def keras3_of(value):
    def make(path, kernels):
        with h5py.File(path, "w") as file:
            file["layers"] = value
    return make


def names(attribute, value):
    def change(file, group, name):
        where = file if attribute == "layer_names" else group
        where.attrs[attribute] = value
    return changed(change)


SHAPE = (3, 3, 3, 64)
FOREIGN = {
    "a group for an array": (changed(empty_group), "is a group, expected an array"),
    "groups for variables": (keras3_of_groups, "vars/0' is a group, expected an array"),
    "an array for the layers": (keras3_of(np.zeros(3)), "holds no Keras weights"),
    "no names of arrays": (changed(lambda file, group, name: group.attrs.clear()), "complete HDF5"),
    "numbers for names": (names("layer_names", [1, 2]), "no complete HDF5 weights file"),
    "a number for names": (names("layer_names", 3), "no complete HDF5 weights file"),
    "nothing for names": (names("weight_names", h5py.Empty("f4")), "no complete HDF5"),
    "a missing array": (names("weight_names", [b"x", b"y"]), "no complete HDF5"),
    "its own folder": (names("weight_names", [b"..", b"."]), "no complete HDF5"),
    "texts": (replaced(np.full(SHAPE, b"1")), "holds |S1 and float32, expected numbers"),
    "texts of any length": (replaced(np.full(SHAPE, "1", object)), "holds object and float32"),
    "records": (replaced(np.zeros(SHAPE, "f4,f4")), "expected numbers such as float32"),
    "complex numbers": (replaced(np.zeros(SHAPE, complex)), "holds complex128 and float32"),
    "truth": (replaced(np.zeros(SHAPE, bool)), "holds bool and float32"),
    "references": (replaced(np.full(SHAPE, None, h5py.ref_dtype)), "expected numbers"),
    "no values": (replaced(h5py.Empty("f4")), "has the shapes  and 64"),
    "numbers beyond float32": (replaced(np.full(SHAPE, 1e300)), "values that are not finite"),
    "a link": (replaced(h5py.SoftLink("/a")), "is a link; weights need none"),
}


@pytest.mark.parametrize("case", FOREIGN)
@pytest.mark.filterwarnings("error")
def test_crafted_files_are_refused_in_one_line(case, tmp_path, kernels):
    make, message = FOREIGN[case]
    make(tmp_path / "a.h5", kernels)
    with pytest.raises(InputError) as error:
        read_kernels(tmp_path / "a.h5", VGG16, CONVOLUTIONS)
    assert message in str(error.value) and "\n" not in str(error.value)
    assert str(error.value).startswith(f"weights={tmp_path / 'a.h5'}: ")


@pytest.mark.parametrize("kind", [np.float16, np.float64, np.int8, np.uint16])
def test_other_numbers_are_read(kind, tmp_path, kernels):
    replaced(np.ones(SHAPE, kind))(tmp_path / "a.h5", kernels)
    kernel, _ = read_kernels(tmp_path / "a.h5", VGG16, CONVOLUTIONS)["block1_conv1"]
    assert kernel.dtype == np.float32 and (kernel == 1).all()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes have no names here")
def test_a_pipe_is_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert read_origin(tmp_path / "pipe") is None
    assert lacking(tmp_path / "pipe", VGG16, ["block1_conv1"]) == []
    with pytest.raises(InputError, match="this is a pipe or a device"):
        read_kernels(tmp_path / "pipe", VGG16, CONVOLUTIONS)
    with pytest.raises(InputError, match="this is a folder"):
        read_kernels(tmp_path, VGG16, CONVOLUTIONS)


def test_damaged_and_foreign_files_are_refused(tmp_path, kernels):
    write_kernels(tmp_path / "a.h5", kernels)
    whole = (tmp_path / "a.h5").read_bytes()
    paths = [tmp_path / "missing.h5"]
    for number, data in enumerate((b"", b"text", whole[:100], whole[:5000], whole[: -9000])):
        paths.append(tmp_path / f"bad{number}.h5")
        paths[-1].write_bytes(data)
    foreign = tmp_path / "foreign.h5"
    with h5py.File(foreign, "w") as file:
        file["temperature"] = np.zeros(3)
    for path in (*paths, foreign):
        with pytest.raises(InputError) as error:
            read_kernels(path, VGG16, CONVOLUTIONS)
        assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_learned_files_say_so(tmp_path, kernels, real_weights):
    write_kernels(tmp_path / "a.h5", kernels)
    (tmp_path / "b.h5").write_text("no file of weights")
    assert read_origin(tmp_path / "a.h5") == LEARNED
    for path in (real_weights, tmp_path / "b.h5", tmp_path / "c.h5"):
        assert read_origin(path) is None


# With readouts


COMPACT = ARCHITECTURES["compact"]


@pytest.fixture
def compact():
    """Kernels with readouts that float16 holds as they are."""
    random = np.random.default_rng(0)

    def drawn(*shape):
        return random.integers(-9, 9, shape).astype(np.float32) / 8

    return {each.name: (
        drawn(3, 3, each.inputs, each.channels), drawn(each.channels),
        drawn(1, 1, each.channels, each.channels),
    ) for each in COMPACT.up_to(["block2_conv1"]) if not each.pooling}


def read_compact(path):
    return read_kernels(path, COMPACT, COMPACT.convolutions[:3])


def test_readouts_are_kept_in_half_precision(tmp_path, compact):
    write_kernels(tmp_path / "a.h5", compact, origin="compact", dtype="float16")
    found = read_compact(tmp_path / "a.h5")
    assert_same(found, compact)
    assert all(array.dtype == np.float32 for arrays in found.values() for array in arrays)
    with h5py.File(tmp_path / "a.h5") as file:
        held = [file["block1_conv2"][name] for name in file["block1_conv2"].attrs["weight_names"]]
        assert [each.dtype for each in held] == [np.float16] * 3
    assert read_origin(tmp_path / "a.h5") == "compact"


def test_what_half_precision_cannot_hold_is_not_written(tmp_path, compact):
    compact["block1_conv2"][0][0, 0, 0, 0] = 1e6
    with pytest.raises(InputError, match=r"block1_conv2_W_1:0: 1e\+06 is no number that float16"):
        write_kernels(tmp_path / "a.h5", compact, origin="compact", dtype="float16")
    assert not (tmp_path / "a.h5").exists()


def test_a_file_says_what_it_was_made_from(tmp_path, compact):
    said = {"teacher": "VGG16", "licence": "CC BY 4.0", "made_from": "photographs"}
    write_kernels(tmp_path / "a.h5", compact, origin="compact", notes=said)
    write_kernels(tmp_path / "b.h5", compact, origin="compact")
    assert read_notes(tmp_path / "a.h5") == said
    assert read_notes(tmp_path / "b.h5") == read_notes(tmp_path / "c.h5") == {}


@pytest.mark.parametrize("change, message", [
    (lambda arrays: arrays[:2], "has the shapes 3x3x32x32 and 32, expected 3x3x32x32 and 32 and "
     "1x1x32x32"),
    (lambda arrays: (*arrays[:2], arrays[2][0, 0]), "and 32x32, expected"),
    (lambda arrays: (*arrays[:2], arrays[2] * np.nan), "values that are not finite"),
])
def test_a_readout_that_does_not_fit_is_named(tmp_path, compact, change, message):
    write_kernels(tmp_path / "a.h5", {**compact, "block1_conv2": compact["block1_conv2"]},
                  origin="compact")
    replaced_readout(tmp_path / "a.h5", change(compact["block1_conv2"]))
    with pytest.raises(InputError) as error:
        read_compact(tmp_path / "a.h5")
    assert "layer 'block1_conv2'" in str(error.value) and message in str(error.value)


def replaced_readout(path, arrays):
    with h5py.File(path, "r+") as file:
        group = file["block1_conv2"]
        names = list(group.attrs["weight_names"])
        del group[names[2]]
        if len(arrays) == 2:
            group.attrs["weight_names"] = names[:2]
        else:
            group[names[2]] = arrays[2]


def test_files_of_networks_with_and_without_readouts_are_told_apart(tmp_path, compact, kernels):
    write_kernels(tmp_path / "a.h5", compact, origin="compact")
    write_kernels(tmp_path / "b.h5", kernels)
    keras.applications.VGG16(weights=None, include_top=False).save_weights(
        tmp_path / "c.weights.h5"
    )
    with pytest.raises(InputError, match=(
        r"a\.h5: these are weights of the compact network, not of VGG16\. Give network=compact$"
    )):
        read_kernels(tmp_path / "a.h5", VGG16, CONVOLUTIONS)
    for name in ("b.h5", "c.weights.h5"):
        with pytest.raises(InputError, match=(
            f"{name}: these are not weights of network=compact, whose files say so. Give another "
            "network, such as vgg16, or weights=auto$"
        )):
            read_compact(tmp_path / name)


def test_a_changed_readout_is_another_fingerprint(compact):
    before = digests(compact)
    compact["block1_conv2"][2][0, 0, 0, 0] += 1
    after = digests(compact)
    assert [name for name in before if before[name] != after[name]] == ["block1_conv2"]


def test_digests_tell_kernels_apart(kernels):
    before = digests(kernels)
    kernel, bias = kernels["block1_conv1"]
    kernels["block1_conv1"] = kernel, bias + 1
    after = digests(kernels)
    assert [name for name in before if before[name] != after[name]] == ["block1_conv1"]


@pytest.mark.parametrize("values", [
    [0.0, 1.0], [7, 9], np.zeros(2, [("a", "f4"), ("layer_names", "i4")]),
], ids=["floats", "places", "records"])
@pytest.mark.parametrize("place", ["layers/block1_conv1/vars", "block1_conv1", "model_weights"])
def test_an_array_where_a_group_belongs(tmp_path, place, values):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset(place, data=values)
    with pytest.raises(InputError, match=r"no complete HDF5|holds no Keras weights"):
        read_kernels(tmp_path / "a.h5", VGG16, VGG16.up_to(["block1_conv1"]))
