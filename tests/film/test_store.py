"""Painted frames on the disk."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from tests.film.films import pattern
from tf_style.film.store import Store
from tf_style.settings import InputError


def test_frames_come_back_without_loss(tmp_path):
    store = Store(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (17, 9, 3), np.uint8)
    alpha = np.random.default_rng(1).integers(0, 256, (17, 9), np.uint8)
    store.add(0, noise, None, {})
    store.add(1, noise, alpha, {})
    np.testing.assert_array_equal(store.layers(0), noise)
    np.testing.assert_array_equal(store.layers(1), np.dstack([noise, alpha]))
    np.testing.assert_array_equal(store.picture(1), noise)
    assert store.numbers() == {0, 1}


def test_what_the_painter_carries_on_is_that_of_the_last_frame(tmp_path):
    store = Store(tmp_path)
    for number in range(3):
        store.add(number, pattern(number), None, {"mean": np.array([number, 0.5])})
    np.testing.assert_array_equal(store.state(2)["mean"], [2, 0.5])
    assert store.state(1) is None and store.state(7) is None
    assert len(list(tmp_path.iterdir())) == 4


def test_a_frame_that_was_cut_short_is_not_there(tmp_path):
    store = Store(tmp_path)
    for number in range(3):
        store.add(number, pattern(number), None, {})
    file = tmp_path / "00000001.webp"
    file.write_bytes(file.read_bytes()[:-5])
    (tmp_path / "00000002.webp").write_bytes(b"")
    assert store.numbers() == {0}


def test_a_damaged_frame_is_named(tmp_path):
    store = Store(tmp_path)
    store.add(0, pattern(0), None, {})
    file = tmp_path / "00000000.webp"
    file.write_bytes(file.read_bytes()[:12] + bytes(file.stat().st_size - 12))
    with pytest.raises(InputError, match=r"00000000\.webp: a painted frame cannot be read"):
        store.layers(0)


def test_frames_are_gone_on_with_only_if_that_is_asked_for(tmp_path):
    record = {"film": "abc", "size": (3, 4)}
    store = Store(tmp_path / "film.frames")
    store.begin(record, resume=False)
    store.begin(record, resume=False)
    store.add(0, pattern(0), None, {})
    with pytest.raises(InputError, match=r"holds 1 frame of this film"):
        store.begin(record, resume=False)
    store.begin(record, resume=True)
    assert store.numbers() == {0}


def test_frames_of_another_film_are_left_alone(tmp_path):
    store = Store(tmp_path / "film.frames")
    store.begin({"film": "abc", "every": 1}, resume=False)
    store.add(0, pattern(0), None, {})
    with pytest.raises(InputError, match=r"other settings \(every\)"):
        store.begin({"film": "abc", "every": 2}, resume=True)
    assert store.numbers() == {0}


def test_a_record_that_cannot_be_read_is_named(tmp_path):
    store = Store(tmp_path)
    (tmp_path / "film.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        store.begin({}, resume=True)


def test_one_process_paints_a_part(tmp_path):
    store = Store(tmp_path)
    with (store.held("film"), pytest.raises(InputError, match="is painting this film"),
          store.held("film")):
        pass
    with store.held("film"), store.held("other"):
        pass
    assert not list(tmp_path.iterdir())


def test_frames_are_gone_all_at_once(tmp_path, monkeypatch):
    store = Store(tmp_path / "film.frames")
    for number in range(3):
        store.add(number, pattern(number), None, {})
    assert not store.was_removed()
    removed = shutil.rmtree

    def killed(folder, **_):
        (folder / "00000001.webp").unlink()

    monkeypatch.setattr(shutil, "rmtree", killed)
    store.remove()
    assert store.numbers() == set()
    monkeypatch.setattr(shutil, "rmtree", removed)
    assert store.was_removed()
    assert not list(tmp_path.iterdir())
    assert not store.was_removed()


def test_frames_of_which_nothing_is_said_are_left_alone(tmp_path):
    store = Store(tmp_path / "film.frames")
    store.begin({"film": "abc"}, resume=False)
    store.add(0, pattern(0), None, {})
    (tmp_path / "film.frames" / "film.json").unlink()
    with pytest.raises(InputError, match="and not what film they are of"):
        store.begin({"film": "other"}, resume=False)
    assert store.numbers() == {0}
