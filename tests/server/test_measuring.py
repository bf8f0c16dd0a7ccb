"""Measuring freely: the bits of a text with and without a prefix, outside any game."""

import hashlib
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.arena.exploring import stands_in
from server.arena.measurements import Question
from server.db.models import Measurement
from tests.support.games import program
from tests.support.scenario.deployment import PASSAGE, answer
from tests.support.server import (
    Caller,
    Class,
    Json,
    RunningApp,
    new_class,
    new_competition,
    new_round,
    nothing_changes,
    problem,
)
from tests.support.services import eventually
from tests.support.workers import PLAIN, FakeJudge, Hand, at_work, bits, hand_of, measurement

TEXT = "The tide came in over the flats."
COUNTED = "Of this one no other test asks: it stands in rounds that stay open and count attempts."


def measure(caller: Caller, text: str = TEXT, prefix: str = "", **more: str) -> Json:
    body = {"judge": PLAIN.identity, "text": text, "prefix": prefix, **more}
    return answer(caller.post("/measurements", json=body, params={"wait": 20}), 201)


@pytest.mark.parametrize("profile", ["arena", "xent-0.5"])
@pytest.mark.parametrize("prefix", ["", "sea and ships", "worth 7.5"])
def test_the_sums_are_those_of_the_judges_own_bits(house: RunningApp, profile: str, prefix: str) -> None:
    shown = measure(house.host, prefix=prefix, profile=profile)
    after, alone = bits(prefix, TEXT, profile), bits("", TEXT, profile)
    assert shown["bits"] == sum(after)
    assert shown["base"] == sum(alone)
    assert shown["saved"] == sum(alone) - sum(after)
    assert [(token["bits"], token["base"]) for token in shown["tokens"]] == list(zip(after, alone, strict=True))
    assert "".join(token["text"] for token in shown["tokens"]).split() == TEXT.split()[-len(after) :]
    assert (shown["judge"], shown["profile"], shown["state"]) == (PLAIN.identity, profile, "known")


def test_a_game_scores_what_measuring_by_hand_says(lesson: Class) -> None:
    move = "lighthouse keeper"
    score = lesson.join().score(lesson.round_id, move)["bits"]
    assert score == measure(lesson.house.host, PASSAGE, move)["saved"]


def test_it_may_be_asked_again_by_its_address(house: RunningApp) -> None:
    response = house.host.post("/measurements", json={"judge": "plain", "text": TEXT}, params={"wait": 20})
    shown = answer(response, 201)
    assert answer(house.host.get(response.headers["Location"].removeprefix("/api/v1"))) == shown
    with nothing_changes(house):
        assert measure(house.host) == shown


def test_it_is_202_until_both_halves_are_there(house: RunningApp, judge: FakeJudge, hand: Hand) -> None:
    ada = new_class(house, judge).join()
    body = {"judge": judge.identity, "text": TEXT, "prefix": "7"}
    response = ada.post("/measurements", json=body)
    pending = answer(response, 202)
    assert (pending["state"], pending["bits"], pending["saved"], pending["tokens"]) == ("pending", None, None, [])
    asked = [claim for claim in hand.take_all(3) if measurement(claim).prefix in ("", "7")]  # not the round's own
    first, second = sorted(asked, key=lambda claim: -len(measurement(claim).prefix))
    hand.answer(first)
    path = response.headers["Location"].removeprefix("/api/v1")
    eventually(lambda: "known" in {row.state for row in house.measurements(judge)}, what="one half")
    assert answer(ada.get(path))["state"] == "pending"
    with ThreadPoolExecutor(1) as thread:
        start = time.monotonic()
        waiting = thread.submit(ada.get, path, params={"wait": 60})
        time.sleep(0.2)
        hand.answer(second)
        assert answer(waiting.result())["saved"] == 7.0
    assert time.monotonic() - start < 30


def test_a_measurement_that_fails_says_why(house: RunningApp, judge: FakeJudge) -> None:
    with at_work(house.redis_url, judge, says=lambda job: "out of memory" if job.prefix else [4.0] * 7):
        new_class(house, judge)
        body = {"judge": judge.identity, "text": TEXT, "prefix": "7"}
        shown = answer(house.host.post("/measurements", json=body, params={"wait": 20}), 201)
    assert (shown["state"], shown["failure"], shown["bits"]) == ("failed", "out of memory", None)


def test_it_runs_in_the_bots_lane_also_for_people(house: RunningApp, judge: FakeJudge, hand: Hand) -> None:
    lesson = new_class(house, judge)
    answer(lesson.join().post("/measurements", json={"judge": judge.identity, "text": TEXT}), 202)
    lanes = {measurement(claim).prefix: claim.job.lane for claim in hand.take_all(2)}
    assert lanes[""] == "bots"
    assert len(lanes) == 2, "the other is the round's own"


def test_there_is_a_quota_for_each_participant(own_house: Callable[..., RunningApp], judge: FakeJudge) -> None:
    house = own_house()
    with hand_of(house.redis_url, judge):
        lesson = new_class(house, judge)
        ada, bob = lesson.join(), lesson.join()
        waiting = 0
        while waiting < 64:
            body = {"judge": judge.identity, "text": f"text {waiting}", "prefix": "a"}
            answer(ada.post("/measurements", json=body), 202)
            waiting += 2
        with nothing_changes(house):
            response = ada.post("/measurements", json={"judge": judge.identity, "text": "one more"})
            assert problem(response, 429, "limit-reached")["limit"] == "pending"
            assert int(response.headers["Retry-After"]) > 0
        answer(bob.post("/measurements", json={"judge": judge.identity, "text": "one more"}), 202)


def test_nobody_measures_without_a_token(house: RunningApp) -> None:
    with nothing_changes(house):
        problem(house.anyone.post("/measurements", json={"text": TEXT}), 401, "unauthorized")


def test_a_private_judge_scores_rounds_and_nothing_else(house: RunningApp) -> None:
    secret = FakeJudge("secret")
    with at_work(house.redis_url, secret):
        lesson = new_class(house, secret, game=house.install_game(program()))
        ada = lesson.join()
        assert answer(house.anyone.get("/judges/secret"))["private"] is True
        sent = ada.score(lesson.round_id, "7")
        assert sent["bits"] == 7.0
        with nothing_changes(house):
            for caller in (ada, house.host):
                for name in ("secret", secret.identity):
                    response = caller.post("/measurements", json={"judge": name, "text": PASSAGE, "prefix": "7"})
                    problem(response, 403, "forbidden")


# --- No helping hand in a round that counts attempts ------------------------------------------------------------------


def refused(lesson: Class, caller: Caller) -> bool:
    body = {"judge": lesson.judge.identity, "text": "something else"}
    response = caller.post("/measurements", json=body, params={"wait": 20})
    if response.status_code == 201:
        return False
    problem(response, 403, "forbidden")
    return True


def test_players_of_an_open_round_with_an_attempt_limit_may_not_measure_with_its_judge(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, attempts=3, passages=[COUNTED])
    ada = lesson.join()
    assert refused(lesson, ada)
    assert not refused(lesson, house.host)
    assert not refused(lesson, new_class(house, PLAIN).join()), "nobody of that round"


def test_what_was_asked_before_is_closed_too_while_the_round_is_open(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN)
    ada = lesson.join()
    key = measure(ada)["id"]
    round_ = lesson.another_round(attempts=3)
    problem(ada.get(f"/measurements/{key}"), 403, "forbidden")
    answer(house.host.post(f"/rounds/{round_['id']}:close"))
    assert answer(ada.get(f"/measurements/{key}"))["id"] == key


def test_the_texts_of_such_a_round_are_closed_to_the_tokens_of_other_competitions(house: RunningApp) -> None:
    text = f"Nobody had seen the {secrets.token_hex(8)} comet before the {secrets.token_hex(8)} winter of that year."
    lesson, elsewhere = new_class(house, PLAIN, attempts=3, passages=[text]), new_class(house, PLAIN)
    eve = elsewhere.join()
    cohost = answer(house.host.post(f"/competitions/{elsewhere.id}/hosts", json={"name": "Eve"}), 201)
    part, loud = text[20:60], text.upper().replace(" ", "  ")
    asked = [{"text": text}, {"text": text, "prefix": "7"}, {"text": "7", "prefix": text}, {"text": part},
             {"text": loud}, {"prefix": text[:30], "text": text[30:]}]  # fmt: skip
    for caller in (eve, house.caller(cohost["token"])):
        for body in asked:
            problem(caller.post("/measurements", json={"judge": PLAIN.identity, **body}), 403, "forbidden")
        measure(caller, "Nobody had seen it before.")
    measure(house.host, text)
    answer(house.host.post(f"/rounds/{lesson.round_id}:close"))
    measure(eve, text)


def test_the_host_of_such_a_round_may_allow_it_to_others_too(house: RunningApp) -> None:
    text = f"A text of {secrets.token_hex(16)} that everybody may measure."
    new_class(house, PLAIN, attempts=3, free=True, passages=[text])
    measure(new_class(house, PLAIN).join(), text)


LETTERS = st.text(st.characters(min_codepoint=97, max_codepoint=122), max_size=90)


@given(
    LETTERS, LETTERS, st.text(st.characters(min_codepoint=65, max_codepoint=90), min_size=31, max_size=90), st.data()
)
def test_every_longer_piece_of_a_text_is_found_and_nothing_of_another(
    before: str, after: str, text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text) - 31))
    assert stands_in(before + text[start : start + 31] + after, text)
    assert not stands_in(before + after, text)


# --- What others asked is theirs --------------------------------------------------------------------------------------


def measured(house: RunningApp, judge: FakeJudge, keys: set[str]) -> bool:
    return keys <= {row.key for row in house.measurements(judge) if row.bits}


def test_nobody_learns_from_measuring_what_others_measured_nor_by_which_judge(
    house: RunningApp, judge: FakeJudge, hand: Hand
) -> None:
    """The judge that never answers is the second of a round, or it is not: whoever asks sees no difference."""
    for second in (None, judge.identity):
        lesson = new_class(house, PLAIN, second_judge=second)
        ada, bob = lesson.join(), lesson.join()
        ada.score(lesson.round_id, "7 of ada")
        if second:
            asked = eventually(lambda: hand.take(1), what="what the second judge is asked")
            hand.answer(*asked)
            keys = {claim.job.key for claim in asked}
            eventually(partial(measured, house, judge, keys), what="its bits")
        for caller in (ada, bob):
            for prefix in ("7 of ada", ""):
                body = {"judge": judge.identity, "text": PASSAGE, "prefix": prefix}
                assert answer(caller.post("/measurements", json=body), 202)["state"] == "pending"


def test_a_measurement_is_shown_to_whoever_asked_for_it_and_404_to_everybody_else(lesson: Class) -> None:
    house, ada, bob = lesson.house, lesson.join(), lesson.join()
    ada.score(lesson.round_id, "7 of ada")
    asked = {caller: measure(caller, PASSAGE, "7 of ada")["id"] for caller in (ada, bob, house.host)}
    assert len(set(asked.values())) == 3
    for row in house.measurements(PLAIN)[-40:]:
        for caller in asked:
            mine = measured_by(house, caller, row)
            response = caller.get(f"/measurements/{row.key}")
            assert answer(response)["id"] == row.key if mine else problem(response, 404, "not-found")
    for caller, key in asked.items():
        assert answer(caller.get(f"/measurements/{key}"))["saved"] == 7.0


def measured_by(house: RunningApp, caller: Caller, row: Measurement) -> bool:
    """Asked for freely by that token, found out by its digest."""
    assert caller.token
    digest = hashlib.sha256(caller.token.encode()).hexdigest()
    ((token,),) = house.sql("SELECT id FROM tokens WHERE digest = :digest", digest=digest)
    return Question(row.judge, row.profile, row.prefix, row.text, token).key == row.key


def test_other_judges_are_free(house: RunningApp, judge: FakeJudge) -> None:
    with at_work(house.redis_url, judge):
        lesson = new_class(house, judge, attempts=3, passages=[COUNTED])
        measure(lesson.join())
        assert refused(lesson, lesson.join())


def test_the_host_can_allow_it(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, attempts=3, free=True, passages=[COUNTED])
    assert not refused(lesson, lesson.join())


def test_a_round_without_an_attempt_limit_has_nothing_to_protect(lesson: Class) -> None:
    assert not refused(lesson, lesson.join())


def test_it_opens_again_when_the_round_is_over_but_not_while_it_pauses(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, attempts=3, passages=[COUNTED])
    ada = lesson.join()
    answer(house.host.post(f"/rounds/{lesson.round_id}:pause"))
    assert refused(lesson, ada)
    answer(house.host.post(f"/rounds/{lesson.round_id}:close"))
    assert not refused(lesson, ada)


def test_it_closes_when_the_clock_opens_the_round_and_opens_when_it_ends(house: RunningApp) -> None:
    competition = new_competition(house)
    opens = datetime.now(UTC) + timedelta(seconds=1.2)
    closes = opens + timedelta(seconds=1.5)
    window = {"opens_at": opens.isoformat(), "closes_at": closes.isoformat()}
    round_ = new_round(house, competition["id"], PLAIN, attempts=3, passages=[COUNTED], **window)
    lesson = Class(house, competition, round_, PLAIN)
    ada = lesson.join()
    assert not refused(lesson, ada)
    time.sleep(max(0, (opens - datetime.now(UTC)).total_seconds()) + 0.01)
    assert refused(lesson, ada), "from the moment, not from when somebody has noticed"
    time.sleep(max(0, (closes - datetime.now(UTC)).total_seconds()) + 0.01)
    assert not refused(lesson, ada)


def test_a_backward_judge_leaves_the_last_word_out_where_the_profile_leaves_out_the_first(house: RunningApp) -> None:
    judge = FakeJudge(direction="backward")
    with at_work(house.redis_url, judge, says=lambda job: [1.0, 2.0]):
        new_class(house, judge)
        shown = measure(house.host, "one two three", judge=judge.identity, profile="xent-0.5")
    assert [(token["text"], token["bits"]) for token in shown["tokens"]] == [("one ", 1.0), ("two ", 2.0)]
