import numpy as np
import pytest
import tensorflow as tf

from tf_style.loss.blocks import Blocks, pieces, spans
from tf_style.loss.objective import Network, Objective, Style
from tf_style.loss.style import STYLE_LOSSES
from tf_style.network import weights
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.features import feature_model, vgg_model
from tf_style.settings import InputError, Settings

LAYERS = ["block1_conv1", "block2_conv1", "block3_conv2", "block4_conv1"]
IN_BLOCKS = [name for name, loss in STYLE_LOSSES.items() if loss.mean_over_positions]


@pytest.fixture(scope="module")
def models():
    """Padded as in a run, and as published."""
    vgg16 = ARCHITECTURES["vgg16"]
    layers = vgg16.up_to(LAYERS)
    return [
        vgg_model(vgg16, LAYERS, weights.load(vgg16, layers, "random", seed=seed).kernels,
                  padding=padding)
        for seed, padding in enumerate(("edge", "zeros"))
    ]


def settings(**values):
    return Settings(**{
        "content_layers": "block2_conv1:2,block3_conv2", "style_layers": ",".join(LAYERS),
        "style_loss": "gram",
        "content_weight": 2, "style_weight": 5, "tv_weight": 0.5, "precision": "float32", **values,
    })


def objective(models, chosen):
    vgg16 = ARCHITECTURES["vgg16"]
    if len(models) == 1:
        networks = [Network(models[0], chosen.content_layers, chosen.style_layers, vgg16)]
    else:
        networks = [Network(models[0], chosen.content_layers, {}, vgg16),
                    Network(models[1], {}, chosen.style_layers, vgg16)]
    return Objective(networks, chosen)


def picture(height, width, seed):
    """Noise that is coarse and fine, and not the same everywhere."""
    random = np.random.default_rng(seed)
    fine = random.random((height, width, 3))
    coarse = random.random((height // 8 + 1, width // 8 + 1, 3))
    coarse = np.kron(coarse, np.ones((8, 8, 1)))[:height, :width]
    return tf.constant((fine * np.linspace(0, 1, width)[:, None] + coarse)[None] / 2, tf.float32)


def assert_same(whole, size, height, width, *, region=False):
    mask = tf.cast(picture(height, width, 4)[..., :1] > 0.4, tf.float32) if region else None
    styles = [Style(picture(100, 140, 2), 0.7, None, mask),
              Style(picture(90, 70, 3), 0.3, None, None if mask is None else 1 - mask)]
    blocks = Blocks(whole, size)
    image, content = picture(height, width, 0), picture(height, width, 1)
    expected, found = (each.targets(content, styles) for each in (whole, blocks))
    for one, other in zip(tf.nest.flatten(expected), tf.nest.flatten(found), strict=True):
        assert one.shape == other.shape
        assert np.linalg.norm(one - other) <= 1e-4 * np.linalg.norm(one)
    value, parts, gradient = whole.value_and_gradient(image, expected)
    again, same_parts, same = blocks.value_and_gradient(image, found)
    assert again.numpy() == pytest.approx(value.numpy(), rel=1e-5)
    for name, part in parts.items():
        assert same_parts[name].numpy() == pytest.approx(part.numpy(), rel=1e-4)
    assert np.linalg.norm(same - gradient) < 1e-4 * np.linalg.norm(gradient)


@pytest.mark.parametrize("loss", [*IN_BLOCKS, "gram:1,phase:0.5"])
def test_the_gradient_is_the_whole_pictures(models, loss):
    assert_same(objective(models[:1], settings(style_loss=loss)), 64, 150, 205)


@pytest.mark.parametrize("height, width", [(127, 191), (40, 150), (64, 64), (30, 30), (129, 65)])
def test_the_gradient_at_odd_sizes_and_in_few_blocks(models, height, width):
    assert_same(objective(models[:1], settings(style_loss="gram:1,phase:0.5")), 64, height, width)


@pytest.mark.parametrize("loss", ["gram", "phase"])
def test_the_gradient_with_regions(models, loss):
    assert_same(objective(models[:1], settings(style_loss=loss)), 64, 150, 133, region=True)


def test_the_gradient_of_two_networks(models):
    assert_same(objective(models, settings()), 64, 100, 133)


@pytest.mark.parametrize("weight", ["content_weight", "style_weight", "tv_weight"])
def test_the_gradient_without_one_part(models, weight):
    assert_same(objective(models[:1], settings(**{weight: 0})), 64, 100, 133)


def test_half_precision_differs_no_more_than_it_does_as_a_whole(models):
    image, content, style = (picture(40, 70, seed) for seed in range(3))
    for precision in ("bfloat16", "float16"):
        model = feature_model(LAYERS, "random", dtype=precision)
        whole = objective([model], settings(precision=precision))
        blocks = Blocks(whole, 32)
        expected, found = (
            each.value_and_gradient(image, each.targets(content, [Style(style)]))[2]
            for each in (whole, blocks)
        )
        assert np.linalg.norm(found - expected) < 0.03 * np.linalg.norm(expected)


def test_one_trace_serves_all_sizes(models):
    blocks, traces = Blocks(objective(models[:1], settings()), 64), []
    for height, width in ((100, 133), (64, 64), (70, 160)):
        targets = blocks.targets(picture(height, width, 1), [Style(picture(height, width, 2))])
        blocks.value_and_gradient(picture(height, width, 0), targets)
        traces.append(blocks.traces)
    # The first pass is traced for targets, which has no content, and for steps.
    assert traces == [2, 2, 2]


@pytest.mark.parametrize("loss", [name for name in STYLE_LOSSES if name not in IN_BLOCKS])
def test_losses_that_are_no_mean_are_refused(models, loss):
    with pytest.raises(InputError, match=f"--style_loss={loss}: no mean over positions"):
        Blocks(objective(models[:1], settings(style_loss=loss)), 64)


def test_networks_with_unknown_layers_are_refused(models):
    chosen = settings()
    network = Network(models[0], chosen.content_layers, chosen.style_layers)
    with pytest.raises(InputError, match="a saved model cannot be computed block by block"):
        Blocks(Objective([network], chosen), 64)


def test_pieces_cover_the_network():
    layers = ARCHITECTURES["vgg16"].layers
    found = pieces(layers)
    assert [layer for piece in found for layer in piece.layers] == list(layers)
    # Counted by hand: two convolutions of one pixel, a pooling, two of two pixels, a pooling; then
    # three of one position and a pooling.
    assert [(piece.start, piece.stride, piece.margin) for piece in found] == [
        (1, 4, 12), (4, 2, 4), (8, 2, 4), (16, 2, 4)
    ]


@pytest.mark.parametrize(
    "length, core, least", [(100, 32, 1), (100, 32, 16), (20, 32, 1), (96, 32, 8)]
)
def test_spans_cover_a_side_once(length, core, least):
    found = spans(length, core, 4, 6, least)
    covered = [place for span in found for place in range(span.start, span.stop)]
    assert covered == list(range(length))
    for span in found:
        assert span.first == max(0, span.start - 4) and span.last == min(length, span.stop + 6)
        assert span.stop - span.start >= min(least, length)
