"""What is known of a film's frames once it was gone through: how to get to one of them soon."""

from __future__ import annotations

import dataclasses
import itertools
import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np

from tf_style.film.source import Film, Frame

# As many frames, at most, come after a key frame and are shown before it. They may need what came
# before. Source: H.264, annex A: `max_num_reorder_frames`.
_BEFORE = 16


@dataclasses.dataclass
class Known:
    """The frames of a film that are taken, as they were when it was read from its beginning.

    Attributes:
        times: when each is shown, in seconds since the film's beginning.
        digests: of the pixels of each.
    """

    times: list[Fraction] = dataclasses.field(default_factory=list)
    digests: list[int] = dataclasses.field(default_factory=list)

    def add(self, frame: Frame) -> None:
        """Note the next one."""
        self.times.append(frame.time)
        self.digests.append(_digest(frame))

    def frames(
        self, film: Film, first: int, end: int, read: Callable[[], Iterator[Frame]]
    ) -> Iterator[Frame]:
        """The frames from number `first` on and before `end`, as they were.

        The film is entered near the first of them. Not every container can be entered at any place
        and gives the same frames: from the first that differs on, they are read as before.

        Args:
            read: returns all frames that are taken, read from the film's beginning.

        Returns:
            frames whose times are counted from frame 0.
        """
        number = first
        begin = self.times[max(0, first - _BEFORE)]
        for frame in film.frames(begin) if first else ():
            if frame.time < self.times[number]:
                continue
            if frame.time > self.times[number] or _digest(frame) != self.digests[number]:
                break
            yield dataclasses.replace(frame, time=frame.time - self.times[0])
            number += 1
            if number == end:
                return
        yield from itertools.islice(read(), number, end)


def _digest(frame: Frame) -> int:
    found = zlib.crc32(np.ascontiguousarray(frame.picture))
    return found if frame.alpha is None else zlib.crc32(np.ascontiguousarray(frame.alpha), found)
