"""A transcript of every packaged game: what is asked, said, shown and given, from the first event to the last.

A game without one fails. After a change that is meant, ``python -m tests.games.test_golden`` writes them anew, from
the passages and moves that they hold; read the difference before you keep it.
"""

import json
from typing import Any

import pytest

from games import catalog
from games.events import to_json
from games.preflight import check_round
from games.program import parse
from games.protocol import Finished, NeedBits
from tests.games import playing
from tests.support.games import GOLDEN


def transcript(name: str, passages: list[str], moves: list[str]) -> dict[str, Any]:
    """The whole play of a packaged game with the table judge."""
    program = parse(catalog.source(name), name)
    given = playing.setup(*passages, slots=[slot for slot in program.judges if slot != "main"])
    check_round(program, given)
    effects = [effect for _, effect in playing.steps(program, given, moves)]
    end = effects[-1]
    assert isinstance(end, Finished)
    return {
        "passages": passages,
        "moves": moves,
        "measurements": [len(effect.measurements) for effect in effects if isinstance(effect, NeedBits)],
        "status": end.status.value,
        "rewards": dict(end.rewards),
        "events": to_json(end.events),
    }


def _written(name: str) -> dict[str, Any]:
    golden: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return golden


@pytest.mark.parametrize("name", catalog.names())
def test_a_packaged_game_plays_as_its_golden_transcript_says(name: str) -> None:
    golden = _written(name)
    assert transcript(name, golden["passages"], golden["moves"]) == golden


@pytest.mark.parametrize("name", catalog.names())
def test_every_golden_transcript_ends_with_a_score_that_its_reward_events_add_up_to(name: str) -> None:
    golden = _written(name)
    assert golden["status"] == "scored"
    for seat, bits in golden["rewards"].items():
        rewards = [event for event in golden["events"] if event["type"] == "reward" and event["seat"] == seat]
        assert sum(event["bits"] for event in rewards) == bits
        for event in rewards:
            assert sum(token["bits"] for token in event["tokens"]) == event["bits"]


def test_no_golden_transcript_is_left_of_a_game_that_is_gone() -> None:
    assert sorted(file.stem for file in GOLDEN.glob("*.json")) == catalog.names()


def write(name: str, passages: list[str], moves: list[str]) -> None:
    """Writes the transcript of a game, an event or a term a line, so that a difference shows what changed."""
    made = transcript(name, passages, moves)
    lines = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in made.items()]
    events = ",\n".join(map(_event, made["events"]))
    lines[-1] = f'  "events": [\n{events}\n  ]'
    (GOLDEN / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _event(event: dict[str, Any]) -> str:
    line = "    " + json.dumps({name: value for name, value in event.items() if name != "terms"}, ensure_ascii=False)
    terms = ",".join("\n      " + json.dumps(term, ensure_ascii=False) for term in event.get("terms", ()))
    return f'{line[:-1]}, "terms": [{terms}]}}' if "terms" in event else line


if __name__ == "__main__":
    for each in catalog.names():
        write(each, _written(each)["passages"], _written(each)["moves"])
