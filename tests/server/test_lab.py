"""The lab: readings of any text by a server's judge, who may ask for them, and what comes of them when things fail."""

import json
import math
import re
import statistics
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

from judge import reading
from judge.reading import Prediction
from judge.replies import NOTHING
from server.arena.lab import WAITING
from server.queue.messages import ExperimentJob, Result
from tests.support.scenario.deployment import PASSAGE, answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class, nothing_changes, pointers, problem
from tests.support.services import eventually
from tests.support.workers import BUILD, PLAIN, FakeJudge, Hand, at_work, bits, hand_of, measurement, tried
from xentarena import Client

TEXT = "The tide came in over the flats."
PAGE = Path(__file__).parents[2] / "docs" / "lab.md"


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


# --- Experiments of several readings ----------------------------------------------------------------------------------


SEA = ["The tide came in over the flats.", "Boats went home before noon.", "Gulls cried."]


def asked(caller: Caller, kind: str, **body: object) -> Json:
    sent = caller.post(f"/lab/{kind}", json={"judge": "plain", **body}, params={"wait": 20})
    shown = answer(sent, 201)
    assert sent.headers["location"] == f"/api/v1/lab/{kind}/{shown['id']}"
    assert (shown["judge"], shown["identity"], shown["state"]) == ("plain", PLAIN.identity, "known")
    assert (shown["build"], shown["failure"]) == (BUILD, None)
    assert {name: shown[name] for name in body} == body
    assert answer(caller.get(f"/lab/{kind}/{shown['id']}")) == shown
    return shown


def singly(caller: Caller, prefix: str, text: str) -> Json:
    """The same reading asked for by itself."""
    told = read(caller, text, prefix)["read"]
    return {
        "prefix": prefix,
        "text": text,
        "bits": told["bits"],
        "tokens": len(told["tokens"]),
        "entropy": told["entropy"],
    }


def near(value: object) -> object:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


@pytest.fixture(scope="module")
def figured(sqlite_house: RunningApp) -> Class:
    """A class for figures, in which no database has a part."""
    return new_class(sqlite_house, PLAIN)


def test_what_a_prefix_tells_of_texts_comes_of_readings(figured: Class) -> None:
    ada = figured.join()
    for other in ("", "worth 3"):
        shown = asked(ada, "passages", prefix="the sea", other=other, texts=SEA)
        found = [singly(ada, prefix, text) for prefix in ("the sea", other) for text in SEA]
        assert shown["readings"] == found
        after, before = ([each["bits"] for each in part] for part in (found[:3], found[3:]))
        saved = [b - a for a, b in zip(after, before, strict=True)]
        low, high = stats.t.interval(0.95, 2, statistics.fmean(saved), stats.sem(saved))
        figures = shown["figures"]
        assert figures["saved"] == near({"mean": statistics.fmean(saved), "low": low, "high": high, "count": 3})
        rows = zip(SEA, before, after, saved, strict=True)
        names = ("text", "bits_without", "bits_with", "saved")
        assert figures["texts"] == [dict(zip(names, row, strict=True)) for row in rows]
        for name, part in (("with_prefix", after), ("without", before)):
            bits_, tokens = sum(part), sum(len(text.split()) for text in SEA)
            perplexity = 2 ** (bits_ / tokens)
            whole = {"bits": bits_, "tokens": tokens, "entropy": 3.5 * tokens, "perplexity": perplexity}
            assert figures[name] == near(whole)
    with Client(figured.house.url, token=ada.token) as client, nothing_changes(figured.house):
        again = client.passages("the sea", SEA, other="worth 3", judge="plain")
    assert again.model_dump(mode="json") == shown


def test_restricted_answers_come_of_readings(figured: Class) -> None:
    ada, allowed = figured.join(), ["Yes of course", "No", "perhaps"]
    shown = asked(ada, "answers", question="Is 12 a tide?", answers=allowed)
    questions = ("Is 12 a tide?", *NOTHING)
    found = [singly(ada, f"Question: {each}\nAnswer:", f" {one}") for each in questions for one in allowed]
    assert shown["readings"] == found
    said, *nothing = np.array([each["bits"] for each in found]).reshape(4, 3)
    share = special.softmax(-said * math.log(2))
    apart = share / np.mean([special.softmax(-each * math.log(2)) for each in nothing], axis=0)
    apart /= apart.sum()
    figures = shown["figures"]
    assert [each["answer"] for each in figures["answers"]] == allowed
    for name, numbers in (
        ("bits", said),
        ("share", share),
        ("log_odds", np.log2(share / (1 - share))),
        ("share_without_prior", apart),
        ("log_odds_without_prior", np.log2(apart / (1 - apart))),
    ):
        assert [each[name] for each in figures["answers"]] == near(list(numbers)), name
    for end, p in (("", share), ("_without_prior", apart)):
        assert figures[f"chosen{end}"] == allowed[int(np.argmax(p))]
        assert figures[f"entropy{end}"] == near(stats.entropy(p, base=2))
    with Client(figured.house.url, token=ada.token) as client, nothing_changes(figured.house):
        again = client.answers("Is 12 a tide?", allowed, judge="plain")
    assert again.model_dump(mode="json") == shown


def test_what_a_judge_prefers_of_two_sentences_comes_of_readings(figured: Class) -> None:
    ada, one, two = figured.join(), "The sea is wet today.", "The sea is dry."
    shown = asked(ada, "pairs", first=one, second=two)
    alone = [f"Is this true? {each}" for each in (one, two)]
    both = [f"Which is true?\nA: {a}\nB: {b}" for a, b in ((one, two), (two, one))]
    asks = [(each, answers) for each, answers in zip([*alone, *both], ["Yes No"] * 2 + ["A B"] * 2, strict=True)]
    found = [singly(ada, "", each) for each in (one, two)]
    found += [singly(ada, f"Question: {each}\nAnswer:", f" {a}") for each, some in asks for a in some.split()]
    assert shown["readings"] == found
    costs = [each["bits"] for each in found]
    tokens = [each["tokens"] for each in found[:2]]
    yes, which = ([costs[at + 1] - costs[at] for at in places] for places in ((2, 4), (6, 8)))  # log odds of the first
    chosen = which[0] - which[1]
    verdicts = {
        "bits": (costs[0], costs[1], costs[0] < costs[1]),
        "bits_a_token": (costs[0] / tokens[0], costs[1] / tokens[1], costs[0] / tokens[0] < costs[1] / tokens[1]),
        "asked_alone": (*yes, yes[0] > yes[1]),
        "asked_which": (chosen, -chosen, chosen > 0),
    }
    assert shown["figures"].keys() == verdicts.keys()
    for way, (first, second, is_first) in verdicts.items():
        told = shown["figures"][way]
        assert (told["first"], told["second"]) == near((first, second)), way
        assert told["preferred"] == ("first" if is_first else "second"), way
    with Client(figured.house.url, token=ada.token) as client, nothing_changes(figured.house):
        again = client.pair(one, two, judge="plain")
    assert again.model_dump(mode="json") == shown


def test_several_readings_are_on_their_way_at_first_and_four_may_wait(
    house: RunningApp, judge: FakeJudge, hand: Hand
) -> None:
    lesson = new_class(house, judge)
    hand.answer(*hand.take_all(1))  # the round's own
    ada, bob = lesson.join(), lesson.join()
    bodies = [{"judge": judge.identity, "first": "wet", "second": f"dry {number}"} for number in range(5)]
    pending = [answer(ada.post("/lab/pairs", json=body), 202) for body in bodies[: WAITING["pairs"]]]
    assert (pending[0]["state"], pending[0]["readings"], pending[0]["figures"]) == ("pending", None, None)
    with nothing_changes(house):
        assert problem(ada.post("/lab/pairs", json=bodies[4]), 429, "limit-reached")["limit"] == "experiments"
        assert answer(ada.post("/lab/pairs", json=bodies[0]), 202) == pending[0]
        for path in (f"/lab/answers/{pending[0]['id']}", f"/readings/{pending[0]['id']}", "/lab/pairs/none"):
            problem(ada.get(path), 404, "not-found")
        problem(bob.get(f"/lab/pairs/{pending[0]['id']}"), 404, "not-found")
    assert answer(bob.post("/lab/pairs", json=bodies[0]), 202)["id"] != pending[0]["id"]
    ones, wrong = hand.take_all(2)  # one after the other comes into a pair of hands
    hand.answer(ones)
    hand.claims.publish(wrong, Result(wrong.job.key, BUILD, answer=b"abc"))
    known, failed = (answer(ada.get(f"/lab/pairs/{each.job.key}", params={"wait": 20})) for each in (ones, wrong))
    assert (known["state"], len(known["readings"])) == ("known", 10)
    assert (failed["state"], failed["figures"], failed["build"]) == ("failed", None, BUILD)
    assert "something else than readings" in failed["failure"]


#: Of experiments of several readings: what is wrong, and the field that it is told of.
WRONG: list[tuple[str, Json, str]] = [
    ("passages", {"prefix": " "}, "/prefix"),
    ("passages", {"texts": []}, "/texts"),
    ("passages", {"texts": SEA[:1]}, "/texts"),
    ("passages", {"texts": ["b"] * 41}, "/texts"),
    ("passages", {"texts": ["b", " "]}, "/texts/1"),
    ("passages", {"texts": ["b", "word " * 400]}, "/texts"),
    ("passages", {"prefix": "a " * 250, "texts": ["b"] * 40}, "/prefix"),
    ("passages", {"prefix": "a", "other": "word " * 400}, "/other"),
    ("passages", {"judge": "nobody"}, "/judge"),
    ("answers", {"question": ""}, "/question"),
    ("answers", {"question": "word " * 400}, "/question"),
    ("answers", {"answers": ["Yes"]}, "/answers"),
    ("answers", {"answers": ["Yes", " Yes "]}, "/answers"),
    ("answers", {"answers": [*"abcdefg"]}, "/answers"),
    ("answers", {"answers": ["Yes", ""]}, "/answers/1"),
    ("answers", {"answers": ["Yes", "word " * 400]}, "/answers"),
    ("answers", {"judge": "backward"}, "/judge"),
    ("pairs", {"first": ""}, "/first"),
    ("pairs", {"second": "wet"}, "/second"),
    ("pairs", {"first": "word " * 400}, "/first"),
    ("pairs", {"second": "word " * 400}, "/second"),
    ("pairs", {"judge": "backward"}, "/judge"),
]
RIGHT: dict[str, Json] = {
    "passages": {"prefix": "the sea", "texts": SEA},
    "answers": {"question": "Is it?", "answers": ["Yes", "No"]},
    "pairs": {"first": "wet", "second": "dry"},
}


def test_what_is_wrong_with_an_experiment_of_several_readings_is_told_of_its_field(
    sqlite_house: RunningApp,
) -> None:
    house = sqlite_house
    backward = FakeJudge("backward", direction="backward")
    with hand_of(house.redis_url, backward):
        eventually(lambda: house.measurable(backward), what="the judge that reads backward")
        ada = new_class(house, PLAIN).join()
        with nothing_changes(house):
            for kind, wrong, where in WRONG:
                response = ada.post(f"/lab/{kind}", json={"judge": "plain", **RIGHT[kind], **wrong})
                assert (response.status_code, pointers(response.json())) == (422, [where]), (wrong, response.text)
        shown = answer(ada.post("/lab/passages", json={**RIGHT["passages"], "judge": "backward"}), 202)
        assert shown["identity"] == backward.identity, "it reads texts"


def test_a_host_closes_experiments_of_several_readings_one_by_one(lesson: Class) -> None:
    host, ada = lesson.house.host, lesson.join()
    shown = {kind: asked(ada, kind, **body) for kind, body in RIGHT.items()}
    for closed in RIGHT:
        answer(host.request("PATCH", f"/competitions/{lesson.id}", json={"closed_experiments": [closed]}))
        for kind, body in RIGHT.items():
            statuses = [ada.post(f"/lab/{kind}", json={**body, "judge": "plain"}).status_code]
            statuses.append(ada.get(f"/lab/{kind}/{shown[kind]['id']}").status_code)
            assert statuses == ([403, 403] if kind == closed else [201, 200])
    counting = new_class(lesson.house, PLAIN, attempts=3)
    player = counting.join()
    for kind, body in RIGHT.items():
        problem(player.post(f"/lab/{kind}", json={**body, "judge": "plain"}), 403, "forbidden")
    counting.close()  # its text is closed to all others, too


def test_what_the_documents_show_of_them_works(
    figured: Class, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XENTARENA_TOKEN", str(figured.join().token))

    def block(name: str) -> str:
        found = re.search(rf"<!-- test: experiments {name} -->\n```\w+\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
        assert found, name
        return found[1].replace("http://127.0.0.1:8000", figured.house.url)

    exec(compile(block("from Python"), str(PAGE), "exec"), {})
    told = capsys.readouterr().out.splitlines()
    number = r"[+-]\d+\.\d\d"
    assert re.fullmatch(rf"{number} bits a text, 95 % between {number} and {number}", told[0])
    assert re.fullmatch(r"(\w+); without its prior (\w+), unsure by \d\.\d\d bits", told[1])
    assert re.fullmatch(r"(first|second|neither) by bits, (first|second) where it is asked", told[2])
    sent = subprocess.run(["bash", "-euc", block("over HTTP")], capture_output=True, text=True, check=True)
    assert len(json.loads(sent.stdout)["figures"]["answers"]) == 2
