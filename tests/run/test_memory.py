import warnings

import numpy as np
import pytest
import tensorflow as tf

from tf_style import InputError, Stylizer, stylize
from tf_style.image.files import read_picture
from tf_style.network.choice import choose, uses
from tf_style.run import memory
from tf_style.run.schedule import Scale
from tf_style.settings import Settings

SMALL = {
    "size": 160, "scales": 1, "steps": 20, "weights": "random", "tolerance": 0,
    "style_loss": "gram", "content_layers": "block2_conv1",
    "style_layers": "block1_conv1,block3_conv1", "precision": "float32", "style_cleanup": "off",
}


def estimate(side, precision="float32", **settings):
    chosen, choices = choose(Settings(weights="random", **settings))
    return memory.Estimate.of(
        uses(chosen, choices), precision, Scale(side, side, side, 1), [(side, side)]
    )


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
    assert large.block_size(0) == 128, "the smallest, if none fits"


def test_smaller_blocks():
    sizes = [5000]
    while sizes[-1] is not None:
        sizes.append(memory.smaller_block_size(sizes[-1]))
    assert sizes == [5000, 512, 256, 128, None]


def test_groups_limits_are_heeded(tmp_path, monkeypatch):
    """Of control groups of both versions: the files, as the kernel writes them."""
    (tmp_path / "memory" / "job").mkdir(parents=True)
    (tmp_path / "app").mkdir()
    for path, text in {
        "memory/job/memory.limit_in_bytes": "3000", "memory/job/memory.usage_in_bytes": "1000",
        "memory/job/memory.stat": "cache 7\ntotal_inactive_file 500\n",
        "memory/memory.limit_in_bytes": "9223372036854771712",
        "memory/memory.usage_in_bytes": "5000",
        "app/memory.max": "max", "app/memory.current": "12",
        "memory.max": "800", "memory.current": "300", "memory.stat": "inactive_file 100\n",
    }.items():
        (tmp_path / path).write_text(text.rstrip() + "\n")
    lines = memory._lines

    def read(path):
        return ["5:cpu:/", "4:memory:/job", "0::/app"] if str(path) == "/proc/self/cgroup" else (
            lines(path))

    monkeypatch.setattr(memory, "_lines", read)
    assert sorted(memory._cgroup_room(tmp_path))[:2] == [600, 2500]


def test_what_is_free_is_known_here():
    limit = memory.limit()
    assert limit is None or 2e8 < limit < 1e14


def test_blocks_are_chosen_where_the_whole_does_not_fit(content, style, monkeypatch):
    stylizer = Stylizer(**{**SMALL, "steps": 2})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert stylizer.stylize(content, style).settings.block_size == 0
    with pytest.warns(UserWarning, match="computing in blocks of 128 pixels: the whole picture"):
        assert Stylizer(**{**SMALL, "steps": 2, "max_memory": 0.1}).stylize(
            content, style
        ).settings.block_size == 128
    monkeypatch.setattr(memory, "limit", lambda: 5e8)
    with pytest.warns(UserWarning, match="more than the 0.5 GB that there are"):
        assert stylizer.stylize(content, style).settings.block_size == 128


def test_blocks_give_the_same_picture(content, style):
    """After 30 steps, at an odd size."""
    settings = {**SMALL, "size": 255, "steps": 30}
    whole, blocks = (stylize(content, style, **settings, block_size=size).image
                     for size in (0, 64))
    assert np.abs(whole - blocks).mean() < 1 / 255
    assert np.abs(whole - whole[::-1]).mean() > 1 / 255, "not all the same anyway"


@pytest.mark.slow
def test_blocks_give_the_same_picture_by_default(real_weights):
    """Rounding errors grow where steps go past where the loss is lowest; they must not here."""
    content, style = (read_picture(f"sample:{name}") for name in ("harbor", "brushstrokes"))
    settings = {"size": 255, "scales": 1, "steps": 30, "weights": real_weights,
                "precision": "float32", "tolerance": 0}
    whole, blocks = (stylize(content, style, **settings, block_size=size).image
                     for size in (0, 64))
    assert np.abs(whole - blocks).mean() < 1 / 255


def test_running_out_of_memory_goes_on_in_blocks(content, style, monkeypatch):
    stylizer = Stylizer(**SMALL)
    canvas = stylizer._canvas
    whole, calls = canvas._whole, []

    def short_of_memory(*arguments):
        calls.append(1)
        if len(calls) == 7:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")
        return whole(*arguments)

    monkeypatch.setattr(canvas, "_whole", short_of_memory)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = stylizer.stylize(content, style)
    assert [str(each.message) for each in caught] == [
        "out of memory; going on in blocks of 128 pixels"
    ]
    assert len(result.history) == 20 and result.stopped == "steps"
    again = stylize(content, style, **SMALL)
    assert np.abs(result.image - again.image).mean() < 0.1 / 255, "no step was lost or done twice"


def test_no_memory_even_for_the_smallest_blocks(content, style, monkeypatch):
    stylizer = Stylizer(**SMALL, block_size=128)

    def short_of_memory(*arguments):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")

    monkeypatch.setattr(stylizer._canvas, "value_and_gradient", lambda targets: (
        stylizer._canvas._in_memory(160, short_of_memory)))
    with pytest.raises(MemoryError):
        stylizer.stylize(content, style)


def test_a_loss_that_needs_the_whole_is_not_computed_in_blocks(content, style):
    settings = {**SMALL, "steps": 2, "style_loss": "histogram"}
    assert stylize(content, style, **settings, max_memory=0.1).settings.block_size == 0
    with pytest.raises(InputError, match="--style_loss=histogram: no mean over positions"):
        stylize(content, style, **settings, block_size=64)
