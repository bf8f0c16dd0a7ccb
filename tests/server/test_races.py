"""Things that happen at the same moment: whoever comes first, the rows agree in the end."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support.games import TWO_STEPS
from tests.support.scenario.deployment import answer
from tests.support.server import Class, Json, RunningApp, all_at_once, new_class, problem
from tests.support.services import Postgres, eventually
from tests.support.workers import PLAIN, FakeJudge, Hand, at_work

pytestmark = pytest.mark.both_databases


@pytest.fixture
def no_defects(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Callable[[], None]:
    """Says that what the server logged so far has no error that it did not foresee."""

    def check() -> None:
        logged = capsys.readouterr().out + caplog.text
        for defect in ("request.defect", "loop.error", "play.broken", "referee.batch_broken"):
            assert defect not in logged, logged

    return check


def best_by_hand(house: RunningApp, round_id: str) -> dict[str, int]:
    best: dict[str, int] = {}
    for row in house.submissions(round_id):
        if row.state == "scored" and not row.hidden and row.millibits is not None:
            best[row.player_id] = max(row.millibits, best.get(row.player_id, row.millibits))
    return best


def board(lesson: Class) -> dict[str, int]:
    return {entry["player"]["id"]: round(entry["bits"] * 1000) for entry in lesson.board()}


def test_a_name_goes_to_one_of_all_who_want_it_at_once(lesson: Class, no_defects: Callable[[], None]) -> None:
    body = {"code": lesson.competition["code"], "name": "Ada"}
    responses = all_at_once(12, lambda _: lesson.house.anyone.post("/competitions:join", json=body))
    assert sorted(response.status_code for response in responses) == [201] + [409] * 11
    for response in responses:
        if response.status_code == 409:
            problem(response, 409, "name-taken")
    assert [event["type"] for event in lesson.events()] == ["round.opened", "player.joined"]
    no_defects()


def test_a_round_that_closes_while_moves_come_leaves_no_play_half_done(
    house: RunningApp, no_defects: Callable[[], None]
) -> None:
    """Each play either got its last move in, and is scored, or was abandoned; a final one never changes again."""
    lesson = new_class(house, PLAIN, game=house.install_game(TWO_STEPS))
    players = [lesson.join() for _ in range(12)]
    begun = [answer(player.submit(lesson.round_id, "2"), 201)["id"] for player in players]

    def move(number: int) -> httpx.Response:
        if number == len(players):
            return house.host.post(f"/rounds/{lesson.round_id}:close")
        return players[number].post(f"/submissions/{begun[number]}/moves", json={"move": f".{number}"})

    *moved, closed = all_at_once(len(players) + 1, move)
    assert closed.status_code == 200
    for number, response in enumerate(moved):
        path = f"/submissions/{begun[number]}"
        shown = eventually(lambda where=path: settled(house, where), what="the end of every play")  # type: ignore[misc]
        assert shown
        if response.status_code in (201, 202):
            assert (shown["state"], shown["bits"]) == ("scored", float(f"2.{number}"))
        else:
            assert response.json()["type"] in ("round-closed", "not-awaiting-move")
            assert (shown["state"], shown["reason"]["type"]) == ("rejected", "abandoned")
    assert board(lesson) == best_by_hand(house, lesson.round_id)
    no_defects()


def settled(house: RunningApp, path: str) -> Json | None:
    shown = answer(house.host.get(path))
    return None if shown["state"] in ("queued", "awaiting_move") else shown


def test_hiding_and_showing_while_scores_come_keeps_the_board_right(
    house: RunningApp, no_defects: Callable[[], None]
) -> None:
    lesson = new_class(house, PLAIN)
    players = [lesson.join() for _ in range(4)]
    sent: list[str] = []
    chance = random.Random()

    def play(number: int) -> None:
        for _ in range(8):
            response = players[number].submit(lesson.round_id, str(chance.randrange(40)))
            sent.append(answer(response, 201, 202)["id"])

    def meddle(_: int) -> None:
        for _ in range(25):
            if sent:
                how = chance.choice(["hide", "hide", "show"])
                answer(house.host.post(f"/submissions/{chance.choice(sent)}:{how}"))

    all_at_once(6, lambda number: play(number) if number < 4 else meddle(number))
    eventually(lambda: {row.state for row in house.submissions(lesson.round_id)} == {"scored"}, what="every score")
    assert len(house.submissions(lesson.round_id)) == 32
    assert board(lesson) == best_by_hand(house, lesson.round_id)
    numbers = [event["number"] for event in lesson.events()]
    assert numbers == list(range(1, len(numbers) + 1))
    last: dict[str, float | None] = {}
    for event in lesson.events():
        if event["type"] == "standing.changed":
            last[event["data"]["player"]] = event["data"]["bits"]
    told = {player: round(bits * 1000) for player, bits in last.items() if bits is not None}
    assert told == board(lesson), "whoever only followed the feed has the same board"
    no_defects()


def test_one_measurement_that_many_ask_for_and_that_comes_meanwhile_leaves_nobody_waiting(
    house: RunningApp, judge: FakeJudge, hand: Hand, no_defects: Callable[[], None]
) -> None:
    """The need is noted while the result arrives: either the requester sees it, or the referee sees the requester."""
    lesson = new_class(house, judge)
    players = [lesson.join() for _ in range(6)]
    for step in range(5):
        move = str(step)

        def one(number: int, said: str = move) -> Json | None:
            if number < len(players):
                return answer(players[number].submit(lesson.round_id, said, wait=20), 201)
            hand.answer(*hand.take_all(2 if said == "0" else 1))
            return None

        shown = all_at_once(len(players) + 1, one)
        assert [each["bits"] for each in shown if each] == [float(step)] * len(players)
    no_defects()


def test_an_idempotency_key_is_one_in_all_processes(
    postgres: Postgres, own_house: Callable[..., RunningApp], judge: FakeJudge
) -> None:
    url = postgres.migrated_database()
    houses = [own_house(url), own_house(url)]
    with at_work(houses[0].redis_url, judge):
        lesson = new_class(houses[0], judge, attempts=5)
        ada = lesson.join()
        hers = [house.caller(str(ada.token)) for house in houses]
        responses = all_at_once(24, lambda i: hers[i % 2].submit(lesson.round_id, "25", key="once", wait=20))
        assert len({answer(response, 200, 201)["id"] for response in responses}) == 1
        assert [response.status_code for response in responses].count(201) == 1
        responses = all_at_once(24, lambda i: hers[i % 2].submit(lesson.round_id, f"move {i}"))
        assert [response.status_code for response in responses].count(409) == 20
    assert houses[0].attempts_used(lesson.round_id, str(ada.id)) == 5


def test_rounds_made_at_once_have_numbers_of_their_own(lesson: Class, no_defects: Callable[[], None]) -> None:
    made = all_at_once(6, lambda _: lesson.another_round())
    assert sorted(round_["number"] for round_ in made) == [2, 3, 4, 5, 6, 7]
    assert len(lesson.events()) == 7
    no_defects()


def test_removing_and_taking_back_at_once_leaves_one_truth(lesson: Class, no_defects: Callable[[], None]) -> None:
    ada = lesson.join()
    with ThreadPoolExecutor(8) as threads:
        hows = ["remove", "readmit"] * 10
        for response in threads.map(lambda how: lesson.house.host.post(f"/players/{ada.id}:{how}"), hows):
            answer(response)
    types = [event["type"] for event in lesson.events()][1:]
    assert types == ["player.joined", "player.removed"] * (len(types) // 2) + ["player.joined"] * (len(types) % 2)
    assert lesson.house.player(str(ada.id)).removed is (types[-1] == "player.removed")
    no_defects()
