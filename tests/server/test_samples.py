"""Samples by a server's judge: what is told, who may ask, and what comes of them when things fail."""

from collections.abc import Callable

from judge import samples
from judge.methods import USUAL
from judge.samples import Walk
from server.arena.lab import WAITING
from server.queue.messages import Result
from tests.support.scenario.deployment import PASSAGE, answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class, nothing_changes, pointers, problem
from tests.support.workers import BUILD, DRAWN, PLAIN, FakeJudge, Hand, hand_of
from xentarena import Client

PREFIX = "The tide came in"


def sample(caller: Caller, prefix: str = PREFIX, **more: object) -> Json:
    body = {"judge": PLAIN.identity, "prefix": prefix, "methods": ["greedy", "top-p=0.9"], "tokens": 5, **more}
    return answer(caller.post("/samples", json=body, params={"wait": 20}), 201)


def test_samples_are_what_the_judge_wrote_by_each_method(lesson: Class) -> None:
    ada, bob = lesson.join(), lesson.join()
    shown = sample(ada, methods=["greedy", " top-p=0.90"], seed=7)
    assert (shown["methods"], shown["tokens"], shown["seed"]) == (["greedy", "top-p=0.9"], 5, 7)
    assert (shown["judge"], shown["state"], shown["prefix"]) == ("plain", "known", PREFIX)
    for each, method in zip(shown["samples"], shown["methods"], strict=True):
        assert (each["method"], each["bits"], each["beams"], len(each["steps"])) == (method, 10.0, [], 5)
        assert [step["repeats"] for step in each["steps"]] == [True] * 5, "all words are one token to it"
        step = {key: value for key, value in each["steps"][0].items() if key not in ("text", "repeats", "top")}
        assert step == {"before": 0.25, "after": 1, "kept": 1, "mass": 0.25, "entropy": 1.5, "entropy_after": 0}
        assert [(choice["before"], choice["after"]) for choice in each["steps"][0]["top"]] == [(0.75, 0), (0.25, 1)]
    with nothing_changes(lesson.house):
        assert sample(ada, seed=7) == shown, "it is kept"
        assert answer(ada.get(f"/samples/{shown['id']}")) == shown
        for other in (bob, lesson.house.host):
            problem(other.get(f"/samples/{shown['id']}"), 404, "not-found")
        problem(ada.get(f"/readings/{shown['id']}"), 404, "not-found")
    assert sample(ada, seed=8)["id"] != shown["id"]
    with Client(lesson.house.url, token=ada.token) as client:
        found = client.sample(PREFIX, ["greedy", "top-p=0.9"], tokens=5, seed=7, judge="plain")
    assert found.model_dump(mode="json") == shown


def test_each_has_a_quota_of_samples_and_bad_input_says_what_is_wrong(
    own_house: Callable[..., RunningApp], judge: FakeJudge
) -> None:
    house = own_house()
    with hand_of(house.redis_url, judge):
        lesson = new_class(house, judge)
        ada, bob = lesson.join(), lesson.join()
        for number in range(WAITING["sample"]):
            answer(ada.post("/samples", json={"judge": judge.identity, "prefix": f"text {number}"}), 202)
        with nothing_changes(house):
            refused = ada.post("/samples", json={"judge": judge.identity, "prefix": "one more"})
            assert problem(refused, 429, "limit-reached")["limit"] == "experiments"
        answer(ada.post("/readings", json={"judge": judge.identity, "text": "a reading beside them"}), 202)
        with nothing_changes(house):
            for more, where in (
                ({"prefix": ""}, "/prefix"),
                ({"prefix": "word " * 256}, "/prefix"),
                ({"prefix": "word " * 250, "tokens": 6}, "/prefix"),
                ({"judge": "nobody"}, "/judge"),
                ({"methods": []}, "/methods"),
                ({"methods": ["greedy", "top-k=0"]}, "/methods/1"),
                ({"methods": ["temperature=0"]}, "/methods/0"),
                ({"methods": ["temperature=1e9"]}, "/methods/0"),
                ({"methods": [f"top-k={k}" for k in range(1, 10)]}, "/methods"),
                ({"methods": [*USUAL, "beam=16"]}, "/methods"),
                ({"methods": ["beam=16", "beam=15"], "tokens": 64}, "/tokens"),
                ({"tokens": 0}, "/tokens"),
                ({"tokens": 65}, "/tokens"),
                ({"seed": -1}, "/seed"),
            ):
                response = bob.post("/samples", json={"judge": judge.identity, "prefix": "a", **more})
                assert response.status_code == 422, (more, response.text)
                assert pointers(response.json()) == [where]


def test_samples_that_fail_say_why(house: RunningApp, judge: FakeJudge, hand: Hand) -> None:
    lesson = new_class(house, judge)
    hand.answer(*hand.take_all(1))  # the round's own
    ada = lesson.join()
    walk = Walk((DRAWN,) * 3)
    wrongs = (
        (Result("", BUILD, failure="out of memory"), "out of memory"),
        (Result("", BUILD, answer=b"abc"), "something else than samples"),
        (Result("", BUILD, answer=samples.pack([walk])), "1 sample for 2 methods"),
        (Result("", BUILD, answer=samples.pack([walk, Walk((DRAWN,) * 2)])), "values that no sample can have"),
    )
    for number, (wrong, told) in enumerate(wrongs):
        body = {"judge": judge.identity, "prefix": f"text {number}", "methods": ["greedy", "sampling"], "tokens": 3}
        pending = answer(ada.post("/samples", json=body), 202)
        (claim,) = hand.take_all(1)
        hand.claims.publish(claim, Result(claim.job.key, BUILD, failure=wrong.failure, answer=wrong.answer))
        failed = answer(ada.get(f"/samples/{pending['id']}", params={"wait": 20}))
        assert (failed["state"], failed["samples"]) == ("failed", None)
        assert told in failed["failure"]


def test_they_are_closed_where_readings_are(house: RunningApp, other: FakeJudge) -> None:
    def refused(caller: Caller, judge: FakeJudge = PLAIN, prefix: str = "something else") -> bool:
        body = {"judge": judge.identity, "prefix": prefix, "tokens": 2, "methods": ["greedy"]}
        response = caller.post("/samples", json=body, params={"wait": 20})
        return response.status_code != 201 and bool(problem(response, 403, "forbidden"))

    lesson = new_class(house, PLAIN, attempts=3)
    ada = lesson.join()
    assert refused(ada)
    assert not refused(house.host)
    assert not refused(ada, other)
    assert refused(ada, other, PASSAGE[5:60])
    lesson.close()
    assert not refused(ada)
    shown = sample(ada)
    answer(house.host.request("PATCH", f"/competitions/{lesson.id}", json={"lab": False}))
    assert refused(ada)
    problem(ada.get(f"/samples/{shown['id']}"), 403, "forbidden")
