"""Workers over HTTP: what they may do, that they can do nothing else, and that what is theirs gets done."""

import socket
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from json import dumps, loads
from pathlib import Path
from typing import Any, cast

import pytest

from judge.judge import Judge
from server.arena import worker_tokens
from server.arena.workforce import Workforce
from server.queue import messages
from server.queue.claiming import Claim
from server.queue.introductions import Introduction
from server.queue.messages import ChangeNotice, GenerationJob, Job, NotLetIn, Result
from server.queue.worker import RedisClaims
from server.settings import Settings
from server.worker.lent import LentClaims, Server
from server.worker.loop import Worker
from tests.support.command import Run
from tests.support.databases import sqlite_at
from tests.support.queue import ask, enqueue
from tests.support.scenario.deployment import HOST_TOKEN, answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class, problem
from tests.support.services import Redis, eventually
from tests.support.workers import BUILD, Device, FakeJudge, bits, packed, running

MEGABYTE = 2**20
RESULT: Json = {"judge": "j", "lane": "people", "entry": "1-1", "build": "cpu"}
GOOD: dict[str, Json] = {
    ":announce": {"worker": "w-1", "judges": [], "build": "cpu"},
    "/tokenizers": {"worker": "w-1", "digest": "0" * 64, "start": 0, "part": ""},
    "/judges": {"worker": "w-1", **loads(Introduction.of(FakeJudge().info()).facts)},
    "/jobs:claim": {"worker": "w-1", "judges": [], "count": 1},
    "/jobs:renew": {"worker": "w-1", "jobs": []},
    "/jobs:publish": {"worker": "w-1", "results": []},
}
SOON = 3.0  # seconds: far less than a lease


def token_for(house: RunningApp) -> str:
    return house.database.write(lambda session: worker_tokens.create(session, "a GPU")[0])


@contextmanager
def lent(house: RunningApp, judge: FakeJudge, token: str | None = None, name: str = "w-1") -> Iterator[LentClaims]:
    """A lent worker whose every step the test takes."""
    made = LentClaims(Server(house.url, token or token_for(house)), name, (judge.identity,))
    made.announce([Introduction.of(judge.info())], BUILD, {judge.identity: 9.0})
    eventually(lambda: house.measurable(judge), what="the judge")
    try:
        yield made
    finally:
        made.close()


def sent(lesson: Class, move: str) -> tuple[Caller, str]:
    player = lesson.join()
    return player, str(answer(player.submit(lesson.round_id, move), 202)["id"])


def claimed(house: RunningApp, token: str, judge: FakeJudge, **more: Any) -> list[Json]:
    body = {"worker": "w-1", "judges": [judge.identity], "count": 8, "wait": 1, **more}
    jobs: list[Json] = answer(house.caller(token).post("/worker/jobs:claim", json=body))["jobs"]
    return jobs


def result_for(job: Json, said: bytes) -> Json:
    place = {name: job[name] for name in ("judge", "lane", "entry")}
    return {**place, "build": BUILD, "bits": b64encode(said).decode()}


def published(caller: Caller, *results: Json) -> list[int]:
    answered = answer(caller.post("/worker/jobs:publish", json={"worker": "w-1", "results": results}))
    refused: list[int] = answered["refused"]
    return refused


@pytest.mark.slow
def test_a_worker_over_http_scores_and_says_goodbye(house: RunningApp) -> None:
    judge = FakeJudge()
    settings = Settings(server=house.url, worker_token=token_for(house))
    me = house.caller(settings.worker_token or "")
    worker = Worker(settings, [cast(Judge, Device(judge, 0.0))])
    with running(worker):
        eventually(lambda: house.measurable(judge), what="the judge")
        assert len(answer(me.get("/worker"))["at_work"]) == 1
        lesson = new_class(house, judge)
        for move in range(5):
            assert lesson.join().score(lesson.round_id, f"{move}")["bits"] == move
        flood = lesson.join(kind="bot")
        items = [{"move": f"{number} of many"} for number in range(32)]
        assert flood.post(f"{lesson.submissions}:batch", json={"items": items}).status_code < 300
        eventually(lambda: bits_of(flood) == sorted(map(float, range(32))), what="the flood")
    assert answer(me.get("/worker"))["at_work"] == []


def bits_of(player: Caller) -> list[float]:
    items = answer(player.get("/me/submissions", params={"limit": 500}))["items"]
    return sorted(item["bits"] for item in items if item["state"] == "scored")


def test_texts_to_be_written_come_over_http_as_they_went_in(sqlite_house: RunningApp) -> None:
    judge = FakeJudge()
    with lent(sqlite_house, judge) as claims:
        text = GenerationJob("w1", judge.identity, "Once upon – ünïcode", 7, "seed", "bots")
        claims.claim(8, block=0.01)
        enqueue(sqlite_house.redis_url, text)
        (claim,) = claims.claim(8, block=1)
        assert (claim.job, claim.delivery) == (text, 1)
        claims.give_back([claim])
        (again,) = eventually(lambda: claims.claim(8, block=0.1), what="what was given back")
        assert (again.job, again.delivery) == (text, 1)
        claims.publish_all([(again, Result("w1", BUILD, text="word " * 20))])


def test_a_worker_hands_in_what_it_holds_and_nothing_else(house: RunningApp) -> None:
    judge = FakeJudge()
    mine, theirs = token_for(house), token_for(house)
    with lent(house, judge, mine):
        lesson = new_class(house, judge)
        player, made = sent(lesson, "25")
        jobs = claimed(house, mine, judge)
        assert len(jobs) == 2
        zeros = [result_for(job, b"\0" * 4) for job in jobs]
        thief = house.caller(theirs)  # under the same name of a worker
        assert published(thief, *zeros) == [0, 1]
        for what in ("renew", "release"):
            body = {"worker": "w-1", "jobs": [{name: job[name] for name in ("judge", "lane", "entry")} for job in jobs]}
            assert thief.post(f"/worker/jobs:{what}", json=body).status_code == 204
        assert claimed(house, theirs, judge, wait=0.1) == [], "it was not let go of"
        foreign = [{**zeros[0], "lane": "bots"}, {**zeros[0], "entry": "7-7"}, {**zeros[0], "judge": "none"}]
        assert published(house.caller(mine), *foreign) == [0, 1, 2]
        assert answer(player.get(f"/submissions/{made}"))["state"] == "queued"

        said = [result_for(job, packed_bits(job)) for job in jobs]
        assert published(house.caller(mine), *said) == []
        eventually(lambda: answer(player.get(f"/submissions/{made}"))["state"] == "scored", what="the score")
        assert answer(player.get(f"/submissions/{made}"))["bits"] == 25
        assert published(house.caller(mine), *zeros) == [0, 1], "once"


def test_more_results_than_one_request_may_have_are_handed_in_in_parts(sqlite_house: RunningApp) -> None:
    judge = FakeJudge()
    with lent(sqlite_house, judge) as claims:
        jobs = [Job(f"large {i}", judge.identity, "arena", "", "text", "bots") for i in range(120)]
        claims.claim(8, block=0.01)
        enqueue(sqlite_house.redis_url, *jobs)
        held = all_of(claims, 120)
        large = b"\0" * 65_532
        assert 120 * len(b64encode(large)) > 8 * MEGABYTE
        claims.publish_all([(claim, Result(claim.job.key, BUILD, bits=large)) for claim in held])
        assert sqlite_house.redis.xlen(messages.stream(judge.identity, "bots")) == 0


def all_of(claims: LentClaims, count: int) -> list[Claim]:
    """So many jobs, as soon as they are there."""
    held: list[Claim] = []
    for _ in range(100):
        held += claims.claim(count - len(held), block=0.2)
        if len(held) == count:
            return held
    raise AssertionError(f"only {len(held)} of {count} jobs came")


def packed_bits(job: Json) -> bytes:
    return packed(bits(job["prefix"], job["text"], job["profile"]))


def test_a_revoked_token_ends_at_once_and_what_it_waits_for_too(sqlite_house: RunningApp) -> None:
    house, judge, token = sqlite_house, FakeJudge(), token_for(sqlite_house)
    with lent(house, judge, token) as claims:
        lesson = new_class(house, judge)
        (row,) = [row for row in house.database.read(worker_tokens.all_good) if token.startswith(row.prefix)]
        assert len(claims.claim(8, block=0.01)) == 1, "the passage by itself"
        waiting = threading.Thread(target=lambda: (claims.claim(8, block=5), None)[1])
        waiting.start()
        time.sleep(0.5)
        began = time.monotonic()
        end(house, row.id)
        waiting.join(SOON)
        assert not waiting.is_alive()
        assert time.monotonic() - began < SOON
        sent(lesson, "25")
        with pytest.raises(NotLetIn, match="revoked"):
            claims.claim(8, block=0.1)
    with lent(house, judge) as other:
        assert len(other.claim(8, block=2)) == 1, "the move was not given to whoever had waited"


def end(house: RunningApp, token: str) -> None:
    house.database.write(lambda session: worker_tokens.revoke(session, token))
    ask(house.redis_url, lambda queue: queue.notify(ChangeNotice(tokens=(token,))))


def test_who_went_while_it_waited_claims_nothing(sqlite_house: RunningApp) -> None:
    house, judge, token = sqlite_house, FakeJudge(), token_for(sqlite_house)
    with lent(house, judge, name="w-2") as other:
        lesson = new_class(house, judge)
        assert len(other.claim(8, block=0.01)) == 1, "the passage by itself"
        for _ in range(3):
            hang_up(house, token, judge)
        sent(lesson, "25")
        assert len(other.claim(8, block=2)) == 1


def hang_up(house: RunningApp, token: str, judge: FakeJudge) -> None:
    """Ask for jobs, and break the connection off while the server waits for some."""
    body = dumps({"worker": "gone", "judges": [judge.identity], "count": 8, "wait": 5}).encode()
    head = (
        "POST /api/v1/worker/jobs:claim HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", int(house.url.rpartition(":")[2]))) as line:
        line.sendall(head.encode() + body)
        time.sleep(0.5)
    time.sleep(0.2)


def test_jobs_in_an_answer_that_was_lost_are_had_again_for_the_asking(sqlite_house: RunningApp) -> None:
    house, judge, token = sqlite_house, FakeJudge(), token_for(sqlite_house)
    with lent(house, judge, token):
        sent(new_class(house, judge), "25")
        lost = claimed(house, token, judge)
        assert len(lost) == 2
        assert claimed(house, token, judge, wait=0.1) == []
        assert claimed(house, token, judge, recall=True) == lost


def test_what_lent_workers_make_known_has_bounds(sqlite_house: RunningApp) -> None:
    caller = sqlite_house.caller(token_for(sqlite_house))
    part = {"worker": "w-1", "digest": "a" * 64, "start": 0, "part": b64encode(b"x" * MEGABYTE).decode()}
    for start in range(2):
        assert answer(caller.post("/worker/tokenizers", json={**part, "start": start * MEGABYTE}))["bytes"] > 0
    judge = facts(FakeJudge())
    answers = [caller.post("/worker/judges", json={**judge, "identity": f"j{i}", "name": f"n{i}"}) for i in range(200)]
    statuses = [each.status_code for each in answers]
    assert statuses == [204] * statuses.count(204) + [429] * statuses.count(429)
    assert 100 < statuses.count(204) < 150
    parts = [caller.post("/worker/tokenizers", json=part) for _ in range(5)]
    problem(parts[-1], 429, "limit-reached")


def test_a_lent_machine_takes_no_judges_name_and_is_nobodys_default(house: RunningApp) -> None:
    known = FakeJudge()
    claims = RedisClaims(house.redis_url, "beside", (known.identity,), 30)
    claims.announce([Introduction.of(known.info())], BUILD, {})
    eventually(lambda: house.measurable(known), what="the judge")
    caller, name = house.caller(token_for(house)), str(known.info()["name"])
    false = facts(FakeJudge())
    assert caller.post("/worker/judges", json=facts(known)).status_code == 204
    for lie in ({"name": name}, {"identity": name}, {"name": known.identity}):
        told = problem(caller.post("/worker/judges", json={**false, **lie}), 422, "invalid-request")
        assert told["errors"][0]["pointer"] == "/name"
    found = answer(house.anyone.get(f"/judges/{name}"))
    assert found["identity"] == known.identity
    claims.close()


def test_what_is_meant_without_a_name_is_of_a_machine_of_our_own() -> None:
    lent_one = messages.Worker("tok/w", ("theirs", "both"), "cpu", {})
    own = messages.Worker("w", ("ours", "both"), "cpu", {})
    assert Workforce([lent_one, own]).judges() == ["ours", "both", "theirs"]
    assert Workforce([lent_one]).default_judge() == "theirs"


def facts(judge: FakeJudge) -> Json:
    return {"worker": "w-1", **loads(Introduction.of(judge.info()).facts)}


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (":announce", {"rates": {"j": "x"}}),
        (":announce", {"rates": {"j": -1}}),
        (":announce", {"judges": ["j"] * 33}),
        (":announce", {"worker": "tok_x/y"}),
        (":announce", {"build": "x" * 300}),
        ("/judges", {"context": 0}),
        ("/judges", {"context": "9"}),
        ("/judges", {"direction": "sideways"}),
        ("/judges", {"tokenizer": "../x"}),
        ("/tokenizers", {"part": "no base64!"}),
        ("/tokenizers", {"part": b64encode(b"x" * (MEGABYTE + 9)).decode()}),
        ("/tokenizers", {"start": -1}),
        ("/jobs:claim", {"count": 1025}),
        ("/jobs:claim", {"wait": 60}),
        ("/jobs:publish", {"results": [{}]}),
        ("/jobs:publish", {"results": [{**RESULT, "bits": "AAAAAA==", "text": "both"}]}),
        ("/jobs:publish", {"results": [RESULT]}),
        ("/jobs:publish", {"results": [{**RESULT, "bits": "AAAAAA==", "entry": "9" * 30 + "-1"}]}),
        ("/jobs:publish", {"results": [{**RESULT, "bits": "AAAAAA==", "lane": "index"}]}),
        ("/jobs:renew", {"jobs": [{"judge": "j", "lane": "people", "entry": "*"}]}),
    ],
)
def test_what_is_wrong_in_what_a_worker_sends_is_told(sqlite_house: RunningApp, path: str, wrong: Json) -> None:
    caller = sqlite_house.caller(token_for(sqlite_house))
    assert caller.post(f"/worker{path}", json={**GOOD[path], **wrong}).status_code == 422
    if path != "/judges":  # it costs some of the day's bounds
        assert caller.post(f"/worker{path}", json=GOOD[path]).status_code in (200, 204)


def test_a_body_is_read_when_it_is_known_whose_it_is(sqlite_house: RunningApp) -> None:
    worker = sqlite_house.caller(token_for(sqlite_house))
    for who, status in ((sqlite_house.anyone, 401), (sqlite_house.host, 403), (worker, 400)):
        body: Json = {"content": b"{", "headers": {"Content-Type": "application/json"}}
        assert who.post("/worker/jobs:publish", **body).status_code == status
    body["content"] = b" " * (9 * MEGABYTE)
    assert worker.post("/worker/jobs:publish", **body).status_code == 413


def test_the_command_makes_lists_and_revokes(run: Run, tmp_path: Path, own_redis: Redis) -> None:
    at = ("--database-url", sqlite_at(tmp_path / "arena.sqlite3"))
    token = run("worker-token", "create", "the lab's GPU", *at).out.strip()
    (listed,) = loads(run("worker-token", "list", *at, "--json").out)
    assert listed["name"] == "the lab's GPU"
    assert token not in str(listed)
    assert run("worker-token", "revoke", listed["id"], *at, "--redis-url", own_redis.url).status == 0
    assert loads(run("worker-token", "list", *at, "--json").out) == []
    assert "There is no worker's token" in run("worker-token", "revoke", listed["id"], *at).err
    assert run("worker-token", "create", "\n", *at).status == 1


def test_what_a_worker_holds_whose_token_is_revoked_is_others_at_once(run: Run, sqlite_house: RunningApp) -> None:
    house, judge = sqlite_house, FakeJudge()
    token = token_for(house)
    (row,) = [row for row in house.database.read(worker_tokens.all_good) if token.startswith(row.prefix)]
    with lent(house, judge, token) as claims, lent(house, judge) as other:
        lesson = new_class(house, judge)
        sent(lesson, "25")
        held = all_of(claims, 2)
        at = ("--database-url", str(house.settings.database_url), "--redis-url", house.redis_url)
        assert run("worker-token", "revoke", row.id, *at).status == 0
        taken = other.claim(8, block=0.1)
        assert {claim.job for claim in taken} == {claim.job for claim in held}
        assert {claim.delivery for claim in taken} == {1}


def test_a_worker_that_cannot_come_in_is_told_why(run: Run, sqlite_house: RunningApp, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("x" * 43 + "\n")
    asked = ("worker", "--server", sqlite_house.url)
    assert "needs a token" in run(*asked).err
    assert "does not let this worker in" in run(*asked, "--token-file", str(file)).err
    file.write_text(HOST_TOKEN)
    assert "Only workers may ask this" in run(*asked, "--token-file", str(file)).err
    assert "cannot read the worker's token" in run(*asked, "--token-file", str(tmp_path)).err
    nowhere = run("worker", "--server", "http://127.0.0.1:1", "--token-file", str(file)).err
    assert "no Xent Arena that takes workers answers at http://127.0.0.1:1" in nowhere
    assert run("worker", "--server", "ftp://x", "--token-file", str(file)).status == 2
    assert (
        "answers at http://127.0.0.1:1/arena"
        in run("worker", "--server", "http://127.0.0.1:1/arena/", *asked[3:], "--token-file", str(file)).err
    )
    assert run(*asked, "--redis-url", "redis://127.0.0.1:1/0").status == 2
