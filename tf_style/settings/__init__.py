"""Every option once: its name, type, default, range, help and conflicts. No TensorFlow."""

from tf_style.settings.live import LiveModel
from tf_style.settings.option import AUTO, InputError, Note, Remark, with_flags
from tf_style.settings.settings import MAX_PIXELS, NETWORKS, WEIGHTS, Settings, no_network
from tf_style.settings.size import Size

__all__ = [
    "AUTO", "MAX_PIXELS", "NETWORKS", "WEIGHTS", "InputError", "LiveModel", "Note", "Remark",
    "Settings", "Size", "no_network", "with_flags",
]
