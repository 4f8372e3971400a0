"""TensorFlow, loaded as fast as it can be: for programs."""

from __future__ import annotations

import gc
import sys


def load_tensorflow() -> None:
    """Import TensorFlow without what takes time and serves no program.

    Keras imports matplotlib's pyplot, if it is there, for galleries that no program of ours draws.
    And Python looks for garbage among TensorFlow's million objects, which stay to the end, again
    and again while they are made and whenever something is traced. Each takes a sixth of the time.

    For programs, not for a library: it changes what the whole process collects. Nothing is done
    where TensorFlow or matplotlib have been imported.
    """
    if "tensorflow" in sys.modules or "matplotlib" in sys.modules:
        return
    collects = gc.isenabled()
    sys.modules["matplotlib"] = None
    gc.disable()
    try:
        import tensorflow  # noqa: F401
    finally:
        del sys.modules["matplotlib"]
        gc.freeze()
        if collects:
            gc.enable()
