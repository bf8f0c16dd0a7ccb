"""Every action of a host leaves a row, which hosts can read: who, when, what, before and after."""

import json
from functools import partial
from typing import Any

import pytest

from server.app import create_app
from server.settings import Settings
from tests.support.games import new_name, program
from tests.support.scenario.deployment import PASSAGE, answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class, problem
from tests.support.services import eventually
from tests.support.web import Visitor, text_of
from tests.support.workers import PLAIN, FakeJudge, at_work

#: What players and their programs send: no action of a host.
OF_PLAYERS = {
    "POST /competitions:join",
    "POST /rounds/{round_id}/submissions",
    "POST /rounds/{round_id}/submissions:begin",
    "POST /rounds/{round_id}/submissions:batch",
    "POST /rounds/{round_id}/moves:preview",
    "POST /rounds/{round_id}/challenges",
    "POST /challenges/{play_id}:accept",
    "POST /submissions/{submission_id}/moves",
    "POST /submissions/{submission_id}:resign",
    "POST /measurements",
    "POST /readings",
    "POST /samples",
    "POST /lab/passages",
    "POST /lab/answers",
    "POST /lab/pairs",
    "DELETE /me/token",
}
#: What workers ask.
OF_WORKERS = {
    f"POST /worker{route}"
    for route in (
        ":announce", ":leave", "/tokenizers", "/judges", "/jobs:claim", "/jobs:renew", "/jobs:release", "/jobs:publish",
    )
}  # fmt: skip
#: The rest, in an order in which each changes something, with what is sent and the action that the row tells.
ROUND: Json = {"game": "condense", "passages": [PASSAGE], "judge": "plain"}
OF_HOSTS: list[tuple[str, Json | None, str]] = [
    ("POST /competitions", {"name": "Friday class"}, "competition.create"),
    ("POST /competitions/{competition_id}:duplicate", {"name": "Again"}, "competition.create"),
    ("POST /competitions/{draft_competition}:publish", None, "competition.publish"),
    ("PATCH /competitions/{competition_id}", {"total": "points"}, "competition.total"),
    ("PATCH /competitions/{competition_id}", {"joining": "locked"}, "competition.joining"),
    ("PATCH /competitions/{competition_id}", {"lab": False}, "competition.lab"),
    ("PATCH /competitions/{competition_id}", {"closed_experiments": ["sampling"]}, "competition.experiments"),
    ("POST /competitions/{competition_id}:renew-code", None, "competition.code"),
    ("POST /competitions/{competition_id}:freeze", None, "competition.freeze"),
    ("POST /competitions/{competition_id}:unfreeze", None, "competition.unfreeze"),
    ("POST /competitions/{competition_id}/announcements", {"text": "Five minutes!"}, "announcement.make"),
    ("POST /announcements/{announcement_id}:withdraw", None, "announcement.withdraw"),
    ("PUT /competitions/{competition_id}/retention", {"days": 90}, "competition.retention"),
    ("PUT /retention", {"days": 3650}, "server.retention"),
    ("POST /hosts", {"name": "Ms Byron"}, "host.add"),
    ("POST /competitions/{competition_id}/hosts", {"name": "Ms Byron"}, "host.invite"),
    ("POST /hosts/{host_id}:renew", None, "host.renew"),
    ("POST /hosts/{host_id}:dismiss", None, "host.dismiss"),
    ("POST /keys", None, "key.replace"),
    ("POST /competitions/{competition_id}/rounds", ROUND, "round.create"),
    ("POST /rounds/{round_id}:duplicate", None, "round.create"),
    ("PATCH /rounds/{draft_id}", {"title": "Another"}, "round.change"),
    ("POST /rounds/{draft_id}:move", {"number": 1}, "round.move"),
    ("POST /rounds/{draft_id}:delete", None, "round.delete"),
    ("POST /rounds/{draft_id}:restore", None, "round.restore"),
    ("POST /rounds/{draft_id}:publish", None, "round.publish"),
    ("POST /submissions/{submission_id}:hide", None, "submission.hide"),
    ("POST /submissions/{submission_id}:show", None, "submission.show"),
    ("POST /rounds/{timed_id}:prolong", {"seconds": 60}, "round.end"),
    ("POST /rounds/{round_id}:pause", None, "round.paused"),
    ("POST /rounds/{round_id}:open", None, "round.opened"),
    ("POST /rounds/{round_id}:close", None, "round.closed"),
    ("POST /rounds/{round_id}/rescorings", {}, "round.rescore"),
    ("POST /rescorings/{rescoring_id}:apply", None, "round.rescore-apply"),
    ("POST /rescorings/{dropped_id}:drop", None, "round.rescore-drop"),
    ("POST /rounds/{round_id}:reveal", {"which": "all"}, "round.reveal"),
    ("POST /rounds/{round_id}:conceal", None, "round.conceal"),
    ("POST /competitions/{competition_id}/teams", {"name": "Owls"}, "team.create"),
    ("PATCH /teams/{team_id}", {"name": "Night owls"}, "team.rename"),
    ("DELETE /teams/{team_id}", None, "team.delete"),
    ("POST /teams/{team_id}:restore", None, "team.restore"),
    ("PUT /players/{player_id}/team", None, "player.team"),
    ("POST /competitions/{competition_id}/teams:spread", {"count": 2}, "teams.spread"),
    ("PATCH /players/{player_id}", {"name": "Ada L."}, "player.rename"),
    ("POST /players/{player_id}:new-key", None, "player.key"),
    ("POST /players/{waiting_id}:admit", None, "player.admit"),
    ("POST /players/{player_id}:remove", None, "player.remove"),
    ("POST /players/{player_id}:readmit", None, "player.readmit"),
    ("DELETE /players/{player_id}", {"name": "Ada L."}, "player.delete"),
    ("POST /games", {}, "game.upload"),
    ("POST /games/{name}:withdraw", None, "game.withdraw"),
    ("POST /games/{name}:restore", None, "game.restore"),
]
#: Of several players at once, of a file that comes back, or of a worker: what each does is tested where they are.
OF_MANY = {
    "POST /competitions/{competition_id}/players:admit",
    "POST /competitions/{competition_id}/players:remove",
    "POST /competitions/{competition_id}/players:readmit",
    "POST /competitions/{competition_id}/roster",
    "POST /competitions/{competition_id}/roster:preview",
    "POST /rounds/{round_id}/submissions:hide",
    "POST /rounds/{round_id}/submissions:show",
    "POST /competitions/{competition_id}/gradebook",
    "POST /competitions/{competition_id}/gradebook:preview",
    "POST /judges/{identity}:accept",
    "POST /workers:distrust",
    "POST /workers:trust",
}
#: Names of the tests' own for places in the addresses.
PLACES = {
    "draft_competition": "competition_id",
    "draft_id": "round_id",
    "timed_id": "round_id",
    "dropped_id": "rescoring_id",
    "waiting_id": "player_id",
}
UNTOLD = {"host.renew", "player.key", "player.delete"}  # nothing that could be told of before and after


def rows(lesson: Class) -> list[Json]:
    return [json.loads(line) for line in lesson.house.host.get("/audit.jsonl").text.splitlines()]


def _worked_out(host: Caller, rescoring: str) -> bool:
    return bool(answer(host.get(f"/rescorings/{rescoring}"))["done"] == 1)


def things(lesson: Class, name: str) -> dict[str, str]:
    """What the routes are about."""
    host, ada, at = lesson.house.host, lesson.join("Ada"), f"/competitions/{lesson.id}"
    answer(host.request("PATCH", at, json={"joining": "approval"}))
    waiting = lesson.join("Wim")
    answer(host.request("PATCH", at, json={"joining": "open"}))
    at_round = f"/rounds/{lesson.round_id}/rescorings"
    scored = str(ada.score(lesson.round_id, "25")["id"])
    applied, dropped = (answer(host.post(at_round, json={}), 201)["id"] for _ in range(2))
    for each in (applied, dropped):
        eventually(partial(_worked_out, host, each), what="the rescoring")
    return {
        "rescoring_id": applied,
        "dropped_id": dropped,
        "competition_id": lesson.id,
        "draft_competition": answer(host.post("/competitions", json={"name": "Draft", "draft": True}), 201)["id"],
        "round_id": lesson.round_id,
        "draft_id": answer(host.post(f"/rounds/{lesson.round_id}:duplicate"), 201)["id"],
        "timed_id": lesson.another_round(closes_at="2090-01-01T00:00:00Z")["id"],
        "player_id": str(ada.id),
        "waiting_id": str(waiting.id),
        "submission_id": scored,
        "host_id": answer(host.post(f"{at}/hosts", json={"name": "Ms Byron"}), 201)["host"]["id"],
        "announcement_id": answer(host.post(f"{at}/announcements", json={"text": "Hello"}), 201)["id"],
        "name": name,
        "team_id": answer(host.post(f"{at}/teams", json={"name": "Larks"}), 201)["id"],
    }


@pytest.mark.slow
def test_every_action_of_a_host_leaves_a_row_with_before_and_after(lesson: Class) -> None:
    offered = {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, item in create_app(Settings(redis_url="redis://127.0.0.1:1/0")).openapi()["paths"].items()
        for method in item
        if method != "get" and path.startswith("/api/v1")
    }
    routes = {route.format_map(Placed()) for route, _, _ in OF_HOSTS}
    assert routes | OF_MANY == offered - OF_PLAYERS - OF_WORKERS, "who makes a route says here whose it is"
    name = new_name()
    here = things(lesson, name)
    for route, body, action in OF_HOSTS:
        sent: dict[str, Any] = {} if body is None else {"json": body}
        if route.endswith("/team"):
            sent = {"json": {"team": here["team_id"]}}
        if route == "POST /games":
            sent = {"json": {"name": name, "source": program(name)}}
        before = len(rows(lesson))
        method, path = route.split(" ")
        answered = lesson.house.host.request(method, path.format(**here), **sent)
        assert answered.status_code in (200, 201, 204), (route, answered.text)
        new = rows(lesson)[before:]
        assert [row["action"] for row in new][:1] == [action], route
        assert action in UNTOLD or new[0]["before"] != new[0]["after"], route


class Placed(dict[str, str]):
    """Every place of an address as the route calls it."""

    def __missing__(self, place: str) -> str:
        return f"{{{PLACES.get(place, place)}}}"


def test_hosts_read_what_was_done_in_their_competition(lesson: Class, visitor: Visitor) -> None:
    ada = lesson.join("Ada <b>")
    sent = ada.score(lesson.round_id, "25")["id"]
    for path in (f"/submissions/{sent}:hide", f"/players/{ada.id}:remove", f"/competitions/{lesson.id}:freeze"):
        answer(lesson.house.host.post(path))
    visitor.sign_in(lesson.house.host)
    page = visitor.get(f"/host/competitions/{lesson.id}")
    assert f'href="/host/competitions/{lesson.id}/audit"' in page.text
    told = text_of(visitor.get(f"/host/competitions/{lesson.id}/audit"))
    assert "removed a player: Ada <b> no yes" in told
    order = ["froze the boards", "removed a player", "hid a move: a move of Ada <b>", "made a round: Round 1"]
    assert [told.index(each) for each in order] == sorted(told.index(each) for each in order), "newest first"
    other = text_of(visitor.send("/host/competitions", name="Another"))
    assert "Another" in other
    assert "Another" not in text_of(visitor.get(f"/host/competitions/{lesson.id}/audit"))


def test_judges_of_an_edited_round_are_told_by_their_names(house: RunningApp, visitor: Visitor) -> None:
    one, two = FakeJudge(direction="backward"), FakeJudge(direction="backward")
    with at_work(house.redis_url, one), at_work(house.redis_url, two):
        for each in (one, two):
            eventually(partial(house.measurable, each), what="the judges")
        lesson = new_class(house, PLAIN, game="arrow_of_time", passages=[], judges={"backward": one.identity})
        changed = {"judges": {"backward": two.identity}, "second_judge": None, "title": "Back"}
        answer(house.host.request("PATCH", f"/rounds/{lesson.round_id}", json=changed))
    visitor.sign_in(house.host)
    told = text_of(visitor.get(f"/host/competitions/{lesson.id}/audit"))
    assert f"judges: {one.name} (backward); title: – judges: {two.name} (backward); title: Back" in told


def test_the_audit_has_pages_and_is_for_hosts(lesson: Class, visitor: Visitor) -> None:
    for _ in range(30):
        for total in ("bits", "points"):
            answer(lesson.house.host.request("PATCH", f"/competitions/{lesson.id}", json={"total": total}))
    visitor.sign_in(lesson.house.host)
    first = visitor.get(f"/host/competitions/{lesson.id}/audit")
    assert text_of(first).count("changed what the board adds up") == 50
    older = first.text.partition("?before=")[2].partition('"')[0]
    second = text_of(visitor.get(f"/host/competitions/{lesson.id}/audit?before={older}"))
    assert second.count("changed what the board adds up") == 10
    assert "made the competition" in second
    assert visitor.get(f"/host/competitions/{lesson.id}/audit?before=x").status_code == 422
    assert visitor.get("/host/competitions/nope/audit").status_code == 404
    visitor.sign_in(lesson.join("Bob"))
    assert visitor.get(f"/host/competitions/{lesson.id}/audit").status_code == 403
    problem(lesson.join().get("/audit.jsonl"), 403, "forbidden")
