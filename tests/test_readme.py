"""What the README and the guides that it leads to say is so: their commands and programs run."""

import itertools
import os
import re
import shlex
import shutil
from pathlib import Path

import keras
import pytest
from PIL import Image

from tests.film.exact import pan, written
from tf_style import cli
from tf_style.commands import camera, stylize
from tf_style.commands.film_options import FilmOptions
from tf_style.commands.stylize_options import StylizeOptions
from tf_style.image.picture import read_picture
from tf_style.network import unsupervised
from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.kernel_files import write_kernels
from tf_style.settings import Settings
from tf_style.settings.option import Number
from tf_style.settings.presets import presets

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDES = ["README.md", *(f"docs/{name}.md" for name in (
    "usage", "realtime", "films", "studio", "library", "weights", "evaluate", "python",
    "model_card", "troubleshooting",
))]


def blocks(name, language):
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


SMALL = ["--size=48", "--steps=2"]
QUICK = [*SMALL, "--content_layers=block2_conv1", "--style_layers=block1_conv1", "--weights=random"]
VGG16 = ARCHITECTURES["vgg16"]


def options_table():
    """The table of docs/options.md, as the options are declared."""
    lines = ["| flag | default | meaning |", "|---|---|---|"]
    for option in (*StylizeOptions.options(), *FilmOptions.options(), *Settings.options()):
        # That a number is wanted goes without saying.
        number = isinstance(option.type, Number)
        form = "" if number else option.type.form.replace("|", "\\|")
        shown = option.default not in (None, ()) and option.default is not False
        default = f"`{option.default}`" if shown else ""
        name = f"`--{option.name}`" + (f" {form}" if form else "")
        lines.append(f"| {name} | {default.replace(',', ', ')} | {option.help} |")
    return "\n".join(lines)


def test_options_table():
    text = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    assert options_table() in text, f"the table of docs/options.md should be\n{options_table()}"


def test_the_readme_is_short():
    assert len(README.split()) <= 900


def test_presets_are_listed():
    section = re.search(r"^## Presets\n(.*?)^## ", README, re.MULTILINE | re.DOTALL)[1]
    listed = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert listed == [name for name in listed if name in presets()]
    assert set(listed) == set(presets())


def test_help_shows_the_flags_of_the_readme():
    section = re.search(r"^\| flag \|.*?\n\n", README, re.MULTILINE | re.DOTALL)[0]
    listed = re.findall(r"^\|[^|]*?`--(\w+)[=`]", section, re.MULTILINE)
    assert len(listed) == 10 and {*listed} <= {*stylize.COMMAND.needed}
    told = stylize.COMMAND.help(full=False)
    assert all(f"\n  --{name}" in told for name in listed)


# Words before a command that are none themselves.
_BEFORE = {"time", "exec", "env", "export", "if", "then", "else", "while", "do", "!", "{", "uv"}


def shell_commands(script):
    """The commands in a shell script, as lists of words: without comments and assignments."""
    def plain(match):
        text = match[0]
        if text.startswith("#"):
            return ""
        return {"\\\n": " ", "\n": " ; "}.get(text, text)

    # What is passed to a program, up to its mark, is no command.
    script = re.sub(r"<<-?\s*(['\"]?)(\w+)\1(.*?)\n.*?^\s*\2$", r"\3", script,
                    flags=re.MULTILINE | re.DOTALL)
    script = re.sub(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.|(?<![^\s;|&()])#[^\n]*|\n""", plain, script,
                    flags=re.DOTALL)
    lexer = shlex.shlex(script, posix=True, punctuation_chars=";|&()")
    lexer.whitespace_split, lexer.commenters = True, ""
    found = [[]]
    for word in lexer:
        if set(word) <= set(";|&()"):
            found.append([])
        elif found[-1] or not (word in _BEFORE or re.match(r"\w+=", word)):
            found[-1].append(word)
    return [as_called(words) for words in found if words]


def as_called(words):
    """A command by its name alone: `python3 -m pip` and `venv/bin/pip` are `pip`."""
    name = re.split(r"[/\\]", words[0])[-1]
    if re.fullmatch(r"python[\d.]*", name) and words[1:2] == ["-m"]:
        return as_called(words[2:])
    return [re.sub(r"^(pip|pytest)[\d.]*$", r"\1", name), *words[1:]]


def installed_extras(command):
    """The extras with which a command installs this project; `None` if it does not."""
    if command[:2] == ["pip", "install"]:
        for word in command[2:]:
            if match := re.fullmatch(r"\.(?:\[([\w,-]+)\])?", word):
                return set(match[1].split(",")) if match[1] else set()
    return None


def test_commands_are_told_from_what_is_none():
    script = """
# pip install '.[test]' && pytest   # don't
echo '== pytest'; echo "pip install ." \\
    pytest # pytest
if true; then WEIGHTS=a.h5 venv/bin/python3 -m pip install -q '.[test]' ruff; fi
export A=b && time pytest -ra | tee log
python - <<'END'
pytest
END
"""
    commands = shell_commands(script)
    assert [command for command in commands if command[0] in ("pip", "pytest")] == [
        ["pip", "install", "-q", ".[test]", "ruff"], ["pytest", "-ra"],
    ]
    assert [installed_extras(command) for command in commands if command[0] == "pip"] == [{"test"}]
    assert installed_extras(["pip", "install", "."]) == set()
    assert installed_extras(["pip", "install", "ruff"]) is None


def test_first_commands_are_what_ci_runs():
    """The README begins with two: a picture, and the tests. CI installs with the same extras."""
    (install, paint), (install_tests, test) = map(shell_commands, blocks("README.md", "bash")[:2])
    assert paint == ["tf_style", "--flagfile=flags/quickstart.flags"] and test == ["pytest"]
    assert installed_extras(install) == set() and installed_extras(install_tests)
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    ran = shell_commands(script)
    first = next(number for number, command in enumerate(ran)
                 if installed_extras(command) == installed_extras(install_tests))
    after = ran[first + 1 :]
    assert any(command[0] == "tf_style" and set(paint) <= {*command} for command in after)
    # All tests: what is left out here runs nowhere.
    chosen = [command[command.index("-m") + 1] for command in after if command[0] == "pytest"]
    for slow, alone in itertools.product((True, False), repeat=2):
        assert sum(eval(each, {"slow": slow, "alone": alone}) for each in chosen) == 1
    assert re.search(r"^[^#\n]*\bTF_STYLE_WEIGHTS=", script, re.MULTILINE)


@pytest.fixture
def folder(pictures, monkeypatch):
    (pictures / "content.png").rename(pictures / "photo.png")
    for name in ("photo", "painting"):
        Image.open(pictures / ("photo.png" if name == "photo" else "style.png")).save(
            pictures / f"{name}.jpg"
        )
    monkeypatch.chdir(pictures)
    monkeypatch.setenv("TF_STYLE_LIBRARY", str(pictures / "styles.db"))
    return pictures


def commands():
    """Each once. The README's first two blocks are what CI runs."""
    lines = [line for name in GUIDES for block in blocks(name, "bash")[2 * (name == "README.md") :]
             for line in block.strip().splitlines() if not line.startswith("pip install ")]
    return [*dict.fromkeys(lines)]


@pytest.mark.slow
@pytest.mark.parametrize("command", commands())
def test_commands_run(command, folder, all_layers, capsys, monkeypatch):
    program, *arguments = shlex.split(command, comments=True)
    words = " ".join(arguments)
    for name in ("paintings", "photos", "out"):
        (folder / name).mkdir()
    shutil.copy("painting.jpg", "paintings")
    if "library:" in words or (program == "tf_style_library" and arguments[0] != "add"):
        shutil.copy("photo.jpg", "paintings/other.jpg")
        with pytest.raises(SystemExit):
            cli.library(["add", "paintings", "--network=compact", "--style_layers=block1_conv1",
                         "-q"])
    for name in ("painting.jpg", "photo.jpg"):
        shutil.copy(name, "photos")
    for mask, of in (("sky.png", "photo.jpg"), ("brushwork.png", "painting.jpg")):
        Image.linear_gradient("L").resize(Image.open(of).size).save(mask)
    shutil.copy("painting.jpg", "cut-out.png")
    if "=my.weights.h5" in words:
        write_kernels(folder / "my.weights.h5", unsupervised.learn(
            VGG16, VGG16.up_to(["block3_conv3"]), [read_picture("painting.jpg")]
        ))
    elif match := re.search(r"vgg16\w*\.h5", words):
        shutil.copy(all_layers, match[0])
    film = pan(read_picture("photo.jpg"), (40, 56), (1, 0), 6)
    if "film.mp4" in words or program == "tf_style_camera":
        for name in ("film.mp4", "out.mp4"):
            written(film, folder / name)
    if re.search(r"moving|frames/", words):
        frames = [Image.fromarray((each * 255).astype("uint8")) for each in film]
        frames[0].save("moving.gif", save_all=True, append_images=frames[1:])
        os.mkdir("frames")
        for number, frame in enumerate(frames):
            frame.save(f"frames/{number}.png")
    if program == "tf_style_evaluate":
        Image.open("photo.jpg").save("result.png")
        # Films are judged with a style alone.
        if "film.mp4" not in words or "painting.jpg" in words:
            arguments.append("--weights=random")
    elif program == "tf_style_explain":
        Image.open("photo.jpg").save("result.png")
        arguments += [*SMALL, "--weights=random", "--layers=block1_conv1"]
    elif program == "tf_style_train":
        arguments = [each for each in arguments if not each.startswith("--time_limit")]
        arguments += ["--steps=1", "--width=fast", "--size=64", "--weights=random",
                      "--content_layers=block2_conv1", "--style_layers=block1_conv1"]
    elif program == "tf_style_camera":
        arguments = [each.replace("painting.keras", "sample:waves") for each in arguments]
        arguments.append("--content=film.mp4")
        # No window: a few pictures, and one of them saved.
        monkeypatch.setattr(camera, "_check_window", lambda: None)
        monkeypatch.setattr(camera, "_run", lambda show: (show.next(), show.press("s")))
    elif program == "tf_style_studio":
        pytest.importorskip("uvicorn", reason="needs pip install 'tf_style[studio]'")
        from tf_style.studio import server

        async def serve(made, sockets):
            made._ready()
            for each in sockets:
                each.close()

        # It is ready, and ends.
        monkeypatch.setattr(server.Server, "serve", serve)
        for each in ("XDG_DATA_HOME", "LOCALAPPDATA"):
            monkeypatch.setenv(each, str(folder / "data"))
        arguments += ["--nobrowser", "--port=0"]
    elif "--model" in words:
        if match := re.search(r"--model=(\w+\.keras)", words):
            styles = ["painting.jpg", "cut-out.png"][: 1 + ("--style_blend" in words)]
            with pytest.raises(SystemExit):
                cli.train([*styles, "-o", match[1], "--steps=1", "--width=fast", "--size=64",
                           "--weights=random", "--content_layers=block2_conv1",
                           "--style_layers=block1_conv1", "-q"])
    elif program == "tf_style" and not any(each.startswith("--list") for each in arguments):
        if any(each.startswith("--settings_from") for each in arguments):
            with pytest.raises(SystemExit):
                cli.main(["photo.jpg", "painting.jpg", "result.png", *QUICK])
        if "--large_forms" in words or "--style_regions" in words:
            arguments += [*SMALL, f"--weights={all_layers}"]
        elif "--weights=imagenet" in words:
            monkeypatch.setattr("tf_style.network.weights._imagenet_file",
                                lambda *_, **__: all_layers)
            arguments += SMALL
        else:
            arguments += SMALL if "--weights" in words else QUICK
    function = {"tf_style": cli.main, "tf_style_evaluate": cli.evaluate,
                "tf_style_learn": cli.learn, "tf_style_explain": cli.explain,
                "tf_style_train": cli.train, "tf_style_camera": cli.camera,
                "tf_style_library": cli.library, "tf_style_studio": cli.studio}[program]
    with pytest.raises(SystemExit) as stopped:
        function(arguments)
    assert stopped.value.code == 0
    # One piece of two is no film yet.
    assert capsys.readouterr().out or "--piece" in words


@pytest.fixture(scope="module")
def all_layers(tmp_path_factory):
    """A weights file with every layer of VGG16."""
    path = tmp_path_factory.mktemp("weights") / "all.weights.h5"
    keras.applications.VGG16(weights=None, include_top=False).save_weights(path)
    return path


@pytest.mark.parametrize(("name", "code"), [
    pytest.param(name, code, id=f"{name}-{number}")
    for name in GUIDES for number, code in enumerate(blocks(name, "python"))
])
def test_python_runs(name, code, folder, all_layers, monkeypatch):
    monkeypatch.setenv("TF_STYLE_WEIGHTS", str(all_layers))
    (folder / "paintings").mkdir()
    for picture in ("painting.jpg", "photo.jpg"):
        shutil.copy(picture, "paintings")
    before = set(folder.iterdir())
    exec(compile(code.replace("size=512", "size=48, steps=2"), name, "exec"), {})
    assert set(folder.iterdir()) > before
