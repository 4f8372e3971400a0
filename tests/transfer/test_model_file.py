"""Files of networks that paint."""

import dataclasses
import io
import json
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tf_style.settings import InputError
from tf_style.transfer.model_file import TransformModel, thumbnail
from tf_style.transfer.pupil import Pupil
from tf_style.transfer.transform import SHAPES, Shape


def pupil(styles=2):
    keras.utils.set_random_seed(1)
    each = Pupil("fine", styles)
    chance = np.random.default_rng(2)
    each.begin_with(each.kernels, {
        name: [chance.uniform(0.5, 1.5, pair[0].shape).astype(np.float32),
               chance.normal(0, 0.3, pair[0].shape).astype(np.float32)]
        for name, pair in each.norms.items()
    })
    return each


def made(styles=2):
    note = {"styles": [{"name": f"style{number}", "digest": "0"} for number in range(styles)]}
    return TransformModel.of(pupil(styles), note, thumbnail(np.zeros((20, 30, 3))))


PICTURE = np.random.default_rng(0).random((1, 24, 40, 3), np.float32)


def test_a_file_gives_the_same_network(tmp_path):
    first = made()
    first.save(tmp_path / "a.keras")
    second = TransformModel.read(tmp_path / "a.keras")
    np.testing.assert_array_equal(first.model(PICTURE), second.model(PICTURE))
    assert second.styles == ["style0", "style1"] and second.width == "fine"
    np.testing.assert_array_equal(
        first.blended([1, 3]).model(PICTURE), second.blended([2, 6]).model(PICTURE))
    assert (np.asarray(second.only("style1").model(PICTURE))
            == second.blended([0, 1]).model(PICTURE)).numpy().all()
    for shares in ([0, 0], [0, 0, 1]):
        with pytest.raises(ValueError, match="expected shares of 2 styles, one above 0"):
            second.blended(shares)


def test_it_paints_as_the_pupil_does():
    each = pupil()
    model = TransformModel.of(each, {"styles": []}).model
    # Rounded, and with a margin.
    inside = slice(16, -16)
    large = np.tile(PICTURE, (1, 4, 3, 1))
    off = np.abs(each.paint(tf.constant(large), tf.constant([0])) - model(large))
    assert off[:, inside, inside].mean() < 0.02


def test_anybody_can_read_what_it_was_made_from(tmp_path):
    made().save(tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        note = json.loads(archive.read("metadata.json"))["tf_style"]
        shown = Image.open(io.BytesIO(archive.read("thumbnail.jpg")))
    assert [each["name"] for each in note["styles"]] == ["style0", "style1"]
    assert shown.size == (30, 20)


def test_keras_reads_it_alone(tmp_path):
    first = made()
    first.save(tmp_path / "a.keras")
    plain = keras.models.load_model(tmp_path / "a.keras", safe_mode=True)
    np.testing.assert_array_equal(first.model(PICTURE), plain(PICTURE))
    # Saved again, it has lost what stood beside it, and still paints.
    plain.save(tmp_path / "b.keras")
    again = TransformModel.read(tmp_path / "b.keras")
    assert again.styles == [] and again.width == ""
    np.testing.assert_array_equal(first.model(PICTURE), again.model(PICTURE))


def test_any_model_from_pictures_to_pictures_will_do(tmp_path):
    picture = keras.Input((None, None, 3))
    keras.Model(picture, keras.layers.Conv2D(3, 1)(picture)).save(tmp_path / "a.keras")
    assert TransformModel.read(tmp_path / "a.keras").model(PICTURE).shape == PICTURE.shape
    keras.Model(picture, keras.layers.Conv2D(4, 1)(picture)).save(tmp_path / "b.keras")
    with pytest.raises(InputError, match=r"model=.*b\.keras: expected a model from RGB"):
        TransformModel.read(tmp_path / "b.keras")


@pytest.mark.parametrize("change", [
    {"styles.npz": b"no arrays"}, {"metadata.json": b'{"tf_style": 3}'},
    {"metadata.json": b"{"}, {"extra.txt": b""},
])
def test_damaged_files_are_refused(tmp_path, change):
    made().save(tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()} | change
    with zipfile.ZipFile(tmp_path / "b.keras", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(InputError, match=r"b\.keras"):
        TransformModel.read(tmp_path / "b.keras")


def test_shares_and_strength_may_be_inputs(tmp_path):
    first = made(3)
    first.controlled().save(tmp_path / "a.keras")
    # Of built-in layers alone: Keras needs nothing of ours.
    model = keras.models.load_model(tmp_path / "a.keras", safe_mode=True)
    pictures = np.concatenate([PICTURE, PICTURE, PICTURE[:, ::-1]])
    shares = np.array([[1, 0, 0], [1, 3, 0], [0, 0.2, 0.2]], np.float32)
    strength = np.array([[1], [0.3], [0]], np.float32)
    for picture, each, (share,), found in zip(
            pictures, shares, strength, model([pictures, shares, strength]).numpy(), strict=True):
        wanted = first.blended(each.tolist()).model(picture[None]).numpy()[0]
        np.testing.assert_allclose(found, share * wanted + (1 - share) * picture, atol=1e-5)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = first.controlled()
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_array_equal(
        mixed([pictures, shares, strength]), first.controlled()([pictures, shares, strength]))
    odd = model([PICTURE[:, :7, :9], shares[:1], strength[:1]])
    assert odd.shape == (1, 7, 9, 3)


def test_a_strangers_network_has_no_controls():
    picture = keras.Input((None, None, 3))
    with pytest.raises(InputError, match="only a network that tf_style_train made"):
        TransformModel(keras.Model(picture, 1 - picture)).controlled()


NAMED = [{"name": "style0"}, {"name": "style1"}]


@pytest.mark.parametrize("lie", [
    {"styles": 3}, {"styles": ["a", "b"]}, {"styles": NAMED[:1]}, {"styles": [*NAMED, NAMED[0]]},
    {"styles": None}, {"width": "fast"},
])
def test_a_note_that_is_not_true_of_its_network_is_refused(tmp_path, monkeypatch, lie):
    monkeypatch.setitem(SHAPES, "fast", Shape(8, 2, (6, 4)))
    first = made()
    first.save(tmp_path / "a.keras")
    dataclasses.replace(first, note={**first.note, **lie}).save(tmp_path / "b.keras")
    with pytest.raises(InputError, match="do not belong to its network"):
        TransformModel.read(tmp_path / "b.keras")


@pytest.mark.parametrize("width", [["fine"], "wide", None])
def test_of_a_network_of_no_width_that_we_know_no_more_is_known(tmp_path, width):
    first = made()
    dataclasses.replace(first, note={**first.note, "width": width}).save(tmp_path / "b.keras")
    assert TransformModel.read(tmp_path / "b.keras").styles == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tflite", "onnx"])
def test_exports_paint_pictures_of_any_size(tmp_path, kind, capsys):
    first = made(1)
    path = tmp_path / f"a.{kind}"
    first.export(path)
    assert capsys.readouterr().out == ""
    for size in ((24, 40), (37, 50), (9, 3)):
        picture = np.random.default_rng(0).random((1, *size, 3), np.float32)
        np.testing.assert_allclose(
            exported(path, picture), first.model(picture).numpy(), atol=1e-4)


def exported(path, picture):
    if path.suffix == ".onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(path)
        return session.run(None, {session.get_inputs()[0].name: picture})[0]
    interpreter = tf.lite.Interpreter(str(path))
    place, = (each["index"] for each in interpreter.get_input_details())
    interpreter.resize_tensor_input(place, picture.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(place, picture)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def test_other_formats_are_refused(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"ends in \.tflite or \.onnx"):
        made(1).export(tmp_path / "a.pb")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'tf_style\[onnx\]'"):
        made(1).export(tmp_path / "a.onnx")
    assert not [*tmp_path.iterdir()]


def test_the_file_is_small(tmp_path):
    model = made(1)
    model.save(tmp_path / "a.keras")
    values = sum(each.size for each in model.model.get_weights())
    model.model.save(tmp_path / "plain.keras")
    # Without what any file has, it takes two bytes a value.
    rest = (tmp_path / "plain.keras").stat().st_size - 4 * values
    assert (tmp_path / "a.keras").stat().st_size < 2.2 * values + rest
