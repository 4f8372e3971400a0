"""Files of networks that paint, by their names: those that come with the package, too.

No TensorFlow.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from tf_style.image.paths import PathLike, check_writable, no_plain_file
from tf_style.image.samples import ALL, PREFIX, STYLE_SAMPLES
from tf_style.network.archives import read_config
from tf_style.settings import NETWORKS, InputError

# One for all: its styles share their convolutions.
FILE = Path(__file__).parent / "samples.keras"
# Of networks for LiteRT.
ENDING = ".tflite"


def locate_model(model: PathLike) -> tuple[Path, str]:
    """The file that `model`, a path or `sample:NAME`, names; and the one style that is meant.

    Returns:
        The path; the name of a style, empty for all that the file has.

    Raises:
        InputError: if there is no such sample.
    """
    text = str(model)
    if not text.startswith(PREFIX):
        return Path(model), ""
    name = text[len(PREFIX):]
    if name == ALL:
        return FILE, ""
    if name not in STYLE_SAMPLES:
        known = ", ".join(PREFIX + each for each in (*STYLE_SAMPLES, ALL))
        raise InputError(f"--model={text}: expected one of {known}, or a file")
    return FILE, name


def check_model(flag: str, model: str) -> Path:
    """The file of a network that paints, looked at as far as that is possible without TensorFlow.

    Args:
        flag: the option that names it.

    Raises:
        InputError: if it is none.
    """
    path, _ = locate_model(model)
    if reason := no_plain_file(path):
        looks = (f". The network that the losses use is --network={model.lower()}"
                 if model.lower() in NETWORKS else "")
        raise InputError(f"--{flag}={model}: expected a .keras file that tf_style_train wrote, or "
                         f"sample:NAME. {reason[0].upper()}{reason[1:]}{looks}")
    if path.suffix == ENDING:
        if flag != "model":
            raise InputError(f"--{flag}={path}: a file for LiteRT is for --model alone. Expected "
                             "the .keras file")
        return _check_lite(flag, path)
    try:
        # Whether a class is registered, Keras knows.
        read_config(path, lambda name: True)
    # Nearly anything, for a damaged file.
    except Exception as error:
        raise InputError(f"--{flag}={model}: not a Keras model that can be loaded "
                         f"({' '.join(str(error).split())[:200]})") from None
    return path


def _check_lite(flag: str, path: Path) -> Path:
    if importlib.util.find_spec("ai_edge_litert") is None:
        raise InputError(f"--{flag}={path}: this needs pip install 'tf_style[lite]'")
    with open(path, "rb") as file:
        # What the format says of itself, behind the place of its root.
        if file.read(8)[4:] != b"TFL3":
            raise InputError(f"--{flag}={path}: this is no file for LiteRT")
    return path


def check_export(path: PathLike) -> Path:
    """The file that a network is exported to.

    Raises:
        InputError: if it cannot be written, or not in this format.
    """
    path = check_writable(path)
    if path.suffix not in (ENDING, ".onnx"):
        raise InputError(f"--export={path}: expected a name that ends in .tflite or .onnx")
    if path.suffix == ".onnx" and importlib.util.find_spec("tf2onnx") is None:
        raise InputError(f"--export={path}: this needs pip install 'tf_style[onnx]'")
    return path
