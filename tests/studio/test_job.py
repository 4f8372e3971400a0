"""Requests are checked before they are kept; jobs are plain data."""

import json
import math

import pytest

from tf_style.settings import InputError
from tf_style.studio.job import Job, Request, option_of


@pytest.mark.parametrize(("data", "option"), [
    ([], None), ({"other": 1}, None), ({"options": []}, None), ({"draft": 1}, None),
    ({"content": "/etc/passwd"}, "content"), ({"content": "sample:../x"}, "content"),
    ({"content": "picture:" + "a" * 101}, "content"), ({"content": 3}, "content"),
    ({"content": "file:x"}, "content"), ({"styles": "sample:waves"}, "style"),
    ({"styles": ["sample:waves"] * 17}, "style"), ({"styles": [None]}, "style"),
    ({"content_masks": ["x"]}, "content_mask"), ({"protect": {}}, "protect"),
    ({"content": "film:abc"}, "model"),
])
def test_what_is_no_request_is_refused(data, option):
    with pytest.raises(InputError) as raised:
        Request.of(data)
    assert option_of(raised.value.flags) == option


def test_a_job_is_the_same_after_the_disk():
    request = Request.of({"content": None, "styles": ["sample:ink"], "options": {"size": "64x48"},
                          "protect": "picture:ab"})
    job = Job.new(request, "ink", 7)
    job.loss = [[1, 0.5]]
    assert Job.from_dict(json.loads(json.dumps(job.as_dict()))) == job


def test_a_long_curve_is_thinned_and_keeps_its_last_point():
    job = Job.new(Request(None), "", 1)
    job.loss = [[number, 1 / number] for number in range(1, 1000)] + [[1000, math.nan]]
    points = job.as_dict()["loss"]
    assert len(points) <= 200 and points[-1][0] == 995 and job.loss[-1][0] == 1000
    job.loss.pop()
    assert job.as_dict()["loss"][-1] == [999, 0.001001]


def test_a_draft_is_the_preset_preview_whatever_steps_are_asked_for():
    settings = Request("sample:harbor", options={"size": 900}, draft=True).settings()
    assert (settings.size.long_side, settings.network, settings.steps) == (
        256, "compact", (50, 20))
    options = {"size": "900x300", "steps": 100_000, "scales": 1, "weights": "random"}
    settings = Request(None, options=options, draft=True).settings()
    assert (settings.size.width, settings.size.height, settings.steps) == (256, 85, (50, 20))
    assert (settings.network, settings.weights) == ("auto", "random")
    settings = Request("sample:harbor", options={"size": 64, "network": "vgg19"}, draft=True
                       ).settings()
    assert (settings.size.long_side, settings.network) == (64, "vgg19")
    settings = Request("x", options={"size": "original", "model": "sample:ink"}, draft=True
                       ).settings()
    assert (settings.size.long_side, settings.steps) == (256, "auto")


@pytest.mark.parametrize(("message", "option"), [
    ("--size: expected", "size"), ("--size=3: expected", "size"), ("content: 3x5", "content"),
    ("style 2: 3x5 is", "style"), ("photo.jpg: damaged", None),
])
def test_errors_name_their_option(message, option):
    assert option_of(message) == option
