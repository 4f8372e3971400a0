"""A library of styles: `python -m benchmarks.library --pictures=FOLDER`.

How descriptors follow the style loss, whether copies of a picture find it among many, how fast
pictures are added, and how fast 100 000 descriptors are searched. Textures that are drawn at random
make up the number; a picture's copies are a crop of a quarter or half of its area left out,
one of half its size, one of JPEG quality 30, and one in other shades.
"""

from __future__ import annotations

import io
import json
import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from absl import app, flags
from PIL import Image

from benchmarks.styles import texture
from tf_style.image.numbers import eight_bit

FLAGS = flags.FLAGS
flags.DEFINE_string("pictures", None, "a folder of pictures", required=True)
flags.DEFINE_integer("count", 2000, "pictures, with those drawn")
flags.DEFINE_integer("asked", 200, "pictures of which copies are looked for")
flags.DEFINE_integer("pairs", 500, "pairs whose distances are compared")
flags.DEFINE_integer("descriptors", 100_000, "made-up ones to search")
flags.DEFINE_string("network", "auto", "what describes")
flags.DEFINE_string("output", None, "write the figures as JSON")


def copies(picture: np.ndarray) -> dict[str, np.ndarray]:
    """A picture's copies, by what was done to it."""
    from tf_style.image.resize import resize

    height, width = picture.shape[:2]

    def crop(share: float) -> np.ndarray:
        rows, columns = (round(side * share**0.5) for side in (height, width))
        top, left = (height - rows) // 3, (width - columns) // 2
        return picture[top : top + rows, left : left + columns]

    buffer = io.BytesIO()
    Image.fromarray(eight_bit(picture)).save(buffer, "JPEG", quality=30)
    return {
        "crop of 3/4": crop(0.75), "crop of 1/2": crop(0.5),
        "half the size": np.clip(resize(picture, height // 2, width // 2), 0, 1),
        "JPEG of quality 30": np.asarray(Image.open(buffer), np.float32) / 255,
        "other shades": np.clip(picture**0.85 * np.float32([1.08, 1, 0.9]), 0, 1),
    }


def _files(folder: Path) -> list[str]:
    from tf_style.library.adding import picture_files

    found = picture_files(FLAGS.pictures)[: FLAGS.count]
    for seed in range(FLAGS.count - len(found)):
        path = folder / f"texture_{seed}.jpg"
        Image.fromarray(eight_bit(texture(seed))).save(path, quality=92)
        found.append(str(path))
    return found


def correlation(describer, names: list[str]) -> float:
    """Spearman's, of distances of descriptors with the mean style loss of both directions."""
    import tensorflow as tf

    from tf_style.image.resize import fit
    from tf_style.image.style import read_style
    from tf_style.loss.statistics import moments
    from tf_style.loss.transport import gaussian_distance, gaussian_target

    pictures = [read_style(name)[0] for name in names]
    seen = np.stack([describer.describe(each) for each in pictures]).astype(float)
    layers = describer.made_by["style_layers"]
    statistics = [{layer: moments(features) for layer, features in
                   describer._network.model(fit(each, 256)[None]).items()} for each in pictures]
    targets = [{layer: gaussian_target(each[layer]) for layer in layers} for each in statistics]
    draw, draws = tf.zeros(2, tf.int32), random.Random(0)
    apart = tf.function(gaussian_distance)
    pairs = [draws.sample(range(len(names)), 2) for _ in range(FLAGS.pairs)]
    losses = [sum(weight * float(apart(statistics[one][layer], targets[two][layer], draw)[0])
                  for layer, weight in layers.items() for one, two in (pair, pair[::-1]))
              for pair in pairs]
    distances = [np.sum((seen[one] - seen[two]) ** 2) for one, two in pairs]
    ranks = [np.argsort(np.argsort(each)) for each in (losses, distances)]
    return float(np.corrcoef(*ranks)[0, 1])


def recall(library, names: list[str]) -> dict[str, float]:
    """How often a copy's original is among the first five, by what was done to it."""
    from tf_style.image.style import read_style

    found: dict[str, list[bool]] = {}
    for name in names:
        for kind, copy in copies(read_style(name)[0]).items():
            paths = [match.path for match in library.like(copy, 5)]
            found.setdefault(kind, []).append(name in paths)
    return {kind: float(np.mean(hits)) for kind, hits in found.items()}


def adding(settings) -> dict[str, float]:
    """Pictures of a megapixel that are added in a second of the wall clock, and of a processor."""
    from tf_style.image.picture import read_picture
    from tf_style.image.resize import resize
    from tf_style.library.adding import picture_files
    from tf_style.library.library import Library

    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(picture_files(FLAGS.pictures)[:40]):
            picture = np.clip(resize(read_picture(name), 866, 1155), 0, 1)
            Image.fromarray(eight_bit(picture)).save(f"{folder}/{number}.jpg", quality=92)
        began: list[tuple[float, float]] = []
        with Library(f"{folder}/styles.db", settings) as library:
            added = library.add(folder, lambda *_: began.append(
                (time.perf_counter(), time.process_time())) and False)
    # The first wait until the network is compiled.
    wall, busy = np.subtract(began[-1], began[4])
    count = len(added.new) - 5
    return {"per_second": count / wall, "per_processor_second": count / busy}


def searching() -> dict[str, float]:
    """Seconds to open a library and to search made-up descriptors, and the memory that it takes."""
    from tf_style.library.catalogue import Catalogue
    from tf_style.library.entry import Entry, FileState
    from tf_style.library.search import Index, nearest

    draws = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/styles.db"
        with Catalogue(path, writable=True) as made:
            # Each on its own would be waited for by the disk.
            made._file.execute("PRAGMA synchronous = OFF")
            origin = made.origin("made_up", {})
            for number in range(FLAGS.descriptors):
                name = f"/{number}"
                made.add(Entry(FileState(name, 1, 1), name.encode(), 1, 1, bytes(4000), (), (),
                               number), origin, draws.standard_normal(512).astype(np.float16))
        began = time.perf_counter()
        with Catalogue(path) as made:
            opened = time.perf_counter()
            index = Index(made.descriptors("made_up")[1])
            read = time.perf_counter()
            one, seconds = index.descriptors[7] + np.float32(0.1), []
            for _ in range(20):
                start = time.perf_counter()
                nearest(index, one, 12)
                seconds.append(time.perf_counter() - start)
    return {"open_seconds": opened - began, "read_seconds": read - opened,
            "query_seconds": float(np.median(seconds)),
            "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def main(_: list[str]) -> None:
    figures: dict = {"search": searching()}
    assert "tensorflow" not in sys.modules
    from tf_style.library.descriptor import Describer
    from tf_style.library.library import Library
    from tf_style.settings import Settings

    settings = Settings(network=FLAGS.network)
    describer = Describer(settings)
    figures |= {"origin": describer.origin, "adding": adding(settings)}
    with tempfile.TemporaryDirectory() as folder:
        names = _files(Path(folder))
        asked = random.Random(1).sample(names, min(FLAGS.asked, len(names)))
        figures["spearman"] = correlation(describer, asked[:100])
        with Library(f"{folder}/styles.db", settings) as library:
            added = library.add(names)
            figures |= {"pictures": len(added.new), "near_duplicates": len(added.twins),
                        "bytes": os.path.getsize(f"{folder}/styles.db"),
                        "recall_at_5": recall(library, asked)}
    text = json.dumps(figures, indent=2)
    print(text)
    if FLAGS.output:
        Path(FLAGS.output).write_text(text)


if __name__ == "__main__":
    app.run(main)
