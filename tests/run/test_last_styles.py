"""What is kept of the styles seen last."""

import dataclasses

from tf_style.image.style import Style
from tf_style.run.last_styles import LastStyles


def test_only_other_styles_are_looked_at(style):
    looked = []
    last = LastStyles(lambda styles: looked.append(styles) or len(looked))
    one = Style(style)
    assert last.of([one]) == last.of([Style(style.copy(), share=0.5, name="other")]) == 1
    masked = dataclasses.replace(one, mask=style[..., 0])
    unheard = dataclasses.replace(one, share=0.0)
    for number, styles in enumerate(
            ([Style(style[::-1])], [masked], [unheard], [one], [one, one]), 2):
        assert last.of(styles) == last.of(styles) == number
