"""TensorFlow as programs load it."""

import subprocess
import sys

import pytest

PROGRAM = """
import gc, sys
from tf_style.run.loading import load_tensorflow

{how}
was = gc.isenabled()
load_tensorflow()
assert "tensorflow" in sys.modules and "matplotlib" not in sys.modules
assert gc.isenabled() == was and gc.get_freeze_count() > 100_000
import matplotlib.pyplot
"""


@pytest.mark.parametrize("how", ["", "gc.disable()"])
def test_what_is_loaded_is_not_looked_at_for_garbage_again(how):
    program = PROGRAM.format(how=how)
    subprocess.run([sys.executable, "-c", program], check=True)


def test_garbage_is_collected_again_where_tensorflow_cannot_be_loaded():
    program = """
import gc, sys
from tf_style.run.loading import load_tensorflow

class Missing:
    def find_spec(self, name, *_):
        if name == "tensorflow":
            raise ImportError(name)

sys.meta_path.insert(0, Missing())
try:
    load_tensorflow()
except ImportError:
    assert gc.isenabled() and "matplotlib" not in sys.modules
else:
    raise AssertionError("expected an ImportError")
"""
    subprocess.run([sys.executable, "-c", program], check=True)
