"""How well a library knows which styles suit a photograph.

    python -m benchmarks.ranking --photographs=A --styles=B --judge=vgg19.h5 --output=FOLDER

Paints each photograph in each style, has a network that made none of it measure the results, and
compares their order with that of `Library.suits`, which has not seen them: Spearman's correlation,
and whether the first three hold the best. A run that was stopped goes on when it is called again.

The quality of a result is the harmonic mean of two numbers of `tf_style_evaluate`, each the mean of
its fine and its large one: the style taken over, 1 − style distance, at least 0, and the
content kept, which is content similarity.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
from absl import app, flags

from benchmarks.notes import Notes

FLAGS = flags.FLAGS
flags.DEFINE_string("photographs", None, "a folder of photographs, or several by commas",
                    required=True)
flags.DEFINE_string("styles", None, "a folder of styles", required=True)
flags.DEFINE_string("judge", None, "weights of VGG19", required=True)
flags.DEFINE_string("output", None, "a folder for the pictures and the figures", required=True)
flags.DEFINE_string("network", "compact", "what paints and describes")
flags.DEFINE_string("weights", "auto", "its weights")
flags.DEFINE_string("describer", None, "what describes in its place, and measures previews: "
                                       "weights of VGG16")
flags.DEFINE_integer("previews", 0, "how many previews decide the order")
flags.DEFINE_integer("size", 192, "long side of the results, in pixels")
flags.DEFINE_string("steps", "40,20", "at each size")

_MEASURES = ("style_distance", "style_distance_large", "content_similarity",
             "content_similarity_large", "color_distance", "edge_agreement", "self_similarity")


def quality(measures: dict[str, float]) -> float:
    """How good a result is, 0 to 1: the harmonic mean of style taken over and content kept."""
    from tf_style.measure.quality import quality as of

    return of(*([measures[name], measures[f"{name}_large"]]
                for name in ("style_distance", "content_similarity")))


def paint(photographs: list[str], styles: list[str], folder: Path, notes: Notes) -> None:
    """Paint and measure what was not yet."""
    from tf_style import Stylizer, feature_model
    from tf_style.image.picture import read_picture
    from tf_style.image.style import read_style
    from tf_style.measure.metrics import FINE, LARGE, Judge

    stylizer = Stylizer(size=FLAGS.size, steps=FLAGS.steps, network=FLAGS.network,
                        weights=FLAGS.weights)
    model = feature_model(dict.fromkeys([*FINE.layers, *LARGE.layers]), FLAGS.judge,
                          network="vgg19")
    for photograph in photographs:
        content = read_picture(photograph)
        for style in styles:
            names = Path(photograph).stem, Path(style).stem
            if notes.get(*names):
                continue
            result = stylizer.stylize(content, style)
            result.save(folder / f"{names[0]}__{names[1]}.png")
            judge = Judge(model, content, [read_style(style)[0]])
            found = judge.evaluate(result.image)
            notes.put(*names, value={name: round(float(getattr(found, name)), 4)
                                     for name in _MEASURES})


def agreement(photographs: list[str], styles: list[str], notes: Notes) -> dict[str, dict]:
    """How the ranking agrees with the results, by photograph."""
    from tf_style import Library, Settings

    found = {}
    settings = (Settings(network="vgg16", weights=FLAGS.describer) if FLAGS.describer else
                Settings(network=FLAGS.network, weights=FLAGS.weights))
    with tempfile.TemporaryDirectory() as folder, \
            Library(f"{folder}/styles.db", settings) as library:
        library.add(styles)
        for photograph in photographs:
            suits = library.suits(photograph, len(styles), previews=FLAGS.previews)
            names = [Path(each.path).stem for each in suits]
            true = np.array([quality(notes.get(Path(photograph).stem, name)) for name in names])
            ranks = [np.argsort(np.argsort(each)) for each in
                     ([each.score for each in suits], true)]
            found[Path(photograph).stem] = {
                "styles": len(names), "spearman": round(float(np.corrcoef(*ranks)[0, 1]), 3),
                "place_of_the_best": int(np.argmax(true)) + 1, "best": names[int(np.argmax(true))],
                "quality_of_the_best": round(float(true.max()), 3),
                "quality_of_the_first_three": round(float(true[:3].mean()), 3),
                "quality_of_all": round(float(true.mean()), 3),
                "root_mean_square_error": round(float(np.sqrt(np.mean(
                    (true - [each.score for each in suits]) ** 2))), 3),
            }
    return found


def main(_: list[str]) -> None:
    from tf_style.library.adding import picture_files

    photographs = [file for each in FLAGS.photographs.split(",") for file in picture_files(each)]
    styles = picture_files(FLAGS.styles)
    folder = Path(FLAGS.output)
    folder.mkdir(parents=True, exist_ok=True)
    notes = Notes(folder / "measures.json")
    paint(photographs, styles, folder, notes)
    text = json.dumps(agreement(photographs, styles, notes), indent=2)
    print(text)
    (folder / "ranking.json").write_text(text)


if __name__ == "__main__":
    app.run(main)
