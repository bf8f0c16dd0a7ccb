"""Frozen boards: whatever scores come in, whoever is neither host nor the mover is told what they were told before."""

import re
from dataclasses import dataclass

import pytest

from tests.support.duels import begin, class_of, end
from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, Json, RunningApp, all_at_once, problem, stream
from tests.support.web import Visitor, text_of


def freeze(lesson: Class, how: str = "freeze") -> Json:
    return answer(lesson.house.host.post(f"/competitions/{lesson.id}:{how}"))


def names(board: list[Json]) -> list[tuple[int, str, float]]:
    return [(entry["rank"], entry["player"]["name"], entry["bits"]) for entry in board]


@dataclass(frozen=True)
class Played:
    """A round of duels and one of hints, in which Ada and Bob stand; Dan only watches.

    best: Bob's. begun: another duel, which waits for its first move.
    """

    lesson: Class
    hints: str
    ada: Caller
    bob: Caller
    cyd: Caller
    dan: Caller
    best: str
    begun: tuple[Json, Json]

    def told(self, who: Caller) -> dict[str, tuple[bytes, str | None]]:
        """All that the API tells somebody of how people stand: what it sends, and the ETag."""
        paths = [
            f"/competitions/{self.lesson.id}",
            f"/competitions/{self.lesson.id}/leaderboard",
            f"/competitions/{self.lesson.id}/events?after=0",
            f"/rounds/{self.lesson.round_id}/leaderboard",
            f"/rounds/{self.hints}/leaderboard",
            f"/rounds/{self.hints}/leaderboard?kind=person&limit=1",
            f"/competitions/{self.lesson.id}/team-leaderboard",
            f"/rounds/{self.lesson.round_id}/team-leaderboard",
            f"/rounds/{self.hints}/team-leaderboard",
        ]
        answers = {path: who.get(path) for path in paths}
        return {path: (got.content, got.headers.get("etag")) for path, got in answers.items()}

    def shown(self, visitor: Visitor) -> dict[str, bytes]:
        """The parts of pages that do so."""
        rounds = (self.lesson.round_id, self.hints)
        parts = ["/rounds/board", "/rounds/list", *(f"/rounds/{round_id}/board" for round_id in rounds)]
        return {part: visitor.get(part).content for part in parts}

    def go_on(self) -> None:
        """What must not be heard of: somebody better, somebody new, a duel that is over, a move that is hidden."""
        self.ada.score(self.hints, "60")
        self.cyd.score(self.hints, "50")
        end(self.bob, self.ada, self.begun, 9)
        answer(self.lesson.house.host.post(f"/submissions/{self.best}:hide"))


@pytest.fixture
def played(house: RunningApp) -> Played:
    lesson = class_of(house)
    hints = str(lesson.another_round()["id"])
    ada, bob, cyd, dan = (lesson.join(name) for name in ("Ada", "Bob", "Cyd", "Dan"))
    answer(house.host.post(f"/competitions/{lesson.id}/teams:spread", json={"count": 2}))  # Ada and Cyd, Bob and Dan
    best = [player.score(hints, move)["id"] for player, move in ((ada, "5"), (bob, "7"))][1]
    end(ada, bob, begin(lesson, ada, bob), 5)
    return Played(lesson, hints, ada, bob, cyd, dan, best, begin(lesson, bob, ada))


@pytest.mark.slow
def test_two_histories_that_differ_after_the_freeze_are_one_to_whoever_looks_on(
    played: Played, visitor: Visitor
) -> None:
    visitor.sign_in(played.dan)
    freeze(played.lesson)
    told, shown = played.told(played.dan), played.shown(visitor)
    host = played.told(played.lesson.house.host)
    played.go_on()
    assert played.told(played.dan) == told
    assert played.shown(visitor) == shown
    now = played.told(played.lesson.house.host)
    boards = [path for path in now if "leaderboard" in path]
    assert len(boards) == 7
    assert all(now[path] != host[path] for path in boards), "hosts see how it goes on"
    with stream(played.dan, played.lesson.id, 0) as events:
        numbers = [event["id"] for event in events.take(played.lesson.competition_now["last_event"])]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_mover_sees_the_own_score_and_the_frozen_rank(played: Played, visitor: Visitor) -> None:
    freeze(played.lesson)
    played.go_on()
    visitor.sign_in(played.ada)
    assert played.ada.get(f"/rounds/{played.hints}/submissions").json()["items"][0]["bits"] == 60.0
    listed = text_of(visitor.get("/rounds/list"))
    assert "your best 60.000 bits" in listed
    assert re.findall(r"\w+ of 2", listed) == ["1st of 2", "2nd of 2"], "by now it is the other way round"
    page = text_of(visitor.get(f"/rounds/{played.hints}"))
    assert "Your best so far." in page
    assert "behind the next rank" not in page
    assert "nobody has more" not in page
    assert "The host has frozen the board" in page
    visitor.sign_in(played.bob)
    assert "rating was" not in text_of(visitor.get(f"/rounds/{played.lesson.round_id}"))


def test_what_was_withheld_is_told_when_the_boards_thaw(played: Played) -> None:
    freeze(played.lesson)
    before = played.lesson.events()
    assert before[-1]["type"] == "board.frozen"
    played.go_on()
    assert played.lesson.events() == before
    freeze(played.lesson, "unfreeze")
    events = played.lesson.events()
    assert [event["number"] for event in events] == list(range(1, len(events) + 1))
    assert events[: len(before)] == before
    types = [event["type"] for event in events[len(before) :]]
    assert types[-1] == "board.thawed"
    assert types.count("standing.changed") == 5, "Ada, Cyd, both of the duel, and Bob's hidden best"
    assert (
        played.told(played.dan)[f"/rounds/{played.hints}/leaderboard"]
        == (played.told(played.lesson.house.host)[f"/rounds/{played.hints}/leaderboard"])
    )
    assert names(played.lesson.board(played.hints)) == [(1, "Ada", 60.0), (2, "Cyd", 50.0)]
    freeze(played.lesson)
    played.bob.score(played.hints, "60")
    assert len(answer(played.dan.get(f"/rounds/{played.hints}/leaderboard"))["items"]) == 2, "frozen anew"


def test_whoever_is_removed_goes_from_the_frozen_board_and_comes_back_with_what_they_had(played: Played) -> None:
    freeze(played.lesson)
    played.ada.score(played.hints, "40")

    def board() -> list[tuple[int, str, float]]:
        return names(answer(played.dan.get(f"/rounds/{played.hints}/leaderboard"))["items"])

    assert board() == [(1, "Bob", 7.0), (2, "Ada", 5.0)]
    answer(played.lesson.house.host.post(f"/players/{played.bob.id}:remove"))
    assert board() == [(1, "Ada", 5.0)]
    answer(played.lesson.house.host.post(f"/players/{played.bob.id}:readmit"))
    answer(played.lesson.house.host.post(f"/submissions/{played.best}:hide"))
    assert board() == [(1, "Bob", 7.0), (2, "Ada", 5.0)], "a hidden move keeps its place until the boards thaw"


def test_a_freeze_is_a_hosts_once_and_noted(played: Played) -> None:
    lesson = played.lesson
    for how in ("freeze", "unfreeze"):
        problem(played.ada.post(f"/competitions/{lesson.id}:{how}"), 403, "forbidden")
        problem(lesson.house.host.post(f"/competitions/nope:{how}"), 404, "not-found")
    assert lesson.competition_now["frozen_at"] is None
    frozen = freeze(lesson)
    assert freeze(lesson) == frozen == lesson.competition_now
    assert answer(played.ada.get(f"/competitions/{lesson.id}"))["frozen_at"] == frozen["frozen_at"]
    assert freeze(lesson, "unfreeze")["frozen_at"] is None
    freeze(lesson, "unfreeze")
    types = [event["type"] for event in lesson.events() if event["type"].startswith("board.")]
    assert types == ["board.frozen", "board.thawed"]
    rows = lesson.house.sql("SELECT action FROM audit WHERE target = :id ORDER BY number", id=lesson.id)
    assert [row.action for row in rows][2:] == ["competition.freeze", "competition.unfreeze"]


def test_moves_are_not_revealed_while_the_boards_are_frozen(played: Played) -> None:
    host, path = played.lesson.house.host, f"/rounds/{played.hints}"
    answer(host.post(f"{path}:close"))
    answer(host.post(f"{path}:reveal", json={"which": "all", "names": True}))
    before = played.dan.get(f"{path}/moves").content
    freeze(played.lesson)
    assert played.dan.get(f"{path}/moves").content == before, "what is revealed already stays so"
    problem(host.post(f"{path}:reveal", json={"which": "top"}), 409, "boards-frozen")
    answer(host.post(f"{path}:conceal"))


def test_hosts_freeze_by_a_button_and_see_that_it_is_so(played: Played, visitor: Visitor) -> None:
    visitor.sign_in(played.lesson.house.host)
    page = f"/host/competitions/{played.lesson.id}"
    assert "Freeze the boards" in text_of(visitor.get(page))
    assert "The boards are frozen since" in text_of(visitor.send(f"{page}/freeze"))
    played.ada.score(played.hints, "40")
    board = text_of(visitor.get(f"/rounds/{played.hints}/board"))
    assert "you see it as it is" in board
    assert "40.000" in board
    played.ada.score(played.hints, "41")
    assert "41.000" in text_of(visitor.get(f"/rounds/{played.hints}/board")), "also where no event says so"
    assert "Freeze the boards" in text_of(visitor.send(f"{page}/unfreeze"))


def test_a_freeze_among_scores_shows_what_the_feed_had_told_by_then(played: Played) -> None:
    players = [played.lesson.join() for _ in range(6)]

    def work(number: int) -> None:
        if number < len(players):
            for move in range(1, 4):
                players[number].score(played.hints, f"{10 * move + number}")
        else:
            freeze(played.lesson)

    all_at_once(len(players) + 1, work)
    told = {}
    for event in played.lesson.events():
        if event["type"] == "standing.changed" and event["data"]["round"] == played.hints:
            told[event["data"]["player"]] = event["data"]["bits"]
    board = answer(played.dan.get(f"/rounds/{played.hints}/leaderboard"))["items"]
    assert {entry["player"]["id"]: entry["bits"] for entry in board} == told
    freeze(played.lesson, "unfreeze")
    assert len(played.lesson.board(played.hints)) == 8
