"""The pictures that come with the package, free of anyone's rights.

All but one are painted by `tools.paintings`; `grace_hopper` is the public domain
photograph (US Navy) that comes with matplotlib, and is read from there.
"""

from __future__ import annotations

import difflib
from pathlib import Path

from tf_style.settings import InputError

PREFIX = "sample:"
_FOLDER = Path(__file__).parent / "pictures"

CONTENT_SAMPLES = {
    "grace_hopper": "portrait of Grace Hopper, US Navy, public domain (from matplotlib)",
    "harbor": "a harbour at dusk, rendered",
}
STYLE_SAMPLES = {
    "brushstrokes": "thick oil paint along a swirling field",
    "ink": "pen and ink, hatched",
    "stained_glass": "coloured glass in lead",
    "waves": "a sea in the manner of a woodblock print",
}


# Beside those of the styles: the network that has all of them.
ALL = "all"


def names_network(name: str) -> bool:
    """Whether a name stands for a network that paints: `sample:` and a style, or its file.

    That is how a network and a picture are told apart where either may be named.
    """
    sample = name.removeprefix(PREFIX)
    if sample != name:
        return sample in (*STYLE_SAMPLES, ALL)
    return name.lower().endswith((".keras", ".tflite"))


def sample_path(name: str) -> Path:
    """The file of the sample picture `name`, given without the prefix `sample:`.

    Raises:
        InputError: if there is no such sample.
    """
    known = {**CONTENT_SAMPLES, **STYLE_SAMPLES}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise InputError(
            f"{PREFIX}{name}: there is no such sample.{hint} All: {', '.join(known)}"
        )
    if name == "grace_hopper":
        import matplotlib

        return Path(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg")
    return _FOLDER / f"{name}.jpg"
