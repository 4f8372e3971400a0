"""Short codes of descriptors, by which a million are searched in little time and memory.

faiss is needed, which the extra `index` brings. No TensorFlow.
"""

from __future__ import annotations

import contextlib
import importlib.util
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tf_style.settings import Remark

if TYPE_CHECKING:
    from tf_style.library.catalogue import Catalogue

# From so many descriptors on, codes are worth their making.
WORTH = 100_000
# Descriptors that a book is learned from, and that are turned into codes at once.
_LEARNED, _BLOCK = 10_000, 16_384
# Descriptors that are nearest by their codes, and compared as they are.
_COMPARED = 1000
# Descriptors without codes that are compared besides: more take longer than all at once.
_OTHERS = 10_000

# Numbers of a descriptor that become one of 16 entries of a book, and bits that tell which: the
# kind of code that processors look up fastest.
_TOGETHER, _BITS = 4, 4
# Descriptors are filled up with zeros to a multiple of this: two such codes make a byte.
_MULTIPLE = 2 * _TOGETHER


def available() -> bool:
    """Whether faiss is there, and can be loaded; if it cannot, a warning says so."""
    if importlib.util.find_spec("faiss") is None:
        return False
    try:
        importlib.import_module("faiss")
    except ImportError as error:
        warnings.warn(f"faiss cannot be loaded ({error}), so all descriptors are compared",
                      Remark, stacklevel=3)
        return False
    return True


class Codebook:
    """What turns descriptors into codes of an eighth of a byte for each number.

    Args:
        entries: float32 `(parts, 16, 4)`: of each four numbers of a descriptor, what stands for
            them.

    Source: Jégou, Douze, Schmid, Product quantization for nearest neighbor search, 2011.
    """

    def __init__(self, entries: np.ndarray):
        self.entries = entries

    @classmethod
    def learned(cls, descriptors: np.ndarray) -> Codebook:
        """A book made for descriptors such as these, of which some thousand are enough."""
        filled = _filled(descriptors)
        quantizer = _quantizer(filled.shape[1])
        # Of few, it would complain.
        quantizer.cp.min_points_per_centroid = 1
        with _one_thread():
            quantizer.train(filled)
        return cls(_entries(quantizer))

    @property
    def length(self) -> int:
        """Bytes of a code."""
        return len(self.entries) * _BITS // 8

    def codes(self, descriptors: np.ndarray) -> np.ndarray:
        """The codes of descriptors, uint8 `(count, length)`."""
        filled = _filled(descriptors)
        quantizer = _quantizer(filled.shape[1])
        _fill(quantizer, self.entries)
        with _one_thread():
            return quantizer.compute_codes(filled)


class Codes:
    """Codes, ready to be searched.

    Args:
        book: that made them.
        codes: uint8 `(count, book.length)`.

    Source: André, Kermarrec, Le Scouarnec, Accelerated nearest neighbor search with Quick ADC,
        2017.
    """

    def __init__(self, book: Codebook, codes: np.ndarray):
        import faiss

        parts = len(book.entries)
        plain = faiss.IndexPQ(parts * _TOGETHER, parts, _BITS)
        _fill(plain.pq, book.entries)
        plain.is_trained = True
        plain.add_sa_codes(np.ascontiguousarray(codes))
        self._index = faiss.IndexPQFastScan(plain)

    def nearest(self, one: np.ndarray, count: int) -> np.ndarray:
        """The places of the codes nearest to a descriptor, about the nearest first."""
        count = min(count, self._index.ntotal)
        if not count:
            return np.zeros(0, np.int64)
        with _one_thread():
            places = self._index.search(_filled(one[None]), count)[1][0]
        return places[places >= 0]


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """On busy cores, faiss' threads wait for each other for longer than the work takes one."""
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _filled(descriptors: np.ndarray) -> np.ndarray:
    missing = -descriptors.shape[1] % _MULTIPLE
    return np.ascontiguousarray(np.pad(descriptors, ((0, 0), (0, missing))), np.float32)


def _quantizer(length: int) -> Any:
    import faiss

    return faiss.ProductQuantizer(length, length // _TOGETHER, _BITS)


def _entries(quantizer: Any) -> np.ndarray:
    import faiss

    return faiss.vector_to_array(quantizer.centroids).reshape(-1, 2**_BITS, _TOGETHER)


def _fill(quantizer: Any, entries: np.ndarray) -> None:
    import faiss

    faiss.copy_array_to_vector(np.ascontiguousarray(entries, np.float32).ravel(),
                               quantizer.centroids)


def encode(
    catalogue: Catalogue, origin: str,
    watch: Callable[[int, int], object] = lambda done, whole: False,
) -> None:
    """Give codes to a library's descriptors that have none yet, as soon as there are many.

    Args:
        catalogue: that can be written.
        origin: of the descriptors.
        watch: called with how many have codes, and how many there are; if it returns true, no
            more are given.
    """
    if catalogue.count(origin) < WORTH or not available():
        return
    numbers = catalogue.described(origin)
    entries = catalogue.codebook(origin)
    if entries is None:
        watch(0, len(numbers))
        some = numbers[:: max(1, len(numbers) // _LEARNED)]
        book = Codebook.learned(catalogue.descriptors_of(origin, some)[1])
        catalogue.keep_codebook(origin, book.entries)
        # That of another process, if it was first.
        entries = catalogue.codebook(origin)
    book = Codebook(entries)
    unknown = np.setdiff1d(numbers, catalogue.codes(origin, book.length)[0], assume_unique=True)
    for start in range(0, len(unknown), _BLOCK):
        if watch(len(numbers) - len(unknown) + start, len(numbers)):
            return
        some, descriptors = catalogue.descriptors_of(origin, unknown[start : start + _BLOCK])
        if len(some):
            catalogue.keep_codes(origin, some, book.codes(descriptors))


class Coded:
    """The descriptors of a library, searched by their codes, and then as they are.

    Args:
        catalogue: with codes of these descriptors.
        origin: of the descriptors.

    Attributes:
        others: the numbers of pictures whose descriptors have no codes yet, int64; each of them
            is compared.
    """

    def __init__(self, catalogue: Catalogue, origin: str):
        book = Codebook(catalogue.codebook(origin))
        self._catalogue, self._origin = catalogue, origin
        numbers, codes = catalogue.codes(origin, book.length)
        described = catalogue.described(origin)
        # Forgotten ones keep their codes in the file.
        there = np.isin(numbers, described, assume_unique=True)
        self._numbers, self._codes = numbers[there], Codes(book, codes[there])
        # Added since, by somebody without faiss.
        self.others = np.setdiff1d(described, numbers, assume_unique=True)

    def nearest(self, one: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of the pictures that are nearest to one, and their squared distances.

        Returns:
            of about a thousand, the nearest first. One of the nearest may be missing.
        """
        near = self._numbers[self._codes.nearest(one, _COMPARED)]
        numbers, descriptors = self._catalogue.descriptors_of(
            self._origin, np.concatenate([near, self.others]))
        if not len(numbers):
            return numbers, np.zeros(0, np.float32)
        apart = np.square(descriptors - one).sum(axis=1)
        order = np.argsort(apart, kind="stable")
        return numbers[order], apart[order]


def coded(catalogue: Catalogue, origin: str) -> Coded | None:
    """A library's descriptors, to be searched by their codes; `None` if that is not worth it.

    It is not without faiss, or where too many have no codes.
    """
    if catalogue.codebook(origin) is None or not available():
        return None
    found = Coded(catalogue, origin)
    return found if len(found.others) <= _OTHERS else None
