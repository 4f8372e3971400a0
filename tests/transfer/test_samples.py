"""The networks that come with the package."""

import numpy as np
import pytest

from tf_style.image.picture import read_picture
from tf_style.image.resize import fit
from tf_style.image.samples import STYLE_SAMPLES
from tf_style.settings import InputError
from tf_style.transfer.brush import transform_model
from tf_style.transfer.model_file import TransformModel
from tf_style.transfer.samples import FILE, check_model, locate_model
from tf_style.transfer.training import regularity


@pytest.fixture(autouse=True)
def small():
    """Networks as they are."""


def test_each_sample_style_has_a_network():
    made = TransformModel.read(FILE)
    assert sorted(made.styles) == sorted(STYLE_SAMPLES) and made.width == "fine"
    assert FILE.stat().st_size < 1_000_000


def test_it_says_what_it_was_made_from():
    note = TransformModel.read(FILE).note
    assert "VGG16" in note["teacher"] and "CC_BY_4.0" in note["teacher"]
    assert note["pictures"]["given"] > 300 and note["settings"]["network"] == "compact"
    assert TransformModel.read(FILE).thumbnail.startswith(b"\xff\xd8")


def test_styles_differ_and_what_is_there_stays():
    content = fit(read_picture("sample:harbor"), 160)[None]
    painted = {name: transform_model(f"sample:{name}")(content).numpy() for name in STYLE_SAMPLES}
    for name, picture in painted.items():
        gray, before = (each.mean(-1).ravel() for each in (picture, content))
        assert np.corrcoef(gray, before)[0, 1] > 0.3, name
        for other, another in painted.items():
            assert name == other or np.abs(picture - another).mean() > 0.05
    assert np.ptp(painted["ink"].mean((0, 1, 2))) < 0.1
    assert painted["waves"][..., 2].mean() > painted["brushstrokes"][..., 2].mean()


def test_no_mesh_is_left():
    content = fit(read_picture("sample:harbor"), 256)[None, :192]
    for name in STYLE_SAMPLES:
        painted = transform_model(f"sample:{name}")(content)
        # Of the means of sixteen places, each of some 3000 pixels.
        assert 255 * np.sqrt(regularity(painted)) < 1.2, name


def test_all_of_them_can_be_blended():
    content = fit(read_picture("sample:harbor"), 64)[None]
    names = TransformModel.read(FILE).styles
    shares = [float(name == "ink") for name in names]
    np.testing.assert_array_equal(
        transform_model("sample:all", style_blend=shares)(content),
        transform_model("sample:ink")(content))


def test_other_names_are_refused():
    assert locate_model("own.keras")[1] == ""
    for name in ("sample:nothing", "sample:harbor", "sample:"):
        with pytest.raises(InputError, match="expected one of sample:brushstrokes"):
            check_model("model", name)
