"""How long `xentarena export` and `import` take, and how much memory, on SQLite and PostgreSQL.

``python -m benchmarks.transfer``: a server on which 1,000 players made 20,000 submissions, each with a play as large
as a real one of Condense and two measurements of its own. ``--players N``, ``--submissions N``, ``--json``. PostgreSQL
is the one of XENTARENA_BENCH_DATABASE_URL, which has to be empty, or one out of the test dependencies' wheel.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import psutil
from sqlalchemy.orm import Session

from benchmarks._house import PASSAGE, postgresql
from benchmarks.boards import TOKENIZER
from games import catalog
from games.program import parse
from server.db.migrate import migrate
from server.db.models import (
    Attempt,
    Competition,
    FeedEvent,
    Game,
    Judge,
    Measurement,
    Play,
    Player,
    Round,
    RoundJudge,
    Submission,
    Token,
)
from server.db.session import Database
from server.db.states import BotPolicy, PlayerKind, RoundState, Scope, SubmissionState, WorkState
from xentarena import offline, programs

AT = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run of the command, with the start of Python. memory: of the process, the most that was seen, in MiB."""

    command: str
    database: str
    seconds: float
    memory: float
    rows: int
    file_mb: float


def fill(url: str, players: int, submissions: int) -> None:
    """Make the rows."""
    migrate(url)
    database = Database(url)
    database.write(lambda session: _class(session, players))
    events = _events()
    for first in range(1, submissions + 1, BATCH):
        numbers = range(first, min(first + BATCH, submissions + 1))
        database.write(partial(_played, numbers=numbers, players=players, events=events))
    database.dispose()


def _events() -> list[Any]:
    """What a play of Condense has to say."""
    program = programs.find("condense")
    judge = offline.usual(program)
    found = offline.play(program, [PASSAGE], {"black": ["a pier, a lamp, sails"]}, judge=judge)
    events: list[Any] = found.model_dump(mode="json", by_alias=True)["events"]
    return events


def _varied(told: Any, random: Random) -> Any:
    """The same with other bits, as no two plays have the same."""
    if isinstance(told, float):
        return told + random.randrange(1000) / 1000
    if isinstance(told, list):
        return [_varied(each, random) for each in told]
    if isinstance(told, dict):
        return {name: _varied(each, random) for name, each in told.items()}
    return told


def _class(session: Session, players: int) -> None:
    program = parse(catalog.source("condense"))
    told = {"name": "condense", "title": program.title, "description": program.description, "source": program.source}
    session.add_all(
        [
            Competition(id="c", name="Class", code="C", bots=BotPolicy.MIXED, free_measurements=True, created_at=AT),
            Judge(
                identity="j", name="j", context=400, bos=0, direction="forward", dtype="float32", tokenizer=TOKENIZER,
                build="b", created_at=AT,
            ),
            Game(digest=program.digest, version=1, packaged=True, created_at=AT, **told),
        ]
    )  # fmt: skip
    session.flush()
    session.add(
        Round(
            id="r", competition_id="c", number=1, game="condense", digest=program.digest, passages=[PASSAGE], seed="0",
            profile="arena", state=RoundState.OPEN, opens_at=AT, generated=[], created_at=AT,
        )
    )  # fmt: skip
    session.flush()
    session.add(RoundJudge(round_id="r", slot="main", identity="j"))
    for number in range(players):
        name = f"player {number}"
        session.add(
            Player(id=f"p{number}", competition_id="c", name=name, name_key=name, kind=PlayerKind.PERSON, joined_at=AT)
        )
    session.flush()
    for number in range(players):
        key = f"{number:064}"
        session.add(
            Token(id=f"t{number}", prefix=key, digest=key, scope=Scope.PLAY, player_id=f"p{number}", created_at=AT)
        )
        session.add(Attempt(round_id="r", player_id=f"p{number}", used=20))


def _played(session: Session, numbers: range, players: int, events: list[Any]) -> None:
    for n in numbers:
        move = f"a pier, a lamp, sails {n}"
        session.add(
            Play(
                id=f"y{n}",
                round_id="r",
                moves=[{"seat": "black", "text": move}],
                events=_varied(events, Random(n)),
                waiting=False,
            )
        )
        for prefix in (move, f"{move}\n\n{PASSAGE}"):
            session.add(
                Measurement(
                    key=f"{len(prefix):04}{n:060}", judge="j", profile="arena", prefix=prefix, text=PASSAGE,
                    state=WorkState.KNOWN, bits=Random(n).randbytes(180), build="b", lane="person",
                    queued_at=AT, finished_at=AT, player_id=f"p{n % players}",
                )
            )  # fmt: skip
    session.flush()
    for n in numbers:
        session.add(
            Submission(
                number=n, id=f"s{n:016}", play_id=f"y{n}", seat="black", round_id="r", player_id=f"p{n % players}",
                state=SubmissionState.SCORED, millibits=n, rewards={"black": n / 1000}, build="b", engine="e",
                accepted_at=AT, finished_at=AT,
            )
        )  # fmt: skip
        session.add(
            FeedEvent(competition_id="c", number=n, type="standing.changed", data={"n": n, "bits": n / 7}, at=AT)
        )


def command(name: str, file: Path, url: str) -> Cost:
    """Run `xentarena export` or `import` in a process of its own."""
    begun, memory = time.perf_counter(), 0
    child = psutil.Popen(
        [sys.executable, "-m", "server.cli", name, str(file), "--database-url", url, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    while child.poll() is None:
        with suppress(psutil.Error):
            memory = max(memory, child.memory_info().rss)
        time.sleep(0.02)
    told = json.loads(child.communicate()[0])
    database = "SQLite" if url.startswith("sqlite") else "PostgreSQL"
    seconds = time.perf_counter() - begun
    return Cost(name, database, seconds, memory / 2**20, told["rows"], told["bytes"] / 1e6)


def measure(players: int, submissions: int) -> Iterator[Cost]:
    """Out of SQLite into PostgreSQL, and back."""
    with tempfile.TemporaryDirectory() as folder, postgresql() as other:
        first, second = Path(folder, "1.zip"), Path(folder, "2.zip")
        urls = [f"sqlite:///{folder}/{name}.sqlite3" for name in ("first", "second")]
        fill(urls[0], players, submissions)
        yield command("export", first, urls[0])
        if other is not None:
            yield command("import", first, other.url)
            yield command("export", second, other.url)
        yield command("import", first, urls[1])


def main(argv: list[str]) -> None:
    """Run it all and print a table, or one JSON object."""
    parser = argparse.ArgumentParser(prog="benchmarks.transfer")
    parser.add_argument("--players", type=int, default=1_000)
    parser.add_argument("--submissions", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(argv)
    found = list(measure(asked.players, asked.submissions))
    if asked.json:
        sys.stdout.write(json.dumps([asdict(each) for each in found]) + "\n")
        return
    for each in found:
        sys.stdout.write(
            f"{each.command:<7} {each.database:<11} {each.rows:9,} rows  {each.file_mb:7.1f} MB "
            f" {each.seconds:6.1f} s  {each.memory:5.0f} MiB\n"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
