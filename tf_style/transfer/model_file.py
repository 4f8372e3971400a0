"""Files of networks that paint: plain Keras models, with what they were made from beside them."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from tf_style.image.numbers import eight_bit
from tf_style.image.paths import PathLike, check_writable, write_bytes
from tf_style.network import archives
from tf_style.network.models import load_model
from tf_style.settings import InputError
from tf_style.transfer.pupil import Norms, Pupil
from tf_style.transfer.samples import ENDING, check_export, check_model
from tf_style.transfer.transform import (
    SHAPES,
    Shape,
    controlled_network,
    kernel_shapes,
    transform_network,
)

# What a note must have for us to know the network again.
_KIND = "tf_style transform"
_METADATA, _STYLES, _THUMBNAIL = "metadata.json", archives.STYLES, archives.THUMBNAIL


@dataclasses.dataclass(frozen=True)
class TransformModel:
    """A network that paints, and what it was made from.

    Attributes:
        model: paints in the first style, or in the blend that was asked for.
        width: the key of its shape in `SHAPES`; empty for a stranger's, of which no more is known.
        norms: layer → scale and shift of its normalisation, a row for each style.
        note: plain JSON data: `styles`, a list of mappings with the `name` and the `digest` of
            each; `settings`; `pictures`; `teacher`; `licence`; `steps`; `seconds`; `versions`.
        thumbnail: what it makes of a photograph, a JPEG; empty if there is none.
    """

    model: keras.Model
    width: str = ""
    norms: Norms = dataclasses.field(default_factory=dict)
    note: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    thumbnail: bytes = b""

    @classmethod
    def of(
        cls, pupil: Pupil, note: Mapping[str, Any], thumbnail: bytes = b"", name: str = "painting"
    ) -> TransformModel:
        """A pupil's network as it is now, its weights rounded to those that a file holds."""
        model = transform_network(SHAPES[pupil.width], name=name)
        for layer, arrays in pupil.kernels.items():
            model.get_layer(layer).set_weights([_rounded(each) for each in arrays])
        norms = {layer: [_rounded(each) for each in pair] for layer, pair in pupil.norms.items()}
        made = cls(model, pupil.width, norms, {"kind": _KIND, "width": pupil.width, **note},
                   thumbnail)
        return made.blended([1.0])

    @classmethod
    def read(cls, path: PathLike, flag: str = "model") -> TransformModel:
        """A file that `save` wrote, or any Keras model from pictures to pictures.

        It is checked before Keras opens it: `tf_style.network.archives`.

        Raises:
            InputError: if it holds no such model.
        """
        path = check_model(flag, os.fspath(path))
        if path.suffix == ENDING:
            raise InputError(f"--{flag}={path}: a file for LiteRT paints pictures by the command "
                             "tf_style alone. Expected the .keras file")
        model = load_model(path, flag)
        given, found = model.inputs[0].shape, getattr(model.output, "shape", ())
        if given[1:] != (None, None, 3) or tuple(found[3:]) != (3,):
            raise InputError(
                f"--{flag}={path}: expected a model from RGB pictures of any size to such "
                f"pictures. Received: one from {given[1:]} to {tuple(found[1:])}"
            )
        note, styles, thumbnail = _beside(path)
        width = note.get("width")
        if note.get("kind") != _KIND or not isinstance(width, str) or width not in SHAPES:
            return cls(model)
        if not _belongs(model, SHAPES[width], styles, note.get("styles")):
            raise InputError(f"--{flag}={path}: its note and its styles do not belong to its "
                             "network; save it again with Keras to leave them out")
        return cls(model, width, styles, note, thumbnail)

    @property
    def styles(self) -> list[str]:
        """The names of its styles."""
        return [str(each.get("name", "")) for each in self.note.get("styles", [])]

    def blended(self, shares: Sequence[float]) -> TransformModel:
        """The same network, painting in a blend of its styles.

        Args:
            shares: of the first styles, at least one above 0; they are scaled to add up to 1.

        Raises:
            ValueError: for other shares.

        Source: Dumoulin, Shlens, Kudlur, ICLR 2017, section 3.4.
        """
        total = sum(shares)
        if total <= 0 or len(shares) > len(self.norms[next(iter(self.norms))][0]):
            raise ValueError(f"expected shares of {len(self.styles)} styles, one above 0. "
                             f"Received: {list(shares)}")
        model = keras.models.clone_model(self.model)
        model.set_weights(self.model.get_weights())
        for layer in _normalizations(model):
            layer.set_weights([
                sum(share / total * row for share, row in zip(shares, rows, strict=False))
                for rows in self.norms[layer.name]
            ])
        model.trainable = False
        return dataclasses.replace(self, model=model)

    def controlled(self) -> keras.Model:
        """The same network as a plain model to which blend and strength are inputs.

        Returns:
            A `keras.Model` of built-in layers: `[pictures, shares, strength]`,
            `(batch, height, width, 3)`, `(batch, styles)` and `(batch, 1)` → the painted pictures.
            The shares, of each style in each picture, are scaled to add up to 1. A strength of 0
            leaves the picture as it is, 1 is the painted picture, between are mixtures of the two.

        Raises:
            InputError: for a stranger's network, of whose styles nothing is known.
        """
        if not self.width:
            raise InputError("--model: only a network that tf_style_train made has styles to blend")
        rows = len(next(iter(self.norms.values()))[0])
        model = controlled_network(SHAPES[self.width], rows, self.model.name)
        for layer, pair in self.norms.items():
            for role, values in zip(("scale", "shift"), pair, strict=True):
                model.get_layer(f"{layer}_{role}").set_weights([values])
        for layer in kernel_shapes(SHAPES[self.width]):
            model.get_layer(layer).set_weights(self.model.get_layer(layer).get_weights())
        model.trainable = False
        return model

    def only(self, style: str) -> TransformModel:
        """The same network with one of its styles alone.

        Raises:
            InputError: if it has no such style.
        """
        if style not in self.styles:
            raise InputError(f"--model: it has no style {style!r}. All: {', '.join(self.styles)}")
        row = self.styles.index(style)
        norms = {layer: [each[row : row + 1] for each in pair]
                 for layer, pair in self.norms.items()}
        note = {**self.note, "styles": self.note["styles"][row : row + 1]}
        return dataclasses.replace(self, norms=norms, note=note).blended([1.0])

    def in_precision(self, dtype: str) -> TransformModel:
        """The same network, computing in `float32` or `bfloat16`; a stranger's as it is."""
        if not self.width or dtype == "float32":
            return self
        model = transform_network(SHAPES[self.width], f"mixed_{dtype}", self.model.name)
        model.set_weights(self.model.get_weights())
        model.trainable = False
        return dataclasses.replace(self, model=model)

    def save(self, path: PathLike) -> None:
        """Write a `.keras` file that Keras loads where tf_style is not installed.

        Raises:
            InputError: if it cannot be written there.
        """
        path = check_writable(path)
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder, "plain.keras")
            self.model.save(plain)
            write_bytes(path, _packed(plain, self))


    def export(self, path: PathLike, *, controls: bool = False) -> None:
        """Write the model as it paints now for programs without Keras.

        Args:
            path: `.tflite`, for LiteRT, or `.onnx`, which needs the extra `onnx`. Both take RGB in
                `[0, 1]`, `(batch, height, width, 3)`, of any size.
            controls: with the inputs of `controlled` instead.

        Raises:
            InputError: if it cannot be written there.
        """
        path = check_export(path)
        model = self.controlled() if controls else self.model
        # Keras exports what has been called.
        given = [np.ones((1, *(length or 4 for length in each.shape[1:])), np.float32)
                 for each in model.inputs]
        model(given if controls else given[0])
        with tempfile.TemporaryDirectory() as folder:
            if path.suffix == ENDING:
                # Straight from the model, Keras prints what it exports.
                model.export(folder, verbose=False)
                content = _lite(folder)
            else:
                exported = Path(folder, "model.onnx")
                model.export(exported, format="onnx", verbose=False)
                content = exported.read_bytes()
            write_bytes(path, content)


def _lite(folder: str) -> bytes:
    """A saved model for LiteRT, its weights in two bytes each: they have no more digits."""
    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def _packed(plain: Path, made: TransformModel) -> bytes:
    """A Keras file made smaller, with what belongs to the model beside it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(
        packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9
    ) as archive:
        for name in source.namelist():
            content = source.read(name)
            if name == _METADATA:
                content = json.dumps({**json.loads(content), "tf_style": made.note}).encode()
            # A fixed time: the same training gives the same file.
            archive.writestr(_member(name), content)
        if made.norms:
            styles = io.BytesIO()
            np.savez(styles, **{f"{layer}/{role}": each for layer, pair in made.norms.items()
                                for role, each in zip(("scale", "shift"), pair, strict=True)})
            archive.writestr(_member(_STYLES), styles.getvalue())
        if made.thumbnail:
            archive.writestr(_member(_THUMBNAIL), made.thumbnail)
    return packed.getvalue()


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def _beside(path: PathLike) -> tuple[dict[str, Any], dict[str, list[np.ndarray]], bytes]:
    """What stands beside the model in an archive that has been checked: note, norms, thumbnail."""
    if os.fspath(path).endswith((".h5", ".hdf5")):
        return {}, {}, b""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        try:
            note = json.loads(archive.read(_METADATA)).get("tf_style", {})
            arrays: dict[str, list[np.ndarray]] = {}
            if _STYLES in names:
                with np.load(io.BytesIO(archive.read(_STYLES)), allow_pickle=False) as found:
                    for name in found.files:
                        arrays.setdefault(name.rpartition("/")[0], []).append(found[name])
            thumbnail = archive.read(_THUMBNAIL) if _THUMBNAIL in names else b""
            whole = all(len(pair) == 2 and pair[0].ndim == 2 and pair[0].shape == pair[1].shape
                        and np.isfinite(pair).all() for pair in arrays.values())
            if not (isinstance(note, dict) and whole):
                raise ValueError
        # A damaged archive raises nearly anything.
        except Exception:
            raise InputError(f"{os.fspath(path)}: what is stored beside the model is damaged; save "
                             "it again with Keras to leave that out") from None
    return note, arrays, thumbnail


def _belongs(model: keras.Model, shape: Shape, norms: Norms, named: Any) -> bool:
    """Whether a network has this shape, and what stands beside it is of its styles."""
    kernels = {each.name: tuple(each.kernel.shape) for each in model.layers
               if isinstance(each, (keras.layers.Conv2D, keras.layers.Conv2DTranspose))}
    widths = {each.name: each.gamma.shape[0] for each in _normalizations(model)}
    rows = {pair[0].shape[0] for pair in norms.values()}
    return (
        kernels == kernel_shapes(shape)
        and {*widths} == {f"{name}_norm" for name in kernels if name != "picture"}
        and {name: pair[0].shape[1] for name, pair in norms.items()} == widths
        and isinstance(named, list) and all(isinstance(each, dict) for each in named)
        and rows == {len(named)}
    )


def _normalizations(model: keras.Model) -> list[keras.layers.Layer]:
    return [each for each in model.layers if isinstance(each, keras.layers.GroupNormalization)]


def _rounded(values: np.ndarray) -> np.ndarray:
    """The nearest values with eight significant bits, which take half the room in a file.

    Source: round to nearest even, IEEE 754, to the format bfloat16.
    """
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    bits = bits + 0x7FFF + ((bits >> 16) & 1)
    return (bits & np.uint32(0xFFFF0000)).view(np.float32)


def thumbnail(picture: np.ndarray) -> bytes:
    """A JPEG of a picture, `(height, width, 3)` in `[0, 1]`."""
    file = io.BytesIO()
    Image.fromarray(eight_bit(picture)).save(file, "JPEG", quality=85)
    return file.getvalue()
