"""Every option once: its name, type, default, range, help and conflicts. No TensorFlow."""

from tf_style.settings.option import AUTO, InputError, Note
from tf_style.settings.settings import MAX_PIXELS, NETWORKS, WEIGHTS, Settings
from tf_style.settings.size import Size

__all__ = ["AUTO", "MAX_PIXELS", "NETWORKS", "WEIGHTS", "InputError", "Note", "Settings", "Size"]
