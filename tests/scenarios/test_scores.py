"""The number a player sees is what the hint saves in the game's frame, as plain transformers computes it.

The same number by every way there is: the first time, from the table, in a batch, by `xentarena measure`, by
`xentarena play`, by a free measurement, and for another judge than ours.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.judge.tiny import write_gpt2
from tests.support.command import Run
from tests.support.databases import sqlite_at
from tests.support.frames import framed
from tests.support.scenario.deployment import Deployment, Game, answer
from tests.support.scenario.reference import POCKET, saved
from tests.support.services import Redis

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

CLOSE = 0.002  # bits
PLAIN = "The tide came in over the flats before the boats were home, and Mara counted sails until one was missing."
FOREIGN = (
    "Die Flut kam über das Watt – früher als gedacht. Größe: 12 m². 潮が満ちて、船は戻らなかった。 🚤⛵ naïve café"
)
MOVES = ["sea ship harbour night", "Schiff Hafen Nacht 船", "🚤 🌊"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gpt2(tmp_path_factory.mktemp("judges") / "tiny", context=512)


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("arena")
    redis = Redis(folder / "redis").start()
    url = sqlite_at(folder / "arena.sqlite3")
    made = Deployment(folder, url, redis.url)
    try:
        made.start_api()
        made.start_worker("pocket", str(tiny))
        made.judge_ready(2)
        yield made
    finally:
        made.stop()
        redis.stop()


@pytest.mark.parametrize("passage", [PLAIN, FOREIGN], ids=["plain", "foreign"])
@pytest.mark.parametrize("judge", ["pocket", "tiny"])
def test_a_score_is_what_plain_transformers_says(arena: Deployment, tiny: Path, judge: str, passage: str) -> None:
    folder = {"pocket": POCKET, "tiny": tiny}[judge]
    game = Game.make(arena, passages=[passage], judge=judge)
    first, second = game.join("first"), game.join("second")
    for move in MOVES:
        submission = answer(first.post(f"{game.submissions}?wait=30", json={"move": move}), 201)
        assert submission["bits"] == pytest.approx(saved(measured_hint(submission), passage, folder), abs=CLOSE)
    items = [{"move": move} for move in MOVES]
    again = answer(second.post(f"{game.submissions}:batch?wait=30", json={"items": items}))["items"]
    mine = {measured_hint(each): each["bits"] for each in answer(first.get("/me/submissions"))["items"]}
    assert [each["status"] for each in again] == [201] * len(MOVES), "known already: no waiting"
    assert {measured_hint(each["submission"]): each["submission"]["bits"] for each in again} == mine


def test_a_batch_gives_the_same_as_one_by_one(arena: Deployment) -> None:
    moves = [f"{move} {i}" for i in range(10) for move in MOVES]
    game = Game.make(arena, passages=[f"{PLAIN} Batch."])
    results = answer(
        game.join("many").post(f"{game.submissions}:batch?wait=60", json={"items": [{"move": m} for m in moves]})
    )["items"]
    for result in results:
        submission = result["submission"]
        want = saved(measured_hint(submission), f"{PLAIN} Batch.")
        assert submission["bits"] == pytest.approx(want, abs=CLOSE)


def test_the_tokens_of_a_reward_are_the_passage_and_add_up(arena: Deployment) -> None:
    game = Game.make(arena, passages=[FOREIGN])
    submission = answer(game.join("Ada").post(f"{game.submissions}?wait=30", json={"move": MOVES[0]}), 201)
    reward = next(event for event in submission["events"] if event["type"] == "reward")
    assert "".join(token["text"] for token in reward["tokens"]) == FOREIGN
    assert sum(token["bits"] for token in reward["tokens"]) == pytest.approx(reward["bits"], abs=1e-9)
    assert submission["bits"] == round(reward["bits"] * 1000) / 1000


@pytest.mark.parametrize("passage", [PLAIN, FOREIGN], ids=["plain", "foreign"])
def test_the_commands_give_the_same_number(arena: Deployment, passage: str, run: Run) -> None:
    game = Game.make(arena, passages=[passage])
    submission = answer(game.join("Ada").post(f"{game.submissions}?wait=30", json={"move": MOVES[0]}), 201)
    hint = measured_hint(submission)
    played = run("play", "condense", "--story", passage, "--move", MOVES[0], "--json").json
    assert played["rewards"] == submission["rewards"]
    assert played["events"] == submission["events"]
    alone, after = (run("measure", "--prefix", framed(each), "--text", passage, "--json").json for each in ("", hint))
    assert alone["bits"] - after["bits"] == pytest.approx(submission["bits"], abs=0.0006)
    assert "".join(token["text"] for token in after["tokens"]) == passage


def test_two_free_measurements_give_the_same_number(arena: Deployment) -> None:
    game = Game.make(arena, passages=[PLAIN])
    player = game.join("Ada")
    submission = answer(player.post(f"{game.submissions}?wait=30", json={"move": MOVES[0]}), 201)
    empty, hinted = (
        answer(
            player.post("/measurements?wait=30", json={"judge": "pocket", "prefix": framed(hint), "text": PLAIN}), 201
        )
        for hint in ("", measured_hint(submission))
    )
    assert empty["bits"] - hinted["bits"] == pytest.approx(submission["bits"], abs=0.0006)


def measured_hint(submission: dict[str, Any]) -> str:
    """What was left of the move when it was measured, as the game revealed it."""
    reveal = next(event for event in submission["events"] if event["type"] == "reveal")
    value = reveal["values"][0]["value"]
    assert isinstance(value, str)
    return value
