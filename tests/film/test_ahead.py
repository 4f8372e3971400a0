"""What comes next, made while what there is is used."""

import threading

import pytest

from tf_style.film.ahead import ahead


def test_all_come_in_order():
    assert list(ahead(iter(range(5)))) == [0, 1, 2, 3, 4]
    assert list(ahead(iter(()))) == []


def test_the_next_one_is_made_meanwhile_and_no_more():
    made, second = [], threading.Event()

    def items():
        for number in range(5):
            made.append(number)
            if number == 1:
                second.set()
            yield number

    coming = ahead(items())
    assert next(coming) == 0 and second.wait(10)
    coming.close()
    assert made == [0, 1]


def test_an_error_comes_when_it_is_its_turn():
    def items():
        yield 1
        raise ValueError("broken")

    coming = ahead(items())
    assert next(coming) == 1
    with pytest.raises(ValueError, match="broken"):
        next(coming)
