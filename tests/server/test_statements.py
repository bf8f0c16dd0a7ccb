"""Pages and lists ask the database no more often where there is more to show."""

from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest

from tests.support.scenario.deployment import HOST_TOKEN
from tests.support.server import Caller, Class, RunningApp, new_class
from tests.support.services import eventually
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


@pytest.fixture
def visitor(sqlite_house: RunningApp) -> Iterator[Visitor]:
    made = Visitor(sqlite_house)
    yield made
    made.http.close()


def _asked(lesson: Class, visitor: Visitor, path: str) -> Counter[str]:
    """What a page or a list asks, and what the server asks for other reasons meanwhile."""
    with statements(lesson.house) as seen:
        assert visitor.get(path.format(round=lesson.round_id, competition=lesson.id)).status_code == 200, path
    return Counter(seen)


def _asks_no_more(lesson: Class, visitor: Visitor, path: str, few: Counter[str]) -> bool:
    added = _asked(lesson, visitor, path) - few
    return max(added.values(), default=0) < MORE // 2


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
    few = {path: _asked(lesson, visitor, path) for path in visitor_paths(visitor)}
    for number in range(MORE):
        lesson.join().score(lesson.round_id, f"3.{number}")
        ada.score(lesson.round_id, f"4.{number}")
    for path, asked in few.items():  # more than once: what was measured is checked a while later
        eventually(partial(_asks_no_more, lesson, visitor, path, asked), what=f"no more statements of {path}")
