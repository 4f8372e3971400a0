import numpy as np

from tools.crops import Crops

SIDE = 32


def crops(**changes):
    chance = np.random.default_rng(0)
    pictures = [chance.integers(0, 256, (40 + 9 * i, 64, 3), np.uint8) for i in range(3)]
    pairs = [chance.integers(0, 256, (48, 120, 3), np.uint8)]
    return Crops(**({"pictures": pictures, "pairs": pairs, "side": SIDE, "count": 8, "seed": 1}
                    | changes))


def test_a_batch_depends_on_seed_and_number_alone():
    batch = crops().batch(5)
    assert batch.shape == (8, SIDE, SIDE, 3) and batch.dtype == np.float32
    assert batch.min() >= 0 and batch.max() <= 1
    np.testing.assert_array_equal(batch, crops().batch(5))
    assert not np.array_equal(batch, crops().batch(6))
    assert not np.array_equal(batch, crops(seed=2).batch(5))


def test_both_pictures_of_a_pair_are_cropped_and_changed_alike():
    half = np.random.default_rng(0).integers(0, 256, (48, 60, 3), np.uint8)
    same = crops(pairs=[np.concatenate([half, half], axis=1)])
    assert same.paired == 2
    for number in range(4):
        batch = same.batch(number)
        np.testing.assert_array_equal(batch[0], batch[1])
        np.testing.assert_array_equal(batch[2], batch[3])
        assert not np.array_equal(batch[1], batch[2])


def test_without_pairs_all_are_pictures():
    alone = crops(pairs=[])
    assert alone.paired == 0 and alone.batch(0).shape[0] == 8


def test_a_picture_smaller_than_a_crop_is_enlarged():
    small = crops(pictures=[np.full((9, 20, 3), 128, np.uint8)], pairs=[])
    assert small.batch(0).shape == (8, SIDE, SIDE, 3)
