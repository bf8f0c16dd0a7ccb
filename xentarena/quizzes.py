"""Questions with known answers, and pairs of true and false sentences, from files: JSON Lines or CSV."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from xentarena.errors import InputError

if TYPE_CHECKING:
    from judge.pairs import Pair
    from judge.replies import Question

PACKAGED, PROOF_STEPS = "pairs.csv", "proof_steps.csv"
BETWEEN = "|"  # answers in a cell


def questions(text: str, name: str, allowed: Sequence[str] = ()) -> "list[Question]":
    """Those of a file called `name`: `question`, `answer`, and `answers` where they are not the same for all.

    allowed: the answers of questions that name none; without it, those that are right somewhere in the file. Raises
    `InputError` with the line.
    """
    from judge.replies import Question

    rows = list(_rows(text, name, ("question", "answer")))
    usual = tuple(allowed) or tuple(dict.fromkeys(row["answer"] for _, row in rows))
    found = []
    for line, row in rows:
        answers = _answers(row.get("answers")) or usual
        if row["answer"] not in answers:
            raise InputError(f"{name}, line {line}: the answer {row['answer']!r} is none of {', '.join(answers)}")
        if len(answers) < 2:
            raise InputError(f"{name}, line {line}: {row['answer']!r} is the only answer that is allowed: name others")
        if len(set(answers)) < len(answers):
            raise InputError(f"{name}, line {line}: an answer is there twice")
        found.append(Question(row["question"], answers, answers.index(row["answer"])))
    return found


def pairs(text: str, name: str) -> "list[Pair]":
    """Those of a file called `name`: `true`, `false`, and `subject` where there are several. Raises `InputError` with
    the line."""
    from judge.pairs import Pair

    found = []
    for line, row in _rows(text, name, ("true", "false")):
        if row["true"] == row["false"]:
            raise InputError(f"{name}, line {line}: both sentences are {row['true']!r}")
        found.append(Pair(str(row.get("subject") or ""), row["true"], row["false"]))
    return found


def packaged_pairs() -> "list[Pair]":
    """Two hundred: arithmetic, facts, physics, strings."""
    return _packaged(PACKAGED)


def proof_steps() -> "list[Pair]":
    """Seventy-six, right and wrong: identities, substitutions, equations, derivatives, inequalities, logic."""
    return _packaged(PROOF_STEPS)


def _packaged(name: str) -> "list[Pair]":
    return pairs((files("xentarena") / name).read_text(encoding="utf-8"), name)


def _rows(text: str, name: str, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The line and the fields of each; those that are needed are texts, and not empty."""
    read = _json_lines(text, name) if text.lstrip()[:1] == "{" else _csv(text, name, needed)
    none = True
    for line, row in read:
        for field in needed:
            if not isinstance(row.get(field), str) or not row[field].strip():
                raise InputError(f"{name}, line {line}: {field!r} is missing or no text")
        none = False
        yield line, row
    if none:
        raise InputError(f"{name} has no line but perhaps its head")


def _json_lines(text: str, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, each in enumerate(text.split("\n"), 1):
        if not each.strip():
            continue
        try:
            row = json.loads(each)
        except ValueError as error:
            raise InputError(f"{name}, line {line}: no JSON: {error}") from None
        if not isinstance(row, Mapping):
            raise InputError(f"{name}, line {line}: no JSON object")
        yield line, dict(row)


def _csv(text: str, name: str, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        if lacking := [field for field in needed if field not in (reader.fieldnames or ())]:
            raise InputError(
                f"{name} has no column {lacking[0]!r} in its first line: a CSV file begins with"
                f" {','.join(needed)}, and a file of JSON Lines with {{"
            )
        for row in reader:
            yield reader.line_num, {key: value for key, value in row.items() if key is not None}
    except csv.Error as error:
        raise InputError(f"{name}, line {reader.line_num}: no CSV: {error}") from None


def _answers(given: object) -> tuple[str, ...]:
    if isinstance(given, str):
        return tuple(each.strip() for each in given.split(BETWEEN) if each.strip())
    return tuple(map(str, given)) if isinstance(given, list) else ()
