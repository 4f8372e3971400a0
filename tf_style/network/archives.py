"""Saved Keras models from anywhere, checked before Keras opens them. No TensorFlow.

A small file can stand for any number of bytes, and its configuration names the classes that Keras
makes: some of them run code that the file holds, or read other files.
"""

from __future__ import annotations

import builtins
import io
import json
import math
import os
import re
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import h5py

from tf_style.image.paths import PathLike
from tf_style.network import hdf5

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_MEMBERS = (_CONFIG, "metadata.json", _WEIGHTS)
# Beside these, in the files of networks that paint.
STYLES, THUMBNAIL = "styles.npz", "thumbnail.jpg"
# Those of the largest networks of `keras.applications` have about 1 MB, and a thousand layers. To
# build more layers takes minutes.
_LONGEST, _MOST_LAYERS = 8_000_000, 2000
# Of their names and places in an archive of three.
_DIRECTORY = 65536
# They run code, or read a vocabulary or a model from another file.
_REFUSED = (
    "Lambda", "__lambda__", "__typespec__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer",
    "FlaxLayer", "StringLookup", "IntegerLookup", "TextVectorization", "MelSpectrogram",
    "STFTSpectrogram",
)
# What others hold, such as `keras.utils`, also fetches and writes files.
_MODULES = re.compile(r"keras\.(src\.)?(activations|constraints|dtype_policies|initializers|layers|"
                      r"models|ops|quantizers|regularizers)(\.[\w.]+)?")


def read_config(
    path: PathLike, is_known: Callable[[str], bool] = lambda name: False
) -> tuple[dict[str, Any], int]:
    """The configuration of a `.keras` archive or an older `.h5` model, and its number of weights.

    Args:
        is_known: whether a class or function was registered with Keras under this name; then it
            may be used, too.

    Raises:
        ValueError: for a file that takes far more than its own size, reads other files, or names
            what is not a built-in class for pictures.
        Exception: nearly any other for a damaged file.
    """
    if os.fspath(path).endswith((".h5", ".hdf5")):
        with hdf5.opened(path) as file:
            text, values = file.attrs["model_config"], _values(file)
    else:
        text, values = _from_archive(path)
    if len(text) > _LONGEST:
        raise ValueError(f"its configuration has {len(text)} bytes, expected at most {_LONGEST}")
    config = json.loads(text)
    if not isinstance(config, dict):
        raise ValueError("its configuration is not that of a model")
    # How it was trained is nothing to us, and may name code of its maker's.
    config.pop("compile_config", None)
    layers = sum(len(part["layers"]) for part in _parts(config)
                 if isinstance(part.get("layers"), list))
    if layers > _MOST_LAYERS:
        raise ValueError(f"it has {layers} layers, expected at most {_MOST_LAYERS}")
    _check_classes(config, is_known)
    return config, values


def renamed(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration in which names of layers that a TensorFlow graph refuses are others."""
    names = {str(part["name"]) for part in _parts(config) if "name" in part}
    odd = sorted(name for name in names if not re.fullmatch(r"[A-Za-z0-9.][A-Za-z0-9_.>-]*", name))
    others = {name: f"odd_name_{number}" for number, name in enumerate(odd)}

    def change(part: Any) -> Any:
        if isinstance(part, Mapping):
            return {key: change(each) for key, each in part.items()}
        if isinstance(part, list):
            return [change(each) for each in part]
        return others.get(part, part) if isinstance(part, str) else part

    return change(config)


def _from_archive(path: PathLike) -> tuple[bytes, int]:
    stored = os.path.getsize(path)
    _check_directory(path, stored)
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        names = [each.filename for each in members]
        if sorted(name for name in names if name not in (STYLES, THUMBNAIL)) != sorted(_MEMBERS):
            raise ValueError(f"the archive holds {', '.join(names) or 'nothing'}; expected "
                             f"{', '.join(_MEMBERS)}")
        for each in members:
            # Python expands other kinds without a limit.
            if each.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError(f"{each.filename} is packed in another way than Keras packs it")
            if each.filename != _WEIGHTS and each.file_size > _LONGEST:
                raise ValueError(f"{each.filename} expands to {each.file_size} bytes, expected at "
                                 f"most {_LONGEST}")
            if hdf5.is_inflated(each.file_size, stored):
                raise ValueError(f"{each.filename} expands to {each.file_size} bytes, far more "
                                 f"than the {stored} of the file")
        # No more is read than was declared.
        with hdf5.opened(io.BytesIO(archive.read(_WEIGHTS))) as file:
            return archive.read(_CONFIG), _values(file)


def _check_directory(path: PathLike, stored: int) -> None:
    """Check that the list of an archive's members is short, before Python reads it whole."""
    with open(path, "rb") as file:
        # A comment has at most 65535 bytes.
        file.seek(max(0, stored - 65557))
        tail = file.read()
    end = tail.rfind(b"PK\5\6")
    if end < 0 or len(tail) < end + 22:
        raise ValueError("this is no Keras archive")
    (length,) = struct.unpack_from("<L", tail, end + 12)
    if length > _DIRECTORY or tail[max(0, end - 20) : end].startswith(b"PK\6\7"):
        raise ValueError(f"the archive holds too many files; expected {', '.join(_MEMBERS)}")


def _values(file: h5py.File) -> int:
    return sum(math.prod(each.shape or ()) for each in hdf5.datasets(file))


def _check_classes(config: Any, is_known: Callable[[str], bool]) -> None:
    """Check that everything that a configuration names is built into Keras, and for pictures."""
    for part in _parts(config):
        if "class_name" in part:
            kind, value = str(part["class_name"]), part.get("config")
            # As Keras looks it up.
            name = value if kind == "function" else part.get("registered_name")
            if not (isinstance(name, str) and is_known(name)):
                _check_class(kind, part.get("module"), value)


def _parts(config: Any) -> Iterator[Mapping[str, Any]]:
    """Every mapping in a configuration, however deep."""
    parts = [config]
    while parts:
        part = parts.pop()
        if isinstance(part, list):
            parts += part
        elif isinstance(part, Mapping):
            parts += part.values()
            yield part


def _check_class(name: str, module: Any, config: Any) -> None:
    if name in _REFUSED:
        raise ValueError(f"it holds a {name}, which may run code or read other files")
    if module == "builtins":
        allowed = name == "function" and not hasattr(builtins, str(config))
    else:
        allowed = module in (None, "keras") or bool(_MODULES.fullmatch(str(module))) or (
            # The one built-in class that stands elsewhere.
            (name, module) == ("LayerScale", "keras.src.applications.convnext"))
    if not allowed:
        raise ValueError(f"it names {name} of {module}, which is no part of a Keras network")
