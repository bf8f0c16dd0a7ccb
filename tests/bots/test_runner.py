"""`xentarena bot`: what a run does, against a server that answers as it is told."""

from typing import Any

import pytest

from bots import runner
from bots.strategy import StrategyError
from tests.xentarena.builders import joined, preview, problem, round_, submission
from tests.xentarena.scripted import Answer, serving
from xentarena.errors import ApiError, ArenaError

ROUNDS = Answer(200, {"items": [round_()], "next": None})
SCORED = Answer(201, submission())
FINE = Answer(200, preview())


def test_a_bot_joins_as_a_bot_and_plays_its_budget() -> None:
    said: list[str] = []
    with serving(Answer(201, joined()), ROUNDS, FINE, SCORED, ROUNDS, FINE, SCORED) as script:
        tally = runner.run("random", script.url, code="K7QWPX", budget=2, seed=1, say=said.append)
    assert tally.sent == 2
    assert tally.best == {"rnd_1": 12.345}
    assert script.asked[0].body["kind"] == "bot"
    assert script.asked[0].body["name"].startswith("random-")
    assert ["12.345 bits" in line for line in said] == [True, True, True]
    assert said[2] == "rnd_1: best 12.345 bits"


def test_the_same_seed_sends_the_same_moves() -> None:
    def sent(seed: int) -> list[Any]:
        with serving(Answer(201, joined()), ROUNDS, FINE, SCORED, ROUNDS, FINE, SCORED) as script:
            runner.run("random", script.url, code="K", budget=2, seed=seed, say=lambda line: None)
        return [asked.body["move"] for asked in script.asked if "/submissions" in asked.path]

    assert sent(1) == sent(1)
    assert sent(1) != sent(2)


def test_one_round_with_the_token_of_an_earlier_visit() -> None:
    with serving(Answer(200, round_(id="rnd_9")), FINE, SCORED) as script:
        runner.run("random", script.url, round_id="rnd_9", token="old", budget=1, say=lambda line: None)
    assert [asked.path.partition("?")[0] for asked in script.asked] == [
        "/api/v1/rounds/rnd_9",
        "/api/v1/rounds/rnd_9/moves:preview",
        "/api/v1/rounds/rnd_9/submissions",
    ]
    assert all(asked.headers["Authorization"] == "Bearer old" for asked in script.asked)


def test_used_up_attempts_end_the_run_with_what_was_played() -> None:
    last = Answer(200, {"items": [round_(attempts=1, attempts_left=1)], "next": None})
    none = Answer(200, {"items": [round_(attempts=1, attempts_left=0)], "next": None})
    with serving(Answer(201, joined()), last, FINE, SCORED, none) as script:
        tally = runner.run("random", script.url, code="K", budget=5, say=lambda line: None)
    assert tally.sent == 1


def test_a_round_that_closes_in_between_is_no_fault() -> None:
    closed = Answer(409, problem("round-closed", 409))
    gone = Answer(200, {"items": [round_(state="closed")], "next": None})
    said: list[str] = []
    with serving(Answer(201, joined()), ROUNDS, FINE, SCORED, ROUNDS, FINE, closed, gone) as script:
        tally = runner.run("random", script.url, code="K", budget=5, say=said.append)
    assert tally.sent == 1
    assert "It is round-closed" in said[-2]
    assert said[-1] == "rnd_1: best 12.345 bits"


def test_a_play_of_several_moves_is_played_to_its_end() -> None:
    more = Answer(202, submission(state="awaiting_move", bits=None))
    with serving(Answer(201, joined()), ROUNDS, FINE, more, FINE, more, FINE, SCORED) as script:
        tally = runner.run("random", script.url, code="K", budget=1, say=lambda line: None)
    assert tally.sent == 1
    assert [asked.path.rpartition("/")[2] for asked in script.asked[-3::2]] == ["moves?wait=10.0"] * 2


def test_a_submission_without_a_score_says_why() -> None:
    reason = {"type": "too_long", "detail": "The move is too long for the judge."}
    rejected = Answer(201, submission(state="rejected", bits=None, reason=reason))
    said: list[str] = []
    with serving(Answer(201, joined()), ROUNDS, FINE, rejected) as script:
        runner.run("random", script.url, code="K", budget=1, say=said.append)
    assert "rejected: The move is too long" in said[0]


def test_nothing_to_play_is_an_error() -> None:
    with (
        serving(Answer(201, joined()), Answer(200, {"items": [], "next": None})) as script,
        pytest.raises(ArenaError, match="no open round"),
    ):
        runner.run("random", script.url, code="K", budget=1)


def test_a_refusal_that_is_ours_to_mend_is_raised() -> None:
    with serving(Answer(404, problem("not-found", 404))) as script, pytest.raises(ApiError, match="not-found"):
        runner.run("random", script.url, code="WRONG", budget=1)


def test_what_is_asked_for_is_checked_before_anything_is_sent() -> None:
    with pytest.raises(StrategyError):
        runner.run("clever", "http://127.0.0.1:1", code="K")
    with pytest.raises(ArenaError, match="join code"):
        runner.run("random", "http://127.0.0.1:1", round_id="rnd_1")
    with pytest.raises(ArenaError, match="budget"):
        runner.run("random", "http://127.0.0.1:1", code="K", budget=0)


def test_scores_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(Answer(201, joined()), ROUNDS, FINE, SCORED) as script:
        runner.run("random", script.url, code="K", budget=1, seed=1)
    assert "condense rnd_1:    12.345 bits" in capsys.readouterr().out
