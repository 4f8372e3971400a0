"""The folder: for its owner alone, whole after a kill, and no larger than it may be."""

import os
import sqlite3
import stat

import pytest

from tf_style.settings import InputError
from tf_style.studio import store
from tf_style.studio.job import Job, Request
from tf_style.studio.store import Store, Upload


@pytest.fixture
def folder(tmp_path):
    with store.held(tmp_path / "studio"):
        yield tmp_path / "studio"


def job(kept, state="done", content="sample:harbor", size=0):
    made = Job.new(Request(content), "harbor", kept.next_place())
    made.state, made.has_picture = state, size > 0
    kept.keep_job(made)
    kept.folder_of(made).mkdir(exist_ok=True)
    if size:
        kept.result(made).write_bytes(b"." * size)
    return made


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_nobody_else_may_read_it(folder):
    made = Store(folder, 1e9)
    for path in (folder, folder / "pictures", folder / "jobs"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    made.close()


def test_a_folder_is_one_studios(folder):
    with pytest.raises(InputError, match="is a studio there already"), store.held(folder):
        pass


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    (tmp_path / "taxes.pdf").touch()
    before = stat.S_IMODE(tmp_path.stat().st_mode)
    with pytest.raises(InputError, match=r"It holds taxes\.pdf"), store.held(tmp_path):
        pass
    assert stat.S_IMODE(tmp_path.stat().st_mode) == before


def test_what_a_killed_process_leaves_is_whole(folder):
    first = Store(folder, 1e9)
    done, painting, waiting = (job(first, state) for state in ("done", "painting", "waiting"))
    draft = Job.new(Request("sample:harbor", draft=True), "", first.next_place())
    first.keep_job(draft)
    first.folder_of(draft).mkdir()
    (folder / "pictures" / ".x.partial").touch()
    # Nothing is closed.
    second = Store(folder, 1e9)
    assert [(each.id, each.state) for each in second.jobs()] == [
        (done.id, "done"), (painting.id, "stopped"), (waiting.id, "waiting")]
    assert second.jobs()[1].why and not second.jobs()[1].has_picture
    assert {each.name for each in (folder / "jobs").iterdir()} == {
        done.id, painting.id, waiting.id}
    assert list((folder / "pictures").iterdir()) == []
    for each in (first, second):
        each.close()


def test_the_oldest_results_go_where_it_is_too_much(folder):
    kept = Store(folder, 1e9)
    first, running, second, third = (
        job(kept, state, size=100_000) for state in ("done", "painting", "done", "stopped"))
    assert kept.make_room() == []
    kept.keep = store._bytes(folder) - 150_000
    assert kept.make_room() == [first, second]
    assert kept.jobs() == [running, third] and not kept.folder_of(first).exists()
    kept.close()


def test_uploads_stay_while_a_job_names_them_or_they_are_new(folder):
    kept = Store(folder, 1)
    for number in range(store._SHOWN + 3):
        upload = Upload(f"{number:064}", f"{number}.png", "photo.png", 4, 3)
        kept.upload_path(upload).write_bytes(b"." * 1000)
        kept.add_upload(upload)
    job(kept, "waiting", f"picture:{0:064}")
    kept.make_room()
    assert kept.upload(f"{0:064}") and not kept.upload(f"{1:064}") and kept.upload(f"{9:064}")
    assert len(list((folder / "pictures").iterdir())) == store._SHOWN + 1
    kept.close()


@pytest.mark.parametrize("damage", [
    lambda path: path.write_bytes(b"no database" * 100), lambda path: path.write_bytes(b""),
    lambda path: (path.unlink(), sqlite3.connect(path).execute("CREATE TABLE other (x)")),
])
def test_a_damaged_list_is_said_and_costs_no_result(folder, tmp_path, damage):
    kept = Store(folder, 1e9)
    result = kept.result(job(kept, size=10))
    kept.close()
    damage(folder / "studio.db")
    for _ in range(2):
        with pytest.raises(InputError, match="move all that is in it elsewhere to begin anew"):
            Store(folder, 1e9)
    assert result.is_file()
    # What the message says.
    for each in folder.glob("[!.]*"):
        each.rename(tmp_path / each.name)
    Store(folder, 1e9).close()


def test_a_full_disk_loses_no_job_in_memory(folder):
    kept = Store(folder, 1e9)
    kept._file.close()
    made = Job.new(Request(None), "", 1)
    with pytest.raises(OSError, match="closed"):
        kept.keep_job(made)
    assert kept.jobs() == [made]
