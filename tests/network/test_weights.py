import dataclasses
import hashlib
import urllib.error
import urllib.request
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.network.conftest import LAYERS, VGG16, assert_same
from tf_style.network import weights
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.features import feature_model
from tf_style.network.kernel_files import write_kernels
from tf_style.network.weights import kind_of, load, missing, resolve, settle, settle_known
from tf_style.settings import AUTO, InputError, Note, Remark
from tf_style.settings.auto import Kind

COMPACT = ARCHITECTURES["compact"]


def test_random_kernels_are_orthogonal_and_seeded(kernels):
    kernel = kernels["block1_conv2"][0].reshape(-1, 64)
    np.testing.assert_allclose(kernel.T @ kernel, 2 * np.eye(64), atol=1e-5)
    wide = kernels["block1_conv1"][0].reshape(-1, 64)
    np.testing.assert_allclose(wide @ wide.T, 2 * np.eye(27), atol=1e-5)
    assert_same(kernels, load(VGG16, LAYERS, "random", seed=5).kernels)
    other = load(VGG16, LAYERS, "random", seed=6).kernels
    assert not np.array_equal(other["block1_conv1"][0], kernels["block1_conv1"][0])


def test_random_kernels_do_not_depend_on_how_many_are_asked_for(kernels):
    deeper = load(VGG16, VGG16.up_to(["block3_conv1"]), "random", seed=5).kernels
    assert_same(kernels, {name: deeper[name] for name in kernels})


def test_auto_is_the_file_in_the_environment(tmp_path, kernels, monkeypatch):
    path = tmp_path / "a.h5"
    write_kernels(path, kernels)
    monkeypatch.setenv("TF_STYLE_WEIGHTS", str(path))
    assert_same(load(VGG16, LAYERS, resolve(AUTO, VGG16)).kernels, kernels)
    with pytest.raises(InputError, match=r"^\$TF_STYLE_WEIGHTS=.*no layer 'block2_conv2'"):
        load(VGG16, VGG16.up_to(["block3_conv1"]), resolve(AUTO, VGG16))


def test_a_file_in_the_environment_serves_the_network_that_it_is_of(tmp_path, monkeypatch):
    path = str(tmp_path / "a.h5")
    write_kernels(path, load(VGG16, VGG16.up_to(["block4_conv1"]), "random").kernels)
    monkeypatch.setenv("TF_STYLE_WEIGHTS", path)
    assert settle_known("vgg16", AUTO) == settle_known(AUTO, AUTO) == ("vgg16", path)
    assert settle_known("vgg19", AUTO) == ("vgg19", None)
    monkeypatch.setenv("TF_STYLE_WEIGHTS", "no.h5")
    assert settle_known("vgg19", AUTO) == ("vgg19", "no.h5")


def test_a_file_that_is_called_like_a_word_stays_a_file(monkeypatch):
    monkeypatch.setenv("TF_STYLE_WEIGHTS", "random")
    assert Path(resolve(AUTO, VGG16)) == Path("random") and resolve(AUTO, VGG16) != "random"


def test_what_was_learned_is_known_by_its_word_or_its_file(tmp_path, kernels):
    write_kernels(tmp_path / "a.h5", kernels)
    for named in ("unsupervised", str(tmp_path / "a.h5")):
        assert kind_of(named, VGG16) is Kind.LEARNED and missing(named, VGG16) == []
    # What is wrong with a file is said when it is read.
    for named in ("imagenet", str(tmp_path / "no.h5")):
        assert kind_of(named, VGG16) is Kind.DEEP
    for named in (None, "random"):
        assert kind_of(named, VGG16) is Kind.SHALLOW


def test_imagenet_is_fetched_from_where_keras_has_it(tmp_path, kernels, monkeypatch):
    """With a stand-in for the download: what is asked for, and that the answer is read."""
    asked, watched = [], []

    def fetch(url, path, md5, watch):
        asked.append((url, path, len(md5)))
        path.parent.mkdir(parents=True)
        write_kernels(path, kernels)
        watch(0.5)

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(weights.download, "fetch", fetch)
    found = load(VGG16, LAYERS, "imagenet", watch=lambda *stage: watched.append(stage))
    assert_same(found.kernels, kernels)
    name = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    url = keras.src.applications.vgg16.WEIGHTS_PATH_NO_TOP
    assert asked == [(url, tmp_path / "models" / name, 32)]
    assert watched == [("looking for a connection",), ("downloading VGG16", 0.5)]


def test_a_failed_download_says_what_to_do(tmp_path, monkeypatch):
    def no_network(*arguments, **named):
        raise urllib.error.URLError("timed out")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", no_network)
    watched = []
    with pytest.raises(InputError) as error:
        load(VGG16, LAYERS, "imagenet", watch=lambda *stage: watched.append(stage))
    assert watched == [("looking for a connection",), ("loading the network",)]
    text = str(error.value)
    assert "https://storage.googleapis.com/" in text and "weights=FILE" in text
    assert str(tmp_path / "models") in text and "timed out" in text and "\n" not in text


@pytest.fixture
def unreachable(no_downloads, monkeypatch):
    """Keras' cache is empty, and there is no connection."""
    def fail(*_):
        raise OSError("no route")

    monkeypatch.setattr(weights.download, "fetch", fail)


def test_auto_is_the_network_that_comes_with_us_where_vgg16_cannot_be_had(unreachable):
    with pytest.warns(Note) as seen:
        assert settle(AUTO, AUTO) == ("compact", "included")
    assert [str(each.message) for each in seen] == [
        "using the network that comes with tf_style (no pretrained VGG16: "
        "the download failed: no route)"
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert settle_known(AUTO, AUTO) == ("vgg16", None)
        assert settle_known(AUTO, AUTO, offline=True) == ("compact", "included")


def test_auto_is_the_network_that_weights_belong_to(unreachable, tmp_path, kernels, monkeypatch):
    ours = load(COMPACT, COMPACT.up_to(["block1_conv1"]), "random").kernels
    write_kernels(tmp_path / "theirs.h5", kernels)
    write_kernels(tmp_path / "ours.h5", ours, origin="compact")
    cases = {"imagenet": "vgg16", "unsupervised": "vgg16", "random": "vgg16",
             "included": "compact", str(tmp_path / "theirs.h5"): "vgg16",
             str(tmp_path / "ours.h5"): "compact", "no.h5": "vgg16"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for source, network in cases.items():
            assert settle(AUTO, source) == settle_known(AUTO, source) == (network, source)
            if source.endswith(".h5"):
                monkeypatch.setenv("TF_STYLE_WEIGHTS", source)
                assert settle(AUTO, AUTO) == settle_known(AUTO, AUTO) == (network, source)
                monkeypatch.delenv("TF_STYLE_WEIGHTS")


def test_auto_of_vgg16_falls_back_to_learning_and_says_so(unreachable):
    with pytest.warns(UserWarning, match="using features learned .*no route") as seen:
        assert settle("vgg16", AUTO) == ("vgg16", "unsupervised")
    assert len(seen) == 1 and seen[0].category is Remark
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert resolve("random", VGG16) == "random"


# Those that come with the package


def test_auto_of_the_compact_network_comes_with_the_package(monkeypatch):
    monkeypatch.setenv("TF_STYLE_WEIGHTS", "of_vgg16.h5")
    for found in (settle, settle_known):
        assert found("compact", AUTO) == ("compact", "included")
    assert kind_of("included", COMPACT) is Kind.COMPACT
    loaded = load(COMPACT, COMPACT.layers, "included")
    assert list(loaded.kernels) == [layer.name for layer in COMPACT.convolutions]
    assert "Simonyan" in loaded.notes["teacher"] and "CC BY 4.0" in loaded.notes["licence"]


@pytest.mark.parametrize("word, architecture, others", [
    ("imagenet", COMPACT, "auto, included, random"),
    ("unsupervised", COMPACT, "auto, included, random"),
    ("included", VGG16, "auto, imagenet, unsupervised, random"),
])
def test_words_that_mean_nothing_for_a_network(word, architecture, others):
    for ask in (lambda: resolve(word, architecture), lambda: settle(architecture.name, word),
                lambda: settle_known(architecture.name, word),
                lambda: load(architecture, architecture.layers, word)):
        with pytest.raises(InputError) as error:
            ask()
        assert str(error.value) == (
            f"weights={word}: means nothing for network={architecture.name}. Expected "
            f"{others}, or a weights file"
        )


def test_a_trained_file_of_any_depth(tmp_path):
    for name, deepest in (("deep", "block5_conv1"), ("flat", "block3_conv3")):
        layers = COMPACT.up_to([deepest])
        write_kernels(tmp_path / name, load(COMPACT, layers, "random").kernels, origin="compact")
    deep, flat = str(tmp_path / "deep"), str(tmp_path / "flat")
    assert kind_of(deep, COMPACT) is Kind.COMPACT and missing(deep, COMPACT) == []
    assert kind_of(flat, COMPACT) is Kind.SHALLOW
    assert missing(flat, COMPACT) == ["block4_conv2", "block4_conv1", "block5_conv1"]
    assert_same(load(COMPACT, layers, flat).kernels, load(COMPACT, layers, "random").kernels)


def test_random_kernels_are_read_as_they_are():
    for kernel, bias, readout in load(COMPACT, COMPACT.layers, "random").kernels.values():
        np.testing.assert_array_equal(readout[0, 0], np.eye(len(bias)))
        assert kernel.std() > 0


# Offline


@pytest.fixture
def kept_file(no_downloads, kernels, monkeypatch):
    """A file in Keras' cache, with the digest that it should have."""
    download = weights._IMAGENET["vgg16"]
    path = no_downloads / download.file_name
    write_kernels(path, kernels)
    digest = hashlib.md5(path.read_bytes()).hexdigest()
    monkeypatch.setitem(weights._IMAGENET, "vgg16", dataclasses.replace(download, md5=digest))
    return path


def test_offline_the_file_in_the_cache_is_imagenet(kept_file, kernels):
    assert resolve(AUTO, VGG16, offline=True) == "imagenet"
    assert settle(AUTO, AUTO, offline=True) == ("vgg16", "imagenet")
    assert settle_known(AUTO, AUTO, offline=True) == ("vgg16", "imagenet")
    assert_same(load(VGG16, LAYERS, "imagenet", offline=True).kernels, kernels)
    layers = ["block1_conv2", "block2_conv1"]
    model = feature_model(layers, offline=True)
    same = feature_model(layers, weights=str(kept_file))
    for one, other in zip(model.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"cut off")])
def test_offline_without_a_whole_file_nothing_is_fetched(kept_file, damage):
    damage(kept_file)
    with pytest.warns(UserWarning, match="using features learned .* Keras' cache") as seen:
        assert resolve(AUTO, VGG16, offline=True) == "unsupervised"
    assert len(seen) == 1 and "\n" not in str(seen[0].message)
    for given in (lambda: load(VGG16, LAYERS, "imagenet", offline=True),
                  lambda: settle_known("vgg16", "imagenet", offline=True),
                  lambda: settle_known(AUTO, "imagenet", offline=True),
                  lambda: feature_model(["block1_conv1"], "imagenet", offline=True)):
        with pytest.raises(InputError) as error:
            given()
        text = str(error.value)
        assert weights._IMAGENET["vgg16"].url in text and str(kept_file.parent) in text
        assert "offline" in text and "\n" not in text


def test_offline_the_environment_wins(kept_file, monkeypatch):
    monkeypatch.setenv("TF_STYLE_WEIGHTS", "mine.h5")
    assert resolve(AUTO, VGG16, offline=True) == "mine.h5"
