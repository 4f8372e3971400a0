"""Films written by PyAV, with the sound of the film that they were made from."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_style.film.container import opened
from tf_style.film.source import Info
from tf_style.settings import InputError

if TYPE_CHECKING:
    import av

# Ending → codecs of moving pictures, the best first, with their options. Without those of x264,
# which are under the GPL, an MP4 gets VP9, which browsers play there, too.
# The tree of macroblocks of x264 made other films of the same frames. Without it, this factor gives
# as good a film in as large a file as 18 with it.
_X264 = ("libx264", {"crf": "16", "preset": "faster", "x264-params": "mbtree=0"})
_VP9 = ("libvpx-vp9", {"crf": "24", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"})
PICTURES = {
    ".mp4": (_X264, _VP9), ".m4v": (_X264,), ".mov": (_X264, ("mpeg4", {"qscale": "3"})),
    ".mkv": (_X264, _VP9), ".webm": (_VP9,), ".gif": (("gif", {}),),
    ".webp": (("libwebp_anim", {"quality": "90", "compression_level": "2"}),),
}
# Ending → what pixels are converted to; and what times are whole numbers of.
_PIXELS = {".gif": "pal8", ".webp": "bgra"}
_UNIT = {".gif": Fraction(1, 100), ".webp": Fraction(1, 1000)}
# Ending → codecs of sound that it can hold, and the one that others are brought into.
_SOUND = {
    ".mp4": (("aac", "mp3", "ac3", "eac3", "alac", "opus"), "aac"),
    ".m4v": (("aac", "mp3", "ac3", "alac"), "aac"),
    ".mov": (("aac", "mp3", "ac3", "alac", "pcm_s16le", "pcm_s16be", "pcm_s24le"), "aac"),
    ".mkv": (("aac", "mp3", "ac3", "eac3", "opus", "vorbis", "flac", "pcm_s16le"), "aac"),
    ".webm": (("opus", "vorbis"), "libopus"),
}
# Likewise for subtitles, which are not brought into others.
_SUBTITLES = {".mp4": ("mov_text",), ".m4v": ("mov_text",), ".mov": ("mov_text",),
              ".mkv": ("ass", "subrip", "webvtt", "dvd_subtitle", "hdmv_pgs_subtitle"),
              ".webm": ("webvtt",)}
# Number of channels → their usual places.
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
# Decoder → the codec, where its name is another.
_CODECS = {"mp3float": "mp3", "libopus": "opus", "libvorbis": "vorbis", "srt": "subrip",
           "ssa": "ass", "dvdsub": "dvd_subtitle", "pgssub": "hdmv_pgs_subtitle"}
# Seconds between two packets of one stream, where their file gives both the same time: no
# container counts in longer units.
_STEP = Fraction(1, 1000)
# FFmpeg's numbers of the matrices that we write.
_MATRICES = {"ITU709": 1, "FCC": 4, "ITU601": 6, "SMPTE240M": 7, "BT2020": 9}
# What times are whole numbers of, where no smaller number of units to a second serves.
_UNITS, _MOST_UNITS = 90_000, 1_000_000


@dataclasses.dataclass(frozen=True)
class Part:
    """The part of a film whose sound is taken.

    Attributes:
        name: the film's file.
        start, end: in seconds since its first frame; `None` for its own end.
        copied: whether sound and subtitles are copied where the file can hold them. If not, all
            sound is encoded anew, and subtitles are left out.
    """

    name: str
    start: Fraction = Fraction(0)
    end: Fraction | None = None
    copied: bool = True


def write_film(
    path: Path, frames: Iterable[np.ndarray], times: Sequence[Fraction], info: Info,
    sound: Part | None, note: str | None, remark: Callable[[str], None],
) -> None:
    """Write a film into a container, or as an animated picture.

    Args:
        path: a new file, with an ending of `PICTURES`.
        frames: `(height, width, 3)` uint8 RGB, or with alpha `(height, width, 4)`, all of one
            size.
        times: when each is shown, in seconds, rising, and when the last one ends.
        info: of the film that they were made from: rate, shape of pixels, colours, and where its
            sound's time stamps begin.
        sound: the film whose sound and subtitles are taken.
        note: a text to keep in the file.
        remark: called with a line about what could not be kept as it was.

    Raises:
        av.FFmpegError: if it cannot be written: of the disk's own errors those are an `OSError`,
            too. Sound that the container refuses may raise others.
    """
    import av

    ending = path.suffix.lower()
    options = {"movflags": "+faststart"} if ending in (".mp4", ".m4v", ".mov") else (
        {"loop": "0"} if ending in _PIXELS else {})
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(av.open(str(path), "w", container_options=options))
        if note:
            file.metadata["comment"] = note
        frames = iter(frames)
        first = next(frames)
        if first.shape[2] == 4 and ending not in _PIXELS:
            remark("its transparency is left out: a file such as this holds none")
        pictures = _Pictures(file, ending, first.shape[:2], times, info)
        source = None
        if sound:
            try:
                source = stack.enter_context(contextlib.closing(opened(sound.name)))
            except InputError as error:
                # Gone since it was painted, which may have been long ago.
                remark(f"its sound is left out: {error}")
        beside = _beside(file, ending, source, sound, info, remark) if source else iter(())
        waiting = next(beside, None)

        def write(packets: Iterable[av.Packet]) -> None:
            nonlocal waiting
            for packet in packets:
                when = packet.dts * packet.time_base
                while waiting and waiting[0] <= when:
                    file.mux(waiting[1])
                    waiting = next(beside, None)
                file.mux(packet)

        write(pictures.encoded(first))
        for each in frames:
            write(pictures.encoded(each))
        write(pictures.rest())
        while waiting:
            file.mux(waiting[1])
            waiting = next(beside, None)
    if ending == ".webp":
        _hold_last(path, times[-1] - times[-2])


def _hold_last(path: Path, seconds: Fraction) -> None:
    """Say in a WebP how long its last frame is shown: FFmpeg writes the mean of those before.

    Source: Google, WebP Container Specification, RFC 9649, section 2.7.1.1 (the chunk ANMF).
    """
    with path.open("r+b") as file:
        end, at, last = file.seek(0, os.SEEK_END), 12, None
        while at + 8 <= end:
            file.seek(at)
            name, length = struct.unpack("<4sI", file.read(8))
            if name == b"ANMF":
                last = at + 8
            at += 8 + length + length % 2
        if last:
            file.seek(last + 12)
            file.write(min(round(seconds * 1000), 2**24 - 1).to_bytes(3, "little"))


class _Pictures:
    """The moving pictures of a film that is written."""

    def __init__(
        self, file: av.container.OutputContainer, ending: str, size: tuple[int, int],
        times: Sequence[Fraction], info: Info,
    ):
        import av

        name, options = next(each for each in PICTURES[ending] if each[0] in av.codecs_available)
        unit = _UNIT.get(ending) or _unit(times)
        self._stamps = [round(each / unit) for each in times]
        # After rounding, no two may be the same.
        for number in range(1, len(self._stamps)):
            self._stamps[number] = max(self._stamps[number], self._stamps[number - 1] + 1)
        self._lasting = dict(zip(self._stamps, np.diff(self._stamps).tolist(), strict=False))
        self._number = 0
        rate = max(info.rate, Fraction(1, 1000)).limit_denominator(1001)
        self._stream = file.add_stream(name, rate=rate, options=dict(options))
        self._is_film = ending not in _PIXELS
        context = self._stream.codec_context
        context.height, context.width = (
            each + each % 2 if self._is_film else each for each in size)
        context.pix_fmt = _PIXELS.get(ending, "yuv420p")
        context.time_base = self._stream.time_base = unit
        context.thread_type = "AUTO"
        self._palette = _Palette(*size, unit) if ending == ".gif" else None
        if info.aspect != 1 and self._is_film:
            context.sample_aspect_ratio = info.aspect
        if self._is_film:
            self._matrix = info.matrix or ("ITU709" if size[0] >= 720 else "ITU601")
            self._full = info.full_range
            context.colorspace = _MATRICES[self._matrix]
            context.color_range = 2 if self._full else 1
            context.color_primaries, context.color_trc = info.primaries, info.transfer

    def encoded(self, pixels: np.ndarray) -> Iterator[av.Packet]:
        """The packets that are ready after one more frame."""
        frame = self._converted(pixels)
        frame.pts = self._stamps[self._number]
        frame.time_base = self._stream.codec_context.time_base
        self._number += 1
        for each in self._palette.found(frame) if self._palette else (frame,):
            yield from self._timed(self._stream.encode(each))

    def rest(self) -> Iterator[av.Packet]:
        """The packets that are ready after the last frame."""
        yield from self._timed(self._stream.encode())

    def _converted(self, pixels: np.ndarray) -> av.VideoFrame:
        import av
        from av.video.reformatter import ColorRange, Colorspace

        if self._is_film:
            return av.VideoFrame.from_ndarray(_even(pixels[..., :3]), format="rgb24").reformat(
                format="yuv420p", dst_colorspace=Colorspace[self._matrix],
                dst_color_range=ColorRange.JPEG if self._full else ColorRange.MPEG,
            )
        if pixels.shape[2] == 3:
            pixels = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgba")
        return frame if self._palette else frame.reformat(format="bgra")

    def _timed(self, packets: Iterable[av.Packet]) -> Iterator[av.Packet]:
        for packet in packets:
            # Else the last one would be as short as can be.
            packet.duration = self._lasting.get(packet.pts, 0)
            yield packet


class _Palette:
    """Brings frames into the 256 colours that suit each best.

    Where shades are mixed of two, it is in a fixed pattern, which does not move from frame to
    frame as diffused errors do.
    """

    def __init__(self, height: int, width: int, unit: Fraction):
        from av.filter import Graph

        graph = Graph()
        self._graph = graph
        self._source = graph.add_buffer(width=width, height=height, format="rgba", time_base=unit)
        halves = graph.add("split")
        palette = graph.add("palettegen", "stats_mode=single:reserve_transparent=1")
        use = graph.add("paletteuse", "new=1:dither=bayer:bayer_scale=3")
        self._sink = graph.add("buffersink")
        self._source.link_to(halves)
        halves.link_to(palette, 0, 0)
        halves.link_to(use, 1, 0)
        palette.link_to(use, 0, 1)
        use.link_to(self._sink)
        graph.configure()

    def found(self, frame: av.VideoFrame) -> Iterator[av.VideoFrame]:
        """What is ready after one more frame."""
        import av

        self._source.push(frame)
        while True:
            try:
                yield self._sink.pull()
            except (av.BlockingIOError, av.EOFError):
                return


def _unit(times: Sequence[Fraction]) -> Fraction:
    """What all these times are whole numbers of, in seconds, if that is not too short."""
    units = math.lcm(*(each.denominator for each in times))
    return Fraction(1, units if units <= _MOST_UNITS else _UNITS)


def _even(pixels: np.ndarray) -> np.ndarray:
    """The same with the last row and column twice where their number is odd, as codecs need it."""
    height, width = pixels.shape[:2]
    if height % 2 or width % 2:
        pixels = np.pad(pixels, [(0, height % 2), (0, width % 2), (0, 0)], mode="edge")
    return np.ascontiguousarray(pixels)


def _beside(
    file: av.container.OutputContainer, ending: str, source: av.container.InputContainer,
    part: Part, info: Info, remark: Callable[[str], None],
) -> Iterator[tuple[Fraction, Any]]:
    """The packets of sound and subtitles, each with its time, in the order of the source.

    Streams are added before the first is asked for.
    """
    ways = {}
    if ending in _PIXELS:
        if source.streams.audio:
            remark("its sound is left out: a file such as this holds none")
        return iter(())
    for stream in source.streams.audio:
        way = _sound(file, ending, stream, remark, copied=part.copied)
        if way:
            ways[stream.index] = way
    for stream in source.streams.subtitles:
        context = stream.codec_context
        name = context and _CODECS.get(context.name, context.name)
        if part.copied and name in _SUBTITLES[ending]:
            # Many may begin at one time.
            ways[stream.index] = _Copied(file, stream, step=Fraction(0))
        else:
            remark("subtitles are left out: a file such as this cannot hold them")
    ends = None if part.end is None else info.begins + part.end
    return _packets(source, ways, info.begins + part.start, ends, remark)


def _packets(
    source: av.container.InputContainer, ways: dict[int, _Copied | _Encoded], begins: Fraction,
    ends: Fraction | None, remark: Callable[[str], None],
) -> Iterator[tuple[Fraction, Any]]:
    import av

    if not ways:
        return
    packets = source.demux([source.streams[index] for index in ways])
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError as error:
            remark(f"its sound ends early: the rest cannot be read ({error.strerror})")
            packet = None
        if packet is None:
            break
        if packet.dts is None or packet.size == 0:
            continue
        if packet.pts is None:
            packet.pts = packet.dts
        time = packet.pts * packet.time_base
        after = time + (packet.duration or 0) * packet.time_base
        if (after <= begins and begins > 0) or (ends is not None and time >= ends):
            continue
        yield from ways[packet.stream.index].packets(packet, begins)
    for way in ways.values():
        yield from way.rest()


def _sound(
    file: av.container.OutputContainer, ending: str, stream: av.AudioStream,
    remark: Callable[[str], None], *, copied: bool,
) -> _Copied | _Encoded | None:
    import av

    known, other = _SOUND[ending]
    name = stream.codec_context.name if stream.codec_context else "unknown"
    if copied and _CODECS.get(name, name) in known:
        return _Copied(file, stream)
    able = None
    if stream.codec_context is not None and other in av.codecs_available:
        able = _able(other, stream.codec_context)
    if able is None:
        remark(f"its sound ({name}) is left out: nothing here can bring it into {ending[1:]}")
        return None
    remark(f"its sound ({name}) is encoded anew, as {other.removeprefix('lib')}")
    return _Encoded(file, stream, other, *able, remark)


def _able(codec: str, sound: av.AudioCodecContext) -> tuple[str, int] | None:
    """The layout and the samples a second that a codec can encode and that are nearest to a
    sound's own; `None` if it can encode nothing like it."""
    import av

    channels, own = sound.layout.nb_channels, sound.layout.name
    usual = _LAYOUTS.get(channels, "stereo")
    # Some containers say how many channels there are, not where they belong.
    layouts = (usual,) if channels < 3 or own.endswith("channels") else (own, usual)
    encoder = av.Codec(codec, "w")
    rates = encoder.audio_rates or [sound.sample_rate]
    rate = min((each for each in rates if each >= sound.sample_rate), default=max(rates))
    for layout in (*layouts, "stereo"):
        trial = av.CodecContext.create(codec, "w")
        trial.format, trial.layout, trial.sample_rate = encoder.audio_formats[0], layout, rate
        # A stream that was added to a file cannot be taken out of it again.
        with contextlib.suppress(av.FFmpegError, ValueError):
            trial.open()
            return layout, rate
    return None


class _Beside:
    """A stream beside the pictures.

    Args:
        step: seconds by which times rise at least.
    """

    def __init__(self, step: Fraction = _STEP):
        self._step = step
        self._last: Fraction | None = None

    def _timed(self, packets: Iterable[av.Packet]) -> Iterator[tuple[Fraction, av.Packet]]:
        """Packets, each with its time; times rise, since some containers take no others.

        Sound that comes long after its time, as where recordings were put together, is left out,
        as frames are.
        """
        for packet in packets:
            time = packet.dts * packet.time_base
            last = self._last
            if last is not None and (time < last or (time == last and self._step)):
                after = time + (packet.duration or 0) * packet.time_base
                if self._step and after < last:
                    continue
                packet.dts = math.ceil((last + self._step) / packet.time_base)
                packet.pts = max(packet.pts, packet.dts)
                time = packet.dts * packet.time_base
            self._last = time
            yield time, packet


class _Copied(_Beside):
    """A stream whose packets are copied."""

    def __init__(
        self, file: av.container.OutputContainer, stream: av.stream.Stream,
        step: Fraction = _STEP,
    ):
        super().__init__(step)
        self._stream = file.add_stream_from_template(stream)
        self._stream.metadata.update(
            {key: text for key, text in stream.metadata.items() if key in ("language", "title")})

    def packets(self, packet: av.Packet, begins: Fraction) -> Iterator[tuple[Fraction, av.Packet]]:
        shift = round(begins / packet.time_base)
        packet.pts -= shift
        packet.dts -= shift
        packet.stream = self._stream
        return self._timed([packet])

    def rest(self) -> Iterator[tuple[Fraction, av.Packet]]:
        return iter(())


class _Encoded(_Beside):
    """A stream of sound that is decoded, and encoded by a codec that the container can hold.

    Args:
        layout, rate: as `_able` has them.
    """

    def __init__(
        self, file: av.container.OutputContainer, stream: av.AudioStream, codec: str,
        layout: str, rate: int, remark: Callable[[str], None],
    ):
        super().__init__()
        self._stream = file.add_stream(codec, rate=rate, layout=layout)
        self._stream.codec_context.bit_rate = (
            96_000 * self._stream.codec_context.layout.nb_channels)
        self._layout, self._rate, self._remark = layout, rate, remark
        self._resampler: av.AudioResampler | None = None
        self._kind: tuple[str, str, int] | None = None
        self._begins = Fraction(0)

    def packets(self, packet: av.Packet, begins: Fraction) -> Iterator[tuple[Fraction, av.Packet]]:
        import av

        self._begins = begins
        try:
            frames = packet.decode()
        except av.FFmpegError:
            return
        for frame in frames:
            yield from self._encoded(frame)

    def rest(self) -> Iterator[tuple[Fraction, av.Packet]]:
        if self._resampler:
            yield from self._encoded(None)

    def _encoded(self, frame: av.AudioFrame | None) -> Iterator[tuple[Fraction, av.Packet]]:
        """The packets that are ready after one more frame, or after the last one."""
        import av

        packets = []
        try:
            for each in self._resampled(frame):
                packets += self._stream.encode(self._shifted(each))
            if frame is None:
                packets += self._stream.encode(None)
        except (av.FFmpegError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            self._remark(f"some of its sound cannot be encoded and is left out ({reason})")
        yield from self._timed(packets)

    def _resampled(self, frame: av.AudioFrame | None) -> Iterator[av.AudioFrame]:
        import av

        kind = frame and (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._kind:
            # Broadcasts go from stereo to surround and back.
            if self._resampler:
                yield from filter(None, self._resampler.resample(None))
            self._kind = kind
            self._resampler = av.AudioResampler(
                self._stream.codec_context.format, self._layout, self._rate)
        if frame:
            yield from self._resampler.resample(frame)

    def _shifted(self, frame: av.AudioFrame) -> av.AudioFrame:
        if frame.pts is not None:
            # The resamplers of several kinds need not have one unit.
            frame.pts = round((frame.pts * frame.time_base - self._begins) * self._rate)
            frame.time_base = Fraction(1, self._rate)
        return frame
