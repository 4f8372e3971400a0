"""What is removed if it does not become complete."""

import os
import shutil
import threading

import pytest

from tf_style.image.unfinished import none_unfinished, unfinished


def test_what_is_complete_stays(tmp_path):
    with unfinished(tmp_path / "a"):
        (tmp_path / "a").touch()
    with none_unfinished():
        assert (tmp_path / "a").exists()


def test_what_fails_is_removed(tmp_path):
    with pytest.raises(KeyboardInterrupt), unfinished(tmp_path / "a"):
        (tmp_path / "a").touch()
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_at_once_all_is_removed_the_newest_first(tmp_path):
    with (unfinished(tmp_path / "a", os.rmdir), unfinished(tmp_path / "a" / "b"),
          unfinished(tmp_path / "c", shutil.rmtree), unfinished(tmp_path / "not there")):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "b").touch()
        (tmp_path / "c").mkdir()
        (tmp_path / "c" / "d").touch()
        with none_unfinished():
            assert list(tmp_path.iterdir()) == []


def test_a_folder_that_others_write_in_stays(tmp_path):
    with unfinished(tmp_path / "a", os.rmdir):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "theirs").touch()
        with none_unfinished():
            assert (tmp_path / "a" / "theirs").exists()


def test_what_is_created_is_what_the_block_gets(tmp_path):
    with unfinished(tmp_path / "a", create=lambda: open(tmp_path / "a", "xb")) as file, file:
        file.write(b"1")
    assert (tmp_path / "a").read_bytes() == b"1"


def test_nothing_is_begun_or_ended_meanwhile(tmp_path):
    def write(name):
        with unfinished(tmp_path / name, create=(tmp_path / name).touch):
            pass
        written.set()

    written = threading.Event()
    with none_unfinished():
        thread = threading.Thread(target=write, args=("a",))
        thread.start()
        assert not written.wait(0.1) and not (tmp_path / "a").exists()
    thread.join()
    assert written.is_set() and (tmp_path / "a").exists()


def test_a_folder_that_is_still_written_in_is_removed_all_the_same(tmp_path):
    folder = tmp_path / "a"
    looks = []

    def remove(name):
        looks.append(name)
        if len(looks) < 3:
            # As if a file had come in between.
            raise OSError("Directory not empty")
        shutil.rmtree(name)

    with unfinished(folder, remove, folder.mkdir), none_unfinished():
        assert not folder.exists()
