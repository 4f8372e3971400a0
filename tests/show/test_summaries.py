import json

import numpy as np
import pytest
import tensorflow as tf

import tf_style
from tf_style.run.result import Step
from tf_style.settings import InputError
from tf_style.show.summaries import Summaries


def test_losses_pictures_and_settings_are_what_the_run_gave(tmp_path, content, style):
    settings = tf_style.Settings(
        size=32, scales=2, steps="21,2", weights="random", tolerance=0,
        content_layers="block1_conv2", style_layers="block1_conv1",
    )
    summaries = Summaries(tmp_path / "logs", settings)
    result = tf_style.stylize(content, style, settings, callback=summaries.show)
    summaries.close()
    file, = (tmp_path / "logs").iterdir()
    found = {}
    for record in tf.data.TFRecordDataset(str(file)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            plugin = value.metadata.plugin_data.plugin_name
            found.setdefault((plugin, value.tag), {})[event.step] = tf.make_ndarray(value.tensor)
    steps = range(1, 24)
    for name, losses in {
        "loss": [step.loss for step in result.history],
        **{f"loss/{part}": [step.parts[part] for step in result.history]
           for part in ("content", "style", "variation")},
    }.items():
        np.testing.assert_allclose([found["scalars", name][step] for step in steps], losses)
    pictures = {step: tf.io.decode_png(value[2]).numpy()
                for step, value in found["images", "image"].items()}
    assert {step: picture.shape for step, picture in pictures.items()} == {
        20: (12, 16, 3), 21: (12, 16, 3), 23: (24, 32, 3)
    }
    assert [int(each) for each in found["images", "image"][23][:2]] == [32, 24]
    assert np.abs(pictures[23] - result.image * 255).max() <= 0.51
    text = found["text", "settings"][0].item().decode()
    assert tf_style.Settings(**json.loads(text)) == settings


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    summaries = Summaries(tmp_path / "file" / "logs", tf_style.Settings())
    with pytest.raises(InputError, match="logs"):
        summaries.show(Step(1, 1, 8, 8, 1, 2, 0.5, {}, 0.1, number=1))
    summaries.close()


def test_a_full_disk_is_noticed_at_the_step_that_no_longer_fits(tmp_path, monkeypatch):
    class Full:
        def __init__(self, path):
            pass

        def write(self, record):
            pass

        def flush(self):
            raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(tf.io, "TFRecordWriter", Full)
    summaries = Summaries(tmp_path / "logs", tf_style.Settings())
    with pytest.raises(InputError, match=r"logs: cannot be written \(No space left on device\)"):
        summaries.show(Step(1, 1, 8, 8, 1, 2, 0.5, {}, 0.1, number=1))
