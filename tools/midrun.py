"""Keeps pictures from the middle of runs, for `tools.distill` to learn from.

    python -m tools.midrun --pictures=FOLDER --output=FOLDER --weights=vgg16.h5 --count=100
    python -m tools.midrun --pictures=FOLDER --output=FOLDER --network=compact --weights=student.h5

An optimiser leads a picture to where no photograph is, and a small network that has never been
there is fooled by it. Each run has a content, a style and settings drawn at random. Of each, some
pictures are kept, each with the one that the next step made.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np

from tf_style import stylize
from tf_style.image.picture import read_picture, write_picture
from tf_style.run.result import Step
from tools.crops import ENDINGS

STEPS, KEPT = 40, 8


def settings(chance: random.Random) -> dict[str, object]:
    """Settings of a run, drawn at random."""
    return {
        "size": chance.choice((224, 288, 352)),
        "style_weight": 10 ** chance.uniform(0.3, 2),
        "style_loss": chance.choice(("moments", "moments", "moments", "gram")),
        "learning_rate": 10 ** chance.uniform(-1.7, -1),
        "init": chance.choice(("content", "content", "content", "noise")),
        "scales": 1,
        "steps": (STEPS,),
    }


def paint(
    content: Path, style: Path, chance: random.Random, **options: object
) -> dict[int, np.ndarray]:
    """Pictures of one run: step → a picture, and at its right what the next step made of it.

    Returns:
        `(height, 2 × width, 3)` in `[0, 1]` each.
    """
    # Most changes at the start.
    kept = {1 + int((STEPS - 2) * chance.random() ** 1.5) for _ in range(KEPT)}
    seen: dict[int, np.ndarray] = {}

    def keep(step: Step) -> bool:
        if step.step in kept or step.step - 1 in kept:
            seen[step.step] = step.image()
        return False

    stylize(read_picture(content), read_picture(style), callback=keep,
            **(settings(chance) | options))
    return {
        at: np.concatenate([seen[at], seen[at + 1]], axis=1)
        for at in kept if at in seen and at + 1 in seen
    }


def files(folder: Path) -> list[Path]:
    """Its pictures, in order."""
    return sorted(each for each in folder.iterdir() if each.suffix in ENDINGS)


def main() -> None:
    """Adds runs to a folder; those that are there already are not made again."""
    parser = argparse.ArgumentParser(prog="python -m tools.midrun", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--styles", type=Path, help="folder of style images, if others")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--network", default="vgg16")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    contents, styles = files(given.pictures), files(given.styles or given.pictures)
    given.output.mkdir(parents=True, exist_ok=True)
    for number in range(given.count):
        chance = random.Random(f"{given.seed},{number}")
        content, style = chance.choice(contents), chance.choice(styles)
        name = f"{given.seed:03}_{number:04}"
        if any(given.output.glob(f"{name}_*")):
            continue
        print(f"{name}: {content.stem} x {style.stem}", flush=True)
        pairs = paint(content, style, chance, network=given.network, weights=given.weights)
        for step, pair in pairs.items():
            write_picture(given.output / f"{name}_{step:02}.png", pair)


if __name__ == "__main__":
    main()
