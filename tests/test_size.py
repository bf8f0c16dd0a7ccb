"""No file and no function grows past the largest there was. The numbers go down, never up."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Lines, comments and docstrings included. Who makes the largest one smaller lowers its number.
PRODUCT_FILE = 417
PRODUCT_FUNCTION = 39
TEST_FILE = 526
TEST_FUNCTION = 38

NOT_OURS = ("build", "dist", "data", "runs", "migrations/versions")  # the last: written by Alembic, then left alone


def _files(*, tests: bool) -> list[Path]:
    """All Python files of the repository that are tests, or all that are not."""
    skipped = tuple(f"{folder}/" for folder in NOT_OURS)
    found = {file: file.relative_to(ROOT).as_posix() for file in ROOT.glob("[!.]*/**/*.py")}
    return [
        file
        for file, name in sorted(found.items())
        if not name.startswith(skipped) and name.startswith("tests/") == tests
    ]


@pytest.mark.parametrize(("tests", "most"), [(False, PRODUCT_FILE), (True, TEST_FILE)], ids=["product code", "tests"])
def test_no_file_is_longer_than_the_longest_there_was(tests: bool, most: int) -> None:
    lines = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in _files(tests=tests)}
    told = [
        f"{file.relative_to(ROOT)} has {count} lines, {most} are the most: move a part to a file of its own"
        for file, count in lines.items()
        if count > most
    ]
    assert not told, "\n".join(told)


@pytest.mark.parametrize(
    ("tests", "most"), [(False, PRODUCT_FUNCTION), (True, TEST_FUNCTION)], ids=["product code", "tests"]
)
def test_no_function_is_longer_than_the_longest_there_was(tests: bool, most: int) -> None:
    told = [
        f"{where} has {count} lines, {most} are the most: give a part of it a name of its own"
        for file in _files(tests=tests)
        for where, count in _functions(file)
        if count > most
    ]
    assert not told, "\n".join(told)


def _functions(file: Path) -> Iterator[tuple[str, int]]:
    """Every function and method of a file: where it is, and how many lines it has without its decorators."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{file.relative_to(ROOT)}:{node.lineno} {node.name}()", node.end_lineno - node.lineno + 1
