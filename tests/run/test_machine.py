"""What the machine has."""

import subprocess
import sys

import pytest

from tf_style.run import machine
from tf_style.settings import InputError


def test_groups_limits_are_heeded(tmp_path, monkeypatch):
    """Of control groups of both versions: the files, as the kernel writes them."""
    (tmp_path / "memory" / "job").mkdir(parents=True)
    (tmp_path / "app").mkdir()
    for path, text in {
        "memory/job/memory.limit_in_bytes": "3000", "memory/job/memory.usage_in_bytes": "1000",
        "memory/job/memory.stat": "cache 7\ntotal_inactive_file 500\n",
        "memory/memory.limit_in_bytes": "9223372036854771712",
        "memory/memory.usage_in_bytes": "5000",
        "app/memory.max": "max", "app/memory.current": "12",
        "memory.max": "800", "memory.current": "300", "memory.stat": "inactive_file 100\n",
    }.items():
        (tmp_path / path).write_text(text.rstrip() + "\n")
    lines = machine._lines

    def read(path):
        return ["5:cpu:/", "4:memory:/job", "0::/app"] if str(path) == "/proc/self/cgroup" else (
            lines(path))

    monkeypatch.setattr(machine, "_lines", read)
    assert sorted(machine._cgroup_room(tmp_path))[:2] == [600, 2500]


def test_what_is_free_is_known_here():
    limit = machine.memory_limit()
    assert limit is None or 2e8 < limit < 1e14


def test_devices_are_named_as_they_are_here():
    assert machine.resolve_device("cpu") == machine.resolve_device("CPU:0") == "cpu"
    for name, message in (("gpu:99", "TensorFlow sees"), ("tpu", "expected auto, cpu, gpu"),
                          ("gpu:x", "expected auto, cpu, gpu")):
        with pytest.raises(InputError, match=message):
            machine.resolve_device(name)


def test_threads_are_those_that_compute_already():
    import tensorflow as tf

    tf.constant(1.0)
    now = machine.use_threads("auto")
    assert now == machine.cores() == machine.use_threads(now)
    with pytest.raises(InputError, match=f"threads={now + 1}: TensorFlow computes with {now} "):
        machine.use_threads(now + 1)


def test_threads_can_be_set_before_anything_is_computed():
    code = """
from tf_style import Settings
from tf_style.run import machine
assert machine.resolve(Settings(threads=3, device="cpu")).threads == 3
import tensorflow as tf
assert tf.config.threading.get_intra_op_parallelism_threads() == 3
assert machine.use_threads("auto") == 3
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_operations_can_be_taken_in_order():
    code = """
from tf_style.run import machine
now = machine.use_threads("auto", in_order=True)
import tensorflow as tf
assert tf.config.threading.get_inter_op_parallelism_threads() == 1
assert now == machine.cores() == machine.use_threads("auto")
assert machine.use_threads(3, in_order=True) == 3
assert tf.config.threading.get_inter_op_parallelism_threads() == 1
tf.constant(1.0)
assert machine.use_threads(3, in_order=True) == 3
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_precision_that_is_given_stays():
    assert machine.resolve_precision("float16", "cpu") == "float16"
    assert machine.resolve_precision("auto", "cpu") in ("float32", "bfloat16")


def test_the_peak_is_what_the_process_has_had():
    """What a large array takes shows in it, and stays when the array has gone."""
    code = """
import numpy as np
from tf_style.run.machine import peak_memory
before = peak_memory()
array = np.ones(10**8, np.uint8)
during = peak_memory()
del array
print(before, during, peak_memory())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    if done.stdout.startswith("None"):
        pytest.skip("nobody knows here")
    before, during, after = map(int, done.stdout.split())
    assert 0.9e8 < during - before < 2e8 and after > 0.99 * during


def test_versions_are_those_of_what_pixels_depend_on():
    assert {*machine.versions()} == {"tf_style", "tensorflow", "keras", "numpy", "python"}
