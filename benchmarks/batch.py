"""One command for thirty mixed pictures against thirty commands: `python -m benchmarks.batch`.

Five of the pictures are bad. Random kernels, few steps: what is measured is what one command saves.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from absl import app, flags
from PIL import Image

from benchmarks import record

FLAGS = flags.FLAGS
flags.DEFINE_integer("pictures", 30, "how many in all", lower_bound=6)
flags.DEFINE_integer("alone", 6, "how many of them also by a command each")
flags.DEFINE_integer("size", 128, "long side of the results, in pixels")
flags.DEFINE_string("steps", "20", "at each size")
flags.DEFINE_string("output", None, "write the figures as JSON")

BAD = 5
# Endings, modes and proportions as they come in a folder of somebody's pictures.
KINDS = ((".png", "RGB"), (".jpg", "L"), (".png", "RGBA"), (".webp", "RGB"), (".png", "P"),
         (".tiff", "RGB"), (".gif", "P"), (".bmp", "RGB"))


def make_pictures(folder: Path, count: int) -> None:
    """Pictures of several kinds and sizes, spread among them the bad ones."""
    generator = np.random.default_rng(0)
    for number in range(count):
        ending, mode = KINDS[number % len(KINDS)]
        height, width = generator.integers(64, 129, 2)
        noise = generator.integers(0, 256, (height, width, 3), np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(noise).convert(mode).save(buffer, Image.registered_extensions()[ending])
        content = buffer.getvalue()
        if number % (count // BAD) == 0 and number // (count // BAD) < BAD:
            content = [b"", b"no picture", content[: len(content) // 2], b"\x89PNG\r\n\x1a\n",
                       content[:40]][number // (count // BAD)]
        (folder / f"{number:02}{ending}").write_bytes(content)


def command(content: Path, output: Path) -> tuple[float, subprocess.CompletedProcess[str]]:
    """Seconds that a command took, and what came of it."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "tf_style", f"--content={content}", "--style=sample:waves",
         f"--output={output}", f"--size={FLAGS.size}", f"--steps={FLAGS.steps}",
         "--weights=random", "--quiet"],
        capture_output=True, text=True,
    )
    return time.perf_counter() - began, done


def main(_: list[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        photos, together, apart = (Path(scratch, name) for name in ("photos", "one", "each"))
        for folder in (photos, together, apart):
            folder.mkdir()
        make_pictures(photos, FLAGS.pictures)
        seconds, done = command(photos, together / "{content}.png")
        print(done.stderr, end="")
        made = sorted(each.stem for each in together.iterdir())
        contents = [each for each in sorted(photos.iterdir()) if each.stem in made]
        alone = [command(each, apart / f"{each.stem}.png")[0] for each in contents[: FLAGS.alone]]
    figures = {
        "pictures": FLAGS.pictures,
        "made": len(made),
        "exit_code": done.returncode,
        "seconds_per_picture": seconds / len(made),
        "seconds_per_picture_alone": sum(alone) / len(alone),
    }
    figures["ratio"] = figures["seconds_per_picture_alone"] / figures["seconds_per_picture"]
    for name, value in figures.items():
        print(f"{name:26} {value:.3g}")
    if FLAGS.output:
        record.write(FLAGS.output, figures)


if __name__ == "__main__":
    app.run(main)
