"""The image transformation network."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.transfer.conftest import lively
from tf_style.transfer.transform import MARGIN, SHAPES, fused, parted, transform_network


@pytest.fixture
def network():
    keras.utils.set_random_seed(3)
    return lively(transform_network(SHAPES["fine"]))


def pictures(count, height, width, seed=0):
    return np.random.default_rng(seed).random((count, height, width, 3), np.float32)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (7, 3), (8, 8), (37, 64), (33, 50)])
def test_pictures_keep_their_size(network, size):
    painted = network(pictures(2, *size)).numpy()
    assert painted.shape == (2, *size, 3) and painted.dtype == np.float32
    assert np.isfinite(painted).all() and 0 <= painted.min() <= painted.max() <= 1


def test_each_picture_is_painted_by_itself(network):
    both = pictures(2, 24, 40)
    alone = np.concatenate([network(each[None]).numpy() for each in both])
    np.testing.assert_allclose(network(both).numpy(), alone, atol=1e-5)


def test_it_is_a_plain_keras_model(network, tmp_path):
    path = tmp_path / "plain.keras"
    network.save(path)
    np.savez(tmp_path / "given.npz", pictures(1, 21, 30))
    np.savez(tmp_path / "wanted.npz", network(pictures(1, 21, 30)).numpy())
    code = (
        "import sys; sys.modules['tf_style'] = None\n"
        "import keras, numpy as np\n"
        f"model = keras.models.load_model({str(path)!r}, safe_mode=True)\n"
        f"given, wanted = (np.load({str(tmp_path)!r} + name)['arr_0']\n"
        "                 for name in ('/given.npz', '/wanted.npz'))\n"
        "assert np.abs(np.asarray(model(given)) - wanted).max() < 1e-5\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_the_picture_goes_on_mirrored_beyond_its_border(network):
    """What is painted is what a picture with a mirrored margin of its own has in its middle."""
    picture = pictures(1, 32, 48)
    rows, columns = (
        np.pad(np.arange(length), MARGIN, "reflect") for length in picture.shape[1:3]
    )
    larger = picture[:, rows][:, :, columns]
    # The same statistics, apart from what is mirrored twice.
    inner = network(larger).numpy()[:, MARGIN:-MARGIN, MARGIN:-MARGIN]
    assert np.abs(inner - network(picture).numpy()).mean() < 0.05
    # Black there, it would not be the same.
    black = np.pad(picture, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)))
    other = network(black).numpy()[:, MARGIN:-MARGIN, MARGIN:-MARGIN]
    assert np.abs(other - network(picture).numpy()).mean() > 0.05


def test_nothing_in_it_is_ours(network):
    kinds = {type(layer).__module__.split(".")[0] for layer in network.layers}
    assert kinds == {"keras"}


def test_one_transposed_convolution_stands_for_two_steps():
    chance = np.random.default_rng(4)
    kernel = chance.normal(size=(3, 3, 5, 4)).astype(np.float32)
    values = keras.Input((None, None, 5))
    plain = keras.Model(values, keras.layers.Conv2D(4, 3, padding="same", use_bias=False)(
        keras.layers.UpSampling2D(2)(values)))
    plain.layers[-1].set_weights([kernel])
    quick = keras.Model(values, keras.layers.Conv2DTranspose(
        4, 4, strides=2, padding="same", use_bias=False)(values))
    quick.layers[-1].set_weights([fused(kernel)])
    maps = chance.normal(size=(2, 6, 9, 5)).astype(np.float32)
    np.testing.assert_allclose(plain(maps), quick(maps), atol=1e-4)
    np.testing.assert_allclose(parted(fused(kernel)), kernel, atol=1e-5)
