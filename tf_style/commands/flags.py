"""Flags: made from a command's options, read from the command line and from files, by absl."""

from __future__ import annotations

from typing import Any

from absl import flags

from tf_style.commands.command import Command, CommandLine
from tf_style.commands.flagfiles import split_off
from tf_style.commands.foreign import translate
from tf_style.commands.spelling import spelled
from tf_style.settings.option import Files, InputError, Switch, Texts


def parse(command: Command, argv: list[str]) -> CommandLine:
    """What a command was called with.

    The command line takes precedence over presets and flagfiles, in whatever order they are given.

    Raises:
        InputError: for an unknown flag, one without a value, or a file that is not a flagfile.
    """
    notes: list[str] = []
    files, own = split_off(spelled(command, argv, notes.append))
    given: dict[str, Any] = {}
    for origin, arguments in (*files, ("", own)):
        if origin:
            arguments = spelled(command, arguments, notes.append)
            # Files that a file names were read before.
            if any(each.startswith(("--preset=", "--flagfile=")) for each in arguments):
                raise InputError(f"{origin}: expected --preset=NAME and --flagfile=FILE spelled "
                                 "like this")
        found, places = parse_one(command, arguments, origin)
        given.update(found)
    typed = frozenset(found)
    given = translate(given, {each.name: each for each in command.options}, notes.append)
    return CommandLine(
        argv, given, places, tuple(name for name, _ in files), tuple(notes), typed)


def parse_one(
    command: Command, arguments: list[str], origin: str
) -> tuple[dict[str, Any], list[str]]:
    """The flags and places of the command line, or of one file, which has no places.

    Args:
        origin: the file; empty for the command line.
    """
    where = f"{origin}: " if origin else ""
    values = flags.FlagValues()
    values.set_gnu_getopt(True)
    for option in command.options:
        define = {
            Switch: flags.DEFINE_boolean,
            Files: flags.DEFINE_multi_string,
            Texts: flags.DEFINE_multi_string,
        }.get(type(option.type), flags.DEFINE_string)
        define(option.name, None, option.help, flag_values=values)
    try:
        places = values([command.program, *arguments])[1:]
    except flags.UnrecognizedFlagError as error:
        near = command.nearest(error.flagname.replace("-", "_"))
        hint = f" Did you mean --{near}?" if near else ""
        dashes = "-" if len(error.flagname) == 1 else "--"
        raise InputError(
            f"{where}{dashes}{error.flagname}: there is no such flag.{hint} All flags: "
            f"{command.program} --helpfull"
        ) from None
    except flags.IllegalFlagValueError as error:
        # Of absl's own kinds of flags, only switches refuse a value.
        given = str(error).removeprefix("flag --").partition(": (")[0]
        name, _, value = given.partition("=")
        raise InputError(
            f"{where}--{name}: expected true or false. Received: {value!r}"
        ) from None
    except flags.Error as error:
        raise InputError(f"{where}{error}") from None
    if origin and places:
        raise InputError(f"{where}expected one --flag=value a line. Received: {places[0]!r}")
    found = {option.name: values[option.name].value for option in command.options
             if values[option.name].present}
    for name, value in found.items():
        if value == "" or (isinstance(value, list) and "" in value):
            raise InputError(f"{where}--{name}: expected a value. Received none")
    return found, places
