import dataclasses
import functools

import numpy as np
import pytest
import tensorflow as tf

from tf_style.image.style import Style
from tf_style.loss.blocks import Blocks
from tf_style.loss.compiled import Compiled
from tf_style.loss.objective import Objective
from tf_style.loss.style import STYLE_LOSSES
from tf_style.network import weights
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.features import feature_model
from tf_style.network.models import vgg_model
from tf_style.network.networks import Network
from tf_style.settings import InputError, Settings

LAYERS = ["block1_conv1", "block2_conv1", "block3_conv2", "block4_conv1"]
IN_BLOCKS = [name for name, loss in STYLE_LOSSES.items() if loss.mean_over_positions]
# Phase takes long to trace.
MIXED = {"style_loss": "gram:1,phase:0.5", "style_layers": "block3_conv2"}
VGG16 = ARCHITECTURES["vgg16"]
COMPACT = ARCHITECTURES["compact"]


@functools.cache
def network(seed):
    """Padded as in a run, and as published; the third has readouts."""
    if seed == 2:
        return read_out()
    if seed == 3:
        return dataclasses.replace(network(1), stride=16)
    kernels = weights.load(VGG16, VGG16.up_to(LAYERS), "random", seed=seed).kernels
    model = vgg_model(VGG16, LAYERS, kernels, padding=("edge", "zeros")[seed])
    return Network(model, VGG16, stride=8)


def read_out():
    random = np.random.default_rng(0)
    kernels = {
        name: (kernel, bias, random.normal(0, 0.2, readout.shape).astype(np.float32))
        for name, (kernel, bias, readout) in weights.load(
            COMPACT, COMPACT.up_to(LAYERS), "random").kernels.items()
    }
    return Network(vgg_model(COMPACT, LAYERS, kernels, padding="edge"), COMPACT, stride=8)


def settings(**values):
    return Settings(**{
        "content_loss": "squared",
        # Traces take long: one layer of the first piece and one of the second.
        "content_layers": "block2_conv1:2,block3_conv2",
        "style_layers": "block1_conv1,block3_conv2", "style_loss": "gram",
        "content_weight": 2, "style_weight": 5, "tv_weight": 0.5, "precision": "float32", **values,
    })


@functools.cache
def both(networks=(0,), **values):
    """An objective as a whole, compiled, and in blocks: traced once for all tests."""
    whole = Objective.of([network(seed) for seed in networks], settings(**values))
    return whole, Compiled(whole.value_and_gradient), Blocks(whole, 64)


def picture(height, width, seed):
    """Noise that is coarse and fine, and not the same everywhere."""
    random = np.random.default_rng(seed)
    fine = random.random((height, width, 3))
    coarse = random.random((height // 8 + 1, width // 8 + 1, 3))
    coarse = np.kron(coarse, np.ones((8, 8, 1)))[:height, :width]
    return ((fine * np.linspace(0, 1, width)[:, None] + coarse) / 2).astype(np.float32)


def compared(targets):
    """The same, but axes, of which single ones are hardly determined, with their variances."""
    if isinstance(targets, list):
        return [compared(each) for each in targets]
    if not isinstance(targets, dict):
        return targets
    targets = {name: compared(each) for name, each in targets.items()}
    if "axes" in targets:
        axes = tf.cast(targets.pop("axes"), tf.float64)
        targets["root"] = tf.matmul(axes @ targets["root"], axes, transpose_b=True)
    return targets


def assert_same(height, width, *, region=False, protect=False, **values):
    whole, compiled, blocks = both(**values)
    mask = (picture(height, width, 4)[..., 0] > 0.4).astype(np.float32) if region else None
    styles = [Style(picture(100, 140, 2), share=0.7, region=mask),
              Style(picture(90, 70, 3), share=0.3, region=None if mask is None else 1 - mask)]
    image, content = tf.constant(picture(height, width, 0)[None]), picture(height, width, 1)
    held = picture(height, width, 5)[..., 0] if protect else None
    expected, found = (each.targets(content, styles, held) for each in (whole, blocks))
    for one, other in zip(*(tf.nest.flatten(compared(each))
                            for each in (expected, found)), strict=True):
        assert one.shape == other.shape
        assert np.linalg.norm(one - other) <= 1e-4 * np.linalg.norm(one)
    value, parts, gradient = compiled(image, expected, tf.constant(0))
    again, same_parts, same = blocks.value_and_gradient(image, found)
    assert again.numpy() == pytest.approx(value.numpy(), rel=1e-5)
    assert {*same_parts} == {*parts}
    for name, part in parts.items():
        assert same_parts[name].numpy() == pytest.approx(part.numpy(), rel=1e-4)
    assert np.linalg.norm(same - gradient) < 1e-4 * np.linalg.norm(gradient)


# `gram` is the loss of most other tests here.
@pytest.mark.parametrize("loss", [each for each in IN_BLOCKS if each not in ("gram", "phase")])
def test_the_gradient_is_the_whole_pictures(loss):
    assert_same(100, 141, style_loss=loss)


def test_the_gradient_of_many_layers():
    assert_same(100, 141, style_layers=",".join(LAYERS))


@pytest.mark.parametrize("height, width", [(127, 150), (40, 130), (64, 64), (30, 30), (129, 65)])
def test_the_gradient_at_odd_sizes_and_in_few_blocks(height, width):
    assert_same(height, width, **MIXED)


def test_the_gradient_of_networks_that_see_the_image_continued_differently():
    assert_same(83, 101, networks=(0, 3))


def test_the_gradient_with_regions():
    assert_same(100, 133, region=True, **MIXED)


@pytest.mark.parametrize("values", [
    {}, {"protect": True, "style_weight": 1}, {"content_weight": 0.1, "style_weight": 0},
])
def test_the_gradient_of_a_content_compared_by_its_structure(values):
    assert_same(100, 141, content_loss="cosine", **values)


@pytest.mark.parametrize("values", [{}, {"region": True, **MIXED}])
def test_the_gradient_where_the_content_is_protected(values):
    """With a style weight below the content's, whose pixels count, too."""
    assert_same(100, 141, protect=True, style_weight=1, **values)


def test_the_gradient_of_two_networks():
    assert_same(80, 103, networks=(0, 1))


def test_the_gradient_of_a_network_with_readouts():
    assert_same(100, 141, networks=(2,), style_layers=",".join(LAYERS))


@pytest.mark.parametrize("weight", ["content_weight", "style_weight", "tv_weight"])
def test_the_gradient_without_one_part(weight):
    assert_same(80, 103, **{weight: 0})


def test_pictures_of_a_batch_are_each_by_themselves():
    _, _, blocks = both()
    pictures = [picture(70, 90, seed) for seed in (0, 5)]
    targets = blocks.targets(picture(70, 90, 1), [Style(picture(70, 90, 2))])
    values, _, gradients = blocks.value_and_gradient(tf.constant(np.stack(pictures)), targets)
    for place, each in enumerate(pictures):
        value, _, gradient = blocks.value_and_gradient(tf.constant(each[None]), targets)
        assert values[place].numpy() == pytest.approx(value[0].numpy(), rel=1e-5)
        error = np.linalg.norm(gradients[place] - gradient[0])
        assert error < 1e-4 * np.linalg.norm(gradient)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_differs_no_more_than_it_does_as_a_whole(precision):
    image, content, style = (picture(40, 70, seed) for seed in range(3))
    layers = ["block1_conv1", "block3_conv2"]
    model = feature_model(layers, "random", dtype=precision)
    whole = Objective.of([Network(model, VGG16)], settings(
        precision=precision, content_layers=layers[-1:], style_layers=layers
    ))
    expected, found = (
        each.value_and_gradient(
            tf.constant(image[None]), each.targets(content, [Style(style)])
        )[2]
        for each in (whole, Blocks(whole, 32))
    )
    assert np.linalg.norm(found - expected) < 0.03 * np.linalg.norm(expected)


def test_one_trace_serves_all_sizes():
    whole = Objective.of([network(0)], settings())
    blocks, traces = Blocks(whole, 64), []
    for height, width in ((100, 133), (64, 64), (70, 160)):
        targets = blocks.targets(picture(height, width, 1), [Style(picture(height, width, 2))])
        blocks.value_and_gradient(tf.constant(picture(height, width, 0)[None]), targets)
        traces.append(blocks.traces)
    # The first pass is traced for targets, which has no content, and for steps.
    assert traces == [2, 2, 2]


@pytest.mark.parametrize("loss", [name for name in STYLE_LOSSES if name not in IN_BLOCKS])
def test_losses_that_are_no_mean_are_refused(loss):
    with pytest.raises(InputError, match=f"style_loss={loss}: not a mean over positions"):
        Blocks(Objective.of([network(0)], settings(style_loss=loss)), 64)


def test_networks_with_unknown_layers_are_refused():
    unknown = Network(network(0).model)
    with pytest.raises(InputError, match="a saved model cannot be computed block by block"):
        Blocks(Objective.of([unknown], settings()), 64)
