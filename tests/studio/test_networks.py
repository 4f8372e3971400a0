"""Networks of the user's own: dropped on the page, or named at the start."""

import json
import os
import shlex
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.commands.conftest import call
from tests.studio.served import file_of, pixels, serving
from tf_style import cli
from tf_style.settings import InputError
from tf_style.studio.networks import Network


@pytest.fixture
def sent(page, network):
    """The reference to what was sent to the page."""
    answer = page.upload(network.read_bytes(), network.name, "/api/networks")
    assert answer.status_code == 201, answer.text
    assert answer.json() | {"name": "my painting.keras", "width": 40, "height": 30} == answer.json()
    return answer.json()["ref"]


@pytest.mark.slow
def test_a_network_that_was_dropped_paints_as_by_the_command(page, sent, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    job = page.when(page.by_network(options={"model": sent, "size": 32, "strength": 0.5}))
    assert (job["state"], job["error"], job["title"]) == ("done", None, "harbor, my painting")
    # So that it stays as long as what it painted.
    assert sent in page.studio.queue.job(job["id"]).request.references
    made = page.get(f"/api/jobs/{job['id']}/result.png").content
    command, python = [page.get(f"/api/jobs/{job['id']}/{kind}").text
                       for kind in ("command", "python")]
    name = Path("harbor_my_painting.png")
    assert call(cli.main, *shlex.split(command)[1:]) == 0
    assert name.read_bytes() == made
    name.unlink()
    exec(python, {})
    assert np.array_equal(pixels(name.read_bytes()), pixels(made))


def test_its_thumbnail_shows_it(page, sent):
    shown = pixels(page.get(f"/api/pictures/{sent}", side=20).content)
    assert shown.shape == (15, 20, 3) and np.abs(shown - (255, 128, 0)).max() < 12


def test_it_paints_what_the_camera_sees(page, sent, content):
    with page.events("/api/camera") as camera:
        for model, size in (("network:" + "0" * 64, 32), (sent, 32)):
            camera.send(json.dumps({"model": model, "size": size}))
            if model != sent:
                told = json.loads(camera.recv(60))
                assert "not here any more" in told["error"]["message"] and not told["of_frame"]
                # What cannot be had is not looked for as a file.
                camera.send(file_of(content, "JPEG"))
                told = json.loads(camera.recv(60))
                assert "choose a network first" in told["error"]["message"] and told["of_frame"]
        camera.send(file_of(content, "JPEG"))
        assert pixels(camera.recv(60)).shape == (24, 32, 3)


def test_it_paints_films(page, sent, tmp_path):
    pytest.importorskip("av", reason="needs pip install 'tf_style[video]'")
    pytest.importorskip("cv2", reason="needs pip install 'tf_style[video]'")
    from tests.film.films import write

    film = page.upload(write(tmp_path / "film.mp4", 2).read_bytes(), "film.mp4", "/api/films")
    job = page.when(page.post(film.json()["ref"], [], options={"model": sent, "size": 32}))
    assert (job["state"], job["error"], job["step"]) == ("done", None, 2)


def test_a_film_waits_for_a_network_that_has_gone(network, tmp_path, monkeypatch):
    pytest.importorskip("av", reason="needs pip install 'tf_style[video]'")
    pytest.importorskip("cv2", reason="needs pip install 'tf_style[video]'")
    from tests.film.films import write
    from tf_style.studio.jobs import Queue

    copy, between = tmp_path / "painting.keras", Queue.between_steps
    copy.write_bytes(network.read_bytes())
    given = Network.of(os.fspath(copy))

    def stopping(queue):
        between(queue)
        if queue._now[-1].step == 1 and not queue._now[-1].why:
            queue.stop(queue._now[-1].id)

    with serving(tmp_path / "studio", networks=[given]) as page:
        film = page.upload(write(tmp_path / "film.mp4", 3).read_bytes(), "film.mp4", "/api/films")
        with monkeypatch.context() as patched:
            patched.setattr(Queue, "between_steps", stopping)
            job = page.when(page.post(film.json()["ref"], [],
                                      options={"model": given.reference, "size": 32}))
        assert (job["state"], job["step"]) == ("stopped", 1)
        os.utime(copy, ns=(1, 1))
        page.act(job, "resume")
        job = page.when(job)
        assert job["state"] == "stopped" and "Start it again" in job["error"]["message"]
        os.utime(copy, ns=(given.changed, given.changed))
        page.act(job, "resume")
        job = page.when(job)
        assert (job["state"], job["step"], job["error"]) == ("done", 3, None)


def without_thumbnail(path):
    kept = path.with_name("kept.keras")
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(kept, "w") as other:
        for name in archive.namelist():
            if name != "thumbnail.jpg":
                other.writestr(name, archive.read(name))
    return kept.read_bytes()


def test_what_no_training_wrote_is_refused_and_not_kept(page, network):
    folder = page.studio.folder / "pictures"
    before, content = sorted(folder.iterdir()), network.read_bytes()
    for data, name, words in (
        (b"", "a.keras", "not a Keras model"), (content[:2000], "a.keras", "not a Keras model"),
        (without_thumbnail(network), "a.keras", "It has no thumbnail"),
        (content + b" ", "a.h5", "expected a .keras file that tf_style_train wrote"),
        (content + b" ", ".keras", "expected a .keras file that tf_style_train wrote"),
    ):
        answer = page.upload(data, name, "/api/networks")
        error = answer.json()["error"]
        assert answer.status_code == 400 and error["option"] == "model"
        assert error["message"].startswith(f"--model={name}: ") and words in error["message"]
    assert sorted(folder.iterdir()) == before


def test_a_network_is_no_picture(page, sent):
    for given, option in (({"content": sent}, "content"),
                          ({"content": sent.replace("network", "picture")}, "content"),
                          ({"styles": [sent]}, "style"), ({"options": {"init": sent}}, "init")):
        assert page.post(**given)["error"]["option"] == option
    answer = page.by_network(options={"model": "network:" + "0" * 64})
    assert answer["error"] == {"message": f"--model: network:{'0' * 64} is not here any more",
                               "option": "model"}


def test_a_name_is_one_line_whatever_the_files_is(network, tmp_path):
    odd = tmp_path / "a\nb\u202e.keras"
    odd.write_bytes(network.read_bytes())
    with serving(tmp_path / "studio", networks=[Network.of(os.fspath(odd))]) as page:
        assert [*page.get("/api/form").json()["networks"].values()] == ["ab"]
    with pytest.raises(InputError, match=r"expected a \.keras file"):
        Network.of(os.fspath(tmp_path / "A.KERAS"))


def test_a_network_that_was_named_is_offered_and_read_where_it_is(network, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    copy = tmp_path / "painting.keras"
    copy.write_bytes(network.read_bytes())
    given = Network.of(copy.name)
    with serving(tmp_path / "studio", networks=[given]) as page:
        form = page.get("/api/form").json()
        assert form["networks"] == {given.reference: "painting"}
        assert form["samples"]["style"][0] == form["models"][given.reference] == given.reference
        assert page.get(f"/api/pictures/{given.reference}", side=20).content
        job = page.post(styles=(), options={"model": given.reference, "size": 32})
        assert job["title"] == "harbor, painting"
        command = page.get(f"/api/jobs/{job['id']}/command").text
        assert f"--model={copy}" in shlex.split(command)
        # Trained anew, it would not paint what its picture says.
        os.utime(copy, ns=(1, 1))
        assert page.by_network(options={"model": given.reference})["error"] == {
            "message": "--model: painting.keras is not what it was when the studio was started. "
                       "Start it again", "option": "model"}
