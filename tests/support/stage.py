"""A class in which every state of every page can be seen: all made through the API, and left as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from tests.support.databases import sqlite_at
from tests.support.scenario.deployment import HOST_TOKEN, PASSAGE, Deployment, answer
from tests.support.services import Redis, eventually

Json = dict[str, Any]

CODE = "def greet(name):\n    return f'Hello, {name}!'\n\nfor each in range(3):\n    print(greet(each))"
CLAIM = "Tea is better than coffee."
MEASURED_FIRST = (
    "# Measured first\n#\n# Better.\n\nassign(s=story())\nreveal(xent(s))\nelicit(x, 9)\nreward(xed(s | x))\n"
)
GHOST = '# Ghost\n#\n# Likely?\n\nassign(s=generate("It was", 12))\nreveal(s)\nelicit(x, 8)\nreward(xed(s | x))\n'
BROKEN = "# Broken\n\nassign(s=story())\nelicit(x, 9)\nassign(l=s.split())\nreveal(l[99])\nreward(xed(s | x))\n"
#: Without a token before it a word of one token has no bits, so under another profile the play does not end.
STRICT = '# Strict\n#\n# Say.\n\nassign(s=story())\nelicit(x, 9)\nensure(xent("the" | x) > 0)\nreward(xed(s | x))\n'
OWN = "# A game of ours\n#\n# Say something.{}\n\nassign(s=story())\nelicit(x, 10)\nreward(xed(s | x) * 2)\n"


@dataclass
class Stage:
    """ids: what is in the class, by the names that states use in their addresses; tokens: who looks."""

    arena: Deployment
    ids: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=lambda: {"host": HOST_TOKEN, "ghost": "a-key-that-is-not-known"})

    def as_(self, who: str) -> httpx.Client:
        return self.arena.client(self.tokens[who])

    def post(self, who: str, path: str, body: Json | None = None, **more: Any) -> Json:
        return answer(self.as_(who).post(path.format(**self.ids), json=body, **more), 200, 201, 202)

    def round(self, name: str, game: str = "condense", *passages: str, **more: Any) -> None:
        body = {"game": game, "passages": passages or [PASSAGE], "judge": "pocket", **more}
        self.ids[name] = self.post("host", "/competitions/{lesson}/rounds", body)["id"]

    def move(self, who: str, round_: str, text: str, **more: bool) -> Json:
        return self.post(who, f"/rounds/{{{round_}}}/submissions", {"move": text, **more}, params={"wait": 60})

    def go_on(self, who: str, submission: str, text: str, wait: float = 60) -> Json:
        return self.post(who, f"/submissions/{submission}/moves", {"move": text}, params={"wait": wait})

    def upload(self, source: str, **more: str) -> str:
        return str(self.post("host", "/games", {"source": source, **more})["digest"])

    def join(self, who: str, name: str, competition: str = "lesson", kind: str = "person") -> None:
        body = {"code": self.ids[f"{competition}_code"], "name": name, "kind": kind}
        with self.arena.client(None) as anyone:
            joined = answer(anyone.post("/competitions:join", json=body), 201)
        self.ids[who], self.tokens[who] = joined["player"]["id"], joined["token"]

    def competition(self, name: str, title: str) -> None:
        made = self.post("host", "/competitions", {"name": title, "bots": "separate"})
        self.ids |= {name: made["id"], f"{name}_code": made["code"]}


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """A server of its own, with the judge that ships and another that never comes to an end."""
    redis = Redis(folder / "redis").start()
    url = sqlite_at(folder / "stage.sqlite3")
    arena = Deployment(folder, url, redis.url, {"XENTARENA_SWEEP": "4"})
    try:
        arena.start_api()
        arena.start_worker()
        arena.judge_ready()
        odd = arena.start_odd_worker("--pause", "3600")
        arena.judge_ready(2)
        stage = Stage(arena)
        for scene in (_people, _rounds, _moves, _two_seats, _endings, _games, _shown, _rescored):
            scene(stage)
        yield stage
        odd.kill()
    finally:
        arena.stop()
        redis.stop()


def _people(stage: Stage) -> None:
    stage.competition("lesson", "Thursday class")
    stage.competition("empty", "Friday class")
    stage.join("lone", "Lone", "empty")
    for who, name in (("ada", "Ada"), ("bob", "Bob"), ("cleo", "Cleo"), ("dot", "Dot"), ("zoe", "Zoe")):
        stage.join(who, name)
    stage.join("newcomer", "שרה")
    stage.join("robby", "Robby", kind="bot")
    gone = stage.post("host", "/competitions/{lesson}/teams", {"name": "Night owls"})["id"]
    answer(stage.as_("host").delete(f"/teams/{gone}"))
    stage.post("host", "/competitions/{lesson}/teams:spread", {"count": 2})
    stage.competition("guarded", "Guarded class")
    stage.join("forgetful", "Forgetful", "guarded")
    guarded = f"/competitions/{stage.ids['guarded']}"
    answer(stage.as_("host").patch(guarded, json={"joining": "approval"}))
    for who in ("patient", "impatient"):
        stage.join(who, who.title(), "guarded")


def _rounds(stage: Stage) -> None:
    now = datetime.now(UTC)
    stage.round("condense", closes_at=(now + timedelta(minutes=50)).isoformat())
    stage.round("contrast", "contrast", PASSAGE, CODE)
    stage.round("finds", "find_the_surprise")
    stage.round("debate", "debate", CLAIM, move_seconds=3600)
    stage.round("infill", "infill", f"{PASSAGE} {PASSAGE}")
    # A text of its own: nobody practises on one that a round with an attempt limit is open on.
    stage.round("once", "condense", f"Once more. {PASSAGE}", attempts=1)
    for each in ("paused", "closed"):
        stage.round(each)
    stage.round("revealed", second_judge="odd-judge")
    stage.round("scheduled", opens_at=(now + timedelta(days=1)).isoformat())
    stage.round("draft", draft=True, title="Warming up", duration=1200, game="contrast", passages=[PASSAGE, CODE])
    stage.round("queued", judge="odd-judge")
    stage.round("preparing", stage.upload(GHOST), judge="odd-judge", passages=[])
    stage.round("begins", stage.upload(MEASURED_FIRST))
    stage.round("broken", stage.upload(BROKEN))


def _moves(stage: Stage) -> None:
    for words in ("lighthouse", "quantum tax law", "sailors waiting for the boats, a storm, the tide, night and day"):
        scored = stage.move("ada", "condense", words)
    stage.ids["scored"] = scored["id"]
    for who, words in (("bob", "sea " * 120), ("cleo", "ships"), ("robby", "harbour sailors")):
        stage.move(who, "condense", words)
    for each in ("contrast", "once", "paused", "closed", "revealed", "broken"):
        stage.move("ada", each, "lighthouse sailors")
    stage.move("bob", "revealed", "ships")
    stage.move("ada", "infill", " and waited")
    finds = stage.move("ada", "finds", "tide")["id"]
    for word in ("lamp", "missing"):
        stage.go_on("ada", finds, word)
    stage.ids["finds_of_bob"] = stage.move("bob", "finds", "zebra")["id"]
    stage.post("ada", "/rounds/{queued}/submissions", {"move": "for ever"})


def _two_seats(stage: Stage) -> None:
    """Ada and Bob have finished a debate; in another it is Bob's turn. Cleo waits for somebody."""
    for name, turns in (("finished", 4), ("debating", 1)):
        stage.ids[name] = stage.post("ada", "/rounds/{debate}/challenges", {"seat": "black"})["id"]
        stage.ids[f"{name}_of_bob"] = stage.post("bob", "/rounds/{debate}/challenges", {})["id"]
        for turn in range(turns):
            who, play = (("ada", name), ("bob", f"{name}_of_bob"))[turn % 2]
            last = turn == 3  # the others are answered at once: nobody waits for the opponent's turn to end
            stage.go_on(who, stage.ids[play], f"It is good for you, {turn}.", wait=60 if last else 0)
    stage.ids["waiting"] = stage.post("cleo", "/rounds/{debate}/challenges", {})["id"]


def _endings(stage: Stage) -> None:
    hidden = stage.move("dot", "condense", "something rude")["id"]
    stage.post("host", f"/submissions/{hidden}:hide")
    left = stage.move("dot", "finds", "zebra")["id"]
    stage.post("dot", f"/submissions/{left}:resign")
    stage.post("host", "/rounds/{paused}:pause")
    for each in ("closed", "revealed"):
        stage.post("host", f"/rounds/{{{each}}}:close")
    stage.post("host", "/rounds/{revealed}:reveal", {"which": "all", "names": True})
    others = answer(stage.as_("ada").get(f"/rounds/{stage.ids['revealed']}/moves"))["items"]
    stage.ids["move_of_bob"] = others[0]["id"]
    stage.move("cleo", "revealed", "a storm at sea", practice=True)
    stage.post("host", "/players/{zoe}:remove")


def _games(stage: Stage) -> None:
    first = stage.upload(OWN.format(""), name="ours")
    stage.ids["own_game"] = stage.upload(OWN.format(" Loudly."), name="ours")
    stage.post("host", f"/games/{first}:withdraw")


def _shown(stage: Stage) -> None:
    """What a wall shows in its turn: a round that is revealed, and what the host said."""
    stage.competition("shown", "Monday class")
    stage.join("eve", "Eve", "shown")
    body = {"game": "condense", "passages": [PASSAGE], "judge": "pocket"}
    stage.ids["told"] = stage.post("host", "/competitions/{shown}/rounds", body)["id"]
    stage.move("eve", "told", "lighthouse sailors")
    stage.post("host", "/rounds/{told}:close")
    stage.post("host", "/rounds/{told}:reveal", {"which": "top", "names": True})
    for line in ("Welcome!", "Well done, everybody."):
        stage.post("host", "/competitions/{shown}/announcements", {"text": line})


def _rescored(stage: Stage) -> None:
    """Rounds that are scored again: one that waits for its judge, one to be applied, one that counts, one dropped."""
    stage.competition("again", "Tuesday class")
    for who, name in (("gil", "Gil"), ("hue", "Hue")):
        stage.join(who, name, "again")
    for name, game in (("measured", "condense"), ("replaced", "condense"), ("otherwise", stage.upload(STRICT))):
        body = {"game": game, "passages": [PASSAGE], "judge": "pocket"}
        stage.ids[name] = stage.post("host", "/competitions/{again}/rounds", body)["id"]
        for who, words in (("gil", "lighthouse sailors"), ("hue", "tax law")):
            stage.move(who, name, words)
    for name, round_, under in (
        ("again_waits", "condense", {"judge": "odd-judge"}),
        ("again_open", "measured", {"profile": "xent-0.5"}),
        ("again_rated", "debate", {"profile": "xent-0.5"}),
        ("again_applied", "replaced", {"profile": "xent-0.5"}),
        ("again_otherwise", "otherwise", {"profile": "xent-0.5"}),
        ("again_dropped", "measured", {"profile": "arena"}),
    ):
        stage.ids[name] = stage.post("host", f"/rounds/{{{round_}}}/rescorings", under)["id"]
    for name in ("again_open", "again_rated", "again_applied", "again_otherwise"):
        eventually(partial(_worked_out, stage, stage.ids[name]), seconds=180, what=name)
    for each in ("replaced", "otherwise"):
        stage.post("host", f"/rounds/{{{each}}}:close")
    stage.post("host", "/rescorings/{again_applied}:apply")
    stage.post("host", "/rescorings/{again_dropped}:drop")


def _worked_out(stage: Stage, rescoring: str) -> bool:
    found = answer(stage.as_("host").get(f"/rescorings/{rescoring}"))
    return bool(found["done"] == found["of"] > 0)
