"""The files that docs/machines.md names: as far as that can be known here, they are right."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tf_style.commands import flags
from tf_style.commands.stylize import COMMAND
from tf_style.commands.train import COMMAND as TRAIN
from tf_style.transfer.tf_config import Cluster

FILES = Path(__file__).parents[2] / "docs" / "machines"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no clusters there")


def test_the_launcher_takes_its_file():
    import ray
    import yaml
    from jsonschema import validate

    config = yaml.safe_load((FILES / "ssh.yaml").read_text())
    schema = Path(ray.__file__).parent / "autoscaler" / "ray-schema.json"
    validate(config, json.loads(schema.read_text()))
    assert config["provider"].keys() == {"type", "head_ip", "worker_ips"}


def test_the_ray_job_is_whole():
    """KubeRay's own schema is not here: its names are compared with those of its documents."""
    import yaml

    job = yaml.safe_load((FILES / "kuberay.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    spec = job["spec"]
    assert spec.keys() <= {
        "entrypoint", "shutdownAfterJobFinishes", "ttlSecondsAfterFinished", "backoffLimit",
        "rayClusterSpec"}
    cluster = spec["rayClusterSpec"]
    assert cluster.keys() == {"rayVersion", "authOptions", "headGroupSpec", "workerGroupSpecs"}
    (workers,) = cluster["workerGroupSpecs"]
    assert workers["minReplicas"] == workers["replicas"] == workers["maxReplicas"]
    for group in (cluster["headGroupSpec"], workers):
        pod = group["template"]["spec"]
        (container,) = pod["containers"]
        assert container["resources"]["requests"] == container["resources"]["limits"]
        assert {each["name"] for each in container["volumeMounts"]} == {
            each["name"] for each in pod["volumes"]}
    check_command(spec["entrypoint"])


def test_the_slurm_script_is_one():
    script = FILES / "slurm.sh"
    subprocess.run(["bash", "-n", str(script)], check=True)
    text = script.read_text().replace("\\\n", " ")
    check_command(re.search(r"-- +(tf_style .*)", text)[1].replace('"$address"', "10.0.0.1:6379"))


def test_slurm_tells_each_process_of_a_training_which_it_is(tmp_path):
    scripts = {
        "scontrol": "printf 'node1\\nnode2\\n'",
        "srun": 'for SLURM_PROCID in 0 1; do export SLURM_PROCID; "${@:2}"; done',
        "tf_style_train": 'echo "$TF_CONFIG"',
        "activate": "",
    }
    for name, text in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "tf_style_env").mkdir()
    (tmp_path / "tf_style_env" / "bin").symlink_to(tmp_path)
    told = subprocess.run(
        ["bash", str(FILES / "train.sh")], check=True, capture_output=True, text=True,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path),
             "SLURM_JOB_ID": "7", "SLURM_JOB_NODELIST": "node[1-2]", "SLURM_CPUS_PER_TASK": "1"})
    for rank, line in enumerate(told.stdout.splitlines()):
        assert Cluster.read({"TF_CONFIG": line}) == Cluster(
            ("worker 0", "worker 1"), ("node1:20007", "node2:20007"), rank)
    assert rank == 1
    check_command(re.search(r"tf_style_train [^']*", (FILES / "train.sh").read_text().replace(
        "\\\n", " "))[0], TRAIN)


def check_command(text, command=COMMAND):
    """Check that the command takes its flags."""
    program, *arguments = shlex.split(text)
    assert program == command.program
    line = flags.parse(command, arguments)
    for kind in command.kinds:
        line.options(kind)
    assert command is TRAIN or line.given["cluster"]
