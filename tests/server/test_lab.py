"""The lab: readings of any text by a server's judge, who may ask for them, and what comes of them when things fail."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from judge import reading
from judge.reading import Prediction
from server.arena.lab import WAITING
from server.queue.messages import ExperimentJob, Result
from tests.support.scenario.deployment import PASSAGE, answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class, nothing_changes, pointers, problem
from tests.support.services import eventually
from tests.support.workers import BUILD, PLAIN, FakeJudge, Hand, at_work, bits, hand_of, measurement, tried
from xentarena import Client

TEXT = "The tide came in over the flats."


def read(caller: Caller, text: str = TEXT, prefix: str = "", **more: str) -> Json:
    body = {"judge": PLAIN.identity, "text": text, "prefix": prefix, **more}
    return answer(caller.post("/readings", json=body, params={"wait": 20}), 201)


@pytest.mark.parametrize("profile", ["arena", "xent-0.5"])
def test_a_reading_is_what_the_judge_said_after_the_prefix_and_without(lesson: Class, profile: str) -> None:
    ada = lesson.join()
    shown = read(ada, prefix="worth 7.5", profile=profile)
    for name, prefix in (("read", "worth 7.5"), ("alone", "")):
        said = bits(prefix, TEXT, profile)
        assert [token["bits"] for token in shown[name]["tokens"]] == said
        assert shown[name]["bits"] == sum(said)
        assert all((token["rank"], token["entropy"]) == (2, 3.5) for token in shown[name]["tokens"])
        assert all(token["top"] == [{"text": " <unk>", "probability": 0.25}] for token in shown[name]["tokens"])
    assert shown["saved"] == shown["alone"]["bits"] - shown["read"]["bits"]
    if profile == "arena":
        first = {"start": 0, "end": 1, "text": "The "}
        assert shown["parts"]["surprising"] == [{**first, "bits": 96.5}]
        assert shown["parts"]["explained"] == [{**first, "bits": 7.5}]
        assert shown["parts"]["borders"] == [], "the fake judge is as unsure everywhere"
        spiky = answer(ada.get(f"/readings/{shown['id']}", params={"rule": "rise", "bits": -1}))["parts"]
        assert (spiky["rule"], spiky["threshold"], spiky["borders"]) == ("rise", -1, [1, 2, 3, 4, 5, 6])
    assert (shown["judge"], shown["identity"], shown["state"]) == ("plain", PLAIN.identity, "known")
    with nothing_changes(lesson.house):
        assert read(ada, prefix="worth 7.5", profile=profile) == shown, "it is kept"
        assert answer(ada.get(f"/readings/{shown['id']}")) == shown
    lone = read(ada, profile=profile)
    assert (lone["read"], lone["alone"], lone["saved"]) == (shown["alone"], None, None)
    with Client(lesson.house.url, token=ada.token) as client:
        found = client.read(TEXT, "worth 7.5", judge="plain", profile=profile)
    assert found.model_dump(mode="json") == shown


def test_what_one_has_asked_nobody_else_finds(lesson: Class, hand: Hand, judge: FakeJudge) -> None:
    ada, bob, host = lesson.join(), lesson.join(), lesson.house.host
    shown = read(ada)
    for other in (bob, host):
        problem(other.get(f"/readings/{shown['id']}"), 404, "not-found")
    problem(lesson.house.anyone.get(f"/readings/{shown['id']}"), 401, "unauthorized")
    new_class(lesson.house, judge)
    body = {"judge": judge.identity, "text": TEXT}
    for caller in (ada, bob):  # the second waits as the first did, and learns nothing of it
        assert answer(caller.post("/readings", json=body), 202)["state"] == "pending"


def test_it_comes_behind_all_moves_one_at_a_time(house: RunningApp, judge: FakeJudge, hand: Hand) -> None:
    lesson = new_class(house, judge)
    ada = lesson.join()
    for prefix in ("", "sea"):
        answer(ada.post("/readings", json={"judge": judge.identity, "text": TEXT, "prefix": prefix}), 202)
    answer(ada.submit(lesson.round_id, "7"), 202)
    first = hand.take()
    measured = [claim for claim in first if not isinstance(claim.job, ExperimentJob)]
    assert [measurement(claim).lane for claim in measured] == ["people"] * len(measured)
    assert len(measured) >= 1
    assert len(first) - len(measured) <= 1, "never two experiments in one pair of hands"
    hand.answer(*first)


def test_a_reading_is_held_until_both_halves_are_there(house: RunningApp, judge: FakeJudge, hand: Hand) -> None:
    lesson = new_class(house, judge)
    hand.answer(*hand.take_all(1))  # the round's own
    ada = lesson.join()
    shown = answer(ada.post("/readings", json={"judge": judge.identity, "text": TEXT, "prefix": "7"}), 202)
    assert (shown["state"], shown["read"], shown["alone"], shown["saved"]) == ("pending", None, None, None)
    (first,) = hand.take_all(1)
    hand.answer(first)
    (second,) = hand.take_all(1)
    with ThreadPoolExecutor(1) as thread:
        start = time.monotonic()
        waiting = thread.submit(ada.get, f"/readings/{shown['id']}", params={"wait": 60})
        time.sleep(0.2)
        hand.answer(second)
        assert answer(waiting.result())["saved"] == 7.0
    assert time.monotonic() - start < 30


def test_a_reading_that_fails_says_why(house: RunningApp, judge: FakeJudge, hand: Hand) -> None:
    lesson = new_class(house, judge)
    hand.answer(*hand.take_all(1))  # the round's own
    ada = lesson.join()
    sound = reading.unpack(
        tried(ExperimentJob("", "", "reading", json.dumps({"prefix": "", "text": TEXT, "profile": "arena"})))
    )
    unsound = [Prediction(float("nan"), 1, 1.0, ())] * 7
    wrongs = (
        (Result("", BUILD, failure="out of memory"), "out of memory"),
        (Result("", BUILD, answer=b"abc"), "something else than a reading"),
        (Result("", BUILD, answer=reading.pack(sound[1:])), "a reading of 6 tokens for 7 tokens"),
        (Result("", BUILD, answer=reading.pack(unsound)), "values that no reading can have"),
        (Result("", BUILD, text="a text"), "something else than a reading"),
    )
    for number, (wrong, told) in enumerate(wrongs):
        body = {"judge": judge.identity, "text": TEXT.replace("tide", f"tide-{number}")}
        pending = answer(ada.post("/readings", json=body), 202)
        (claim,) = hand.take_all(1)
        hand.claims.publish(claim, Result(claim.job.key, BUILD, wrong.bits, wrong.failure, wrong.text, wrong.answer))
        failed = answer(ada.get(f"/readings/{pending['id']}", params={"wait": 20}))
        assert failed["state"] == "failed"
        assert told in failed["failure"]


def test_a_wiped_queue_loses_no_experiment(house: RunningApp, judge: FakeJudge) -> None:
    with at_work(house.redis_url, judge, seconds=3600):
        eventually(lambda: house.measurable(judge), what="the judge")
        ada = new_class(house, judge).join()
        shown = answer(ada.post("/readings", json={"judge": judge.identity, "text": TEXT}), 202)
        house.redis.delete(*house.redis.keys(f"xa:{judge.identity}:*"))
    with at_work(house.redis_url, judge):
        held = answer(ada.get(f"/readings/{shown['id']}", params={"wait": 30}))
    assert held["state"] == "known"


def test_each_has_a_quota_and_bad_input_says_what_is_wrong(
    own_house: Callable[..., RunningApp], judge: FakeJudge
) -> None:
    house = own_house()
    with hand_of(house.redis_url, judge):
        lesson = new_class(house, judge)
        ada, bob = lesson.join(), lesson.join()
        for number in range(WAITING["reading"] // 2):
            body = {"judge": judge.identity, "text": f"text {number}", "prefix": "a"}
            answer(ada.post("/readings", json=body), 202)
        with nothing_changes(house):
            refused = ada.post("/readings", json={"judge": judge.identity, "text": "one more"})
            assert problem(refused, 429, "limit-reached")["limit"] == "experiments"
        answer(bob.post("/readings", json={"judge": judge.identity, "text": "one more"}), 202)
        with nothing_changes(house):
            for more, where in (
                ({"text": ""}, "/text"),
                ({"text": "word " * 512}, "/text"),
                ({"text": "a", "prefix": "word " * 512}, "/text"),
                ({"text": "a", "judge": "nobody"}, "/judge"),
                ({"text": "a", "profile": "other"}, "/profile"),
            ):
                body = {"judge": judge.identity, **more}
                response = bob.post("/readings", json=body)
                assert response.status_code == 422, response.text
                assert pointers(response.json()) == [where]


# --- Where it is closed -----------------------------------------------------------------------------------------------


def refused(caller: Caller, judge: FakeJudge = PLAIN, text: str = "something else", prefix: str = "") -> bool:
    body = {"judge": judge.identity, "text": text, "prefix": prefix}
    response = caller.post("/readings", json=body, params={"wait": 20})
    if response.status_code == 201:
        return False
    problem(response, 403, "forbidden")
    return True


def test_rounds_that_count_attempts_are_not_looked_into(house: RunningApp, other: FakeJudge) -> None:
    lesson = new_class(house, PLAIN, attempts=3)
    ada = lesson.join()
    shown = read(house.host)
    assert refused(ada)
    assert not refused(house.host)
    assert not refused(new_class(house, PLAIN).join()), "nobody of that round"
    assert not refused(ada, other), "another judge, of a text that is not in the round"
    for text, prefix in ((PASSAGE, ""), (f"And so: {PASSAGE.upper()}", ""), (PASSAGE[5:60], ""), ("a", PASSAGE)):
        assert refused(ada, other, text, prefix), (text, prefix)
    lesson.close()
    assert not refused(ada)
    assert not refused(ada, other, PASSAGE)
    second = new_class(house, PLAIN, attempts=3, second_judge=other.identity)
    player = second.join()
    assert not refused(player, other), "else whoever tries all judges would know which one is the second"
    assert refused(player, other, PASSAGE)
    second.close()  # its text is closed to all others, too
    assert not refused(new_class(house, PLAIN, attempts=3, free=True).join())
    assert answer(house.host.get(f"/readings/{shown['id']}"))["state"] == "known"


def test_a_private_judge_answers_nobody(house: RunningApp) -> None:
    secret = FakeJudge("secret")
    with at_work(house.redis_url, secret):
        lesson = new_class(house, secret)
        assert refused(lesson.join(), secret)
        assert refused(house.host, secret)


def test_a_host_closes_the_lab_and_opens_it(lesson: Class) -> None:
    host, ada = lesson.house.host, lesson.join()
    assert lesson.competition_now["lab"] is True
    shown = read(ada)
    for closed in (True, True, False, False):
        changed = answer(host.request("PATCH", f"/competitions/{lesson.id}", json={"lab": not closed}))
        assert changed["lab"] is lesson.competition_now["lab"] is not closed
        assert refused(ada) is closed
        assert not refused(host)
        assert ada.get(f"/readings/{shown['id']}").status_code == (403 if closed else 200)
    told = [each["data"] for each in lesson.events() if each["type"] == "competition.changed"]
    assert told == [{"lab": "closed"}, {"lab": "open"}]
