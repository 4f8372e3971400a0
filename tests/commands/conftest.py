"""What tests of the commands share: a working folder, fast flags, and ways to call a command."""

from __future__ import annotations

import errno
import itertools
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

# Here, so that no test pays for what the first to need it would: TensorFlow takes seconds to load,
# and so does a list of the machine's fonts, in a cache that each test has in a folder of its own.
import matplotlib.font_manager  # noqa: F401
import pytest
import tensorflow as tf
from PIL import Image

import tf_style.run.stylizer
from tf_style import cli
from tf_style.commands import progress, status

# Where there is no GPU, TensorFlow says so when it first looks for one: now, not in a test.
tf.config.list_logical_devices()

# A run of five steps at 16 and 32 pixels.
TINY = [
    "--size=32", "--scales=2", "--steps=3,2", "--weights=random", "--tolerance=0",
    "--content_layers=block1_conv2", "--style_layers=block1_conv1",
]

_PROCESS = """
import sys
from tf_style import cli
getattr(cli, sys.argv[1])(sys.argv[2:])
"""
_IMPORTS = """
import sys
from tf_style import cli
try:
    getattr(cli, sys.argv[1])(sys.argv[2:])
except SystemExit as stopped:
    print("tensorflow" in sys.modules, stopped.code)
"""


@pytest.fixture(autouse=True)
def folder(pictures, monkeypatch):
    """Commands run in a folder with `content.png` and `style.png`."""
    monkeypatch.chdir(pictures)
    return pictures


@pytest.fixture(autouse=True)
def no_phases(monkeypatch):
    """What a command says does not depend on how busy the machine is: nothing takes too long."""
    monkeypatch.setattr(status, "LASTING", math.inf)


@pytest.fixture
def terminal(monkeypatch):
    """`terminal(40)`: from now on stdout is a terminal of 40 columns."""
    def terminal(width):
        monkeypatch.setattr(status, "is_terminal", lambda number: number == sys.stdout.fileno())
        monkeypatch.setattr(status, "columns", lambda number: width)

    return terminal


@pytest.fixture(autouse=True)
def asked_to_stop():
    """Signals do what they do in a process of its own, even where pytest is to ignore them."""
    before = {each: signal.getsignal(each) for each in map(signal.Signals, (
        getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
    ))}
    for number in before:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def photos(folder):
    """The folder `photos`, of which `b` and `d` are bad, beside an empty one, `out`."""
    for name in ("out", "photos"):
        (folder / name).mkdir()
    for name in "ace":
        Image.open("content.png").save(f"photos/{name}.png")
    Path("photos/b.png").write_text("no picture")
    Image.new("RGB", (500, 1)).save("photos/d.png")
    return folder / "photos"


def several(contents="photos", style="style.png"):
    """The flags that make a picture of each of these, in the folder `out`."""
    # At the smaller size block 2 does not see a picture as thin as `d`.
    return [f"--content={contents}", f"--style={style}", "--output=out/{content}.png", *TINY,
            "--content_layers=block2_conv1"]


def made():
    """The names of what is in the folder `out`."""
    return sorted(path.name for path in Path("out").iterdir())


def photo(name):
    """One of the folder `photos`, as a command names it."""
    return os.path.join("photos", f"{name}.png")


def call(command, *arguments):
    """The exit code of a command, such as `cli.main`."""
    with pytest.raises(SystemExit) as stopped:
        command([str(each) for each in arguments])
    return stopped.value.code


def files_in(folder):
    """Name → content of all files; folders have none."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
            for path in Path(folder).rglob("*")}


@pytest.fixture
def refused(folder, capfd):
    """Calls a command; gives what it says, and sees that it refuses as it should.

    That is one line on stderr, exit code 2, nothing written.
    """
    def refused(command, *arguments):
        capfd.readouterr()
        before = files_in(folder)
        assert call(command, *arguments) == 2
        out, error = capfd.readouterr()
        program = "tf_style" if command is cli.main else f"tf_style_{command.__name__}"
        assert out == "" and error.count("\n") == 1 and error.startswith(f"{program}: ")
        assert files_in(folder) == before
        return error

    return refused


def assert_tells(help, flags):
    """See that a command's help tells of flags.

    Args:
        flags: name → the default that it shows, or `None` for none, and words of its line.
    """
    lines = help.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("  --")]
    told = {}
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        name = re.match(r"  --(\w+)", lines[start])[1]
        told[name] = " ".join(line.strip() for line in lines[start + 1 : end])
    for name, (default, words) in flags.items():
        assert name in told, f"--{name} is not told of"
        text, _, shown = told[name].partition(" (default: ")
        assert words in text, name
        assert shown == (f"{default})" if default else ""), name


@pytest.fixture
def loss_not_finite(monkeypatch):
    """The loss of each picture is not finite."""
    monkeypatch.setattr("tf_style.loss.variation.total_variation",
                        lambda image: image[:, 0, 0, 0] * float("nan"))


@pytest.fixture
def pressed(monkeypatch):
    """`pressed(3, signal.SIGINT)`: the user asks to stop when the third step is shown."""
    def press(step, *signals):
        show, count = progress.Progress.show, itertools.count(1)

        def shown(*arguments):
            show(*arguments)
            if next(count) == step:
                for number in signals:
                    signal.raise_signal(number)

        monkeypatch.setattr(progress.Progress, "show", shown)

    return press


@pytest.fixture
def full_disk(folder, monkeypatch):
    """`full_disk()`: from now on the working folder's disk takes no more, that of others does.

    The folder for temporary files is `spare`.
    """
    (folder / "spare").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "spare"))
    replace = os.replace

    def full(source, target):
        if "spare" not in os.fspath(target):
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    return lambda: monkeypatch.setattr(os, "replace", full)


@pytest.fixture
def no_network(folder, monkeypatch):
    """Nothing can be downloaded, nor has been, in processes of their own either."""
    monkeypatch.setenv("KERAS_HOME", str(folder / "keras"))
    # Where nothing listens.
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


@pytest.fixture
def nodes(monkeypatch):
    """A Ray cluster of no processes, whose nodes share no folder with this one; all its engines."""
    from tests.commands.here import Elsewhere

    class Engine(Elsewhere):
        made = []  # noqa: RUF012

    monkeypatch.setattr("tf_style.cluster.on_ray.RayEngine", Engine)
    return Engine


def process(command, *arguments, code=_PROCESS, **environment):
    """A command in a process of its own, when that has ended."""
    # A command that ran in this process has set it.
    inherited = {name: value for name, value in os.environ.items()
                 if name != "TF_CPP_MIN_LOG_LEVEL"}
    root = Path(tf_style.__file__).parents[1]
    return subprocess.run(
        [sys.executable, "-c", code, command.__name__, *map(str, arguments)],
        capture_output=True, text=True, encoding="utf-8",
        env={**inherited, "PYTHONPATH": str(root), **environment},
    )


def without_tensorflow(command, *arguments):
    """The exit code of a command in a process of its own, which has to leave TensorFlow alone."""
    done = process(command, *arguments, code=_IMPORTS)
    imported, code = done.stdout.splitlines()[-1].split()
    assert imported == "False", done.stderr
    return int(code)
