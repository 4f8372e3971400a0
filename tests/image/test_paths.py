import errno
import io
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.image.conftest import refused, written
from tf_style.image import paths, picture, samples
from tf_style.image.paths import check_writable, expand, locate, write_bytes
from tf_style.image.picture import check_output, write_picture
from tf_style.settings import InputError


def test_a_path_or_a_sample_is_located():
    assert locate("a/b.png") == locate(Path("a", "b.png")) == Path("a", "b.png")
    assert locate("sample:waves") == samples.sample_path("waves")


def test_a_folder_is_its_pictures(tmp_path):
    names = ["a.PNG", "b.jpeg", "c.webp", "d.tif", "e.heic", "f.gif", "g.jp2"]
    for name in [*names, "h.eps", "i.pdf", "j.txt", "k", "l.hdf", "._a.PNG", ".b.jpeg"]:
        written(tmp_path / name, b"x")
    (tmp_path / "m.png").mkdir()
    assert expand(os.fspath(tmp_path)) == [os.fspath(tmp_path / name) for name in names]
    assert expand(os.fspath(tmp_path / "[ab].*")) == [
        os.fspath(tmp_path / name) for name in names[:2]]
    for pattern in ("*", "*.*", "?.*"):
        assert expand(os.fspath(tmp_path / pattern)) == expand(os.fspath(tmp_path))
    with pytest.raises(InputError, match="no picture matches"):
        expand(os.fspath(tmp_path / ".*"))
    with pytest.raises(InputError, match="no picture matches"):
        expand(os.fspath(tmp_path / "m.png"))


def test_one_file_is_itself_whatever_its_name(tmp_path):
    plain, magic = (os.fspath(tmp_path / name) for name in ("no.png", "a[1].png"))
    assert expand(plain) == [plain]
    with pytest.raises(InputError, match="no picture matches"):
        expand(magic)
    written(tmp_path / "a[1].png", b"x")
    written(tmp_path / "a1.png", b"x")
    assert expand(magic) == [magic]


# Writing


def test_an_older_file_survives_a_failed_write(tmp_path, content, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"older")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match="No space left"):
        write_picture(path, content)
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


class FullFile(io.BytesIO):
    """A file on a file system that has room for a part."""

    write = full


@pytest.mark.parametrize("failure", ["write", "fsync", "replace", "vanished", "interrupted"])
@pytest.mark.parametrize("ending", ["png", "tiff"])
def test_a_failed_write_leaves_the_older_file(tmp_path, monkeypatch, failure, ending):
    folder = tmp_path / "folder"
    folder.mkdir()
    path = written(folder / f"a.{ending}", b"older")
    error, message = InputError, "No space left on device"
    if failure == "write":
        real = open

        def opener(name, *arguments, **options):
            file = real(name, *arguments, **options)
            if os.fspath(name).endswith(".partial"):
                file.close()
                return FullFile()
            return file

        monkeypatch.setattr(paths, "open", opener, raising=False)
    elif failure == "vanished":
        def vanish(path, **_):
            shutil.rmtree(folder)
            folder.touch()
            return path

        monkeypatch.setattr(picture, "check_output", vanish)
        message = "File exists"
    elif failure == "interrupted":
        def interrupt(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "replace", interrupt)
        error, message = KeyboardInterrupt, None
    else:
        monkeypatch.setattr(os, failure, full)
    with pytest.raises(error, match=message):
        write_picture(path, np.zeros((2, 2, 3)))
    if failure == "vanished":
        assert folder.is_file()
    else:
        assert {each.name: each.read_bytes() for each in folder.iterdir()} == {path.name: b"older"}


def test_a_link_stays_a_link(tmp_path, content):
    target = tmp_path / "target.png"
    target.touch()
    link = tmp_path / "link.png"
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("this system does not let us make links")
    write_picture(link, content)
    assert link.is_symlink() and target.stat().st_size > 0


def test_links_in_a_circle(tmp_path):
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    try:
        first.symlink_to(second)
        second.symlink_to(first)
    except OSError:
        pytest.skip("this system does not let us make links")
    refused(first)
    with pytest.raises(InputError):
        write_picture(first, np.zeros((2, 2, 3)))
    assert first.is_symlink() and sorted(tmp_path.iterdir()) == [first, second]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_devices_are_not_written_to(tmp_path):
    (tmp_path / "a.png").symlink_to("/dev/full")
    with pytest.raises(InputError, match="a plain file"):
        write_picture(tmp_path / "a.png", np.zeros((2, 2, 3)))
    assert (tmp_path / "a.png").is_symlink()


@pytest.mark.parametrize("name, reason", [
    ("folder.png", "expected a file name, this is a folder"),
    ("locked.png/b/a.png",
     "the folder {0}locked.png{1}b cannot be made, as {0}locked.png is a file"),
    ("locked.png", "the file is write-protected"),
])
def test_names_that_cannot_be_written(tmp_path, monkeypatch, name, reason):
    (tmp_path / "folder.png").mkdir()
    written(tmp_path / "locked.png", b"older")
    # Root may write anything, so the refusal is a stand-in.
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(InputError) as error:
        check_output(tmp_path / name)
    expected = f"{tmp_path / name}: {reason.format(os.fspath(tmp_path) + os.sep, os.sep)}"
    assert str(error.value) == expected


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps other permissions")
def test_permissions_stay(tmp_path):
    path = written(tmp_path / "a.png", b"older")
    path.chmod(0o640)
    write_picture(path, np.zeros((2, 2, 3)))
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("name", ["a\0", "\ud800"], ids=["NUL", "no Unicode"])
@pytest.mark.parametrize("function", [check_writable, lambda path: write_bytes(path, b"a")],
                         ids=["check", "write"])
def test_names_that_no_file_can_have(tmp_path, function, name):
    with pytest.raises(InputError, match="no file can have such a name"):
        function(tmp_path / name)
