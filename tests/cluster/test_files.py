"""The files that docs/machines.md names: as far as that can be known here, they are right."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tf_style.commands import flags
from tf_style.commands.stylize import COMMAND

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


def check_command(text):
    """Check that the command takes its flags."""
    program, *arguments = shlex.split(text)
    assert program == "tf_style"
    line = flags.parse(COMMAND, arguments)
    for kind in COMMAND.kinds:
        line.options(kind)
    assert line.given["cluster"]
