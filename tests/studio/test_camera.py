"""A page's camera: frames are painted one after another, and garbage harms nothing."""

import json

import numpy as np
import pytest

from tests.studio.served import LONG, file_of, pixels
from tf_style.film.by_network import NetworkFrames
from tf_style.film.frame import Past
from tf_style.settings import InputError, Settings
from tf_style.studio.camera import Choice
from tf_style.transfer.painter import ModelPainter


@pytest.fixture
def camera(page):
    with page.events("/api/camera") as camera:
        camera.page = page
        yield camera


def frame(number, side=48):
    """A frame, `(height, width, 3)` in `[0, 1]`, in which something moves."""
    rows, columns = np.indices((side * 3 // 4, side)) / side
    return np.stack([rows, columns, (rows + number / 10) % 1], axis=2)


def asked(camera, picture, **choice):
    if choice:
        camera.send(json.dumps(choice))
    camera.send(file_of(picture, "JPEG"))
    return camera.recv(60)


def test_frames_are_painted_as_by_the_command(camera):
    made = [pixels(asked(camera, frame(number), **({"model": "sample:ink", "size": 48}
                                                   if number == 0 else {})))
            for number in range(2)]
    painter, past = NetworkFrames(ModelPainter(Settings(model="sample:ink"))), None
    for number in range(2):
        content = pixels(file_of(frame(number), "JPEG")).astype(np.float32) / 255
        painted = painter.paint(content, past)
        past = Past({1: content}, {1: painted.picture}, painted.state)
        off = np.abs(made[number] / 255 - painted.picture)
        assert off.mean() < 0.05
        assert made[number].shape == content.shape


def test_another_style_begins_anew(camera):
    first = asked(camera, frame(0), model="sample:ink", size=48)
    assert asked(camera, frame(0), model="sample:waves", size=48, steadiness=0) != first
    assert pixels(asked(camera, frame(0, 64), model="sample:waves", size=32)).shape == (24, 32, 3)
    assert asked(camera, frame(0), model="sample:ink", size=48) == first


def test_garbage_is_told_and_forgotten(camera):
    assert "choose a network first" in asked(camera, frame(0))
    for said, option in (
        ("{", None), ("[]", None), ('{"model": "/etc/passwd"}', "model"), ("{}", "model"),
        ('{"model": "sample:ink", "steadiness": 2}', "steadiness"),
        ('{"model": "sample:ink", "size": 99999}', "size"),
    ):
        camera.send(said)
        assert json.loads(camera.recv(60))["error"]["option"] == option
    camera.send(json.dumps({"model": "sample:ink", "size": 48}))
    for said in (b"", b"\0" * 1000, file_of(frame(0), "JPEG")[:300], file_of(frame(0), "PNG")):
        camera.send(said)
        assert "Expected a JPEG" in json.loads(camera.recv(60))["error"]["message"]
    assert pixels(asked(camera, frame(0))).shape == (36, 48, 3)


def test_a_frame_of_too_many_pixels_is_not_decoded(camera):
    content = bytearray(file_of(frame(0), "JPEG"))
    start = content.index(b"\xff\xc0") + 5
    content[start : start + 4] = b"\x20\x00\x20\x00"
    camera.send(json.dumps({"model": "sample:ink"}))
    camera.send(bytes(content))
    assert "too large" in json.loads(camera.recv(60))["error"]["message"]


def test_a_message_that_is_too_large_ends_the_camera_alone(camera):
    from websockets.exceptions import ConnectionClosed

    with pytest.raises(ConnectionClosed):
        camera.send(b"." * 3_000_000)
        camera.recv(20)
    assert camera.page.when(camera.page.by_network())["state"] == "done"


def test_frames_go_before_a_job_at_hand(camera):
    job = camera.page.post(options=LONG)
    camera.page.when(job, "painting")
    assert pixels(asked(camera, frame(0), model="sample:ink", size=48)).shape == (36, 48, 3)
    assert camera.page.job(job)["state"] == "painting"


def test_what_goes_wrong_inside_ends_the_camera_and_is_reported(camera, monkeypatch):
    from websockets.exceptions import ConnectionClosed

    monkeypatch.setattr("tf_style.studio.camera._content", lambda *_: 1 / 0)
    with pytest.raises(ConnectionClosed):
        asked(camera, frame(0), model="sample:ink")
    assert "ZeroDivisionError" in camera.page.reports.pop()


def test_a_choice_is_checked():
    choice = Choice.of('{"model": "sample:ink", "strength": 0.5}', offline=True)
    assert (choice.settings.strength, choice.steadiness, choice.size) == (0.5, "auto", 320)
    with pytest.raises(InputError, match=r"^strength: expected a number, at most 1"):
        Choice.of('{"model": "sample:ink", "strength": 2}')
