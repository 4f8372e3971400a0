"""What the documents say is so: links, commands, flags, versions."""

import importlib
import inspect
import posixpath
import re
import shlex
from pathlib import Path

import pytest

import tf_style
from tf_style import cli
from tf_style.commands import flags, foreign
from tf_style.loss.style import STYLE_LOSSES
from tf_style.settings.option import Switch

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"),
                    *(ROOT / "benchmarks").glob("*.md")])
# Flags in these are those of the commands; benchmarks have their own.
MANUALS = [path for path in DOCUMENTS if path.parent != ROOT / "benchmarks"]
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in DOCUMENTS}
COMMANDS = {program: importlib.import_module(room).COMMAND
            for program, room in cli.COMMANDS.items()}


def without_code(text):
    return re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text):
    """The names that GitHub gives headings."""
    return {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in text.splitlines() if line.startswith("#")
    }


def links():
    for name, text in TEXTS.items():
        for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", without_code(text)):
            yield name, target


@pytest.mark.parametrize(("name", "target"), links())
def test_links_lead_somewhere(name, target):
    file, _, anchor = target.partition("#")
    path = (ROOT / name).parent / file if file else ROOT / name
    assert path.exists()
    if anchor:
        assert anchor in anchors(path.read_text(encoding="utf-8"))


def commands():
    for path in MANUALS:
        name = path.relative_to(ROOT).as_posix()
        for block in re.findall(r"^```bash\n(.*?)^```", TEXTS[name], re.MULTILINE | re.DOTALL):
            for line in re.split(r"\n|&&", block):
                if line.strip().startswith("tf_style"):
                    yield name, line.strip()


@pytest.mark.parametrize(("name", "command"), commands())
def test_commands_parse(name, command, monkeypatch):
    monkeypatch.chdir(ROOT)
    program, *arguments = shlex.split(command, comments=True)
    line = flags.parse(COMMANDS[program], arguments)
    assert len(line.places) <= (3 if program == "tf_style" else 9)
    for kind in COMMANDS[program].kinds:
        line.options(kind)


def test_the_documents_have_commands():
    named = {name for name, _ in commands()}
    assert {"README.md", "docs/troubleshooting.md"} <= named


@pytest.mark.parametrize("name", TEXTS)
def test_files_and_programs_exist(name):
    """Those that code names: `tests/test_docs.py`, `python -m benchmarks.step`."""
    code = " ".join(
        re.findall(r"^```\w*\n.*?^```|`[^`\n]+`", TEXTS[name], re.MULTILINE | re.DOTALL)
    )
    named = re.findall(r"(?<![\w/.-])(?:tf_style|tests|docs|flags|notebooks|benchmarks)/[\w./-]*\w",
                       code)
    named += [module.replace(".", "/") for module in
              re.findall(r"python -m ((?:tf_style|benchmarks)[\w.]*)", code)]
    assert not [each for each in named
                if not (ROOT / each).exists() and not (ROOT / f"{each}.py").exists()]


@pytest.mark.parametrize("path", MANUALS, ids=lambda path: path.name)
def test_flags_exist(path):
    options = [option for command in COMMANDS.values() for option in command.options]
    known = {option.name for option in options}
    # absl's own way to switch off.
    known |= {f"no{option.name}" for option in options if isinstance(option.type, Switch)}
    code = " ".join(re.findall(r"`([^`\n]+)`", path.read_text(encoding="utf-8")))
    unknown = set(re.findall(r"(?<![\w-])--(\w+)", code)) - known
    # Words of other programs that are understood.
    assert not [name for name in unknown if not foreign.flag(name, known)]


def test_the_algorithm_lists_all_style_losses():
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| (yes|no)\b",
                           TEXTS["docs/algorithm.md"], re.MULTILINE))
    assert rows == {name: "yes" if loss.mean_over_positions else "no"
                    for name, loss in STYLE_LOSSES.items()}


def documented():
    """What is public, with its methods: `Result.save`. Other names are left out of the site."""
    for name in {*tf_style.__all__} - {"__version__"}:
        value = getattr(tf_style, name)
        yield name, value
        for own in vars(value) if inspect.isclass(value) else ():
            if not own.startswith("_") and (inspect.isroutine(getattr(value, own))
                                            or isinstance(vars(value)[own], property)):
                yield f"{name}.{own}", getattr(value, own)


@pytest.mark.parametrize(("name", "value"), sorted(documented()))
def test_docstrings_tell_all(name, value):
    """The API reference is made of them: what has none is missing there without a word."""
    text = vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__
    assert text, name
    if "Args:" in text:
        parameters = {*inspect.signature(value).parameters} - {"self"}
        assert parameters <= {*re.findall(r"\w+", text)}, name


def test_the_site_has_every_page():
    index = TEXTS["docs/index.md"]
    assert not [name for name in TEXTS if name != "docs/index.md" and not re.search(
        rf"^{re.escape(posixpath.relpath(name.removesuffix('.md'), 'docs'))}$", index, re.MULTILINE
    )]


def test_citation_is_of_this_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    fields = dict(re.findall(r"^([\w-]+): *(.*)$", citation, re.MULTILINE))
    assert fields["cff-version"] == "1.2.0"
    assert fields["version"] == tf_style.__version__
    assert {"message", "title", "authors", "license"} <= fields.keys()
