"""The benchmarks run, at a tiny size; what they measure is not tested."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import pixels
from benchmarks.pixels import compare
from tf_style.loss.style import STYLE_LOSSES
from tf_style.settings.presets import presets

ROOT = Path(__file__).parents[1]


def run(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-2000:]}"
    return done.stdout


@pytest.mark.slow
def test_step_prints_a_line_of_json():
    figures = json.loads(run("benchmarks.step", "--size=32", "--rounds=2", "--json"))
    assert figures["ratio"] == pytest.approx(figures["reference_seconds"] / figures["seconds"])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ours", "reference"])
def test_scaling(kind, tmp_path):
    run("benchmarks.scaling", "--sizes=32,48", "--rounds=1", f"--kind={kind}",
        f"--output={tmp_path / 'a.json'}")
    record = json.loads((tmp_path / "a.json").read_text())
    assert [row["size"] for row in record["sizes"]] == [32, 48]
    assert {"cores", "cpu_flags", "versions"} <= set(record["machine"])


@pytest.mark.slow
def test_painting(tmp_path):
    run("benchmarks.painting", "--sizes=40x30", "--rounds=1", "--commands=64",
        f"--output={tmp_path / 'a.json'}")
    record = json.loads((tmp_path / "a.json").read_text())
    assert [each["precision"] for each in record["pictures"]] == ["float32", "bfloat16"]
    assert record["commands"][0]["seconds"] > 0


@pytest.mark.slow
def test_tradeoff(tmp_path, real_weights):
    (tmp_path / "pairs.txt").write_text("# content,style\nsample:harbor,sample:ink\n")
    run("benchmarks.tradeoff", f"--judge={real_weights}", "--weights=random", "--size=48",
        f"--pairs={tmp_path / 'pairs.txt'}", "--style_weights=5,50", f"--output={tmp_path}")
    record = json.loads((tmp_path / "tradeoff.json").read_text())
    assert [point["style_weight"] for point in record["points"]] == [5, 50]
    assert (tmp_path / "tradeoff.png").stat().st_size > 1000


@pytest.mark.slow
def test_time_to_quality(tmp_path, real_weights):
    found = run("benchmarks.time_to_quality", f"--weights={real_weights}", "--size=48",
                "--steps=2", "--length=2,2,2,2", "--style_weights=10",
                f"--output={tmp_path / 'a.json'}")
    assert "reference, style weight 20" in found and "ours, 2,2,2,2 steps" in found
    assert json.loads((tmp_path / "a.json").read_text())["reference_seconds"] > 0


@pytest.mark.slow
def test_cleanup(tmp_path, real_weights):
    found = run("benchmarks.cleanup", f"--weights={real_weights}", "--size=32",
                "--style_weights=10", "--pair=sample:harbor,sample:ink", "--defects=noise",
                f"--output={tmp_path / 'a.json'}")
    assert "noise: " in found and "share" in json.loads((tmp_path / "a.json").read_text())["noise"]


@pytest.mark.slow
def test_controls(tmp_path):
    run("benchmarks.controls", "--size=32", "--weights=random", "--steps=1",
        f"--folder={tmp_path}", "--only=content_mask,content,style_cleanup")
    page = (tmp_path / "controls.md").read_text()
    assert page.count("![") == page.count("## `--") > 8
    assert len(list((tmp_path / "controls").iterdir())) == 3


@pytest.mark.slow
def test_batch(tmp_path):
    found = run("benchmarks.batch", "--pictures=10", "--alone=1", "--size=32", "--steps=1",
                f"--output={tmp_path / 'a.json'}")
    record = json.loads((tmp_path / "a.json").read_text())
    assert "5 failed: " in found and (record["made"], record["exit_code"]) == (5, 1)
    assert record["ratio"] > 1


@pytest.mark.slow
@pytest.mark.alone
def test_runs_that_are_asked_to_stop_at_random_moments():
    found = run("benchmarks.kill", "--stop", "--moments=12", "--steps=20,20,20", "--size=64")
    assert found.splitlines()[-1] == "12 of 12 ended as they should"


@pytest.mark.slow
@pytest.mark.alone
def test_studio(tmp_path):
    for name in ("httpx", "uvicorn", "websockets", "starlette"):
        pytest.importorskip(name, reason="needs pip install 'tf_style[studio]', and httpx")
    run("benchmarks.studio", "--size=32", "--asked=4", "--tabs=1", "--jobs=2",
        f"--output={tmp_path / 'a.json'}")
    record = json.loads((tmp_path / "a.json").read_text())
    assert record["in_order"] and 0 < record["answer_median"] <= record["answer_slowest"]


def test_pictures_that_differ_are_told_from_those_that_sum_in_another_order():
    picture, gradient = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)

    def run(picture, gradient):
        return {"a": picture, "a/gradient": gradient}

    before = run(picture, gradient)
    (same,), (near,), (far,) = (
        compare(before, after) for after in (
            run(picture, gradient), run(picture + 0.01, gradient * np.float32(1 + 1e-7)),
            run(picture + 0.01, gradient * np.float32(1.01)),
        )
    )
    assert same.startswith("same pixels") and near.startswith("within tolerance")
    assert far.startswith("DIFFERS") and "1.0e-02" in far


def test_every_style_loss_and_preset_is_held_against_an_earlier_commit():
    assert set(STYLE_LOSSES) >= set(pixels.LOSSES) and set(presets()) == set(pixels.PRESETS)


def test_drawn_styles(tmp_path):
    run("benchmarks.styles", "--count=8", "--seed=3", f"--output={tmp_path}")
    drawn = {path.stem: np.asarray(Image.open(path)) for path in tmp_path.iterdir()}
    assert {name.partition("_")[0] for name in drawn} == {"strokes", "mosaic", "printed", "texture"}
    assert all(each.shape == (360, 480, 3) and each.std() > 2 for each in drawn.values())


@pytest.mark.slow
def test_ranking(tmp_path, real_vgg19):
    run("benchmarks.styles", "--count=2", f"--output={tmp_path / 'styles'}")
    command = ["benchmarks.ranking", "--photographs=sample:harbor", "--size=64", "--steps=2",
               f"--styles={tmp_path / 'styles'}", f"--judge={real_vgg19}",
               f"--output={tmp_path / 'out'}"]
    found = json.loads(run(*command))
    assert (found["harbor"]["styles"], found["harbor"]["place_of_the_best"] in (1, 2)) == (2, True)
    made = (tmp_path / "out" / "harbor__mosaic_1.png").stat().st_mtime_ns
    assert json.loads(run(*command)) == found
    assert (tmp_path / "out" / "harbor__mosaic_1.png").stat().st_mtime_ns == made


@pytest.mark.slow
def test_workers(tmp_path):
    run("benchmarks.workers", "--batches=2:32", "--options=steps=1,scales=1", "--workers=2",
        "--tasks=200", f"--output={tmp_path / 'run.json'}")
    found = json.loads((tmp_path / "run.json").read_text())
    assert found["32_ratio"] > 0 and found["scheduled_a_second"] > found["processes_a_second"]


def test_machines(tmp_path):
    """Twice the machines take half the time, where nothing is in their way, whoever dies."""
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"pictures": [{"seconds": 30.0}, {"error": "bad"}]}))
    quick = [f"--report={report}", "--pictures=64", "--nodes=1,2,4", "--start=0", "--seam=0"]

    def minutes(*given):
        lines = run("benchmarks.machines", *quick, *given).splitlines()[1:]
        return [float(line.split()[2]) for line in lines]

    assert minutes("--line=0") == [16, 8, 4]
    assert all(late > soon for late, soon in zip(
        minutes("--line=0", "--deaths=20000"), [16, 8, 4], strict=True))
    # Ten seconds for each picture on the way there: two workers have to wait for nothing, more do.
    assert minutes("--line=1", "--megabytes=10")[1:] == [11.2, 11.2]
