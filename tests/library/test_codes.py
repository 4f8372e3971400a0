"""Codes of descriptors. Where faiss is not, nothing of it is used, and nothing is lost."""

import os
import sys

import numpy as np
import pytest

from tests.library.conftest import painting, save
from tf_style.library import codes as home
from tf_style.library.catalogue import Catalogue
from tf_style.library.codes import Codebook, Coded, Codes, coded, encode
from tf_style.library.entry import Entry, FileState
from tf_style.library.library import Library

pytest.importorskip("faiss")


def drawn(count, length=32, seed=0):
    """Descriptors in groups, as those of pictures are."""
    draws = np.random.default_rng(seed)
    centers = np.random.default_rng(9).standard_normal((12, length))
    return (centers[draws.integers(0, 12, count)]
            + 0.3 * draws.standard_normal((count, length))).astype(np.float32)


@pytest.fixture
def catalogue(tmp_path, monkeypatch):
    """With 200 descriptors of the origin `drawn`."""
    monkeypatch.setattr(home, "WORTH", 100)
    with Catalogue(tmp_path / "styles.db", writable=True) as made:
        fill(made, drawn(200))
        yield made


def fill(catalogue, descriptors, origin="drawn"):
    number = catalogue.origin(origin, {})
    for place, descriptor in enumerate(descriptors):
        name = f"/{origin}{len(catalogue.files())}_{place}"
        catalogue.add(Entry(FileState(name, 1, 1), name.encode(), 1, 1, b"", (), (), place),
                      number, descriptor)


def apart(descriptors, one):
    return ((descriptors.astype(np.float16).astype(float) - one) ** 2).sum(axis=1)


def test_codes_are_of_the_nearest_entries():
    descriptors = drawn(300)
    book = Codebook.learned(descriptors)
    made = book.codes(descriptors)
    assert (made.dtype, made.shape, book.length) == (np.uint8, (300, 4), 4)
    parts = descriptors.reshape(300, 8, 1, 4)
    expected = ((parts - book.entries) ** 2).sum(axis=3).argmin(axis=2)
    found = np.stack([made & 15, made >> 4], axis=2).reshape(300, 8)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("length", [32, 30])
def test_the_nearest_by_codes(length):
    descriptors, one = drawn(3000, length), drawn(1, length, seed=1)[0]
    book = Codebook.learned(descriptors)
    found = Codes(book, book.codes(descriptors)).nearest(one, 300)
    assert len(set(found.tolist())) == 300
    best = np.argsort(((descriptors - one) ** 2).sum(axis=1))[:12]
    assert set(best) <= set(found)
    assert len(Codes(book, book.codes(descriptors[:5])).nearest(one, 300)) == 5


def test_what_is_found_is_compared_as_it_is(catalogue):
    encode(catalogue, "drawn")
    one = drawn(1, seed=2)[0]
    numbers, distances = coded(catalogue, "drawn").nearest(one)
    expected = apart(drawn(200), one)
    np.testing.assert_array_equal(numbers, np.argsort(expected) + 1)
    np.testing.assert_allclose(distances, np.sort(expected), rtol=1e-3)


def test_few_have_no_codes(catalogue, monkeypatch):
    monkeypatch.setattr(home, "WORTH", 201)
    encode(catalogue, "drawn")
    assert catalogue.codebook("drawn") is None and coded(catalogue, "drawn") is None


def test_what_is_new_gets_codes_and_is_found_without(catalogue, monkeypatch):
    monkeypatch.setattr(home, "_BLOCK", 64)
    watched = []
    encode(catalogue, "drawn", lambda *each: watched.append(each) or len(watched) == 3)
    # The third call stops it.
    assert watched == [(0, 200), (0, 200), (64, 200)]
    book = catalogue.codebook("drawn")
    assert len(catalogue.codes("drawn", 4)[0]) == 64
    encode(catalogue, "drawn")
    fill(catalogue, drawn(10, seed=5))
    catalogue.forget([3, 4])
    fill(catalogue, drawn(50, seed=6), "other")
    found = coded(catalogue, "drawn")
    assert found.others.tolist() == list(range(201, 211))
    everything = found.nearest(drawn(1)[0])[0]
    assert sorted(everything) == [*range(1, 3), *range(5, 211)]
    encode(catalogue, "drawn")
    np.testing.assert_array_equal(catalogue.codebook("drawn"), book)
    assert Coded(catalogue, "drawn").others.tolist() == []
    monkeypatch.setattr(home, "_OTHERS", 9)
    fill(catalogue, drawn(10, seed=5))
    # Too many have none.
    assert coded(catalogue, "drawn") is None


def test_what_came_in_place_of_forgotten_pictures_is_found(catalogue):
    """As many as before: nothing is told by how many there are."""
    encode(catalogue, "drawn")
    catalogue.forget([3, 4, 5])
    fill(catalogue, drawn(3, seed=5))
    found = coded(catalogue, "drawn")
    assert found.others.tolist() == [201, 202, 203]
    assert sorted(found.nearest(drawn(1)[0])[0]) == [1, 2, *range(6, 204)]
    catalogue.forget([1, 2, *range(6, 201)])
    assert sorted(coded(catalogue, "drawn").nearest(drawn(1)[0])[0]) == [201, 202, 203]


def test_two_processes_at_once(catalogue):
    """Both make codes of the same descriptors; the first book stays."""
    encode(catalogue, "drawn")
    book = Codebook(catalogue.codebook("drawn"))
    catalogue.keep_codebook("drawn", book.entries + 1)
    np.testing.assert_array_equal(catalogue.codebook("drawn"), book.entries)
    numbers, descriptors = catalogue.descriptors("drawn")
    catalogue.keep_codes("drawn", numbers[5:9], book.codes(descriptors[5:9]))
    found, codes = catalogue.codes("drawn", book.length)
    np.testing.assert_array_equal(found, numbers)
    np.testing.assert_array_equal(codes, book.codes(descriptors))


@pytest.fixture
def many(paintings):
    """As many as a book has entries, and more."""
    for number in range(10, 24):
        save(paintings / f"{number}.png", painting(number))
    return paintings


def test_a_library_finds_the_same_by_codes(library, many, monkeypatch):
    library.add(many)
    before = library.like(many / "c.png", 3)
    monkeypatch.setattr(home, "WORTH", 20)
    assert library._catalogue().codebook("colors:1") is None
    library.add(many)
    assert library._catalogue().codebook("colors:1") is not None

    def refused(*_):
        raise AssertionError("not all descriptors are needed")

    with Library(library.path, describer=library._make) as again:
        monkeypatch.setattr(Catalogue, "descriptors", refused)
        assert again.like(many / "c.png", 3) == before
        assert len(again.like(save(many.parent / "other.png", painting(9)), 4)) == 4
        monkeypatch.undo()
        # Those that are not among the nearest by codes come after all others.
        monkeypatch.setattr(home, "_COMPARED", 2)
        found = again.like(many / "c.png", 99)
        assert len({os.path.basename(each.path) for each in found}) == len(found) == 19


def test_without_faiss(library, many, monkeypatch):
    monkeypatch.setattr(home, "WORTH", 20)
    library.add(many)
    before = library.like(many / "c.png")
    monkeypatch.setattr(home, "available", lambda: False)
    monkeypatch.setitem(sys.modules, "faiss", None)
    with Library(library.path, describer=library._make) as again:
        again.add(many)
        assert again.like(many / "c.png") == before


def test_a_faiss_that_cannot_be_loaded_is_as_none(library, many, monkeypatch):
    monkeypatch.setattr(home, "WORTH", 20)
    library.add(many)
    before = library.like(many / "c.png")

    def broken(name):
        raise ImportError("libgomp.so.1 is missing")

    monkeypatch.setattr("importlib.import_module", broken)
    with (Library(library.path, describer=library._make) as again,
          pytest.warns(UserWarning, match=r"faiss cannot be loaded \(libgomp\.so\.1 is missing")):
        assert again.like(many / "c.png") == before
