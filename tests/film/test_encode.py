"""Films that are written: frames, times, colours and sound, checked with other decoders."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from tests.film.films import number_of, pattern, write
from tf_style.film import encode, sink
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


def put_with_sound(tmp_path, name, ending, **sound):
    """Three seconds of film, with the sound of a film of that name."""
    source = write(tmp_path / name, 30, codec="mpeg4" if name.endswith("avi") else "libx264",
                   options={"b": "1M"}, **sound)
    return put(tmp_path, f"film{ending}", store_of(tmp_path, 30), every(10, 30),
               sound=(str(source), Fraction(0), None))


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


@pytest.mark.parametrize("ending", [".gif", ".webp"])
def test_an_animation_pauses_on_its_last_frame(tmp_path, ending):
    info = Info(48, 32, Fraction(10), frames=6, held=Fraction(2))
    path, _ = put(tmp_path, f"film{ending}", store_of(tmp_path), every(10), info=info, note="note")
    with Image.open(path) as made:
        found = []
        for number in range(made.n_frames):
            made.seek(number)
            made.load()
            found.append(made.info.get("duration"))
    assert found == [100] * 5 + [2000]


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


def with_subtitles(film, path):
    """The film with two lines that begin at once, and one after them that is short."""
    text = film.with_suffix(".srt")
    text.write_text("".join(
        f"{number}\n00:00:00,{begin:03} --> 00:00:00,{end:03}\nline {number}\n\n"
        for number, (begin, end) in enumerate([(100, 300), (100, 300), (101, 110)], 1)))
    with av.open(str(film)) as pictures, av.open(str(text)) as lines, \
            av.open(str(path), "w") as made:
        streams = {each: made.add_stream_from_template(each)
                   for each in (pictures.streams.video[0], lines.streams.subtitles[0])}
        for source in (lines, pictures):
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = streams[packet.stream]
                    made.mux(packet)
    return path


def test_subtitles_are_copied_where_the_file_can_hold_them(tmp_path):
    source = with_subtitles(write(tmp_path / "plain.mkv", 6), tmp_path / "source.mkv")
    sound = str(source), Fraction(0), None
    path, remarks = put(tmp_path, "film.mkv", store_of(tmp_path), every(10), sound=sound)
    assert remarks == []
    with av.open(str(path)) as file:
        stream, = file.streams.subtitles
        found = [(round(float(each.pts * each.time_base), 3), bytes(each))
                 for each in file.demux(stream) if each.size]
    assert found == [(0.1, b"line 1"), (0.1, b"line 2"), (0.101, b"line 3")]
    _, remarks = put(tmp_path, "film.mp4", store_of(tmp_path), every(10), sound=sound)
    assert remarks == ["subtitles are left out: a file such as this cannot hold them"]


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
    # Of BT.2020 or BT.601, and their curves.
    primaries, transfer = (6, 6) if full else (9, 14)
    info = Info(48, 32, Fraction(10), matrix=matrix, full_range=full, primaries=primaries,
                transfer=transfer)
    path, _ = put(tmp_path, "film.mp4", store_of(tmp_path), every(10), info=info)
    with open_film(str(path)) as film:
        assert (film.info.matrix, film.info.full_range) == (matrix, full)
        assert (film.info.primaries, film.info.transfer) == (primaries, transfer)
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
    """Samples of one channel, their rate, and when they begin, as another program hears them."""
    with av.open(str(path)) as file:
        if not file.streams.audio:
            return None
        frames = list(file.decode(audio=0))
        rate = frames[0].sample_rate
        samples = np.concatenate([each.to_ndarray()[0] for each in frames])
        return samples, rate, float(frames[0].pts * frames[0].time_base)


@pytest.mark.parametrize(("name", "codec", "ending", "anew"), [
    ("source.mp4", "aac", ".mp4", False), ("source.mp4", "aac", ".mov", False),
    ("source.mkv", "libopus", ".webm", False), ("source.mkv", "libopus", ".mp4", False),
    ("source.mp4", "aac", ".webm", True), ("source.avi", "pcm_s16le", ".mp4", True),
])
def test_sound_is_copied_or_else_encoded(tmp_path, name, codec, ending, anew):
    path, remarks = put_with_sound(tmp_path, name, ending, sound=codec)
    samples, rate, begins = sound_of(path)
    assert abs(len(samples) / rate - 3) < 0.1
    assert abs(begins) < 0.03
    spectrum = np.abs(np.fft.rfft(samples[: 2 * rate]))
    assert spectrum.argmax() / 2 == pytest.approx(440, abs=2)
    assert any("anew" in each for each in remarks) == anew


@pytest.mark.parametrize(("codec", "layout", "rate", "name", "ending"), [
    ("ac3", "5.1(side)", 48_000, "source.mkv", ".webm"),
    ("flac", "5.0(side)", 44_100, "source.mkv", ".webm"),
    ("flac", "2.1", 48_000, "source.mkv", ".webm"),
    ("pcm_s16le", "stereo", 192_000, "source.mkv", ".mp4"),
    ("pcm_s16le", "mono", 11_000, "source.mkv", ".mp4"),
    # It can be copied in general, and not at this rate.
    ("mp3", "mono", 11_025, "source.avi", ".mp4"),
])
def test_sound_of_any_kind_is_encoded_in_one_that_the_codec_knows(
    tmp_path, codec, layout, rate, name, ending
):
    path, remarks = put_with_sound(
        tmp_path, name, ending, sound=codec, layout=layout, samples=rate)
    samples, rate, begins = sound_of(path)
    assert abs(len(samples) / rate - 3) < 0.2
    assert abs(begins) < 0.03
    spectrum = np.abs(np.fft.rfft(samples[rate // 2 : 2 * rate + rate // 2]))
    assert spectrum.argmax() / 2 == pytest.approx(440, abs=2)
    (remark,) = remarks
    assert "is encoded anew" in remark
    with av.open(str(path)) as made:
        assert made.streams.audio[0].layout.nb_channels == av.AudioLayout(layout).nb_channels


def remuxed(source, target, change=lambda number, packet: None, *, late=False):
    """A film whose packets of sound went through `change`, which gets the number of each.

    Args:
        late: whether the first picture is left out.
    """
    with av.open(str(source)) as read, av.open(str(target), "w") as file:
        streams = {each.index: file.add_stream_from_template(each) for each in read.streams}
        number = 0
        for packet in read.demux():
            if packet.dts is not None:
                if packet.stream.type == "audio":
                    change(number, packet)
                    number += 1
                elif late:
                    late = False
                    continue
                packet.stream = streams[packet.stream.index]
                file.mux(packet)
    return target


def stamps_of(path):
    with av.open(str(path)) as file:
        return [each.dts * each.time_base for each in file.demux(audio=0) if each.dts is not None]


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv", ".webm"])
def test_two_packets_at_one_time_are_both_heard(tmp_path, ending):
    whole = write(tmp_path / "whole.mkv", 30, sound="aac", options={"bf": "0"})
    last = [0]

    def change(number, packet):
        if number in (40, 41):
            packet.pts = packet.dts = last[0]
        last[0] = packet.dts

    source = remuxed(whole, tmp_path / "source.mkv", change)
    stamps = stamps_of(source)
    assert stamps[39] == stamps[40] == stamps[41]
    path, _ = put(tmp_path, f"film{ending}", store_of(tmp_path, 30), every(10, 30),
                  sound=(str(source), Fraction(0), None))
    made = stamps_of(path)
    assert sorted({*made}) == made and len(made) >= len(stamps)
    samples, rate, _ = sound_of(path)
    assert abs(len(samples) / rate - 3) < 0.1


@pytest.mark.parametrize("part", [(Fraction(0), None), (Fraction(1), Fraction(3, 2))])
def test_sound_fits_a_film_that_begins_within_a_group_of_pictures(tmp_path, part):
    """No frame is seen before the next key frame; sound is there from the beginning."""
    whole = write(tmp_path / "whole.mkv", 40, sound="flac", options={
        "g": "20", "keyint_min": "20", "bf": "0", "sc_threshold": "0"})
    source = remuxed(whole, tmp_path / "source.mkv", late=True)
    with open_film(str(source)) as film:
        frames = list(film.frames())
        info = film.info
    assert [number_of(each.picture) for each in frames[:2]] == [20, 21] and frames[0].time == 0
    assert info.begins == 2
    path, _ = put(tmp_path, "film.mkv", store_of(tmp_path, 20), every(10, 20), info=info,
                  sound=(str(source), *part))
    samples, rate, begins = sound_of(path)
    assert abs(len(samples) / rate - (0.5 if part[1] else 2)) < 0.15
    assert abs(begins) < 0.1


def test_what_comes_long_after_its_time_is_left_out():
    packets = []
    for time in (0, 20, 40, 40, 10, 15, 39, 60):
        packet = av.Packet(bytes(4))
        packet.dts = packet.pts = time
        packet.time_base, packet.duration = Fraction(1, 1000), 20
        packets.append(packet)
    found = list(encode._Beside()._timed(packets))
    assert [round(time * 1000) for time, _ in found] == [0, 20, 40, 41, 42, 60]
    assert [packet.pts for _, packet in found] == [0, 20, 40, 41, 42, 60]


def test_sound_that_becomes_surround_on_the_way_is_kept(tmp_path):
    source = tmp_path / "source.mkv"
    with av.open(str(source), "w") as file:
        stream = file.add_stream("libx264", rate=10)
        stream.height, stream.width, stream.pix_fmt = 32, 48, "yuv420p"
        audio = file.add_stream("ac3", rate=48_000, layout="stereo")
        for number in range(30):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pattern(number), format="rgb24")))
        file.mux(stream.encode())
        for half, layout in enumerate(("stereo", "5.1(side)")):
            encoder = av.CodecContext.create("ac3", "w")
            encoder.format, encoder.layout, encoder.sample_rate = "fltp", layout, 48_000
            for number in range(47):
                frame = av.AudioFrame.from_ndarray(np.zeros(
                    (encoder.layout.nb_channels, 1536), np.float32), "fltp", layout)
                frame.sample_rate, frame.pts = 48_000, 1536 * number
                for packet in encoder.encode(frame):
                    packet.pts = packet.dts = packet.pts + 72_192 * half
                    packet.stream = audio
                    file.mux(packet)
    path, remarks = put(tmp_path, "film.webm", store_of(tmp_path, 30), every(10, 30),
                        sound=(str(source), Fraction(0), None))
    samples, rate, _ = sound_of(path)
    assert abs(len(samples) / rate - 3) < 0.1
    assert remarks == ["its sound (ac3) is encoded anew, as opus"]


@pytest.mark.parametrize("error", [
    av.FFmpegError(22, "Invalid argument"), av.error.PermissionError(1, "Not permitted"),
    ValueError("Invalid layout"), TypeError("not known"),
])
def test_no_film_is_lost_to_its_sound(tmp_path, monkeypatch, error):
    source = write(tmp_path / "source.mp4", 30, sound="aac")

    def packets(*_):
        raise error
        yield

    monkeypatch.setattr(encode._Copied, "packets", packets)
    sound = str(source), Fraction(0), None
    path, remarks = put(tmp_path, "film.mp4", store_of(tmp_path), every(10), sound=sound)
    assert sound_of(path) is not None
    assert remarks == ["its sound (aac) is encoded anew, as aac"]
    monkeypatch.setattr(encode._Encoded, "packets", packets)
    path, remarks = put(tmp_path, "film.mp4", store_of(tmp_path), every(10), sound=sound)
    assert sound_of(path) is None
    reason = getattr(error, "strerror", str(error))
    assert remarks == [f"its sound is left out: it cannot be written ({reason})"]
    with open_film(str(path)) as film:
        assert [number_of(each.picture) for each in film.frames()] == list(range(6))


def test_frames_of_sound_that_cannot_be_encoded_are_left_out(tmp_path, monkeypatch):
    source = write(tmp_path / "source.mp4", 30, sound="aac")
    numbers, shifted = iter(range(1000)), encode._Encoded._shifted

    def odd(self, frame):
        if next(numbers) == 40:
            raise av.FFmpegError(22, "Invalid argument")
        return shifted(self, frame)

    monkeypatch.setattr(encode._Encoded, "_shifted", odd)
    path, remarks = put(tmp_path, "film.webm", store_of(tmp_path, 30), every(10, 30),
                        sound=(str(source), Fraction(0), None))
    assert "some of its sound cannot be encoded and is left out (Invalid argument)" in remarks
    assert stamps_of(path)[-1] > 2.9


def test_a_film_whose_source_is_gone_is_written_without_its_sound(tmp_path):
    path, remarks = put(tmp_path, "film.mp4", store_of(tmp_path), every(10),
                        sound=(str(tmp_path / "gone.mp4"), Fraction(0), None))
    assert sound_of(path) is None
    (remark,) = remarks
    assert remark.startswith("its sound is left out: ") and "gone.mp4" in remark


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


@pytest.mark.parametrize("name", ["frames.v2", "frames.mp4"])
def test_a_name_with_a_slash_is_a_folders_whatever_its_ending(tmp_path, name):
    place = f"{tmp_path / name}/"
    assert sink.is_folder(place) and sink.check_film(place) == tmp_path / name
    (tmp_path / name).touch()
    with pytest.raises(InputError, match="expected a folder for the frames, this is a file"):
        sink.check_film(place)


def test_a_file_is_no_folder_for_frames(tmp_path):
    (tmp_path / "frames").touch()
    with pytest.raises(InputError, match="expected a folder for the frames, this is a file"):
        sink.check_film(tmp_path / "frames")


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


@pytest.mark.parametrize("sound", [True, False])
def test_what_the_encoder_refuses_is_one_line_and_costs_no_frame(tmp_path, monkeypatch, sound):
    def refuses(*_):
        raise av.FFmpegError(22, "Invalid argument")

    source = write(tmp_path / "source.mp4", 6, sound="aac")
    monkeypatch.setattr(encode._Pictures, "encoded", refuses)
    store = store_of(tmp_path)
    with pytest.raises(InputError, match=r"cannot be written \(Invalid argument\); its frames"):
        put(tmp_path, "film.mp4", store, every(10),
            sound=(str(source), Fraction(0), None) if sound else None)
    assert store.numbers() == set(range(6))


@pytest.mark.parametrize("name", ["film.avi", "film.jpg", "film.txt"])
def test_other_endings_are_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"expected \.mp4"):
        sink.check_film(tmp_path / name)
