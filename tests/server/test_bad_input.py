"""Whatever is sent, the answer is a problem that says what is wrong and where, and nothing has changed."""

import socket
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

import httpx
import pytest

from tests.support.scenario.deployment import answer
from tests.support.server import (
    Caller,
    Class,
    RunningApp,
    new_class,
    nothing_changes,
    pointers,
    problem,
)
from tests.support.services import eventually
from tests.support.workers import PLAIN

KB = 1024
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def shared(house: RunningApp) -> tuple[Class, Caller]:
    """A class and a player in it, the same ones for every test here that changes nothing."""
    if house not in SHARED:
        lesson = new_class(house, PLAIN)
        SHARED[house] = lesson, lesson.join()
    return SHARED[house]


SHARED: WeakKeyDictionary[RunningApp, tuple[Class, Caller]] = WeakKeyDictionary()


@pytest.fixture
def lesson(shared: tuple[Class, Caller]) -> Class:
    return shared[0]


@pytest.fixture
def ada(shared: tuple[Class, Caller]) -> Caller:
    return shared[1]


@pytest.fixture
def own(house: RunningApp) -> Class:
    """A class of the test's own, in which it may do something."""
    return new_class(house, PLAIN)


def raw(caller: Caller, path: str, body: bytes, headers: dict[str, str] = JSON) -> httpx.Response:
    return caller.post(path, content=body, headers=headers)


# --- The move ---------------------------------------------------------------------------------------------------------

MOVES: dict[str, object] = {
    "empty": "",
    "nothing but white space": " \n\t\u3000",
    "8,193 bytes": "x" * 8_193,
    "8,193 bytes in fewer letters": "é" * 4_096 + "x",
    "NUL": "a\0b",
    "an escape character": "a\x1b[31m",
    "a C1 control character": "a\x85b",
    "half a line end": "a\rb",
    "a lone surrogate": "a\ud83d",
    "a lone surrogate, the other half": "\ude00",
    "a number": 5,
    "null": None,
    "a list": ["a"],
    "an object": {"text": "a"},
    "true": True,
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES.keys())
def test_a_move_has_to_be_a_text_that_can_be_taken_as_it_is(lesson: Class, ada: Caller, move: object) -> None:
    with nothing_changes(lesson.house):
        body = problem(ada.post(lesson.submissions, json={"move": move}), 422, "invalid-request")
    assert pointers(body) == ["/move"]


def test_in_a_batch_each_text_is_judged_by_itself(own: Class) -> None:
    texts = [move for move in MOVES.values() if isinstance(move, str)]
    body = {"items": [{"move": "25"}, *({"move": text} for text in texts), {"move": "26"}]}
    first, *refused, last = answer(own.join().post(f"{own.submissions}:batch", json=body))["items"]
    assert first["status"] in (201, 202)
    assert last["status"] in (201, 202)
    assert len(refused) == len(texts)
    for item in refused:
        assert (item["status"], item["problem"]["type"]) == (422, "invalid-request")
        assert pointers(item["problem"]) == ["/move"]
    assert len(own.house.submissions(own.round_id)) == 2


def test_what_is_no_text_is_no_batch(lesson: Class, ada: Caller) -> None:
    with nothing_changes(lesson.house):
        for move in (move for move in MOVES.values() if not isinstance(move, str)):
            body = {"items": [{"move": "25"}, {"move": move}]}
            said = problem(ada.post(f"{lesson.submissions}:batch", json=body), 422, "invalid-request")
            assert pointers(said) == ["/items/1/move"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("x" * 8_192, "x" * 8_192),
        ("é" * 4_096, "é" * 4_096),
        ("a\r\nb\r\n\r\nc", "a\nb\n\nc"),
        ("a\tb", "a\tb"),
        ("\ufeffsea", "sea"),
        ("👩\u200d🚀 naïve 日本", "👩\u200d🚀 naïve 日本"),
        ("  left as it is  ", "  left as it is  "),
        ("<|endoftext|>", "<|endoftext|>"),
    ],
    ids=["bytes", "letters of two bytes", "line ends", "tab", "byte order mark", "emoji", "spaces", "special token"],
)
def test_a_move_at_the_limit_is_taken(own: Class, sent: str, kept: str) -> None:
    ada = own.join()
    submission = ada.score(own.round_id, sent)
    assert submission["state"] == "scored"
    assert [event["text"] for event in submission["events"] if event["type"] == "move"] == [kept]


# --- The body ---------------------------------------------------------------------------------------------------------

BODIES: dict[str, tuple[bytes, str, int, list[str]]] = {
    "no body": (b"", "invalid-request", 422, [""]),
    "broken JSON": (b'{"move": "a"', "invalid-json", 400, []),
    "no JSON at all": (b"move=a", "invalid-json", 400, []),
    "two JSON values": (b'{"move": "a"}{"move": "b"}', "invalid-json", 400, []),
    "NaN": (b'{"move": NaN}', "invalid-json", 400, []),
    "Infinity": (b'{"move": -Infinity}', "invalid-json", 400, []),
    "not UTF-8": (b'{"move": "\xff\xfe"}', "invalid-json", 400, []),
    "a raw control character": (b'{"move": "a\x01"}', "invalid-json", 400, []),
    "a field twice": (b'{"move": "a", "move": "b"}', "invalid-json", 400, []),
    "deep nesting": (b"[" * 30_000 + b"]" * 30_000, "invalid-json", 400, []),
    "deep nesting in a field": (b'{"move": ' + b'{"a":' * 9_000 + b"1" + b"}" * 9_000 + b"}", "invalid-json", 400, []),
    "a number of 5,000 digits": (b'{"move": ' + b"9" * 5_000 + b"}", "invalid-json", 400, []),
    "a number beyond all": (b'{"move": 1e999}', "invalid-request", 422, ["/move"]),
    "a list": (b'["a"]', "invalid-request", 422, [""]),
    "a text": (b'"a"', "invalid-request", 422, [""]),
    "null": (b"null", "invalid-request", 422, [""]),
    "no move": (b"{}", "invalid-request", 422, ["/move"]),
    "an unknown field": (b'{"move": "a", "attempt": 1}', "invalid-request", 422, ["/attempt"]),
    "an unknown field with odd letters": (b'{"move": "a", "a/b~c": 1}', "invalid-request", 422, ["/a~1b~0c"]),
    "an unknown field of half a letter": (b'{"move": "a", "\\ud800": 1}', "invalid-request", 422, [""]),
    "two things wrong": (b'{"mvoe": "a"}', "invalid-request", 422, ["/move", "/mvoe"]),
}


@pytest.mark.parametrize(("body", "type_", "status", "at"), BODIES.values(), ids=BODIES.keys())
def test_a_body_has_to_be_what_was_asked_for(
    lesson: Class, ada: Caller, body: bytes, type_: str, status: int, at: list[str]
) -> None:
    with nothing_changes(lesson.house):
        said = problem(raw(ada, lesson.submissions, body), status, type_)
    assert sorted(pointers(said)) == at
    assert len(said["detail"]) < 500


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "", "{}"],
)
def test_a_body_has_to_say_that_it_is_json(lesson: Class, ada: Caller, kind: str) -> None:
    with nothing_changes(lesson.house):
        response = raw(ada, lesson.submissions, b'{"move": "a"}', {"Content-Type": kind})
        problem(response, 415, "unsupported-media-type")


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_may_be_named_in_several_ways(own: Class, kind: str) -> None:
    ada = own.join()
    answer(raw(ada, own.submissions, b'{"move": "a"}', {"Content-Type": kind}), 201, 202)


def padded(size: int) -> bytes:
    return b'{"move": "a"' + b" " * (size - 13) + b"}"


def test_a_body_of_64_kb_is_taken_and_one_byte_more_is_not(own: Class) -> None:
    ada = own.join()
    answer(raw(ada, own.submissions, padded(64 * KB)), 201, 202)
    with nothing_changes(own.house):
        problem(raw(ada, own.submissions, padded(64 * KB + 1)), 413, "body-too-large")


def test_the_size_of_a_body_is_counted_where_it_is_not_said(own: Class) -> None:
    ada = own.join()

    def pieces(size: int) -> Iterator[bytes]:
        body = padded(size)
        yield from (body[i : i + 10_000] for i in range(0, size, 10_000))

    answer(ada.post(own.submissions, content=pieces(64 * KB), headers=JSON), 201, 202)
    with nothing_changes(own.house):
        response = ada.post(own.submissions, content=pieces(64 * KB + 1), headers=JSON)
        problem(response, 413, "body-too-large")


def test_a_huge_body_is_refused_before_it_is_sent(lesson: Class, ada: Caller) -> None:
    """The answer comes to whoever only announces the body, so nobody has to swallow it."""
    lines = [
        f"POST /api/v1{lesson.submissions} HTTP/1.1",
        "Host: test",
        f"Authorization: Bearer {ada.token}",
        "Content-Type: application/json",
        "Content-Length: 1000000000",
        "",
        "",
    ]
    with socket.create_connection(("127.0.0.1", lesson.house.port), timeout=10) as connection:
        connection.sendall("\r\n".join(lines).encode())
        answered = b""
        while b"body-too-large" not in answered:
            piece = connection.recv(65_536)
            assert piece, answered
            answered += piece
    assert answered.startswith(b"HTTP/1.1 413")


def test_a_body_that_breaks_off_is_nothing_even_where_it_looks_whole(lesson: Class, ada: Caller) -> None:
    lines = [
        f"POST /api/v1{lesson.submissions} HTTP/1.1",
        "Host: test",
        f"Authorization: Bearer {ada.token}",
        "Content-Type: application/json",
        "Content-Length: 100",
        "",
        '{"move": "a"}',
    ]
    refused = 'xentarena_refused_total{type="body-incomplete"}'
    before = lesson.house.http.get(f"{lesson.house.url}/metrics").text.partition(refused)[2].partition("\n")[0]
    with nothing_changes(lesson.house):
        with socket.create_connection(("127.0.0.1", lesson.house.port), timeout=10) as connection:
            connection.sendall("\r\n".join(lines).encode())

        def noticed() -> bool:
            told = lesson.house.http.get(f"{lesson.house.url}/metrics").text
            return told.partition(refused)[2].partition("\n")[0] not in ("", before)

        eventually(noticed, what="the end of the connection")


# --- The address ------------------------------------------------------------------------------------------------------

PATHS = [
    ("GET", "/rounds/{}"),
    ("GET", "/rounds/{}/leaderboard"),
    ("GET", "/rounds/{}/submissions"),
    ("GET", "/competitions/{}"),
    ("GET", "/competitions/{}/rounds"),
    ("GET", "/competitions/{}/players"),
    ("GET", "/competitions/{}/leaderboard"),
    ("GET", "/competitions/{}/events"),
    ("GET", "/submissions/{}"),
    ("GET", "/measurements/{}"),
    ("GET", "/judges/{}"),
    ("GET", "/games/{}"),
    ("GET", "/games/{}/versions"),
    ("POST", "/games/{}:withdraw"),
    ("POST", "/games/{}:restore"),
    ("POST", "/rounds/{}:open"),
    ("POST", "/rounds/{}:pause"),
    ("POST", "/rounds/{}:close"),
    ("POST", "/players/{}:remove"),
    ("POST", "/players/{}:readmit"),
    ("POST", "/submissions/{}:hide"),
    ("POST", "/submissions/{}:show"),
]


@pytest.mark.parametrize("name", ["nope", "a%00b", "%FF%FE", "%F0%9F%92%A9", "'; DROP TABLE rounds; --", "x" * 4_000])
def test_what_is_not_there_is_not_found(house: RunningApp, name: str) -> None:
    with nothing_changes(house):
        for method, path in PATHS:
            problem(house.host.request(method, path.format(name)), 404, "not-found")


def test_an_unknown_round_takes_no_move(lesson: Class, ada: Caller) -> None:
    with nothing_changes(lesson.house):
        problem(ada.submit("rnd_0", "one"), 404, "not-found")
        problem(ada.submit("rnd_0", "one", key="k"), 404, "not-found")
        problem(ada.post("/rounds/rnd_0/submissions:batch", json={"items": [{"move": "a"}]}), 404, "not-found")
        problem(ada.submit("%00", "one"), 404, "not-found")
        problem(ada.post("/submissions/sub_0/moves", json={"move": "a"}), 404, "not-found")


def test_an_address_that_is_not_offered_says_where_to_look(house: RunningApp) -> None:
    body = problem(house.anyone.get("/no/such/thing"), 404, "not-found")
    assert "/api/v1/docs" in body["detail"]
    response = house.anyone.request("PUT", "/competitions")
    problem(response, 405, "method-not-allowed")
    assert response.headers["Allow"]


QUERIES: dict[str, tuple[str, dict[str, str]]] = {
    "wait below zero": ("/submissions/x", {"wait": "-1"}),
    "wait too long": ("/submissions/x", {"wait": "61"}),
    "wait is no number": ("/submissions/x", {"wait": "soon"}),
    "wait is nan": ("/submissions/x", {"wait": "nan"}),
    "wait is inf": ("/submissions/x", {"wait": "inf"}),
    "limit zero": ("{round}/leaderboard", {"limit": "0"}),
    "limit too high": ("{round}/leaderboard", {"limit": "1001"}),
    "limit is huge": ("{round}/submissions", {"limit": "9" * 30}),
    "a board's cursor made up": ("{round}/leaderboard", {"cursor": "first"}),
    "a board's cursor too long": ("{round}/leaderboard", {"cursor": "1." + "9" * 100}),
    "a cursor made up": ("{round}/submissions", {"cursor": "first"}),
    "a cursor below zero": ("{round}/submissions", {"cursor": "-1"}),
    "a cursor with NUL": ("/me/submissions", {"cursor": "1\0"}),
    "a cursor in other digits": ("/me/submissions", {"cursor": "٣"}),
    "events after nothing": ("{competition}/events", {"after": ""}),
    "events after minus one": ("{competition}/events", {"after": "-1"}),
    "events after a fraction": ("{competition}/events", {"after": "1.5"}),
    "an unknown kind": ("{round}/leaderboard", {"kind": "dog"}),
}


@pytest.mark.parametrize(("path", "params"), QUERIES.values(), ids=QUERIES.keys())
def test_a_query_has_to_be_one_that_is_offered(lesson: Class, ada: Caller, path: str, params: dict[str, str]) -> None:
    where = path.format(round=f"/rounds/{lesson.round_id}", competition=f"/competitions/{lesson.id}")
    body = problem(ada.get(where, params=params), 422, "invalid-request")
    (name,) = params
    assert pointers(body) == [f"(query)/{name}"]


@pytest.mark.parametrize("number", [2**63 - 1, 2**63, 10**30])
def test_numbers_larger_than_any_row_are_just_large(own: Class, number: int) -> None:
    ada = own.join()
    newest = answer(ada.get(f"/competitions/{own.id}"))["last_event"]
    page = answer(ada.get(f"/competitions/{own.id}/events", params={"after": number}))
    assert page == {"items": [], "last": newest}
    assert answer(ada.get("/me/submissions", params={"cursor": number}))["items"] == []
    sent = ada.score(own.round_id, "one")
    assert [each["id"] for each in answer(ada.get("/me/submissions", params={"cursor": number}))["items"]] == [
        sent["id"]
    ]
    assert answer(ada.get(f"/rounds/{own.round_id}/leaderboard", params={"cursor": f"{number}.{number}"}))["items"]


@pytest.mark.parametrize("number", ["-1", "x", "1.5", "٣", ""])
def test_a_stream_goes_on_after_a_number(lesson: Class, ada: Caller, number: str) -> None:
    response = ada.get(f"/competitions/{lesson.id}/events", headers={b"Last-Event-ID": number.encode()})
    body = problem(response, 422, "invalid-request")
    assert pointers(body) == ["(header)/Last-Event-ID"]


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_an_idempotency_key_has_1_to_255_letters(lesson: Class, ada: Caller, key: str) -> None:
    with nothing_changes(lesson.house):
        body = problem(ada.submit(lesson.round_id, "one", key=key), 422, "invalid-request")
    assert pointers(body) == ["(header)/Idempotency-Key"]


@pytest.mark.parametrize("key", ["", "x" * 256, "a\0b", 5, "half \ud800"])
def test_so_has_the_key_of_an_item(lesson: Class, ada: Caller, key: object) -> None:
    with nothing_changes(lesson.house):
        response = ada.post(f"{lesson.submissions}:batch", json={"items": [{"move": "a", "key": key}]})
        if response.status_code == 422:
            assert pointers(problem(response, 422, "invalid-request")) == ["/items/0/key"]
        else:
            (item,) = answer(response)["items"]
            assert (item["status"], pointers(item["problem"])) == (422, ["/key"])


@pytest.mark.parametrize("items", [[], [{"move": "a"}] * 33, {}, "a", None, [5], [{"text": "a"}]])
def test_a_batch_has_1_to_32_items(lesson: Class, ada: Caller, items: object) -> None:
    with nothing_changes(lesson.house):
        body = problem(ada.post(f"{lesson.submissions}:batch", json={"items": items}), 422, "invalid-request")
    assert all(pointer.startswith("/items") for pointer in pointers(body))


def test_a_batch_needs_a_token_as_a_whole(lesson: Class) -> None:
    body = {"items": [{"move": "a"}, {"move": "b"}]}
    problem(lesson.house.anyone.post(f"{lesson.submissions}:batch", json=body), 401, "unauthorized")
    problem(lesson.house.host.post(f"{lesson.submissions}:batch", json=body), 403, "forbidden")
    stranger = new_class(lesson.house, PLAIN).join(kind="bot")
    problem(stranger.post(f"{lesson.submissions}:batch", json=body), 403, "forbidden")


# --- What hosts send --------------------------------------------------------------------------------------------------

COMPETITIONS: dict[str, tuple[dict[str, object], str]] = {
    "no name": ({}, "/name"),
    "empty name": ({"name": " "}, "/name"),
    "a long name": ({"name": "x" * 65}, "/name"),
    "NUL": ({"name": "a\0"}, "/name"),
    "half a letter": ({"name": "\ud800"}, "/name"),
    "unknown policy": ({"name": "a", "bots": "some"}, "/bots"),
    "not a boolean": ({"name": "a", "free_measurements": "yes"}, "/free_measurements"),
    "unknown field": ({"name": "a", "id": "mine"}, "/id"),
}


@pytest.mark.parametrize(("body", "at"), COMPETITIONS.values(), ids=COMPETITIONS.keys())
def test_a_competition_has_to_be_right(house: RunningApp, body: dict[str, object], at: str) -> None:
    with nothing_changes(house):
        assert pointers(problem(house.host.post("/competitions", json=body), 422, "invalid-request")) == [at]


ROUNDS: dict[str, tuple[dict[str, object], str]] = {
    "unknown game": ({"game": "chess"}, "/game"),
    "a game's name with NUL": ({"game": "condense\0"}, "/game"),
    "a game's name of half a letter": ({"game": "\ud800"}, "/game"),
    "no passage": ({"passages": []}, "/passages"),
    "one too many": ({"passages": ["One.", "Two."]}, "/passages"),
    "65 passages": ({"passages": ["One."] * 65}, "/passages"),
    "an empty passage": ({"passages": [" "]}, "/passages/0"),
    "a passage with NUL": ({"passages": ["a\0"]}, "/passages/0"),
    "a passage of half a letter": ({"passages": ["\ud800"]}, "/passages/0"),
    "a passage over 8,192 bytes": ({"passages": ["é" * 4_097]}, "/passages/0"),
    "a passage that is no text": ({"passages": [5]}, "/passages/0"),
    "a passage longer than the judge reads": ({"passages": ["word " * 500]}, "/passages"),
    "passages are no list": ({"passages": "One."}, "/passages"),
    "a judge's name with NUL": ({"judge": "plain\0"}, "/judge"),
    "a judge's name of 256 letters": ({"judge": "x" * 256}, "/judge"),
    "unknown slot": ({"judges": {"second": "plain"}}, "/judges"),
    "slot with NUL": ({"judges": {"a\0": "plain"}}, "/judges"),
    "unknown profile": ({"profile": "fast"}, "/profile"),
    "no attempts": ({"attempts": 0}, "/attempts"),
    "a million and one attempts": ({"attempts": 1_000_001}, "/attempts"),
    "huge attempts": ({"attempts": 10**300}, "/attempts"),
    "attempts as text": ({"attempts": "3"}, "/attempts"),
    "half an attempt": ({"attempts": 1.5}, "/attempts"),
    "attempts true": ({"attempts": True}, "/attempts"),
    "a time without a zone": ({"closes_at": "2050-01-01T00:00:00"}, "/closes_at"),
    "no time": ({"opens_at": "tomorrow"}, "/opens_at"),
    "a time in year 10000": ({"closes_at": "10000-01-01T00:00:00Z"}, "/closes_at"),
    "a time of unimaginable number": ({"closes_at": 10**18}, "/closes_at"),
    "closes before it opens": (
        {"opens_at": "2050-01-02T00:00:00Z", "closes_at": "2050-01-01T00:00:00Z"},
        "/closes_at",
    ),
    "closed already": ({"closes_at": "2001-01-01T00:00:00Z"}, "/closes_at"),
    "a seed with NUL": ({"seed": "a\0"}, "/seed"),
    "a long seed": ({"seed": "x" * 129}, "/seed"),
    "a seed that is a number": ({"seed": 5}, "/seed"),
    "unknown field": ({"private": True}, "/private"),
}


@pytest.mark.parametrize(("part", "at"), ROUNDS.values(), ids=ROUNDS.keys())
def test_a_round_that_could_not_be_played_is_not_made(lesson: Class, part: dict[str, object], at: str) -> None:
    body: dict[str, object] = {"game": "condense", "passages": ["A text."], "judge": "plain", **part}
    with nothing_changes(lesson.house):
        response = lesson.house.host.post(f"/competitions/{lesson.id}/rounds", json=body)
        assert set(pointers(problem(response, 422, "invalid-request"))) == {at}


@pytest.mark.parametrize("name", ["nobody", "", "x" * 255])
def test_a_round_needs_a_judge_that_is_known(lesson: Class, name: str) -> None:
    body = {"game": "condense", "passages": ["A text."], "judge": name}
    with nothing_changes(lesson.house):
        problem(lesson.house.host.post(f"/competitions/{lesson.id}/rounds", json=body), 422, "unknown-judge")


def test_a_round_of_an_unknown_competition_is_not_made(house: RunningApp) -> None:
    body = {"game": "condense", "passages": ["A text."], "judge": "plain"}
    with nothing_changes(house):
        problem(house.host.post("/competitions/cmp_0/rounds", json=body), 404, "not-found")
        problem(house.host.post("/competitions/%00/rounds", json=body), 404, "not-found")


MEASUREMENTS: dict[str, tuple[dict[str, object], str]] = {
    "no text": ({}, "/text"),
    "empty text": ({"text": ""}, "/text"),
    "NUL": ({"text": "a\0"}, "/text"),
    "NUL in the prefix": ({"text": "a", "prefix": "\0"}, "/prefix"),
    "half a letter": ({"text": "\ud800"}, "/text"),
    "over 8,192 bytes": ({"text": "x" * 8_193}, "/text"),
    "too long for the judge": ({"text": "word " * 500}, "/text"),
    "too long with its prefix": ({"text": "word " * 250, "prefix": "word " * 250}, "/text"),
    "unknown profile": ({"text": "a", "profile": "fast"}, "/profile"),
    "unknown field": ({"text": "a", "temperature": 1}, "/temperature"),
}


@pytest.mark.parametrize(("part", "at"), MEASUREMENTS.values(), ids=MEASUREMENTS.keys())
def test_a_measurement_has_to_be_one_that_a_judge_can_make(house: RunningApp, part: dict[str, object], at: str) -> None:
    with nothing_changes(house):
        response = house.host.post("/measurements", json={"judge": "plain", **part})
        assert pointers(problem(response, 422, "invalid-request")) == [at]


# --- The time ---------------------------------------------------------------------------------------------------------


def scheduled(lesson: Class) -> str:
    return str(lesson.another_round(opens_at="2100-01-01T00:00:00Z")["id"])


def paused(lesson: Class) -> str:
    answer(lesson.house.host.post(f"/rounds/{lesson.round_id}:pause"))
    return lesson.round_id


def closed(lesson: Class) -> str:
    answer(lesson.house.host.post(f"/rounds/{lesson.round_id}:close"))
    return lesson.round_id


@pytest.mark.parametrize("make", [scheduled, paused, closed])
def test_only_an_open_round_takes_moves(own: Class, make: Callable[[Class], str]) -> None:
    ada = own.join()
    round_id, type_ = make(own), f"round-{make.__name__}"
    with nothing_changes(own.house):
        problem(ada.submit(round_id, "one"), 409, type_)
        problem(ada.submit(round_id, "one", key="a key"), 409, type_)
        body: dict[str, Any] = {"items": [{"move": "a", "key": "k"}, {"move": "b"}]}
        items = answer(ada.post(f"/rounds/{round_id}/submissions:batch", json=body))["items"]
        assert [(item["status"], item["problem"]["type"]) for item in items] == [(409, type_)] * 2


def test_a_refused_key_can_be_used_again(own: Class) -> None:
    ada = own.join()
    problem(ada.submit(own.round_id, "", key="k"), 422, "invalid-request")
    answer(ada.submit(own.round_id, "better", key="k"), 201, 202)
