import dataclasses

import numpy as np
import pytest

from tests.film.exact import half_still, pan, sample, zoom
from tf_style.film.flow import Motion
from tf_style.measure.films import FilmMeasure, Moment, Samples, Steadiness, measure_film

pytest.importorskip("cv2")

PICTURE, PAINTING = sample(), sample("brushstrokes")
SIZE = 96, 128


def moving(picture, frames=8, step=(2, 1)):
    return pan(picture, SIZE, step, frames)


def summary(source, generated, motion=None):
    return Steadiness.of(measure_film(source, generated, motion))


@pytest.mark.parametrize("known", [True, False])
def test_a_painting_that_moves_with_the_film_is_steady(known):
    source, painted = moving(PICTURE), moving(PAINTING)
    found = summary(source, painted, source.motion if known else None)
    assert found.warping_error_1 < (1e-6 if known else 0.02)
    assert found.source_warping_error_1 < (1e-6 if known else 0.01)
    assert found.warping_error_5 < (1e-6 if known else 0.03)


@pytest.mark.parametrize("known", [True, False])
def test_a_painting_that_flickers_or_stays_behind_is_not(known):
    source = moving(PICTURE)
    motion = source.motion if known else None
    rng = np.random.default_rng(0)
    flickering = [np.clip(frame + rng.normal(0, 0.1), 0, 1) for frame in source]
    behind = [PAINTING[: SIZE[0], : SIZE[1]]] * 8
    for generated in (flickering, behind):
        found = summary(source, generated, motion)
        assert found.warping_error_1 > 0.05 and found.warping_error_5 > 0.05
        assert known or found.relative_error_1 > 10


def test_the_error_is_the_mean_over_what_is_trusted():
    rng = np.random.default_rng(0)
    frames = rng.random((2, 2, 6, 7, 3), dtype=np.float32)
    trust = rng.random((6, 7), dtype=np.float32)
    flow = np.zeros((6, 7, 2), np.float32)
    flow[..., 0] = 1
    *_, moment = measure_film(*frames, lambda before, after: Motion(flow, trust))
    for kind, (before, after) in zip(("source_", ""), frames.astype(float), strict=True):
        moved = before[:, [1, 2, 3, 4, 5, 6, 6]]
        error = (np.abs(moved - after).mean(2) * trust).sum() / trust.sum()
        assert getattr(moment, f"{kind}warping_error_1") == pytest.approx(error, rel=1e-5)


def test_each_lag_asks_for_its_own_motion():
    asked = []
    source = moving(PICTURE, 7)

    def motion(before, after):
        asked.append((before, after))
        return source.motion(before, after)

    moments = measure_film(source, source, motion)
    assert asked == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 5), (5, 6), (1, 6)]
    assert np.isnan([each.warping_error_1 for each in moments]).tolist() == [True] + 6 * [False]
    assert np.isnan([each.warping_error_5 for each in moments]).tolist() == 5 * [True] + 2 * [False]


@pytest.mark.parametrize("known", [True, False])
def test_what_stands_still_drifts(known):
    source = half_still(pan(PICTURE, SIZE, (3, 0), 12))
    drifting = [frame + number / 255 for number, frame in enumerate(source)]
    moments = measure_film(source, drifting, source.motion if known else None)
    assert np.isnan(moments[0].drift)
    # Flat places of the half that moves come to rest now and then.
    assert [each.drift for each in moments[1:]] == pytest.approx([*range(1, 12)], rel=0.15)
    # But for what lies beside the half that moves; and flat places of that half, if found so.
    assert all(0.3 < each.still < (0.55 if known else 0.75) for each in moments[1:])
    assert Steadiness.of(moments).drift == pytest.approx(11, rel=0.15)


def test_what_moves_does_not_drift():
    source = moving(PICTURE, 6, (4, 2))
    for moment in measure_film(source, source)[1:]:
        assert moment.still < 0.05


def test_what_is_flat_and_moves_is_not_still():
    """Its surroundings tell that it moves."""
    flat = PICTURE.copy()
    flat[40:70, 60:90] = 0.5
    source = moving(flat, 6, (4, 2))
    assert all(each.still < 0.05 for each in measure_film(source, source)[1:])


def test_what_comes_to_rest_counts_from_then_on():
    """Drift is told from when a part came to rest."""
    source = [*moving(PICTURE, 3, (4, 0))]
    source += 3 * [source[-1]]
    generated = [frame * 0 + number / 255 for number, frame in enumerate(source)]
    moments = measure_film(source, generated)
    assert moments[2].still < 0.05
    assert [each.drift for each in moments[3:]] == pytest.approx([1, 2, 3], abs=0.05)


def test_still_parts_are_held_against_the_last_hundred_frames():
    still = np.full((8, 8, 3), 0.5, np.float32)
    measure = FilmMeasure()
    drift = [measure.add(still, still + number / 2550, number).drift for number in range(205)]
    assert drift[99:103] == pytest.approx([9.9, 10, 0.1, 0.2], abs=1e-3)
    assert max(drift[1:]) == pytest.approx(10, abs=1e-3)


def test_edges_that_get_lost():
    source = [*moving(PICTURE, 12, (0, 0))]
    pale = [0.5 + (frame - 0.5) * (1 - number / 24) for number, frame in enumerate(source)]
    found = summary(source, pale)
    assert found.edge_energy == pytest.approx((1 - 11 / 24) ** 2, rel=1e-3)
    assert found.source_edge_energy == pytest.approx(1)


def test_a_shot_begins_anew():
    first, second = moving(PICTURE, 4), moving(sample("ink"), 4)
    source = [*first, *second]
    moments = measure_film(source, source)
    assert [each.cut for each in moments] == [False] * 4 + [True] + [False] * 3
    assert np.isnan(moments[4].warping_error_1) and np.isnan(moments[4].drift)
    assert moments[4].edge_energy == 1
    assert max(each.warping_error_1 for each in moments[5:]) < 0.05
    assert all(np.isnan(each.warping_error_5) for each in moments)


def test_the_source_is_seen_at_the_size_of_what_was_made():
    source = pan(PICTURE, (192, 256), (4, 2), 3)
    painted = pan(PICTURE, SIZE, (2, 1), 3)
    found = summary(source, painted)
    assert found.source_warping_error_1 < 0.02


def test_films_of_one_frame_and_tiny_ones():
    assert np.isnan(summary([PICTURE], [PICTURE]).warping_error_1)
    for size in ((1, 1), (2, 2), (7, 5)):
        frames = np.random.default_rng(0).random((7, *size, 3), dtype=np.float32)
        moments = measure_film(frames, frames)
        assert len(moments) == 7
        assert all(each.relative_error_1 in (1, None) or np.isnan(each.relative_error_1)
                   for each in [Steadiness.of(moments)])


def test_zoom_is_followed():
    source = zoom(PICTURE, SIZE, 1.02, 7)
    found = summary(source, source)
    assert found.relative_error_1 == found.relative_error_5 == 1
    assert found.warping_error_5 < 0.03


def test_a_film_that_is_shorter():
    with pytest.raises(ValueError, match="shorter"):
        measure_film([PICTURE] * 2, [PICTURE])


@pytest.mark.parametrize("length", [1, 2, 5, 6, 9, 10, 11, 37, 1000])
def test_samples_are_spread_evenly(length):
    samples = Samples(5)
    for number in range(length):
        samples.add(number)
        assert len(samples._kept) < 10
    chosen = samples.chosen()
    assert len(chosen) == min(5, length) and chosen == sorted(set(chosen))
    assert chosen[0] == 0 and chosen[-1] >= 0.75 * (length - 1)
    gaps = np.diff(chosen)
    assert length < 10 or gaps.max() <= 2 * gaps.min()


def test_what_could_not_be_measured_does_not_count():
    moments = [Moment(0), dataclasses.replace(Moment(1), warping_error_1=0.2,
                                              source_warping_error_1=0.1)]
    found = Steadiness.of(moments)
    assert found.warping_error_1 == 0.2 and found.relative_error_1 == pytest.approx(2)
    assert np.isnan(found.relative_error_5) and np.isnan(found.drift)
