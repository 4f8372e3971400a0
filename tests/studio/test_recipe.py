"""What makes a picture without the studio."""

import shlex

from tf_style.commands.flags import parse
from tf_style.commands.stylize import COMMAND
from tf_style.run.jobs import Job
from tf_style.settings import Settings
from tf_style.studio import recipe


def test_no_digit_of_a_number_is_lost():
    settings = Settings(
        style_blend=(1 / 3, 2 / 3), style_layers={"block1_conv1": 0.123456789, "block2_conv1": 1},
        style_loss={"moments": 1 / 7, "gram": 1}, strength="auto", tv_weight=1e-5, steps=(30, 20),
        scales=2, size=64,
    )
    text = recipe.command(Job("a.png", ("b.png", "c.png"), None), settings, "out.png", {})
    assert parse(COMMAND, shlex.split(text)[1:]).options(Settings) == settings
