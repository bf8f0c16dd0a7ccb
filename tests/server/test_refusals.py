"""Whatever may be wrong with a move is told in the same words, alone and in a batch."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.duels import DUEL
from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class
from tests.support.workers import FakeJudge, hand_of

#: What each refusal is: (name of the case, how it was sent) → its problem document.
RECORDED = Path(__file__).parent / "refusals.json"
LONG = "word " * 1_639
WRITTEN = '# Written\nassign(s=generate("Once upon a time", 6))\nelicit(x, 10)\nreward(xed(s | x))\n'


@dataclass(frozen=True)
class Case:
    """A move that is refused. body: that of the request, and `key` where it has one."""

    name: str
    caller: Caller
    round_id: str
    body: Json

    @property
    def path(self) -> str:
        return f"/rounds/{self.round_id}/submissions"


@dataclass
class Refusals:
    """A class in a house with small limits, and everything that may be wrong with a move in it."""

    lesson: Class

    def __post_init__(self) -> None:
        self.house = self.lesson.house
        self.ada = self.lesson.join("Ada")
        answer(self.ada.submit(self.lesson.round_id, "used", key="used"), 202)

    def cases(self) -> Iterator[Case]:
        yield from self.of_callers()
        yield from self.of_rounds()
        yield from self.of_moves(self.ada)
        yield from self.of_limits()

    def of_callers(self) -> Iterator[Case]:
        here, host = self.lesson.round_id, self.house.host
        gone, waits, left = self.lesson.join("Bo"), self.approved(), self.lesson.join("Cy")
        answer(host.post(f"/players/{gone.id}:remove"))
        left.request("DELETE", "/me/token")
        for name, caller in {
            "no token": self.house.anyone,
            "an unknown token": self.house.caller("x" * 43),
            "a revoked token": left,
            "a host": host,
            "a removed player": gone,
            "a player not let in yet": waits,
        }.items():
            yield Case(name, caller, here, {"move": "one"})
        yield Case("an unknown token and an empty move", self.house.caller("x" * 43), here, {"move": ""})
        yield Case("a host in no round", host, "rnd_0", {"move": "one"})

    def approved(self) -> Caller:
        path = f"/competitions/{self.lesson.id}"
        answer(self.house.host.request("PATCH", path, json={"joining": "approval"}))
        waits = self.lesson.join("Di")
        answer(self.house.host.request("PATCH", path, json={"joining": "open"}))
        return waits

    def of_rounds(self) -> Iterator[Case]:
        lesson, host = self.lesson, self.house.host
        other, closed, paused, deleted = (lesson.another_round()["id"] for _ in range(4))
        for round_id, how in ((closed, "close"), (paused, "pause"), (deleted, "close"), (deleted, "delete")):
            answer(host.post(f"/rounds/{round_id}:{how}"))
        never = lesson.another_round(opens_at="2100-01-01T00:00:00Z")["id"]
        shut = lesson.another_round(opens_at="2100-01-01T00:00:00Z")["id"]
        answer(host.post(f"/rounds/{shut}:close"))
        text = lesson.another_round(passages=["The only other text."])["id"]
        answer(host.post(f"/rounds/{text}:close"))
        lesson.another_round(passages=["The only other text."], attempts=1)
        several = lesson.another_round(game=self.house.install_game(DUEL))["id"]
        written = lesson.another_round(game=self.house.install_game(WRITTEN), passages=[])["id"]
        foreign = new_class(self.house, lesson.judge).round_id
        draft = lesson.another_round(draft=True)["id"]
        for name, round_id in {
            "no such round": "rnd_0",
            "another competition's round": foreign,
            "a draft": draft,
            "a deleted round": deleted,
            "a round to come": never,
            "a paused round": paused,
            "a closed round": closed,
            "a round that is being prepared": written,
            "a game of two": several,
        }.items():
            yield Case(name, self.ada, round_id, {"move": "one"})
            yield Case(f"{name}, and an empty move", self.ada, round_id, {"move": " "})
        for name, round_id in {
            "practice in an open round": other,
            "practice in a paused round": paused,
            "practice in a round to come": never,
            "practice in a round that never opened": shut,
            "practice on a text that counts": text,
            "practice in a game of two": several,
        }.items():
            yield Case(name, self.ada, round_id, {"move": "one", "practice": True})

    def of_moves(self, caller: Caller) -> Iterator[Case]:
        bodies: dict[str, Json] = {
            "an empty move": {"move": ""},
            "a blank move": {"move": " \n"},
            "a move with a bell": {"move": "a\x07b"},
            "half a character": {"move": "a\ud800"},
            "a move that is too long": {"move": LONG},
            "a key of another move": {"move": "another", "key": "used"},
            "a key of another move, and an empty move": {"move": "", "key": "used"},
            "a key of a move that counts, for practice": {"move": "used", "key": "used", "practice": True},
            "practice while the round is open": {"move": "one", "practice": True},
            "an empty move for practice": {"move": "", "practice": True},
        }
        for name, body in bodies.items():
            yield Case(name, caller, self.lesson.round_id, body)

    def of_limits(self) -> Iterator[Case]:
        once = self.lesson.another_round(attempts=1)["id"]
        spent, many, quick = (self.lesson.join(name) for name in ("Ed", "Flo", "Gil"))
        answer(spent.submit(once, "one"), 202)
        for number in range(12):
            answer(many.submit(self.lesson.round_id, f"{number}"), 202)
        for _ in range(self.house.settings.rate_burst):
            quick.submit("rnd_0", "one")
        yield Case("no attempt left", spent, once, {"move": "two"})
        yield Case("no attempt left, and an empty move", spent, once, {"move": ""})
        yield Case("too many waiting", many, self.lesson.round_id, {"move": "one"})
        yield Case("too many waiting, and no attempt", many, "rnd_0", {"move": "one"})
        yield Case("too quick", quick, self.lesson.round_id, {"move": "one"})
        yield Case("too quick, and an empty move", quick, self.lesson.round_id, {"move": ""})


def alone(case: Case) -> Json:
    body = {name: value for name, value in case.body.items() if name != "key"}
    headers = {"Idempotency-Key": case.body["key"]} if "key" in case.body else {}
    return told(case.caller.post(case.path, json=body, headers=headers).json())


def in_a_batch(case: Case) -> Json:
    found = case.caller.post(f"{case.path}:batch", json={"items": [case.body]}).json()
    return told(found["items"][0]["problem"] if "items" in found else found)


def told(problem: Json) -> Json:
    """A problem document without what is another one each time."""
    plain = {name: value for name, value in problem.items() if value is not None and value != []}
    if plain.get("limit") == "requests":
        assert 0 < plain.pop("retry_after") <= 1 / 0.01
    found: Json = json.loads(re.sub(r"(rnd|cmp|pl|sub)_[0-9a-f]{16}", r"\1_…", json.dumps(plain)))
    return found


@pytest.fixture
def strict(own_house: Callable[..., RunningApp], judge: FakeJudge) -> Iterator[Refusals]:
    house = own_house(pending_limit=12, rate_limit=0.01, rate_burst=150)
    with hand_of(house.redis_url, judge):
        yield Refusals(new_class(house, judge))


@pytest.mark.slow
def test_each_refusal_is_what_it_was_alone_and_in_a_batch(strict: Refusals) -> None:
    cases = list(strict.cases())
    found: dict[str, dict[str, Any]] = {
        case.name: {"alone": alone(case), "in a batch": in_a_batch(case)} for case in cases
    }
    assert found == json.loads(RECORDED.read_text(encoding="utf-8"))
