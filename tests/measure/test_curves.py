import dataclasses

import numpy as np
import pytest

from tf_style.measure.curves import common_content, read_at
from tf_style.measure.metrics import Evaluation


def point(kept, distance):
    return Evaluation(distance, kept, 0.5, 0.1, patch_distance=2 * distance)


CURVE = [point(0.8, 0.6), point(0.4, 0.2), point(0.6, 0.3)]


@pytest.mark.parametrize("kept, distance, extrapolated", [
    (0.4, 0.2, False), (0.5, 0.25, False), (0.6, 0.3, False), (0.7, 0.45, False),
    (0.8, 0.6, False), (0.9, 0.75, True), (0.3, 0.15, True),
])
def test_between_two_pictures_and_beyond_the_last(kept, distance, extrapolated):
    reading = read_at(CURVE, kept)
    assert reading.extrapolated == extrapolated
    assert reading.evaluation.style_distance == pytest.approx(distance)
    assert reading.evaluation.patch_distance == pytest.approx(2 * distance)
    assert reading.evaluation.content_similarity == pytest.approx(kept)
    assert np.isnan(reading.evaluation.copied), "was not measured"


def test_pictures_that_keep_as_much_are_averaged():
    assert read_at([*CURVE, point(0.6, 0.5)], 0.6).evaluation.style_distance == pytest.approx(0.4)


def test_a_single_picture_tells_nothing_elsewhere():
    alone = [point(0.5, 0.2)]
    assert read_at(alone, 0.5).evaluation.style_distance == 0.2
    elsewhere = read_at(alone, 0.6)
    assert elsewhere.extrapolated
    assert np.isnan(dataclasses.astuple(elsewhere.evaluation)).all()


def test_pictures_that_could_not_be_measured_are_left_out():
    assert read_at([*CURVE, point(np.nan, 9)], 0.5).evaluation.style_distance == pytest.approx(0.25)
    with pytest.raises(ValueError, match="expected a picture"):
        read_at([point(np.nan, 1)], 0.5)


@pytest.mark.parametrize("ranges, middle", [
    ([(0.2, 0.8)], 0.5), ([(0.2, 0.6), (0.4, 0.9)], 0.5), ([(0.1, 0.3), (0.5, 0.9)], 0.4),
])
def test_common_content_is_the_middle_of_what_all_have(ranges, middle):
    curves = [[point(each, 1) for each in ends] for ends in ranges]
    assert common_content(curves) == pytest.approx(middle)
