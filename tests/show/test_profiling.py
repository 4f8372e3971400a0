"""TensorFlow's own profile."""

import pytest
import tensorflow as tf

from tf_style.settings import InputError
from tf_style.show import profiling


def test_a_profile_is_written(tmp_path):
    profiling.start_profile(str(tmp_path))
    tf.reduce_sum(tf.ones((8, 8))).numpy()
    profiling.stop_profile()
    written, = tmp_path.rglob("*.xplane.pb")
    assert written.stat().st_size > 100


def test_a_profile_that_cannot_be_stopped_is_an_input_error():
    with pytest.raises(InputError, match="profile: cannot be written"):
        profiling.stop_profile()
