"""A round's second judge: it measures aside, and players see what it says once the moves are revealed."""

import csv
import io
import json
import re

from server.queue.claiming import Claim
from server.queue.messages import Job
from tests.support.scenario.deployment import PASSAGE, answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class, new_round, pointers, problem
from tests.support.services import eventually
from tests.support.web import Visitor, text_of
from tests.support.workers import PLAIN, FakeJudge, Hand, at_work, by_length
from xentarena import receipts, verify


def both(who: Caller, lesson: Class) -> Json:
    found: Json = answer(who.get(f"/rounds/{lesson.round_id}/second-judge"))
    return found


def measured(lesson: Class, count: int) -> Json:
    def whole() -> Json | None:
        response = lesson.house.host.get(f"/rounds/{lesson.round_id}/second-judge")
        return response.json() if response.status_code == 200 and response.json()["done"] == count else None

    found = eventually(whole, what="the second judge's bits")
    assert found is not None
    return found


def lines(found: Json) -> list[tuple[str, float, int, float, int]]:
    return [
        (each["player"]["name"], each["before"]["bits"], each["before"]["rank"], each["after"]["bits"],
         each["after"]["rank"])
        for each in found["players"]
    ]  # fmt: skip


def everything(lesson: Class, player: Caller, submission: str) -> list[tuple[bytes, str | None]]:
    """All that players are shown of the round, byte for byte."""
    at = (
        f"/rounds/{lesson.round_id}", f"/rounds/{lesson.round_id}/leaderboard", f"/competitions/{lesson.id}",
        f"/competitions/{lesson.id}/leaderboard", f"/competitions/{lesson.id}/events?after=0",
        f"/submissions/{submission}", f"/submissions/{submission}/receipt", lesson.submissions, "/me",
        f"/rounds/{lesson.round_id}/second-judge", f"/rounds/{lesson.round_id}/rescorings",
    )  # fmt: skip
    found = [player.get(path) for path in at]
    return [(_without_clock(each.content), each.headers.get("etag")) for each in found]


def _without_clock(content: bytes) -> bytes:
    """How many moves would be taken at once grows by itself."""
    return re.sub(rb'"at_once":\d+', b"", content)


BOTH = [("Bob", 9.0, 2, 12.5, 1), ("Ada", 25.0, 1, 1.0, 2)]


def test_nobody_sees_it_before_the_moves_are_revealed(house: RunningApp, other: FakeJudge) -> None:
    lesson = new_class(house, PLAIN, second_judge=other.identity)
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    at = f"/rounds/{lesson.round_id}"
    assert answer(house.host.get(at))["second_judge"] == other.identity
    assert answer(ada.get(at))["second_judge"] is None
    problem(house.host.get(f"{at}/second-judge"), 404, "not-found")
    sent = ada.score(lesson.round_id, "25 z")["id"]
    bob.score(lesson.round_id, "9 a good deal longer indeed")
    before = everything(lesson, bob, sent)
    assert lines(measured(lesson, 2)) == BOTH
    assert everything(lesson, bob, sent) == before, "whatever the second judge has measured meanwhile"
    told = problem(ada.get(f"{at}/second-judge"), 409, "round-not-revealed")
    single = new_class(house, PLAIN)
    without = problem(single.join().get(f"/rounds/{single.round_id}/second-judge"), 409, "round-not-revealed")
    assert told["detail"] == without["detail"], "also not whether there is one"
    lesson.close()
    answer(house.host.post(f"{at}:reveal", json={"which": "all"}))
    assert lines(both(bob, lesson)) == BOTH
    assert answer(ada.get(at))["second_judge"] == other.identity
    answer(house.host.post(f"{at}:conceal"))
    problem(ada.get(f"{at}/second-judge"), 409, "round-not-revealed")


def test_the_final_board_can_be_the_second_judges(house: RunningApp, other: FakeJudge) -> None:
    lesson = new_class(house, PLAIN, second_judge=other.identity)
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    ada.score(lesson.round_id, "25 z"), bob.score(lesson.round_id, "9 a good deal longer indeed")
    measured(lesson, 2)
    lesson.close()
    (rescoring,) = answer(house.host.get(f"/rounds/{lesson.round_id}/rescorings"))["items"]
    answer(house.host.post(f"/rescorings/{rescoring['id']}:apply"))
    assert [(each["player"]["name"], each["bits"]) for each in lesson.board()] == [("Bob", 12.5), ("Ada", 1.0)]
    answer(house.host.post(f"/rounds/{lesson.round_id}:reveal", json={"which": "all"}))
    assert lines(both(ada, lesson)) == BOTH, "both columns are still there"


def exported(lesson: Class, what: str) -> list[tuple[str, str, str]]:
    text = lesson.house.host.get(f"/competitions/{lesson.id}/{what}").content.decode("utf-8-sig")
    return [
        (row["player"], row["second_judge"], row["second_bits"]) for row in csv.DictReader(io.StringIO(text))
    ]  # fmt: skip


def test_files_and_receipts_tell_it_after_the_reveal_and_nothing_of_it_before(
    house: RunningApp, other: FakeJudge
) -> None:
    lesson = new_class(house, PLAIN, second_judge=other.identity)
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    sent = [ada.score(lesson.round_id, text) for text in ("25 z", "3 much longer than that z is")]
    bob.score(lesson.round_id, "9 a good deal longer indeed")
    measured(lesson, 3)
    lesson.close()
    files, path = ("results.csv", "moves.csv"), f"/submissions/{sent[0]['id']}/receipt"
    nothing = {"results.csv": [("Ada", "", ""), ("Bob", "", "")]}
    nothing["moves.csv"] = [("Ada", "", ""), *nothing["results.csv"]]
    assert {what: exported(lesson, what) for what in files} == nothing
    before = {name: who.get(path) for name, who in (("ada", ada), ("host", house.host))}
    assert all(other.name not in each.text and other.identity not in each.text for each in before.values())
    assert answer(before["ada"])["version"] == 1
    answer(house.host.post(f"/rounds/{lesson.round_id}:reveal", json={"which": "top"}))
    assert exported(lesson, "results.csv") == [("Ada", other.name, "1.0"), ("Bob", other.name, "12.5")]
    assert exported(lesson, "moves.csv") == [("Ada", other.name, "1.0"), *exported(lesson, "results.csv")]
    told = answer(ada.get(path))
    document, read = receipts.read(json.dumps(told))
    assert (told["version"], told["complete"], receipts.is_signed(document)) == (3, True, True)
    assert {slot: each["identity"] for slot, each in told["second"]["judges"].items()} == {"main": other.identity}
    second = receipts.under_second(read)
    assert second is not None
    assert receipts.computed(read) == {"black": 25_000}
    assert receipts.computed(second) == second.rewards == {"black": 1_000}
    verdict = verify.verify(json.dumps(told))
    assert verdict.good
    assert verdict.second is not None
    assert (verdict.second.judge, verdict.second.millibits, verdict.second.score) == (other.name, 1_000, "same")
    answer(house.host.post(f"/competitions/{lesson.id}:freeze"))
    assert answer(ada.get(path)) == answer(before["ada"]), "what it says may go on changing"
    answer(house.host.post(f"/competitions/{lesson.id}:unfreeze"))
    answer(house.host.post(f"/rounds/{lesson.round_id}:conceal"))
    assert {what: exported(lesson, what) for what in files} == nothing
    assert ada.get(path).content == before["ada"].content


def test_a_second_judge_that_is_away_keeps_nobody_waiting_and_catches_up(
    house: RunningApp, hand: Hand, judge: FakeJudge
) -> None:
    """Whoever is scored by the first judge hears nothing of it; a round that the host drops it from stays without."""
    lesson = new_class(house, PLAIN, second_judge=judge.identity)
    ada = lesson.join("Ada")
    assert ada.score(lesson.round_id, "25 z")["state"] == "scored"
    found = eventually(lambda: house.host.get(f"/rounds/{lesson.round_id}/rescorings").json()["items"], what="it")
    assert (found[0]["done"], found[0]["of"]) == (0, 1)
    answer(house.host.post(f"/rescorings/{found[0]['id']}:drop"))
    ada.score(lesson.round_id, "26 z")
    again = answer(house.host.get(f"/rounds/{lesson.round_id}/rescorings"))["items"]
    assert [each["state"] for each in again] == ["dropped"]
    lesson.close()
    answer(house.host.post(f"/rounds/{lesson.round_id}:reveal", json={"which": "all"}))
    problem(ada.get(f"/rounds/{lesson.round_id}/second-judge"), 404, "not-found")


def _length(claim: Claim) -> int:
    return len(claim.job.prefix) if isinstance(claim.job, Job) else 0


def test_what_it_finishes_after_the_reveal_is_told_at_once_and_nothing_before(
    house: RunningApp, hand: Hand, judge: FakeJudge, visitor: Visitor
) -> None:
    lesson = new_class(house, PLAIN, second_judge=judge.identity)
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    ada.score(lesson.round_id, "25 z"), bob.score(lesson.round_id, "9 a good deal longer indeed")
    *hers, his = sorted(hand.take_all(3), key=_length)  # both share what is without a move
    hand.answer(*hers, says=by_length)
    measured(lesson, 1)
    lesson.close()

    def news() -> list[Json]:
        return [event["data"] for event in lesson.events() if event["type"].startswith("second")]

    answer(house.host.post(f"/rounds/{lesson.round_id}:reveal", json={"which": "all"}))
    assert news() == []
    visitor.sign_in(ada)
    part = f"/rounds/{lesson.round_id}/others"
    assert "12.500" not in text_of(visitor.get(part))
    hand.answer(his, says=by_length)
    measured(lesson, 2)
    told = news()
    assert told
    assert told == [{"round": lesson.round_id}] * len(told)
    assert "12.500" in text_of(visitor.get(part))
    answer(house.host.post(f"/competitions/{lesson.id}:freeze"))
    (rescoring,) = answer(house.host.get(f"/rounds/{lesson.round_id}/rescorings"))["items"]
    answer(house.host.post(f"/rescorings/{rescoring['id']}:drop"))
    assert news() == told, "as everything that tells of scores"
    answer(house.host.post(f"/competitions/{lesson.id}:unfreeze"))
    assert len(news()) == len(told) + 1, "that it is gone is news too"


def test_it_is_chosen_checked_edited_and_carried_on(house: RunningApp, other: FakeJudge) -> None:
    lesson = new_class(house, PLAIN)
    at = f"/competitions/{lesson.id}/rounds"
    body = {"game": "condense", "passages": [PASSAGE], "judge": PLAIN.identity}
    for wrong in (PLAIN.identity, "nobody"):
        refused = house.host.post(at, json=body | {"second_judge": wrong})
        assert refused.status_code in (404, 422)
        assert pointers(refused.json()) == ["/second_judge"]
    assert len(answer(house.host.get(at))["items"]) == 1
    path = f"/rounds/{lesson.round_id}"
    answer(house.host.request("PATCH", path, json={"second_judge": other.identity}))
    assert answer(house.host.get(path))["second_judge"] == other.identity
    copy = answer(house.host.post(f"{path}:duplicate"), 201)
    assert copy["second_judge"] == other.identity
    answer(house.host.request("PATCH", path, json={"second_judge": None}))
    assert answer(house.host.get(path))["second_judge"] is None
    answer(house.host.request("PATCH", path, json={"second_judge": other.identity}))
    lesson.join("Ada").score(lesson.round_id, "4")
    problem(house.host.request("PATCH", path, json={"second_judge": None}), 409, "round-played")


def test_a_passage_that_is_too_long_for_it_is_refused(house: RunningApp) -> None:
    short = FakeJudge(context=8)
    with at_work(house.redis_url, short):
        eventually(lambda: house.measurable(short), what="the short judge")
        lesson = new_class(house, PLAIN)
        body = {"game": "condense", "passages": [PASSAGE], "judge": PLAIN.identity, "second_judge": short.identity}
        refused = problem(house.host.post(f"/competitions/{lesson.id}/rounds", json=body), 422, "invalid-request")
    assert pointers(refused) == ["/second_judge"]
    assert "The second judge could not measure this round" in refused["detail"]


def test_pages_show_both_columns_and_who_fell(house: RunningApp, other: FakeJudge, visitor: Visitor) -> None:
    lesson = new_class(house, PLAIN)
    made = new_round(house, lesson.id, PLAIN, second_judge=other.identity)
    round_ = Class(house, lesson.competition, made, PLAIN)
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    ada.score(round_.round_id, "25 z"), bob.score(round_.round_id, "9 a good deal longer indeed")
    measured(round_, 2)
    visitor.sign_in(ada)
    assert "Under two judges" not in text_of(visitor.get(f"/rounds/{round_.round_id}"))
    visitor.sign_in(house.host)
    assert "second judge" in text_of(visitor.get(f"/host/rounds/{round_.round_id}/rescorings"))
    form = visitor.get(f"/host/competitions/{lesson.id}").text
    assert 'name="second_judge"' in form
    round_.close()
    answer(house.host.post(f"/rounds/{round_.round_id}:reveal", json={"which": "all"}))
    visitor.sign_in(ada)
    shown = text_of(visitor.get(f"/rounds/{round_.round_id}"))
    assert "Under two judges" in shown
    assert "Bob 9.000 12.500 1 rose 1 Ada 25.000 1.000 2 fell 1" in shown
