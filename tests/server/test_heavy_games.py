"""Games that take all the work they may, and many games: nobody else waits long for them."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from games.protocol import Move
from server.arena import foresight, plays, round_setup
from server.arena.measurements import Requester
from server.arena.outbox import Outbox
from server.db.models import Play, Round, Submission
from server.db.states import PlayerKind
from tests.support.games import new_name, upload
from tests.support.scenario.deployment import answer
from tests.support.server import Class, Json, RunningApp, new_class
from tests.support.workers import PLAIN, FakeJudge, Hand

#: A move of it takes about two thirds of what a play may, and then asks a judge.
HEAVY = "\n".join(
    [
        "# Heavy",
        "elicit(x, 5)",
        "assign(s=story(), l=[x, x, x, x])",
        "beacon(flag_1)",
        "assign(t=" + " + ".join(["remove_common_words(s, s)"] * 20) + ")",
        "replay(flag_1, 6)",
        "reward(xent(x))",
    ]
)
PASSAGE = "The ferry left at seven. " * 20


def _heavy(house: RunningApp, judge: FakeJudge) -> Class:
    name = new_name()
    answer(upload(house, HEAVY, name), 201)
    return new_class(house, judge, game=name, passages=[PASSAGE])


def _play_of(session: Session, submission: Json) -> Play:
    return session.get_one(Play, session.query(Submission).filter_by(id=submission["id"]).one().play_id)


def test_a_transaction_carries_on_no_more_plays_than_its_work_allows(
    house: RunningApp, judge: FakeJudge, hand: Hand
) -> None:
    lesson = _heavy(house, judge)
    sent = [answer(lesson.join().post(lesson.submissions, json={"move": f"word {n}"}), 202) for n in range(5)]

    def carried_on(session: Session) -> tuple[int, int]:
        ids = [_play_of(session, each).id for each in sent]
        left = plays.resume_plays(session, Outbox(), ids)
        return len(left), len(plays.resume_plays(session, Outbox(), left))

    assert house.database.write(carried_on) == (3, 1)
    hand.answer(*hand.take_all(5))
    for each in sent:
        shown = answer(house.host.get(f"/submissions/{each['id']}", params={"wait": 30}))
        assert shown["state"] == "scored"


def test_what_was_foreseen_of_other_moves_is_looked_at_anew(house: RunningApp, judge: FakeJudge, hand: Hand) -> None:
    lesson = new_class(house, judge)
    sent = answer(lesson.join().post(lesson.submissions, json={"move": "mine"}), 202)

    def carry_on(session: Session, moves: Callable[[Play], list[Move]]) -> tuple[list[Json], int]:
        play = _play_of(session, sent)
        round_ = session.get_one(Round, play.round_id)
        setup = round_setup.setup_of(session, round_)
        seen = foresight.foreseen(session, setup, moves(play))
        marked = replace(seen, effect=replace(seen.effect, events=()))
        plays.advance(session, Outbox(), round_, setup, play, Requester(None, PlayerKind.BOT), marked)
        return list(play.events), len(seen.log.moves)

    other, _ = house.database.read(lambda session: carry_on(session, lambda play: [Move("black", "another's")]))
    assert [event["text"] for event in other if event["type"] == "move"] == ["mine"]
    same, _ = house.database.read(
        lambda session: carry_on(session, lambda play: [Move(each["seat"], each["text"]) for each in play.moves])
    )
    assert same == [], "what was foreseen is what is written"


@pytest.mark.slow
def test_a_list_of_games_comes_in_pages(own_house: Callable[..., RunningApp]) -> None:
    house = own_house()
    for number in range(90):
        answer(upload(house, f"# Game {number}\nelicit(x, {number + 1})\nreward(xent(x))", f"game-{number}"), 201)
    first = answer(house.anyone.get("/games", params={"limit": 1_000}))
    rest = answer(house.anyone.get("/games", params={"cursor": first["next"]}))
    assert len(first["items"]) == 100
    assert rest["next"] is None
    found = [game["name"] for game in (*first["items"], *rest["items"])]
    assert found == sorted(set(found))
    assert {f"game-{number}" for number in range(90)} < set(found)


@pytest.mark.slow
def test_other_lists_come_in_pages_too(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN)
    rounds = [lesson.round["id"], *(lesson.another_round()["id"] for _ in range(2))]
    path = f"/competitions/{lesson.id}/rounds"
    first = answer(house.host.get(path, params={"limit": 2}))
    rest = answer(house.host.get(path, params={"limit": 2, "cursor": first["next"]}))
    assert [each["id"] for each in (*first["items"], *rest["items"])] == rounds
    assert rest["next"] is None
    assert house.host.get(path, params={"cursor": "x"}).status_code == 422
