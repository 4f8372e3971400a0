"""The commands, as a person at a terminal meets them."""

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import keras
import pytest
import tensorflow as tf
from PIL import Image

import tf_style
from tf_style import cli
from tf_style.commands import flags
from tf_style.image.files import read_note, read_picture
from tf_style.settings import COMMAND_OPTIONS, EVALUATE_OPTIONS, EXPLAIN_OPTIONS, Settings

TINY = [
    "--size=32", "--scales=2", "--steps=3,2", "--weights=random", "--tolerance=0",
    "--content_layers=block1_conv2", "--style_layers=block1_conv1",
]


@pytest.fixture(autouse=True)
def folder(pictures, monkeypatch):
    """Commands run in a folder with `content.png` and `style.png`."""
    monkeypatch.chdir(pictures)
    return pictures


def call(command, *arguments):
    """The exit code of a command."""
    with pytest.raises(SystemExit) as stopped:
        command([str(each) for each in arguments])
    return stopped.value.code


def files_in(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def run_python(code, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(tf_style.__file__).parents[1]), **environment},
    )


# What comes out


def test_flags_and_places_give_the_same_picture(folder, capfd):
    assert call(cli.main, "--content=content.png", "--style=style.png", "--output=a.png",
                "--report=a.json", *TINY) == 0
    assert capfd.readouterr().out == "a.png\n"
    assert call(cli.main, "content.png", "style.png", "b.png", *TINY) == 0
    assert Image.open("a.png").size == (32, 24)
    assert (read_picture("a.png") == read_picture("b.png")).all()
    report = json.loads((folder / "a.json").read_text())
    assert report["steps"] == 5 and report["output"] == "a.png"
    assert json.loads(read_note("a.png"))["settings"] == report["settings"]


def test_without_output_a_new_name_beside_the_content(folder):
    for expected in ("content_style.png", "content_style_2.png", "content_style_3.png"):
        before = files_in(folder)
        assert call(cli.main, "content.png", "style.png", *TINY) == 0
        after = files_in(folder)
        assert set(after) - set(before) == {expected}
        assert all(after[name] == before[name] for name in before)


def test_an_existing_output_is_replaced(folder):
    (folder / "a.png").write_bytes(b"older")
    assert call(cli.main, "content.png", "style.png", "a.png", *TINY) == 0
    assert Image.open("a.png").size == (32, 24)


def test_progress_is_plain_lines_where_there_is_no_terminal(capfd):
    assert call(cli.main, "content.png", "style.png", "a.png", *TINY) == 0
    lines = capfd.readouterr().err.splitlines()
    assert lines[-1].startswith("32x24 (2/2) step 2/2, 0:00 left  loss ")
    assert "content" in lines[-1] and "style" in lines[-1] and "variation" in lines[-1]
    assert "\r" not in "".join(lines)


def test_progress_is_a_bar_on_a_terminal(folder):
    pty = pytest.importorskip("pty", reason="needs a POSIX pseudo-terminal")
    main, terminal = pty.openpty()
    code = "import sys; from tf_style.cli import main; main(sys.argv[1:])"
    subprocess.run([sys.executable, "-c", code, "content.png", "style.png", "a.png", *TINY],
                   stderr=terminal, stdout=subprocess.DEVNULL, check=True,
                   env={**os.environ, "PYTHONPATH": str(Path(tf_style.__file__).parents[1])})
    os.close(terminal)
    seen = os.read(main, 100_000).decode()
    assert "[##########]" in seen and seen.count("\r") >= 5
    assert "left" in seen and seen.count("\n") == 1


def test_profile_is_tensorflows_own(folder):
    assert call(cli.main, "content.png", "style.png", "a.png", "--profile=profile",
                *[flag for flag in TINY if "steps" not in flag], "--steps=3,14") == 0
    written, = (folder / "profile").rglob("*.xplane.pb")
    assert written.stat().st_size > 1000


@pytest.mark.parametrize("names", ["content.png", "*t*.png"])
def test_a_profile_that_cannot_be_written_costs_no_picture(names, folder, capfd, monkeypatch):
    stop = tf.profiler.experimental.stop

    def full(*_):
        stop()
        raise tf.errors.ResourceExhaustedError(None, None, "no space left")

    (folder / "out").mkdir()
    monkeypatch.setattr(tf.profiler.experimental, "stop", full)
    assert call(cli.main, names, "style.png", "out/{content}.png", "--profile=profile",
                *TINY) == 1
    assert "tf_style: --profile: cannot be written (no space left)\n" in capfd.readouterr().err
    assert len(list((folder / "out").iterdir())) == (1 if names == "content.png" else 2)


def test_quiet_says_nothing(capfd):
    assert call(cli.main, "content.png", "style.png", "a.png", "--quiet", *TINY) == 0
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_tensorflows_chatter_stays_off_the_screen():
    code = "import sys; from tf_style.cli import main; main(sys.argv[1:])"
    done = run_python(code, "content.png", "style.png", "a.png", "--quiet", *TINY)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    loud = run_python(code, "content.png", "style.png", "a.png", "--quiet", "--verbose", *TINY)
    assert loud.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_a_signal_the_picture_and_the_state_are_saved(number, folder, capfd):
    def press():
        time.sleep(2)
        deadline = time.monotonic() + 60
        while "step 1/" not in seen() and time.monotonic() < deadline:
            time.sleep(0.1)
        signal.raise_signal(number)

    text = []

    def seen():
        text.append(capfd.readouterr().err)
        return "".join(text)

    presser = threading.Thread(target=press)
    presser.start()
    code = call(cli.main, "content.png", "style.png", "a.png", "--checkpoint=kept",
                *[flag for flag in TINY if "steps" not in flag], "--steps=100000")
    presser.join()
    assert code == 130
    assert Image.open("a.png").size == (32, 24)
    assert "stopped after" in seen() and list((folder / "kept").iterdir())
    assert "go on with: tf_style --resume content.png style.png a.png --checkpoint=kept" in seen()


def test_the_command_that_goes_on_does(folder, capfd):
    assert call(cli.main, "content.png", "style.png", "a.png", *TINY) == 0
    capfd.readouterr()
    (folder / "content.png").rename("my content.png")
    arguments = ["my content.png", "style.png", "--checkpoint=kept", "--time_limit=0.001s", *TINY]
    for steps in range(1, 6):
        assert call(cli.main, *arguments, "--report=a.json") == 0
        lines = capfd.readouterr().err.splitlines()
        report = json.loads((folder / "a.json").read_text())
        assert report["resumed_at_step"] == steps - 1 and report["steps"] == steps
        assert report["stopped"] == "time limit"
        assert lines[-2].startswith(f"tf_style: stopped after {steps} steps; the picture so far")
        program, *arguments = shlex.split(lines[-1].removeprefix("tf_style: go on with: "))
        assert program == "tf_style" and arguments.count("--resume") == 1
    assert call(cli.main, *arguments) == 0
    assert capfd.readouterr().err == ""
    assert (read_picture("my content_style.png") == read_picture("a.png")).all()


def test_without_a_checkpoint_there_is_nothing_to_go_on_from(capfd):
    assert call(cli.main, "content.png", "style.png", "a.png", "--time_limit=0.001", *TINY) == 0
    assert capfd.readouterr().err.splitlines()[-1] == (
        "tf_style: without --checkpoint=FOLDER there is nothing to go on from"
    )


def test_a_loss_that_is_not_finite_exits_with_1_and_a_picture(monkeypatch, capfd):
    from tf_style.loss import objective

    monkeypatch.setattr(
        objective, "total_variation", lambda image: image[0, 0, 0, 0] * float("nan")
    )
    assert call(cli.main, "content.png", "style.png", "a.png", *TINY) == 1
    assert "the loss is not finite at step 1" in capfd.readouterr().err
    assert Image.open("a.png").size == (32, 24)


# Flags


def test_the_command_line_wins_over_files_wherever_it_stands(folder, capfd):
    (folder / "my.flags").write_text(
        "# a comment\n--style=missing.png\n\n--size=64\n--preset=shallow\n"
    )
    for order in (["--flagfile=my.flags", "--size=40"], ["--size=40", "--flagfile", "my.flags"]):
        assert call(cli.main, "--content=content.png", "--style=style.png", "--output=a.png",
                    *order, *[flag for flag in TINY if "size" not in flag]) == 0
        assert Image.open("a.png").size == (40, 30)


def test_a_flagfile_gives_defaults(folder):
    (folder / "my.flags").write_text(
        "\n".join(["--content=content.png", "--style=style.png", *TINY])
    )
    assert call(cli.main, "--flagfile=my.flags", "--output=a.png") == 0
    assert Image.open("a.png").size == (32, 24)


def test_several_styles_are_given_by_repeating_the_flag():
    assert call(cli.main, "--content=content.png", "--style=style.png", "--style=content.png",
                "--output=a.png", "--report=a.json", *TINY) == 0
    assert json.loads(Path("a.json").read_text())["style"] == ["style.png", "content.png"]


def test_help_names_every_flag(capsys):
    assert call(cli.main, "--help") == 0
    text = capsys.readouterr().out
    for option in (*COMMAND_OPTIONS, *Settings.options()):
        assert f"  --{option.name}" in text
    assert call(cli.evaluate, "--help") == 0
    text = capsys.readouterr().out
    assert all(f"  --{option.name}" in text for option in EVALUATE_OPTIONS)


def test_lists(capsys):
    assert call(cli.main, "--list_layers") == 0
    assert "block5_conv3" in capsys.readouterr().out
    assert call(cli.main, "--list_layers", "--network=vgg19") == 0
    assert "block5_conv4" in capsys.readouterr().out
    assert call(cli.main, "--list_samples") == 0
    assert "sample:grace_hopper" in capsys.readouterr().out
    assert call(cli.main, "--version") == 0
    assert capsys.readouterr().out == f"tf_style {tf_style.__version__}\n"


def test_every_preset_is_read(capsys):
    presets = flags.presets()
    assert {"quickstart", "shallow", "document"} <= set(presets)
    for name in presets:
        files, _ = flags.split_off_files([f"--preset={name}"])
        for origin, arguments in files:
            flags.parse_some("tf_style", (*COMMAND_OPTIONS, *Settings.options()), arguments, origin)


# Bad input: one line, exit code 2, nothing written


BAD = {
    "missing content": (["--content=no.png", "--style=style.png"], "no.png: there is no such file"),
    "missing style": (["--content=content.png"], "--style: expected a picture"),
    "nothing": ([], "--content: expected a picture"),
    "empty file": (["empty.png", "style.png"], "empty.png: the file is empty"),
    "text file": (["text.png", "style.png"], "text.png: this is not a picture"),
    "truncated file": (["cut.png", "style.png"], "cut.png: the picture cannot be read"),
    "folder without pictures": (["bare", "style.png"], "--content=bare: no picture has"),
    "pattern without pictures": (["content.png", "zz*.png"], "--style=zz*.png: no picture has"),
    "several in one file": (["*t*.png", "style.png", "a.png"],
                            "Expected a folder, or --output='{content}_{style}.png'"),
    "several in one name": (["content.png", "[cs]*.png", "{content}.png"],
                            "would both get this name"),
    "foreign braces": (["content.png", "style.png", "{contents}.png"], "Received: '{contents}'"),
    "several over an input": (["*t*.png", "style.png", "{content}.png"], "would replace an input"),
    "several and a wrong flag": (["*t*.png", "style.png", "--style_blend=1,2"],
                                 "--style_blend: expected a share for each"),
    "several and a size too small": (["*t*.png", "style.png", "--size=8",
                                      "--style_layers=block5_conv1"], "too small for the deepest"),
    "thin picture": (["thin.png", "style.png", "--style_layers=block5_conv1"],
                     "too small for the deepest layer in use. Least side: 16 pixels"),
    "unknown sample": (["sample:harbur", "style.png"], "Did you mean 'harbor'?"),
    "unknown layer": (["content.png", "style.png", "--style_layers=block6_conv1"],
                      "--style_layers: VGG16 has no layer 'block6_conv1'. Did you mean "
                      "'block5_conv1'? All layers: tf_style --list_layers"),
    "unknown flag": (["content.png", "style.png", "--stlye_weight=3"],
                     "--stlye_weight: there is no such flag. Did you mean --style_weight?"),
    "not a number": (["content.png", "style.png", "--size=large"],
                     "--size: expected a whole number. Received: 'large'"),
    "negative": (["content.png", "style.png", "--style_weight=-1"], "--style_weight: expected"),
    "zero": (["content.png", "style.png", "--size=0"], "--size: expected"),
    "no value": (["content.png", "style.png", "--size"], "size"),
    "bad switch": (["content.png", "style.png", "--quiet=perhaps"],
                   "tf_style: --quiet: expected true or false. Received: 'perhaps'"),
    "infinite weight": (["content.png", "style.png", "--style_loss=gram:1e308"],
                        "--style_loss: expected a weight above 0 after 'gram:', at most 1e+06"),
    "contradiction": (["content.png", "style.png", "--scales=2", "--steps=1,2,3"],
                      "--steps: expected one number, or one for each of the 2 --scales"),
    "both ways": (["content.png", "style.png", "--content=content.png"],
                  "'content.png': --content is given already"),
    "stray word": (["--content=content.png", "--style=style.png", "stray"],
                   "'stray': expected --flag=value"),
    "four places": (["content.png", "style.png", "a.png", "b.png"], "'b.png': expected at most"),
    "no folder": (["content.png", "style.png", "no/a.png"], "the folder no does not exist"),
    "no format": (["content.png", "style.png", "a.xyz"], "expected a name that ends in .png"),
    "output is content": (["content.png", "style.png", "content.png"],
                          "--output=content.png: this would replace an input"),
    "output is style": (["content.png", "style.png", "./style.png"], "would replace an input"),
    "report is style": (["content.png", "style.png", "--report=style.png"],
                        "--report=style.png: this would replace an input"),
    "profile is a file": (["content.png", "style.png", "--profile=style.png"],
                          "--profile=style.png: expected a folder"),
    "resume from where": (["content.png", "style.png", "--resume"],
                          "--resume: say where the run is kept: --checkpoint=FOLDER"),
    "checkpoint is a file": (["content.png", "style.png", "--checkpoint=text.png"],
                             "--checkpoint=text.png: expected a folder"),
    "checkpoint among others": (["content.png", "style.png", "--checkpoint=."],
                                "--checkpoint=.: expected a new folder"),
    "checkpoint nowhere": (["content.png", "style.png", "--checkpoint=no/kept"],
                           "the folder no does not exist"),
    "output in checkpoint": (["content.png", "style.png", "kept/a.png", "--checkpoint=kept"],
                             "--output=kept/a.png: the --checkpoint folder is for"),
    "checkpoint is output": (["content.png", "style.png", "a.png", "--checkpoint=a.png"],
                             "--checkpoint=a.png: this is the --output"),
    "checkpoint never": (["content.png", "style.png", "--checkpoint=kept",
                          "--checkpoint_every=0"], "--checkpoint_every: expected a whole number"),
    "no time": (["content.png", "style.png", "--time_limit=0"],
                "--time_limit: expected a time above 0, such as 30s"),
    "no unit of time": (["content.png", "style.png", "--time_limit=3d"], "Received: '3d'"),
    "report is output": (["content.png", "style.png", "a.png", "--report=a.png"],
                         "--report=a.png: this is the --output"),
    "report is weights": (["content.png", "style.png", "--weights=w.h5", "--report=w.h5"],
                          "--report=w.h5: this would replace an input"),
    "report is flagfile": (["content.png", "style.png", "--flagfile=my.flags",
                            "--report=my.flags"], "this would replace an input"),
    "profile is output": (["content.png", "style.png", "a.png", "--profile=a.png"],
                          "--profile=a.png: this is the --output"),
    "link to nowhere": (["content.png", "style.png", "nowhere.png"], "does not exist"),
    "long name": (["content.png", "style.png", "a" * 300 + ".png"], "cannot write"),
    "too large for WebP": (["content.png", "style.png", "a.webp", "--size=20000"],
                           "WebP holds at most 16383 pixels a side"),
    "empty value": (["content.png", "style.png", "--report="], "--report: expected a value"),
    "absl's own flag": (["content.png", "style.png", "--undefok=foo", "--foo=1"],
                        "--undefok: there is no such flag"),
    "model file without layers": (["content.png", "style.png", "--network=a.keras"],
                                  "name its layers with --content_layers"),
    "huge weight": (["content.png", "style.png", "--style_weight=1e25"], "at most 1e+06"),
    "missing flagfile": (["--flagfile=no.flags"], "--flagfile=no.flags: cannot be read"),
    "binary flagfile": (["--flagfile=content.png"], "it is no file of flags"),
    "endless flagfile": (["--flagfile=endless.flags"], "it is no file of flags"),
    "flagfile in itself": (["--flagfile=loop.flags"], "names itself"),
    "bad flagfile": (["--flagfile=bad.flags"], "bad.flags: --sise: there is no such flag"),
    "unknown preset": (["--preset=fancy"], "--preset=fancy: there is no such preset"),
    "no weights file": (["content.png", "style.png", "--weights=no.h5"], "--weights=no.h5"),
    "foreign weights": (["content.png", "style.png", "--weights=text.png"],
                        "this is no complete HDF5 weights file"),
    "model file and weights": (["content.png", "style.png", "--network=a.keras",
                                "--weights=unsupervised"], "a saved model brings its own weights"),
    "no network file": (["content.png", "style.png", "--network=no.keras",
                         "--style_layers=a", "--content_layers=a"],
                        "--network=no.keras: expected vgg16, vgg19 or a saved Keras model"),
}


@pytest.fixture
def bad_files(folder):
    (folder / "empty.png").touch()
    (folder / "text.png").write_text("no picture")
    whole = (folder / "content.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    Image.new("RGB", (5000, 1)).save(folder / "thin.png")
    (folder / "bare").mkdir()
    (folder / "w.h5").write_bytes(b"weights")
    (folder / "my.flags").write_text("\ufeff--size=48\n", encoding="utf-8")
    try:
        (folder / "nowhere.png").symlink_to(folder / "no" / "a.png")
    except OSError:
        # No links for this user of Windows: the name alone has no folder either.
        BAD["link to nowhere"][0][2] = "no/a.png"
    (folder / "kept").mkdir()
    (folder / "loop.flags").write_text("--flagfile=loop.flags")
    (folder / "endless.flags").write_text("#" * 2_000_000)
    (folder / "bad.flags").write_text("--sise=3")
    return folder


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_writes_nothing(case, bad_files, capfd):
    arguments, message = BAD[case]
    before = files_in(bad_files)
    assert call(cli.main, *arguments) == 2
    captured = capfd.readouterr()
    assert captured.err.count("\n") == 1 and captured.err.startswith("tf_style: ")
    assert message in captured.err and captured.out == ""
    assert files_in(bad_files) == before


def test_a_write_that_fails_after_the_run_exits_with_1(folder, capfd, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    before = files_in(folder)
    assert call(cli.main, "content.png", "style.png", "a.png", "--quiet", *TINY) == 1
    error = capfd.readouterr().err
    assert error == "tf_style: a.png: cannot be written (No space left on device)\n"
    assert files_in(folder) == before


def test_weights_in_the_environment_do_not_hinder_a_model_file(folder, monkeypatch):
    from tf_style.network.features import feature_model

    feature_model(["block1_conv1", "block1_conv2"], "random").save("model.keras")
    monkeypatch.setenv("TF_STYLE_WEIGHTS", "elsewhere.h5")
    layers = ["--content_layers=block1_conv2", "--style_layers=block1_conv1"]
    assert call(cli.main, "content.png", "style.png", "a.png", "--network=model.keras", "--size=32",
                "--steps=2", *layers) == 0


def test_a_terminal_that_lacks_a_letter(folder):
    code = "import sys; from tf_style.cli import main; main(sys.argv[1:])"
    done = run_python(code, "content.png", "style.png", "résultat.png", *TINY,
                      PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and (folder / "résultat.png").exists()
    assert "r\\xe9sultat.png" in done.stdout


def test_a_folder_that_cannot_be_written(folder, capfd, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    # Root may write anywhere, so the refusal is a stand-in.
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    before = files_in(folder)
    assert call(cli.main, "content.png", "style.png", "a.png") == 2
    assert "a.png: cannot write in . (Permission denied)" in capfd.readouterr().err
    assert files_in(folder) == before


def test_imagenet_that_cannot_be_had(monkeypatch, tmp_path, capfd):
    import urllib.request

    def no_network(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", no_network)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    assert call(cli.main, "content.png", "style.png", "a.png", "--weights=imagenet") == 2
    error = capfd.readouterr().err
    assert error.count("\n") == 1 and "no pretrained VGG16" in error and "--weights=FILE" in error


@pytest.mark.parametrize("command", [
    (cli.main, "content.png", "style.png", "a.png"),
    (cli.evaluate, "--content=content.png", "--style=style.png", "--generated=content.png"),
    (cli.explain, "--content=content.png", "--style=style.png", "--output=why"),
], ids=["stylize", "evaluate", "explain"])
def test_offline_imagenet_has_to_be_there(command, folder, monkeypatch, capfd):
    monkeypatch.setattr(keras.utils, "get_file", lambda *_, **__: pytest.fail("a download"))
    monkeypatch.setenv("KERAS_HOME", str(folder / "keras"))
    before = files_in(folder)
    assert call(*command, "--weights=imagenet", "--offline") == 2
    error = capfd.readouterr().err
    assert error.count("\n") == 1 and "https://storage.googleapis.com/" in error
    assert str(folder / "keras" / "models") in error
    assert files_in(folder) == before


# TensorFlow is imported late


IMPORTS = """
import sys
from tf_style.cli import main
try:
    main(sys.argv[1:])
except SystemExit as stopped:
    print("tensorflow" in sys.modules, stopped.code)
"""


@pytest.mark.parametrize("arguments, code", [
    (["--help"], 0), (["--version"], 0), (["--list_layers"], 0), (["--list_samples"], 0),
    (["content.png", "no.png"], 2), (["content.png", "style.png", "--style_layers=block9"], 2),
    (["content.png", "style.png", "--size=0"], 2), (["content.png", "style.png", "no/a.png"], 2),
    (["content.png", "style.png", "--weights=style.png"], 2), (["--preset=no"], 2),
    (["content.png", "style.png", "--checkpoint=style.png"], 2),
    (["*.png", "style.png", "a.png"], 2), (["*t*.png", "style.png", "--style_blend=1,2"], 2),
    (["content.png", "content.png", "style.png", "--skip_existing"], 0),
    (["content.png", "style.png", "--weights=imagenet", "--offline"], 2),
])
def test_without_tensorflow(arguments, code, monkeypatch, folder):
    monkeypatch.setenv("KERAS_HOME", str(folder / "keras"))
    assert run_python(IMPORTS, *arguments).stdout.splitlines()[-1] == f"False {code}"


def test_importing_tf_style_is_lazy():
    code = "import sys, tf_style; dir(tf_style); print('tensorflow' in sys.modules)"
    assert run_python(code).stdout == "False\n"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = tf_style.nothing
    assert tf_style.__all__ == sorted(tf_style.__all__, key=str)
    for name in tf_style.__all__:
        assert getattr(tf_style, name) is not None


def test_python_dash_m(folder):
    done = subprocess.run(
        [sys.executable, "-m", "tf_style", "--version"], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(tf_style.__file__).parents[1])},
    )
    assert done.stdout == f"tf_style {tf_style.__version__}\n"


# tf_style_evaluate


def test_evaluate(real_weights, folder, capfd):
    assert call(cli.main, "content.png", "style.png", "a.png", "--quiet", *TINY) == 0
    common = ["--content=content.png", "--style=style.png", "--generated=a.png",
              "--generated=content.png", f"--weights={real_weights}"]
    assert call(cli.evaluate, *common, "--json", "--plot=t.png") == 0
    captured = capfd.readouterr()
    rows = json.loads(captured.out)
    assert [row["generated"] for row in rows] == ["a.png", "content.png"]
    assert set(rows[0]) == {"generated", "style_distance", "content_similarity", "edge_agreement",
                            "color_distance", "weights", "flattered"}
    assert rows[1]["style_distance"] == pytest.approx(1)
    assert rows[1]["content_similarity"] == pytest.approx(1)
    assert [row["flattered"] for row in rows] == [False, None]
    assert rows[0]["weights"] == real_weights and captured.err == ""
    assert Image.open("t.png").size[0] > 500
    assert call(cli.evaluate, *common) == 0
    table = capfd.readouterr().out.splitlines()
    assert len(table) == 4 and table[2].startswith("a.png")


def test_evaluate_warns_of_a_judge_that_made_the_picture(capfd):
    assert call(cli.main, "content.png", "style.png", "a.png", "--quiet", *TINY) == 0
    assert call(cli.evaluate, "--content=content.png", "--style=style.png", "--generated=a.png",
                "--weights=random", "--json") == 0
    captured = capfd.readouterr()
    assert json.loads(captured.out)[0]["flattered"] is True
    assert "a.png was made with the weights that judge it" in captured.err


@pytest.mark.parametrize("arguments, message", [
    ([], "--content: expected a picture"),
    (["--content=content.png", "--style=style.png"], "--generated: expected a picture"),
    (["--content=content.png", "--style=style.png", "--generated=no.png"], "no.png: there is no"),
    (["--content=content.png", "--style=style.png", "--generated=style.png", "--plot=a.xyz"],
     "a.xyz: expected a name that ends in"),
    (["--content=content.png", "--style=style.png", "--generated=style.png", "--weights=no.h5"],
     "--weights=no.h5: there is no such file"),
    (["--content=content.png", "--style=style.png", "--generated=style.png",
      "--plot=style.png"], "--plot=style.png: this would replace an input"),
    (["--content=content.png", "--style=style.png", "--generated=dot.png"],
     "dot.png: 1x1 pixels are too few for the judge. Least side: 4"),
    (["stray"], "'stray': expected --flag=value"),
    (["--generate=a.png"], "Did you mean --generated?"),
])
def test_evaluate_refuses_bad_input(arguments, message, folder, capfd):
    Image.new("RGB", (1, 1)).save("dot.png")
    before = files_in(folder)
    assert call(cli.evaluate, *arguments) == 2
    error = capfd.readouterr().err
    assert message in error and error.count("\n") == 1 and error.startswith("tf_style_evaluate: ")
    assert files_in(folder) == before


# tf_style_learn, and learned weights


def test_learn_writes_what_weights_reads(folder, monkeypatch, capfd):
    from tf_style.network import unsupervised

    learned_from = []
    real = unsupervised.learn

    def shallow(architecture, layers, pictures, *, seed):
        learned_from.append(len(pictures))
        return real(architecture, architecture.up_to(["block2_conv1"]), pictures, seed=seed)

    # All thirteen layers take too long for a quick test.
    monkeypatch.setattr(unsupervised, "learn", shallow)
    assert call(cli.learn, "--pictures=.", "--output=my.weights.h5") == 0
    assert capfd.readouterr().out == "my.weights.h5\n" and learned_from == [2]
    assert call(cli.learn, "--pictures=s*.png", "--pictures=content.png", "--output=two.h5",
                "--quiet") == 0
    assert learned_from == [2, 2] and capfd.readouterr().out == ""
    assert call(cli.main, "content.png", "style.png", "a.png", *TINY,
                "--weights=my.weights.h5") == 0


@pytest.mark.parametrize("arguments, message", [
    ([], "--pictures: expected a value"),
    (["--pictures=."], "--output: expected a value"),
    (["--pictures=none/*.jpg", "--output=a.h5"], "none/*.jpg: no picture has such a name"),
    (["--pictures=no.png", "--output=a.h5"], "no.png: there is no such file"),
    (["--pictures=.", "--output=a.txt"], "--output=a.txt: expected a name that ends in .h5"),
    (["--pictures=.", "--output=no/a.h5"], "the folder no does not exist"),
    (["--pictures=.", "--output=a.h5", "--network=resnet"], "--network: expected one of vgg16"),
    (["--pictures=.", "--output=a.h5", "--seed=-1"], "--seed: expected a whole number"),
    (["a.png"], "'a.png': expected --flag=value"),
])
def test_learn_refuses_bad_input(arguments, message, folder, capfd):
    before = files_in(folder)
    assert call(cli.learn, *arguments) == 2
    error = capfd.readouterr().err
    assert message in error and error.count("\n") == 1 and error.startswith("tf_style_learn: ")
    assert files_in(folder) == before


@pytest.mark.slow
def test_without_weights_features_are_learned_once(folder, monkeypatch, capfd):
    import urllib.request

    def no_network(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", no_network)
    monkeypatch.setenv("KERAS_HOME", str(folder / "keras"))
    small = ["--size=48", "--steps=2", "--report=a.json", "--cache_dir=learned"]
    pixels = []
    for cached in (False, True):
        assert call(cli.main, "content.png", "style.png", "a.png", *small) == 0
        notes = [line for line in capfd.readouterr().err.splitlines()
                 if "learning features" in line]
        assert len(notes) == 1 and "no network" in notes[0]
        report = json.loads((folder / "a.json").read_text())
        assert report["weights_cached"] is cached
        assert report["settings"]["weights"] == "unsupervised"
        assert "auto" not in {str(report["settings"][name]) for name in (
            "weights", "content_layers", "style_layers", "style_weight", "tv_weight", "style_loss",
            "pooling", "learning_rate", "precision", "device", "block_size",
        )}
        pixels.append(read_picture("a.png"))
    assert (pixels[0] == pixels[1]).all()


# tf_style_explain


EXPLAIN = ["--content=content.png", "--style=style.png", "--weights=random", "--size=32",
           "--steps=1", "--layers=block1_conv1"]
FIGURES = ["maps.png", "matrices.png", "reconstructions.png", "shares.png"]


@pytest.mark.slow
def test_explain_draws_every_figure(folder, capfd):
    assert call(cli.explain, *EXPLAIN, "--output=why") == 0
    captured = capfd.readouterr()
    assert captured.out.splitlines() == [os.path.join("why", name) for name in FIGURES]
    assert captured.err.splitlines() == ["making a picture of both",
                                         "looking at maps, matrices and shares",
                                         "reconstructing from block1_conv1"]
    assert sorted(path.name for path in (folder / "why").iterdir()) == FIGURES
    assert all(Image.open(path).size[0] > 300 for path in (folder / "why").iterdir())
    # Figures of before are replaced; a generated picture is taken as it is.
    (folder / "why" / "maps.png").write_bytes(b"older")
    assert call(cli.explain, *EXPLAIN, "--output=why", "--generated=style.png", "--quiet") == 0
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""
    assert Image.open(folder / "why" / "maps.png").size[0] > 300


@pytest.mark.parametrize("arguments, message", [
    ([], "--content: expected a value, such as --content=FILE"),
    (EXPLAIN, "--output: expected a value, such as --output=FOLDER"),
    ([*EXPLAIN, "--output=content.png"], "--output=content.png: expected a folder, this is a file"),
    ([*EXPLAIN, "--output=no/why"], "the folder no does not exist"),
    ([*EXPLAIN, "--output=taken", "--style=taken/shares.png"],
     "shares.png: this would replace an input"),
    ([*EXPLAIN, "--output=taken", "--generated=taken/maps.png"],
     "maps.png: this would replace an input"),
    ([*EXPLAIN, "--output=why", "--generated=no.png"], "no.png: there is no such file"),
    ([*EXPLAIN, "--output=why", "--generated=dot.png"], "Least side: 4 pixels"),
    ([*EXPLAIN, "--output=why", "--layers=block1_conv1,block3_con"],
     "--layers: VGG16 has no layer 'block3_con'. Did you mean 'block3_conv"),
    ([*EXPLAIN, "--output=why", "--size=0"], "--size: expected a whole number, at least 8"),
    ([*EXPLAIN, "--output=why", "--weights=no.h5"], "--weights=no.h5: there is no such file"),
    ([*EXPLAIN, "--output=why", "stray"], "'stray': expected --flag=value"),
    ([*EXPLAIN, "--outputs=why"], "Did you mean --output?"),
])
def test_explain_refuses_bad_input(arguments, message, folder, capfd):
    (folder / "taken").mkdir()
    for name in ("maps.png", "shares.png"):
        (folder / "taken" / name).write_bytes((folder / "style.png").read_bytes())
    Image.new("RGB", (100, 1)).save("dot.png")
    before = files_in(folder), files_in(folder / "taken")
    assert call(cli.explain, *arguments) == 2
    error = capfd.readouterr().err
    assert message in error and error.count("\n") == 1 and error.startswith("tf_style_explain: ")
    assert (files_in(folder), files_in(folder / "taken")) == before
    assert not (folder / "why").exists()


@pytest.mark.parametrize("arguments, code", [
    (["--help"], 0), ([*EXPLAIN, "--output=why", "--generated=dot.png"], 2),
    ([*EXPLAIN, "--output=no/why"], 2),
])
def test_explain_without_tensorflow(arguments, code):
    Image.new("RGB", (100, 1)).save("dot.png")
    imports = IMPORTS.replace("import main", "import explain as main")
    assert run_python(imports, *arguments).stdout.splitlines()[-1] == f"False {code}"


def test_explain_names_every_flag(capsys):
    assert call(cli.explain, "--help") == 0
    text = capsys.readouterr().out
    assert all(f"  --{option.name}" in text for option in EXPLAIN_OPTIONS)
