"""The OpenAPI document is the contract: whole, with every refusal in it, and its examples are true."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from server.api import bodies, schemas
from server.api.problems import MEDIA
from server.arena import worker_tokens
from tests.support import contract
from tests.support.duels import class_of, duel
from tests.support.scenario.deployment import answer
from tests.support.server import Class, Json, RunningApp, new_class
from tests.support.services import eventually
from tests.support.workers import PLAIN, FakeJudge, Hand

PROMISED = """
    GET /competitions
    POST /competitions
    POST /competitions:join
    GET /competitions/{}
    GET /competitions/{}/players
    POST /competitions/{}/players:admit
    POST /competitions/{}/players:remove
    POST /competitions/{}/players:readmit
    POST /competitions/{}/roster
    POST /competitions/{}/roster:preview
    POST /competitions/{}:renew-code
    PATCH /players/{}
    POST /players/{}:admit
    POST /players/{}:new-key
    POST /players/{}:remove
    POST /players/{}:readmit
    GET /competitions/{}/rounds
    POST /competitions/{}/rounds
    GET /competitions/{}/leaderboard
    GET /competitions/{}/events
    GET /rounds/{}
    GET /rounds/{}/submissions
    POST /rounds/{}/submissions
    POST /rounds/{}/submissions:batch
    GET /rounds/{}/leaderboard
    GET /rounds/{}/moves
    GET /rounds/{}/moves/{}
    PATCH /rounds/{}
    POST /rounds/{}:publish
    POST /rounds/{}:prolong
    POST /rounds/{}:duplicate
    POST /rounds/{}:move
    POST /rounds/{}:delete
    POST /rounds/{}:restore
    POST /competitions/{}:publish
    POST /competitions/{}:duplicate
    POST /rounds/{}:reveal
    POST /rounds/{}:conceal
    GET /submissions/{}
    POST /submissions/{}/moves
    PATCH /competitions/{}
    GET /competitions/{}/results.csv
    GET /competitions/{}/moves.csv
    GET /competitions/{}/moves.jsonl
    POST /competitions/{}/gradebook
    POST /competitions/{}/gradebook:preview
    GET /competitions/{}/announcements
    POST /competitions/{}/announcements
    POST /announcements/{}:withdraw
    GET /audit.jsonl
    GET /submissions/{}/receipt
    GET /keys
    POST /keys
    DELETE /players/{}
    GET /me
    GET /me/submissions
    GET /judges
    GET /games
    POST /games
    GET /games/{}
    GET /games/{}/versions
    POST /games/{}:withdraw
    POST /games/{}:restore
    POST /measurements
    POST /readings
    GET /readings/{}
    POST /samples
    GET /samples/{}
    POST /lab/passages
    GET /lab/passages/{}
    POST /lab/answers
    GET /lab/answers/{}
    POST /lab/pairs
    GET /lab/pairs/{}
"""
#: operationId, method, path, who may ask, statuses: of every route. A new route adds a line.
RECORDED = Path(__file__).parent / "operations.txt"


@pytest.fixture(scope="module")
def document() -> Json:
    return contract.document()


def operations(document: Json) -> Iterator[tuple[str, Json]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in contract.METHODS:
                yield f"{method.upper()} {path}", operation


def everything(node: object) -> Iterator[Json]:
    """Every object in the document."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from everything(value)
    elif isinstance(node, list):
        for value in node:
            yield from everything(value)


def test_it_is_served_where_it_says(house: RunningApp, document: Json) -> None:
    assert answer(house.anyone.get("/openapi.json")) == document
    assert house.anyone.get("/docs").status_code == 200


def test_every_route_that_was_promised_is_there(document: Json) -> None:
    offered = {re.sub(r"\{[^}]*\}", "{}", name.replace("/api/v1", "")) for name, _ in operations(document)}
    assert {line.strip() for line in PROMISED.strip().splitlines()} <= offered


def test_operations_are_called_what_they_were_called_and_can_answer_what_they_could(document: Json) -> None:
    """Programs are generated from these names: one may be added, none may change."""
    assert "".join(told(name, operation) for name, operation in operations(document)) == RECORDED.read_text()


def told(name: str, operation: Json) -> str:
    method, path = name.split(" ")
    who = "-" if operation.get("security", [{}])[0] == {} else "token"
    return f"{operation['operationId']} {method} {path} {who} {' '.join(sorted(operation['responses']))}\n"


def test_every_refusal_is_a_problem(document: Json) -> None:
    problem = {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for name, operation in operations(document):
        refusals = {status: each for status, each in operation["responses"].items() if status[0] in "45"}
        for status, each in refusals.items():
            assert each["content"] == problem or "health" in operation["tags"], (name, status)


def test_a_token_is_a_bearer_token_and_only_visitors_need_none(document: Json) -> None:
    (scheme, described), *others = document["components"]["securitySchemes"].items()
    assert not others
    assert (described["type"], described["scheme"]) == ("http", "bearer")
    for name, operation in operations(document):
        if "health" not in operation["tags"]:
            needed = "401" in operation["responses"]
            assert operation["security"] == ([{scheme: []}] if needed else [{}, {scheme: []}]), name


def test_every_good_answer_has_a_type(document: Json) -> None:
    for name, operation in operations(document):
        good = {status: each for status, each in operation["responses"].items() if status.startswith("2")}
        assert good, name
        for status, response in good.items():
            if status != "204":
                kinds = {"application/json", "text/csv", "application/jsonl"} & response["content"].keys()
                assert kinds, (name, status)
                assert all(response["content"][kind]["schema"] for kind in kinds), (name, status)


def test_every_route_is_explained_and_has_a_name_of_its_own(document: Json) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names))
    for name, operation in operations(document):
        assert operation.get("summary"), name
        assert operation.get("description"), name
        assert operation.get("tags"), name


def test_no_reference_leads_nowhere(document: Json) -> None:
    for node in everything(document):
        if isinstance(reference := node.get("$ref"), str):
            target: Any = document
            for step in reference.removeprefix("#/").split("/"):
                assert step in target, reference
                target = target[step]


def test_every_parameter_of_a_path_is_declared_and_no_other(document: Json) -> None:
    for name, operation in operations(document):
        wanted = set(re.findall(r"\{([^}]*)\}", name))
        declared = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
        assert wanted == declared, name


def test_requests_refuse_what_they_do_not_know(document: Json) -> None:
    requests = [name for name in document["components"]["schemas"] if name.endswith("Request")]
    assert len(requests) >= 6
    for name in requests:
        assert document["components"]["schemas"][name]["additionalProperties"] is False, name


def models() -> list[type[BaseModel]]:
    found = [(home, value) for home in (bodies, schemas) for value in vars(home).values() if isinstance(value, type)]
    return [value for home, value in found if issubclass(value, BaseModel) and value.__module__ == home.__name__]


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_every_example_is_one(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        adapter: TypeAdapter[object] = TypeAdapter(field.rebuild_annotation())
        for example in field.examples or []:
            try:
                adapter.validate_python(example)
            except ValidationError as error:
                raise AssertionError(f"{model.__name__}.{name}: {example!r} is no example") from error


@pytest.mark.parametrize(
    "model", [each for each in models() if each.__name__.endswith("Request")], ids=lambda m: m.__name__
)
def test_the_examples_of_a_request_make_a_request(model: type[BaseModel]) -> None:
    body = {name: field.examples[0] for name, field in model.model_fields.items() if field.examples}
    model.model_validate(body)
    for field in model.model_fields.values():
        assert field.examples or not field.is_required()


def test_the_examples_work_when_they_are_sent(house: RunningApp) -> None:
    """Whoever copies the document's bodies gets somewhere."""

    def examples(model: type[BaseModel]) -> Json:
        return {name: field.examples[0] for name, field in model.model_fields.items() if field.examples}

    competition = answer(house.host.post("/competitions", json=examples(bodies.CompetitionRequest)), 201)
    round_ = {**examples(bodies.RoundRequest), "judge": PLAIN.identity}
    made = answer(house.host.post(f"/competitions/{competition['id']}/rounds", json=round_), 201)
    join = {**examples(bodies.JoinRequest), "code": competition["code"]}
    ada = house.caller(answer(house.anyone.post("/competitions:join", json=join), 201)["token"])
    answer(ada.post(f"/rounds/{made['id']}/submissions", json=examples(bodies.MoveRequest)), 201, 202)
    batch = {"items": [examples(bodies.BatchItem)]}
    assert answer(ada.post(f"/rounds/{made['id']}/submissions:batch", json=batch))["items"][0]["status"] in (201, 202)


# --- Answers are what the document says -------------------------------------------------------------------------------


def check(document: Json, schema: Json, value: object, where: str) -> None:
    """Is the value one of this schema? As much of JSON Schema as the document uses."""
    if "$ref" in schema:
        return check(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], value, where)
    if "anyOf" in schema:
        for choice in schema["anyOf"]:
            try:
                return check(document, choice, value, where)
            except AssertionError:
                continue
        raise AssertionError(f"{where}: {value!r} is none of {schema['anyOf']}")
    if "enum" in schema:
        assert value in schema["enum"], where
    kinds: dict[str, type | tuple[type, ...]] = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "null": type(None),
    }
    if "type" in schema:
        assert isinstance(value, kinds[schema["type"]]), f"{where}: {value!r} is no {schema['type']}"
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        assert set(schema.get("required", ())) <= set(value), where
        for name, each in value.items():
            inner = properties.get(name, schema.get("additionalProperties", {}))
            assert name in properties or "additionalProperties" in schema or not properties, f"{where}/{name}: unknown"
            if isinstance(inner, dict):
                check(document, inner, each, f"{where}/{name}")
    if isinstance(value, list):
        for number, each in enumerate(value):
            check(document, schema.get("items", {}), each, f"{where}/{number}")
    return None


def asked_of_judges(house: RunningApp) -> dict[str, str]:
    """What measuring and the lab made for the host, by the names of parameters."""
    asked: dict[str, tuple[str, Json]] = {
        "key": ("/measurements", {"prefix": "c", "text": "a b"}),
        "reading_id": ("/readings", {"prefix": "c", "text": "a b"}),
        "samples_id": ("/samples", {"prefix": "c"}),
        "passages_id": ("/lab/passages", {"prefix": "c", "texts": ["a", "b"]}),
        "answers_id": ("/lab/answers", {"question": "c", "answers": ["a", "b"]}),
        "pair_id": ("/lab/pairs", {"first": "a", "second": "b"}),
    }
    return {
        name: answer(house.host.post(path, json={"judge": "plain", **body}, params={"wait": 20}), 201)["id"]
        for name, (path, body) in asked.items()
    }


def test_answers_are_what_the_document_says(house: RunningApp, document: Json, hand: Hand, judge: FakeJudge) -> None:
    lesson = new_class(house, PLAIN, attempts=5, second_judge=judge.identity)
    ada = lesson.join()
    sent = ada.score(lesson.round_id, "25")
    of_the_lab = asked_of_judges(house)
    lesson.close()
    answer(house.host.post(f"/rounds/{lesson.round_id}:reveal", json={"which": "all"}))
    second = f"/rounds/{lesson.round_id}/second-judge"
    eventually(lambda: house.host.get(second).status_code == 200, what="the second judge's column")
    values = {
        "rescoring_id": answer(house.host.post(f"/rounds/{lesson.round_id}/rescorings", json={}), 201)["id"],
        **{"competition_id": lesson.id, "round_id": lesson.round_id, "submission_id": sent["id"]},
        "player_id": str(ada.id),
        **of_the_lab,
        "move_id": answer(house.host.get(f"/rounds/{lesson.round_id}/moves"))["items"][0]["id"],
    }
    worker = house.caller(house.database.write(lambda session: worker_tokens.create(session, "a GPU")[0]))
    seen = 0
    for name, operation in operations(document):
        method, path = name.split(" ")
        if method != "GET" or "/api/v1/" not in path:
            continue
        values["name"] = "plain" if "judges" in path else "condense"
        where = path.removeprefix("/api/v1").format(**values)
        who = worker if where == "/worker" else house.host
        response = who.get(where, params={"after": 0} if where.endswith("/events") else {})
        content = operation["responses"]["200"]["content"].get("application/json")
        if content is None:  # a file, which has no schema of ours
            assert response.status_code == 200, where
            continue
        check(document, content["schema"], answer(response), where)
        seen += 1
    assert seen >= 15


def test_a_board_with_ratings_is_what_the_document_says(house: RunningApp, document: Json) -> None:
    class_ = class_of(house)
    duel(class_, class_.join(), class_.join(), 5)
    board = {"items": class_.board()}
    assert len(board["items"]) == 2
    entry = document["components"]["schemas"]["BoardEntry"]
    assert {"rank", "player", "bits", "submission", "rating"} == set(entry["required"])
    for each in board["items"]:
        assert each["rating"]
        check(document, entry, each, "board")
        check(document, {"$ref": "#/components/schemas/Rating"}, each["rating"], "board/rating")


@pytest.mark.parametrize("path", ["/rounds/nope", "/no/such/route", "/rounds/nope/leaderboard?limit=0"])
def test_problems_are_what_the_document_says(lesson: Class, document: Json, path: str) -> None:
    body = lesson.house.host.get(path).json()
    check(document, {"$ref": "#/components/schemas/Problem"}, body, path)


#: Lists without a limit of their own, and what bounds them.
BOUNDED = {
    "GET /competitions/{}/events": "a thousand at a time, after a number",
    "GET /competitions/{}/teams": "a hundred in a competition",
    "GET /competitions/{}/team-leaderboard": "a hundred in a competition",
    "GET /rounds/{}/team-leaderboard": "a hundred in a competition",
    "GET /keys": "one for each time that the owner replaced it",
}


def test_every_list_has_a_limit(document: Json) -> None:
    lists = {
        re.sub(r"\{[^}]*\}", "{}", name.replace("/api/v1", "")): operation
        for name, operation in operations(document)
        if name.startswith("GET ") and "items" in _shown(document, operation).get("properties", {})
    }
    bounds = {name: _most(operation) for name, operation in lists.items()}
    assert {name for name, most in bounds.items() if most is None} == set(BOUNDED)
    assert len(bounds) - len(BOUNDED) > 12
    assert all(most <= 1_000 for most in bounds.values() if most is not None)


def _shown(document: Json, operation: Json) -> Json:
    """The schema of what a route answers."""
    content = operation["responses"].get("200", {}).get("content", {})
    schema: Json = content.get("application/json", {}).get("schema", {})
    return document["components"]["schemas"][schema["$ref"].split("/")[-1]] if "$ref" in schema else schema


def _most(operation: Json) -> int | None:
    """The largest `limit` that a route takes."""
    found = [each["schema"]["maximum"] for each in operation.get("parameters", []) if each["name"] == "limit"]
    return found[0] if found else None
