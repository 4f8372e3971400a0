"""What completes flags in a shell."""

import re
import shutil
import subprocess

import pytest

from tests.commands.conftest import call, without_tensorflow
from tf_style import cli
from tf_style.commands import evaluate, explain, learn, stylize
from tf_style.commands.completion import completion

COMMANDS = [each.COMMAND for each in (stylize, evaluate, explain, learn)]
# Nothing is skipped where a shell is missing: not everyone has zsh and fish.
SHELLS = ["bash", *filter(shutil.which, ["zsh", "fish"])]

# Prints what a tab makes of a word.
_TAB = {
    "fish": "source script; complete -C \"tf_style $argv[2]\"",
    "zsh": """
zmodload zsh/zpty; zpty other zsh -f -i
zpty -w other "autoload -Uz compinit; compinit -u -D; source ./script"
zpty -w other "tf_style() { print -r -- made \\"<\\$*>\\" }"
zpty -w other "tf_style $1"$'\\t'
zpty -r other made '*made <*>*'; print -r -- ${made##*made}
""",
}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.program)
def test_every_flag_is_completed(command, shell):
    script = completion(command, shell)
    for option in command.options:
        assert (f"-l {option.name} " if shell == "fish" else f"--{option.name}") in script


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.program)
def test_what_is_told_of_a_flag_makes_sense(command):
    script = completion(command, "fish").replace("\\'", "’")
    told = re.findall(r"-l (\w+) .*-d '(.*)'$", script, re.MULTILINE)
    options = {each.name: each.help.replace("'", "’") for each in command.options}
    assert [name for name, _ in told] == list(options)
    for name, text in told:
        # All of it, whole clauses, or whole words.
        whole = options[name]
        cut = re.match(re.escape(text.removesuffix("…")) + "[,:;]? ", whole)
        assert len(text) <= 70 and (
            whole == text or whole.startswith(f"{text}; ") or (cut and text.endswith("…")))


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_what_a_comma_would_cut_into_nonsense_is_told_on(shell):
    script = completion(stylize.COMMAND, shell).replace("\\:", ":")
    for text in ("draw content, style, result and loss curves",
                 "auto: recognise noisy, compressed and small styles, and mend them",
                 "long side, in pixels, at which the style is seen",
                 "how the learning rate falls: rest, over the last size alone…",
                 "make so many pictures at a time, of several, of those of a --sheet…"):
        assert text in script


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.program)
def test_the_shell_can_read_it(command, shell, folder):
    script = folder / "script"
    script.write_text(completion(command, shell), encoding="utf-8")
    done = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
@pytest.mark.parametrize("words, expected", [
    (["--style_w"], ["--style_weight="]), (["--list_s"], ["--list_samples"]),
    (["--preset", "=", "sh"], ["shallow"]), (["--preset", "=", ], None), (["--bits", "1"], ["16"]),
    (["--content", "=", "cont"], ["content.png"]), (["--content", "sample:h"], ["sample:harbor"]),
    # As bash takes words apart, of which it replaces the last.
    (["--content", "=", "sample", ":", "h"], ["harbor"]), (["sample", ":", "wa"], ["waves"]),
    (["--content", "sample", ":"], None),
    (["--init", "=", "no"], ["noise"]), (["a b"], ["a b.png"]), (["-o", "st"], ["style.png"]),
    (["--size", "=", "or"], ["original"]), (["--seed", "=", "c"], []),
])
def test_bash_completes(words, expected, folder):
    (folder / "a b.png").touch()
    script = completion(stylize.COMMAND, "bash") + """
COMP_WORDS=(tf_style "$@"); COMP_CWORD=$#; _tf_style; printf '%s\\n' "${COMPREPLY[@]}"
"""
    done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True)
    found = done.stdout.split("\n")[:-1]
    if expected is None:
        assert {"shallow", "poster"} <= {*found} or {"harbor", "waves"} <= {*found}
    else:
        assert found == (expected or [""])


@pytest.mark.parametrize("typed, meant", [
    ("--init=noi", "noise"), ("--init=my", "my.png"), ("--content=sample:har", "harbor"),
    ("--style_w", "--style_weight"),
])
def test_zsh_and_fish_complete(typed, meant, folder):
    (folder / "my.png").touch()
    for shell in filter(shutil.which, _TAB):
        (folder / "script").write_text(completion(stylize.COMMAND, shell), encoding="utf-8")
        done = subprocess.run([shell, "-c", _TAB[shell], shell, typed], capture_output=True,
                              text=True, timeout=100)
        assert meant in done.stdout, shell


def test_it_is_printed_without_tensorflow(capsys):
    assert call(cli.main, "--completion=bash") == 0
    assert capsys.readouterr().out == completion(stylize.COMMAND, "bash") + "\n"
    assert without_tensorflow(cli.explain, "--completion=zsh") == 0
