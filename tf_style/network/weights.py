"""Where a network's kernels come from: a file, Keras' ImageNet file, or a random generator.

Kernels are NumPy arrays in the layout of Keras' own VGG files: they expect BGR in [0, 255] with
the ImageNet mean subtracted. TensorFlow is needed for a download alone.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np

from tf_style.network.architectures import Architecture, Layer
from tf_style.settings import AUTO, InputError

ENVIRONMENT = "TF_STYLE_WEIGHTS"
DOWNLOAD_TIMEOUT = 30.0

Kernels = Mapping[str, tuple[np.ndarray, np.ndarray]]


@dataclasses.dataclass(frozen=True)
class _Download:
    url: str
    md5: str

    @property
    def file_name(self) -> str:
        return self.url.rsplit("/", 1)[1]


_IMAGENET = {
    "vgg16": _Download(
        "https://storage.googleapis.com/tensorflow/keras-applications/vgg16/"
        "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "6d6bbae143d832006294945121d1f1fc",
    ),
    "vgg19": _Download(
        "https://storage.googleapis.com/tensorflow/keras-applications/vgg19/"
        "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "253f8cb515780f3b799900260a226db6",
    ),
}


def resolve(weights: str) -> str:
    """What `auto` stands for: the file in $TF_STYLE_WEIGHTS if that is set, else `imagenet`."""
    if weights != AUTO:
        return weights
    return os.environ.get(ENVIRONMENT) or "imagenet"


def kernels(
    architecture: Architecture, layers: Sequence[Layer], weights: str = AUTO, *, seed: int = 0
) -> Kernels:
    """Kernels and biases of the convolutions among `layers`.

    Args:
        architecture: the network that the layers belong to.
        layers: those needed; pooling layers are passed over.
        weights: `auto`, `imagenet`, `random`, or the path of a weights file.
        seed: of `random`.

    Returns:
        Layer name → (kernel `(3, 3, inputs, channels)`, bias `(channels,)`), float32.

    Raises:
        InputError: if the weights cannot be had, or do not fit the layers.
    """
    convolutions = [layer for layer in layers if not layer.pooling]
    source = resolve(weights)
    if source == "random":
        return {layer.name: _orthogonal(layer, seed) for layer in convolutions}
    if source == "imagenet":
        return read_kernels(download(architecture), architecture, convolutions)
    try:
        return read_kernels(source, architecture, convolutions)
    except InputError as error:
        if weights == AUTO:
            raise InputError(str(error).replace("--weights", f"${ENVIRONMENT}", 1)) from None
        raise


def digests(kernels: Kernels) -> dict[str, str]:
    """A short fingerprint of each layer's kernel and bias: SHA-256, 12 hexadecimal digits."""
    return {
        name: hashlib.sha256(kernel.tobytes() + bias.tobytes()).hexdigest()[:12]
        for name, (kernel, bias) in kernels.items()
    }


def _orthogonal(layer: Layer, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """An orthogonal kernel with gain sqrt(2), which keeps activations' size behind a ReLU.

    Source: Saxe et al., Exact solutions to the nonlinear dynamics of learning, ICLR 2014.
    """
    # A seed for each layer by name: the same kernels however many layers are asked for.
    generator = np.random.default_rng([seed, *layer.name.encode()])
    rows, columns = 9 * layer.inputs, layer.channels
    square = generator.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(square)
    q = q * np.sign(np.diag(r))
    kernel = np.sqrt(2) * (q if rows >= columns else q.T)
    return (
        kernel.reshape(3, 3, layer.inputs, layer.channels).astype(np.float32),
        np.zeros(layer.channels, np.float32),
    )


def download(architecture: Architecture) -> Path:
    """Keras' own ImageNet file without the top, from Keras' cache or by download.

    Raises:
        InputError: if it is not in the cache and cannot be had, or does not come within
            `DOWNLOAD_TIMEOUT` seconds without a byte.
    """
    import keras

    file = _IMAGENET[architecture.name]
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        with (
            _socket_timeout(DOWNLOAD_TIMEOUT),
            open(os.devnull, "w") as sink,
            # Keras draws its own progress bar on stdout, which is not a library's to use.
            contextlib.redirect_stdout(sink),
        ):
            path = keras.utils.get_file(
                file.file_name,
                origin=file.url,
                cache_dir=home,
                cache_subdir="models",
                file_hash=file.md5,
            )
    # Keras wraps what urllib raises in a bare Exception.
    except Exception as error:
        reason = " ".join(str(error.__context__ or error).split())
        raise InputError(
            f"--weights=imagenet: no pretrained {architecture.title} ({reason or 'time out'}). "
            f"Fetch {file.url} by hand into {home / 'models'}, or name a file with --weights=FILE"
        ) from None
    return Path(path)


@contextlib.contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def read_kernels(
    path: str | os.PathLike, architecture: Architecture, layers: Sequence[Layer]
) -> Kernels:
    """Kernels and biases of `layers` from a weights file.

    Args:
        path: Keras' "notop" HDF5 file, read by layer name, of which only `layers` need be there;
            or a Keras 3 `.weights.h5` file of the whole network, read in the network's order.
        architecture: the network that the layers belong to.
        layers: convolutions.

    Raises:
        InputError: for a missing, damaged or foreign file, a layer that it lacks, a wrong shape,
            or values that are not finite.
    """
    if not os.path.isfile(path):
        known = "auto, imagenet, random, or a file"
        raise InputError(f"--weights={path}: there is no such file. Expected {known}")
    try:
        with h5py.File(path, "r") as file:
            found = _arrays(file, path, architecture)
            return {layer.name: _checked(layer, found, path) for layer in layers}
    except InputError:
        raise
    # h5py raises all of these on damaged files.
    except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"--weights={path}: this is no complete HDF5 weights file ({reason}). "
            "Expected Keras' 'notop' .h5 or a Keras 3 .weights.h5"
        ) from None


def _arrays(
    file: h5py.File, path: str | os.PathLike, architecture: Architecture
) -> dict[str, tuple[h5py.Dataset, ...]]:
    """Layer name → its datasets, kernel first."""
    if "layer_names" in file.attrs or "model_weights" in file:
        group = file.get("model_weights", file)
        return {
            _text(name): tuple(group[_text(name)][_text(weight)]
                               for weight in group[_text(name)].attrs["weight_names"])
            for name in group.attrs["layer_names"]
        }
    if "layers" in file:
        return _keras3_arrays(file["layers"], path, architecture)
    raise InputError(
        f"--weights={path}: this HDF5 file holds no Keras weights; at its top: "
        f"{', '.join(list(file)[:5]) or 'nothing'}. Expected Keras' 'notop' .h5 or a .weights.h5"
    )


def _keras3_arrays(
    layers: h5py.Group, path: str | os.PathLike, architecture: Architecture
) -> dict[str, tuple[h5py.Dataset, ...]]:
    if any(name.startswith("rescaling") for name in layers):
        raise InputError(
            f"--weights={path}: these are the weights of a feature model, with its preprocessing "
            "folded in. Save the model as .keras and name it with --network=FILE"
        )
    found = {
        name: tuple(group["vars"][key] for key in sorted(group["vars"], key=int))
        for name, group in layers.items()
        if "vars" in group and len(group["vars"]) == 2 and group["vars"]["0"].ndim == 4
    }
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


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _checked(
    layer: Layer, found: Mapping[str, tuple[h5py.Dataset, ...]], path: str | os.PathLike
) -> tuple[np.ndarray, np.ndarray]:
    if not found.get(layer.name):
        there = [name for name, arrays in found.items() if arrays]
        raise InputError(
            f"--weights={path}: the file has no layer {layer.name!r}; it has "
            f"{', '.join(there) or 'none'}. Choose --content_layers and --style_layers among "
            "these, or another file"
        )
    expected = [(3, 3, layer.inputs, layer.channels), (layer.channels,)]
    shapes = [array.shape for array in found[layer.name]]
    if shapes != expected:
        raise InputError(
            f"--weights={path}: layer {layer.name!r} has the shapes {_listed(shapes)}, expected "
            f"{_listed(expected)}. Is --network the network that the file is of?"
        )
    kernel, bias = (np.asarray(array, np.float32) for array in found[layer.name])
    if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
        raise InputError(
            f"--weights={path}: layer {layer.name!r} holds values that are not finite; "
            "the file is damaged"
        )
    return kernel, bias


def _listed(shapes: Sequence[tuple[int, ...]]) -> str:
    return " and ".join("x".join(map(str, shape)) for shape in shapes)
