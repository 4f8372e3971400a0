"""Kernels in files: Keras' HDF5 weights, read by layer and checked, and written.

Kernels are NumPy arrays in the layout of Keras' own VGG files: they expect BGR in [0, 255] with
the ImageNet mean subtracted. A network with readouts has a third array a layer. No TensorFlow.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping, Sequence

import h5py
import numpy as np

from tf_style.image.paths import PathLike, no_plain_file, write_bytes
from tf_style.network import hdf5
from tf_style.network.architectures import ARCHITECTURES, Architecture, Layer
from tf_style.settings import InputError

# RGB, in units of [0, 255]. Source: keras.applications.vgg16.preprocess_input, mode "caffe".
IMAGENET_MEAN = (123.68, 116.779, 103.939)

# The attribute of a file that we wrote: `unsupervised` for learned kernels, or the name of the
# network that it belongs to.
_ORIGIN = "tf_style"
LEARNED = "unsupervised"
# Attributes that say what a file was made from, and the most characters of each.
_NOTES, _LONGEST = ("teacher", "licence", "made_from"), 1000

# Layer → kernel `(3, 3, inputs, channels)`, bias `(channels,)` and, in a network that has readouts,
# readout `(1, 1, channels, channels)`.
Kernels = Mapping[str, tuple[np.ndarray, ...]]


def digests(kernels: Kernels) -> dict[str, str]:
    """A short fingerprint of each layer's arrays: SHA-256, 12 hexadecimal digits."""
    return {
        name: hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()[:12]
        for name, arrays in kernels.items()
    }


def read_kernels(
    path: PathLike, architecture: Architecture, layers: Sequence[Layer]
) -> Kernels:
    """Kernels, biases and, if the network has them, readouts of `layers` from a weights file.

    Args:
        path: Keras' "notop" HDF5 file, read by layer name, which needs to hold only `layers`;
            or a Keras 3 `.weights.h5` file of the whole network, read in the network's order.
        architecture: the network that the layers belong to.
        layers: convolutions.

    Raises:
        InputError: for a missing, damaged or foreign file, one that reads other files or belongs to
            another network, a missing layer, a wrong shape, or values that are not finite numbers.
    """
    if reason := no_plain_file(path):
        raise InputError(
            f"--weights={path}: {reason}. Expected auto, {', '.join(architecture.weights)}, or a "
            "file"
        )
    try:
        with hdf5.opened(path) as file:
            _check_origin(file, path, architecture)
            found = _arrays(file, path, architecture)
            _check_owner(found, path, architecture)
            kernels = {layer.name: _checked(layer, found, path, architecture.readouts)
                       for layer in layers}
            _check_network(found, path, architecture)
            return kernels
    except InputError:
        raise
    except MemoryError:
        raise
    # h5py, or what is made of what it gives, may raise almost anything for a foreign file.
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"--weights={path}: this is no complete HDF5 weights file ({reason}). "
            "Expected Keras' 'notop' .h5 or a Keras 3 .weights.h5"
        ) from None


def read_origin(path: PathLike) -> str | None:
    """What `write_kernels` was told of the kernels; `None` for a file that it did not write."""
    return _attributes(path, [_ORIGIN]).get(_ORIGIN)


def read_notes(path: PathLike) -> dict[str, str]:
    """What a file says it was made from: of `teacher`, `licence` and `made_from` those it has."""
    return _attributes(path, _NOTES)


def _attributes(path: PathLike, names: Sequence[str]) -> dict[str, str]:
    try:
        # A pipe would be waited for.
        if no_plain_file(path):
            return {}
        with h5py.File(path, "r") as file:
            return {name: _text(file.attrs[name])[:_LONGEST] for name in names
                    if name in file.attrs}
    # h5py may raise almost anything for a foreign file.
    except Exception:
        return {}


def lacking(path: PathLike, architecture: Architecture, layers: Sequence[str]) -> list[str]:
    """Which of `layers` the file has no kernels of; none for a file that cannot be read."""
    try:
        # A pipe would be waited for.
        if no_plain_file(path):
            return []
        with hdf5.opened(path) as file:
            found = _arrays(file, path, architecture)
            return [name for name in layers if not found.get(name)]
    # What is wrong with a file is said when its kernels are read.
    except Exception:
        return []


def is_of_another(path: PathLike, architecture: Architecture) -> bool:
    """Whether a file is plainly of another network; it is not if it cannot be read."""
    try:
        # A pipe would be waited for.
        if no_plain_file(path):
            return False
        with hdf5.opened(path) as file:
            found = _arrays(file, path, architecture)
            try:
                _check_origin(file, path, architecture)
                _check_owner(found, path, architecture)
                _check_network(found, path, architecture)
            except InputError:
                return True
    # What is wrong with a file is said when its kernels are read.
    except Exception:
        pass
    return False


def _check_origin(file: h5py.File, path: PathLike, architecture: Architecture) -> None:
    """Check that a file does not say, or fail to say, that it is of a network of our own."""
    owner = file.attrs.get(_ORIGIN)
    owner = _text(owner) if isinstance(owner, (bytes, str)) else None
    if architecture.readouts and owner != architecture.name:
        raise InputError(
            f"--weights={path}: these are not weights of --network={architecture.name}, whose "
            "files say so. Give another --network, such as vgg16, or --weights=auto"
        )
    if not architecture.readouts and owner in ARCHITECTURES:
        raise InputError(
            f"--weights={path}: these are weights of {ARCHITECTURES[owner].title}, not of "
            f"{architecture.title}. Give --network={owner}"
        )


def _arrays(
    file: h5py.File, path: PathLike, architecture: Architecture
) -> dict[str, tuple[h5py.Dataset, ...]]:
    """Layer name → its datasets, kernel first."""
    if "layer_names" in file.attrs or "model_weights" in file:
        group = file.get("model_weights", file)
        return {
            _text(name): tuple(_array(group[_text(name)], _text(weight))
                               for weight in group[_text(name)].attrs["weight_names"])
            for name in group.attrs["layer_names"]
        }
    if isinstance(file.get("layers"), h5py.Group):
        return _keras3_arrays(file["layers"], path, architecture)
    raise InputError(
        f"--weights={path}: this HDF5 file holds no Keras weights; its top level has: "
        f"{', '.join(list(file)[:5]) or 'nothing'}. Expected Keras' 'notop' .h5 or a .weights.h5"
    )


def _keras3_arrays(
    layers: h5py.Group, path: PathLike, architecture: Architecture
) -> dict[str, tuple[h5py.Dataset, ...]]:
    if any(name.startswith("rescaling") for name in layers):
        raise InputError(
            f"--weights={path}: these are the weights of a feature model, with its preprocessing "
            "folded in. Save the model as .keras and name it with --network=FILE"
        )
    found = {
        name: tuple(_array(group["vars"], key) for key in sorted(group["vars"], key=int))
        for name, group in layers.items()
        if "vars" in group and len(group["vars"]) == 2
    }
    found = {name: arrays for name, arrays in found.items() if len(arrays[0].shape or ()) == 4}
    names = [layer.name for layer in architecture.convolutions]
    if set(names) <= set(found):
        return found
    # Keras names a layer by its class and its place: conv2d, conv2d_1, …
    ordered = sorted(found, key=lambda name: int((re.findall(r"\d+$", name.replace(
        "conv2d", "", 1)) or ["0"])[0]))
    if len(ordered) != len(names):
        raise InputError(
            f"--weights={path}: a .weights.h5 file has no layer names, so it must hold all "
            f"{len(names)} convolutions of {architecture.title}. Received: {len(ordered)}"
        )
    return {name: found[key] for name, key in zip(names, ordered, strict=True)}


def _array(group: h5py.Group, name: str) -> h5py.Dataset:
    found = group[name]
    if not isinstance(found, h5py.Dataset):
        raise ValueError(f"{found.name!r} is a group, expected an array")
    return found


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _checked(
    layer: Layer, found: Mapping[str, tuple[h5py.Dataset, ...]], path: PathLike, readout: bool
) -> tuple[np.ndarray, ...]:
    if not found.get(layer.name):
        there = [name for name, arrays in found.items() if arrays]
        raise InputError(
            f"--weights={path}: the file has no layer {layer.name!r}; it has "
            f"{', '.join(there[:40]) or 'none'}. Choose --content_layers and --style_layers among "
            "these, or another file"
        )
    expected = [(3, 3, layer.inputs, layer.channels), (layer.channels,)]
    if readout:
        expected.append((1, 1, layer.channels, layer.channels))
    shapes = [array.shape or () for array in found[layer.name]]
    if shapes != expected:
        raise InputError(
            f"--weights={path}: layer {layer.name!r} has the shapes {_listed(shapes)}, expected "
            f"{_listed(expected)}. Is the file for another --network?"
        )
    types = [array.dtype for array in found[layer.name]]
    if any(each.kind not in "fiu" for each in types):
        raise InputError(
            f"--weights={path}: layer {layer.name!r} holds {' and '.join(map(str, types))}, "
            "expected numbers such as float32"
        )
    # What float32 cannot hold becomes infinite, which is reported.
    with np.errstate(over="ignore"):
        arrays = tuple(np.asarray(array, np.float32) for array in found[layer.name])
    if not all(np.isfinite(array).all() for array in arrays):
        raise InputError(
            f"--weights={path}: layer {layer.name!r} holds values that are not finite; "
            "the file is damaged"
        )
    return arrays


def _check_owner(
    found: Mapping[str, tuple[h5py.Dataset, ...]], path: PathLike, architecture: Architecture
) -> None:
    """Check that a file is not plainly another network's: it has all layers of that from the first.

    Whatever layer is asked for, the message then names the network.
    """
    holds = {name for name, arrays in found.items() if arrays}
    if not _skipped(architecture, holds):
        return
    for other in ARCHITECTURES.values():
        names = {layer.name for layer in other.convolutions}
        if not other.readouts and holds <= names and not _skipped(other, holds):
            raise InputError(
                f"--weights={path}: these are weights of {other.title}, as there is no "
                f"{_skipped(architecture, holds)[0]!r} in them, not of {architecture.title}. Give "
                f"--network={other.name}"
            )


def _skipped(architecture: Architecture, holds: set[str]) -> list[str]:
    """The convolutions that a file lacks though it has a deeper one."""
    names = [layer.name for layer in architecture.convolutions]
    deepest = max((place for place, name in enumerate(names) if name in holds), default=0)
    return [name for name in names[: deepest + 1] if name not in holds]


def _check_network(
    found: Mapping[str, tuple[h5py.Dataset, ...]], path: PathLike, architecture: Architecture
) -> None:
    """Check that a file is not of another network, whose layers have the same names and shapes."""
    names = [layer.name for layer in architecture.convolutions]
    holds = {name for name, arrays in found.items() if arrays}
    for other in ARCHITECTURES.values():
        if more := holds.intersection(layer.name for layer in other.convolutions) - set(names):
            raise InputError(
                f"--weights={path}: these are weights of {other.title}, as {min(more)!r} is in "
                f"them, not of {architecture.title}. Give --network={other.name}"
            )
    if missing := _skipped(architecture, holds):
        deepest = [name for name in names if name in holds][-1]
        raise InputError(
            f"--weights={path}: these are not weights of {architecture.title}: the file has "
            f"{deepest!r}, but not {missing[0]!r}, which comes before it. Is the file for "
            "another --network?"
        )


def _listed(shapes: Sequence[tuple[int, ...]]) -> str:
    return " and ".join("x".join(map(str, shape)) for shape in shapes)


def write_kernels(
    path: PathLike,
    kernels: Kernels,
    *,
    origin: str = LEARNED,
    dtype: str = "float32",
    notes: Mapping[str, str] | None = None,
) -> None:
    """Write our own kernels in the layout of Keras' "notop" files, completely or not at all.

    Args:
        origin: `unsupervised` for kernels learned from pictures, or the network that they were
            trained for, `compact`.
        dtype: of the arrays in the file; those that are read are always float32.
        notes: of `teacher`, `licence` and `made_from`, what they were made from.

    Raises:
        InputError: if the file cannot be written, or `dtype` cannot hold a value.
    """
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.attrs[_ORIGIN] = origin
        for name, text in (notes or {}).items():
            file.attrs[name] = text
        file.attrs["layer_names"] = [name.encode() for name in kernels]
        for name, arrays in kernels.items():
            group = file.create_group(name)
            names = [f"{name}_{kind}_1:0" for kind in ("W", "b", "R")[: len(arrays)]]
            group.attrs["weight_names"] = [each.encode() for each in names]
            for each, array in zip(names, arrays, strict=True):
                group.create_dataset(
                    each, data=_as_type(array, dtype, f"{path}: {each}"), compression="gzip",
                    shuffle=True,
                )
    write_bytes(path, content.getbuffer())


def _as_type(array: np.ndarray, dtype: str, name: str) -> np.ndarray:
    with np.errstate(over="ignore"):
        held = np.asarray(array, dtype)
    if (lost := np.isinf(held) & np.isfinite(array)).any():
        raise InputError(f"{name}: {np.abs(array[lost]).max():g} is no number that "
                         f"{np.dtype(dtype).name} can hold")
    return held
