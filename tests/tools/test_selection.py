import numpy as np

from tf_style.network.architectures import ARCHITECTURES, Architecture, Layer
from tools.selection import chosen, selected
from tools.trunk import trunk_model


def test_the_channels_that_explain_most_come_first():
    chance = np.random.default_rng(0)
    a, b = chance.standard_normal((2, 1000))
    # A copy of one that is kept explains nothing more.
    channels = np.stack([0.1 * chance.standard_normal(1000), 3 * a, 3 * a, 3 * a + 2 * b])
    assert chosen(channels @ channels.T / 1000, 3).tolist() == [1, 3, 0]


def test_more_channels_than_there_is_to_explain_are_different_ones():
    rows = np.random.default_rng(0).standard_normal((4, 12))
    found = chosen(rows.T @ rows, 12)
    assert sorted(found) == list(range(12))


def test_a_student_as_wide_as_its_teacher_becomes_its_teacher():
    teacher = Architecture("teacher", "teacher", tuple(ARCHITECTURES["vgg16"].layers[:1]) + (
        Layer("block1_conv2", 64, 8, False, 1, 2),
        Layer("block1_pool", 8, 8, True, 2, 3),
        Layer("block2_conv1", 8, 8, False, 2, 5),
    ))
    chance = np.random.default_rng(1)
    trunk = {
        layer.name: (chance.standard_normal((3, 3, layer.inputs, layer.channels)).astype("f4")
                     / (300 if layer.inputs == 3 else 9 * layer.inputs) ** 0.5,
                     chance.standard_normal(layer.channels).astype("f4"))
        for layer in teacher.convolutions
    }
    pictures = [chance.random((4, 24, 24, 3), np.float32) for _ in range(2)]
    found = selected(teacher, teacher, trunk, pictures, positions=4000, seed=0)
    name = "block2_conv1"
    wanted = np.asarray(trunk_model(teacher, trunk, "float32")(pictures[0])[name])
    given = np.asarray(trunk_model(teacher, found, "float32")(pictures[0])[name])
    # The channels are the same, in another order.
    order = [int(np.argmin(np.abs(given - wanted[..., i, None]).mean((0, 1, 2)))) for i in range(8)]
    assert sorted(order) == list(range(8))
    np.testing.assert_allclose(given[..., order], wanted, rtol=0, atol=0.05 * wanted.std())
