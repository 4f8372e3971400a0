"""Works for tests, which need no TensorFlow: worker processes import them from here."""

import dataclasses
import os
import signal
import sys
import time
import warnings

from tf_style.image.unfinished import unfinished
from tf_style.settings import InputError


@dataclasses.dataclass(frozen=True)
class Squares:
    """The square of each number, and who found it; a text does something else.

    Attributes:
        folder: where files are left that say what happened.
    """

    folder: str = ""

    def results(self, data, talk):
        for each in data:
            if talk.stopping:
                return
            if isinstance(each, (int, float)):
                yield each * each, os.getpid()
            else:
                yield getattr(self, f"_{each}")(talk), os.getpid()

    def check(self):
        pass

    def moved(self, data, places):
        return data

    def _meets(self, talk):
        """Waits until another process does the same."""
        open(os.path.join(self.folder, f"met_{os.getpid()}"), "w").close()
        for _ in range(3000):
            if len(os.listdir(self.folder)) > 1:
                return "met"
            time.sleep(0.02)

    def _killed(self, talk):
        os.kill(os.getpid(), signal.SIGKILL)

    def _killed_once(self, talk):
        name = os.path.join(self.folder, "killed")
        if os.path.exists(name):
            return "alive"
        open(name, "w").close()
        os._exit(3)

    def _unable(self, talk):
        raise InputError("--size=0: nobody can paint that")

    def _broken(self, talk):
        raise ZeroDivisionError("so that is that")

    def _noted(self, talk):
        talk.note("a word")
        warnings.warn("not heard", stacklevel=1)
        print("native code prints, too")
        print("and on stderr", file=sys.stderr)
        return "said"

    def _long(self, talk):
        """Steps until it is asked to stop, with a half-written file beside it."""
        name = os.path.join(self.folder, f"half_{os.getpid()}")
        with unfinished(name, os.unlink, lambda: open(name, "w").close()):
            for _ in range(3000):
                talk.share(0.5)
                time.sleep(0.02)
                if talk.stopping:
                    open(os.path.join(self.folder, f"stopped_{os.getpid()}"), "w").close()
                    os.unlink(name)
                    return "stopped early"
        return "not stopped"

    def _deaf(self, talk):
        """Shows nothing, and hears nothing."""
        name = os.path.join(self.folder, f"half_{os.getpid()}")
        with unfinished(name, os.unlink, lambda: open(name, "w").close()):
            time.sleep(60)
        return "not stopped"


@dataclasses.dataclass(frozen=True)
class Unstartable:
    """Cannot be sent: whoever unpacks it ends."""

    def __reduce__(self):
        return os._exit, (5,)


def _unreadable():
    raise ImportError("there is no such work here")


@dataclasses.dataclass(frozen=True)
class Unreadable:
    """Cannot be unpacked."""

    def __reduce__(self):
        return _unreadable, ()
