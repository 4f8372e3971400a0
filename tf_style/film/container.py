"""Films in containers such as MP4, read by PyAV."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from tf_style.film.extra import needs
from tf_style.film.source import UNSAID, Frame, Info
from tf_style.settings import InputError

if TYPE_CHECKING:
    import av

# Matrices by FFmpeg's numbers of them (AVColorSpace), and what reads and writes them here.
MATRICES = {1: "ITU709", 4: "FCC", 5: "ITU601", 6: "ITU601", 7: "SMPTE240M", 9: "BT2020",
            10: "BT2020"}
# From this height on, colours of a film that does not say are those of HDTV.
_HIGH = 720
_FULL = 2
# What shows more than a screen's usual brightness: FFmpeg's numbers of PQ and HLG.
_BRIGHT = (16, 18)


class Container:
    """A film in a container; see `Film`.

    Args:
        name: the file.

    Raises:
        InputError: if it cannot be read.
    """

    def __init__(self, name: str):
        needs("av")
        self._name = name
        self.broken = 0
        with contextlib.closing(opened(name)) as file:
            stream = _stream(name, file)
            first = next(self._decoded(file, stream), None)
            if first is None:
                raise InputError(f"{name}: no frame of the film can be read")
            self._start = (None if first.pts is None
                           else first.pts * (first.time_base or stream.time_base))
            self.info = self._described(file, stream, first)

    def close(self) -> None:
        pass

    def frames(self, begin: Fraction | None = None) -> Iterator[Frame]:
        self.broken = 0
        # Each time a file of its own: seeking is not exact in every container, and what decodes is
        # no two iterators' own.
        with contextlib.closing(opened(self._name)) as file:
            stream = _stream(self._name, file)
            start = self._start if begin and self._entered(file, stream, begin) else None
            yield from self._frames(file, stream, start)

    def _entered(
        self, file: av.container.InputContainer, stream: av.VideoStream, begin: Fraction
    ) -> bool:
        """Go to the last key frame before a time; whether that could be tried."""
        import av

        if self._start is None or not stream.time_base:
            return False
        try:
            file.seek(int((self._start + begin) / stream.time_base), stream=stream)
        except (av.FFmpegError, OSError, ValueError, OverflowError):
            return False
        return True

    def _frames(
        self, file: av.container.InputContainer, stream: av.VideoStream,
        start: Fraction | None = None,
    ) -> Iterator[Frame]:
        """The frames that come.

        Args:
            start: the time of the film's first; `None`: that is the first which comes.
        """
        last = None
        for each in self._decoded(file, stream):
            if each.pts is None:
                time = Fraction(0) if last is None else last + 1 / self.info.rate
            else:
                # The last ones come from the decoder, which knows no unit.
                seconds = each.pts * (each.time_base or stream.time_base)
                start = seconds if start is None else start
                time = seconds - start
            if last is not None and time <= last:
                # Two frames at one time: only the first would be seen.
                continue
            last = time
            pixels, alpha = self._pixels(each)
            if pixels.shape[:2] != (self.info.height, self.info.width):
                raise InputError(
                    f"{self._name}: its frames change from {self.info.width}x{self.info.height} "
                    f"to {pixels.shape[1]}x{pixels.shape[0]} at {float(time):.3g} s. Expected one "
                    "size; cut it there with --end"
                )
            yield Frame(pixels, time, alpha)

    def _decoded(
        self, file: av.container.InputContainer, stream: av.VideoStream
    ) -> Iterator[av.VideoFrame]:
        """The frames that can be decoded; those that cannot are counted."""
        import av

        def decoded(packet: av.Packet | None) -> list[av.VideoFrame]:
            try:
                return stream.codec_context.decode(packet)
            except av.EOFError:
                return []
            except av.FFmpegError:
                self.broken += 1
                return []

        packets = file.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError:
                # The file ends here, in the middle of something.
                self.broken += 1
                packet = None
            if packet is None or packet.size == 0:
                break
            for each in decoded(packet):
                if each.is_corrupt:
                    self.broken += 1
                else:
                    yield each
        yield from decoded(None)

    def _pixels(self, frame: av.VideoFrame) -> tuple[np.ndarray, np.ndarray | None]:
        from av.video.reformatter import ColorRange, Colorspace, Interpolation

        has_alpha = _has_alpha(frame)
        given = {"format": "rgba" if has_alpha else "rgb24"}
        if not frame.format.is_rgb:
            given |= {
                "src_colorspace": Colorspace[_matrix(frame)],
                "src_color_range": ColorRange.JPEG if _is_full(frame) else ColorRange.MPEG,
                "interpolation": Interpolation.BICUBIC,
            }
        pixels = frame.reformat(**given).to_ndarray()
        # FFmpeg's angle is how far to turn it against the clock.
        pixels = np.rot90(pixels, round(frame.rotation / 90) % 4)
        alpha = None
        if has_alpha:
            alpha = np.ascontiguousarray(pixels[..., 3])
            pixels = over_white(pixels)
            alpha = None if alpha.min() == 255 else alpha
        return np.ascontiguousarray(pixels[..., :3]), alpha

    def _described(
        self, file: av.container.InputContainer, stream: av.VideoStream, frame: av.VideoFrame
    ) -> Info:
        rate = stream.guessed_rate or stream.average_rate or Fraction(25)
        pixels, _ = self._pixels(frame)
        frames = stream.frames or None
        if frames is None:
            seconds = (stream.duration * stream.time_base if stream.duration
                       else Fraction(file.duration or 0, 1_000_000))
            frames = round(seconds * (stream.average_rate or rate)) or None
        turned = round(frame.rotation / 90) % 2
        aspect = Fraction(stream.sample_aspect_ratio or 1)
        return Info(
            pixels.shape[1], pixels.shape[0], Fraction(stream.average_rate or rate), frames,
            1 / aspect if turned else aspect,
            None if frame.format.is_rgb else _matrix(frame), _is_full(frame), _lost(frame),
            _note(file), Fraction(0) if self._start is None else self._start,
            primaries=int(frame.color_primaries),
            transfer=UNSAID if _is_bright(frame) else int(frame.color_trc),
        )


def opened(name: str) -> av.container.InputContainer:
    """A container, opened to be read.

    Raises:
        InputError: if it is none.
    """
    import av

    try:
        return av.open(name, metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{name}: the film cannot be read ({reason})") from None


def _stream(name: str, file: av.container.InputContainer) -> av.VideoStream:
    # A cover picture is a stream, too.
    found = [each for each in file.streams.video if not _is_cover(each)]
    if not found:
        raise InputError(f"{name}: there are no moving pictures in it")
    stream = found[0]
    if stream.codec_context is None:
        raise InputError(f"{name}: its moving pictures have a codec that PyAV does not know")
    stream.thread_type = "AUTO"
    return stream


def _is_cover(stream: av.VideoStream) -> bool:
    import av

    with contextlib.suppress(AttributeError):
        return bool(stream.disposition & av.stream.Disposition.attached_pic)
    return False


def _note(file: av.container.InputContainer) -> str:
    # Matroska writes its names in capitals.
    return next((text for name, text in file.metadata.items() if name.lower() == "comment"), "")


def over_white(pixels: np.ndarray) -> np.ndarray:
    """RGBA pixels, uint8, over white."""
    alpha = pixels[..., 3:].astype(np.float32) / 255
    mixed = pixels[..., :3] * alpha + 255 * (1 - alpha)
    return np.round(mixed).astype(np.uint8)


def _matrix(frame: av.VideoFrame) -> str:
    return MATRICES.get(int(frame.colorspace), "ITU709" if frame.height >= _HIGH else "ITU601")


def _is_full(frame: av.VideoFrame) -> bool:
    return int(frame.color_range) == _FULL or frame.format.name.startswith("yuvj")


def _is_bright(frame: av.VideoFrame) -> bool:
    return int(frame.color_trc) in _BRIGHT


def _has_alpha(frame: av.VideoFrame) -> bool:
    name = frame.format.name
    return name.startswith(("yuva", "rgba", "bgra", "argb", "abgr", "gbrap", "ya8", "ya16"))


def _lost(frame: av.VideoFrame) -> tuple[str, ...]:
    bits = max(each.bits for each in frame.format.components)
    return (
        *([f"{bits} bits a channel become 8"] if bits > 8 else []),
        *(["more than a usual screen's brightness: it is taken as if it had none"]
          if _is_bright(frame) else []),
    )
