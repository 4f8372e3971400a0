"""What packages and containers are made from fits together."""

import json
import re
import runpy
from pathlib import Path

import pytest
import setuptools

import tf_style

ROOT = Path(__file__).parents[1]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture
def metadata(monkeypatch):
    """A function that returns what setup.py tells setuptools."""
    def read():
        told = {}
        monkeypatch.setattr(setuptools, "setup", lambda **fields: told.update(fields))
        monkeypatch.chdir(ROOT)
        runpy.run_path("setup.py")
        return told

    return read


def test_the_image_is_installed_as_the_readme_says():
    lines = text("Dockerfile").splitlines()
    copied = {name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]}
    assert all((ROOT / name).exists() for name in copied)
    # What setup.py reads.
    assert {"setup.py", "pyproject.toml", "README.md", "LICENSE", "NOTICE", "flags",
            "tf_style"} <= copied
    (install,) = [line.replace(" --no-cache-dir", "") for line in lines if "pip install" in line]
    assert install == "RUN pip install ."
    assert re.search(r"^pip install \. &&", text("README.md"), re.MULTILINE)
    assert 'ENTRYPOINT ["tf_style"]' in lines


def test_the_dev_container_is_set_up_as_for_contributors():
    container = json.loads(text(".devcontainer/devcontainer.json"))
    assert container["postCreateCommand"] in text("CONTRIBUTING.md").splitlines()


def test_conda_installs_this_package():
    assert re.search(r"^  - pip:\n      - \.$", text("environment.yml"), re.MULTILINE)


def test_containers_have_a_python_that_the_package_allows(metadata):
    least = tuple(map(int, re.findall(r"\d+", metadata()["python_requires"])))
    for name in ("Dockerfile", "environment.yml", ".devcontainer/devcontainer.json"):
        found = re.search(r"python[:=](\d+)\.(\d+)", text(name))
        assert tuple(map(int, found.groups())) >= least, name


def test_what_may_be_added_is_listed(metadata):
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", text("docs/install.md"), re.MULTILINE)
    listed = re.findall(r"\w+", " ".join(rows))
    assert sorted(listed) == sorted(metadata()["extras_require"])


def test_version_is_the_same_everywhere(metadata):
    assert metadata()["version"] == tf_style.__version__
    assert re.search(r"^## (\d\S*)", text("CHANGELOG.md"), re.MULTILINE)[1] == tf_style.__version__


def test_notice_comes_with_the_package(metadata):
    assert {"LICENSE", "NOTICE"} <= {*metadata()["license_files"]}


def test_a_release_links_to_the_repository(metadata, monkeypatch):
    """On PyPI, links relative to the repository would lead nowhere."""
    page = "https://example.org/someone/tf_style"
    monkeypatch.setenv("TF_STYLE_REPOSITORY", page)
    told = metadata()
    assert told["project_urls"]["Source"] == page
    targets = re.findall(r"\]\(([^)]+)\)", told["long_description"])
    assert targets and all(target.startswith("https://") for target in targets)
    tag = f"v{tf_style.__version__}"
    assert f"{page}/raw/{tag}/docs/gallery.jpg" in targets
    assert f"{page}/blob/{tag}/docs/options.md" in targets
    assert f"{page}/blob/{tag}/README.md#where-the-code-is" in targets
    monkeypatch.delenv("TF_STYLE_REPOSITORY")
    assert metadata()["long_description"] == text("README.md")
