"""What is removed if it does not become complete."""

import os
import shutil

import pytest

from tf_style.image.unfinished import remove_unfinished, unfinished


def test_what_is_complete_stays(tmp_path):
    with unfinished(tmp_path / "a"):
        (tmp_path / "a").touch()
    remove_unfinished()
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
        remove_unfinished()
        assert list(tmp_path.iterdir()) == []


def test_a_folder_that_others_write_in_stays(tmp_path):
    with unfinished(tmp_path / "a", os.rmdir):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "theirs").touch()
        remove_unfinished()
    assert (tmp_path / "a" / "theirs").exists()
