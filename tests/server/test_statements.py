"""Pages and lists ask the database no more often where there is more to show."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.support.scenario.deployment import HOST_TOKEN
from tests.support.server import Caller, Class, RunningApp, new_class
from tests.support.statements import statements
from tests.support.web import Visitor
from tests.support.workers import PLAIN

MORE = 12  # players, and moves of one
PLAYERS_SEE = (
    "/rounds/{round}",
    "/rounds/{round}/board",
    "/rounds/{round}/mine",
    "/rounds/{round}/others",
    "/rounds",
    "/rounds/board",
    "/me",
    "/api/v1/me",
    "/api/v1/me/submissions",
    "/api/v1/rounds/{round}/leaderboard",
    "/api/v1/competitions/{competition}/leaderboard",
    "/api/v1/competitions/{competition}/rounds",
)
HOSTS_SEE = (
    "/host/competitions/{competition}",
    "/host/competitions/{competition}/rounds",
    "/host/competitions/{competition}/players",
    "/host/competitions/{competition}/moves",
    "/host/competitions/{competition}/audit",
    "/rounds/{round}",
    "/rounds/{round}/board",
    "/api/v1/competitions/{competition}/players",
    "/api/v1/rounds/{round}/submissions",
    "/api/v1/competitions/{competition}/results.csv",
    "/api/v1/competitions/{competition}/moves.csv",
    "/api/v1/competitions/{competition}/moves.jsonl",
)
TRIES = 2  # the least of them counts: the server has other things to do meanwhile, but none of them a dozen times


@pytest.fixture
def visitor(sqlite_house: RunningApp) -> Iterator[Visitor]:
    made = Visitor(sqlite_house)
    yield made
    made.http.close()


def _asked(lesson: Class, visitor: Visitor) -> dict[str, list[str]]:
    """What each page and list asks, at the least."""
    known = {"round": lesson.round_id, "competition": lesson.id}
    found: dict[str, list[str]] = {}
    for path in visitor_paths(visitor):
        tries: list[list[str]] = []
        for _ in range(TRIES):
            with statements(lesson.house) as seen:
                assert visitor.get(path.format(**known)).status_code == 200, path
            tries.append(seen)
        found[path] = min(tries, key=len)
    return found


def visitor_paths(visitor: Visitor) -> tuple[str, ...]:
    return HOSTS_SEE if visitor.get("/host").status_code == 200 else PLAYERS_SEE


@pytest.mark.slow
@pytest.mark.parametrize("who", ["a player", "the host"])
def test_more_players_and_moves_take_no_more_statements(sqlite_house: RunningApp, visitor: Visitor, who: str) -> None:
    lesson = new_class(sqlite_house, PLAIN)
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    visitor.sign_in(ada if who == "a player" else Caller(sqlite_house.http, HOST_TOKEN))
    for place, each in enumerate((ada, bob)):
        for move in range(2):
            each.score(lesson.round_id, f"{place}.{move}")
    few = _asked(lesson, visitor)
    for number in range(MORE):
        lesson.join().score(lesson.round_id, f"3.{number}")
        ada.score(lesson.round_id, f"4.{number}")
    for path, asked in _asked(lesson, visitor).items():
        added = Counter(asked) - Counter(few[path])
        assert not {statement for statement, times in added.items() if times >= MORE // 2}, path
