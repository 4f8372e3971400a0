"""HDF5 files from anywhere."""

import io

import h5py
import numpy as np
import pytest

from tf_style.network.hdf5 import datasets, is_inflated, opened

KERNEL = np.arange(6, dtype=np.float32)


def external(file):
    file.create_dataset("a/k", (3,), "f4", external=[("secret.bin", 0, 12)])


def virtual(file):
    layout = h5py.VirtualLayout((3,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (3,))
    file.create_virtual_dataset("a/k", layout)


def circle(file):
    file["a"]["itself"] = file["a"]
    file["a"]["top"] = file


def absurd(file):
    file.create_dataset("a/k", (10**6, 10**6), "f4", chunks=(1000, 1000))


def compressed(file):
    file.create_dataset("a/k", data=np.zeros(50_000_000, "f4"), chunks=(10**6,), compression=9)


def large_chunk(file):
    file.create_dataset("a/k", data=KERNEL, maxshape=(None,), chunks=(50_000_000,), compression=9)


def many_of_one(file):
    for number in range(100):
        file.create_dataset(f"a/{number}", (10**6,), "f4")


BAD = {
    "values in another file": (external, "the values of '/a/k' lie in another file"),
    "values put together from other files": (virtual, "the values of '/a/k' lie in another file"),
    "a link to another file": (
        lambda file: file["a"].__setitem__("k", h5py.ExternalLink("other.h5", "/x")),
        "'k' in '/a' is a link"),
    "a link to a pipe": (
        lambda file: file.__setitem__("layers", h5py.ExternalLink("pipe", "/x")),
        "'layers' in '/' is a link"),
    "a link within": (
        lambda file: file["a"].__setitem__("k", h5py.SoftLink("/b")), "'k' in '/a' is a link"),
    "a link to itself": (
        lambda file: file["a"].__setitem__("k", h5py.SoftLink("/a/k")), "'k' in '/a' is a link"),
    "a shape without values": (absurd, "far more than the"),
    "zeros": (compressed, "far more than the"),
    "a chunk larger than its array": (large_chunk, "far more than the"),
    "many arrays without values": (many_of_one, "far more than the"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("in_memory", [False, True])
def test_what_is_not_in_the_file_is_refused(case, in_memory, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.bin").write_bytes(KERNEL.tobytes())
    change, message = BAD[case]
    with h5py.File("a.h5", "w") as file:
        file["a/b"] = KERNEL
        change(file)
    source = io.BytesIO((tmp_path / "a.h5").read_bytes()) if in_memory else "a.h5"
    with pytest.raises(ValueError) as error, opened(source):
        pass
    assert message in str(error.value) and "\n" not in str(error.value)


def test_what_is_in_the_file_is_found_once_each(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a/b"] = KERNEL
        file["a/again"] = file["a/b"]
        file["c"] = np.zeros((4, 5), np.float16)
        file.create_dataset("packed", data=KERNEL, compression=9)
        file["nothing"] = h5py.Empty("f4")
        file["kind"] = np.dtype("f8")
        circle(file)
    with opened(tmp_path / "a.h5") as file:
        assert sorted(each.size or 0 for each in datasets(file)) == [0, 6, 6, 20]


@pytest.mark.parametrize("values, stored, inflated", [
    (64_000_000, 100, False), (64_000_001, 100, True), (8 * 10**9, 10**9, False),
    (8 * 10**9 + 1, 10**9, True),
])
def test_how_much_more_a_file_may_stand_for(values, stored, inflated):
    assert is_inflated(values, stored) is inflated
