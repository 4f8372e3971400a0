"""Words of other programs lead to the right flag, or to one line that names it."""

import os
from pathlib import Path

import numpy as np
import pytest

from tests.commands.conftest import call
from tf_style import InputError, cli
from tf_style.commands import evaluate, explain, flags, foreign, learn, stylize
from tf_style.commands.stylize_options import StylizeOptions
from tf_style.image.picture import write_picture
from tf_style.settings import Settings, presets

OPTIONS = {each.name: each for each in stylize.COMMAND.options}


def given(*arguments):
    return flags.parse(stylize.COMMAND, list(arguments)).given


def test_the_table_names_flags_that_there_are():
    known = {option.name for command in (stylize, evaluate, explain, learn)
             for option in command.COMMAND.options}
    for table in (foreign.FLAGS, foreign.WHOLE):
        for word, target in table.items():
            assert target.partition("=")[0] in known, word
            # Else nothing would lead there.
            assert foreign.squeezed(word) == word
    assert {*foreign.VALUES} <= known and {*foreign._ALIKE.values()} <= {*foreign.TOLD}
    for name, values in foreign.VALUES.items():
        for there, here in values.items():
            OPTIONS[name].parse(here)
            assert there == "-1" or foreign.squeezed(there) == there


FLAGS = {
    # Of the programs that people come from.
    "--image_size=64": {"size": "64"}, "--imsize 64": {"size": "64"},
    "--resolution=64": {"size": "64"}, "--max_size=64": {"size": "64"},
    "--num_iterations=9": {"steps": "9"}, "--iterations 9": {"steps": "9"},
    "--epochs=9": {"steps": "9"}, "--max_iter=9": {"steps": "9"}, "--niter=9": {"steps": "9"},
    "--n-steps=9": {"steps": "9"}, "--iters=9": {"steps": "9"}, "--num_steps 9": {"steps": "9"},
    "--lr=0.1": {"learning_rate": "0.1"}, "--tv=1": {"tv_weight": "1"},
    "--tv_strength=1": {"tv_weight": "1"}, "--total-variation-weight=1": {"tv_weight": "1"},
    "--original_colors": {"preserve_color": "luminance"},
    "-original_colors 1": {"preserve_color": "luminance"},
    "--original_colors=0": {"preserve_color": "none"},
    "--original_colour": {"preserve_color": "luminance"},
    "--preserve_colors": {"preserve_color": "luminance"},
    "--colour": {"preserve_color": "luminance"},
    "--colour=histogram": {"preserve_color": "histogram"},
    "--gpu": {"device": "gpu"}, "--gpu 0": {"device": "gpu:0"}, "-gpu -1": {"device": "cpu"},
    "--use_gpu": {"device": "gpu"}, "--cuda": {"device": "gpu"},
    "--device_id=1": {"device": "gpu:1"},
    "--device=cuda:0": {"device": "gpu:0"}, "--device /gpu:0": {"device": "gpu:0"},
    "--cpu": {"device": "cpu"}, "--no-cuda": {"device": "cpu"},
    "--content_image=a": {"content": "a"}, "--content_img a": {"content": "a"},
    "--content-path=a": {"content": "a"}, "--base_image_path=a": {"content": "a"},
    "--style_image=a": {"style": ["a"]}, "--styles=a": {"style": ["a"]},
    "--style_imgs a": {"style": ["a"]}, "--style_reference_image_path=a": {"style": ["a"]},
    "--output_image=a": {"output": "a"}, "--out=a": {"output": "a"},
    "--output_dir=a": {"output": "a"}, "--result_prefix a": {"output": "a"},
    "--style_strength=0.5": {"strength": "0.5"},
    "--style_blend_weights=3,7": {"style_blend": "3,7"},
    "--net=vgg19": {"network": "vgg19"}, "--backbone=VGG19": {"network": "vgg19"},
    "--model_weights=a": {"weights": "a"}, "--vgg19": {"network": "vgg19"},
    "--init_image=random": {"init": "noise"}, "--init_img_type=content": {"init": "content"},
    "--noise_ratio=0.5": {"init_noise": "0.5"}, "--pool_type=avg": {"pooling": "average"},
    "--save_iter=5": {"snapshot_every": "5"}, "--dryrun": {"dry_run": True},
    "--tile_size=512": {"block_size": "512"}, "--log-dir=a": {"logdir": "a"},
    "--continue": {"resume": True}, "--normalise_gradients": {"normalize_gradients": True},
    "--random_seed=3": {"seed": "3"}, "--silent": {"quiet": True},
    "--contentImage=a": {"content": "a"}, "--style_painting=a": {"style": ["a"]},
    "--input_content=a": {"content": "a"}, "--num_epochs=9": {"steps": "9"},
    "--content_weight_factor=2": {"content_weight": "2"}, "--random_state=3": {"seed": "3"},
    "--style_loss_type=gram": {"style_loss": "gram"}, "--gpus=0": {"device": "gpu:0"},
    "--mixed_precision": {"precision": "bfloat16"}, "--variation_weight=1": {"tv_weight": "1"},
    "--retain_color": {"preserve_color": "luminance"}, "--verbosity=2": {"verbose": True},
    # Ours, as others write them.
    "--style-weight=3": {"style_weight": "3"}, "--StyleWeight 3": {"style_weight": "3"},
    "--no-embed-settings": {"embed_settings": False}, "--no_quiet": {"quiet": False},
    "--quiet=yes": {"quiet": True}, "--verbose 1": {"verbose": True}, "-v": {"verbose": True},
    "-q": {"quiet": True}, "-V": {"version": True}, "-h": {"help": True}, "help": {"help": True},
    "-o a.png": {"output": "a.png"}, "-oa.png": {"output": "a.png"},
    "-o=a.png": {"output": "a.png"},
    "-qvo a.png": {"quiet": True, "verbose": True, "output": "a.png"},
    "-size 64": {"size": "64"}, "-offline": {"offline": True},
    "-?": {"help": True}, "--time-limit=5min": {"time_limit": "5m"},
    "--time_limit=30seconds": {"time_limit": "30s"},
    # Values.
    "--network=VGG19": {"network": "vgg19"}, "--network=VGG-16": {"network": "vgg16"},
    "--network=vgg_19": {"network": "vgg19"}, "--init=random": {"init": "noise"},
    "--init=image": {"init": "content"}, "--optimizer=L-BFGS": {"optimizer": "lbfgs"},
    "--optimizer=Adam": {"optimizer": "adam"}, "--pooling=avg": {"pooling": "average"},
    "--precision=fp16": {"precision": "float16"}, "--size=512px": {"size": "512"},
    "--size=512*384": {"size": "512x384"}, "--weights=ImageNet": {"weights": "imagenet"},
    "--style_loss=Gram:2,swd": {"style_loss": "gram:2,sliced_wasserstein"},
    "--preserve_color=True": {"preserve_color": "luminance"},
    "--content_layers=conv4_2": {"content_layers": "block4_conv2"},
    "--content_layers=relu4_2:2,relu1_1": {"content_layers": "block4_conv2:2,block1_conv1"},
    "--style_layers=conv5_4,pool4,r31": {"style_layers": "block5_conv4,block4_pool,block3_conv1"},
    "--content_layer=conv4_2 --network=VGG19": {
        "content_layers": "block4_conv2", "network": "vgg19"},
}


@pytest.mark.parametrize("words", FLAGS)
def test_a_word_of_another_program_is_understood(words):
    assert given(*words.split(" ")) == FLAGS[words]


def test_a_value_that_may_be_left_out_is_no_picture():
    line = flags.parse(stylize.COMMAND, ["--preserve_color", "a.jpg", "b.jpg"])
    assert line.given == {"preserve_color": "luminance"} and line.places == ["a.jpg", "b.jpg"]
    line = flags.parse(stylize.COMMAND, ["--preserve_color", "histogram", "b.jpg"])
    assert line.given == {"preserve_color": "histogram"} and line.places == ["b.jpg"]
    assert flags.parse(stylize.COMMAND, ["a", "b", "--preserve-color"]).given == {
        "preserve_color": "luminance"}
    Path("0").touch()
    line = flags.parse(stylize.COMMAND, ["--gpu", "0", "style.png"])
    assert line.given == {"device": "gpu"} and line.places == ["0", "style.png"]


@pytest.mark.parametrize("flag, name", [
    ("network", "VGG19"), ("init", "random"), ("init", "image"), ("weights", "Pretrained"),
    ("style", "content.png,style.png"),
])
def test_an_existing_files_name_always_wins(flag, name):
    before = given(f"--{flag}={name}")[flag]
    Path(name).touch()
    assert given(f"--{flag}={name}")[flag] in (name, [name]) and before not in (name, [name])


def test_a_preset_may_be_capitalised():
    assert given("--preset", "Poster") == given("--preset=poster") == given("--preset=POSTER")
    assert given("--preset=poster")["size"] == "4096"


def test_layers_of_a_saved_model_keep_their_names():
    assert given("--network=my.keras", "--style_layers=conv4_2")["style_layers"] == "conv4_2"


def test_several_styles_behind_one_flag():
    both = ["content.png", "style.png"]
    assert given("--style=content.png,style.png")["style"] == both
    for arguments in (["--content=content.png", "--style", *both],
                      ["--style", *both, "--size=64", "--content", "content.png"],
                      ["--content_image=content.png", "--styles", *both]):
        line = flags.parse(stylize.COMMAND, arguments)
        assert line.given["style"] == both and not line.places
    # There, or else it is a mistake.
    line = flags.parse(stylize.COMMAND, ["--content=content.png", "--style", "style.png", "no.png"])
    assert line.given["style"] == ["style.png"] and line.places == ["no.png"]
    line = flags.parse(stylize.COMMAND, ["content.png", "--style", *both, "--size=64"])
    assert line.given["style"] == both and line.places == ["content.png"]
    write_picture("older.png", np.ones((8, 8, 3)), "{}")
    line = flags.parse(stylize.COMMAND, ["content.png", "--style", "style.png", "older.png"])
    assert line.given["style"] == ["style.png"] and line.places == ["content.png", "older.png"]
    # A place that is still free is filled.
    line = flags.parse(stylize.COMMAND, ["--style", *both])
    assert line.given["style"] == ["content.png"] and line.places == ["style.png"]
    assert flags.parse(learn.COMMAND, ["--pictures", *both]).given["pictures"] == both
    line = flags.parse(evaluate.COMMAND, ["--style", *both, "--content=content.png"])
    assert line.places == ["style.png"]


def test_the_word_behind_a_mask_or_a_folder_is_the_output(folder):
    line = flags.parse(stylize.COMMAND, ["content.png", "style.png", "--style_mask", "style.png",
                                         "content.png"])
    assert line.given["style_mask"] == ["style.png"]
    assert line.places == ["content.png", "style.png", "content.png"]
    (folder / "results").mkdir()
    write_picture("results/a.png", np.ones((8, 8, 3)))
    line = flags.parse(stylize.COMMAND, ["--content=content.png", "--style", "style.png",
                                         "results"])
    assert line.given["style"] == ["style.png"] and line.places == ["results"]


def test_a_further_style_that_may_be_an_older_result_is_said():
    arguments = ["--content=content.png", "--style", "style.png", "content.png"]
    said = flags.parse(stylize.COMMAND, arguments).notes
    assert any("taken as --style=content.png" in each for each in said)
    assert not flags.parse(stylize.COMMAND, [*arguments, "--output=o.png"]).notes


TOLD = {
    "--cpu=false": ["takes no value", "--device=cpu", "'false'"],
    "--vgg19=weights.h5": ["takes no value", "--network=vgg19"],
    "--alpha=1": ["--content_weight", "--style_weight", "--strength"],
    "--target=a": ["--content", "--style", "--output"],
    "--beta 1": ["--style_weight"], "--width=512": ["--size"], "--height=3": ["--size"],
    "--layers=conv1_1": ["--content_layers", "--style_layers"],
    "--style_layer_weights=1,2": ["--style_layers"], "--batch_size=1": ["one picture"],
    "--overwrite": ["--output", "--skip_existing"], "--seed=random": ["whole number"],
    "--seed random": ["whole number"], "--network=resnet50": ["neither such a network nor"],
    "--plot --size=64": ["--plot: expected a value", "--size=64"],
    "--image_size": ["--image_size, here --size: expected a value, such as --size="],
    "-i": ["tf_style: -i: there is no such flag. Did you mean --content?"],
    "-c content.png": ["-c: there is no such flag. Did you mean --content?"],
    "-s=style.png": ["-s: there is no such flag. Did you mean --style?"],
    "-n 5": ["-n: there is no such flag. Did you mean --steps?"],
    "--plot -q": ["--plot: expected a value", "-q"],
    "--size --image_size=3": ["--size: expected a value", "--image_size=3"],
    "--plot": ["--plot: expected a value, such as --plot=FILE. Received: none"],
    "--content_layers=block6_conv1": ["'block5_conv1'"],
    "--style_layers=conv1_9": ["Did you mean 'block1_conv2'"],
    "--stile_weight=3": ["Did you mean --style_weight?"],
}


@pytest.mark.parametrize("words", TOLD)
def test_what_no_single_flag_means_is_one_line_that_names_some(words, refused):
    error = refused(cli.main, "content.png", "style.png", *words.split(" "))
    assert all(each in error for each in TOLD[words])


def test_a_negative_number_is_a_value():
    assert given("--style_weight", "-1") == {"style_weight": "-1"}


def test_what_is_taken_for_what_is_said_once_and_not_when_quiet(capfd):
    arguments = ["content.png", "style.png", "--image_size=64", "--init=random", "--style-weight=3",
                 "--network=VGG16", "--weights=random", "--dry_run"]
    assert call(cli.main, *arguments) == 0
    assert capfd.readouterr().err.splitlines() == [
        "tf_style: --image_size: taken as --size",
        "tf_style: --init=random: taken as --init=noise",
    ]
    assert call(cli.main, *arguments, "-q") == 0
    assert capfd.readouterr().err == ""


def test_flagfiles_may_hold_foreign_words(folder):
    (folder / "my.flags").write_text("--image-size=64\n--init=random\n--gpu\n")
    assert given("--flagfile=my.flags") == {"size": "64", "init": "noise", "device": "gpu"}


@pytest.mark.parametrize("word", ["--Preset=fast", "--config=other.flags"])
def test_flagfiles_name_other_files_in_our_own_words(folder, word):
    (folder / "my.flags").write_text(word + "\n")
    with pytest.raises(InputError, match=r"my\.flags: expected preset=NAME and flagfile=FILE"):
        given("--flagfile=my.flags")


def test_a_path_is_no_word():
    for words in ("--weights=./imagenet", "--network=com/pact", "--init=./input/"):
        name, _, value = words.lstrip("-").partition("=")
        assert given(words)[name] == value


def test_a_preset_without_a_line_harms_no_other_flag(folder, monkeypatch):
    (folder / "empty.flags").write_text("")
    monkeypatch.setattr(presets, "_folders", lambda: [folder])
    assert given("--steps=5")["steps"] == "5"
    assert presets.presets() == {"empty": ""}


def test_other_commands_understand_their_own():
    line = flags.parse(evaluate.COMMAND, ["--model=VGG19", "--style_layers=relu1_1"])
    assert line.given == {"network": "vgg19", "style_layers": "block1_conv1"}
    line = flags.parse(explain.COMMAND, ["--layers=conv1_1", "-o", "why", "--imsize=64"])
    assert line.given == {"layers": "block1_conv1", "output": "why", "size": "64"}
    with pytest.raises(InputError, match="tv: there is no such flag"):
        flags.parse(learn.COMMAND, ["--tv=1"])


@pytest.mark.parametrize("option", [*Settings.options(), *StylizeOptions.options()],
                         ids=lambda option: option.name)
def test_no_word_of_ours_is_taken_for_another(option):
    """Whatever help names stays what it is."""
    for word in foreign.words(option):
        assert foreign.value(option, word) == word
    assert foreign.flag(option.name, OPTIONS).partition("=")[0] == option.name
    if option.default not in (None, (), True, False):
        assert foreign.value(option, str(option.default)) == str(option.default)


def test_the_words_that_are_known_are_those_that_are_meant():
    for name in ("init", "network", "weights", "device"):
        for word in foreign.words(OPTIONS[name]):
            assert word in OPTIONS[name].help
    assert not os.path.exists("auto")
