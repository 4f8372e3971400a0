import os

import pytest

from tests.network.conftest import LAYERS, VGG16, assert_same
from tf_style.network import learned
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.features import feature_model


def test_learned_kernels_are_kept(tmp_path, content, style, counted):
    first = learned.load(VGG16, LAYERS, [content, style], folder=tmp_path / "new" / "cache")
    second = learned.load(VGG16, LAYERS, [content, style], folder=tmp_path / "new" / "cache")
    assert (first[1], second[1]) == (False, True)
    assert counted == [2 * 2 + 6], "the pictures, twice, and the package's samples"
    assert_same(first[0], second[0])


def test_a_feature_model_keeps_what_it_learns_where_it_is_told(tmp_path, no_downloads, counted):
    for _ in range(2):
        feature_model(["block1_conv1"], "unsupervised", cache_dir=tmp_path / "mine")
    assert len(counted) == 1 and len(list((tmp_path / "mine").iterdir())) == 1


def test_the_cache_tells_apart_all_that_matters(tmp_path, content, style, counted):
    def had(architecture=VGG16, layer="block2_conv1", pictures=(content, style), seed=0):
        return learned.load(architecture, architecture.up_to([layer]), pictures, seed=seed,
                            folder=tmp_path)[1]

    changed = content.copy()
    changed[0, 0, 0] += 0.01
    variants = [{}, {"architecture": ARCHITECTURES["vgg19"]}, {"layer": "block1_conv2"},
                {"pictures": (content,)}, {"pictures": (changed, style)},
                {"pictures": (content.reshape(64, 48, 3), style)}, {"seed": 1}]
    assert not any(had(**variant) for variant in variants)
    assert all(had(**variant) for variant in variants)
    assert len(counted) == len(variants)


def test_a_damaged_entry_is_learned_again(tmp_path, content, counted):
    learned.load(VGG16, LAYERS, [content], folder=tmp_path)
    entry, = tmp_path.iterdir()
    whole = entry.read_bytes()
    for damage in (b"", b"nonsense", whole[:-2000]):
        entry.write_bytes(damage)
        kernels, cached = learned.load(VGG16, LAYERS, [content], folder=tmp_path)
        assert not cached and list(tmp_path.iterdir()) == [entry]
        again, cached = learned.load(VGG16, LAYERS, [content], folder=tmp_path)
        assert cached
        assert_same(kernels, again)


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path, content, counted):
    (tmp_path / "file").touch()
    for _ in range(2):
        with pytest.warns(UserWarning, match="cannot be kept"):
            assert not learned.load(VGG16, LAYERS, [content], folder=tmp_path / "file" / "cache")[1]


def test_the_cache_is_bounded(tmp_path, content, counted, monkeypatch):
    learned.load(VGG16, LAYERS, [content], folder=tmp_path, seed=0)
    size = next(tmp_path.iterdir()).stat().st_size
    other = tmp_path / "mine.h5"
    other.write_bytes(b"not ours to delete" * size)
    os.utime(other, (0, 0))
    monkeypatch.setattr(learned, "LIMIT_BYTES", int(2.5 * size))
    for seed in range(1, 6):
        learned.load(VGG16, LAYERS, [content], folder=tmp_path, seed=seed)
    assert other.exists() and len(list(tmp_path.iterdir())) == 2 + 1
    assert learned.load(VGG16, LAYERS, [content], folder=tmp_path, seed=5)[1]


def test_the_users_cache_is_where_the_system_has_it(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(learned.sys, "platform", "linux")
    assert learned.cache_folder() == tmp_path / "tf_style"
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    monkeypatch.setattr(learned.sys, "platform", "win32")
    assert learned.cache_folder() == tmp_path / "local" / "tf_style"
