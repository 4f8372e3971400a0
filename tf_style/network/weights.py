"""Where a network's weights come from: a file, Keras' ImageNet file, ours, pictures, or chance.

TensorFlow is needed only to learn.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from tf_style.network import download
from tf_style.network.architectures import ARCHITECTURES, Architecture, Layer
from tf_style.network.kernel_files import (
    LEARNED,
    Kernels,
    is_of_another,
    lacking,
    read_kernels,
    read_notes,
    read_origin,
)
from tf_style.settings import AUTO, WEIGHTS, InputError, Note, Remark
from tf_style.settings.auto import Kind

ENVIRONMENT = "TF_STYLE_WEIGHTS"


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


def environment_file() -> str | None:
    """The weights file that the environment names, if any."""
    named = os.environ.get(ENVIRONMENT) or None
    # It names a file, even if that file is called like a word of --weights.
    return os.path.join(os.curdir, named) if named in WEIGHTS else named


def unwatched(text: str, share: float | None = None) -> None:
    """What is called with what comes next, if nobody wants to know."""


def settle(
    network: str, weights: str, *, offline: bool = False,
    watch: Callable[..., object] = unwatched,
) -> tuple[str, str]:
    """The network and the weights that these stand for, where either may be `auto`.

    The network that the weights belong to; without any, `vgg16` with the file in $TF_STYLE_WEIGHTS
    if that is set, else with `imagenet`, from Keras' cache or, unless `offline`, by download; else,
    with a note that says so, `compact`, which comes with the package.

    Args:
        network: `auto`, or one of `ARCHITECTURES`.
        watch: called with what comes next, in a few words, and how much of it is done, 0 to 1, if
            that is known.

    Raises:
        InputError: for a word that means nothing for this network.
    """
    network, weights = _matched(network, weights)
    if network != AUTO:
        architecture = ARCHITECTURES[network]
        return network, resolve(weights, architecture, offline=offline, watch=watch)
    try:
        _imagenet_file(ARCHITECTURES["vgg16"], offline=offline, watch=watch)
    except _AbsentError as error:
        warnings.warn(
            f"using the network that comes with tf_style (no pretrained VGG16: {error})",
            Note, stacklevel=3,
        )
        return "compact", "included"
    return "vgg16", "imagenet"


def settle_known(network: str, weights: str, *, offline: bool = False) -> tuple[str, str | None]:
    """The same as far as it can be known without a download, and without a note.

    Returns:
        What `settle` does; `vgg16` and `None` where that may turn out otherwise, as `compact` has
        no layer that VGG16 lacks.

    Raises:
        InputError: for a word that means nothing for this network, and for `imagenet` if `offline`
            and the file is not there.
    """
    network, weights = _matched(network, weights)
    if network == AUTO:
        if not offline:
            return "vgg16", None
        try:
            _imagenet_file(ARCHITECTURES["vgg16"], offline=True)
        except _AbsentError:
            return "compact", "included"
        return "vgg16", "imagenet"
    architecture = ARCHITECTURES[network]
    check_word(weights, architecture)
    if weights == "imagenet" and offline:
        imagenet_file(architecture, offline=True)
    if weights == AUTO:
        return network, _own(architecture)
    return network, weights


def _matched(network: str, weights: str) -> tuple[str, str]:
    """The network that weights belong to, and these; both `auto` if nothing names any."""
    if network != AUTO:
        return network, weights
    if weights == AUTO:
        weights = environment_file() or AUTO
    if weights == AUTO:
        return AUTO, AUTO
    if weights in WEIGHTS:
        network = next(each.name for each in ARCHITECTURES.values() if weights in each.weights)
        return network, weights
    owner = read_origin(weights)
    return owner if owner in ARCHITECTURES else "vgg16", weights


def _own(architecture: Architecture) -> str | None:
    """The weights of a network that are there without a search, if any."""
    if "imagenet" not in architecture.weights:
        return architecture.weights[0]
    named = environment_file()
    # It is VGG16's, as a rule, and set for all runs, whatever network one of them asks for.
    if named and architecture.name != "vgg16" and is_of_another(named, architecture):
        return None
    return named


def resolve(
    weights: str, architecture: Architecture, *, offline: bool = False,
    watch: Callable[..., object] = unwatched,
) -> str:
    """What `auto` stands for here; any other word stands for itself.

    The file in $TF_STYLE_WEIGHTS if that is set, for VGG19 unless it is VGG16's; else `imagenet`,
    from Keras' cache or, unless `offline`, by download; else, with a warning that says so,
    `unsupervised`. For a network whose weights come with the package, `included`.

    Args:
        watch: as for `settle`.

    Raises:
        InputError: for a word that means nothing for this network.
    """
    check_word(weights, architecture)
    if weights != AUTO:
        return weights
    if named := _own(architecture):
        return named
    try:
        imagenet_file(architecture, offline=offline, watch=watch)
    except InputError as error:
        reason = error.flags.partition(": ")[2]
        warnings.warn(
            f"using features learned from the pictures instead of pretrained ones: {reason}",
            Remark, stacklevel=4,
        )
        return "unsupervised"
    return "imagenet"


def check_word(weights: str, architecture: Architecture) -> None:
    """Check that these weights, if they are a word, mean something for this network.

    Raises:
        InputError: if not.
    """
    if weights in WEIGHTS and weights not in architecture.weights:
        raise InputError(
            f"--weights={weights}: means nothing for --network={architecture.name}. Expected "
            f"{AUTO}, {', '.join(architecture.weights)}, or a weights file"
        )


def included_file(architecture: Architecture) -> Path:
    """The weights file that comes with the package."""
    return Path(__file__).with_name(f"{architecture.name}.h5")


def kind_of(weights: str | None, architecture: Architecture) -> Kind:
    """Which layers suit these weights, a word or a file; `None` if they are not known yet."""
    if weights == "unsupervised":
        return Kind.LEARNED
    # Deep layers drawn at random are no better than shallow ones, and slower.
    if weights in (None, "random"):
        return Kind.SHALLOW
    deep = _deep(architecture)
    if not _is_file(weights):
        return deep
    if read_origin(weights) == LEARNED:
        return Kind.LEARNED
    return Kind.SHALLOW if lacking(weights, architecture, deep.layers) else deep


def missing(weights: str | None, architecture: Architecture) -> list[str]:
    """Which layers `auto` would choose of pretrained weights, but a file of them lacks."""
    if not _is_file(weights) or kind_of(weights, architecture) is not Kind.SHALLOW:
        return []
    return lacking(weights, architecture, _deep(architecture).layers)


def _deep(architecture: Architecture) -> Kind:
    return Kind.COMPACT if architecture.readouts else Kind.DEEP


def _is_file(weights: str | None) -> bool:
    return weights is not None and weights not in WEIGHTS


def load(
    architecture: Architecture,
    layers: Sequence[Layer],
    weights: str,
    *,
    seed: int = 0,
    pictures: Sequence[np.ndarray] = (),
    cache_folder: str | os.PathLike | None = None,
    offline: bool = False,
    watch: Callable[..., object] = unwatched,
) -> Loaded:
    """Kernels and biases of the convolutions among `layers`.

    Args:
        architecture: the network that the layers belong to.
        layers: from the first to the deepest one needed.
        weights: `imagenet`, `unsupervised`, `included`, `random`, or the path of a weights file.
        seed: for `unsupervised` and `random`.
        pictures: that `unsupervised` learns from, besides the package's samples.
        cache_folder: where learned kernels are kept; by default the user's cache.
        offline: take `imagenet` from Keras' cache or not at all.
        watch: as for `settle`.

    Raises:
        InputError: if the weights are not available, or do not fit the layers.
    """
    check_word(weights, architecture)
    convolutions = [layer for layer in layers if not layer.pooling]
    if weights == "random":
        return Loaded({
            layer.name: (*_orthogonal(layer, seed), *_identity(layer, architecture.readouts))
            for layer in convolutions
        })
    if weights == "unsupervised":
        from tf_style.network import learned

        return Loaded(*learned.load(
            architecture, layers, pictures, seed=seed, folder=cache_folder, watch=watch
        ))
    if weights == "imagenet":
        weights = os.fspath(imagenet_file(architecture, offline=offline, watch=watch))
    if weights == "included":
        weights = os.fspath(included_file(architecture))
    try:
        return Loaded(read_kernels(weights, architecture, convolutions), notes=read_notes(weights))
    except InputError as error:
        if weights == environment_file():
            raise InputError(error.flags.replace("--weights", f"${ENVIRONMENT}", 1)) from None
        raise


@dataclasses.dataclass(frozen=True)
class Loaded:
    """Kernels, and how they were obtained.

    Attributes:
        kernels: layer name → (kernel `(3, 3, inputs, channels)`, bias `(channels,)`, and, if the
            network has it, readout `(1, 1, channels, channels)`), float32.
        cached: whether learned kernels were found in the cache; `None` for other kinds.
        notes: what their file says it was made from, and by what licence.
    """

    kernels: Kernels
    cached: bool | None = None
    notes: Mapping[str, str] = dataclasses.field(default_factory=dict)


def _orthogonal(layer: Layer, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """An orthogonal kernel with gain sqrt(2), which keeps the size of activations after a ReLU.

    Source: Saxe et al., Exact solutions to the nonlinear dynamics of learning, ICLR 2014.
    """
    # Each layer's seed depends on its name: the same kernels however many layers are asked for.
    generator = np.random.default_rng([seed, *layer.name.encode()])
    rows, columns = 9 * layer.inputs, layer.channels
    square = generator.standard_normal((max(rows, columns), min(rows, columns)))
    # The Q of a QR decomposition with a positive diagonal, by Cholesky: ten times as fast.
    lower = np.linalg.cholesky(square.T @ square)
    q = np.linalg.solve(lower, square.T).T
    kernel = np.sqrt(2) * (q if rows >= columns else q.T)
    return (
        kernel.reshape(3, 3, layer.inputs, layer.channels).astype(np.float32),
        np.zeros(layer.channels, np.float32),
    )


def _identity(layer: Layer, readout: bool) -> tuple[np.ndarray, ...]:
    """A readout that changes nothing, if there is to be one."""
    return (np.eye(layer.channels, dtype=np.float32)[None, None],) if readout else ()


def imagenet_file(
    architecture: Architecture, *, offline: bool = False, watch: Callable[..., object] = unwatched
) -> Path:
    """Keras' own ImageNet file without the top, from Keras' cache or by download.

    Args:
        offline: from the cache alone.
        watch: as for `settle`.

    Raises:
        InputError: if it is not in the cache and cannot be downloaded.
    """
    try:
        return _imagenet_file(architecture, offline=offline, watch=watch)
    except _AbsentError as error:
        raise InputError(
            f"--weights=imagenet: no pretrained {architecture.title} ({error}). Fetch "
            f"{_IMAGENET[architecture.name].url} by hand into {_keras_home() / 'models'}, or name "
            "a file with --weights=FILE"
        ) from None


class _AbsentError(Exception):
    """Why a file is not available."""


def _imagenet_file(
    architecture: Architecture, *, offline: bool, watch: Callable[..., object] = unwatched
) -> Path:
    file, home = _IMAGENET[architecture.name], _keras_home()
    try:
        return _kept(file, home) if offline else _fetched(file, home, watch)
    # Servers and what stands between raise more than an OSError.
    except Exception as error:
        # Nothing is looked for any more.
        watch("loading the network")
        reason = " ".join(str(error.__context__ or error).split())
        # What the system says, without its numbers.
        reason = re.sub(r"^<urlopen error (.*)>$", r"\1", reason)
        reason = re.sub(r"^\[Errno -?\d+\] ", "", reason)
        failed = "" if offline else "the download failed: "
        raise _AbsentError(failed + (reason or "time out")) from None


def _keras_home() -> Path:
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def _kept(file: _Download, home: Path) -> Path:
    path = home / "models" / file.file_name
    if not path.is_file():
        raise FileNotFoundError("--offline, and Keras' cache has none")
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != file.md5:
        raise ValueError("--offline, and the one in Keras' cache is damaged")
    return path


def _fetched(file: _Download, home: Path, watch: Callable[..., object]) -> Path:
    path = home / "models" / file.file_name
    try:
        return _kept(file, home)
    except (OSError, ValueError):
        # Missing or damaged.
        pass
    title = file.file_name.partition("_")[0].upper()
    watch("looking for a connection")
    download.fetch(file.url, path, file.md5, lambda share: watch(f"downloading {title}", share))
    return path
