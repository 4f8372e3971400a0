"""How networks and maps are cut."""

import pytest

from tf_style.loss.pieces import pieces, spans
from tf_style.network.architectures import ARCHITECTURES


def test_pieces_cover_the_network():
    layers = ARCHITECTURES["vgg16"].layers
    found = pieces(layers)
    assert [layer for piece in found for layer in piece.layers] == list(layers)
    # Counted by hand: two convolutions of one pixel, a pooling, two of two pixels, a pooling; then
    # three of one position and a pooling.
    assert [(piece.start, piece.stride, piece.margin) for piece in found] == [
        (1, 4, 12), (4, 2, 4), (8, 2, 4), (16, 2, 4)
    ]


@pytest.mark.parametrize(
    "length, core, least", [(100, 32, 1), (100, 32, 16), (20, 32, 1), (96, 32, 8)]
)
def test_spans_cover_a_side_once(length, core, least):
    found = spans(length, core, 4, 6, least)
    covered = [place for span in found for place in range(span.start, span.stop)]
    assert covered == list(range(length))
    for span in found:
        assert span.first == max(0, span.start - 4) and span.last == min(length, span.stop + 6)
        assert span.stop - span.start >= min(least, length)
