"""Every action of a competition, and every value that the code notes, has words that a teacher reads."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.arena.reveals import Which
from server.db.states import Joining, RoundState, Total
from server.web import audit_words

ARENA = Path(__file__).parents[2] / "server/arena"
#: Of the whole server, which no competition's page tells; and the state of a round, which makes three of one call.
ELSEWHERE = {
    "host.add", "key.replace", "game.upload", "game.withdraw", "game.restore", "server.retention", "worker.distrust",
    "worker.difference", "worker.trust", "judge.accept",
}  # fmt: skip
MADE = {"round.opened", "round.paused", "round.closed", "submission.hide", "submission.show", "player.delete"}


def noted() -> Iterator[str]:
    """The action of every call that notes one and says it itself."""
    for file in ARENA.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("audit.record", "audit.by_server"):
                action = node.args[1]
                if isinstance(action, ast.Constant):
                    yield str(action.value)


def test_every_action_has_words() -> None:
    found = set(noted()) | MADE
    assert len(found) > 30
    assert found - ELSEWHERE == audit_words.ACTIONS.keys()


@pytest.mark.parametrize("action", ["competition.joining", "competition.total", "round.paused", "round.reveal"])
def test_every_word_that_a_column_may_hold_is_told_in_others(action: str) -> None:
    values: list[str] = {
        "competition.joining": [*map(str, Joining)],
        "competition.total": [*map(str, Total)],
        "round.paused": [*map(str, RoundState)],
        "round.reveal": [f"{which}, {how} names" for which in Which for how in ("with", "without")],
    }[action]
    told = [audit_words.value(action, value) for value in values]
    assert len(set(told)) == len(values)
    if action != "round.paused":  # states are words that pages tell
        assert not set(values) & set(told)


AT = "2026-11-26T09:30:00+00:00"


@pytest.mark.parametrize(
    ("action", "value", "told"),
    [
        ("player.remove", False, "no"),
        ("submission.hide", True, "yes"),
        ("competition.joining", "approval", "whoever joins waits until you let them in"),
        ("competition.publish", "published", "published"),
        ("competition.freeze", f"frozen at {AT}", "frozen at 2026-11-26 09:30 UTC"),
        ("competition.unfreeze", None, None),
        ("players.remove", "1 players", "1 player"),
        ("roster.add", "1,200 players", "1,200 players"),
        ("round.opened", f"opens at {AT}", "opens at 2026-11-26 09:30 UTC"),
        ("round.opened", "opens when it is prepared", "opens when it is prepared"),
        ("round.publish", "draft", "draft"),
        ("round.end", AT, "2026-11-26 09:30 UTC"),
        ("round.reveal", "top, without names", "the best three, without names"),
        ("round.move", 3, "3"),
        ("competition.retention", "1 days", "1 day"),
        ("competition.retention", "90 days", "90 days"),
        ("competition.retention", "as the server", "as the server has it"),
        ("competition.retention-due", AT, "2026-11-26 09:30 UTC"),
        (
            "round.change",
            f"passages: 2, attempts: None, opens_at: {AT}, title: Ships, and more, draft: True",
            "passages: 2; attempts: –; opens at: 2026-11-26 09:30 UTC; title: Ships, and more; draft: yes",
        ),
        ("player.rename", "published", "published"),
        ("of.a.later.version", "x", "x"),
    ],
)
def test_values_are_told_in_words(action: str, value: object, told: str | None) -> None:
    assert audit_words.value(action, value) == told
