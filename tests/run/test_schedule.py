import numpy as np
import pytest

from tf_style.run.schedule import Scale, check_size, has_settled, learning_rates, plan
from tf_style.settings import InputError, Settings


def sizes(scales):
    return [(scale.height, scale.width, scale.steps) for scale in scales]


def test_coarse_to_fine_doubles():
    scales = plan(Settings(scales=3, steps="9,8,7"), (768, 1024), [("style", (500, 400))], 16)
    assert sizes(scales) == [(96, 128, 9), (192, 256, 8), (384, 512, 7)]
    assert [scale.style_sides[0] for scale in scales] == [128, 256, 512]


def test_one_scale_is_the_final_size_alone():
    assert sizes(plan(Settings(scales=1, steps=5), (10, 10), [], 4)) == [(512, 512, 5)]


def test_sizes_that_are_too_small_are_left_out():
    scales = plan(Settings(size=64, scales=3, steps="9,8,7"), (64, 64), [], 16)
    assert sizes(scales) == [(16, 16, 9), (32, 32, 8), (64, 64, 7)]
    scales = plan(Settings(size=64, scales=3, steps="9,8,7"), (64, 64), [], 32)
    assert sizes(scales) == [(32, 32, 8), (64, 64, 7)]
    scales = plan(Settings(size=64, scales=3, steps="9,8,7"), (64, 64), [("thin", (10, 40))], 16)
    assert sizes(scales) == [(64, 64, 7)]


def test_sizes_that_come_out_the_same_are_run_once():
    scales = plan(Settings(size=48, scales=12, steps=3), (1, 48), [], 1)
    found = [(scale.height, scale.width) for scale in scales]
    assert len(set(found)) == len(found) and min(min(each) for each in found) == 1
    assert found[-1] == (1, 48)


def test_style_scale_changes_the_style_alone():
    scales = plan(Settings(style_scale=0.5, scales=3, steps=1), (64, 64), [], 1)
    assert [scale.style_sides[0] for scale in scales] == [64, 128, 256]
    assert scales[-1].width == 512


def test_each_style_may_have_a_scale():
    shapes = [("a", (64, 64)), ("b", (64, 64)), ("a", (64, 64))]
    scales = plan(Settings(style_scale="1,0.5,2", scales=2, steps=1), (64, 64), shapes, 1)
    assert [scale.sides(3) for scale in scales] == [(256, 128, 512), (512, 256, 1024)]
    one, = plan(Settings(style_scale=0.5, scales=1, steps=1), (64, 64), shapes, 1)
    assert one.sides(3) == (256, 256, 256)
    with pytest.raises(InputError, match=r"b\.png: 100x20 is seen at 51x10"):
        plan(Settings(style_scale="1,0.1"), (64, 64), [("a", (64, 64)), ("b.png", (20, 100))], 16)


def test_pictures_that_are_too_small_are_named():
    with pytest.raises(InputError, match=r"5000x1 becomes 512x1 .* Least side: 16 pixels"):
        plan(Settings(), (1, 5000), [], 16)
    with pytest.raises(InputError, match=r"thin.jpg: 1000x10 is seen at 512x5"):
        plan(Settings(), (512, 512), [("thin.jpg", (10, 1000))], 16)


def test_learning_rate_comes_to_rest_at_the_last_size_alone():
    settings = Settings(learning_rate=0.5)
    assert set(learning_rates(settings, Scale(9, 9, (9,), 90, number=1, count=2))) == {0.5}
    rates = learning_rates(settings, Scale(9, 9, (9,), 90, number=2, count=2))
    assert rates[0] == 0.5 and rates == sorted(rates, reverse=True)
    assert rates[45] == pytest.approx(0.25) and rates[-1] == pytest.approx(0.05)


def test_learning_rate_schedules():
    constant, cosine = (
        learning_rates(Settings(learning_rate=0.5, learning_rate_schedule=name),
                       Scale(9, 9, (9,), 90))
        for name in ("constant", "cosine")
    )
    assert set(constant) == {0.5}
    assert cosine[0] == 0.5 and cosine[45] == pytest.approx(0.2525) and cosine[-1] < 0.006
    assert cosine == sorted(cosine, reverse=True)


def test_a_size_of_the_styles_own():
    scales = plan(Settings(style_size=1024, scales=2, steps=1), (64, 64), [], 1)
    assert [scale.style_sides[0] for scale in scales] == [512, 1024]


def test_without_content_the_size_is_the_settings():
    assert sizes(plan(Settings(size="64x48", scales=2, steps=1), None, [], 1)) == [
        (24, 32, 1), (48, 64, 1)
    ]
    assert sizes(plan(Settings(size=64, scales=1, steps=1), None, [], 1)) == [(64, 64, 1)]
    with pytest.raises(InputError, match="size=original: there is no content"):
        plan(Settings(size="original"), None, [], 1)
    with pytest.raises(InputError, match="size=64x48: the content gives the proportions"):
        plan(Settings(size="64x48"), (10, 10), [], 1)


def test_the_contents_own_size():
    assert sizes(plan(Settings(size="original", scales=1, steps=1), (70, 50), [], 1)) == [
        (70, 50, 1)
    ]


def test_settling():
    falling = [0.99**step for step in range(40)]
    assert not has_settled(falling, 0.005)
    assert has_settled(falling, 0.02)
    assert has_settled([1.0] * 20, 1e-6)
    assert not has_settled([1.0] * 19, 1e-6), "too early to say"
    assert not has_settled([1.0] * 40, 0), "0 turns it off"
    assert has_settled([1.0 + step / 100 for step in range(40)], 1e-6), "a loss that rises"


def test_sizes_are_numbered_and_know_the_steps_of_those_left_out():
    scales = plan(Settings(size=64, scales=3, steps="9,8,7"), (64, 64), [], 32)
    assert [(each.number, each.count, each.is_last) for each in scales] == [
        (1, 2, False), (2, 2, True)
    ]
    assert {each.all_steps for each in scales} == {(9, 8, 7)}


def test_a_size_that_no_picture_is_large_enough_at():
    check_size(Settings(size=16), 16)
    check_size(Settings(size="original"), 512)
    with pytest.raises(InputError, match=r"size=15: too small for the deepest .* side: 16 pix"):
        check_size(Settings(size=15), 16)


def test_a_picture_at_a_size(content):
    scale = Scale(height=12, width=16, style_sides=(16,), steps=1)
    fitted = scale.fit(content)
    assert fitted.shape == (12, 16, 3) and fitted.min() >= 0 and fitted.max() <= 1
    wide = Scale(height=6, width=24, style_sides=(24,), steps=1)
    # The middle rows of a picture of 48 x 64, all of its columns.
    expected = Scale(height=6, width=24, style_sides=(24,), steps=1).fit(content[16:32])
    np.testing.assert_array_equal(wide.cover(content), expected)
