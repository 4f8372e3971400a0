import subprocess
import sys
import warnings

import pytest

from tf_style import InputError, Stylizer, stylize
from tf_style.network.choice import choose
from tf_style.run import cost, machine
from tf_style.run.schedule import Scale
from tf_style.settings import Settings

SMALL = {
    "size": 160, "scales": 1, "steps": 20, "weights": "random", "tolerance": 0,
    "style_loss": "gram", "content_layers": "block2_conv1",
    "style_layers": "block1_conv1,block3_conv1", "precision": "float32", "style_cleanup": "off",
}


def estimate(side, precision="float32", **settings):
    _, choices = choose(Settings(weights="random", **settings))
    return cost.Estimate.of(choices, precision, Scale(side, side, (side,), 1), [(side, side)])


def test_estimates_grow_with_what_is_held():
    assert estimate(2048).whole > 3 * estimate(1024).whole
    assert estimate(1024).whole > 1.3 * estimate(1024, "bfloat16").whole
    assert estimate(1024).whole > estimate(1024).in_blocks(512) > estimate(1024).in_blocks(128)
    deep = {"content_layers": "block5_conv2", "style_layers": "block1_conv1,block5_conv1"}
    assert estimate(1024, **deep).whole > estimate(1024).whole


def test_the_widest_blocks_that_fit():
    large = estimate(4096)
    assert large.block_size(large.whole) == 0
    assert large.block_size(large.in_blocks(512)) == 512
    assert large.block_size(large.in_blocks(512) - 1) == 256
    assert large.block_size(large.in_blocks(128)) == 128
    assert large.block_size(0) == 256, "if none fits, none that saves next to nothing"
    assert estimate(512).block_size(0) == 128
    assert estimate(100).block_size(0) == 0, "a block would be no smaller"


def test_smaller_blocks():
    sizes = [5000]
    while sizes[-1] is not None:
        sizes.append(cost.smaller_block_size(sizes[-1]))
    assert sizes == [5000, 512, 256, 128, None]


def test_blocks_are_chosen_where_the_whole_does_not_fit(content, style, monkeypatch):
    stylizer = Stylizer(**{**SMALL, "steps": 2})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert stylizer.stylize(content, style).settings.block_size == 0
    with pytest.warns(UserWarning, match="computing in blocks of 128 pixels: the whole picture"):
        assert Stylizer(**{**SMALL, "steps": 2, "max_memory": 0.1}).stylize(
            content, style
        ).settings.block_size == 128
    monkeypatch.setattr(machine, "memory_limit", lambda: 5e8)
    with pytest.warns(UserWarning, match="more than the 0.5 GB available"):
        assert stylizer.stylize(content, style).settings.block_size == 128


def test_a_loss_that_needs_the_whole_is_not_computed_in_blocks(content, style):
    settings = {**SMALL, "steps": 2, "style_loss": "histogram"}
    assert stylize(content, style, **settings, max_memory=0.1).settings.block_size == 0
    with pytest.raises(InputError, match="style_loss=histogram: not a mean over positions"):
        stylize(content, style, **settings, block_size=64)


@pytest.mark.parametrize("height, width, block_size, measured", [
    (512, 512, 0, 1.1e9), (1024, 1024, 0, 2.4e9), (2048, 2048, 0, 6.4e9),
    (2048, 2048, 512, 1.8e9), (3072, 4096, 512, 4.3e9),
])
def test_estimates_are_no_less_than_what_was_measured(height, width, block_size, measured):
    """The table in docs/usage.md: default layers, bfloat16. Too low, and a process is killed."""
    _, choices = choose(Settings(weights="random"))
    scale = Scale(height, width, (max(height, width),), 1)
    found = cost.Estimate.of(choices, "bfloat16", scale, [(height, width)])
    estimate = found.in_blocks(block_size) if block_size else found.whole
    assert measured <= estimate <= 1.45 * measured


MEASURE = """
import numpy as np, tf_style
from tf_style.run.machine import peak_memory
content, style = np.random.default_rng(0).random((2, 448, 448, 3), dtype=np.float32)
tf_style.stylize(content, style, size=448, scales=1, steps=2, weights="random", block_size=0,
                 precision="float32", style_cleanup="off")
print(peak_memory())
"""


@pytest.mark.slow
def test_the_estimate_is_near_what_a_run_takes_here():
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True)
    peak = float(done.stdout)
    # Processors differ in what their convolutions lay aside.
    assert 0.8 * peak < estimate(448).whole < 1.6 * peak


def test_readouts_are_counted():
    """A tenth of the products, and a map more for each layer that is looked at."""
    one, all_ = (estimate(1024, network="compact", content_layers="block2_conv2",
                          style_layers=layers)
                 for layers in ("block2_conv2", "block1_conv1,block1_conv2,block2_conv2"))
    assert all_.maps - one.maps == 4 * (32 + 32)
    settings = {"network": "compact", "content_layers": "block1_conv2",
                "style_layers": "block1_conv2", "weights": "random"}
    _, choices = choose(Settings(**settings))
    products = 9 * (3 * 32 + 32 * 32) + 32 * 32
    assert forecast(choices, speed=cost.Speed(1, 1e30)) == pytest.approx(2 * products * 100 * 100)
    assert forecast(choices, speed=cost.Speed(1e30, 1)) == pytest.approx(
        cost._MOVED * 3 * 32 * 100 * 100)


def forecast(choices, speed, block_size=0):
    """Seconds of a step at 100 pixels."""
    found, = cost.forecast(
        choices, "float32", [Scale(100, 100, (100,), 1)], [(100, 100)], block_size, speed)
    return found.seconds


def test_blocks_take_longer_the_narrower_they_are():
    _, choices = choose(Settings(weights="random"))
    speed = cost.Speed(1e11, 1e9)
    whole, wide, narrow = (forecast(choices, speed, size) for size in (0, 64, 16))
    assert 1.5 * whole < wide < narrow


def test_that_even_blocks_do_not_fit_is_said(content, style):
    with pytest.warns(UserWarning, match=r"even in blocks it takes about 0\.\d GB"):
        Stylizer(**{**SMALL, "steps": 1, "max_memory": 0.1}).stylize(content, style)


def test_the_speed_of_this_machine_is_measured():
    speed = cost.measured_speed("float32", side=16, channels=16)
    assert 1e6 < speed.products < 1e16 and 1e5 < speed.values < 1e14
