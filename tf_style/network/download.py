"""Files from the network: a download that ends in time, whole or not at all. No TensorFlow."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

from tf_style.image.paths import replacing

# Seconds until a connection stands, and then without a byte.
CONNECT_TIMEOUT, DOWNLOAD_TIMEOUT = 5.0, 20.0
_BLOCK = 1 << 18


def fetch(
    url: str, path: Path, md5: str, watch: Callable[[float | None], object] = lambda share: None
) -> None:
    """Download a file.

    Args:
        path: where it goes; its folder is made.
        md5: of its content, in hexadecimal.
        watch: called with the share that is there, 0 to 1, or `None` if the whole is not known.

    Raises:
        OSError: if no connection stands after `CONNECT_TIMEOUT` seconds, or `DOWNLOAD_TIMEOUT`
            seconds pass without a byte, or the file cannot be written.
        ValueError: if something else arrives.
    """
    import urllib.request

    check_reachable(url)
    digest, size = hashlib.md5(usedforsecurity=False), 0
    # Another process or thread may be fetching the same.
    with urllib.request.urlopen(url, timeout=DOWNLOAD_TIMEOUT) as answer, replacing(path) as file:
        whole = int(answer.headers.get("Content-Length") or 0)
        while block := answer.read(_BLOCK):
            file.write(block)
            digest.update(block)
            size += len(block)
            watch(min(size / whole, 1.0) if whole else None)
        if digest.hexdigest() != md5:
            raise ValueError("what arrived is not that file, or not all of it")


def check_reachable(url: str) -> None:
    """Check that a connection stands in time.

    Raises:
        OSError: if it does not.
    """
    # Not at the top: a command that needs none would wait for it, too.
    import urllib.request

    failed: list[BaseException] = []

    def connect() -> None:
        try:
            urllib.request.urlopen(url, timeout=CONNECT_TIMEOUT).close()
        except BaseException as error:
            failed.append(error)

    # No time-out of a socket ends the search for its address.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(CONNECT_TIMEOUT)
    if thread.is_alive():
        raise TimeoutError(f"no connection within {CONNECT_TIMEOUT:g} seconds")
    if failed:
        raise failed[0]
