"""Words that other programs taught people, and what they are called here."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from tf_style.image import samples
from tf_style.network.architectures import plain_layer
from tf_style.settings import AUTO, NETWORKS, WEIGHTS, InputError
from tf_style.settings.option import Duration, File, Files, Option, Switch, Weights, Word
from tf_style.settings.presets import presets

# One letter behind one dash, in other programs → the flag that it stands for here.
LETTERS = {"i": "content", "n": "steps"}

# Flag of another program, without dashes and underscores → flag here; behind an equals sign the
# value that it has if none is given.
FLAGS = {
    # Of this program: a value that may be left out.
    "preservecolor": "preserve_color=luminance",
    **dict.fromkeys(("base", "image", "img", "input", "photo", "source", "contents", "images"),
                    "content"),
    **dict.fromkeys(("styles", "stylereference", "reference", "painting", "artwork"), "style"),
    **dict.fromkeys(("out", "result", "results", "resultprefix", "outfile", "save", "saveto",
                     "saveas", "dest", "destination"), "output"),
    **dict.fromkeys(("imagesize", "imgsize", "imsize", "resolution", "outputsize", "contentsize",
                     "outputresolution", "longside", "maxside", "maxdim", "dim", "endscale",
                     "rescale", "resize", "dimension", "dimensions", "contentimagesize",
                     "contentimgsize"), "size"),
    **dict.fromkeys(("iterations", "iteration", "iters", "iter", "niter", "epochs", "epoch",
                     "step", "updates"), "steps"),
    **dict.fromkeys(("lr", "stepsize"), "learning_rate"),
    **dict.fromkeys(("contentlossweight", "cw", "contentstrength", "lambdacontent"),
                    "content_weight"),
    **dict.fromkeys(("stylelossweight", "sw", "lambdastyle"), "style_weight"),
    **dict.fromkeys(("tv", "tvw", "tvloss", "tvlossweight", "tvstrength", "totalvariation",
                     "totalvariationweight", "totalvariationlossweight", "smoothness",
                     "lambdatv", "tw", "variation", "variationweight", "regularization",
                     "denoise"), "tv_weight"),
    **dict.fromkeys(("stylestrength", "intensity", "styleintensity", "stylization",
                     "stylizationstrength", "amount"), "strength"),
    **dict.fromkeys(("styleblendweights", "styleweights", "stylesweights", "styleimgsweights",
                     "styleinterpolationweights", "blend"), "style_blend"),
    **dict.fromkeys(("stylescales", "stylescalefac"), "style_scale"),
    **dict.fromkeys(("originalcolors", "originalcolor", "color", "colors", "preservecolors",
                     "keepcolors", "keepcolor", "colorpreserve", "colorpreservation",
                     "preserveoriginalcolors", "preserveoriginalcolor", "retaincolor",
                     "retaincolors", "colortransfer", "luminanceonly"),
                    "preserve_color=luminance"),
    **dict.fromkeys(("model", "net", "backbone", "arch", "architecture", "cnn", "vgg",
                     "featureextractor", "basemodel", "encoder"), "network"),
    **dict.fromkeys(("modelweights", "vggweights", "pretrained", "networkweights"), "weights"),
    **dict.fromkeys(("gpu", "usegpu", "cuda", "usecuda", "deviceid", "gpuid", "gpuids", "gpus",
                     "accel"), "device=gpu"),
    **dict.fromkeys(("initial", "initmethod", "initialization", "initialize", "initimgtype",
                     "initfrom", "start", "startfrom"), "init"),
    **dict.fromkeys(("noise", "noiseratio", "initialnoiseblend", "initnoiseratio"), "init_noise"),
    **dict.fromkeys(("pool", "pooltype", "poolingtype", "poolinglayer"), "pooling"),
    **dict.fromkeys(("optim", "opt", "algorithm"), "optimizer"),
    "contentlayer": "content_layers", "stylelayer": "style_layers",
    **dict.fromkeys(("randomseed", "rngseed", "manualseed", "randomstate"), "seed"),
    **dict.fromkeys(("saveiter", "saveevery", "saveiterations", "saveinterval", "savefreq",
                     "savefrequency", "snapshot",
                     "snapshots", "checkpointiterations", "progresswrite"), "snapshot_every"),
    **dict.fromkeys(("gif", "animation", "video", "film", "movie"), "animate"),
    **dict.fromkeys(("ckpt", "checkpoints"), "checkpoint"),
    **dict.fromkeys(("tensorboard", "logs"), "logdir"),
    **dict.fromkeys(("octaves", "octave", "pyramid", "levels", "pyramidlevels"), "scales"),
    **dict.fromkeys(("tile", "tilesize", "tiles"), "block_size"),
    **dict.fromkeys(("mem", "memory", "memorylimit", "gpumemory"), "max_memory"),
    **dict.fromkeys(("dtype", "fp"), "precision"),
    **dict.fromkeys(("amp", "mixedprecision"), "precision=bfloat16"),
    **dict.fromkeys(("loss", "lossfn"), "style_loss"),
    **dict.fromkeys(("mask", "masks", "contentmasks"), "content_mask"),
    "stylemasks": "style_mask",
    "styleimagesize": "style_size",
    **dict.fromkeys(("timeout", "maxtime", "time"), "time_limit"),
    **dict.fromkeys(("config", "configfile", "flagsfile"), "flagfile"),
    **dict.fromkeys(("silent", "noprogress"), "quiet"),
    **dict.fromkeys(("debug", "loud", "verbosity"), "verbose"),
    **dict.fromkeys(("continue", "resumetraining"), "resume"),
    "estimate": "dry_run",
    **dict.fromkeys(("contactsheet", "grid", "collage", "overview", "compare"), "sheet"),
    **dict.fromkeys(("nooverwrite", "noclobber", "skip", "skipexisting"), "skip_existing"),
    "nodownload": "offline",
    **dict.fromkeys(("usage", "helpshort", "h"), "help"),
    **dict.fromkeys(("helpall", "fullhelp", "flags", "options"), "helpfull"),
    "ver": "version",
    "presets": "list_presets", "listpreset": "list_presets",
    "samples": "list_samples",
    "printlayers": "list_layers", "showlayers": "list_layers",
    **dict.fromkeys(("completions", "shellcompletion"), "completion"),
    # Of the other commands.
    **dict.fromkeys(("stylized", "stylizedimage"), "generated"),
    "picture": "pictures",
}
# Likewise, for flags that are words by themselves.
WHOLE = {**dict.fromkeys(("cpu", "nogpu", "nocuda", "cpuonly", "noaccel"), "device=cpu"),
         "vgg16": "network=vgg16", "vgg19": "network=vgg19", "lbfgs": "optimizer=lbfgs",
         "adam": "optimizer=adam", "fp16": "precision=float16", "half": "precision=float16",
         "fp32": "precision=float32"}
# Likewise → what to do instead, where no single flag means the same.
TOLD = {
    "alpha": "--content_weight is the weight of the content, --style_weight that of the style, and "
             "--strength one knob from 0 to 1",
    "ratio": "--style_weight is the weight of the style, --content_weight that of the content",
    "width": "--size=N is the long side in pixels, and --size=WxH is for textures",
    "layers": "--content_layers and --style_layers name them; --list_layers lists them",
    "layerweights": "write weights behind the names: --style_layers=block1_conv1:2,block2_conv1",
    "batchsize": "one picture is made at a time; --block_size saves memory",
    "overwrite": "an older --output is replaced anyway; --skip_existing keeps it",
    "printiter": "progress is always shown; --quiet hides it and --snapshot_every=N writes it",
    "backend": "TensorFlow computes; --device=cpu or gpu says where",
    "target": "--content is the photograph, --style the painting, and --output the result",
    "format": "the ending of --output says it: --output=result.jpg",
}
_ALIKE = {
    "beta": "alpha", "gamma": "alpha", "lambda": "alpha", "weight": "alpha",
    "contentstyleratio": "ratio", "stylecontentratio": "ratio", "styleratio": "ratio",
    "height": "width", "outputwidth": "width", "outputheight": "width", "w": "width",
    "imagewidth": "width", "imageheight": "width", "imgwidth": "width", "imgheight": "width",
    "layer": "layers", "featurelayers": "layers",
    "contentlayerweights": "layerweights", "stylelayerweights": "layerweights",
    "contentlayersweights": "layerweights", "stylelayersweights": "layerweights",
    "batch": "batchsize", "force": "overwrite", "yes": "overwrite", "y": "overwrite",
    "f": "overwrite", "clobber": "overwrite",
    "printiterations": "printiter", "printevery": "printiter", "loginterval": "printiter",
    "logevery": "printiter", "progress": "printiter", "printinterval": "printiter",
    "framework": "backend", "multigpustrategy": "backend", "cudnnautotune": "backend",
    "quality": "format", "jpegquality": "format", "ext": "format", "extension": "format",
}
# Words of names that say nothing.
_IDLE = {"image", "images", "img", "imgs", "picture", "pictures", "path", "paths", "file", "files",
         "filename", "dir", "directory", "folder", "name", "num", "number", "n", "of", "max",
         "total", "the", "use", "with", "set", "to", "type", "function",
         "fn", "method", "mode", "factor", "coeff", "coefficient", "value", "photo", "painting",
         "input"}

_TRUE, _FALSE = ("true", "yes", "on", "1", "y", "t"), ("false", "no", "off", "0", "n", "f")
# Option → value of another program → value here.
VALUES: dict[str, dict[str, str]] = {
    "preserve_color": {**dict.fromkeys((*_TRUE, "lum", "luma", "yuv", "yiq", "ycbcr", "lab"),
                                       "luminance"),
                       **dict.fromkeys((*_FALSE, "style"), "none"),
                       **dict.fromkeys(("linear", "mean", "meancov", "covariance"), "statistics"),
                       **dict.fromkeys(("hist", "histogrammatching"), "histogram")},
    "init": {**dict.fromkeys(("random", "rand", "gaussian", "uniform", "randn", "noisy",
                              "whitenoise"), "noise"),
             **dict.fromkeys(("image", "img", "photo", "contentimage", "contentimg", "input"),
                             "content"),
             **dict.fromkeys(("styleimage", "painting"), "style")},
    "pooling": dict.fromkeys(("avg", "ave", "mean", "averagepooling", "avgpool"), "average")
               | {"maxpool": "max", "maximum": "max"},
    "optimizer": {"bfgs": "lbfgs", "scipy": "lbfgs", "lbfgsb": "lbfgs"},
    "precision": {**dict.fromkeys(("fp16", "half", "16", "f16"), "float16"),
                  **dict.fromkeys(("fp32", "single", "full", "32", "f32"), "float32"),
                  **dict.fromkeys(("bf16", "mixed"), "bfloat16")},
    "weights": dict.fromkeys(("pretrained", "download", "keras"), "imagenet"),
    "device": {**dict.fromkeys(("cuda", "true", "yes", "on", "mps"), "gpu"),
               **dict.fromkeys(("c", "-1", "false", "no", "off", "none"), "cpu")},
    "style_loss": {**dict.fromkeys(("grammatrix", "gatys"), "gram"),
                   **dict.fromkeys(("adain", "bn", "meanandstd"), "mean_std"),
                   **dict.fromkeys(("swd", "sliced", "slicedwassersteindistance"),
                                   "sliced_wasserstein"),
                   **dict.fromkeys(("wasserstein", "covariance"), "moments"),
                   "hist": "histogram",
                   **dict.fromkeys(("nnfm", "nearestneighbors", "mrf"), "neighbors")},
    "content_loss": dict.fromkeys(("mse", "l2", "squarederror"), "squared"),
    "size": dict.fromkeys(("full", "orig", "originalsize", "native", "same"), "original"),
    "style_cleanup": dict.fromkeys((*_FALSE, "none"), "off") | dict.fromkeys(_TRUE, "auto"),
}
_SWITCH = dict.fromkeys(_TRUE, "true") | dict.fromkeys(_FALSE, "false")


def squeezed(word: str) -> str:
    """A word without what people write in different ways: case, dashes, British spelling."""
    word = re.sub(r"[\W_]", "", word.lower())
    for here, there in (("colour", "color"), ("grey", "gray"), ("normalis", "normaliz"),
                        ("optimis", "optimiz"), ("stylis", "styliz"), ("initialis", "initializ")):
        word = word.replace(here, there)
    return word


def flag(given: str, known: Collection[str]) -> str:
    """The flag that a word means, with a value behind an equals sign; empty if it means none.

    A value after `=` is one that may be left out; after `:=` one that belongs to the word.

    Args:
        given: without dashes in front.
        known: the flags of the command.

    Raises:
        InputError: for a word that no single flag stands for; the message names those that do.
    """
    by_word = {squeezed(name): name for name in known}
    parts = re.split(r"[\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", given).lower())
    telling = "".join(part for part in parts if part not in _IDLE)
    for word in dict.fromkeys(filter(None, (squeezed(given), squeezed(telling)))):
        target = FLAGS.get(word, "")
        if word in by_word:
            return target if target.partition("=")[0] == by_word[word] else by_word[word]
        if target.partition("=")[0] in known:
            return target
        if WHOLE.get(word, "").partition("=")[0] in known:
            return WHOLE[word].replace("=", ":=")
        if word in TOLD or word in _ALIKE:
            told = TOLD[_ALIKE.get(word, word)]
            if set(re.findall(r"--(\w+)", told)) & {*known}:
                raise InputError(f"--{given}: there is no such flag; {told}")
    return ""


def switch(given: str) -> str:
    """What is written behind a switch and an equals sign."""
    if given.isdecimal():
        # `--verbose=2`
        return "true" if int(given) else "false"
    return _SWITCH.get(given.lower(), given)


def value(option: Option, given: str) -> str:
    """A value as it is written here; an existing file's name stays as it is.

    Raises:
        InputError: for a word that no value stands for.
    """
    word = squeezed(given) if given != "-1" else given
    if option.name == "seed" and re.fullmatch("random|rand|none|time|auto", word):
        raise InputError(f"--seed: expected a whole number; another one makes another picture, "
                         f"such as --seed=4711. Received: {given!r}")
    if isinstance(option.type, (File, Files)) and os.path.lexists(given):
        return given
    if option.name == "size":
        sides = re.fullmatch(r"(\d+)(?:px|pixels)?(?:\s*[x*×,]\s*(\d+)(?:px|pixels)?)?",
                             given.lower())
        if sides:
            return "x".join(filter(None, sides.groups()))
    if option.name == "device":
        number = re.fullmatch(r"/?(?:device:)?(?:gpu|cuda)?:?(\d+)", given.lower())
        if number:
            return f"gpu:{number[1]}"
    if isinstance(option.type, Duration):
        time = re.fullmatch(r"([\d.]+) *([smh])(?:ec|in|r|our|econd|inute)?s?", given.lower())
        return "".join(time.groups()) if time else given
    if option.name == "style_loss":
        return ",".join(_loss(option, part) for part in given.split(","))
    if isinstance(option.type, File) and re.search(r"[/\\]", given):
        # A path, even to a file that is not there.
        return given
    return _known(option, word) or given


def _known(option: Option, word: str) -> str | None:
    own = {squeezed(each): each for each in words(option)}
    return own.get(word) or VALUES.get(option.name, {}).get(word)


def _loss(option: Option, part: str) -> str:
    name, colon, weight = part.partition(":")
    return (_known(option, squeezed(name)) or name) + colon + weight


def words(option: Option) -> tuple[str, ...]:
    """The words that an option's value may be, as far as they are known."""
    if isinstance(option.type, Word):
        return option.type.words
    if isinstance(option.type, Weights):
        return option.type.known
    if option.name.endswith("network"):
        return (AUTO, *NETWORKS)
    if option.name.endswith("weights") and isinstance(option.type, File):
        return (AUTO, *WEIGHTS)
    if option.name in ("content", "style"):
        return tuple(samples.PREFIX + each for each in
                     (*samples.CONTENT_SAMPLES, *samples.STYLE_SAMPLES))
    if option.name == "preset":
        return tuple(presets())
    if option.name == "sheet_of":
        return ("strengths", "presets", *presets())
    return {"init": (AUTO, "content", "style", "noise", "gray"), "device": (AUTO, "cpu", "gpu"),
            "size": ("original",)}.get(option.name, ())


def takes(option: Option, word: str) -> bool:
    """Whether a word behind a flag whose value may be left out is that value."""
    if word in words(option):
        return True
    if os.path.lexists(word):
        return False
    if isinstance(option.type, Switch):
        return word.lower() in ("0", "1", "true", "false")
    return value(option, word) != word


def is_there(name: str) -> bool:
    """Whether a picture, a folder or a pattern names something."""
    from tf_style.image.paths import expand

    try:
        return name.startswith(samples.PREFIX) or all(map(os.path.exists, expand(name)))
    except (InputError, ValueError):
        return False


def translate(
    given: Mapping[str, Any], options: Mapping[str, Option], note: Callable[[str], None]
) -> dict[str, Any]:
    """Option → text, with values as they are written here.

    Args:
        note: called with what is taken for what, where it is more than another spelling.

    Raises:
        InputError: for a word that no value stands for.
    """
    found = dict(given)
    for name, text in given.items():
        option = options[name]
        if isinstance(text, str):
            found[name] = value(option, text)
        elif isinstance(option.type, Files):
            found[name] = [each for one in text for each in _several(one)]
    # Saved models have names of their own.
    networks = [found.get(name, AUTO) for name in ("network", "content_network", "style_network")]
    if all(network in (AUTO, *NETWORKS) for network in networks):
        for name in {"content_layers", "style_layers", "layers"} & {*found}:
            found[name] = ",".join(map(_layer, found[name].split(",")))
    for name, text in found.items():
        before = given[name]
        before, now = (",".join(each) if isinstance(each, list) else each
                       for each in (before, text))
        if isinstance(now, str) and squeezed(before) != squeezed(now):
            note(f"--{name}={before}: taken as --{name}={now}")
    return found


def _several(text: str) -> list[str]:
    parts = text.split(",")
    if len(parts) > 1 and not os.path.lexists(text) and all(map(is_there, parts)):
        return parts
    return [text]


def _layer(part: str) -> str:
    name, colon, weight = part.partition(":")
    return plain_layer(name.strip()) + colon + weight
