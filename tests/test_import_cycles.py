"""No circle of imports in our packages, nor between them: imports for types alone and inside functions count too.

The files are read, not imported. ``from package import name`` is an import of ``package.name`` where that is a module,
else of ``package``. An import inside a function is an import like any other, so that it cannot be the way out of a
circle; the failure says "in a function" behind it.
"""

import ast
from collections.abc import Container, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("games", "judge", "server", "bots", "xentarena")

#: Module → what it imports, each with where: "" or "in a function".
Graph = Mapping[str, Mapping[str, str]]


def graph_of(root: Path, *packages: str) -> Graph:
    files = {_module(root, file): file for package in packages for file in sorted((root / package).rglob("*.py"))}
    return {module: _imports(module, file, files.keys()) for module, file in files.items()}


def _module(root: Path, file: Path) -> str:
    return ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def _imports(module: str, file: Path, known: Container[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    tree = ast.parse(file.read_text(encoding="utf-8"))
    inside = {
        id(inner)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for inner in ast.walk(outer)
    }
    for node in ast.walk(tree):
        for name in _names(node, module, file.name == "__init__.py"):
            target = name if name in known else name.rpartition(".")[0]
            if target in known and target != module:
                found.setdefault(target, "in a function" if id(node) in inside else "")
    return found


def _names(node: ast.AST, module: str, is_package: bool) -> Iterator[str]:
    """What the statement imports, as full dotted names."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parents = module.split(".")
            parents = parents[: len(parents) - node.level + is_package]
            base = ".".join([*parents, base] if base else parents)
        yield from (f"{base}.{alias.name}" for alias in node.names)


def circle(graph: Graph) -> str:
    """One circle, in words; empty where there is none."""
    try:
        TopologicalSorter({module: imports.keys() for module, imports in graph.items()}).prepare()
    except CycleError as error:
        # The error names each module before the one that imports it.
        modules = list(reversed(error.args[1]))
        steps = pairwise(modules)
        return "; ".join(f"{one} imports {other} {graph[one][other]}".strip() for one, other in steps)
    return ""


def test_no_import_circle() -> None:
    assert circle(graph_of(ROOT, *PACKAGES)) == ""


@pytest.mark.parametrize(
    ("one", "other", "where"),
    [
        ("from pack.b import x", "import pack.a", ""),
        ("from pack import b", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pack.a import y", ""),
        ("from .b import x", "def later():\n    from pack import a", " in a function"),
    ],
)
def test_a_circle_is_found_however_it_is_made(tmp_path: Path, one: str, other: str, where: str) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    for name, text in (("__init__", ""), ("a", one), ("b", other), ("c", "from pack import a, b")):
        (pack / f"{name}.py").write_text(text, encoding="utf-8")
    found = circle(graph_of(tmp_path, "pack"))
    assert "pack.a imports pack.b" in found
    assert f"pack.b imports pack.a{where}" in found
    assert "pack.c" not in found


def test_a_package_without_a_circle_passes(tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    for name, text in (("__init__", ""), ("a", "from pack import b\nfrom pack.b import x"), ("b", "import ast")):
        (pack / f"{name}.py").write_text(text, encoding="utf-8")
    assert circle(graph_of(tmp_path, "pack")) == ""
