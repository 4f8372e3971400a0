"""The start of a small network: channels of a large one, and kernels fitted to them."""

from __future__ import annotations

import numpy as np
from keras import ops

from tf_style.network.architectures import Architecture
from tf_style.network.kernel_files import IMAGENET_MEAN
from tools.trunk import Trunk

_RIDGE = 1e-4


def chosen(moments: np.ndarray, count: int) -> np.ndarray:
    """The `count` channels that together explain all channels best, one after another.

    Args:
        moments: `(channels, channels)` means of products of two channels.

    Returns:
        Their indices, the best first.

    Source: Farahat, Ghodsi, Kamel, Efficient greedy feature selection for unsupervised learning,
        KAIS 2013: the channel whose addition lowers the squared error most.
    """
    left = moments.astype(np.float64)
    floor = 1e-9 * np.trace(left) / len(left)
    found: list[int] = []
    for _ in range(count):
        # Of a channel that is explained already, only errors of rounding are left.
        new = np.diag(left) > floor
        gains = np.where(new, np.square(left).sum(axis=0) / np.where(new, np.diag(left), 1), 0)
        gains[found] = -1
        best = int(np.argmax(gains))
        found.append(best)
        if new[best]:
            left -= np.outer(left[:, best], left[:, best]) / left[best, best]
    return np.array(found)


def selected(
    teacher: Architecture,
    student: Architecture,
    trunk: Trunk,
    pictures: list[np.ndarray],
    positions: int,
    seed: int,
) -> Trunk:
    """A student that begins with channels of its teacher.

    Args:
        teacher, student: the student's layers are among the teacher's, with fewer channels.
        trunk: of the teacher.
        pictures: batches `(count, side, side, 3)` in `[0, 1]`.
        positions: how many of a map of all pictures are looked at.
        seed: of their choice.

    Source: He, Zhang, Sun, ICCV 2017, section 3.2: the kernels of the channels that are kept are
        fitted anew to the teacher's maps before the ReLU, given what the student has before them.
    """
    chance = np.random.default_rng(seed)
    wanted = {layer.name: layer for layer in student.layers}
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    large = small = [normalized(each) for each in pictures]
    for layer in teacher.layers:
        if len(found) == len(student.convolutions):
            break
        if layer.pooling:
            large = [_pooled(each) for each in large]
            small = [_pooled(each) for each in small]
            continue
        before = [_convolved(each, *trunk[layer.name]) for each in large]
        large = [np.maximum(each, 0) for each in before]
        if layer.name not in wanted:
            continue
        places = [chance.integers(each.shape[:3], size=(positions // len(large), 3))
                  for each in large]
        rows = np.concatenate([each[tuple(at.T)] for each, at in zip(large, places, strict=True)])
        kept = chosen(rows.T @ rows / len(rows), wanted[layer.name].channels)
        found[layer.name] = _fitted(small, [each[..., kept] for each in before], places)
        small = [np.maximum(_convolved(each, *found[layer.name]), 0) for each in small]
    return found


def normalized(pictures: np.ndarray) -> np.ndarray:
    """RGB in `[0, 1]` as what kernels in files expect."""
    return (255 * pictures - np.float32(IMAGENET_MEAN))[..., ::-1]


def nearest(square: np.ndarray, mixed: np.ndarray, ridge: float) -> np.ndarray:
    """The matrix that takes rows nearest to targets, float32.

    Args:
        square: products of the rows' columns with each other, summed over rows.
        mixed: with the targets' columns.
        ridge: share of the mean square that is added to each: none should count for noise.
    """
    return np.linalg.solve(
        square + ridge * np.trace(square) / len(square) * np.eye(len(square)), mixed
    ).astype(np.float32)


def _fitted(
    maps: list[np.ndarray], targets: list[np.ndarray], places: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """A kernel `(3, 3, inputs, channels)` and a bias that take `maps` nearest to `targets`."""
    rows, wanted = [], []
    for each, target, (image, top, left) in zip(
        maps, targets, (at.T for at in places), strict=True
    ):
        padded = np.pad(each, [(0, 0), (1, 1), (1, 1), (0, 0)])
        patches = [padded[image, top + y, left + x] for y in range(3) for x in range(3)]
        rows.append(np.concatenate([*patches, np.ones((len(image), 1), np.float32)], axis=1))
        wanted.append(target[image, top, left])
    # The bias is as free as the kernel, whatever the size of the maps.
    size = np.sqrt(np.mean([np.mean(each[:, :-1] ** 2) for each in rows]))
    for each in rows:
        each[:, -1] = size
    rows = np.concatenate(rows).astype(np.float64)
    matrix = nearest(rows.T @ rows, rows.T @ np.concatenate(wanted), _RIDGE)
    return matrix[:-1].reshape(3, 3, -1, matrix.shape[1]), matrix[-1] * size


def _convolved(features: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return np.asarray(ops.conv(features, kernel, padding="same")) + bias


def _pooled(features: np.ndarray) -> np.ndarray:
    return np.asarray(ops.max_pool(features, 2, padding="valid"))
