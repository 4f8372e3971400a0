"""The command `tf_style_learn`."""

from __future__ import annotations

import random

from tf_style.commands.exits import DONE, say, tensorflow_quiet
from tf_style.commands.flags import answered, parse, refuse
from tf_style.commands.outputs import check_apart
from tf_style.settings import LEARN_OPTIONS, InputError

LEARN_USAGE = """\
Learn a network's features from pictures of your own, without labels.

  tf_style_learn --pictures=FOLDER --output=my.weights.h5
  tf_style --weights=my.weights.h5 CONTENT STYLE
"""


# More would not be looked at: as many crops are learned from, whatever the number of pictures.
_LEARNED_FROM = 24


def learn(argv: list[str]) -> int:
    values, positional = parse("tf_style_learn", LEARN_OPTIONS, argv)
    if answered(values, LEARN_USAGE, LEARN_OPTIONS):
        return DONE
    refuse(positional)
    chosen = {option.name: option.parse(values.get(option.name, option.default))
              for option in LEARN_OPTIONS if option.name in ("network", "seed")}
    for name, example in (("pictures", "paintings"), ("output", "my.weights.h5")):
        if not values.get(name):
            raise InputError(f"--{name}: expected a value, such as --{name}={example}")
    from tf_style.image import files
    from tf_style.network.architectures import ARCHITECTURES

    output = files.check_writable(values["output"])
    if output.suffix != ".h5":
        raise InputError(f"--output={output}: expected a name that ends in .h5")
    names = [name for pattern in values["pictures"] for name in files.expand(pattern)]
    check_apart({"output": output}, [*names, *values["flagfile"]])
    if len(names) > _LEARNED_FROM:
        say(f"tf_style_learn: learning from {_LEARNED_FROM} of {len(names)} pictures, drawn by "
             f"--seed={chosen['seed']}")
        names = random.Random(chosen["seed"]).sample(names, _LEARNED_FROM)
    pictures = [files.shrink(files.read_picture(name), 1024) for name in names]
    with tensorflow_quiet(values.get("verbose", False)):
        from tf_style.network.kernel_files import write_kernels
        from tf_style.network.unsupervised import learn as learn_kernels
    architecture = ARCHITECTURES[chosen["network"]]
    kernels = learn_kernels(architecture, architecture.layers, pictures, seed=chosen["seed"])
    write_kernels(output, kernels)
    if not values.get("quiet"):
        print(output)
    return DONE
