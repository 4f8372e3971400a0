"""Every option once: its name, type, default, range, help and conflicts. No TensorFlow."""

from tf_style.settings.live import LiveModel
from tf_style.settings.option import AUTO, InputError, Note
from tf_style.settings.settings import MAX_PIXELS, NETWORKS, WEIGHTS, Settings, no_network
from tf_style.settings.size import Size

__all__ = [
    "AUTO", "MAX_PIXELS", "NETWORKS", "WEIGHTS", "InputError", "LiveModel", "Note", "Settings",
    "Size", "no_network",
]
