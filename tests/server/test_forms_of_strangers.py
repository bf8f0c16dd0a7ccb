"""Every form of the pages, sent by those whom it is not for: a player of another competition, a removed player, and a
co-host who was dismissed."""

import re

from fastapi.routing import iter_route_contexts

from tests.support.duels import challenge, class_of
from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, RunningApp, new_class, nothing_changes
from tests.support.services import eventually
from tests.support.web import HTML
from tests.support.workers import PLAIN

#: Of no competition, or for whoever knows a secret: a code, a key, the address of a wall.
FOR_EVERYBODY = {"/join", "/join/name", "/sign-in", "/sign-out", "/language", "/me/key", "/show/{code}/names"}
#: Those that are about no competition but one's own.
OF_ONES_OWN = {"/lab/answers", "/lab/pairs", "/lab/passages", "/lab/readings", "/lab/samples", "/host/rounds/look"}
RESCORED = "SELECT count(*) FROM rescored_plays WHERE done AND rescoring_id = :id"
FIELDS = {
    "name": "a name",
    "move": "7",
    "minutes": "9",
    "number": "1",
    "which": "all",
    "source": "# A\n\nelicit(x, 5)\n",
    "lab": "closed",
    "joining": "locked",
    "total": "bits",
    "since": "2020-01-01T00:00:00+00:00",
    "until": "2999-01-01T00:00:00+00:00",
    "count": "2",
    "text": "Hear, hear",
}
ACTIONS = {
    "/host/games/{name}/{action}": "withdraw",
    "/host/players/{player_id}/{action}": "remove",
    "/host/submissions/{submission_id}/{action}": "hide",
    "/host/rounds/{round_id}/texts/{text_id}/{action}": "hide",
    "/host/rounds/{round_id}/{action}": "close",
    "/host/teams/{team_id}/{action}": "delete",
    "/host/hosts/{host_id}/{action}": "dismiss",
    "/host/judges/{action}": "distrust",
    "/host/competitions/{competition_id}/hosts/{host_id}/{action}": "dismiss",
}


def forms(house: RunningApp) -> list[str]:
    return [
        route.path_format
        for route in iter_route_contexts(house.app.routes)
        if route.path_format and "POST" in (route.methods or ()) and not route.path_format.startswith("/api/")
    ]


def things(lesson: Class, ada: Caller) -> dict[str, str]:
    """What there is of the class, by the names of parameters."""
    host, at = lesson.house.host, f"/competitions/{lesson.id}"
    scored = ada.score(lesson.round_id, "7")["id"]
    made = {
        "team_id": host.post(f"{at}/teams", json={"name": "The owls"}),
        "announcement_id": host.post(f"{at}/announcements", json={"text": "Hear, hear"}),
        "rescoring_id": host.post(f"/rounds/{lesson.round_id}/rescorings", json={}),
    }
    other = answer(host.post(f"{at}/hosts", json={"name": "Ms Byron"}), 201)["host"]["id"]
    known = {"competition_id": lesson.id, "round_id": lesson.round_id, "submission_id": scored, "host_id": other}
    known |= {"player_id": str(ada.id), "text_id": scored, "name": "condense", "removal": "rmv_none"}
    known |= {name: answer(each, 201)["id"] for name, each in made.items()}
    eventually(lambda: lesson.house.sql(RESCORED, id=known["rescoring_id"])[0][0] == 1, what="the rescoring")
    return known


def strangers(lesson: Class) -> dict[str, Caller]:
    house, at = lesson.house, f"/competitions/{lesson.id}/hosts"
    removed = lesson.join("Rod")
    answer(house.host.post(f"/players/{removed.id}:remove"))
    cohost = answer(house.host.post(at, json={"name": "Gone"}), 201)
    answer(house.host.post(f"/hosts/{cohost['host']['id']}:dismiss"))
    elsewhere = new_class(house, PLAIN)
    another_host = answer(house.host.post(f"/competitions/{elsewhere.id}/hosts", json={"name": "Mr Ad"}), 201)
    return {
        "of another competition": elsewhere.join("Sue"),
        "removed": removed,
        "dismissed": house.caller(cohost["token"]),
        "host of another competition": house.caller(another_host["token"]),
    }


def test_no_form_does_anything_for_strangers(house: RunningApp) -> None:
    duels = class_of(house)
    lesson = Class(house, duels.competition, duels.another_round(), PLAIN)
    ada = lesson.join("Ada")
    known = things(lesson, ada) | {"play_id": challenge(ada, duels)["play"]}
    roles = strangers(lesson)
    wrong = list[object]()
    with nothing_changes(house):
        for path in forms(house):
            if path in FOR_EVERYBODY | OF_ONES_OWN:
                continue
            there = re.sub(r"\{(\w+)\}", lambda found: known[found[1]], path.replace("{action}", ACTIONS.get(path, "")))
            for role, caller in roles.items():
                status = send(house, there, caller)
                if status not in (401, 403, 404):
                    wrong.append((role, path, status))
    assert not wrong, "\n".join(map(str, wrong))
    assert len(forms(house)) > 60


def send(house: RunningApp, path: str, caller: Caller) -> int:
    headers = {**HTML, "Origin": house.url, "Cookie": f"xentarena_token={caller.token}"}
    return house.http.post(f"{house.url}{path}", data=FIELDS, headers=headers).status_code
