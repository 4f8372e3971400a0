import dataclasses
import json
import sys

import numpy as np
import pytest
from PIL import Image

from tf_style.network.architectures import ARCHITECTURES
from tf_style.network.kernel_files import read_kernels, read_notes, write_kernels
from tools import distill
from tools.trunk import scaled, trunk_model


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Three pictures, one pair, a teacher's weights file, and networks that end with block 2."""
    teacher, student = (
        dataclasses.replace(whole, layers=whole.up_to(["block2_conv1"]))
        for whole in (distill.TEACHER, distill.STUDENT)
    )
    layers = [layer.name for layer in student.convolutions]
    for name, value in {
        "TEACHER": teacher, "STUDENT": student, "LAYERS": layers, "TAUGHT": teacher.convolutions,
        "FIRST": 4, "CHECKED": 1, "KEPT_EVERY": 2, "STRIDES": {"block1": 2},
    }.items():
        monkeypatch.setattr(distill, name, value)
    chance = np.random.default_rng(0)
    for name, count, shape in (("pictures", 3, (40, 52, 3)), ("pairs", 1, (40, 104, 3))):
        (tmp_path / name).mkdir()
        for number in range(count):
            pixels = chance.integers(0, 256, shape, np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    write_kernels(tmp_path / "teacher.h5", {
        layer.name: (
            (chance.standard_normal((3, 3, layer.inputs, layer.channels))
             * (2 / 9 / layer.inputs) ** 0.5).astype(np.float32),
            chance.standard_normal(layer.channels).astype(np.float32),
        )
        for layer in teacher.convolutions
    })
    return tmp_path


def train(monkeypatch, folder, name, *more):
    """Trains with the command's own `main`; returns what it wrote."""
    output = folder / name
    monkeypatch.setattr(sys, "argv", [
        "distill", f"--teacher={folder / 'teacher.h5'}", f"--pictures={folder / 'pictures'}",
        f"--pairs={folder / 'pairs'}", f"--output={output}", "--side=16", "--lessons=3",
        "--precision=float32", *more,
    ])
    distill.main()
    return (output / "compact.h5").read_bytes()


def notes(folder, name):
    with (folder / name / "progress.jsonl").open() as lines:
        return [json.loads(line) for line in lines]


def test_training_goes_on_from_its_state_to_the_same_network(monkeypatch, folder):
    whole = train(monkeypatch, folder, "whole", "--steps=4")
    assert [note["step"] for note in notes(folder, "whole")] == [0, 2]

    class StoppedError(Exception):
        pass

    left, original = [None] * 3, distill.Distiller.train_on_batch

    def stop_after_three(*arguments):
        if not left:
            raise StoppedError
        left.pop()
        return original(*arguments)

    with monkeypatch.context() as patched, pytest.raises(StoppedError):
        patched.setattr(distill.Distiller, "train_on_batch", stop_after_three)
        train(patched, folder, "parts", "--steps=4")
    assert train(monkeypatch, folder, "parts", "--steps=4") == whole


def test_training_lowers_the_error_and_another_goes_on_from_it(monkeypatch, folder):
    train(monkeypatch, folder, "first", "--steps=60", "--learning_rate=0.003")
    first = notes(folder, "first")
    assert first[-1]["loss"] < 0.9 * first[1]["loss"]
    assert set(first[0]["explained"]) == set(distill.LAYERS)
    train(monkeypatch, folder, "second", f"--init={folder / 'first' / 'compact.h5'}", "--steps=2",
          "--learning_rate=0")
    second = notes(folder, "second")[0]["explained"]
    # Readouts are fitted anew, in both; the kernels are those that were trained.
    assert second["block2_conv1"] > first[0]["explained"]["block2_conv1"]
    path = folder / "second" / "compact.h5"
    assert read_notes(path)["licence"] == "CC BY 4.0"
    kernels = read_kernels(path, distill.STUDENT, distill.STUDENT.convolutions)
    assert kernels["block2_conv1"][2].shape == (1, 1, 64, 64)


def test_lessons_are_kept_and_used_again(folder):
    layers = distill.STUDENT.convolutions
    trunk = dict(read_kernels(folder / "teacher.h5", distill.TEACHER, distill.TAUGHT))
    crops = distill.Crops.of(folder / "pictures", folder / "pairs", side=16, count=4, seed=0)
    lessons = distill.Lessons(trunk, crops, 2, "float32")
    first, second = lessons.lesson(0), lessons.lesson(1)
    assert lessons.lesson(2) is first and lessons.lesson(3) is second
    assert not np.array_equal(first["pictures"], second["pictures"])
    np.testing.assert_allclose(first["pictures"], crops.batch(0), atol=1e-3)
    maps = trunk_model(distill.TEACHER, trunk, "float32")(crops.batch(0))
    for layer in layers:
        wanted = distill.thinned(layer.name, np.asarray(maps[layer.name]))
        np.testing.assert_allclose(first[layer.name], wanted, rtol=2e-3, atol=2e-3)
    assert lessons.lesson(distill.CHECKS)["pictures"].shape == (4, 16, 16, 3)


def test_distances_of_readouts_are_those_of_the_teachers_maps():
    student, chance = distill.STUDENT, np.random.default_rng(0)
    trunk = {each.name: (chance.standard_normal((3, 3, each.inputs, each.channels)).astype("f4")
                         * (2 / 9 / each.inputs) ** 0.5, np.zeros(each.channels, np.float32))
             for each in student.convolutions}
    matrices = {each.name: chance.standard_normal(
        (each.channels, distill.TEACHER.layer(each.name).channels)).astype("f4")
        for each in student.convolutions}
    small = trunk_model(student, trunk, "float32")
    model = distill.Distiller(small, matrices, 0, "float32")
    found = distill.network_of(model, dict.fromkeys(matrices, 3.0))
    for name, (_, _, readout) in found.items():
        vectors = chance.standard_normal((5, len(matrices[name])))
        np.testing.assert_allclose(
            np.linalg.norm(vectors @ readout[0, 0], axis=1),
            3 * np.linalg.norm(vectors @ matrices[name], axis=1), rtol=1e-4,
        )
        assert np.array_equal(readout[0, 0], np.tril(readout[0, 0]))


def test_scaled_maps_are_divided(folder):
    teacher = ARCHITECTURES["vgg16"]
    layers = teacher.convolutions[:3]
    trunk = dict(read_kernels(folder / "teacher.h5", teacher, layers))
    sizes = {layer.name: 2.0 + place for place, layer in enumerate(layers)}
    shallow = type(teacher)("shallow", "shallow", teacher.up_to([layers[-1].name]))
    picture = np.random.default_rng(1).random((1, 16, 16, 3), np.float32)
    before = trunk_model(shallow, trunk, "float32")(picture)
    after = trunk_model(shallow, scaled(trunk, sizes), "float32")(picture)
    for name, size in sizes.items():
        np.testing.assert_allclose(np.asarray(before[name]) / size, after[name], rtol=1e-3,
                                   atol=1e-4)
