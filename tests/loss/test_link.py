"""A piece of a network, block by block. Gradients are compared in test_blocks.py."""

import numpy as np
import pytest
import tensorflow as tf

from tf_style.loss.link import Link, _crop
from tf_style.loss.objective import Objective
from tf_style.loss.pieces import pieces
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.features import feature_model
from tf_style.network.models import in_order
from tf_style.network.networks import Network
from tf_style.settings import Settings


def test_a_part_of_a_map_and_its_gradient():
    maps = tf.constant(np.random.default_rng(0).random((2, 7, 9, 3), np.float32))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(maps)
        ours = tf.reduce_sum(_crop(maps, tf.constant([1, 5, 2, 12])) ** 2)
        theirs = tf.reduce_sum(maps[:, 1:5, 2:12] ** 2)
    assert ours == theirs
    np.testing.assert_array_equal(tape.gradient(ours, maps), tape.gradient(theirs, maps))


@pytest.mark.parametrize("loss, grid", [("gram", 4), ("phase", 32)])
def test_blocks_cover_the_picture_once_and_begin_where_windows_do(loss, grid):
    settings = Settings(content_loss="squared", content_layers="block1_conv1",
                        style_layers="block2_conv1", style_loss=loss, style_weight=1)
    vgg16 = ARCHITECTURES["vgg16"]
    model = feature_model(["block1_conv1", "block2_conv1", "block2_pool"], "random")
    objective = Objective.of([Network(model, vgg16)], settings)
    piece, = pieces(vgg16.up_to(["block2_pool"]))
    link = Link(objective, objective.terms, piece, in_order(model, vgg16), 32)
    covered = np.zeros((70, 85), int)
    for block in link.blocks(tf.zeros((1, 70, 85, 3))):
        assert block.rows.start % grid == block.columns.start % grid == 0
        covered[block.rows.start : block.rows.stop, block.columns.start : block.columns.stop] += 1
    assert (covered == 1).all()
