"""Films in the queue: painted by a network, stopped, gone on with."""

import shlex
from pathlib import Path
from unittest import mock

import av
import numpy as np
import pytest

from tests.commands.conftest import call
from tests.film.films import write
from tests.studio.served import pixels
from tf_style import cli
from tf_style.film.store import Store
from tf_style.settings import InputError
from tf_style.studio import films

MODEL = {"model": "sample:ink", "size": 48}


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return write(tmp_path_factory.mktemp("film") / "film.mp4", 8).read_bytes()


def posted(page, content, **options):
    film = page.upload(content, "my film.mp4", "/api/films")
    assert film.status_code == 201, film.text
    return film.json(), page.post(film.json()["ref"], [], options={**MODEL, **options})


def frames(content, path):
    path.write_bytes(content)
    with av.open(str(path)) as file:
        return [each.to_ndarray(format="rgb24") for each in file.decode(video=0)]


def test_a_film_is_painted_as_by_the_command(page, film, tmp_path, monkeypatch):
    told, job = posted(page, film, steadiness=0.5)
    assert told | {"name": "my film.mp4", "width": 48, "height": 32, "frames": 8,
                   "seconds": 0.8} == told
    job = page.when(job)
    assert (job["state"], job["kind"], job["error"]) == ("done", "film", None)
    assert (job["width"], job["height"], job["step"], job["steps"]) == (48, 32, 8, 8)
    answer = page.get(f"/api/jobs/{job['id']}/result.mp4")
    assert answer.headers["content-type"] == "video/mp4"
    made = frames(answer.content, tmp_path / "made.mp4")
    monkeypatch.chdir(tmp_path)
    command = page.get(f"/api/jobs/{job['id']}/command").text
    assert call(cli.main, *shlex.split(command)[1:]) == 0
    there = frames(Path("my_film_ink.mp4").read_bytes(), tmp_path / "there.mp4")
    assert len(made) == len(there) == 8 and np.array_equal(made, there)
    for reference in (told["ref"], f"result:{job['id']}"):
        assert pixels(page.get(f"/api/pictures/{reference}", side=24).content).shape == (16, 24, 3)
    assert page.http.get(f"/api/jobs/{job['id']}/result.png").status_code == 404
    assert page.http.get(f"/api/jobs/{job['id']}/python").status_code == 404
    assert not page.studio.store.checkpoint(page.studio.queue.job(job["id"])).exists()


def test_a_stopped_film_goes_on_where_it_was(page, film, tmp_path, monkeypatch):
    whole = page.when(posted(page, film)[1])
    from tf_style.studio.jobs import Queue

    between = Queue.between_steps

    def stopping(queue):
        between(queue)
        now = queue._now[-1]
        if now.step == 3 and not now.why:
            queue.stop(now.id)

    with monkeypatch.context() as patched:
        patched.setattr(Queue, "between_steps", stopping)
        job = page.when(posted(page, film)[1])
    assert job["state"] == "stopped"
    assert len(frames(page.get(f"/api/jobs/{job['id']}/result.mp4").content,
                      tmp_path / "part.mp4")) == 3
    with monkeypatch.context() as patched:
        patched.setattr(films, "write", mock.Mock(side_effect=InputError("the disk is full")))
        page.act(job, "resume")
        full = page.when(job)
    # All frames are there, and the part that was joined.
    assert (full["state"], full["has_picture"], full["step"]) == ("stopped", True, 8)
    assert full["error"]["message"] == "the disk is full"
    monkeypatch.setattr(Store, "add", painted := mock.Mock())
    page.act(job, "resume")
    assert page.when(job)["state"] == "done"
    painted.assert_not_called()
    made = [frames(page.get(f"/api/jobs/{each['id']}/result.mp4").content, tmp_path / "x.mp4")
            for each in (job, whole)]
    assert np.array_equal(*made)


@pytest.mark.parametrize(("name", "content"), [
    ("film.mp4", b""), ("film.mp4", b"no film"), ("film.mp4", b"\0\0\0\x18ftypmp42" + b"\0" * 99),
    ("film.mp4", b"#EXTM3U\n#EXTINF:1\nfile:///etc/passwd\n"),
    ("film.mkv", b"ffconcat version 1.0\nfile /etc/passwd\n"),
])
def test_what_is_no_film_is_refused(page, name, content):
    answer = page.upload(content, name, "/api/films")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(f"{name}: ")


def test_a_film_has_to_be_called_one(page, film):
    error = page.upload(film + b"\0", "film.txt", "/api/films").json()["error"]
    assert error["message"].startswith("film.txt: expected a film, one of .mp4")


def test_what_films_cannot_be_asked_is_said(page, film):
    reference = page.upload(film, "film.mp4", "/api/films").json()["ref"]
    for given, option in (
        ({"options": {}}, "model"), ({"options": {**MODEL, "steadiness": 7}}, "steadiness"),
        ({"options": MODEL, "draft": True}, "content"),
        ({"options": MODEL, "content_masks": ["sample:ink"]}, "content"),
        ({"options": MODEL, "styles": ["sample:ink"]}, "style"),
    ):
        assert page.post(reference, **{"styles": [], **given})["error"]["option"] == option
    # A film is no picture, and a picture no film.
    assert page.post(reference.replace("film", "picture"))["error"]["option"] == "content"
