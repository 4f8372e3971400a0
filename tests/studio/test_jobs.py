"""The queue: in order, one at a time, and nobody's mistake ends it."""

import json
import threading
from unittest import mock

import numpy as np
import pytest

from tests.studio.served import LONG, TINY, frame_of, pixels, serving
from tf_style.settings import InputError
from tf_style.studio import job as states
from tf_style.studio import jobs

BOTH = {**TINY, "scales": 2, "steps": [30, 20], "tolerance": 0}


def test_a_hundred_jobs_are_painted_in_order(page, monkeypatch):
    begun = []
    paint = jobs.Queue._paint_picture

    def painted(queue, job):
        begun.append(job.id)
        return paint(queue, job) if len(begun) == 1 else states.DONE

    monkeypatch.setattr(jobs.Queue, "_paint_picture", painted)
    first = page.post(options=LONG)
    waiting = [page.by_network() for _ in range(100)]
    assert [each["id"] for each in page.get("/api/jobs").json()[::-1]] == [
        each["id"] for each in (first, *waiting)]
    page.when(first, "painting")
    page.act(waiting[7], "cancel")
    page.act(first, "stop")
    page.when(waiting[-1], seconds=120)
    assert begun == [each["id"] for each in (first, *waiting) if each is not waiting[7]]
    assert page.job(waiting[7])["state"] == "cancelled"


def test_a_stopped_job_keeps_its_picture_and_goes_on_to_the_same_as_an_unbroken_one(
        page, monkeypatch):
    whole = page.when(page.post(options=BOTH))
    job = page.post(options={**BOTH, "seed": 0})
    page.when(job, "painting")
    page.act(job, "stop")
    stopped = page.when(job)
    assert (stopped["state"], stopped["has_picture"]) == ("stopped", True)
    assert 1 < len(stopped["loss"]) < 50
    part = page.get(f"/api/jobs/{job['id']}/result.png").content
    # As does one that cannot go on just now.
    for error, words in ((InputError("--style: it is not here any more"), "not here any more"),
                         (MemoryError(), "not enough memory"), (OSError("broken"), "OSError")):
        with monkeypatch.context() as patched:
            patched.setattr(page.studio.queue, "run_job", mock.Mock(side_effect=error))
            page.act(job, "resume")
            failed = page.when(job)
        assert (failed["state"], failed["has_picture"]) == ("stopped", True)
        assert words in failed["error"]["message"]
        assert page.get(f"/api/jobs/{job['id']}/result.png").content == part
    page.reports.clear()
    other = page.by_network()
    resumed = page.act(job, "resume")
    assert resumed["place"] > other["place"] and resumed["error"] is None
    done = page.when(job)
    assert (done["state"], done["loss"]) == ("done", whole["loss"])
    made = [page.get(f"/api/jobs/{each['id']}/result.png").content for each in (done, whole)]
    assert made[0] == made[1] != part
    assert not page.studio.store.checkpoint(page.studio.queue.job(job["id"])).exists()


def test_a_cancelled_job_leaves_nothing(page):
    job = page.post(options=LONG)
    page.when(job, "painting")
    assert page.http.delete(f"/api/jobs/{job['id']}").status_code == 409
    page.act(job, "cancel")
    assert page.when(job)["state"] == "cancelled"
    assert not (page.studio.folder / "jobs" / job["id"]).exists()
    assert page.http.get(f"/api/jobs/{job['id']}/result.png").status_code == 404
    assert page.act(job, "resume")["state"] == "cancelled"


def test_what_is_asked_of_a_job_that_is_over_changes_nothing(page):
    job = page.when(page.by_network())
    for verb in ("stop", "cancel", "resume"):
        assert page.act(job, verb)["state"] == "done"
    assert page.http.post(f"/api/jobs/{job['id']}/explode").status_code == 404
    assert page.http.post("/api/jobs/none/stop").status_code == 404


def test_a_draft_is_painted_while_a_large_picture_is(page):
    large = page.post(options=LONG)
    page.when(large, "painting")
    waiting = page.by_network()
    draft = page.when(page.post(draft=True))
    assert (draft["state"], draft["width"], draft["draft"]) == ("done", 32, True)
    assert page.job(large)["state"] == "painting" and page.job(waiting)["state"] == "waiting"
    assert draft["id"] not in [each["id"] for each in page.get("/api/jobs").json()]
    assert pixels(page.get(f"/api/jobs/{draft['id']}/result.png").content).shape == (24, 32, 3)


def test_a_newer_draft_takes_the_place_of_an_older_one(page):
    old = page.post(options={**TINY, "size": 256}, draft=True)
    page.when(old, "painting")
    new = page.when(page.post(draft=True))
    assert new["state"] == "done"
    assert page.http.get(f"/api/jobs/{old['id']}").status_code == 404
    drafts = [each for each in page.studio.store.jobs() if each.request.draft]
    assert [each.id for each in drafts] == [new["id"]]


def test_a_second_picture_builds_no_network_and_traces_nothing(page, monkeypatch):
    page.when(page.post())
    from tf_style.run import painter

    monkeypatch.setattr(painter, "build_for_run", None)
    steps = []
    # The steps of another weight are others; they do not take the place of these.
    page.when(page.post(options={**TINY, "strength": 0.8}))
    for options in ({}, {"size": 40}, {"style_scale": 2}, {"steps": [3]}):
        job = page.post(options={**TINY, **options})
        assert page.when(job)["state"] == "done"
        made = page.studio.queue.painters.of(
            states.Request.of({"options": {**TINY, **options}}).settings(offline=True))
        steps.append((made._descent, made.traces))
    assert len({(id(each), traces) for each, traces in steps}) == 1


def test_another_strength_of_a_draft_traces_nothing(page, monkeypatch):
    page.when(page.post(draft=True, options={**TINY, "strength": 0.6}))
    from tf_style.run import descent, painter

    monkeypatch.setattr(painter, "build_for_run", None)
    monkeypatch.setattr(descent.Descent, "__init__", None)
    job = page.when(page.post(draft=True, options={**TINY, "strength": 0.7}))
    assert (job["state"], job["error"]) == ("done", None)


def test_what_goes_wrong_inside_ends_one_job_alone(page, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(jobs, "Checkpoints", lambda *_, **__: 1 / 0)
        job = page.when(page.post())
    assert job["state"] == "failed" and "ZeroDivisionError" in job["error"]["message"]
    assert "ZeroDivisionError" in page.reports.pop()
    with monkeypatch.context() as broken:
        def no_memory(*_, **__):
            raise MemoryError

        broken.setattr(jobs, "Checkpoints", no_memory)
        job = page.when(page.post())
    assert job["error"]["message"] == "not enough memory; try a smaller --size"
    assert page.when(page.post())["state"] == "done"


def test_a_disk_that_takes_no_list_ends_no_job(page, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device", "studio.db")

    with monkeypatch.context() as broken:
        broken.setattr(page.studio.store, "_file", type("Full", (), {"execute": full})())
        broken.setattr("tf_style.studio.store.sqlite3.Error", OSError)
        job = page.when(page.by_network())
        assert job["state"] == "done"
    assert page.reports and all("No space left" in each for each in page.reports)
    page.reports.clear()


@pytest.mark.slow
@pytest.mark.alone
def test_the_studio_ends_after_a_step_and_goes_on_when_it_is_started_again(tmp_path):
    with serving(tmp_path / "studio") as page:
        job = page.post(options=BOTH)
        later = page.by_network()
        page.when(job, "painting")
    with serving(tmp_path / "studio") as page:
        assert page.when(job)["state"] == page.when(later)["state"] == "done"
        whole = page.when(page.post(options=BOTH))
        made = [page.get(f"/api/jobs/{each['id']}/result.png").content for each in (job, whole)]
        assert made[0] == made[1]
        assert page.reports == []


def test_pages_see_the_picture_form_and_its_end(page):
    with page.events() as events:
        first = json.loads(events.recv())
        assert first == {"type": "jobs", "jobs": []}
        job, told, frames = page.post(options=BOTH), [], []
        while not (told and told[-1]["state"] == "done"):
            message = events.recv(60)
            if isinstance(message, bytes):
                frames.append(frame_of(message))
            else:
                told.append(json.loads(message)["job"])
        while not frames or frames[-1][0]["step"] != 50:
            frames.append(frame_of(events.recv(60)))
        # Of a job's states, a page that reads late is told the newest alone.
        assert told[0]["state"] in ("waiting", "painting")
        assert {each["id"] for each in told} == {head["job"] for head, _ in frames} == {job["id"]}
        head, picture = frames[-1]
        assert picture.shape == (head["height"], head["width"], 3) == (24, 32, 3)
        made = pixels(page.get(f"/api/jobs/{job['id']}/result.png").content)
        assert np.abs(made.astype(int) - picture).mean() < 20
        page.http.delete(f"/api/jobs/{job['id']}")
        while (message := events.recv(60)) and isinstance(message, bytes):
            pass
        assert json.loads(message) == {"type": "removed", "id": job["id"]}


def test_a_page_that_is_opened_later_sees_the_picture_so_far(page):
    job = page.post(options=LONG)
    with page.events() as events:
        while not isinstance(events.recv(60), bytes):
            pass
    with page.events() as events:
        while not isinstance(message := events.recv(60), bytes):
            pass
    assert frame_of(message)[0]["job"] == job["id"]


def test_what_is_short_is_done_between_steps(page):
    job = page.post(options=LONG)
    page.when(job, "painting")
    thread = page.studio.queue.between(threading.current_thread).result(60)
    assert thread.name == "worker" and page.job(job)["state"] == "painting"
    with pytest.raises(ZeroDivisionError):
        page.studio.queue.between(lambda: 1 / 0).result(60)


def test_the_queue_is_as_long_as_it_may_be(page, monkeypatch):
    monkeypatch.setattr(jobs, "_MOST_WAITING", 2)
    page.when(page.post(options=LONG), "painting")
    assert [page.by_network().get("state") for _ in range(3)] == ["waiting", "waiting", None]
    assert page.when(page.post(draft=True))["state"] == "done"


def test_warnings_belong_to_the_job_at_hand(page, monkeypatch):
    from tf_style.run import jobs as runs

    make = runs.make
    queue = page.studio.queue

    def warned(*given, **more):
        assert queue.note("odd picture")
        return make(*given, **more)

    monkeypatch.setattr(runs, "make", warned)
    assert not queue.note("nobody's")
    assert page.when(page.post())["notes"] == ["odd picture"]


def test_a_job_that_is_removed_as_it_is_begun_is_not_painted(page):
    queue = page.studio.queue
    job = page.post(options=LONG)
    page.when(job, "painting")
    waiting = queue.job(page.by_network()["id"])
    assert queue.remove(waiting.id)
    queue._paint(waiting)
    assert waiting.state == "waiting" and queue.job(waiting.id) is None


def test_a_loss_that_is_not_finite_is_said(page, monkeypatch):
    monkeypatch.setattr("tf_style.loss.variation.total_variation",
                        lambda image: image[:, 0, 0, 0] * float("nan"))
    job = page.when(page.post(options={**TINY, "seed": 5, "tv_weight": 2}))
    assert (job["state"], job["why"], job["loss"]) == ("done", "the loss is not finite", [])
    assert "learning_rate" in job["notes"][0]


def test_who_waits_and_was_stopped_before_keeps_the_picture_or_not(page):
    page.when(page.post(options=LONG), "painting")
    for verb, state in (("stop", "stopped"), ("cancel", "cancelled")):
        waiting = page.studio.queue.job(page.post(options=BOTH)["id"])
        # As one that is gone on with.
        page.studio.store.make_folder(waiting)
        page.studio.store.result(waiting).write_bytes(b"picture")
        waiting.has_picture = True
        assert page.act(waiting.as_dict(), verb)["state"] == state
        assert page.studio.store.result(waiting).exists() == (state == "stopped")
        assert page.act(waiting.as_dict(), "cancel")["has_picture"] is False
        assert not page.studio.store.folder_of(waiting).exists()
    # One that the studio's end interrupted may have no picture, but all that was done for it.
    waiting = page.studio.queue.job(page.post(options=BOTH)["id"])
    kept = page.studio.store.checkpoint(waiting) / "checkpoint_1"
    kept.mkdir(parents=True)
    assert page.act(waiting.as_dict(), "stop")["state"] == "stopped" and kept.is_dir()
