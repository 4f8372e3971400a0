"""Compiled functions that pictures of all sizes and several threads share."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf

from tf_style.loss.compiled import Compiled


def doubled(maps, rows):
    return {"maps": 2 * maps, "sum": tf.reduce_sum(rows[0], axis=1)}


def test_one_trace_serves_all_sizes_of_one_structure():
    compiled = Compiled(doubled)
    for height, width, count in ((3, 4, 5), (7, 2, 1)):
        maps, rows = tf.ones((1, height, width, 3)), [tf.ones((1, count, 2))]
        found = compiled(maps, rows)
        assert found["maps"].shape == maps.shape and found["sum"].numpy().tolist() == [[count] * 2]
    assert compiled.traces == 1
    compiled(tf.ones((2, 3, 4, 3)), [tf.ones((2, 5, 2))])
    assert compiled.traces == 2, "a batch of another number"


def test_traces_that_are_meant_are_not_warned_of(caplog):
    compiled = Compiled(doubled)
    with caplog.at_level("WARNING", logger="tensorflow"):
        for channels in range(1, 9):
            compiled(tf.ones((1, 3, 4, channels)), [tf.ones((1, 2, 2))])
    assert compiled.traces == 8 and not caplog.records


def test_threads_that_come_together_trace_once():
    compiled = Compiled(lambda maps: tf.reduce_sum(maps, axis=(1, 2, 3)))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(
            lambda side: compiled(tf.ones((1, side, side, 1)))[0].numpy(), range(1, 17)
        ))
    assert found == [side**2 for side in range(1, 17)] and compiled.traces == 1


def test_gradients_go_through():
    values = tf.constant(np.ones((1, 2, 2, 1), np.float32))
    with tf.GradientTape() as tape:
        tape.watch(values)
        total = tf.reduce_sum(Compiled(lambda maps: maps**3)(values))
    np.testing.assert_allclose(tape.gradient(total, values), 3 * np.ones((1, 2, 2, 1)))
