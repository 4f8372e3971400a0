"""What the README says is so."""

import re
import shlex
import shutil
from pathlib import Path

import keras
import pytest
from PIL import Image

from tf_style import cli
from tf_style.commands import flags
from tf_style.image.files import read_picture
from tf_style.network import unsupervised
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.kernel_files import write_kernels
from tf_style.settings import COMMAND_OPTIONS, Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = {
    language: re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    for language in ("bash", "python")
}
SMALL = ["--size=48", "--steps=2"]
QUICK = [*SMALL, "--content_layers=block2_conv1", "--style_layers=block1_conv1", "--weights=random"]
VGG16 = ARCHITECTURES["vgg16"]


def options_table():
    """The README's table of options, as the settings have it."""
    lines = ["| flag | default | meaning |", "|---|---|---|"]
    for option in (*COMMAND_OPTIONS, *Settings.options()):
        form = "\\|".join(option.choices) or option.form.replace("|", "\\|")
        default = "" if option.default is None or option.default is False else f"`{option.default}`"
        name = f"`--{option.name}`" + (f" {form}" if form else "")
        lines.append(f"| {name} | {default.replace(',', ', ')} | {option.help} |")
    return "\n".join(lines)


def test_options_table():
    assert options_table() in README, f"the README's table should be\n{options_table()}"


def test_presets_are_listed():
    listed = re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE)
    assert listed == [name for name in listed if name in flags.presets()]
    assert set(listed) == set(flags.presets())


def test_first_commands_are_what_ci_runs():
    assert BLOCKS["bash"][:2] == [
        "pip install . && tf_style --flagfile=flags/quickstart.flags\n",
        "pip install '.[test]' && pytest\n",
    ]
    ci = (ROOT / ".ci" / "run").read_text()
    assert "tf_style --flagfile=flags/quickstart.flags" in ci and "\nTF_STYLE_WEIGHTS" in ci
    assert "'.[test]'" in ci and " pytest" in ci


@pytest.fixture
def folder(pictures, monkeypatch):
    (pictures / "content.png").rename(pictures / "photo.png")
    for name in ("photo", "painting"):
        Image.open(pictures / ("photo.png" if name == "photo" else "style.png")).save(
            pictures / f"{name}.jpg"
        )
    monkeypatch.chdir(pictures)
    return pictures


def commands():
    for block in BLOCKS["bash"][2:]:
        yield from block.strip().splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("command", commands())
def test_commands_run(command, folder, capsys):
    program, *arguments = shlex.split(command, comments=True)
    for name in ("paintings", "photos", "out"):
        (folder / name).mkdir()
    shutil.copy("painting.jpg", "paintings")
    for name in ("painting.jpg", "photo.jpg"):
        shutil.copy(name, "photos")
    write_kernels(folder / "my.weights.h5", unsupervised.learn(
        VGG16, VGG16.up_to(["block3_conv3"]), [read_picture("painting.jpg")]
    ))
    if program == "tf_style_evaluate":
        Image.open("photo.jpg").save("result.png")
        arguments.append("--weights=random")
    elif program == "tf_style_explain":
        Image.open("photo.jpg").save("result.png")
        arguments += [*SMALL, "--weights=random", "--layers=block1_conv1"]
    elif program == "tf_style" and not any(each.startswith("--list") for each in arguments):
        if any(each.startswith("--settings_from") for each in arguments):
            with pytest.raises(SystemExit):
                cli.main(["photo.jpg", "painting.jpg", "result.png", *QUICK])
        arguments += SMALL if any(each.startswith("--weights") for each in arguments) else QUICK
    function = {"tf_style": cli.main, "tf_style_evaluate": cli.evaluate,
                "tf_style_learn": cli.learn, "tf_style_explain": cli.explain}[program]
    with pytest.raises(SystemExit) as stopped:
        function(arguments)
    assert stopped.value.code == 0
    assert capsys.readouterr().out


@pytest.fixture(scope="module")
def all_layers(tmp_path_factory):
    """A weights file with every layer of VGG16."""
    path = tmp_path_factory.mktemp("weights") / "all.weights.h5"
    keras.applications.VGG16(weights=None, include_top=False).save_weights(path)
    return path


@pytest.mark.parametrize("number", range(len(BLOCKS["python"])))
def test_python_runs(number, folder, all_layers, monkeypatch):
    monkeypatch.setenv("TF_STYLE_WEIGHTS", str(all_layers))
    code = BLOCKS["python"][number].replace("size=512", "size=48, steps=2")
    before = set(folder.iterdir())
    exec(compile(code, "README.md", "exec"), {})
    assert set(folder.iterdir()) > before


def test_links_lead_somewhere():
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", README):
        assert (ROOT / link).exists(), link
    headings = {re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
                for line in README.splitlines() if line.startswith("#")}
    for anchor in re.findall(r"\]\(#([^)]+)\)", README):
        assert anchor in headings, anchor
