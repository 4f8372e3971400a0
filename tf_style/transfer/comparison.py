"""How near a network comes to the optimiser, on photographs that were held out."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from tf_style.loss.compiled import Compiled
from tf_style.run.stylizer import Stylizer
from tf_style.transfer.train import Trainer

_PHOTOGRAPHS = 2


def compared(trainer: Trainer) -> list[dict[str, Any]]:
    """For each photograph and style, the parts of the loss that network and optimiser reach.

    Both are measured by the networks that looked on in the training: a fair judge of the distance
    between the two, a flatterer of both.
    """
    found = []
    objective, styles = trainer.objective, trainer.styles
    measure = Compiled(objective.parts)
    # Kernels that are learned are then those that the network learned by.
    stylizer = Stylizer(trainer.settings, pictures=[style.picture for style in styles])
    for photograph in trainer.photographs.held_out[:_PHOTOGRAPHS]:
        for number, style in enumerate(styles):
            masks = [] if style.mask is None else [style.mask]
            result = stylizer.stylize(photograph, style.picture, style_masks=masks)
            height, width = (length // 4 * 4 for length in result.image.shape[:2])
            content = result.content[:height, :width]
            targets = objective.targets(content, [style])
            found.append({"style": number} | {
                name: {part: round(float(value[0]), 5)
                       for part, value in measure(tf.constant(image[None]), targets).items()}
                for name, image in (
                    ("network", trainer.paint(content, number)),
                    ("optimiser", np.ascontiguousarray(result.image[:height, :width])),
                )
            })
    return found
