"""The sample pictures, each computed from a few formulas and a fixed seed.

`python -m tools.paintings [FOLDER]` renders all of them. NumPy draws everything, in float64
and with antialiasing by distance, so that every machine gets the same picture up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tools.paintings import brushstrokes, harbor, ink, stained_glass, waves

PAINTINGS: dict[str, Callable[[], np.ndarray]] = {
    "harbor": harbor.render,
    "brushstrokes": brushstrokes.render,
    "stained_glass": stained_glass.render,
    "ink": ink.render,
    "waves": waves.render,
}
