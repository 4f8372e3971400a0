"""The table of commands: what is called, and what is imported for it."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

# With TensorFlow, whose loading is no test's own time.
import tf_style.run.stylizer
from tf_style import cli

ROOT = Path(__file__).parents[1]


def run_python(*arguments):
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(tf_style.__file__).parents[1])},
    )


def scripts():
    """Console script → the function that `setup.py` has for it."""
    text = (ROOT / "setup.py").read_text(encoding="utf-8")
    return dict(re.findall(r'"(\w+)=tf_style\.cli:(\w+)"', text))


def test_each_console_script_is_a_row_of_the_table():
    assert set(scripts()) == set(cli.COMMANDS) == {
        "tf_style", "tf_style_evaluate", "tf_style_learn", "tf_style_explain",
        "tf_style_train", "tf_style_camera", "tf_style_library", "tf_style_studio",
    }


@pytest.mark.parametrize("program", cli.COMMANDS)
def test_each_row_leads_to_the_command_of_that_name(program, capsys):
    assert importlib.import_module(cli.COMMANDS[program]).COMMAND.program == program
    with pytest.raises(SystemExit) as stopped:
        getattr(cli, scripts()[program])(["--nothing"])
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith(f"{program}: ") and error.endswith(f"All flags: {program} --helpfull\n")


def test_arguments_are_those_of_the_process_where_none_are_given():
    done = run_python("-c", "from tf_style import cli; cli.main()", "--version")
    assert (done.returncode, done.stdout) == (0, f"tf_style {tf_style.__version__}\n")


@pytest.mark.parametrize("program", cli.COMMANDS)
def test_a_command_loads_its_own_room_and_no_tensorflow(program):
    code = f"""
import sys
from tf_style import cli
before = [name for name in sys.modules if name.startswith("tf_style.commands")]
try:
    cli.{scripts()[program]}(["--help"])
except SystemExit as stopped:
    rooms = {set(cli.COMMANDS.values())}
    print(before, stopped.code, "tensorflow" in sys.modules, rooms & {{*sys.modules}})
"""
    told = run_python("-c", code).stdout.splitlines()[-1]
    assert told == f"[] 0 False {({cli.COMMANDS[program]})}"


def test_importing_tf_style_is_lazy():
    code = "import sys, tf_style; dir(tf_style); print({'tensorflow', 'keras'} & {*sys.modules})"
    assert run_python("-c", code).stdout == "set()\n"


def test_every_public_name_is_there():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = tf_style.nothing
    assert tf_style.__all__ == sorted(tf_style.__all__, key=str)
    for name in tf_style.__all__:
        assert getattr(tf_style, name) is not None


def test_python_dash_m_is_the_command_tf_style():
    done = run_python("-m", "tf_style", "--version")
    assert done.stdout == f"tf_style {tf_style.__version__}\n"
