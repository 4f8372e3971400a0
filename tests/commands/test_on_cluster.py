"""Many pictures on a Ray cluster, as the command paints them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import smooth_picture
from tf_style import cli
from tf_style.image.picture import write_picture

QUICK = ["--network=compact", "--size=48", "--steps=2", "--scales=1"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no clusters there")


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        cli.main([*map(str, arguments)])
    return ended.value.code


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for number in range(4):
        write_picture(tmp_path / "photos" / f"{number}.png", smooth_picture(number))
    (tmp_path / "photos" / "bad.png").write_bytes(b"no picture")
    return tmp_path


@pytest.mark.slow
@pytest.mark.alone
def test_pictures_are_those_of_one_process(photos, capsys):
    """Pixel by pixel, and with the same record; a bad one is reported as ever."""
    # A path through a process's own folder leads a worker elsewhere: files go there as bytes.
    here = "/proc/self/cwd/" * sys.platform.startswith("linux")
    asked = [f"{here}photos", "sample:waves", *QUICK]
    subprocess.run(
        [sys.executable, "-m", "tf_style", *asked, "alone/", "--threads=1", "--report=alone.json"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True)
    assert run(*asked, f"{here}made/", "--cluster=local", "--report=made.json", "--logs") == 1
    said = capsys.readouterr()
    assert f"{here}photos/bad.png: this is not a picture" in said.err
    assert "ray" not in (said.out + said.err).lower()
    alone, made = ({entry["content"]: entry for entry in json.loads(Path(name).read_text())[
        "pictures"]} for name in ("alone.json", "made.json"))
    assert len(made) == 5 and made.keys() == alone.keys()
    assert {path.name for path in Path("made").iterdir()} == {
        f"{number}_waves{ending}" for number in range(4) for ending in (".png", ".png.log")}
    for name, entry in made.items():
        if "error" in entry:
            continue
        assert " on " in entry["worker"]
        output = Path(entry["output"])
        assert str(output.parent) == f"{here}made"
        one, other = (Image.open(path) for path in (output, Path("alone") / output.name))
        np.testing.assert_array_equal(one, other)
        assert one.text["tf_style"] == other.text["tf_style"], name
        for key in ("settings", "given", "digests", "weights", "content", "style"):
            assert entry[key] == alone[name][key], key


def test_flags_that_do_not_go_with_a_cluster_are_refused(photos, capsys):
    for flags, why in (
        (["--workers=2"], "--workers=2: is for processes of this machine"),
        (["--profile=profile"], "--profile=profile: is for one process"),
        (["--cluster=nowhere"], "--cluster=nowhere: expected local, auto, HOST:PORT"),
    ):
        assert run("photos", "sample:waves", "made/", "--cluster=local", *flags, *QUICK) == 2
        error = capsys.readouterr().err
        assert why in error and error.count("tf_style: --") == 1
    assert not (photos / "made").exists()
