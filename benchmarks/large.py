"""What a large server takes: ``python -m benchmarks.large``, of 10,000 players who made 100,000 submissions.

Each submission has a play as large as a real one of Condense and two measurements of its own (as in
`benchmarks.transfer`), on SQLite and on PostgreSQL (as in `benchmarks.server`). Of an `xentarena api`:

    pages      a page or a list over HTTP, from the request to the last byte, by one kept connection; median of 11
    sweeper    processor time while nothing is to be done; and until measurements that the queue lost are in it again
    memory     of the process, at its start, after all of that, and at its height
    backup     `xentarena backup` of SQLite's folder; what PostgreSQL's own tools take is not ours
    export     `xentarena export`, and its memory

``--players N``, ``--submissions N``, ``--lost N`` measurements.
"""

import argparse
import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import redis
from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from benchmarks import _house, transfer
from server.arena import callers
from server.db.boards import Standing
from server.db.models import Measurement, Player, Submission
from server.db.session import Database
from server.db.states import WorkState
from server.http.requests import COOKIE

TIMES, IDLE = 11, 20.0
PLAYERS = ("p7", "p12", "p43", "p99")
PLAYERS_SEE = (
    "/rounds/r",
    "/rounds/r/board",
    "/rounds/r/mine",
    "/rounds",
    "/api/v1/me/submissions?limit=100",
    "/api/v1/rounds/r/leaderboard?limit=100",
)
HOSTS_SEE = (
    "/host/competitions/c",
    "/rounds/r",
    "/host/competitions/c/rounds",
    "/host/competitions/c/players",
    "/host/competitions/c/moves",
    "/host/competitions/c/audit",
    "/api/v1/competitions/c/players?limit=100",
    "/api/v1/rounds/r/submissions?limit=100",
    "/api/v1/competitions/c/results.csv",
    "/api/v1/competitions/c/moves.csv",
)


def stand(session: Session) -> None:
    """Everybody's best, as the referee would have written it."""
    best = func.max(Submission.millibits)
    columns = [Submission.round_id, Submission.player_id, best, func.max(Submission.number)]
    rows = select(*columns).group_by(Submission.round_id, Submission.player_id)
    session.execute(insert(Standing).from_select(["round_id", "player_id", "millibits", "number"], rows))


def lose(session: Session, number: int) -> None:
    """Measurements that wait although no queue has them."""
    facts = {"judge": "j", "profile": "arena", "text": _house.PASSAGE, "state": WorkState.PENDING, "lane": "bot",
             "queued_at": transfer.AT, "player_id": "p1"}  # fmt: skip
    rows = [{"key": f"lost{n:060}", "prefix": f"lost {n}", **facts} for n in range(number)]
    session.execute(insert(Measurement), rows)


def tokens(session: Session) -> list[str]:
    return callers.issue_each(session, [session.get_one(Player, each) for each in PLAYERS], transfer.AT)


def asked(connection: http.client.HTTPConnection, path: str, token: str) -> tuple[float, int]:
    """Milliseconds, and bytes of the answer."""
    start = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": f"{COOKIE}={token}", "Accept": "*/*"})
    answer = connection.getresponse()
    size = len(answer.read())
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status}")
    return (time.perf_counter() - start) * 1000, size


def pages(url: str, known: list[str]) -> Iterator[str]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=300)
    for who, paths, given in (("player", PLAYERS_SEE, known), ("host", HOSTS_SEE, [_house.HOST])):
        for path in paths:
            found = [asked(connection, path, given[n % len(given)]) for n in range(TIMES)]
            times = sorted(each for each, _ in found)
            yield (
                f"{who:<7}{path:<48}{statistics.median(times):9.1f} ms  (slowest {times[-1]:.0f})  "
                f"{max(size for _, size in found) / 1e3:9.1f} kB"
            )
    connection.close()


def sweeper(database: Database, redis_url: str, pid: int, lost: int) -> Iterator[str]:
    before = _house.processor_seconds(pid)
    time.sleep(IDLE)
    yield f"idle: {(_house.processor_seconds(pid) - before) / IDLE * 1000:.1f} ms of processor time a second"
    before, start = _house.processor_seconds(pid), time.perf_counter()
    database.write(partial(lose, number=lost))
    queue = redis.Redis.from_url(redis_url)
    while sum(queue.xlen(key) for key in queue.scan_iter(_type="stream")) < lost:
        time.sleep(0.05)
    yield (
        f"{lost:,} lost measurements put back in {time.perf_counter() - start:.1f} s, "
        f"{(_house.processor_seconds(pid) - before) / lost * 1000:.2f} ms of processor time each"
    )


def memory(pid: int) -> str:
    """Now, and at its height: of the process alone, in MiB."""
    told = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    now, height = (int(told[each].split()[0]) / 1024 for each in ("VmRSS", "VmHWM"))
    return f"memory {now:.0f} MiB, at its height {height:.0f} MiB"


def backup(folder: Path) -> str:
    archive = folder.parent / "backup.tar"
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "server.cli", "backup", str(folder), str(archive)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return f"backup: {time.perf_counter() - start:.1f} s, {archive.stat().st_size / 1e6:.0f} MB"


def measure(url: str, folder: Path, wanted: argparse.Namespace) -> Iterator[str]:
    start = time.perf_counter()
    transfer.fill(url, wanted.players, wanted.submissions)
    database = Database(url)
    database.write(stand)
    known = database.write(tokens)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if database.sqlite else "VACUUM ANALYZE"))
    yield f"filled in {time.perf_counter() - start:.0f} s"
    with tempfile.TemporaryDirectory() as place, _house.redis(Path(place)) as (redis_url, _):
        environment = {"XENTARENA_DATABASE_URL": url, "XENTARENA_REDIS_URL": redis_url}
        start = time.perf_counter()
        with _house.api(environment) as (address, pid):
            yield f"first answer after {time.perf_counter() - start:.1f} s, {memory(pid)}"
            yield from pages(address, known)
            yield memory(pid)
            yield from sweeper(database, redis_url, pid, wanted.lost)
            yield memory(pid)
    database.dispose()
    if url.startswith("sqlite"):
        yield backup(folder)
    told = transfer.command("export", folder.parent / f"{database.engine.dialect.name}.zip", url)
    yield f"export: {told.seconds:.0f} s, {told.file_mb:.0f} MB, memory at its height {told.memory:.0f} MiB"


def main(argv: list[str]) -> None:
    """Fill both databases, and print what was measured."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.large", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--players", type=int, default=10_000)
    parser.add_argument("--submissions", type=int, default=100_000)
    parser.add_argument("--lost", type=int, default=5_000)
    wanted = parser.parse_args(argv)
    sys.stdout.write(f"cores {os.cpu_count()}, memory {psutil.virtual_memory().total / 2**30:.0f} GiB\n")
    with tempfile.TemporaryDirectory() as place, _house.postgresql() as given:
        folder = Path(place, "data")
        folder.mkdir(mode=0o700)
        urls = {"SQLite": f"sqlite:///{folder / 'xentarena.sqlite3'}"} | (
            {} if given is None else {"PostgreSQL": given.url}
        )
        for name, url in urls.items():
            for line in measure(url, folder, wanted):
                sys.stdout.write(f"{name:<11} {line}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
