"""Whatever is announced in a worker's name or a judge's, it stops nobody, is logged once, and hosts are told of it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator

import pytest

from tests.support.games import new_name
from tests.support.scenario.deployment import answer
from tests.support.server import Class, Json, RunningApp, new_class
from tests.support.services import eventually
from tests.support.web import Visitor, text_of
from tests.support.workers import PLAIN, TOKENIZER, FakeJudge, at_work

DIGEST = hashlib.sha256(TOKENIZER.encode()).hexdigest()
WORKER: Json = {"judges": [PLAIN.identity], "build": "cpu", "rates": {PLAIN.identity: 1.0}, "seen": 1e9}
JUDGE: Json = {
    "identity": "x", "name": "tiny", "context": 400, "bos": 0, "direction": "forward", "dtype": "float32",
    "build": "cpu", "tokenizer": DIGEST,
}  # fmt: skip
NONSENSE = [b"", b"garbage", b"[]", b"null", b"3", b'"x"', b"{}", b"\xff", b"\0", b"[" * 60_000, b'{"a":1e999}']
#: JSON that no field takes, and what each field takes of it all the same.
WRONG = (
    "null", "true", "{}", "[]", "[[]]", "[null]", '["\\u0000"]', '{"j": "x"}', '{"j": 1e999}', '{"j": -1}',
    '{"j": 1e300}', '"x"', '""', '"\\u0000"', '"a\\nb"', '"\\ud800"', f'"{"x" * 300}"', "-1", "0.5", "1e999", "NaN",
    "2147483648", "1" + "0" * 400, "[" + ",".join(['"j"'] * 33) + "]",
)  # fmt: skip
TAKEN = {
    ("judges", "[]"), ("build", '"x"'), ("rates", "{}"), ("seen", "-1"), ("seen", "0.5"), ("seen", "2147483648"),
    ("name", '"x"'), ("dtype", '"x"'), ("build", '"x"'), ("bos", "null"), ("identity", '"x"'),
}  # fmt: skip


def wrong(said: Json) -> Iterator[bytes]:
    """An announcement with each field wrong in every way, and with each but those that have a usual value left out."""
    yield from NONSENSE
    for field in said:
        rest = {name: value for name, value in said.items() if name != field}
        if field != "rates":
            yield json.dumps(rest).encode()
        for value in WRONG:
            if (field, value) not in TAKEN:
                yield f'{json.dumps(rest)[:-1]}, "{field}": {value}}}'.encode()


def everything_goes_on(lesson: Class, visitor: Visitor) -> None:
    """What failed when a worker had said one wrong word: for whoever looks, hosts and plays."""
    house = lesson.house
    answer(house.anyone.get("/judges"))
    assert house.http.get(f"{house.url}/readyz").status_code == 200
    assert visitor.get(f"/host/competitions/{lesson.id}").status_code == 200
    round_ = lesson.another_round()
    assert lesson.join().score(round_["id"], "7")["bits"] == 7.0


def ignored(lesson: Class) -> dict[str, str]:
    told = answer(lesson.house.host.get("/workers"))
    assert [worker["build"] for worker in told["items"]] == ["fake"]
    return {each["who"]: each["reason"] for each in told["ignored"]}


@pytest.fixture
def host(lesson: Class, visitor: Visitor) -> Visitor:
    visitor.sign_in(lesson.house.host)
    return visitor


@pytest.mark.parametrize("kind", ["xa:workers", "xa:judges"])
def test_what_is_no_announcement_stops_nobody_and_hosts_are_told(
    lesson: Class,
    host: Visitor,
    kind: str,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    redis = lesson.house.redis
    sent = list(enumerate(wrong(WORKER if kind == "xa:workers" else JUDGE)))
    assert len(sent) > 90
    told: dict[str, str] = {}
    letter = new_name()  # the other house sees the same Redis, and what was ignored there is told here
    for start in range(0, len(sent), 50):  # a hundred are told of
        for number, data in sent[start : start + 50]:
            redis.hset(
                kind,
                f"{letter}-{number}",
                data.replace(b'"identity": "x"', f'"identity": "{letter}-{number}"'.encode()),
            )
        everything_goes_on(lesson, host)
        told |= ignored(lesson)
    assert told.keys() >= {f"{letter}-{number}" for number, _ in sent}
    assert all(reason.isprintable() and len(reason) <= 300 for reason in told.values())
    assert not lesson.house.sql("SELECT 1 FROM judges WHERE identity LIKE :like", like=f"{letter}%")
    assert not [name for name in redis.hkeys(kind) if name.startswith(letter.encode())], "nonsense does not stay"
    page = text_of(host.get("/host/judges"))
    assert "Not understood" in page
    assert "Field required" in page
    log = (capsys.readouterr().out + caplog.text).splitlines()
    once = [line for line in log if re.search(rf"\b{letter}-5\b", line)]
    assert 0 < len(once) <= 2, "once, by each server of this Redis"


def test_a_worker_s_name_is_one_that_can_be_shown(lesson: Class) -> None:
    said = {b"\xff\xfe": WORKER, b"a\nb": WORKER, "x" * 300: {}, "a\u202eb": WORKER, "large": {"a": "x" * 70_000}}
    for name, each in said.items():
        lesson.house.redis.hset("xa:workers", name, json.dumps(each))
    names = ["\ufffd\ufffd", "a\ufffdb", "x" * 255, "large"]
    told = ignored(lesson)
    assert {who: told[who] for who in names}


BROKEN = ["{}", "ttt", TOKENIZER.replace("WordLevel", "Worldly"), TOKENIZER[:-5], "[1]", '{"model": 1}']


def test_a_judge_with_a_tokenizer_that_is_none_is_not_taken_up(lesson: Class, host: Visitor) -> None:
    redis = lesson.house.redis
    for number, tokenizer in enumerate([*(each.encode() for each in BROKEN), b"\xff"]):
        digest = hashlib.sha256(tokenizer).hexdigest()
        redis.set(f"xa:tokenizer:{digest}", tokenizer)
        told = {**JUDGE, "identity": f"t-{number}", "tokenizer": digest}
        redis.hset("xa:judges", f"t-{number}", json.dumps(told))
        assert "tokenizer" in ignored(lesson)[f"t-{number}"]
    everything_goes_on(lesson, host)
    assert not lesson.house.sql("SELECT 1 FROM judges WHERE identity LIKE 't-%'")


def test_what_is_not_even_a_list_makes_room_for_one(house: RunningApp, lesson: Class, host: Visitor) -> None:
    redis, digest = house.redis, "0" * 64
    for key in ("xa:workers", "xa:judges", "xa:ignored"):
        with redis.pipeline() as at_once:  # else a worker may say its next word in between
            at_once.delete(key).sadd(key, "something else").execute()
    answer(house.anyone.get("/judges"))
    redis.sadd(f"xa:tokenizer:{digest}", "something else")
    redis.hset("xa:judges", "x", json.dumps({**JUDGE, "tokenizer": digest}))
    answer(house.anyone.get("/judges"))
    eventually(lambda: house.measurable(PLAIN), what="the worker's next word")
    everything_goes_on(lesson, host)


def test_what_is_wrong_under_a_judge_s_identity_keeps_no_good_word_away(house: RunningApp, judge: FakeJudge) -> None:
    house.redis.hset("xa:judges", judge.identity, b"garbage")
    with at_work(house.redis_url, judge):
        eventually(lambda: house.measurable(judge), what="the judge")
        lesson = new_class(house, judge)
        assert lesson.join().score(lesson.round_id, "7")["bits"] == 7.0
