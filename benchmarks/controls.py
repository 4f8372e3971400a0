"""What each control does: `python -m benchmarks.controls` makes docs/controls.md and its pictures.

One row for each control, with the same content and style: what changes as the control is turned.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from absl import app, flags
from matplotlib.figure import Figure

from benchmarks.defects import jpeg
from tf_style import Settings, Stylizer
from tf_style.image.picture import read_picture
from tf_style.image.resize import shrink

FLAGS = flags.FLAGS
flags.DEFINE_integer("size", 256, "long side of the pictures")
flags.DEFINE_string("weights", "auto", "as in tf_style")
flags.DEFINE_string("content", "sample:harbor", "content picture")
flags.DEFINE_string("style", "sample:brushstrokes", "style picture")
flags.DEFINE_string("other", "sample:ink", "second style")
flags.DEFINE_string("folder", "docs", "where the page goes")
flags.DEFINE_list("only", [], "rows to make again; all by default")
flags.DEFINE_string("steps", "auto", "as in tf_style")

# Row → what the page says, and the settings of each picture by its label.
ROWS: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {
    "strength": (
        "One knob, from untouched to hardly recognisable.",
        {f"{each:g}": {"strength": each} for each in (0, 0.25, 0.5, 0.75, 1)},
    ),
    "style_loss": (
        "What is compared between styles. `moments`, the default, treats feature maps as "
        "Gaussians; `gram` compares products of maps; `mean_std` ignores correlations; `phase` "
        "compares where structures lie, not how strong they are; `phase_match` matches the style's "
        "own layout; `neighbors` brings each place nearer to some place of the style.",
        {each: {"style_loss": each} for each in (
            "gram", "moments", "mean_std", "sliced_wasserstein", "histogram", "phase",
            "phase_match", "gram:1,phase:0.5", "moments,neighbors:0.1",
        )},
    ),
    "large_forms": (
        "How large the style's forms are, with pretrained weights: from brush strokes alone, 0, to "
        "cells, swirls and limbs. `--style_scale` makes all of them larger or smaller. Here in the "
        "style of `sample:stained_glass`, at twice the size.",
        {f"{each:g}": {"large_forms": each} for each in (0, 0.1, 0.25, 0.5, 0.75)},
    ),
    "style_places": (
        "What of the style its large forms are taken from: mostly what it shows several times, as "
        "by default, or all, such as the only sun of `sample:waves`, here at the top left. By the "
        "compact network, at one and a half times the size.",
        {each: {"style_places": each, "network": "compact"} for each in ("recurring", "all")},
    ),
    "style_regions": (
        "Into how many regions, such as sky and houses, the pictures are divided; with 1 they are "
        "compared as wholes. Here in the style of `sample:waves`, at twice the size.",
        {f"{each}": {"style_regions": each} for each in (1, 2, 3)},
    ),
    "style_scale": (
        "The size at which the style is seen: a larger one gives larger strokes.",
        {f"{each:g}": {"style_scale": each} for each in (0.5, 1, 2)},
    ),
    "style_layers": (
        "Shallow layers carry colours and grain, deeper ones strokes.",
        {each: {"style_layers": each} for each in (
            "block1_conv1", "block2_conv1", "block3_conv1"
        )},
    ),
    "protect": (
        "Part of the content is held more strongly, where a mask is white: here an ellipse over "
        "the face of `sample:grace_hopper`. Colours that it no longer takes appear elsewhere.",
        {"without": {}, "the face": {}},
    ),
    "preserve_color": (
        "Whose colours the result has: the style's; the content's with the result's luminance; or "
        "those of the style first matched to the content's, in mean and covariance, or as a "
        "distribution.",
        {each: {"preserve_color": each} for each in (
            "none", "luminance", "statistics", "histogram"
        )},
    ),
    "style_blend": (
        "Two styles, blended by shares of their statistics; a share of 0 leaves one out.",
        {each: {"style_blend": each} for each in ("0.9,0.1", "0.5,0.5", "0.1,0.9")},
    ),
    "style_cleanup": (
        "The result of a style that was compressed too heavily (JPEG of quality 10).",
        {"the style": {}, **{each: {"style_cleanup": each} for each in ("off", "auto")}},
    ),
    "content_mask": (
        "A style for each half, with a soft edge; and a style for the left half only.",
        {"both": {}, "left alone": {}},
    ),
    "init": (
        "Where the image starts.",
        {each: {"init": each} for each in ("content", "style", "noise", "gray")},
    ),
    "optimizer": (
        "What moves the image.",
        {each: {"optimizer": each} for each in ("adam", "lbfgs")},
    ),
    "pooling": (
        "How the network pools, and gradients of the same length for every layer.",
        {"max": {}, "average": {"pooling": "average"},
         "normalize_gradients": {"normalize_gradients": True}},
    ),
    "tv_weight": (
        "Smooths the picture.",
        {f"{each:g}": {"tv_weight": each} for each in (0, 1, 10)},
    ),
    "content": (
        "`--content=none`: a texture of the style alone.",
        {"none": {}},
    ),
}


def picture(row: str, label: str, settings: dict[str, Any]) -> np.ndarray:
    """One picture of a row."""
    content, style, masks = FLAGS.content, [FLAGS.style], []
    size: int | str = FLAGS.size
    if row in ("style_blend", "content_mask"):
        style = [FLAGS.style, FLAGS.other]
    if row == "style_cleanup":
        style = [jpeg(shrink(read_picture(FLAGS.style), FLAGS.size))]
        if label == "the style":
            return style[0]
    if row == "content_mask":
        height, width = read_picture(content).shape[:2]
        right = np.clip(np.linspace(-2, 3, width, dtype=np.float32), 0, 1)
        right = np.broadcast_to(right[None, :, None], (height, width, 3))
        masks = [1 - right, right]
        if label == "left alone":
            style, masks = style[:1], masks[:1]
    if row == "content":
        content, size = None, f"{FLAGS.size}x{FLAGS.size * 3 // 4}"
    if row == "large_forms":
        # The deepest layer needs positions to count.
        style, size = "sample:stained_glass", 2 * FLAGS.size
    if row in ("style_places", "style_regions"):
        style, size = "sample:waves", 2 * FLAGS.size
    if row == "style_places":
        size = 3 * FLAGS.size // 2
    protect = None
    if row == "protect":
        content = "sample:grace_hopper"
        protect = _face() if label == "the face" else None
    stylizer = Stylizer(
        Settings(size=size, weights=FLAGS.weights, steps=FLAGS.steps, **settings)
    )
    return stylizer.stylize(content, style, content_masks=masks, protect=protect).image


def _face() -> np.ndarray:
    """Where the face of `grace_hopper` is."""
    height, width = read_picture("sample:grace_hopper").shape[:2]
    rows, columns = np.ogrid[:height, :width]
    inside = ((rows / height - 0.34) / 0.17) ** 2 + ((columns / width - 0.51) / 0.2) ** 2 < 1
    return inside.astype(np.float32)


def figure(pictures: dict[str, np.ndarray]) -> Figure:
    """Pictures side by side, at most four in a line, each under its label."""
    columns = min(4, len(pictures))
    lines = -(-len(pictures) // columns)
    drawn = Figure(figsize=(2.6 * columns, 2.2 * lines), layout="constrained")
    for index, (label, image) in enumerate(pictures.items(), 1):
        axes = drawn.add_subplot(lines, columns, index)
        axes.imshow(image, interpolation="lanczos")
        axes.set_title(label, fontsize=9)
        axes.set_axis_off()
    return drawn


def page() -> str:
    """The page, with a picture for each row."""
    lines = [
        "# What the controls do", "",
        f"`{FLAGS.content}` in the style of `{FLAGS.style}`, {FLAGS.size} pixels, everything else "
        "by default. Made by `python -m benchmarks.controls`.", "",
    ]
    for row, (text, _) in ROWS.items():
        lines += [f"## `--{row}`", "", text, "", f"![{row}](controls/{row}.jpg)", ""]
    return "\n".join(lines)


def main(_: list[str]) -> None:
    folder = Path(FLAGS.folder)
    (folder / "controls").mkdir(parents=True, exist_ok=True)
    (folder / "controls.md").write_text(page(), encoding="utf-8")
    for row, (_, settings) in ROWS.items():
        if FLAGS.only and row not in FLAGS.only:
            continue
        pictures = {label: picture(row, label, each) for label, each in settings.items()}
        figure(pictures).savefig(
            folder / "controls" / f"{row}.jpg", dpi=100, pil_kwargs={"quality": 85}
        )
        print(row, flush=True)


if __name__ == "__main__":
    app.run(main)
