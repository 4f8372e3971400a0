"""The command `tf_style_camera`."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_style.commands import naming, status
from tf_style.commands.command import Command, CommandLine, CommonOptions, placed
from tf_style.commands.display import mention, printable, say
from tf_style.commands.exits import DONE, INTERRUPTED, tensorflow_quiet
from tf_style.commands.outputs import OutputError
from tf_style.image.numbers import eight_bit
from tf_style.settings import AUTO, InputError, Settings
from tf_style.settings.option import File, Files, Number, Switch, option, whole

if TYPE_CHECKING:
    from tf_style.film.frame import FramePainter, Past

USAGE = """\
Show a camera's picture in a window, painted by a network.

  tf_style_camera [MODEL ...] [--flag=value ...]

Keys: space for the next style, 1 to 9 for one of them, 0 for what the camera sees, s to save a
picture, q to end.
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class CameraOptions(CommonOptions):
    """The options of `tf_style_camera`."""

    model: tuple[str, ...] = option(
        Files(), (), "network that paints, from tf_style_train, or sample:NAME; give it again for "
        "more to choose from; default: all that come with tf_style",
    )
    camera: int = option(whole(0, 99), 0, "which camera, from 0")
    content: str | None = option(
        File(), None, "a film in place of the camera, over and over"
    )
    size: int = option(
        whole(8, 4096), 320, "long side of what is painted, in pixels; smaller is faster"
    )
    steadiness: float | str = option(
        Number(0, 1), AUTO, "how much a picture takes over from the one before: 0, nothing, to 1"
    )
    mirror: bool = option(
        Switch(), True, "show it as a mirror does; --nomirror: as others see it"
    )


def camera(line: CommandLine) -> int:
    """Paint what a camera sees until the user has seen enough."""
    from tf_style.film.extra import needs

    line = placed(COMMAND, line)
    options = line.options(CameraOptions)
    for flag in ("camera", "mirror"):
        if options.content and flag in line.typed:
            raise InputError(f"--{flag}: has no effect with --content. Leave it out")
    needs("av" if options.content else "cv2")
    needs("cv2")
    models = _models(options.model)
    _check_window()
    from tf_style.film.live import Camera, Newest, Shown

    source = Shown(options.content) if options.content else Camera(options.camera)
    line.tell()
    painters = _painters(options, models)
    newest = Newest(source)
    try:
        show = _Show(options, list(models), painters, newest, line.signals)
        status.hide()
        _run(show)
    finally:
        newest.close()
    return INTERRUPTED if line.signals else DONE


def _models(names: Sequence[str]) -> list[str]:
    """The networks to choose from, looked at without TensorFlow."""
    from tf_style.image.samples import PREFIX, STYLE_SAMPLES
    from tf_style.transfer.samples import check_model

    names = names or [PREFIX + each for each in STYLE_SAMPLES]
    for each in names:
        check_model("model", each)
    return list(names)


def _check_window() -> None:
    """Check that a window can be opened.

    Raises:
        InputError: if not.
    """
    try:
        import tkinter
    except ImportError:
        raise InputError("a window needs Python's tkinter; on Debian: apt install "
                         "python3-tk") from None
    try:
        tkinter.Tk().destroy()
    except tkinter.TclError as error:
        raise InputError(f"no window can be opened here ({error})") from None


def _painters(
    options: CameraOptions, models: Sequence[str]
) -> Callable[[str], FramePainter]:
    """A function from a network's name to what paints with it, kept from then on."""
    with tensorflow_quiet(options.verbose):
        from tf_style.film.by_network import NetworkFrames
        from tf_style.transfer.painter import ModelPainter
    made: dict[str, FramePainter] = {}

    def painter(name: str) -> FramePainter:
        if name not in made:
            made[name] = NetworkFrames(ModelPainter(Settings(model=name)), options.steadiness)
        return made[name]

    status.show("loading the network")
    painter(models[0])
    return painter


class _Show:
    """What is shown: the newest picture, painted in the style that was chosen.

    Attributes:
        title: what the window is called: style, and pictures a second.
    """

    def __init__(
        self, options: CameraOptions, models: list[str], painters: Callable[[str], FramePainter],
        newest: Any, signals: Any,
    ):
        from tf_style.film.live import Pace

        self.title = "tf_style"
        self.signals = signals
        self._options, self._models, self._painters = options, models, painters
        self._newest, self._pace = newest, Pace()
        self._chosen, self._plain = 0, False
        self._past: Past | None = None
        self._picture: np.ndarray | None = None

    def next(self) -> np.ndarray | None:
        """The next picture to show, `(height, width, 3)` uint8; `None` if there are no more."""
        from tf_style.film.frame import Past
        from tf_style.image.resize import fitted_size, resize

        picture = self._newest.take()
        if picture is None:
            return None
        if self._options.mirror and not self._options.content:
            picture = picture[:, ::-1]
        size = fitted_size(*picture.shape[:2], self._options.size)
        content = np.clip(resize(picture, *size, smooth=True), 0, 255).astype(np.float32) / 255
        shown, name = content, "as it is"
        if not self._plain:
            name = self._models[self._chosen]
            past = self._past
            if past and past.contents[1].shape != content.shape:
                past = None
            made = self._painters(name).paint(content, past)
            shown = made.picture
            self._past = Past({1: content}, {1: shown}, made.state)
        self._picture = eight_bit(shown)
        self.title = f"{name}, {self._pace.count(time.monotonic()):.0f} pictures a second"
        return self._picture

    def press(self, key: str) -> bool:
        """What a key does; true if it ends all."""
        if key in ("q", "escape"):
            return True
        if key == "s" and self._picture is not None:
            self._save()
        elif key == "0":
            self._plain = not self._plain
        elif key in ("space", "right"):
            self._choose(self._chosen + 1)
        elif key == "left":
            self._choose(self._chosen - 1)
        elif key.isdigit() and int(key) <= len(self._models):
            self._choose(int(key) - 1)
        return False

    def _choose(self, number: int) -> None:
        # A picture in another style is nothing to hold to.
        self._chosen, self._plain, self._past = number % len(self._models), False, None

    def _save(self) -> None:
        from tf_style.image.picture import write_picture

        path = naming.beside(time.strftime("camera_%Y%m%d_%H%M%S"), ())
        try:
            write_picture(path, self._picture.astype(np.float32) / 255, None)
        except InputError as error:
            say(f"tf_style_camera: {error.flags}")
        else:
            mention(printable(path))


def _run(show: _Show) -> None:
    """Show one picture after another in a window, until it is closed."""
    import tkinter

    window = tkinter.Tk()
    view = tkinter.Label(window, borderwidth=0)
    view.pack()
    ended: list[Exception | None] = []

    def end(error: Exception | None = None) -> None:
        ended.append(error)
        window.quit()

    def press(event: tkinter.Event) -> None:
        if show.press(event.keysym.lower()):
            end()

    def draw() -> None:
        try:
            picture = show.next()
        except Exception as error:
            # Raised here, Tk would only print it.
            end(error)
            return
        if picture is None or show.signals:
            end()
            return
        height, width = picture.shape[:2]
        # Kept, as Tk forgets a picture that nobody refers to.
        view.picture = tkinter.PhotoImage(
            data=b"P6 %d %d 255 " % (width, height) + picture.tobytes(), format="PPM")
        view.configure(image=view.picture)
        window.title(show.title)
        window.after(1, draw)

    window.protocol("WM_DELETE_WINDOW", end)
    window.bind("<Key>", press)
    show.signals.keep()
    window.after(1, draw)
    window.mainloop()
    window.destroy()
    if ended and ended[-1]:
        error = ended[-1]
        raise error if isinstance(error, InputError) else OutputError(str(error))


COMMAND = Command(
    "tf_style_camera", USAGE, (CameraOptions,), camera, places=("model",),
    needed=("model", "camera", "content", "size", "steadiness", "mirror"),
    examples=("tf_style_camera sample:waves",
              "tf_style_camera painting.keras other.keras --size=480"),
    alone=True,
)
