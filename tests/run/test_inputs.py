"""What a run was given, by name and digest."""

import hashlib
import json

import numpy as np
import pytest

from tf_style.run.inputs import Inputs, PictureFile
from tf_style.settings import InputError


def test_files_are_known_by_their_bytes_and_arrays_by_their_values(pictures, content, style):
    path = str(pictures / "content.png")
    digest = hashlib.sha256((pictures / "content.png").read_bytes()).hexdigest()
    inputs = Inputs.of(path, [style, PictureFile.of(path)], [path], [], [path])
    assert inputs.content == path and inputs.digests[path] == digest
    assert inputs.style[0] == "array:" + inputs.digests[inputs.style[0]]
    assert inputs.style[1] == path and inputs.content_mask == (path,)
    assert Inputs.of(None, [style * 1]).style == inputs.style[:1]
    assert Inputs.of(None, [style * np.float32(0.99)]).style != inputs.style[:1]


def test_they_are_plain_data(pictures, style):
    found = Inputs.of(None, [style]).as_dict()
    assert json.loads(json.dumps(found)) == found
    assert found["content"] is found["protect"] is None


def test_a_file_that_has_gone_is_named(pictures):
    with pytest.raises(InputError, match=r"gone\.png: cannot be read any more"):
        Inputs.of(None, [str(pictures / "gone.png")])
