"""Films that are written: frames, times, colours and sound, checked with other decoders."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from tests.film.films import number_of, pattern, write
from tf_style.film import sink
from tf_style.film.source import Info, open_film
from tf_style.film.store import Store
from tf_style.settings import InputError


def store_of(tmp_path, count=6, size=(32, 48)):
    store = Store(tmp_path / "frames")
    for number in range(count):
        store.add(number, pattern(number, *size), None, {})
    return store


def put(tmp_path, name, store, times, *, info=None, sound=None, note=None):
    remarks = []
    path = sink.check_film(tmp_path / name)
    sink.write(path, store, times, info or Info(48, 32, Fraction(10)), sound, note, remarks.append)
    return path, remarks


def every(rate, count=6):
    return [each / Fraction(rate) for each in range(count)]


@pytest.mark.parametrize("ending", [".mp4", ".m4v", ".mov", ".mkv", ".webm", ".gif", ".webp"])
def test_frames_and_times_come_back(tmp_path, ending):
    times = [Fraction(each, 100) for each in (0, 10, 20, 50, 60, 70)]
    path, _ = put(tmp_path, f"film{ending}", store_of(tmp_path), times)
    with open_film(str(path)) as film:
        frames = list(film.frames())
    assert [number_of(each.picture) for each in frames] == list(range(6))
    assert [each.time for each in frames] == times


def test_the_same_frames_are_the_same_film(tmp_path):
    """What the encoder adds up by itself does not decide: it did for one film in ten."""
    source = write(tmp_path / "source.mp4", 60)
    store = Store(tmp_path / "frames")
    with open_film(str(source)) as film:
        for number, frame in enumerate(film.frames()):
            store.add(number, frame.picture // 2, None, {})
    films = [put(tmp_path, "film.mp4", store, every(10, 60))[0].read_bytes() for _ in range(40)]
    assert len({*films}) == 1
    # It happens by chance, more often on a busy machine: what does it is written in the film.
    assert b"mbtree=0" in films[0]


@pytest.mark.parametrize("ending", [".mp4", ".webm", ".mkv"])
def test_another_decoder_sees_the_same_colours(tmp_path, ending):
    path, _ = put(tmp_path, f"film{ending}", store_of(tmp_path), every(10))
    other = cv2.VideoCapture(str(path))
    shown = cv2.cvtColor(other.read()[1], cv2.COLOR_BGR2RGB)
    assert np.abs(shown.astype(int) - pattern(0)).mean() < 4
    assert other.get(cv2.CAP_PROP_FRAME_COUNT) == 6


def test_mp4_is_what_browsers_play(tmp_path):
    path, _ = put(tmp_path, "film.mp4", store_of(tmp_path), every(25))
    with av.open(str(path)) as file:
        context = file.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
    content = path.read_bytes()
    # What a player needs first stands first.
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize("rate", ["25", "24000/1001", "30000/1001", "12.5", "1000"])
def test_no_rate_drifts(tmp_path, rate):
    times = every(Fraction(rate))
    path, _ = put(tmp_path, "film.mp4", store_of(tmp_path), times)
    with open_film(str(path)) as film:
        assert [each.time for each in film.frames()] == times
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        lasts = stream.duration * stream.time_base
    assert abs(lasts - 6 / Fraction(rate)) <= Fraction(1, 10_000)


@pytest.mark.parametrize(("matrix", "full"), [("ITU709", False), ("ITU601", True)])
def test_colours_are_marked_as_the_source_marked_them(tmp_path, matrix, full):
    info = Info(48, 32, Fraction(10), matrix=matrix, full_range=full)
    path, _ = put(tmp_path, "film.mp4", store_of(tmp_path), every(10), info=info)
    with open_film(str(path)) as film:
        assert (film.info.matrix, film.info.full_range) == (matrix, full)
        assert np.abs(next(film.frames()).picture.astype(int) - pattern(0)).mean() < 3


def test_pixels_that_are_no_squares_stay_so(tmp_path):
    source = write(tmp_path / "source.mp4", 2, aspect=Fraction(4, 3))
    with open_film(str(source)) as film:
        info = film.info
    assert info.aspect == Fraction(4, 3)
    path, _ = put(tmp_path, "film.mp4", store_of(tmp_path), every(10), info=info)
    with open_film(str(path)) as film:
        assert film.info.aspect == Fraction(4, 3)


@pytest.mark.parametrize("size", [(1, 1), (33, 47), (2, 3)])
def test_odd_sides_get_their_last_pixels_twice(tmp_path, size):
    path, _ = put(tmp_path, "film.mp4", store_of(tmp_path, 3, size), every(10, 3))
    with open_film(str(path)) as film:
        shape = next(film.frames()).picture.shape
    assert shape[:2] == (size[0] + size[0] % 2, size[1] + size[1] % 2)


def sound_of(path):
    """Samples, their rate, and when they begin, as another program hears them."""
    with av.open(str(path)) as file:
        if not file.streams.audio:
            return None
        frames = list(file.decode(audio=0))
        rate = frames[0].sample_rate
        samples = np.concatenate([each.to_ndarray().reshape(-1) for each in frames])
        return samples, rate, float(frames[0].pts * frames[0].time_base)


@pytest.mark.parametrize(("name", "codec", "ending", "anew"), [
    ("source.mp4", "aac", ".mp4", False), ("source.mp4", "aac", ".mov", False),
    ("source.mkv", "libopus", ".webm", False), ("source.mkv", "libopus", ".mp4", False),
    ("source.mp4", "aac", ".webm", True), ("source.avi", "pcm_s16le", ".mp4", True),
])
def test_sound_is_copied_or_else_encoded(tmp_path, name, codec, ending, anew):
    source = write(tmp_path / name, 30, sound=codec,
                   codec="mpeg4" if name.endswith("avi") else "libx264", options={"b": "1M"})
    path, remarks = put(tmp_path, f"film{ending}", store_of(tmp_path, 30), every(10, 30),
                        sound=(str(source), Fraction(0), None))
    samples, rate, begins = sound_of(path)
    assert abs(len(samples) / rate - 3) < 0.1
    assert abs(begins) < 0.03
    spectrum = np.abs(np.fft.rfft(samples[: 2 * rate]))
    assert spectrum.argmax() / 2 == pytest.approx(440, abs=2)
    assert any("anew" in each for each in remarks) == anew


def test_sound_of_a_part_begins_and_ends_with_it(tmp_path):
    source = write(tmp_path / "source.mp4", 50, sound="aac")
    path, _ = put(tmp_path, "film.mp4", store_of(tmp_path, 20), every(10, 20),
                  sound=(str(source), Fraction(2), Fraction(4)))
    samples, rate, begins = sound_of(path)
    assert abs(len(samples) / rate - 2) < 0.1
    assert abs(begins) < 0.05


def test_a_film_without_sound_stays_silent(tmp_path):
    source = write(tmp_path / "source.mp4", 6)
    path, remarks = put(tmp_path, "film.mp4", store_of(tmp_path), every(10),
                        sound=(str(source), Fraction(0), None))
    assert sound_of(path) is None and not remarks


def test_a_gif_keeps_its_times_to_the_hundredth_without_drift(tmp_path):
    times = every(30, 6)
    path, _ = put(tmp_path, "film.gif", store_of(tmp_path), times)
    with open_film(str(path)) as film:
        for frame, time in zip(film.frames(), times, strict=True):
            assert abs(frame.time - time) <= Fraction(1, 200)


def test_transparency_is_kept_where_it_can_be(tmp_path):
    store = Store(tmp_path / "frames")
    alpha = np.full((32, 48), 255, np.uint8)
    alpha[:, 10:30] = 0
    for number in range(2):
        store.add(number, pattern(number), alpha, {})
    for name in ("film.webp", "film.gif"):
        path, _ = put(tmp_path, name, store, every(10, 2))
        with open_film(str(path)) as film:
            np.testing.assert_array_equal(next(film.frames()).alpha, alpha)
    _, remarks = put(tmp_path, "film.mp4", store, every(10, 2))
    assert "transparency" in remarks[0]


def test_frames_are_written_all_at_once(tmp_path):
    path, _ = put(tmp_path, "folder", store_of(tmp_path), every(10))
    assert sorted(each.name for each in path.iterdir()) == [f"{n:05d}.png" for n in range(6)]
    with pytest.raises(InputError, match="holds files"):
        sink.check_film(path)


def test_a_note_is_kept(tmp_path):
    path, _ = put(tmp_path, "film.mp4", store_of(tmp_path), every(10), note='{"a": 1}')
    with av.open(str(path)) as file:
        assert file.metadata["comment"] == '{"a": 1}'


def test_what_cannot_be_written_leaves_no_film_and_all_frames(tmp_path, monkeypatch):
    store = store_of(tmp_path)
    old = tmp_path / "film.mp4"
    old.write_bytes(b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(InputError, match=r"No space left on device\); its frames are in"):
        put(tmp_path, "film.mp4", store, every(10))
    assert old.read_bytes() == b"old"
    assert store.numbers() == set(range(6))


@pytest.mark.parametrize("name", ["film.avi", "film.jpg", "film.txt"])
def test_other_endings_are_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"expected \.mp4"):
        sink.check_film(tmp_path / name)
