import h5py
import numpy as np
import pytest

from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.choice import Choice, choose, limits
from tf_style.network.kernel_files import write_kernels
from tf_style.network.weights import load, settle_known
from tf_style.settings import AUTO, InputError, Settings

BOTH = Choice(
    "vgg16", "random", {"block3_conv1": 1.0}, {"block1_conv1": 1.0, "block3_conv1": 0.5}
)
SAVED = Choice("mine.keras", None, {}, {"late": 1.0})


def asked(answers):
    """A stand-in that says what networks and weights stand for, and what it was asked."""
    questions = []

    def settle(network, weights, *, offline):
        questions.append((network, weights, offline))
        return answers.get((network, weights), (network, weights))

    return settle, questions


def test_a_network_knows_its_layers():
    assert BOTH.names == ["block3_conv1", "block1_conv1"]
    assert BOTH.layers == ARCHITECTURES["vgg16"].up_to(["block3_conv1"])
    assert BOTH.least_size == 4
    for content, style in (("block5_conv1", "block1_conv1"), ("block1_conv1", "block5_conv1")):
        assert Choice("vgg19", "random", {content: 1.0}, {style: 1.0}).least_size == 16


def test_of_a_saved_model_nothing_is_known_but_the_names():
    assert SAVED.architecture is None and SAVED.layers == () and SAVED.least_size == 1
    assert SAVED.names == ["late"]


def test_a_network_knows_the_parts_that_it_sees_to():
    assert BOTH.parts == ["content", "style"] and SAVED.parts == ["style"]
    assert Choice("vgg16", "random", {"block1_conv1": 1.0}).parts == ["content"]


def test_only_what_is_no_word_is_a_file():
    assert SAVED.files == ["mine.keras"]
    assert Choice("vgg19", "mine.h5").files == ["mine.h5"]
    for weights in ("imagenet", "unsupervised", "random", None):
        assert Choice("vgg16", weights).files == []


def test_one_network_sees_to_both_parts():
    settle, questions = asked({(AUTO, AUTO): ("vgg16", "imagenet")})
    settings, (choice,) = choose(Settings(offline=True), settle)
    assert questions == [(AUTO, AUTO, True)] and settings.network == "vgg16"
    assert settings.weights == choice.weights == "imagenet" and choice.network == "vgg16"
    assert choice.content == settings.content_layers == {"block3_conv3": 1.0, "block4_conv2": 1.0}
    assert choice.style == settings.style_layers and len(choice.style) == 6


def test_the_same_network_named_for_both_parts_is_one():
    settings = Settings(weights="random", content_network="vgg16", style_network="vgg16")
    (choice,) = choose(settings)[1]
    assert (choice.network, choice.weights) == ("vgg16", "random")
    assert choose(choose(settings)[0])[1] == (choice,)


@pytest.mark.parametrize("named", [
    {"style_network": "vgg19", "style_network_weights": "random"},
    {"style_network_weights": "unsupervised"},
])
def test_two_networks_see_to_a_part_each(named):
    settings, (content, style) = choose(Settings(weights="random", **named))
    assert (content.network, content.weights) == ("vgg16", "random")
    assert (style.network, style.weights) == tuple(
        {"style_network": "vgg16", **named}.values()
    )
    assert content.content == settings.content_layers and content.style == {}
    assert style.style == settings.style_layers and style.content == {}


def test_layers_are_those_that_suit_the_weights_of_each_part():
    settings, _ = choose(Settings(weights="random", style_network_weights="unsupervised"))
    pretrained, learned = (
        choose(Settings(weights=weights))[0] for weights in ("random", "unsupervised")
    )
    assert settings.content_layers == pretrained.content_layers != learned.content_layers
    assert settings.style_layers == learned.style_layers != pretrained.style_layers


def test_a_saved_model_has_no_weights_to_be_found(tmp_path):
    saved = str(tmp_path / "mine.keras")
    (tmp_path / "mine.keras").touch()
    settle, questions = asked({(AUTO, "random"): ("vgg16", "random")})
    settings = Settings(weights="random", style_network=saved, style_layers="late")
    _, (content, style) = choose(settings, settle)
    assert questions == [(AUTO, "random", False)]
    assert (content.network, content.weights) == ("vgg16", "random")
    assert style == Choice(saved, None, {}, {"late": 1.0})


@pytest.mark.parametrize("settings, message", [
    ({"network": "no.keras", "content_layers": "a", "style_layers": "a"},
     r"^network=no\.keras: expected auto, vgg16, vgg19, compact or a saved"),
    ({"weights": "random", "style_network": "no.keras", "style_layers": "a"},
     r"^style_network=no\.keras: expected"),
    ({"weights": "random", "content_layers": "block6_conv1"},
     "^content_layers: VGG16 has no layer 'block6_conv1'"),
    ({"weights": "random", "style_network": "vgg19", "style_network_weights": "random",
      "style_layers": "block3_conv5"}, "^style_layers: VGG19 has no layer 'block3_conv5'"),
])
def test_networks_and_layers_that_are_not_there_are_named(settings, message):
    with pytest.raises(InputError, match=message):
        choose(Settings(**settings))


def test_what_auto_stands_for_may_not_be_known_yet(no_downloads):
    settings, (choice,) = choose(Settings(), settle_known)
    assert choice.weights is None and settings.weights == AUTO


def test_auto_becomes_the_network_of_each_part():
    settle, _ = asked({(AUTO, AUTO): ("compact", "included")})
    settings, (choice,) = choose(Settings(), settle)
    assert (settings.network, settings.weights) == ("compact", "included")
    assert (choice.network, choice.weights) == ("compact", "included")
    assert choose(settings)[0] == settings
    settings, (content, style) = choose(Settings(content_network="vgg16",
                                                 content_network_weights="random"), settle)
    assert (settings.network, settings.content_network) == ("compact", "vgg16")
    assert (content.network, style.network) == ("vgg16", "compact")
    assert choose(settings)[0] == settings


def test_weights_of_two_networks_make_two_networks_of_auto():
    settings, (content, style) = choose(
        Settings(content_network_weights="random", style_network_weights="included"))
    assert (settings.network, settings.style_network) == ("vgg16", "compact")
    assert (content.network, style.network) == ("vgg16", "compact")
    assert choose(settings)[0] == settings


def test_a_layer_that_only_vgg16_has_is_named_once_the_network_is_known():
    settle, _ = asked({(AUTO, AUTO): ("compact", "included")})
    settings = Settings(content_layers="block5_conv2")
    choose(settings, settle_known)
    with pytest.raises(InputError, match=r"^content_layers: the compact network has no layer"):
        choose(settings, settle)


def kernels_of(path, layers):
    drawn = load(ARCHITECTURES["vgg16"], ARCHITECTURES["vgg16"].up_to([layers]), "random")
    content = {name: (np.zeros_like(kernel), bias) for name, (kernel, bias) in
               drawn.kernels.items()}
    write_kernels(path, content)
    with h5py.File(path, "a") as file:
        # As if they were pretrained.
        del file.attrs["tf_style"]
    return str(path)


def test_a_file_of_any_depth_has_layers_that_it_holds(tmp_path):
    deep = kernels_of(tmp_path / "deep.h5", "block5_conv1")
    shallow = kernels_of(tmp_path / "shallow.h5", "block3_conv3")
    settings, choices = choose(Settings(weights=deep))
    assert "block5_conv1" in settings.style_layers and limits(Settings(), choices) == []
    settings, choices = choose(Settings(weights=shallow))
    assert {*settings.style_layers} == {"block1_conv1", "block2_conv1", "block3_conv1",
                                        "block3_conv3"}
    assert settings.content_layers == {"block3_conv3": 1.0}
    (text,) = limits(Settings(), choices)
    assert text.startswith(f"{shallow}: no block4_conv2 in this file; using the layers of")


def test_nothing_is_said_where_the_user_named_the_layers(tmp_path):
    shallow = kernels_of(tmp_path / "shallow.h5", "block3_conv3")
    named = Settings(weights=shallow, content_layers="block1_conv1", style_layers="block2_conv1")
    assert limits(named, choose(named)[1]) == []
    assert limits(Settings(), choose(Settings(weights="random"))[1]) == []


def test_large_forms_need_weights_that_have_them(tmp_path):
    shallow = kernels_of(tmp_path / "shallow.h5", "block3_conv3")
    for weights in (shallow, "random", "unsupervised"):
        with pytest.raises(InputError, match=r"^large_forms=0\.4: needs pretrained weights"):
            choose(Settings(weights=weights, large_forms=0.4))
        assert len(choose(Settings(weights=weights, large_forms=0))[0].style_layers) <= 4
    assert choose(Settings(large_forms=0.4), settle_known)[0].large_forms == AUTO


@pytest.mark.parametrize("loss", ["phase", "phase_match:0.5,gram"])
def test_phase_looks_at_shallow_layers(loss):
    settle, _ = asked({(AUTO, AUTO): ("vgg16", "imagenet"), (AUTO, "random"): ("vgg16", "random")})
    settings, _ = choose(Settings(style_loss=loss), settle)
    strokes, _ = choose(Settings(weights="random"), settle)
    for name in ("content_layers", "content_loss", "style_layers", "style_weight"):
        assert getattr(settings, name) == getattr(strokes, name)
    with pytest.raises(InputError, match=r"without phase\. Received: imagenet, phase"):
        choose(Settings(style_loss=loss, large_forms=0.5), settle)
