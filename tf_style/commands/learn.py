"""The command `tf_style_learn`."""

from __future__ import annotations

import dataclasses
import random
import time
import warnings

from tf_style.commands import status
from tf_style.commands.command import (
    Command,
    CommandLine,
    CommonOptions,
    placed,
    require,
)
from tf_style.commands.display import mention, printable, say
from tf_style.commands.drawing import count, minutes
from tf_style.commands.exits import DONE, tensorflow_quiet
from tf_style.commands.outputs import check_apart, writing
from tf_style.settings import MAX_PIXELS, Note, Settings
from tf_style.settings.option import File, Files, InputError, Word, option, whole

USAGE = """\
Learn a network's features from pictures of your own, without labels.

  tf_style_learn PICTURES [PICTURES ...] -o my.weights.h5
  tf_style_learn --pictures=FOLDER --output=my.weights.h5
  tf_style --weights=my.weights.h5 CONTENT STYLE
"""

# More would not be looked at: the number of crops is the same, whatever the number of pictures.
_LEARNED_FROM = 24
_SIDE = 1024


@dataclasses.dataclass(frozen=True, kw_only=True)
class LearnOptions(CommonOptions):
    """The options of `tf_style_learn`."""

    pictures: tuple[str, ...] = option(
        Files("FILES"), (), "picture, folder of pictures, pattern such as 'paintings/*.jpg', or "
        "library: for all of a library; may be given several times",
    )
    output: str | None = option(
        File(), None, "the weights: an .h5 file that --weights=FILE reads"
    )
    network: str = option(Word(("vgg16", "vgg19")), "vgg16", "whose layers are learned")
    seed: int = option(whole(0, 2**31 - 1), 0, "seed of everything drawn at random")
    max_pixels: int = option(
        Settings.option("max_pixels").type, MAX_PIXELS, Settings.option("max_pixels").help
    )


def learn(line: CommandLine) -> int:
    """Learn kernels and write them."""
    line = placed(COMMAND, line)
    options = line.options(LearnOptions)
    require(options, pictures="paintings", output="my.weights.h5")
    from tf_style.image.paths import check_writable, named_pictures
    from tf_style.image.picture import read_pictures
    from tf_style.image.resize import shrink
    from tf_style.network.architectures import ARCHITECTURES

    output = check_writable(options.output)
    if output.suffix != ".h5":
        raise InputError(f"--output={output}: expected a name that ends in .h5")
    names = named_pictures(options.pictures)
    check_apart({"output": output}, [*names, *line.flagfiles])
    if len(names) > _LEARNED_FROM:
        warnings.warn(f"learning from {_LEARNED_FROM} of {len(names)} pictures, drawn by "
                      f"--seed={options.seed}", Note, stacklevel=2)
        # All in an order drawn at random: in the place of one that is broken, another is read.
        names = random.Random(options.seed).sample(names, len(names))
    status.show("reading pictures")
    pictures = [
        shrink(picture, _SIDE)
        for picture in read_pictures(
            names, most=_LEARNED_FROM, max_pixels=options.max_pixels, side=_SIDE)
    ]
    line.tell()
    began = time.perf_counter()
    with tensorflow_quiet(options.verbose):
        from tf_style.network.kernel_files import write_kernels
        from tf_style.network.unsupervised import learn as learn_kernels
    architecture = ARCHITECTURES[options.network]
    kernels = learn_kernels(
        architecture, architecture.layers, pictures, seed=options.seed, watch=status.show
    )
    line.signals.keep()
    status.show("writing")
    with writing():
        write_kernels(output, kernels)
    status.hide()
    if not options.quiet:
        mention(printable(output))
        say(f"tf_style_learn: {count(len(kernels), 'layer')} learned from "
            f"{count(len(pictures), 'picture')} in {minutes(time.perf_counter() - began)}")
    return DONE


COMMAND = Command(
    "tf_style_learn", USAGE, (LearnOptions,), learn, places=("pictures",),
    examples=("tf_style_learn sample:harbor sample:waves -o my.weights.h5",
              "tf_style_learn paintings 'photos/*.jpg' -o my.weights.h5 --network=vgg19"),
)
