"""Who may ask for what: every role at every route of the OpenAPI document."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from server.arena import worker_tokens
from server.arena.callers import issue
from server.db.session import now
from server.db.states import Scope
from tests.support.duels import DUEL, challenge
from tests.support.scenario.deployment import PASSAGE, answer
from tests.support.server import Caller, Class, Json, RunningApp
from tests.support.workers import PLAIN

ROLES = (
    "nobody", "player", "stranger", "bot", "removed", "reader", "observer", "cohost", "maker", "other host", "owner",
    "worker",
)  # fmt: skip

#: Route → for each role, in this order: + it is let in, 1 answered 401, 3 answered 403.
ALLOWED = """
    GET    /healthz                                     ++++++++++++
    GET    /readyz                                      ++++++++++++
    GET    /api/v1/judges                               ++++++++++++
    GET    /api/v1/judges/{name}                        ++++++++++++
    GET    /api/v1/workers                              1333333++++3
    GET    /api/v1/games                                ++++++++++++
    GET    /api/v1/games/{name}                         ++++++++++++
    GET    /api/v1/games/{name}/versions                ++++++++++++
    GET    /api/v1/keys                                 ++++++++++++
    POST   /api/v1/competitions:join                    ++++++++++++
    GET    /api/v1/me                                   1+++3++++++3
    GET    /api/v1/me/submissions                       1+++3++++++3
    GET    /api/v1/competitions                         1+++3++++++3
    POST   /api/v1/competitions                         13333333+++3
    POST   /api/v1/games                                13333333+++3
    POST   /api/v1/games/{name}:withdraw                13333333+3+3
    POST   /api/v1/games/{name}:restore                 13333333+3+3
    POST   /api/v1/keys                                 1333333333+3
    POST   /api/v1/judges/{identity}:accept             1333333333+3
    POST   /api/v1/workers:distrust                     1333333333+3
    POST   /api/v1/workers:trust                        1333333333+3
    POST   /api/v1/hosts                                1333333333+3
    GET    /api/v1/hosts                                1333333333+3
    GET    /api/v1/audit.jsonl                          1333333333+3
    GET    /api/v1/competitions/{competition_id}        1+3+3++++3+3
    GET    /api/v1/competitions/{competition_id}/rounds      1+3+3++++3+3
    GET    /api/v1/competitions/{competition_id}/leaderboard 1+3+3++++3+3
    GET    /api/v1/competitions/{competition_id}/league      1+3+3++++3+3
    GET    /api/v1/competitions/{competition_id}/events      1+3+3++++3+3
    PATCH  /api/v1/competitions/{competition_id}             1333333++3+3
    GET    /api/v1/competitions/{competition_id}/players     133333+++3+3
    GET    /api/v1/competitions/{competition_id}/results.csv 133333+++3+3
    GET    /api/v1/competitions/{competition_id}/moves.csv   133333+++3+3
    GET    /api/v1/competitions/{competition_id}/moves.jsonl 133333+++3+3
    POST   /api/v1/competitions/{competition_id}/gradebook         133333+++3+3
    POST   /api/v1/competitions/{competition_id}/gradebook:preview 133333+++3+3
    GET    /api/v1/competitions/{competition_id}/hosts       133333+++3+3
    POST   /api/v1/competitions/{competition_id}/hosts       1333333++3+3
    POST   /api/v1/competitions/{competition_id}/rounds      1333333++3+3
    GET    /api/v1/competitions/{competition_id}/announcements   1+3+3++++3+3
    POST   /api/v1/competitions/{competition_id}/announcements   1333333++3+3
    POST   /api/v1/announcements/{announcement_id}:withdraw      1333333++3+3
    POST   /api/v1/competitions/{competition_id}/roster          1333333++3+3
    POST   /api/v1/competitions/{competition_id}/roster:preview  1333333++3+3
    POST   /api/v1/competitions/{competition_id}/players:admit   1333333++3+3
    POST   /api/v1/competitions/{competition_id}/players:remove  1333333++3+3
    POST   /api/v1/competitions/{competition_id}/players:readmit 1333333++3+3
    GET    /api/v1/competitions/{competition_id}/teams            1+3+3++++3+3
    POST   /api/v1/competitions/{competition_id}/teams            1333333++3+3
    POST   /api/v1/competitions/{competition_id}/teams:spread     1333333++3+3
    GET    /api/v1/competitions/{competition_id}/team-leaderboard 1+3+3++++3+3
    GET    /api/v1/rounds/{round_id}/team-leaderboard             1+3+3++++3+3
    PATCH  /api/v1/teams/{team_id}                                1333333++3+3
    DELETE /api/v1/teams/{team_id}                                1333333++3+3
    POST   /api/v1/teams/{team_id}:restore                        1333333++3+3
    PUT    /api/v1/players/{player_id}/team                       1333333++3+3
    POST   /api/v1/competitions/{competition_id}:renew-code      1333333++3+3
    PATCH  /api/v1/players/{player_id}                       1333333++3+3
    POST   /api/v1/players/{player_id}:admit                 1333333++3+3
    POST   /api/v1/players/{player_id}:new-key               1333333++3+3
    POST   /api/v1/competitions/{competition_id}:publish     1333333++3+3
    POST   /api/v1/competitions/{competition_id}:duplicate   13333333+3+3
    POST   /api/v1/competitions/{competition_id}:freeze      1333333++3+3
    POST   /api/v1/competitions/{competition_id}:unfreeze    1333333++3+3
    GET    /api/v1/competitions/{competition_id}/retention   133333+++3+3
    PUT    /api/v1/competitions/{competition_id}/retention   1333333++3+3
    GET    /api/v1/retention                                 1333333333+3
    PUT    /api/v1/retention                                 1333333333+3
    DELETE /api/v1/players/{player_id}                       1333333++3+3
    PATCH  /api/v1/rounds/{round_id}                         1333333++3+3
    POST   /api/v1/rounds/{round_id}:publish                 1333333++3+3
    POST   /api/v1/rounds/{round_id}:prolong                 1333333++3+3
    POST   /api/v1/rounds/{round_id}:duplicate               1333333++3+3
    POST   /api/v1/rounds/{round_id}:move                    1333333++3+3
    POST   /api/v1/rounds/{round_id}:delete                  1333333++3+3
    POST   /api/v1/rounds/{round_id}:restore                 1333333++3+3
    POST   /api/v1/hosts/{host_id}:renew                     1333333++3+3
    POST   /api/v1/hosts/{host_id}:dismiss                   1333333++3+3
    POST   /api/v1/players/{player_id}:remove                1333333++3+3
    POST   /api/v1/players/{player_id}:readmit               1333333++3+3
    GET    /api/v1/rounds/{round_id}                         1+3+3++++3+3
    GET    /api/v1/rounds/{round_id}/leaderboard             1+3+3++++3+3
    GET    /api/v1/rounds/{round_id}/submissions             1+3+3++++3+3
    GET    /api/v1/rounds/{round_id}/challenges              1+3+3++++3+3
    GET    /api/v1/rounds/{round_id}/moves                   1+3+3++++3+3
    GET    /api/v1/rounds/{round_id}/moves/{move_id}         1+3+3++++3+3
    POST   /api/v1/rounds/{round_id}:open                    1333333++3+3
    POST   /api/v1/rounds/{round_id}:pause                   1333333++3+3
    POST   /api/v1/rounds/{round_id}:close                   1333333++3+3
    POST   /api/v1/rounds/{round_id}:reveal                  1333333++3+3
    GET    /api/v1/rounds/{round_id}/reveal                  133333+++3+3
    POST   /api/v1/rounds/{round_id}/submissions:hide        1333333++3+3
    POST   /api/v1/rounds/{round_id}/submissions:show        1333333++3+3
    POST   /api/v1/rounds/{round_id}:conceal                 1333333++3+3
    POST   /api/v1/rounds/{round_id}/rescorings              1333333++3+3
    GET    /api/v1/rounds/{round_id}/rescorings              133333+++3+3
    GET    /api/v1/rounds/{round_id}/second-judge            1+3+3++++3+3
    GET    /api/v1/rescorings/{rescoring_id}                 133333+++3+3
    POST   /api/v1/rescorings/{rescoring_id}:apply           1333333++3+3
    POST   /api/v1/rescorings/{rescoring_id}:drop            1333333++3+3
    POST   /api/v1/rounds/{round_id}/submissions             1+3+33333333
    POST   /api/v1/rounds/{round_id}/submissions:begin       1+3+33333333
    POST   /api/v1/rounds/{round_id}/submissions:batch       1+3+33333333
    POST   /api/v1/rounds/{round_id}/moves:preview           1+3+33333333
    POST   /api/v1/rounds/{round_id}/challenges              1+3+33333333
    POST   /api/v1/challenges/{play_id}:accept               1+3+33333333
    GET    /api/v1/submissions/{submission_id}               1+3333+++3+3
    GET    /api/v1/submissions/{submission_id}/receipt       1+3333+++3+3
    POST   /api/v1/submissions/{submission_id}/moves         1+3333333333
    POST   /api/v1/submissions/{submission_id}:resign        1+3333333333
    POST   /api/v1/submissions/{submission_id}:hide          1333333++3+3
    POST   /api/v1/submissions/{submission_id}:show          1333333++3+3
    POST   /api/v1/measurements                              1+++33+++++3
    GET    /api/v1/measurements/{key}                        1+++33+++++3
    POST   /api/v1/readings                                  1+++33+++++3
    GET    /api/v1/readings/{reading_id}                     1+++3++++++3
    POST   /api/v1/samples                                   1+++33+++++3
    GET    /api/v1/samples/{samples_id}                      1+++3++++++3
    POST   /api/v1/lab/passages                              1+++33+++++3
    GET    /api/v1/lab/passages/{passages_id}                1+++3++++++3
    POST   /api/v1/lab/answers                               1+++33+++++3
    GET    /api/v1/lab/answers/{answers_id}                  1+++3++++++3
    POST   /api/v1/lab/pairs                                 1+++33+++++3
    GET    /api/v1/lab/pairs/{pair_id}                       1+++3++++++3
    GET    /api/v1/worker                                13333333333+
    POST   /api/v1/worker:announce                       13333333333+
    POST   /api/v1/worker/tokenizers                     13333333333+
    POST   /api/v1/worker/judges                         13333333333+
    POST   /api/v1/worker/jobs:claim                     13333333333+
    POST   /api/v1/worker/jobs:renew                     13333333333+
    POST   /api/v1/worker/jobs:release                   13333333333+
    POST   /api/v1/worker/jobs:publish                   13333333333+
    POST   /api/v1/worker:leave                          13333333333+
"""
TABLE = {f"{method} {path}": marks for method, path, marks in (line.split() for line in ALLOWED.strip().splitlines())}
MARKS = {401: "1", 403: "3"}
PROGRAM = "# A game of {}\n#\n# Write.\n\nelicit(x, 10)\nreward(xed(x | story()))\n"
CSV: Json = {"headers": {"Content-Type": "text/csv"}}
MEASUREMENT = {"prefix": "", "text": PASSAGE}


@dataclass(frozen=True)
class School:
    """A competition that a host of their own made, with everybody there is, and things to be asked for."""

    lesson: Class
    roles: Mapping[str, Caller]
    things: Mapping[str, str]

    def asked(self, role: str, route: str) -> str:
        method, path = route.split()
        things = {**self.things, **(FRESH[route](self) if route in FRESH else {})}
        path = path.format_map(things)
        given = BODIES[route](self) if route in BODIES else None
        body = CSV | {"content": given} if isinstance(given, str) else {"json": given}
        who = self.roles[role]
        path = path.removeprefix("/api/v1") if path.startswith("/api/v1") else f"{self.lesson.house.url}{path}"
        request = who.http.build_request(method, path, **body)
        request.headers.update(who.headers)
        response = who.http.send(request, stream=True)  # a feed never ends
        response.close()
        return MARKS.get(response.status_code, "+")


numbers = count()


def new_host(owner: Caller, path: str = "/hosts", **body: Any) -> Json:
    made: Json = answer(owner.post(path, json={"name": f"host {next(numbers)}", **body}), 201)
    return made


def founded(house: RunningApp, maker: Caller, game: str) -> Class:
    """A competition of this host's with a round."""
    competition = answer(maker.post("/competitions", json={"name": "A class"}), 201)
    return Class(house, competition, another_round(maker, competition, game), PLAIN)


def another_round(maker: Caller, competition: Json, game: str) -> Json:
    body = {"game": game, "passages": [PASSAGE], "judge": PLAIN.identity}
    made: Json = answer(maker.post(f"/competitions/{competition['id']}/rounds", json=body), 201)
    return made


def everybody(house: RunningApp) -> tuple[Class, dict[str, Caller]]:
    maker, other = (house.caller(new_host(house.host)["token"]) for _ in range(2))
    lesson = founded(house, maker, "condense")
    at = f"/competitions/{lesson.id}/hosts"
    reader, _ = house.database.write(
        lambda session: issue(session, Scope.BOARD, now(session), competition_id=lesson.id)
    )
    removed = lesson.join("Rod")
    answer(maker.post(f"/players/{removed.id}:remove"))
    return lesson, {
        "nobody": house.anyone,
        "player": lesson.join("Ada"),
        "stranger": founded(house, other, "condense").join("Sue"),
        "bot": lesson.join("Bot", kind="bot"),
        "removed": removed,
        "reader": house.caller(reader),
        "observer": house.caller(new_host(maker, at, scope="observer")["token"]),
        "cohost": house.caller(new_host(maker, at)["token"]),
        "maker": maker,
        "other host": other,
        "owner": house.host,
        "worker": house.caller(house.database.write(lambda session: worker_tokens.create(session, "a GPU")[0])),
    }


@pytest.fixture(scope="module")
def school(sqlite_house: RunningApp) -> School:
    house = sqlite_house
    lesson, roles = everybody(house)
    maker = roles["maker"]
    game = answer(maker.post("/games", json={"source": PROGRAM.format("ours"), "name": "ours"}), 201)
    duels = Class(house, lesson.competition, another_round(maker, lesson.competition, house.install_game(DUEL)), PLAIN)
    measured = answer(house.host.post("/measurements", json=MEASUREMENT | {"judge": PLAIN.identity}), 201, 202)
    things = {
        "competition_id": lesson.id,
        "round_id": lesson.round_id,
        "submission_id": roles["player"].score(lesson.round_id, "7 of ada")["id"],
        "key": measured["id"],
        "name": game["name"],
        "identity": PLAIN.identity,
        "move_id": "mov_none",
        "reading_id": "none",
        **dict.fromkeys(("samples_id", "passages_id", "answers_id", "pair_id"), "none"),
        "play_id": challenge(roles["bot"], duels)["play"],
        "rescoring_id": answer(maker.post(f"/rounds/{lesson.round_id}/rescorings", json={}), 201)["id"],
    }
    return School(lesson, roles, things)


def a_coming(school: School) -> dict[str, str]:
    joined = answer(school.lesson.house.anyone.post("/competitions:join", json=a_joining(school)), 201)
    return {"player_id": joined["player"]["id"]}


def a_joining(school: School) -> Json:
    now_ = answer(school.roles["owner"].get(f"/competitions/{school.lesson.id}"))  # its code may be another by now
    return {"code": now_["code"], "name": f"name {next(numbers)}"}


def a_draft(school: School) -> dict[str, str]:
    path = f"/rounds/{school.lesson.round_id}:duplicate"
    return {"round_id": answer(school.roles["owner"].post(path), 201)["id"]}


def a_deleted_draft(school: School) -> dict[str, str]:
    made = a_draft(school)
    answer(school.roles["owner"].post(f"/rounds/{made['round_id']}:delete"))
    return made


def a_host(school: School) -> dict[str, str]:
    made = new_host(school.roles["owner"], f"/competitions/{school.lesson.id}/hosts")
    return {"host_id": made["host"]["id"]}


def a_team(school: School) -> dict[str, str]:
    answer(school.roles["owner"].post(f"/competitions/{school.lesson.id}:unfreeze"))  # another test may have frozen it
    made = school.roles["owner"].post(f"/competitions/{school.lesson.id}/teams", json={"name": f"t {next(numbers)}"})
    return {"team_id": answer(made, 201)["id"]}


def a_deleted_team(school: School) -> dict[str, str]:
    made = a_team(school)
    answer(school.roles["owner"].request("DELETE", f"/teams/{made['team_id']}"))
    return made


def an_announcement(school: School) -> dict[str, str]:
    made = school.roles["owner"].post(f"/competitions/{school.lesson.id}/announcements", json={"text": "Hear, hear"})
    return {"announcement_id": answer(made, 201)["id"]}


def _bodies() -> dict[str, Callable[[School], object]]:
    at = "POST /api/v1/competitions/{competition_id}"
    round_ = "POST /api/v1/rounds/{round_id}"
    said = {"move": "7"}
    return {
        "POST /api/v1/competitions:join": a_joining,
        "POST /api/v1/competitions": lambda _: {"name": "Another"},
        "PATCH /api/v1/competitions/{competition_id}": lambda _: {"total": "bits"},
        "POST /api/v1/games": lambda _: {"source": PROGRAM.format(n := f"g{next(numbers)}"), "name": n},
        "POST /api/v1/hosts": lambda _: {"name": "Somebody"},
        f"{at}/roster": lambda _: f"name {next(numbers)}",
        f"{at}/roster:preview": lambda _: f"name {next(numbers)}",
        f"{at}/gradebook": lambda _: "Student,ID,X\nAda,1,\n",
        f"{at}/gradebook:preview": lambda _: "Student,ID,X\nAda,1,\n",
        f"{at}/players:remove": lambda _: {"joined_since": "2999-01-01T00:00:00Z"},
        f"{at}/players:readmit": lambda _: {"removal": "rmv_none"},
        "PATCH /api/v1/players/{player_id}": lambda _: {"name": f"name {next(numbers)}"},
        f"{at}/announcements": lambda _: {"text": "Hear, hear"},
        f"{at}/hosts": lambda _: {"name": "Somebody"},
        f"{at}/rounds": lambda _: {"game": "condense", "passages": [PASSAGE], "judge": PLAIN.identity},
        f"{at}:duplicate": lambda _: {"name": "Again"},
        "PATCH /api/v1/rounds/{round_id}": lambda _: {"title": "Another"},
        "DELETE /api/v1/players/{player_id}": lambda _: {"name": "not the name"},
        f"{round_}:prolong": lambda _: {"seconds": 60},
        f"{round_}:move": lambda _: {"number": 1},
        f"{round_}:reveal": lambda _: {"which": "all"},
        f"{round_}/submissions:hide": lambda _: {"submissions": ["sub_none"]},
        f"{round_}/submissions:show": lambda _: {"submissions": ["sub_none"]},
        f"{round_}/rescorings": lambda _: {},
        f"{round_}/submissions": lambda _: said,
        f"{round_}/submissions:begin": lambda _: {},
        f"{round_}/submissions:batch": lambda _: {"items": [said]},
        f"{round_}/moves:preview": lambda _: said,
        f"{round_}/challenges": lambda _: {},
        "POST /api/v1/challenges/{play_id}:accept": lambda _: {},
        "POST /api/v1/submissions/{submission_id}/moves": lambda _: said,
        "POST /api/v1/measurements": lambda _: MEASUREMENT | {"judge": PLAIN.identity},
    }


def _bodies_of_teams() -> dict[str, Callable[[School], object]]:
    return {
        "POST /api/v1/competitions/{competition_id}/teams": lambda _: {"name": f"name {next(numbers)}"},
        "POST /api/v1/competitions/{competition_id}/teams:spread": lambda _: {"count": 1},
        "PATCH /api/v1/teams/{team_id}": lambda _: {"name": f"name {next(numbers)}"},
        "PUT /api/v1/players/{player_id}/team": lambda _: {"team": None},
        "PUT /api/v1/competitions/{competition_id}/retention": lambda _: {"days": 9},
        "PUT /api/v1/retention": lambda _: {"days": None},
        "POST /api/v1/workers:distrust": lambda _: {"kind": "worker", "name": "none"},
        "POST /api/v1/workers:trust": lambda _: {"kind": "worker", "name": "none"},
    }


def _bodies_of_workers() -> dict[str, Callable[[School], object]]:
    at, digest = "POST /api/v1/worker", "0" * 64
    judge = {"identity": "j", "name": "j", "context": 9, "bos": 0, "direction": "forward", "dtype": "float32"}
    bodies: dict[str, Json] = {
        f"{at}:announce": {"judges": [], "build": "cpu"},
        f"{at}/tokenizers": {"digest": digest, "start": 0, "part": ""},
        f"{at}/judges": {**judge, "build": "cpu", "tokenizer": digest},
        f"{at}/jobs:claim": {"judges": ["none"], "count": 1},
        f"{at}/jobs:renew": {"jobs": []},
        f"{at}/jobs:release": {"jobs": []},
        f"{at}/jobs:publish": {"results": []},
        f"{at}:leave": {"judges": []},
    }
    return {route: lambda _, body=body: {"worker": "w-1", **body} for route, body in bodies.items()}  # type: ignore[misc]


BODIES = _bodies() | _bodies_of_teams() | _bodies_of_workers()
BODIES["POST /api/v1/readings"] = BODIES["POST /api/v1/measurements"]
BODIES["POST /api/v1/samples"] = lambda _: {"judge": PLAIN.identity, "prefix": "a", "methods": ["greedy"], "tokens": 1}
BODIES["POST /api/v1/lab/passages"] = lambda _: {"judge": PLAIN.identity, "prefix": "a", "texts": ["b", "c"]}
BODIES["POST /api/v1/lab/answers"] = lambda _: {"judge": PLAIN.identity, "question": "a", "answers": ["b", "c"]}
BODIES["POST /api/v1/lab/pairs"] = lambda _: {"judge": PLAIN.identity, "first": "a", "second": "b"}
#: What a request uses up, made for each.
FRESH: dict[str, Callable[[School], dict[str, str]]] = {
    "POST /api/v1/announcements/{announcement_id}:withdraw": an_announcement,
    "POST /api/v1/hosts/{host_id}:renew": a_host,
    "POST /api/v1/hosts/{host_id}:dismiss": a_host,
    "POST /api/v1/players/{player_id}:remove": a_coming,
    "POST /api/v1/players/{player_id}:admit": a_coming,
    "POST /api/v1/players/{player_id}:new-key": a_coming,
    "PATCH /api/v1/players/{player_id}": a_coming,
    "DELETE /api/v1/players/{player_id}": a_coming,
    **dict.fromkeys((f"POST /api/v1/rounds/{{round_id}}:{how}" for how in ("delete", "duplicate", "publish")), a_draft),
    "POST /api/v1/rounds/{round_id}:restore": a_deleted_draft,
    "POST /api/v1/players/{player_id}:readmit": a_coming,
    "PUT /api/v1/players/{player_id}/team": a_coming,
    "PATCH /api/v1/teams/{team_id}": a_team,
    "DELETE /api/v1/teams/{team_id}": a_team,
    "POST /api/v1/teams/{team_id}:restore": a_deleted_team,
}
#: It ends the role, so nobody asks.
LEFT_OUT = {"DELETE /api/v1/me/token"}


def test_no_route_is_missing(sqlite_house: RunningApp) -> None:
    paths = sqlite_house.app.openapi()["paths"]
    routes = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert routes == TABLE.keys() | LEFT_OUT


@pytest.mark.parametrize("route", TABLE)
def test_a_route_is_for_those_it_is_for(school: School, route: str) -> None:
    found = "".join(school.asked(role, route) for role in ROLES)
    assert found == TABLE[route], dict(zip(ROLES, found, strict=True))
