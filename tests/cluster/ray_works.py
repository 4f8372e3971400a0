"""Works for tests on a Ray cluster, which need no TensorFlow: actors import them from here."""

import dataclasses
import os
import signal
import time
from pathlib import Path

import tf_style
from tf_style.settings import InputError


@dataclasses.dataclass(frozen=True)
class Naps:
    """The square of each number, after a moment; a text does something else."""

    seconds: float = 0.0
    version: str = ""

    def check(self):
        if self.version == "unfit":
            raise InputError("weights.h5: there is no such file")
        if self.version:
            tf_style.__version__ = self.version

    def moved(self, data, places):
        return data

    def results(self, data, talk):
        for each in data:
            time.sleep(self.seconds)
            if each == "poison":
                os.kill(os.getpid(), signal.SIGKILL)
            elif each == "long":
                while not talk.stopping:
                    talk.share(0.5)
                    time.sleep(0.02)
                yield "stopped early"
                return
            elif each == "unable":
                raise InputError("--size=0: nobody can paint that")
            elif each == "broken":
                raise ZeroDivisionError("so that is that")
            else:
                yield each * each


@dataclasses.dataclass(frozen=True)
class Reversed:
    """Writes what is in a file the other way round, and something beside it."""

    def check(self):
        pass

    def moved(self, data, places):
        return tuple(places[name] for name in data)

    def results(self, data, talk):
        for source, other, target in data:
            talk.note(f"{source} is read")
            try:
                content = Path(source).read_bytes() + Path(other).read_bytes()
            except OSError as error:
                yield error.strerror
                continue
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            Path(target).write_bytes(content[::-1])
            Path(target).with_suffix(".log").write_text("done")
            yield os.path.basename(source)
