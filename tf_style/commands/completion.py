"""What completes a command's flags in a shell."""

from __future__ import annotations

import re

from tf_style.commands.command import SHORT, Command
from tf_style.commands.foreign import words
from tf_style.settings.option import File, Files, Option, Switch

_LETTERS = {name: letter for letter, name in SHORT.items()}
# Letters of what is told of a flag.
_MOST = 70
_BASH = """\
_{program}() {{
    local at=$COMP_CWORD word=${{COMP_WORDS[COMP_CWORD]}} flag before= IFS=$'\\n'
    # Bash takes a colon for a word, and completes only what stands behind the last.
    while (( at > 1 )) && [[ ${{COMP_WORDS[at]}} == : || ${{COMP_WORDS[at-1]}} == : ]]; do
        at=$((at-1)); word=${{COMP_WORDS[at]}}$word; before=${{word%"${{word##*:}}"}}
    done
    flag=${{COMP_WORDS[at-1]}}
    # Bash takes the equals sign for a word.
    if [[ $word == = ]]; then
        word=
    elif [[ $flag == = ]]; then
        flag=${{COMP_WORDS[at-2]}}
    fi
    case $flag in
{cases}
    *)
        if [[ $word == -* ]]; then
            COMPREPLY=($(IFS=' '; compgen -W '{flags}' -- "$word"))
            [[ ${{COMPREPLY[0]}} == *= ]] && compopt -o nospace 2>/dev/null
        else
            COMPREPLY=($(IFS=' '; compgen -W '{places}' -- "$word"; compgen -f -- "$word"))
        fi ;;
    esac
    COMPREPLY=("${{COMPREPLY[@]#"$before"}}")
}}
complete -o filenames -F _{program} {program}"""
_ZSH = """\
#compdef {program}
_{program}() {{
    _arguments \\
{lines}
        '*:file:_files'
}}
(( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit }}
compdef _{program} {program}"""


def completion(command: Command, shell: str) -> str:
    """A script for `bash`, `zsh` or `fish` that completes the flags of a command.

    Values are completed, too: words, names of presets, and files.
    """
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](command)


def _bash(command: Command) -> str:
    cases, flags = [], []
    for option in command.options:
        switch = isinstance(option.type, Switch)
        flags.append(f"--{option.name}{'' if switch else '='}")
        if switch:
            continue
        names = f"--{option.name}"
        if option.name in _LETTERS:
            names += f" | -{_LETTERS[option.name]}"
        known = " ".join(words(option))
        found = [f"IFS=' '; compgen -W '{known}' -- \"$word\""] if known else []
        found += ['compgen -f -- "$word"'] if _takes_files(option) else []
        if found:
            cases.append(f"    {names})\n        COMPREPLY=($({'; '.join(found)})) ;;")
        else:
            cases.append(f"    {names}) ;;")
    places = {word for each in command.options if each.name in command.places
              for word in words(each)}
    return _BASH.format(program=command.program, cases="\n".join(cases), flags=" ".join(flags),
                        places=" ".join(sorted(places)))


def _zsh(command: Command) -> str:
    lines = []
    for option in command.options:
        told = re.sub(r"([\[\]:\\])", r"\\\1", _told(option))
        several = "*" if isinstance(option.type, Files) else ""
        action = ""
        if not isinstance(option.type, Switch):
            known = " ".join(words(option))
            action = f"({known})" if known else ""
            if _takes_files(option):
                action = f"{{_alternative 'words:word:({known})' 'files:file:_files'}}" \
                    if known else "_files"
            # A colon would end what completes.
            action = ":value:" + action.replace(":", "\\:")
        equals = "=" if action else ""
        for flag in [f"--{option.name}{equals}",
                     *([f"-{_LETTERS[option.name]}"] if option.name in _LETTERS else [])]:
            lines.append(f"        {_quoted(f'{several}{flag}[{told}]{action}')} \\")
    return _ZSH.format(program=command.program, lines="\n".join(lines))


def _fish(command: Command) -> str:
    lines = []
    for option in command.options:
        parts = [f"complete -c {command.program} -l {option.name}"]
        if option.name in _LETTERS:
            parts.append(f"-s {_LETTERS[option.name]}")
        if not isinstance(option.type, Switch):
            parts.append("-r" if _takes_files(option) else "-x")
        if known := words(option):
            parts.append(f"-a {_quoted(' '.join(known), fish=True)}")
        lines.append(" ".join([*parts, f"-d {_quoted(_told(option), fish=True)}"]))
    return "\n".join(lines)


def _takes_files(option: Option) -> bool:
    return isinstance(option.type, (File, Files))


def _told(option: Option) -> str:
    """As much of an option's help as a line of completions has room for."""
    if len(option.help) <= _MOST:
        return option.help
    # A clause is whole where a semicolon ends it: what is behind a comma may carry the sense.
    # Behind a colon there is a list, which is then told in part.
    clauses = option.help[: _MOST + 1].rpartition("; ")[0]
    if clauses and ": " not in clauses:
        return clauses
    return (clauses or option.help[:_MOST].rpartition(" ")[0].rstrip(",:")) + "…"


def _quoted(text: str, *, fish: bool = False) -> str:
    if fish:
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return "'" + text.replace("'", "'\\''") + "'"
