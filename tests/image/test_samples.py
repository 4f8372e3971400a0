import pytest

from tf_style.image.picture import read_picture
from tf_style.image.samples import CONTENT_SAMPLES, STYLE_SAMPLES, sample_path
from tf_style.settings import InputError

SAMPLES = {**CONTENT_SAMPLES, **STYLE_SAMPLES}


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_exists_as_a_file(name):
    assert sample_path(name).is_file()


def test_samples_are_read_by_name():
    assert read_picture("sample:grace_hopper").shape[1:] == (512, 3)
    with pytest.raises(InputError, match="Did you mean 'harbor'"):
        read_picture("sample:harbour")


def test_an_unknown_sample_is_answered_with_all():
    with pytest.raises(InputError) as error:
        sample_path("x")
    assert str(error.value) == (
        "sample:x: there is no such sample. All: grace_hopper, harbor, brushstrokes, ink, "
        "stained_glass, waves"
    )
