"""Whether this checkout makes the pictures of an earlier commit: `python -m benchmarks.pixels`.

Each preset, each style loss and each kind of run, small, in float32, in both checkouts on one
machine. The pictures must be equal bit for bit, or the first gradients nearly equal, as when a sum
is taken in another order. Differences are printed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve()
ROOT = HERE.parents[1]
# Of its own length: how far a first gradient may be off.
TOLERANCE = 1e-6

PRESETS = sorted(path.stem for path in (ROOT / "flags").glob("*.flags"))
# In a preset: what decides how large and how long a run is.
SCALE = ("size", "scales", "steps", "content", "style", "output")
BASE: dict[str, Any] = {
    "size": 96, "steps": 4, "scales": 2, "precision": "float32", "weights": "random",
    "tolerance": 0, "content_layers": "block2_conv1,block3_conv1:2",
    "style_layers": "block1_conv1,block2_conv1:3,block3_conv1",
}
# Those that the earliest commit knows; a newer one has nothing to be compared with.
LOSSES = ("gram", "moments", "mean_std", "sliced_wasserstein", "histogram", "phase", "phase_match")
VARIANTS: dict[str, dict[str, Any]] = {
    **{f"loss {name}": {"style_loss": name} for name in LOSSES},
    "two losses": {"style_loss": "gram:2,mean_std:0.5"},
    "strength": {"strength": 0.8, "pooling": "average"},
    "two networks": {"style_network": "vgg19", "style_network_weights": "random"},
    "blocks": {"block_size": 32, "size": 128, "style_loss": "gram,phase"},
    "blocks of moments": {"block_size": 48, "size": 130},
    "lbfgs": {"optimizer": "lbfgs"},
    "evened": {"normalize_gradients": True, "style_loss": "gram,moments"},
    "bfloat16": {"precision": "bfloat16"},
    "float16": {"precision": "float16", "style_loss": "gram"},
    "style scale": {"style_scale": 0.7, "init": "noise", "seed": 3, "init_noise": 0.2},
    "luminance": {"preserve_color": "luminance", "learning_rate_schedule": "cosine"},
    "histogram of colours": {"preserve_color": "histogram", "init": "style"},
    "learned": {"weights": "unsupervised", "content_layers": "auto", "style_layers": "auto"},
    "small style": {"style_size": 700, "size": 64},
}


def pictures() -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """A content, two styles, and a mask for each."""
    from tf_style.image.samples import sample_path

    def read(name: str) -> np.ndarray:
        from PIL import Image

        return np.asarray(Image.open(sample_path(name)).convert("RGB"), np.float32) / 255

    content = read("harbor")[::4, ::4]
    left = np.zeros(content.shape, np.float32)
    left[:, : content.shape[1] // 2] = 1
    return content, [read("waves")[::3, ::3], read("ink")[::3, ::3]], [left, 1 - left]


def collect(path: str) -> None:
    """Write the picture and the first gradient of each run, by the package that is imported."""
    import keras

    from tf_style import Stylizer
    from tf_style.loss import blocks, objective

    found: dict[str, np.ndarray] = {}
    content, styles, masks = pictures()
    several = {
        "plain": ((content, styles[0]), {}),
        "two styles": ((content, styles), {}),
        "regions": ((content, styles), {"content_masks": masks}),
        "one region": ((content, styles[0]), {"content_masks": masks[:1]}),
        "texture": ((None, styles[1]), {}),
    }
    runs = {
        **{f"preset {name}": (preset(name), several["plain"]) for name in PRESETS},
        **{name: ({**BASE, **values}, several["plain"]) for name, values in VARIANTS.items()},
        **{name: ({**BASE, **({"size": "96x64"} if name == "texture" else {})}, given)
           for name, given in several.items()},
        "blend in blocks": ({**BASE, "block_size": 32, "size": 100}, several["regions"]),
        "poor style": ({**BASE, "style_size": 300}, ((content, poor(styles[0])), {})),
    }
    for name, (settings, (given, masked)) in runs.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found[name] = Stylizer(**settings).stylize(*given, **masked).image
            # Compiled functions may sum in another order: the gradient is taken as it runs.
            kinds = {objective.Objective, blocks.Blocks}
            gradients = [first_gradient(kind, settings, given, masked) for kind in kinds]
        found[f"{name}/gradient"] = next(each for each in gradients if each is not None)
        print(f"{len(found) // 2}/{len(runs)} {name}", flush=True)
        keras.backend.clear_session()
    np.savez(path, **found)


def poor(style: np.ndarray) -> np.ndarray:
    """A style as JPEG of low quality leaves it."""
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.round(style * 255).astype(np.uint8)).save(file, "JPEG", quality=10)
    return np.asarray(Image.open(file), np.float32) / 255


def preset(name: str) -> dict[str, Any]:
    """The settings of a preset, small and short."""
    lines = (ROOT / "flags" / f"{name}.flags").read_text(encoding="utf-8").splitlines()
    flags = dict(line[2:].split("=", 1) for line in lines if line.startswith("--"))
    return {
        **{flag: value for flag, value in flags.items() if flag not in SCALE},
        **{flag: BASE[flag] for flag in ("size", "steps", "scales", "precision", "weights")},
        "tolerance": 0,
    }


def first_gradient(
    kind: type, settings: dict[str, Any], given: tuple, masked: dict[str, Any]
) -> np.ndarray | None:
    """What `kind.value_and_gradient` gives first in a run; `None` where it is not asked."""
    from unittest import mock

    import tensorflow as tf

    from tf_style import Stylizer

    own = kind.value_and_gradient
    seen: list[np.ndarray] = []

    def watched(self: Any, *arguments: Any) -> Any:
        loss, parts, gradient = own(self, *arguments)
        seen.append(gradient.numpy())
        return loss, parts, gradient

    tf.config.run_functions_eagerly(True)
    try:
        with mock.patch.object(kind, "value_and_gradient", watched):
            Stylizer(**{**settings, "steps": 1, "scales": 1}).stylize(*given, **masked)
    finally:
        tf.config.run_functions_eagerly(False)
    return seen[0] if seen else None


def collected(root: Path, scratch: Path) -> dict[str, np.ndarray]:
    """What the package in `root` makes."""
    from benchmarks.worktree import environment

    path = scratch / f"{root.name}.npz"
    subprocess.run([sys.executable, os.fspath(HERE), f"--collect={path}"], check=True, cwd=root,
                   env=environment(root))
    return dict(np.load(path))


def compare(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> list[str]:
    """A line for each run; those that are too far apart begin with `DIFFERS`."""
    lines = []
    for name in [name for name in before if not name.endswith("/gradient")]:
        if np.array_equal(before[name], after[name]):
            lines.append(f"same pixels       {name}")
            continue
        old, new = (each[f"{name}/gradient"].astype(np.float64) for each in (before, after))
        error = np.linalg.norm(new - old) / max(np.linalg.norm(old), 1e-30)
        pixels = 255 * np.abs(after[name] - before[name]).max()
        verdict = "within tolerance" if error <= TOLERANCE else "DIFFERS"
        lines.append(f"{verdict:16}  {name}: first gradient {error:.1e}, pixels {pixels:.2f}/255")
    return lines


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--commit", default="195f233", help="the earlier one")
    parser.add_argument("--collect", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.collect:
        collect(options.collect)
        return 0
    from benchmarks.worktree import checkout

    with tempfile.TemporaryDirectory() as folder, checkout(options.commit) as earlier:
        before, after = (collected(root, Path(folder)) for root in (earlier, ROOT))
    lines = compare(before, after)
    print("\n".join(lines))
    return int(any(line.startswith("DIFFERS") for line in lines))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
