"""Writes docs/api.md, the API reference, from the docstrings: `python docs/api.py`.

It reads the sources and imports none of them, so that it gives the same text with every Python,
and needs no TensorFlow.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "api.md"

# The order in which a reader meets them.
NAMES = (
    "stylize", "Stylizer", "Settings", "Result", "Step", "Checkpoints", "plot", "show_progress",
    "feature_model", "InputError",
)

HEAD = """\
# API reference

<!-- Made by docs/api.py from the docstrings; a test compares. -->

```python
import tf_style
```

does not import TensorFlow; the first function that computes does. You can rely on the names below;
`tf_style.__version__` is the version. Types that come up often:

- `Picture`: a path, `sample:NAME`, or an array `(height, width, 3)`, float in [0, 1] or uint8;
- `PathLike`: `str` or `os.PathLike`;
- `Callback`: a function of a `Step`.

| name | what it is |
|---|---|
"""

_OPTIONS = """\
The [table of options](options.md) says what each is for, under the name of its flag."""
_LISTS = ("Args", "Attributes", "Raises", "Warns")
_SECTION = re.compile(r"^(Args|Attributes|Returns|Yields|Raises|Warns|Example|Source):[ \n]",
                      re.MULTILINE)
_COLUMNS = 92


def reference() -> str:
    """The whole of docs/api.md."""
    package = _Module(ROOT / "tf_style" / "__init__.py")
    homes = ast.literal_eval(package.constants["_HOMES"])
    if sorted([*NAMES, "__version__"]) != ast.literal_eval(package.constants["__all__"]):
        raise ValueError("docs/api.py: NAMES and tf_style.__all__ differ")
    rows, sections = [], []
    for name in NAMES:
        module = _Module(ROOT.joinpath(*homes[name].split(".")).with_suffix(".py"))
        node = module.definitions[name]
        rows.append(f"| [`{name}`](#{name.lower()}) | {_linked(_summary(node), name)} |\n")
        sections += _described(module, node, name)
    return HEAD + "".join(rows) + "".join(sections)


class _Module:
    """A source file: what it defines, and its constants, each as it is written there."""

    def __init__(self, path: Path):
        self.source = path.read_text(encoding="utf-8")
        body = ast.parse(self.source).body
        self.definitions = {node.name: node for node in body
                            if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        self.constants = {node.targets[0].id: self.text(node.value) for node in body
                          if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)}

    def text(self, node: ast.AST) -> str:
        """As it is written, on one line."""
        return " ".join((ast.get_source_segment(self.source, node) or "").split())

    def default(self, node: ast.expr) -> str:
        """A default value; that of a dataclass' field is within the call that makes the field."""
        if isinstance(node, ast.Call) and self.text(node.func) == "option":
            node = node.args[1]
        elif isinstance(node, ast.Call) and self.text(node.func) == "dataclasses.field":
            node = next(each.value for each in node.keywords if each.arg == "default")
        # The one constant that stands for a value in signatures.
        return '"auto"' if self.text(node) == "AUTO" else self.text(node)


def _described(
    module: _Module, node: ast.FunctionDef | ast.ClassDef, name: str, level: int = 2
) -> Iterator[str]:
    """The section of a function, a method or a class, and those of the class' methods."""
    yield f"\n{'#' * level} {name}\n\n```python\n{_head(module, node, name)}\n```\n\n"
    text = ast.get_docstring(node) or ""
    if name == "Settings":
        text = text.replace("\n\n", f"\n\n{_OPTIONS}\n\n", 1)
    yield _linked(_markdown(text), name.partition(".")[0])
    for each in node.body if isinstance(node, ast.ClassDef) else ():
        if isinstance(each, ast.FunctionDef) and not each.name.startswith("_"):
            yield from _described(module, each, f"{name}.{each.name}", level + 1)


def _head(module: _Module, node: ast.FunctionDef | ast.ClassDef, name: str) -> str:
    """How it is called; of plain data, the fields."""
    if isinstance(node, ast.FunctionDef):
        returns = module.text(node.returns) if node.returns else "None"
        if "property" in map(module.text, node.decorator_list):
            return f"{name}: {returns}"
        return _call(name, _parameters(module, node), "" if returns == "None" else f" -> {returns}")
    fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
    if name == "Settings":
        given = ", ".join(f"{each.target.id}={module.default(each.value)}" for each in fields)
        lines = textwrap.wrap(given, _COLUMNS - 4, break_on_hyphens=False)
        return "\n".join([f"{name}(", "    *,", *[f"    {line}" for line in lines], ")"])
    if fields:
        return "\n".join([f"class {name}:", *[
            f"    {each.target.id}: {module.text(each.annotation)}"
            + (f" = {module.default(each.value)}" if each.value else "")
            for each in fields
        ]])
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and each.name == "__init__":
            return _call(name, _parameters(module, each))
    bases = ", ".join(map(module.text, node.bases))
    return f"class {name}({bases})"


def _parameters(module: _Module, node: ast.FunctionDef) -> list[str]:
    """The parameters, as they are written, without `self` and `cls`."""
    arguments = node.args

    def written(argument: ast.arg, default: ast.expr | None) -> str:
        text = argument.arg
        if argument.annotation:
            text += f": {module.text(argument.annotation)}"
        if default is None:
            return text
        return text + (" = " if argument.annotation else "=") + module.default(default)

    places = [each for each in arguments.args if each.arg not in ("self", "cls")]
    missing = [None] * (len(places) - len(arguments.defaults))
    found = [written(*each) for each in zip(places, [*missing, *arguments.defaults], strict=True)]
    if arguments.kwonlyargs:
        found.append("*")
    found += [written(*each)
              for each in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    if arguments.kwarg:
        found.append("**" + written(arguments.kwarg, None))
    return found


def _call(name: str, parameters: list[str], returns: str = "") -> str:
    line = f"{name}({', '.join(parameters)}){returns}"
    if len(line) <= _COLUMNS:
        return line
    return "\n".join([f"{name}(", *[f"    {each}," for each in parameters], f"){returns}"])


def _summary(node: ast.FunctionDef | ast.ClassDef) -> str:
    return (ast.get_docstring(node) or "").partition("\n")[0]


def _markdown(docstring: str) -> str:
    """A docstring with its sections as lists and code."""
    prose, *sections = _SECTION.split(docstring)
    parts = [prose.strip()]
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        if title in _LISTS:
            parts.append(f"**{title}**\n\n" + "\n".join(_entries(inspect.cleandoc("\n" + body))))
        elif title == "Example":
            parts.append(f"**Example**\n\n```python\n{inspect.cleandoc(body)}\n```")
        else:
            # What follows the colon on its line is not indented, unlike the rest.
            parts.append(f"**{title}**: " + inspect.cleandoc(body))
    return "\n\n".join(parts) + "\n"


def _entries(text: str) -> Iterator[str]:
    """`a, b: what they are`, with deeper lines that go on, as items of a list."""
    for entry in re.split(r"\n(?! )", text):
        names, _, meaning = entry.partition(":")
        code = ", ".join(f"`{name.strip()}`" for name in names.split(","))
        lines = [line.strip() for line in meaning.strip().splitlines()]
        yield f"- {code}: " + "\n  ".join(lines)


def _linked(text: str, own: str) -> str:
    """With links from names to their sections, outside of code."""
    parts = re.split(r"(^```.*?^```)", text, flags=re.MULTILINE | re.DOTALL)
    for at in range(0, len(parts), 2):
        for name in NAMES:
            if name != own:
                parts[at] = parts[at].replace(f"`{name}`", f"[`{name}`](#{name.lower()})")
    return "".join(parts)


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8", newline="\n")
    print(REFERENCE)
