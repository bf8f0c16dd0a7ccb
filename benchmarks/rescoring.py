"""How long others wait while a round of 10,000 plays is scored anew: the transaction of `apply`, to its commit.

On SQLite, where it holds the one lock of all writers, and on PostgreSQL (as in `benchmarks.server`). Each play is a
player's own, every score changes, and so does everybody's rank. Then the same back again.
"""

import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from benchmarks import _house
from benchmarks.boards import SETTINGS, TOKENIZER
from server.arena import games, rescoring_previews, rescorings
from server.arena.callers import Caller
from server.arena.outbox import Outbox
from server.arena.unit import Unit
from server.arena.workforce import Workforce
from server.db.boards import Standing
from server.db.migrate import migrate
from server.db.models import Competition, FeedEvent, Judge, Play, Player, Round, RoundJudge, Submission
from server.db.rescorings import Rescore, RescoredPlay, Rescoring
from server.db.session import Database
from server.db.states import BotPolicy, PlayerKind, RescoringState, RoundState, Scope, SubmissionState, Total

PLAYS = 10_000
JUDGES = ("first", "second")
AT = datetime(2026, 1, 1, tzinfo=UTC)
EVENTS = [
    {"type": "reward", "seat": "black", "bits": 1.5, "terms": [{"text": "The tide came in.", "bits": [0.5] * 100}]}
]


def fill(session: Session) -> None:
    """A closed round that everybody has played once, and two rescorings with all worked out."""
    games.install_packaged(session)
    game = games.find(session, "condense")
    facts = {"context": 400, "bos": 0, "direction": "forward", "dtype": "float32", "tokenizer": TOKENIZER, "build": ""}
    session.add_all(Judge(identity=each, name=each, created_at=AT, **facts) for each in JUDGES)
    session.add(Competition(id="cmp", name="Large", code="LARGE", bots=BotPolicy.MIXED, free_measurements=False,
                            total=Total.FLOORED, created_at=AT))  # fmt: skip
    session.flush()
    session.add(Round(id="one", competition_id="cmp", number=1, game="condense", digest=game.digest, seed="",
                      passages=["The tide came in."], profile="arena", state=RoundState.CLOSED, opens_at=AT,
                      closes_at=AT + timedelta(hours=1), generated=[], created_at=AT))  # fmt: skip
    session.flush()
    session.add(RoundJudge(round_id="one", slot="main", identity=JUDGES[0]))
    numbers = range(1, PLAYS + 1)
    session.execute(insert(Player), [
        {"id": f"p{i}", "competition_id": "cmp", "name": f"player {i}", "name_key": f"player {i}", "joined_at": AT,
         "kind": PlayerKind.PERSON, "removed": False} for i in numbers
    ])  # fmt: skip
    session.execute(insert(Play), [
        {"id": f"y{i}", "round_id": "one", "moves": [], "events": EVENTS, "waiting": False, "vacant": 0}
        for i in numbers
    ])  # fmt: skip
    seats = [{"player_id": f"p{i}", "round_id": "one", "number": i, "millibits": bits()} for i in numbers]
    session.execute(insert(Submission), [
        {**each, "id": f"s{each['number']}", "play_id": f"y{each['number']}", "seat": "black", "engine": "",
         "state": SubmissionState.SCORED, "hidden": False, "practice": False, "accepted_at": AT} for each in seats
    ])  # fmt: skip
    session.execute(insert(Standing), seats)
    session.flush()
    for judge in reversed(JUDGES):
        _rescored(session, f"under {judge}", judge)


def bits() -> int:
    return random.randrange(-5_000, 300_000)


def _rescored(session: Session, id_: str, judge: str) -> None:
    running = RescoringState.RUNNING
    session.add(Rescoring(id=id_, round_id="one", judges={"main": judge}, profile="arena", state=running, made_at=AT))
    session.flush()
    numbers = range(1, PLAYS + 1)
    played = [{"rescoring_id": id_, "play_id": f"y{i}", "done": True, "events": EVENTS} for i in numbers]
    session.execute(insert(RescoredPlay), played)
    scores = [{"rescoring_id": id_, "number": i, "millibits": bits(), "rewards": {"black": 1.0}} for i in numbers]
    session.execute(insert(Rescore), scores)


def measure(database: Database) -> Iterator[tuple[str, float]]:
    """What was done, and its seconds."""
    for judge in reversed(JUDGES):
        start = time.perf_counter()
        database.read(partial(_preview, f"under {judge}"))
        yield "the preview", time.perf_counter() - start
        start = time.perf_counter()
        database.write(partial(_apply, f"under {judge}"))
        yield f"applied, under the {judge} judge", time.perf_counter() - start
    told = database.read(lambda session: session.scalar(select(func.count()).select_from(FeedEvent)))
    if told != 2 * (PLAYS + 1):
        raise RuntimeError(f"{told} events, and everybody's score has changed twice")


def _preview(rescoring: str, session: Session) -> None:
    rescoring_previews.preview(_unit(session), rescoring)


def _apply(rescoring: str, session: Session) -> None:
    rescorings.apply(_unit(session), rescoring)


def _unit(session: Session) -> Unit:
    return Unit(session, Outbox(), Caller("tok", Scope.HOST, owner=True), SETTINGS, Workforce())


def main() -> None:
    """Fill both databases, and print a table."""
    sys.stdout.write(f"cores {os.cpu_count()}, load {os.getloadavg()[0]:.0f}, {PLAYS:,} plays, seconds\n")
    with tempfile.TemporaryDirectory() as folder, _house.postgresql() as given:
        urls = {"SQLite": f"sqlite:///{Path(folder) / 'rescoring.sqlite3'}"}
        for name, url in (urls if given is None else urls | {"PostgreSQL": given.url}).items():
            migrate(url)
            database = Database(url)
            database.write(fill)
            for what, seconds in measure(database):
                sys.stdout.write(f"{name:<11} {what:<36} {seconds:7.2f}\n")
                sys.stdout.flush()
            database.dispose()


if __name__ == "__main__":
    main()
