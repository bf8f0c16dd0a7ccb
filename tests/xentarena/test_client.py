"""What the client does when a server is slow, away, busy or says no."""

import itertools
import json
import socket

import httpx
import pytest

from tests.xentarena.builders import event, joined, problem, round_, submission
from tests.xentarena.scripted import Answer, serving
from xentarena.client import Client
from xentarena.errors import ApiError, ArenaError, NoArena, ServerUnavailable
from xentarena.feed import parse

QUICK = {"Retry-After": "0"}


def test_a_joined_client_sends_its_token() -> None:
    with serving(Answer(201, joined()), Answer(200, {"items": [round_()], "next": None})) as script:
        with Client(script.url) as client:
            client.join("K7QWPX", "Ada")
            rounds = client.rounds()
        assert client.token == "secret"
    join, look = script.asked
    assert join.body == {"code": "K7QWPX", "name": "Ada", "kind": "bot"}
    assert "Authorization" not in join.headers
    assert (look.path, look.headers["Authorization"]) == ("/api/v1/competitions/cmp_1/rounds", "Bearer secret")
    assert rounds[0].passages[0].startswith("The tide")


@pytest.mark.parametrize(
    "trouble",
    [
        Answer(503, problem("database-away", 503), QUICK),
        Answer(429, problem("limit-reached", 429, limit="rate"), QUICK),
        Answer(502, {"not": "a problem"}),
        Answer(cut=True),
    ],
    ids=["away", "busy", "gateway", "cut off"],
)
def test_a_submission_is_sent_again_with_the_same_key(trouble: Answer) -> None:
    with serving(trouble, trouble, Answer(201, submission())) as script, Client(script.url, "t") as client:
        assert client.submit("rnd_1", "sea ship").bits == 12.345
    keys = [asked.headers["Idempotency-Key"] for asked in script.asked]
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_two_submissions_have_two_keys() -> None:
    with serving(Answer(201, submission())) as script, Client(script.url, "t") as client:
        client.submit("rnd_1", "sea ship")
        client.submit("rnd_1", "sea ship")
        client.submit("rnd_1", "sea ship", key="mine")
    one, two, three = (asked.headers["Idempotency-Key"] for asked in script.asked)
    assert one != two
    assert three == "mine"


def test_the_server_says_how_long_to_leave_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = Answer(429, problem("limit-reached", 429, limit="rate"), {"Retry-After": "7"})
    with serving(busy, Answer(201, submission())) as script, Client(script.url, "t") as client:
        slept: list[float] = []
        monkeypatch.setattr("xentarena.transport.sleep", slept.append)
        client.submit("rnd_1", "sea ship")
    assert slept == [7.0]


def test_patience_ends_with_the_servers_own_word() -> None:
    busy = Answer(429, problem("limit-reached", 429, limit="pending"), {"Retry-After": "7"})
    with serving(busy) as script, Client(script.url, "t", patience=5) as client, pytest.raises(ApiError) as raised:
        client.submit("rnd_1", "sea ship")
    assert (raised.value.type, raised.value.status, raised.value.limit) == ("limit-reached", 429, "pending")


def test_a_refusal_is_raised_at_once_with_all_it_says() -> None:
    refused = problem("invalid-request", 422, errors=[{"pointer": "/move", "detail": "The move is empty."}])
    with (
        serving(Answer(422, refused)) as script,
        Client(script.url, "t") as client,
        pytest.raises(ApiError, match="It is invalid-request") as raised,
    ):
        client.submit("rnd_1", "")
    assert len(script.asked) == 1
    assert [(each.pointer, each.detail) for each in raised.value.errors] == [("/move", "The move is empty.")]


def test_an_answer_that_is_no_problem_document_is_still_an_api_error() -> None:
    with (
        serving(Answer(404, raw=b"<h1>nginx</h1>")) as script,
        Client(script.url, "t") as client,
        pytest.raises(ApiError) as raised,
    ):
        client.me()
    assert (raised.value.type, raised.value.status, raised.value.detail) == ("http-error", 404, "<h1>nginx</h1>")


def test_joining_is_not_repeated_once_it_may_have_arrived() -> None:
    with (
        serving(Answer(cut=True)) as script,
        Client(script.url, patience=5) as client,
        pytest.raises(ServerUnavailable),
    ):
        client.join("K7QWPX", "Ada")
    assert len(script.asked) == 1


def test_nobody_at_the_address_is_told_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with Client(url, "t", patience=600) as client, pytest.raises(ServerUnavailable, match="Look at address"):
            client.me()


def test_a_server_that_was_there_is_waited_for() -> None:
    with serving(Answer(201, submission())) as script:
        client = Client(script.url, "t", patience=0.3)
        client.submit("rnd_1", "sea ship")
    with client, pytest.raises(ServerUnavailable, match="did not answer for 0 seconds"):
        client.submission("sub_1")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            Answer(200, raw=b"<html><h1>Welcome to the school's network</h1>"),
            "answers with a page .*Welcome to the school",
        ),
        (Answer(204, raw=b""), "answers with a page"),
        (Answer(200, {"status": "ok"}), "another kind of server"),
        (Answer(200, ["a"]), "another kind of server"),
        (Answer(301, raw=b"<html>", headers={"Location": "https://arena.example/api/v1/me"}), "https://arena.example:"),
        (Answer(308, raw=b"", headers={"Location": "/elsewhere/api/v1/me"}), "http://127.0.0.1:[0-9]+/elsewhere:"),
        (Answer(302, raw=b""), "sends everybody on"),
    ],
    ids=["portal", "empty", "other", "list", "https", "moved", "nowhere"],
)
def test_what_answers_is_no_arena(answer: Answer, told: str) -> None:
    with serving(answer) as script, Client(script.url, "t") as client, pytest.raises(NoArena, match=told):
        client.me()
    assert len(script.asked) == 1


def test_scores_of_a_batch_are_waited_for() -> None:
    queued = submission(state="queued", bits=None, place=3)
    batch = Answer(
        200, {"items": [{"status": 202, "submission": queued}, {"status": 422, "problem": problem("no", 422)}]}
    )
    with serving(batch, Answer(200, queued), Answer(200, submission())) as script, Client(script.url, "t") as client:
        one, other = client.submit_batch("rnd_1", ["sea", ""], wait=60)
    assert not isinstance(one, ApiError)
    assert one.bits == 12.345
    assert isinstance(other, ApiError)
    assert len(script.asked) == 3


@pytest.mark.parametrize("address", ["", "127.0.0.1:8000", "ftp://x", "http://", "http://[::"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(ArenaError, match="is not an address"):
        Client(address)


def test_waiting_for_a_score_asks_until_it_is_there() -> None:
    queued = submission(state="queued", bits=None, place=3)
    with (
        serving(Answer(202, queued), Answer(200, queued), Answer(200, submission())) as script,
        Client(script.url, "t") as client,
    ):
        done = client.wait_for(client.submit("rnd_1", "sea ship", wait=0))
    assert done.state == "scored"
    assert done.bits == 12.345
    assert script.asked[-1].path == "/api/v1/submissions/sub_1?wait=10.0"


def test_a_score_that_does_not_come() -> None:
    queued = submission(state="queued", bits=None)
    with (
        serving(Answer(202, queued)) as script,
        Client(script.url, "t") as client,
        pytest.raises(ArenaError, match="still queued"),
    ):
        client.wait_for(client.submit("rnd_1", "sea ship", wait=0), seconds=0)


def test_a_batch_goes_out_in_portions_and_comes_back_in_order() -> None:
    def results(numbers: range) -> Answer:
        items = [{"status": 202, "submission": submission(id=f"sub_{i}"), "problem": None} for i in numbers]
        return Answer(200, {"items": items, "next": None})

    with serving(results(range(32)), results(range(32, 40))) as script, Client(script.url, "t") as client:
        outcomes = client.submit_batch("rnd_1", [f"sea {i}" for i in range(40)])
    assert [outcome.id for outcome in outcomes if not isinstance(outcome, ApiError)] == [f"sub_{i}" for i in range(40)]
    assert [len(asked.body["items"]) for asked in script.asked] == [32, 8]


def test_long_moves_make_small_batches() -> None:
    def results(count: int) -> Answer:
        items = [{"status": 202, "submission": submission(), "problem": None}] * count
        return Answer(200, {"items": items, "next": None})

    with serving(results(5), results(1)) as script, Client(script.url, "t") as client:
        client.submit_batch("rnd_1", ["x" * 8_192] * 6)
    assert all(len(json.dumps(asked.body)) < 64 * 1024 for asked in script.asked)


def test_items_of_a_batch_that_were_refused_for_the_moment_go_out_again_with_their_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good = {"status": 202, "submission": submission(id="sub_a"), "problem": None}
    over = {"status": 409, "submission": None, "problem": problem("no-attempts-left", 409)}
    busy = {"status": 429, "submission": None, "problem": problem("limit-reached", 429, retry_after=3)}
    late = {"status": 202, "submission": submission(id="sub_c"), "problem": None}
    first, second = Answer(200, {"items": [good, over, busy]}), Answer(200, {"items": [late]})
    with serving(first, second) as script, Client(script.url, "t") as client:
        slept: list[float] = []
        monkeypatch.setattr("xentarena.client.sleep", slept.append)
        one, two, three = client.submit_batch("rnd_1", ["a", "b", "c"])
    assert not isinstance(one, ApiError)
    assert isinstance(two, ApiError)
    assert not isinstance(three, ApiError)
    assert (one.id, two.type, three.id) == ("sub_a", "no-attempts-left", "sub_c")
    assert script.asked[1].body["items"] == [script.asked[0].body["items"][2]]
    assert slept == [3]


def test_a_board_is_read_to_its_last_page() -> None:
    def page(rank: int, cursor: str | None) -> Answer:
        player = {"id": f"ply_{rank}", "name": f"P{rank}", "kind": "person"}
        entry = {"rank": rank, "player": player, "bits": 10.0 - rank, "submission": None}
        return Answer(200, {"items": [entry], "next": cursor})

    with serving(page(1, "9000.1"), page(2, None)) as script, Client(script.url, "t") as client:
        assert [entry.player.name for entry in client.leaderboard("rnd_1")] == ["P1", "P2"]
    assert script.asked[1].path.endswith("/leaderboard?cursor=9000.1")


def test_fields_of_a_newer_server_are_passed_over() -> None:
    with serving(Answer(200, submission(colour="blue"))) as script, Client(script.url, "t") as client:
        assert client.submission("sub_1").state == "scored"


def _sent(*numbers: int) -> bytes:
    return b": hello\nretry: 1000\n\n" + b"".join(
        f"id: {n}\nevent: standing.changed\ndata: {json.dumps(event(n))}\n\n".encode() for n in numbers
    )


def test_the_feed_is_taken_up_after_the_last_event_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = [
        Answer(raw=_sent(1, 2)[:-30], cut=True),  # breaks off within event 2
        Answer(503, problem("database-away", 503)),
        Answer(raw=_sent(2, 3)),
        Answer(raw=_sent(4), cut=True),
    ]
    with serving(*streams) as script, Client(script.url, "t") as client:
        monkeypatch.setattr("xentarena.feed.sleep", lambda seconds: None)
        seen = [each.number for each in itertools.islice(client.events("cmp_1"), 4)]
    assert seen == [1, 2, 3, 4]
    assert [asked.headers["Last-Event-ID"] for asked in script.asked] == ["0", "1", "1", "3"]
    assert script.asked[0].headers["Accept"] == "text/event-stream"


def test_the_feed_ends_with_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        serving(Answer(raw=_sent(1)), Answer(401, problem("unauthorized", 401))) as script,
        Client(script.url, "t") as client,
    ):
        monkeypatch.setattr("xentarena.feed.sleep", lambda seconds: None)
        with pytest.raises(ApiError, match="unauthorized"):
            list(client.events("cmp_1"))


def test_a_stream_may_be_cut_into_any_pieces() -> None:
    data = json.dumps(event(7, name="line\u2028separator"), ensure_ascii=False)
    whole = f"data: {data}\r\n\r\n".encode()
    pieces = [whole[i : i + 1] for i in range(len(whole))]
    (only,) = parse(httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=iter(pieces)))
    assert (only.number, only.data) == (7, {"name": "line\u2028separator"})
