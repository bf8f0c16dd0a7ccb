"""How long a board takes that is as large as any: a page of it, and one's own place, with 100,000 who stand there.

Server time: from the use case to the bytes of the answer, on SQLite and on PostgreSQL (as in `benchmarks.server`); and
over HTTP, from the request to the whole answer of an `xentarena api` on the same machine, by one kept connection. The
board over all rounds adds up two rounds.
"""

import http.client
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.orm import Session
from tokenizers import Tokenizer, models

from benchmarks import _house
from server.api.boards import asked, board_page
from server.arena import callers, games, leaderboards
from server.arena.callers import Caller
from server.arena.outbox import Outbox
from server.arena.unit import Unit
from server.arena.workforce import Workforce
from server.db.boards import Standing
from server.db.migrate import migrate
from server.db.models import Competition, Judge, Play, Player, Round, RoundJudge, Submission
from server.db.session import Database
from server.db.states import BotPolicy, PlayerKind, RoundState, Scope, SubmissionState, Total
from server.http.requests import COOKIE
from server.settings import Settings
from server.web import board, view_models
from server.web.rendering import page

PLAYERS, TIMES, PORTION = 100_000, 21, 5_000
ROUNDS = ("one", "two")
OWN = ("p99", "p12345", "p54321", "p88888")
TOKENIZER = Tokenizer(models.WordLevel({"<unk>": 0}, unk_token="<unk>")).to_str()
AT = datetime(2026, 1, 1, tzinfo=UTC)


def fill(session: Session) -> None:
    """A competition of two rounds, in each of which everybody stands."""
    games.install_packaged(session)
    game = games.find(session, "condense")
    facts = {"context": 400, "bos": 0, "direction": "forward", "dtype": "float32", "tokenizer": TOKENIZER, "build": ""}
    session.add(Judge(identity="j", name="j", created_at=AT, **facts))
    session.add(Competition(id="cmp", name="Large", code="LARGE", bots=BotPolicy.SEPARATE, free_measurements=False,
                            total=Total.FLOORED, created_at=AT))  # fmt: skip
    session.flush()
    for number, id_ in enumerate(ROUNDS, start=1):
        session.add(Round(id=id_, competition_id="cmp", number=number, game="condense", digest=game.digest, seed="",
                          passages=["The tide came in."], profile="arena", state=RoundState.OPEN, opens_at=AT,
                          generated=[], created_at=AT))  # fmt: skip
    session.flush()
    session.add_all(RoundJudge(round_id=id_, slot="main", identity="j") for id_ in ROUNDS)
    session.flush()
    for start in range(0, PLAYERS, PORTION):
        _players(session, range(start, min(start + PORTION, PLAYERS)))


def _players(session: Session, numbers: range) -> None:
    players = [
        {"id": f"p{i}", "competition_id": "cmp", "name": f"player {i}", "name_key": f"player {i}", "joined_at": AT,
         "kind": PlayerKind.BOT if i % 100 == 0 else PlayerKind.PERSON, "removed": i % 100 == 1}
        for i in numbers
    ]  # fmt: skip
    session.execute(insert(Player), players)
    for place, round_id in enumerate(ROUNDS):
        seats = [{"player_id": f"p{i}", "round_id": round_id, "number": 2 * i + place + 1,
                  "millibits": random.randrange(-5_000, 300_000)} for i in numbers]  # fmt: skip
        session.execute(insert(Play), [{"id": f"y{each['number']}", "round_id": round_id, "moves": [], "events": [],
                                        "waiting": False, "vacant": 0} for each in seats])  # fmt: skip
        session.execute(insert(Submission), [
            {**each, "id": f"s{each['number']}", "play_id": f"y{each['number']}", "seat": "black", "engine": "",
             "state": SubmissionState.SCORED, "hidden": False, "practice": False, "accepted_at": AT} for each in seats
        ])  # fmt: skip
        session.execute(insert(Standing), seats)


def measure(database: Database) -> Iterator[tuple[str, float]]:
    """What was asked for, and the median of its milliseconds."""
    api = [
        ("a round's board, page of 100", leaderboards.see_round, "one", 100),
        ("a round's board, page of 1,000", leaderboards.see_round, "one", 1_000),
        ("the board over all rounds, page of 100", leaderboards.see_competition, "cmp", 100),
    ]
    for name, see, id_, limit in api:
        yield name, _median(database, partial(_json, see, id_, limit), OWN)
    yield "the own place in a round", _median(database, _own_in_round, OWN)
    yield "the own place over all rounds", _median(database, _own_overall, OWN)
    kept: board.Boards = {}
    yield "a round's board and the own place as part of a page", _median(database, partial(_part, kept), OWN)
    yield "the same, the first time after a score", _median(database, partial(_part, kept, fresh=True), OWN)
    yield "the board over all rounds as part of a page", _median(database, _overall, OWN)
    yield "the same, the first time after a score", _median(database, _after_a_score, OWN)


def _own_in_round(unit: Unit) -> None:
    leaderboards.own_of_round(unit, unit.session.get_one(Round, "one"))


def _own_overall(unit: Unit) -> None:
    leaderboards.own_of_competition(unit, unit.session.get_one(Competition, "cmp"))


def _median(database: Database, answer: Callable[[Unit], object], players: tuple[str, ...]) -> float:
    def work(player: str, session: Session) -> float:
        caller = Caller("tok", Scope.PLAY, player, "cmp", session.get_one(Player, player).kind)
        unit = Unit(session, Outbox(), caller, SETTINGS, Workforce())
        start = time.perf_counter()
        answer(unit)
        return (time.perf_counter() - start) * 1000

    times = [database.read(partial(work, players[i % len(players)])) for i in range(TIMES + 2)]
    return statistics.median(times[2:])


def _json(see: Callable[..., Any], id_: str, limit: int, unit: Unit) -> bytes:
    entries = see(unit, id_, PlayerKind.PERSON, asked(None, limit))
    return board_page(entries, limit).model_dump_json().encode()


def _part(kept: board.Boards, unit: Unit, *, fresh: bool = False) -> bytes:
    if fresh:
        kept.clear()
    shown = page("parts/board.html", viewer=view_models.viewer(unit), board=board.of_round(unit, "one", kept))
    return bytes(shown.body)


def _overall(unit: Unit) -> bytes:
    found = board.of_competition(unit, "cmp", {})
    return bytes(page("parts/board.html", viewer=view_models.viewer(unit), board=found).body)


def _after_a_score(unit: Unit) -> bytes:
    """As if the feed had gone on: the sums are added up anew."""
    competition = unit.session.get_one(Competition, "cmp")
    competition.last_event = next(EVENTS)
    return _overall(unit)


EVENTS = count(1)
SETTINGS = Settings(redis_url="redis://127.0.0.1:1/0")


def over_http(database: Database, database_url: str) -> Iterator[tuple[str, float]]:
    """The same as pages and programs ask for it."""
    tokens = database.write(_tokens)
    asked = (
        ("a round's board, page of 100", "/api/v1/rounds/one/leaderboard?limit=100"),
        ("a round's board and the own place as part of a page", "/rounds/one/board"),
        ("the board over all rounds, page of 100", "/api/v1/competitions/cmp/leaderboard?limit=100"),
        ("the board over all rounds as part of a page", "/rounds/board"),
    )
    with tempfile.TemporaryDirectory() as folder, _house.redis(Path(folder)) as (redis_url, _):
        environment = {"XENTARENA_DATABASE_URL": database_url, "XENTARENA_REDIS_URL": redis_url}
        with _house.api(environment) as (url, _):
            connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
            for what, path in asked:
                times = [_asked(connection, path, tokens[i % len(tokens)]) for i in range(TIMES + len(tokens))]
                yield f"{what}, HTTP", statistics.median(times[len(tokens) :])
            connection.close()


def _tokens(session: Session) -> list[str]:
    return callers.issue_each(session, [session.get_one(Player, each) for each in OWN], AT)


def _asked(connection: http.client.HTTPConnection, path: str, token: str) -> float:
    start = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": f"{COOKIE}={token}", "Accept": "*/*"})
    answer = connection.getresponse()
    body = answer.read()
    took = (time.perf_counter() - start) * 1000
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
    return took


@contextmanager
def _filled(url: str) -> Iterator[Database]:
    migrate(url)
    database = Database(url)
    database.write(fill)
    analyse = "ANALYZE" if database.sqlite else "VACUUM ANALYZE"
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(analyse))
    try:
        yield database
    finally:
        database.dispose()


def main() -> None:
    """Fill both databases, and print a table."""
    sys.stdout.write(f"cores {os.cpu_count()}, {PLAYERS:,} players in each of {len(ROUNDS)} rounds, ms (median)\n")
    with tempfile.TemporaryDirectory() as folder, _house.postgresql() as given:
        urls = {"SQLite": f"sqlite:///{Path(folder) / 'boards.sqlite3'}"}
        for name, url in (urls if given is None else urls | {"PostgreSQL": given.url}).items():
            with _filled(url) as database:
                for what, milliseconds in chain(measure(database), over_http(database, url)):
                    sys.stdout.write(f"{name:<11} {what:<62} {milliseconds:8.1f}\n")
                    sys.stdout.flush()


if __name__ == "__main__":
    main()
