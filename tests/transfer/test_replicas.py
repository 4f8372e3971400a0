"""Devices that train one network together."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import tf_style
from tests.transfer.conftest import TINY
from tests.transfer.test_tf_config import ports
from tf_style.settings import InputError, Settings
from tf_style.transfer import training
from tf_style.transfer.replicas import Replicas, gathered
from tf_style.transfer.tf_config import Cluster
from tf_style.transfer.train import Trainer
from tf_style.transfer.training import Stage

# A small training by the command; keeps what each process ends with, and ends one early.
_COMMAND = """
import os, sys
import numpy as np
from tf_style import cli
from tf_style.transfer import training, transform
from tf_style.transfer.train import Trainer

transform.SHAPES["fine"] = transform.Shape(8, 1, (6, 4))
training.STAGES = (training.Stage(32, 8, 1.0),)
train = Trainer.train

def kept(self, callback, checkpoints):
    def hear(lesson):
        if os.environ.get("ENDS_AT") == str(lesson.number):
            os._exit(9)
        return callback(lesson)

    made = train(self, hear, checkpoints)
    np.savez(f"replica{self.replicas.rank}.npz", *[each.numpy() for each in self.pupil.variables])
    return made

Trainer.train = kept
cli.train()
"""
# The same by two devices of one process, and by one.
_DEVICES = """
import sys
import numpy as np
import tensorflow as tf
from tf_style.settings import Settings
from tf_style.transfer import train, training, transform
from tf_style.transfer.replicas import Replicas

transform.SHAPES["fine"] = transform.Shape(8, 1, (6, 4))
training.STAGES = (training.Stage(32, 8, 1.0),)
[cpu] = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
made = []
for replicas in (Replicas(), Replicas(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))):
    train.gathered = lambda settings, watch: (replicas, settings)
    each = train.Trainer(["0.png", "1.png"], (), Settings(**eval(sys.argv[1]), size=64), steps=3,
                         init="none", steady=True)
    each.train()
    assert each._training.apart() == 0
    made.append([variable.numpy() for variable in each.pupil.variables])
assert len(each._training._copies) == 2
for one, two in zip(*made):
    np.testing.assert_allclose(one, two, rtol=0, atol=1e-5)
    assert (one != 0).any()
"""


@pytest.fixture
def paintings(tmp_path, monkeypatch):
    """Two paintings in the working folder, `0.png` and `1.png`."""
    monkeypatch.chdir(tmp_path)
    values = np.random.default_rng(0).integers(0, 255, (2, 64, 64, 3), np.uint8)
    values[0, ..., 0] = values[1, ..., 2] = 250
    for number, each in enumerate(values):
        Image.fromarray(each).save(f"{number}.png")
    return ["0.png", "1.png"]


def begun(code, *arguments, **environment):
    """A process that computes with one thread."""
    root = Path(tf_style.__file__).parents[1]
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(root), "CUDA_VISIBLE_DEVICES": "-1", **environment})


@pytest.mark.parametrize(("count", "processes", "whole"), [(16, 2, 16), (16, 3, 24), (4, 2, 8)])
def test_each_process_has_whole_groups_of_the_batch(paintings, count, processes, whole):
    each = Trainer(paintings[:1], (), Settings(**TINY, size=64), steps=1, init="none")._training
    found = []
    for rank in range(processes):
        cluster = Cluster(("worker",) * processes, ("",) * processes, rank)
        each._replicas = Replicas(None, cluster)
        found.append(each._crops(1, Stage(32, count, 1)))
    assert {len(crops) for crops in found} == {whole // processes}
    each._replicas = Replicas()
    np.testing.assert_array_equal(
        np.concatenate(found), each._crops(1, Stage(32, whole, 1)))


@pytest.fixture
def two_gpus(monkeypatch):
    """A machine with two GPUs, and those that are made visible."""
    gpus = [SimpleNamespace(name=f"/physical_device:GPU:{number}") for number in range(2)]
    visible = []
    extended = SimpleNamespace(worker_devices=("/gpu:0", "/gpu:1"))
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: gpus)
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda each, kind: visible.append(each))
    for name in ("MirroredStrategy", "MultiWorkerMirroredStrategy"):
        monkeypatch.setattr(tf.distribute, name, lambda: SimpleNamespace(extended=extended))
    monkeypatch.setattr(Cluster, "meet", lambda self, watch: None)
    return gpus, visible


def test_all_gpus_take_part_unless_one_is_named(two_gpus):
    def counted(device):
        return gathered(Settings(device=device), print)[0].count

    assert [counted(device) for device in ("auto", "gpu:1", "cpu")] == [2, 1, 1]
    del two_gpus[0][1]
    assert counted("auto") == 1


def test_of_several_machines_each_takes_the_device_that_is_named(two_gpus, monkeypatch):
    gpus, visible = two_gpus
    monkeypatch.setenv("TF_CONFIG", json.dumps({
        "cluster": {"worker": ["one:1", "two:1"]}, "task": {"type": "worker", "index": 1}}))
    replicas, settings = gathered(Settings(), print)
    assert (replicas.count, replicas.chief, settings.device, visible) == (4, False, "auto", [])
    assert gathered(Settings(device="gpu:1"), print)[1].device == "gpu:0"
    assert gathered(Settings(device="cpu"), print)[1].device == "cpu"
    assert visible == [[gpus[1]], []]
    with pytest.raises(InputError, match="device=gpu:2: TensorFlow sees"):
        gathered(Settings(device="gpu:2"), print)


def test_the_clock_of_the_chief_ends_the_training(paintings, monkeypatch):
    each = Trainer(paintings[:1], (), Settings(**TINY, size=64), time_limit=60, init="none")
    clock = iter((20.0, 40.0, 60.0))
    monkeypatch.setattr(each.replicas, "of_chief", lambda values: next(clock))
    assert each.train().note["steps"] == 3


@pytest.mark.slow
def test_two_devices_end_with_the_weights_of_one(paintings):
    process = begun(_DEVICES, repr(TINY))
    assert process.wait(300) == 0, process.stderr.read()


@pytest.mark.slow
@pytest.mark.alone
def test_two_processes_end_with_the_weights_of_one(paintings, monkeypatch):
    addresses = [f"127.0.0.1:{port}" for port in ports(2)]
    flags = [*paintings, "-o", "together.keras", "--init=none", "--steps=6", "--size=64",
             "--threads=1", "--checkpoint=kept", "--checkpoint_every=2", "--steady",
             *(f"--{name}={value}" for name, value in TINY.items())]

    def together(*more, **of_the_second):
        processes = [begun(_COMMAND, *flags, *more, **given, TF_CONFIG=json.dumps({
            "cluster": {"worker": addresses}, "task": {"type": "worker", "index": index},
        })) for index, given in enumerate(({}, of_the_second))]
        said = [each.communicate(timeout=300) for each in processes]
        return [(each.returncode, *texts) for each, texts in zip(processes, said, strict=True)]

    (code, _, error), (gone, *_) = together(ENDS_AT="3")
    assert (code, gone) == (1, 9)
    assert error.splitlines()[-1].startswith(
        "tf_style_train: worker 0: another process of the training is gone")
    assert not Path("together.keras").exists() and [*Path("kept").glob("checkpoint_*")]
    (code, out, error), (also, nothing, other) = together("--resume")
    assert (code, also) == (0, 0), error + other
    assert out == "together.keras\n" and nothing == ""
    assert "worker 1: 6 steps in" in other and "the chief writes together.keras" in other
    first, second = (np.load(f"replica{rank}.npz") for rank in (0, 1))
    monkeypatch.setattr(training, "STAGES", (Stage(32, 8, 1.0),))
    alone = Trainer(paintings, (), Settings(**TINY, size=64), steps=6, init="none", steady=True)
    alone.train()
    for name, variable in zip(first, alone.pupil.variables, strict=True):
        np.testing.assert_array_equal(first[name], second[name])
        np.testing.assert_allclose(first[name], variable.numpy(), rtol=0, atol=1e-5)
