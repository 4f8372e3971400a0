"""Films in containers: frames, times, colours and which way is up, compared with other decoders."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from tests.film.films import number_of, pattern, write
from tf_style.film.source import is_film, open_film
from tf_style.settings import InputError


def frames_of(path):
    with open_film(str(path)) as film:
        return film, list(film.frames())


@pytest.mark.parametrize(("ending", "codec"), [
    (".mp4", "libx264"), (".mov", "libx264"), (".mkv", "libx264"), (".webm", "libvpx-vp9"),
    (".avi", "mpeg4"),
])
def test_every_container_gives_all_frames_in_order(tmp_path, ending, codec):
    path = write(tmp_path / f"film{ending}", codec=codec, options={"b": "2M"})
    film, frames = frames_of(path)
    assert [number_of(each.picture) for each in frames] == list(range(10))
    assert [each.time for each in frames] == [Fraction(each, 10) for each in range(10)]
    assert (film.info.width, film.info.height, film.info.rate) == (48, 32, 10)
    assert film.info.frames == 10
    assert film.broken == 0


def test_frames_can_be_read_again(tmp_path):
    with open_film(str(write(tmp_path / "film.mp4"))) as film:
        first = [each.picture for each in film.frames()]
        again = [each.picture for each in film.frames()]
    np.testing.assert_array_equal(first, again)


def test_two_can_read_at_once(tmp_path):
    with open_film(str(write(tmp_path / "film.mp4"))) as film:
        pairs = list(zip(film.frames(), film.frames(), strict=True))
    assert len(pairs) == 10
    assert all((one.picture == other.picture).all() for one, other in pairs)


def test_times_are_the_files_own(tmp_path):
    times = [Fraction(each, 1000) for each in (0, 40, 200, 233, 900)]
    _, frames = frames_of(write(tmp_path / "film.mkv", 5, times=times))
    assert [each.time for each in frames] == times


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_frames_are_upright_as_another_decoder_has_them(tmp_path, turned):
    path = write(tmp_path / "film.mp4", 2, turned=turned)
    film, frames = frames_of(path)
    other = cv2.VideoCapture(str(path))
    expected = cv2.cvtColor(other.read()[1], cv2.COLOR_BGR2RGB)
    assert frames[0].picture.shape == expected.shape
    assert (film.info.height, film.info.width) == expected.shape[:2]
    assert np.abs(frames[0].picture.astype(int) - expected).mean() < 4
    assert np.abs(np.rot90(frames[0].picture, 2).astype(int) - expected).mean() > 20


@pytest.mark.parametrize(("matrix", "full"), [(1, False), (6, False), (1, True), (6, True)])
def test_colours_come_back_whatever_matrix_and_range_they_had(tmp_path, matrix, full):
    path = write(tmp_path / "film.mp4", 3, matrix=matrix, full=full)
    film, frames = frames_of(path)
    assert film.info.full_range == full
    assert film.info.matrix == {1: "ITU709", 6: "ITU601"}[matrix]
    assert np.abs(frames[0].picture.astype(int) - pattern(0)).mean() < 3


@pytest.mark.parametrize(("ending", "codec", "format"), [
    (".avi", "mjpeg", "yuvj420p"), (".mp4", "libx264", "yuv420p"), (".mkv", "libx264", "yuv420p"),
])
def test_a_broken_frame_costs_itself_and_no_more(tmp_path, ending, codec, format):
    path = write(tmp_path / f"film{ending}", 24, codec=codec, format=format, options={"g": "8"})
    with av.open(str(path)) as file:
        packet = [each for each in file.demux(video=0) if each.size][12]
        place, size = packet.pos, packet.size
    content = bytearray(path.read_bytes())
    noise = np.random.default_rng(0).integers(0, 256, size - 8, np.uint8)
    content[place + 8 : place + size] = noise.tobytes()
    path.write_bytes(content)
    film, frames = frames_of(path)
    assert film.broken == 1
    assert len(frames) == 23
    assert frames[-1].time == Fraction(23, 10)


def test_a_film_that_is_cut_off_ends_there(tmp_path):
    whole = write(tmp_path / "film.mkv", 60)
    path = tmp_path / "cut.mkv"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    _, frames = frames_of(path)
    assert 5 < len(frames) < 60
    assert [number_of(each.picture) % 28 for each in frames][:20] == list(range(20))


@pytest.mark.parametrize(("name", "content", "said"), [
    ("gone.mp4", None, "no such file"),
    ("empty.mp4", b"", "empty"),
    ("text.mp4", b"not a film at all" * 50, "cannot be read"),
])
def test_what_is_no_film_is_one_line(tmp_path, name, content, said):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught, open_film(str(path)):
        pass
    assert "\n" not in str(caught.value)


def test_sound_alone_is_no_film(tmp_path):
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 48_000
        file.mux(stream.encode(frame))
        file.mux(stream.encode())
    with pytest.raises(InputError, match="no moving pictures"), open_film(str(path)):
        pass


def test_alpha_is_kept_beside_the_picture_over_white(tmp_path):
    layers = np.zeros((16, 16, 4), np.uint8)
    layers[:, :8] = (255, 0, 0, 255)
    path = tmp_path / "film.gif"
    other = layers.copy()
    other[:8, :8, 3] = 0
    Image.fromarray(layers).save(path, save_all=True, append_images=[Image.fromarray(other)],
                                 duration=[100, 250], disposal=2)
    film, frames = frames_of(path)
    assert [each.time for each in frames] == [0, Fraction(1, 10)]
    assert film.info.frames == 2
    assert (frames[0].picture[0, 12] == 255).all()
    assert (frames[0].picture[0, 2] == (255, 0, 0)).all()
    assert frames[0].alpha[0, 2] == 255 and frames[0].alpha[0, 12] == 0
    assert frames[1].alpha[0, 2] == 0


@pytest.mark.parametrize(("name", "lengths", "rate"), [
    ("title.gif", [3000, *[40] * 99], Fraction(100_000, 6960)),
    ("even.webp", [40] * 10, 25), ("uneven.webp", [50, 70, 90], Fraction(3000, 210)),
    ("still.gif", [500], 2), ("fast.gif", [10, 10], 10),
])
def test_the_rate_of_an_animation_is_that_of_all_its_frames(tmp_path, name, lengths, rate):
    pictures = [Image.fromarray(pattern(number)) for number in range(len(lengths))]
    pictures[0].save(tmp_path / name, save_all=True, append_images=pictures[1:],
                     duration=lengths if len(lengths) > 1 else lengths[0])
    film, frames = frames_of(tmp_path / name)
    assert film.info.frames == len(frames) == len(lengths)
    assert film.info.rate == rate


def test_a_damaged_animation_has_the_rate_of_what_can_be_read(tmp_path):
    pictures = [Image.effect_noise((48, 32), 90) for _ in range(20)]
    whole = tmp_path / "whole.gif"
    pictures[0].save(whole, save_all=True, append_images=pictures[1:], duration=40)
    path = tmp_path / "film.gif"
    content = whole.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    film, frames = frames_of(path)
    assert film.info.rate == 25 and 0 < len(frames) < 20


def test_an_animation_of_which_nothing_can_be_read_is_no_film(tmp_path):
    whole, path = tmp_path / "whole.gif", tmp_path / "film.gif"
    Image.effect_noise((48, 32), 90).save(whole)
    path.write_bytes(whole.read_bytes()[:900])
    with (pytest.raises(InputError, match="no frame of the film can be read"),
          open_film(str(path))):
        pass


@pytest.mark.parametrize(("name", "given", "expected"), [
    ("film.mp4", {}, True), ("FILM.MKV", {}, True), ("photo.jpg", {}, False),
    ("moving.gif", {}, False), ("moving.gif", {"animated": True}, True),
    ("folder", {}, False), ("folder", {"rate": Fraction(25)}, True),
    ("frames/*.png", {"rate": Fraction(25)}, True),
])
def test_the_kind_of_file_decides(name, given, expected):
    assert is_film(name, **given) == expected
