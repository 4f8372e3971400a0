import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import tf_style
from tests.library.conftest import painting, save
from tf_style import InputError
from tf_style.library.catalogue import Catalogue
from tf_style.library.entry import Entry, FileState, digest_of, look_at

ORIGIN = "colors:1"


def entry_of(path):
    return look_at(FileState.of(path), digest_of(path))[0]


@pytest.fixture
def entry(tmp_path) -> Entry:
    return entry_of(save(tmp_path / "a.png", painting(0)))


@pytest.fixture
def catalogue(tmp_path):
    with Catalogue(tmp_path / "styles.db", writable=True) as made:
        yield made


def vector(value=0.5):
    return np.full(48, value, np.float16)


def test_what_was_added_is_there(catalogue, entry):
    origin = catalogue.origin(ORIGIN, {"network": "compact"})
    number = catalogue.add(entry, origin, vector())
    with Catalogue(catalogue.path) as again:
        record, = again.records()
        assert (record.number, record.digest) == (number, entry.digest.hex())
        assert (record.height, record.width) == (60, 80)
        assert (record.palette, record.defects) == (entry.palette, entry.defects)
        assert record.paths == (entry.file.path,) and record.is_there
        assert again.thumbnail(number) == entry.thumbnail
        numbers, descriptors = again.descriptors(ORIGIN)
        assert numbers.tolist() == [number] and descriptors.dtype == np.float32
        np.testing.assert_array_equal(descriptors, [vector()])
        np.testing.assert_array_equal(again.descriptor(number, ORIGIN), vector())
        assert again.usual_origin() == (ORIGIN, {"network": "compact"})
        assert again.hashes()[1].tolist() == [entry.hash]


def test_descriptors_of_others_are_never_given(catalogue, entry):
    first, other = (catalogue.origin(name, {}) for name in (ORIGIN, "colors:2"))
    number = catalogue.add(entry, first, vector())
    assert catalogue.descriptors("colors:2")[0].tolist() == []
    assert catalogue.descriptor(number, "colors:2") is None
    assert not catalogue.knows(entry.file, other)
    assert not catalogue.place(entry.file, entry.digest, other)
    catalogue.add(entry, other, vector(1))
    assert len(catalogue.records()) == 1
    assert catalogue.descriptor(number, "colors:2")[0] == 1
    assert catalogue.descriptor(number, ORIGIN)[0] == 0.5


def test_a_changed_file_is_not_known(catalogue, tmp_path, entry):
    origin = catalogue.origin(ORIGIN, {})
    catalogue.add(entry, origin, vector())
    assert catalogue.knows(FileState.of(entry.file.path), origin)
    other = entry_of(save(tmp_path / "a.png", painting(1)))
    assert not catalogue.knows(other.file, origin)
    number = catalogue.add(other, origin, vector(1))
    record, = catalogue.records()
    assert (record.number, record.digest) == (number, other.digest.hex())
    assert len(catalogue.descriptors(ORIGIN)[0]) == 1


def test_forget(catalogue, tmp_path, entry):
    origin = catalogue.origin(ORIGIN, {})
    number = catalogue.add(entry, origin, vector())
    twin = catalogue.add(entry_of(save(tmp_path / "b.png", painting(1))), origin, vector(), number)
    assert catalogue.records()[1].twin == number
    catalogue.forget([number])
    record, = catalogue.records()
    assert (record.number, record.twin) == (twin, None)
    assert catalogue.descriptors(ORIGIN)[0].tolist() == [twin]
    with pytest.raises(InputError, match="forgotten meanwhile"):
        catalogue.thumbnail(number)


@pytest.mark.parametrize(("gone", "twins"), [
    (0, {1: None, 2: 1, 3: 2}), (1, {0: None, 2: 0, 3: 2}), (2, {0: None, 1: 0, 3: 0}),
])
def test_near_duplicates_of_what_is_forgotten_know_of_each_other(catalogue, tmp_path, gone, twins):
    origin, numbers = catalogue.origin(ORIGIN, {}), []
    for place, twin in enumerate((None, 0, 0, 2)):
        entry = entry_of(save(tmp_path / f"{place}.png", painting(place)))
        numbers.append(catalogue.add(entry, origin, vector(),
                                     None if twin is None else numbers[twin]))
    catalogue.forget([numbers[gone]])
    assert {numbers.index(each.number): each.twin and numbers.index(each.twin)
            for each in catalogue.records()} == twins


def test_a_number_is_never_given_again(catalogue, tmp_path, entry):
    origin = catalogue.origin(ORIGIN, {})
    first = catalogue.add(entry, origin, vector())
    catalogue.forget([first])
    assert catalogue.add(entry, origin, vector()) > first


def refusal(path, **options):
    with pytest.raises(InputError) as raised:
        Catalogue(path, **options)
    text = str(raised.value)
    assert "\n" not in text and str(path) in text
    return text


def test_no_library(tmp_path):
    assert "tf_style_library add FOLDER" in refusal(tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()
    assert "this is a folder" in refusal(tmp_path)


def test_an_empty_file_is_a_library_in_which_nothing_is_yet(tmp_path):
    """Such as SQLite leaves where it was killed at once."""
    (tmp_path / "a.db").touch()
    assert "nothing is in this library yet" in refusal(tmp_path / "a.db")
    with Catalogue(tmp_path / "a.db", writable=True) as made:
        assert made.records() == []


@pytest.mark.parametrize("writable", [False, True])
def test_what_is_no_library_stays_as_it_is(tmp_path, writable):
    text, other = tmp_path / "a.txt", tmp_path / "other.db"
    text.write_text("no library, and more than a hundred letters " * 5)
    with sqlite3.connect(other) as file:
        file.execute("CREATE TABLE pictures (number)")
    file.close()
    for path, reason in ((text, "this is none or it is damaged"), (other, "another program")):
        before = path.read_bytes()
        assert reason in refusal(path, writable=writable)
        assert path.read_bytes() == before


def test_a_newer_library(catalogue):
    with sqlite3.connect(catalogue.path) as file:
        file.execute("PRAGMA user_version = 2")
    file.close()
    for writable in (False, True):
        assert "made by a newer tf_style (version 2" in refusal(catalogue.path, writable=writable)


def test_a_damaged_library(catalogue, entry):
    origin = catalogue.origin(ORIGIN, {})
    catalogue.add(entry, origin, vector())
    catalogue.close()
    content = bytearray(catalogue.path.read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    catalogue.path.write_bytes(content)
    with Catalogue(catalogue.path) as damaged, pytest.raises(InputError, match="damaged"):
        damaged.records()


def test_a_library_that_can_only_be_read_by_others(catalogue, entry):
    catalogue.add(entry, catalogue.origin(ORIGIN, {}), vector())
    catalogue.path.chmod(stat.S_IRUSR)
    with Catalogue(catalogue.path) as found:
        assert len(found.records()) == 1


def test_a_library_that_can_only_be_read(catalogue, entry, monkeypatch):
    """As on a disk that cannot be written, whoever asks."""
    catalogue.add(entry, catalogue.origin(ORIGIN, {}), vector())
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda name, **options: connect(
        name.replace("mode=rwc", "mode=ro"), **options))
    with Catalogue(catalogue.path, writable=True) as found:
        assert len(found.records()) == 1
        with pytest.raises(InputError, match=r"styles.db: it cannot be written, only read"):
            found.origin("colors:2", {})


def test_a_full_disk_loses_nothing(catalogue, tmp_path, entry):
    origin = catalogue.origin(ORIGIN, {})
    catalogue.add(entry, origin, vector())
    pages, = catalogue._row("PRAGMA page_count")
    catalogue._row(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(InputError, match=r"styles.db: .*disk is full") as raised:
        for number in range(1, 9):
            path = save(tmp_path / f"{number}.png", painting(number, 300, 300))
            catalogue.add(entry_of(path), origin, vector())
    assert "\n" not in str(raised.value)
    with Catalogue(catalogue.path) as again:
        records = again.records()
        assert len(records) == number
        assert all(again.thumbnail(record.number) for record in records)
        assert again._row("PRAGMA integrity_check") == ("ok",)


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_names_that_are_no_text(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    path = save(folder / os.fsdecode(b"\xff.png"), painting(0))
    with Catalogue(folder / os.fsdecode(b"\xfe.db"), writable=True) as made:
        made.add(entry_of(path), made.origin(ORIGIN, {}), vector())
        assert made.records()[0].paths == (path,)
        assert made.files() == {path: 1}
    assert Path(folder, os.fsdecode(b"\xfe.db")).is_file()


_ADDING = """
import sys
import numpy as np
from tf_style.library.catalogue import Catalogue
from tf_style.library.entry import FileState, Entry
with Catalogue(sys.argv[1], writable=True) as made:
    origin = made.origin("colors:1", {})
    for number in range(int(sys.argv[3])):
        name = f"/{sys.argv[2]}/{number}"
        made.add(Entry(FileState(name, 1, 1), name.encode(), 1, 1, bytes(4000), (), (), number),
                 origin, np.full(512, number, np.float16))
        print(number, flush=True)
"""


def adding(path, name, count):
    return subprocess.Popen(
        [sys.executable, "-c", _ADDING, str(path), name, str(count)], stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(tf_style.__file__).parents[1])},
    )


def test_a_library_that_another_process_makes_meanwhile(tmp_path, monkeypatch):
    path, row = tmp_path / "styles.db", Catalogue._row

    def then_made(self, *arguments):
        monkeypatch.setattr(Catalogue, "_row", row)
        found = row(self, *arguments)
        Catalogue(path, writable=True).close()
        return found

    monkeypatch.setattr(Catalogue, "_row", then_made)
    with Catalogue(path, writable=True) as made:
        assert made.records() == []


def test_two_processes_at_once(tmp_path):
    path = tmp_path / "styles.db"
    both = [adding(path, name, 60) for name in ("one", "two")]
    assert [each.wait() for each in both] == [0, 0]
    for each in both:
        each.stdout.close()
    with Catalogue(path) as found:
        assert len(found.records()) == 120
        assert len(found.descriptors(ORIGIN)[0]) == 120


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal")
def test_what_was_added_before_a_kill_is_there(tmp_path):
    path = tmp_path / "styles.db"
    for name in ("one", "two", "three"):
        with adding(path, name, 10_000) as process:
            for _ in range(20):
                told = process.stdout.readline()
            process.kill()
            told = [told, *process.stdout.read().splitlines(keepends=True)]
        last = max(int(each) for each in told if each.endswith(b"\n"))
        with Catalogue(path) as found:
            there = [record for record in found.records() if record.paths[0].startswith(f"/{name}")]
            assert last + 1 <= len(there) <= last + 2
            assert all(len(found.thumbnail(record.number)) == 4000 for record in there)
            assert found._row("PRAGMA integrity_check") == ("ok",)


def test_threads_share_it(catalogue, entry):
    origin = catalogue.origin(ORIGIN, {})
    catalogue.add(entry, origin, vector())
    failed = []

    def read():
        try:
            for _ in range(30):
                assert len(catalogue.records()) == 1
                assert catalogue.knows(entry.file, origin)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_opens_at_once(tmp_path):
    with Catalogue(tmp_path / "styles.db", writable=True) as made:
        origin = made.origin(ORIGIN, {})
        for number in range(300):
            made.add(Entry(FileState(f"/{number}", 1, 1), str(number).encode(), 1, 1, bytes(4000),
                           (), (), number), origin, vector())
    began = time.perf_counter()
    with Catalogue(tmp_path / "styles.db"):
        assert time.perf_counter() - began < 0.3
