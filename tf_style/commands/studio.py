"""The command `tf_style_studio`."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import os
import sys
import threading
import warnings
import webbrowser
from collections.abc import Iterator
from pathlib import Path

from tf_style.commands import status
from tf_style.commands.command import Command, CommandLine, CommonOptions, placed
from tf_style.commands.display import answer, say
from tf_style.commands.exits import DONE, INTERRUPTED
from tf_style.commands.library_names import opened
from tf_style.settings import MAX_PIXELS, InputError, Settings, with_flags
from tf_style.settings.option import Bytes, File, Files, Switch, Text, option, whole

USAGE = """\
Open a page in the browser, on this machine alone, to paint pictures with.

  tf_style_studio [--flag=value ...]

It prints the page's address. Ctrl-C ends it; a picture that is not complete is resumed when
it is started again.
"""

_PACKAGES = ("starlette", "uvicorn", "websockets")


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudioOptions(CommonOptions):
    """The options of `tf_style_studio`."""

    host: str = option(Text("ADDRESS"), "127.0.0.1", "the address of this machine to listen at")
    public: bool = option(
        Switch(), False, "let other machines open the page, if --host is an address that they can "
        "reach: whoever has the printed address sees all pictures there and can use this machine; "
        "what is sent can be read on its way"
    )
    port: int = option(
        whole(0, 65535), 8150, "where to listen; if it is busy the next that is free; 0: any"
    )
    browser: bool = option(
        Switch(), True, "open the page in the browser; --nobrowser: only print its address"
    )
    folder: str | None = option(
        File("FOLDER"), None, "where results and uploads are kept, for nobody else to read; "
        "default: tf_style/studio in the user's data folder"
    )
    keep: float = option(
        Bytes(), "5GB", "how much the folder may take; beyond, the oldest results are deleted"
    )
    model: tuple[str, ...] = option(
        Files(), (), "a .keras file that tf_style_train wrote, to be shown among the styles; give "
        "it again for more"
    )
    max_pixels: int = option(
        Settings.option("max_pixels").type, MAX_PIXELS, Settings.option("max_pixels").help
    )


def studio(line: CommandLine) -> int:
    """Serve the page until the user has had enough."""
    line = placed(COMMAND, line)
    options = line.options(StudioOptions)
    for package in _PACKAGES:
        if importlib.util.find_spec(package) is None:
            raise InputError(f"the studio needs {package}; pip install 'tf_style[studio]'")
    from tf_style.studio import store
    from tf_style.studio.guard import is_loopback
    from tf_style.studio.networks import Network

    if not options.public and not is_loopback(options.host):
        raise InputError(
            f"--host={options.host}: others could open the page from their machines, see all "
            "pictures there and use this machine, and what is sent could be read on its way. If "
            "that is meant, add --public"
        )
    networks = [*dict.fromkeys(map(Network.of, options.model))]
    line.tell()
    # What a result records is found from other folders, too.
    folder = Path(options.folder).absolute() if options.folder else store.default_folder()
    with store.held(folder), opened(line, offline=True) as library, _many_connections():
        import asyncio

        if "library" in line.given:
            # One that was named is there; else it may come later.
            len(library)
        from tf_style.studio.app import Studio
        from tf_style.studio.server import Server, bound

        listening = bound(options.host, options.port)
        port = listening.getsockname()[1]
        if options.port not in (0, port):
            say(f"tf_style_studio: port {options.port} is busy; listening at {port}")
        fixed = {"offline": True, "max_pixels": options.max_pixels}
        with contextlib.closing(
            Studio(folder, options.keep, library, options.host, port, fixed, _report, networks)
        ) as made:
            line.signals.keep()

            def warn(message: Warning | str, *_: object, **__: object) -> None:
                if not made.queue.note(with_flags(message)):
                    say(f"tf_style_studio: {with_flags(message)}")

            warnings.showwarning = warn

            def ready() -> None:
                status.hide()
                answer(made.address(), whole=True)
                if options.browser:
                    # In a thread, as it waits for some browsers.
                    address = made.address(once=True)
                    threading.Thread(target=_open, args=(address,), daemon=True).start()

            asyncio.run(Server(made, lambda: bool(line.signals), ready).serve([listening]))
    return INTERRUPTED if line.signals else DONE


@contextlib.contextmanager
def _many_connections() -> Iterator[None]:
    """As many files may be open as the system allows: connections are to take none from a job."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield


def _open(address: str) -> None:
    # One without windows would take the terminal.
    has_windows = sys.platform in ("win32", "darwin") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    if has_windows:
        with contextlib.suppress(webbrowser.Error, OSError):
            webbrowser.open(address)


def _report(text: str) -> None:
    for each in text.strip().splitlines():
        say(f"tf_style_studio: {each}")


COMMAND = Command(
    "tf_style_studio", USAGE, (StudioOptions,), studio,
    needed=("host", "port", "browser", "library", "model", "folder", "keep"),
    examples=("tf_style_studio", "tf_style_studio --folder=results --keep=20GB --nobrowser"),
    alone=True,
)
