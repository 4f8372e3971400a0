import numpy as np
import pytest

from tf_style.image import color


def test_luminance_of_gray_is_the_gray():
    assert np.allclose(color.luminance(np.full((2, 2, 3), 0.3)), 0.3)


def test_gradient_magnitude_of_a_ramp_is_its_slope():
    rows, columns = np.mgrid[:5, :6]
    assert np.allclose(color.gradient_magnitude(3.0 * rows + 4.0 * columns), 5)


def test_sliced_wasserstein_of_a_shift():
    rng = np.random.default_rng(0)
    first = rng.random((20, 30, 3)) / 2
    assert color.sliced_wasserstein(first, first) == 0
    # Moved along a line, the distance is the mean of |direction · shift|: half the length in 3-D.
    assert color.sliced_wasserstein(first, first + 0.1) == pytest.approx(
        0.1 * np.sqrt(3) / 2, rel=0.15
    )


def test_sliced_wasserstein_does_not_depend_on_size():
    picture = np.random.default_rng(0).random((8, 8, 3))
    assert color.sliced_wasserstein(picture, picture.repeat(3, axis=0)) < 5e-3
