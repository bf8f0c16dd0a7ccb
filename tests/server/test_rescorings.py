"""A round scored again under another judge: aside, until its host applies it."""

import json
from typing import Any

import pytest

from games.protocol import MAIN
from tests.support import duels
from tests.support.scenario.deployment import PASSAGE, answer
from tests.support.server import Caller, Class, Json, RunningApp, all_at_once, new_class, problem
from tests.support.services import eventually
from tests.support.web import Visitor, text_of
from tests.support.workers import PLAIN, FakeJudge, Hand, at_work, hand_of, measurement
from xentarena import receipts


def rescore(lesson: Class, judge: FakeJudge | None, **more: Any) -> Json:
    body = more | ({"judge": judge.identity} if judge else {})
    made: Json = answer(lesson.house.host.post(f"/rounds/{lesson.round_id}/rescorings", json=body), 201)
    return made


def look(lesson: Class, rescoring: Json) -> Json:
    found: Json = answer(lesson.house.host.get(f"/rescorings/{rescoring['id']}"))
    return found


def finished(lesson: Class, rescoring: Json) -> Json:
    def whole() -> Json | None:
        found = look(lesson, rescoring)
        return found if found["done"] == found["of"] else None

    found = eventually(whole, what="the rescoring")
    assert found is not None
    return found


def apply(lesson: Class, rescoring: Json) -> Json:
    made: Json = answer(lesson.house.host.post(f"/rescorings/{rescoring['id']}:apply"))
    return made


def standing(lesson: Class) -> list[tuple[str, float]]:
    return [(each["player"]["name"], each["bits"]) for each in lesson.board()]


def everything(lesson: Class, player: Caller, submission: str) -> list[tuple[bytes, str | None]]:
    """All that anybody is shown of the round, byte for byte."""
    at = (
        f"/rounds/{lesson.round_id}", f"/rounds/{lesson.round_id}/leaderboard", f"/competitions/{lesson.id}",
        f"/competitions/{lesson.id}/leaderboard", f"/competitions/{lesson.id}/events?after=0",
        f"/submissions/{submission}", f"/submissions/{submission}/receipt", lesson.submissions, "/me",
    )  # fmt: skip
    found = [player.get(path) for path in at]
    found += [lesson.house.host.get(f"/competitions/{lesson.id}/{name}") for name in ("moves.csv", "results.csv")]
    return [(each.content, each.headers.get("etag")) for each in found]


def test_nothing_changes_until_it_is_applied(lesson: Class, other: FakeJudge) -> None:
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    sent = ada.score(lesson.round_id, "25 z")["id"]
    bob.score(lesson.round_id, "9 a good deal longer indeed")
    lesson.close()
    before = everything(lesson, ada, sent)
    made = rescore(lesson, other)
    assert (made["state"], made["of"], made["judges"]) == ("running", 2, {MAIN: other.identity})
    found = finished(lesson, made)
    told = [(each["player"]["name"], each["before"]["rank"], each["after"]["rank"]) for each in found["players"]]
    assert told == [("Bob", 2, 1), ("Ada", 1, 2)]
    assert found["players"][1]["before"]["bits"] == 25.0
    assert found["players"][1]["after"]["bits"] == 1.0
    assert found["not_comparable"] == []
    assert everything(lesson, ada, sent) == before
    answer(lesson.house.host.post(f"/rescorings/{made['id']}:drop"))
    assert everything(lesson, ada, sent) == before
    problem(lesson.house.host.post(f"/rescorings/{made['id']}:apply"), 409, "rescoring-dropped")
    assert [
        each["state"] for each in answer(lesson.house.host.get(f"/rounds/{lesson.round_id}/rescorings"))["items"]
    ] == ["dropped"]


def test_applied_it_is_what_counts_and_back_again(lesson: Class, other: FakeJudge) -> None:
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    sent = ada.score(lesson.round_id, "25 z")["id"]
    longer = bob.score(lesson.round_id, "9 a good deal longer indeed")["id"]
    lesson.close()
    was, receipt = answer(ada.get(f"/submissions/{sent}")), answer(ada.get(f"/submissions/{sent}/receipt"))
    board, last = standing(lesson), lesson.events()[-1]["number"]
    made = rescore(lesson, other)
    finished(lesson, made)
    assert apply(lesson, made)["state"] == "applied"
    assert [name for name, _ in standing(lesson)] == ["Bob", "Ada"]
    assert dict(standing(lesson))["Ada"] == 1.0
    first, *told = lesson.events(last)
    assert (first["type"], {each["type"] for each in told}) == ("round.rescored", {"standing.changed"})
    stand = {each["player"]["id"]: (each["rank"], each["bits"]) for each in lesson.board()}
    assert {each["data"]["player"]: (each["data"]["rank"], each["data"]["bits"]) for each in told} == stand
    now = answer(ada.get(f"/submissions/{sent}"))
    assert (now["judge"], now["bits"], now["rewards"]) == (other.identity, 1.0, {now["seat"]: 1.0})
    whole = receipts.read(json.dumps(answer(bob.get(f"/submissions/{longer}/receipt"))))[1]
    assert whole.complete, whole.because
    assert (whole.version, whole.judges[MAIN].identity) == (2, other.identity)
    assert receipts.computed(whole)[whole.seat] == whole.millibits == round(dict(standing(lesson))["Bob"] * 1000)
    assert {other.name, other.identity} <= set(answer_moves(lesson))
    problem(lesson.house.host.post(f"/rounds/{lesson.round_id}:open"), 409, "round-rescored")
    problem(lesson.house.host.post(f"/rescorings/{made['id']}:drop"), 409, "rescoring-applied")
    assert apply(lesson, made)["state"] == "applied", "once more does nothing"
    assert look(lesson, made)["players"][1]["before"]["bits"] == 25.0, "what was replaced is told still"
    back = rescore(lesson, None)
    finished(lesson, back)
    apply(lesson, back)
    assert (standing(lesson), answer(ada.get(f"/submissions/{sent}"))) == (board, was)
    again = answer(ada.get(f"/submissions/{sent}/receipt"))
    assert {**again, "signature": ""} == {**receipt, "signature": ""}
    answer(lesson.house.host.post(f"/rounds/{lesson.round_id}:open"))


def answer_moves(lesson: Class) -> list[str]:
    lines = lesson.house.host.get(f"/competitions/{lesson.id}/moves.csv").text.splitlines()
    return [cell for line in lines for cell in line.split(",")]


def test_a_host_waits_for_all_of_it_and_for_the_end_of_the_round(
    lesson: Class, hand: Hand, judge: FakeJudge, house: RunningApp
) -> None:
    hand.announce()
    eventually(lambda: house.measurable(judge), what="the other judge")
    ada = lesson.join("Ada")
    ada.score(lesson.round_id, "25")
    made = rescore(lesson, judge)
    claims = hand.take_all(2)
    assert {measurement(claim).lane for claim in claims} == {"bots-rest"}, "behind everybody who plays"
    problem(house.host.post(f"/rescorings/{made['id']}:apply"), 409, "round-open")
    lesson.close()
    problem(house.host.post(f"/rescorings/{made['id']}:apply"), 409, "rescoring-unfinished")
    assert (look(lesson, made)["done"], look(lesson, made)["of"]) == (0, 1)
    hand.answer(*claims)
    finished(lesson, made)
    answer(house.host.post(f"/competitions/{lesson.id}:freeze"))
    problem(house.host.post(f"/rescorings/{made['id']}:apply"), 409, "boards-frozen")
    answer(house.host.post(f"/competitions/{lesson.id}:unfreeze"))
    apply(lesson, made)


@pytest.mark.slow
def test_a_move_that_is_scored_meanwhile_is_never_left_out(house: RunningApp, other: FakeJudge) -> None:
    """A score comes in while the host applies: either it is refused, or the score is by the new judge."""
    slow = FakeJudge()
    with hand_of(house.redis_url, slow) as hand:
        hand.announce()
        eventually(lambda: house.measurable(slow), what="the judge")
        lesson = new_class(house, slow)
        ada, bob = lesson.join("Ada"), lesson.join("Bob")
        answer(ada.submit(lesson.round_id, "25 z"), 202)
        hand.answer(*hand.take_all(2))
        eventually(lambda: len(lesson.board()) == 1, what="Ada's score")
        late = answer(bob.submit(lesson.round_id, "9 z"), 202)["id"]
        lesson.close()
        made = rescore(lesson, other)
        finished(lesson, made)
        claims = hand.take_all(1)

        def act(number: int) -> int:
            if number == 0:
                hand.answer(*claims)
                return 0
            return house.host.post(f"/rescorings/{made['id']}:apply").status_code

        codes = all_at_once(4, act)
        eventually(lambda: answer(bob.get(f"/submissions/{late}"))["state"] == "scored", what="Bob's score")
        assert set(codes[1:]) == {409}, "Bob's move is not worked out under the other judge"
        finished(lesson, made)
        eventually(lambda: look(lesson, made)["of"] == 2 and look(lesson, made)["done"] == 2, what="Bob's play")
        apply(lesson, made)
        assert standing(lesson) == [("Ada", 1.0), ("Bob", 1.0)]
        assert {answer(house.host.get(f"/submissions/{late}"))["judge"]} == {other.identity}


CUT = "# Cut\n#\n# Say.\n\nelicit(x, 3)\nreward(xed(story() | x))\n"
LETTERS = {"pattern": {"Regex": "."}, "type": "Split", "behavior": "Isolated", "invert": False}


def test_a_text_stays_as_it_was_cut(house: RunningApp) -> None:
    """The other judge's tokens are letters: it would keep three of them."""
    spelling = json.loads(PLAIN.tokenizer)
    spelling["pre_tokenizer"] = LETTERS
    reader = FakeJudge(tokenizer=json.dumps(spelling), context=4_000)
    with at_work(house.redis_url, reader, says=lambda job: [1.0 + len(job.prefix)] * len(job.text)):
        eventually(lambda: house.measurable(reader), what="the other judge")
        lesson = new_class(house, PLAIN, game=house.install_game(CUT))
        ada = lesson.join("Ada")
        sent = ada.score(lesson.round_id, "one two three four")["id"]
        was = answer(ada.get(f"/submissions/{sent}"))["events"]
        lesson.close()
        made = rescore(lesson, reader)
        finished(lesson, made)
        apply(lesson, made)
        now = answer(ada.get(f"/submissions/{sent}"))
        assert [each for each in now["events"] if each["type"] == "move"] == [
            each for each in was if each["type"] == "move"
        ]
        whole = receipts.read(json.dumps(answer(ada.get(f"/submissions/{sent}/receipt"))))[1]
        assert whole.complete
        assert [(move.text, move.cut) for move in whole.play.moves] == [("one two three ", True)]
        assert receipts.computed(whole)[whole.seat] == round(now["bits"] * 1000)


ENOUGH = 50 + 4 * len(PASSAGE.split())
STRICT = (
    f"# Strict\n#\n# Say.\n\nassign(s=story())\nelicit(x, 10)\nensure(xent(s | x) > {ENOUGH})\nreward(xed(s | x))\n"
)


def test_a_play_that_goes_another_way_keeps_its_score(house: RunningApp, other: FakeJudge) -> None:
    lesson = new_class(house, PLAIN, game=house.install_game(STRICT))
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    kept = ada.score(lesson.round_id, "25 " + "long" * 40)["id"]
    bob.score(lesson.round_id, "9 z")
    lesson.close()
    made = rescore(lesson, other)
    found = finished(lesson, made)
    assert [(each["submission"], each["player"]["name"]) for each in found["not_comparable"]] == [(kept, "Ada")]
    assert "goes on after its last move" in found["not_comparable"][0]["reason"]
    apply(lesson, made)
    assert standing(lesson) == [("Ada", 25.0), ("Bob", 1.0)]
    shown = {each["judge"] for each in answer(house.host.get(lesson.submissions))["items"]}
    assert shown == {PLAIN.identity, other.identity}, "every score names what it was measured with"


def test_players_are_rated_by_the_new_scores(house: RunningApp, other: FakeJudge) -> None:
    """Also in a play that somebody left, who has lost under every judge."""
    lesson = duels.class_of(house)
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    begun = duels.begin(lesson, ada, bob)
    duels.end(ada, bob, begun, -5)
    left = duels.begin(lesson, bob, ada)
    answer(bob.post(f"/submissions/{left[0]['id']}:resign"))
    lesson.close()
    made = rescore(lesson, other)
    found = finished(lesson, made)
    assert (found["of"], found["not_comparable"]) == (2, [])
    before = lesson.board()
    apply(lesson, made)
    eventually(lambda: lesson.board() != before, what="other ratings")
    for board, told in ((before, "before"), (lesson.board(), "after")):
        here = [(each["player"]["name"], each["bits"], each["rank"], each["rating"]["value"]) for each in board]
        assert here == sorted(((each["player"]["name"], *each[told].values()) for each in found["players"]), key=place)
    assert look(lesson, made)["players"] == found["players"], "it says the same of what it has changed"
    black, white = (answer(house.host.get(f"/submissions/{each['id']}"))["bits"] for each in begun)
    assert black == -white > 0
    stands = lesson.board()
    assert stands[0]["player"]["name"] == "Ada"
    assert stands[0]["rating"]["value"] > before_of(before, "Ada"), "she has won both now"
    back = rescore(lesson, None)
    finished(lesson, back)
    apply(lesson, back)
    eventually(lambda: lesson.board() == before, what="the ratings from before")


def place(line: tuple[Any, ...]) -> int:
    return int(line[2])


def before_of(board: list[Json], name: str) -> float:
    return float(next(each["rating"]["value"] for each in board if each["player"]["name"] == name))


def test_what_a_round_cannot_be_scored_with_is_refused(lesson: Class) -> None:
    host, at = lesson.house.host, f"/rounds/{lesson.round_id}/rescorings"
    problem(host.post(at, json={"judge": "nobody"}), 422, "unknown-judge")
    problem(host.post(at, json={"judges": {"other": PLAIN.identity}}), 422, "invalid-request")
    problem(host.post(at, json={"profile": "none"}), 422, "invalid-request")
    planned = lesson.another_round(opens_at="2090-01-01T00:00:00Z")["id"]
    problem(host.post(f"/rounds/{planned}/rescorings", json={}), 409, "round-not-played")
    problem(host.get("/rescorings/res_none"), 404, "not-found")
    problem(lesson.join().get(at), 403, "forbidden")


def test_who_is_deleted_is_in_no_rescoring(lesson: Class, other: FakeJudge) -> None:
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    ada.score(lesson.round_id, "25 zyxomma")
    bob.score(lesson.round_id, "9 z")
    lesson.close()
    made = rescore(lesson, other)
    finished(lesson, made)
    assert lesson.house.host.request("DELETE", f"/players/{ada.id}", json={"name": "Ada"}).status_code == 204
    assert [each["player"]["name"] for each in look(lesson, made)["players"]] == ["Bob"]
    assert not [row for row in lesson.house.measurements(other) if "zyxomma" in row.prefix]
    apply(lesson, made)
    assert standing(lesson) == [("Bob", 1.0)]


def test_a_host_does_it_on_a_page(lesson: Class, other: FakeJudge, visitor: Visitor) -> None:
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    ada.score(lesson.round_id, "25 z")
    bob.score(lesson.round_id, "9 a good deal longer indeed")
    lesson.close()
    visitor.sign_in(lesson.house.host)
    at = f"/host/rounds/{lesson.round_id}/rescorings"
    assert f'href="{at}"' in visitor.get(f"/host/competitions/{lesson.id}").text
    assert other.name in visitor.get(at).text
    assert visitor.send(at, judge="nobody", profile="arena").status_code == 422
    assert "2 plays are measured" in text_of(visitor.send(at, judge=other.name, profile="arena"))
    (made,) = answer(lesson.house.host.get(f"/rounds/{lesson.round_id}/rescorings"))["items"]
    finished(lesson, made)
    one = f"/host/rescorings/{made['id']}"
    assert "Bob 2 1 9.000" in text_of(visitor.get(f"{one}/part"))
    answer(lesson.house.host.post(f"/competitions/{lesson.id}:freeze"))
    refused = visitor.send(f"{one}/apply")
    assert (refused.status_code, "The boards are frozen" in refused.text) == (409, True)
    answer(lesson.house.host.post(f"/competitions/{lesson.id}:unfreeze"))
    assert "These scores count." in text_of(visitor.send(f"{one}/apply"))
    assert [name for name, _ in standing(lesson)] == ["Bob", "Ada"]
    visitor.send(at, profile="xent-0.5")
    newest = answer(lesson.house.host.get(f"/rounds/{lesson.round_id}/rescorings"))["items"][0]
    assert "dropped" in text_of(visitor.send(f"/host/rescorings/{newest['id']}/drop"))
    visitor.sign_in(ada)
    assert [visitor.get(path).status_code for path in (at, one)] == [403, 403]
