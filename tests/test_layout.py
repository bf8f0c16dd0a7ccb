"""Tests stand by themselves: what two need lies in tests/support, and none looks into a class of the product."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "tests").rglob("*.py"))

#: The benchmarks' own tests.
BENCHMARKS = {"tests/judge/test_benchmark.py", "tests/bots/test_ladder.py"}
#: Where a test has to look into a library: the lock of an event of threading, the end of a PostgreSQL's process.
PRIVATES = {"tests/server/test_serving.py", "tests/support/services.py"}


def _name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _privates(tree: ast.AST) -> Iterator[str]:
    """What is reached for behind a dot and begins with one underscore, but of `self` and of a named tuple."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            own = isinstance(node.value, ast.Name) and node.value.id in {"self", "cls", "os", "sys"}
            if not own and node.attr not in {"_asdict", "_replace", "_fields"}:
                yield f"line {node.lineno}: {node.attr}"


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_no_test_imports_a_test_a_conftest_or_a_benchmark(file: Path) -> None:
    found = set(_imports(ast.parse(file.read_text(encoding="utf-8"))))
    tests = {each for each in found if each.startswith("tests.")}
    assert not [each for each in tests if any(part.startswith(("test_", "conftest")) for part in each.split(".")[:-1])]
    if _name(file) not in BENCHMARKS:
        assert not [each for each in found if each.split(".")[0] == "benchmarks"]


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_no_test_reaches_for_what_others_keep_for_themselves(file: Path) -> None:
    if _name(file) not in PRIVATES:
        assert not list(_privates(ast.parse(file.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("listed", [*sorted(BENCHMARKS), *sorted(PRIVATES)])
def test_every_exception_is_needed(listed: str) -> None:
    tree = ast.parse((ROOT / listed).read_text(encoding="utf-8"))
    uses_benchmark = any(each.split(".")[0] == "benchmarks" for each in _imports(tree))
    assert (listed in BENCHMARKS and uses_benchmark) or (listed in PRIVATES and any(_privates(tree)))
