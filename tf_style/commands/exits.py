"""How a command ends: exit codes, and one line that says what stopped it."""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import NoReturn

from tf_style.commands import status
from tf_style.commands.command import Command, CommonOptions
from tf_style.commands.display import open_streams, say
from tf_style.commands.flags import parse
from tf_style.commands.library_names import resolved
from tf_style.commands.outputs import OutputError
from tf_style.commands.signals import INTERRUPTED, STOPPED, Signals
from tf_style.run.loading import load_tensorflow
from tf_style.settings import InputError, with_flags

DONE, FAILED, BAD_INPUT = 0, 1, 2


def guarded(
    command: Command, argv: Sequence[str] | None, signals: Signals | None = None
) -> int:
    """Run a command; turn what stops it into one line on stderr and an exit code.

    Args:
        argv: its arguments; `None` for those of the process.
        signals: those that ask it to stop; `None` where nothing handles them yet.
    """
    program = command.program
    open_streams()
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = lambda message, *_, **__: say(f"{program}: {with_flags(message)}")
        try:
            _check_working_folder()
            arguments = list(sys.argv[1:] if argv is None else argv)
            if not arguments and command.examples and not command.alone:
                for text in command.use():
                    say(text)
                return BAD_INPUT
            line = parse(command, arguments)
            if command.answers(line):
                return DONE
            if line.options(CommonOptions).quiet:
                status.stop()
                warnings.simplefilter("ignore", UserWarning)
            line = resolved(command, line)
            if signals is not None:
                return command.run(dataclasses.replace(line, signals=signals))
            with line.signals:
                return command.run(line)
        except InputError as error:
            say(f"{program}: {error.flags}")
            return BAD_INPUT
        except OutputError as error:
            say(f"{program}: {error}")
            return FAILED
        except KeyboardInterrupt:
            say(f"{program}: {STOPPED}")
            return INTERRUPTED
        except MemoryError:
            say(f"{program}: not enough memory; try a smaller --size")
            return FAILED


def leave(code: int) -> NoReturn:
    """End the process of a command that is done.

    Once TensorFlow is loaded, Python takes seconds to take all of it apart, while the user waits
    for the prompt. Nothing that is ours needs that: files are closed and renamed when they are
    written, what is half written is removed where it failed, and no thread of ours has anything
    left to do. What was registered with `atexit` is called; other threads are not waited for.
    """
    if "tensorflow" in sys.modules:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


def _check_working_folder() -> None:
    try:
        os.getcwd()
    except OSError as error:
        raise InputError(f"the working folder cannot be used ({error.strerror}). Change to "
                         "another") from None


@contextlib.contextmanager
def tensorflow_quiet(verbose: bool) -> Iterator[None]:
    """Import what needs TensorFlow in this context: its start-up messages stay off the screen."""
    status.show("loading TensorFlow")
    if verbose:
        load_tensorflow()
        yield
        return
    from tf_style.image.decoding import native_messages_off

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Messages before its log starts obey no variable; C++ code writes them.
    with native_messages_off():
        load_tensorflow()
        yield
