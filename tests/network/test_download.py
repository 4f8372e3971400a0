"""A download that ends in time, and leaves a whole file or none."""

import hashlib
import io
import threading
import time
import urllib.request

import pytest

from tf_style.network import download
from tf_style.network.download import fetch
from tf_style.network.weights import settle
from tf_style.settings import AUTO, Note

CONTENT = bytes(range(256)) * 4096
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


@pytest.fixture
def server(monkeypatch):
    """`server(content)`: what is asked for from now on has this content; returns the time-outs."""
    def serve(content, length=None):
        asked = []

        def urlopen(url, timeout):
            asked.append(timeout)
            answer = io.BytesIO(content)
            answer.headers = {} if length is None else {"Content-Length": str(length)}
            return answer

        monkeypatch.setattr(urllib.request, "urlopen", urlopen)
        return asked

    return serve


def test_a_file_is_written_whole_and_watched(server, tmp_path):
    asked, shares = server(CONTENT, len(CONTENT)), []
    fetch("https://there", tmp_path / "models" / "a.h5", MD5, shares.append)
    assert (tmp_path / "models" / "a.h5").read_bytes() == CONTENT
    assert shares == [0.25, 0.5, 0.75, 1.0]
    assert asked == [download.CONNECT_TIMEOUT, download.DOWNLOAD_TIMEOUT]
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["a.h5"]


def test_without_a_length_no_share_is_known(server, tmp_path):
    server(CONTENT)
    shares = []
    fetch("https://there", tmp_path / "a.h5", MD5, shares.append)
    assert shares == [None] * 4


@pytest.mark.parametrize("content", [CONTENT[:-1], b"<html>Log in to this network</html>"])
def test_what_is_not_the_file_leaves_none(content, server, tmp_path):
    server(content, len(CONTENT))
    with pytest.raises(ValueError, match="not that file, or not all of it"):
        fetch("https://there", tmp_path / "a.h5", MD5)
    assert list(tmp_path.iterdir()) == []


def test_a_connection_that_never_stands_is_not_waited_for(tmp_path, monkeypatch):
    """As where nothing answers to the search for an address, which has no time-out of its own."""
    done = threading.Event()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: done.wait(30))
    monkeypatch.setattr(download, "CONNECT_TIMEOUT", 0.1)
    began = time.perf_counter()
    with pytest.warns(Note, match="no connection within 0.1 seconds"):
        assert settle(AUTO, AUTO) == ("compact", "included")
    assert time.perf_counter() - began < 5
    done.set()
