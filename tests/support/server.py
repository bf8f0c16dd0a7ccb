"""The real application on a real database and Redis, served from a thread of this process; and those who visit it."""

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from json import dumps, loads
from threading import Barrier
from typing import Any, TypeVar

import httpx
import redis
from sqlalchemy import func, literal, select, text, union_all
from sqlalchemy.orm import Session

from games.program import parse
from server.addresses import Address
from server.app import create_app
from server.db.boards import RatingAfter, Standing, Unrated
from server.db.columns import Base
from server.db.models import Attempt, FeedEvent, Game, Judge, Measurement, Player, Round, Submission, WithheldEvent
from server.db.session import Database, now
from server.db.states import RoundState, SubmissionState, WorkState
from server.db.trust import Check
from server.http.context import AppContext
from server.launch.addresses import listen
from server.launch.http_server import Server
from server.settings import Settings
from tests.support import contract
from tests.support.scenario.deployment import HOST_TOKEN, PASSAGE, answer
from tests.support.services import eventually
from tests.support.workers import FakeJudge

Json = dict[str, Any]
Headers = Mapping[str, str] | Mapping[bytes, bytes]


@dataclass(frozen=True)
class Caller:
    """Somebody with a token, or nobody."""

    http: httpx.Client
    token: str | None = None
    id: str | None = None

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Headers | None = None,
        json: object = None,
        **more: Any,
    ) -> httpx.Response:
        sent = httpx.Headers(self.headers)
        if json is not None:  # in ASCII, so that half a character can be sent
            sent["Content-Type"] = "application/json"
            more["content"] = dumps(json)
        sent.update(headers or {})
        return self.http.request(method, path, headers=sent, **more)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def submit(
        self, round_id: str, move: str, *, wait: float | None = None, key: str | None = None, practice: bool = False
    ) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        params = {} if wait is None else {"wait": wait}
        body = {"move": move} | ({"practice": True} if practice else {})
        return self.post(f"/rounds/{round_id}/submissions", json=body, headers=headers, params=params)

    def score(self, round_id: str, move: str, *, practice: bool = False) -> Json:
        """Submit, and wait for the end of it."""
        return answer(self.submit(round_id, move, wait=30, practice=practice), 201)


class RunningApp:
    """A running server. Its parts can be looked at from within: `database` for the rows, `arena` for the rest."""

    def __init__(self, database_url: str, redis_url: str, **settings: Any) -> None:
        settings = {"sweep": 1.5, "grace": 1.0, "lease": 5.0, "threads": 8, **settings}
        self.redis_url = redis_url
        self.settings = Settings(database_url=database_url, redis_url=redis_url, host_token=HOST_TOKEN, **settings)
        self.database = Database(database_url, connections=2)
        self.redis: Any = redis.Redis.from_url(redis_url, protocol=2)
        self.app = create_app(self.settings)
        self.server = Server(self.app)
        self._listener = listen(Address("127.0.0.1", 0))
        self._thread = threading.Thread(target=self.server.run, args=([self._listener],), daemon=True)

    def start(self) -> "RunningApp":
        self._thread.start()
        eventually(lambda: self.server.started or not self._thread.is_alive(), what="the server")
        assert self.server.started, "the server did not start; its log tells why"
        self.port: int = self._listener.getsockname()[1]
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        hooks = {"response": [contract.check]}
        self.http = httpx.Client(base_url=f"{self.url}/api/v1", timeout=60, limits=limits, event_hooks=hooks)
        return self

    def stop(self) -> None:
        if not self._thread.is_alive():
            return
        self.http.close()
        self.redis.close()
        self.server.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive(), "the server does not stop"
        self.database.dispose()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def arena(self) -> AppContext:
        found: AppContext = self.app.state.context
        return found

    @property
    def host(self) -> Caller:
        return Caller(self.http, HOST_TOKEN)

    @property
    def anyone(self) -> Caller:
        return Caller(self.http)

    def caller(self, token: str) -> Caller:
        return Caller(self.http, token)

    def measurable(self, judge: FakeJudge) -> bool:
        """Does the server know the judge, and somebody who serves it?"""
        path = f"/judges/{judge.identity}"
        found = self.anyone.get(path)
        return found.status_code == 200 and found.json()["workers"] > 0

    def rows(self) -> dict[str, int]:
        """How many rows every table has, and how many attempts are used.

        Left out is what workers and the referee make by themselves: judges, standings, ratings and the feed.
        """
        made = (Judge, Standing, RatingAfter, Unrated, FeedEvent, WithheldEvent, Check)
        own = {table.__tablename__ for table in made}
        tables = [table for table in Base.metadata.tables.values() if table.name not in own]
        counts = [select(literal(table.name), func.count()).select_from(table) for table in tables]
        sums = [select(literal("attempts used"), func.coalesce(func.sum(Attempt.used), 0))]
        rows = self.database.read(lambda session: session.execute(union_all(*counts, *sums)).all())
        return {name: int(count) for name, count in rows}

    def sql(self, statement: str, **values: Any) -> list[Any]:
        """Run SQL of one's own and commit."""

        def work(session: Session) -> list[Any]:
            result: Any = session.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []

        return self.database.write(work)

    def install_game(self, source: str) -> str:
        """Make a row of a game that is not packaged; its digest."""
        program = parse(source)

        def work(session: Session) -> None:
            if session.get(Game, program.digest) is None:
                named = {"name": f"test-{program.digest[:8]}", "title": program.title, "version": 1, "packaged": False}
                session.add(
                    Game(
                        digest=program.digest,
                        description=program.description,
                        source=program.source,
                        created_at=now(session),
                        **named,
                    )
                )

        self.database.write(work)
        return program.digest

    def attempts_used(self, round_id: str, player: str) -> int:
        row = self.database.read(lambda session: session.get(Attempt, (round_id, player)))
        return row.used if row else 0

    def submissions(self, round_id: str) -> Sequence[Submission]:
        query = select(Submission).where(Submission.round_id == round_id).order_by(Submission.number)
        return self.database.read(lambda session: session.scalars(query).all())

    def measurements(self, judge: FakeJudge) -> Sequence[Measurement]:
        query = select(Measurement).where(Measurement.judge == judge.identity).order_by(Measurement.prefix)
        return self.database.read(lambda session: session.scalars(query).all())

    def player(self, player: str) -> Player:
        return self.database.read(lambda session: session.get_one(Player, player))


@dataclass(frozen=True)
class Class:
    """A competition with one round of Condense, and whoever joins."""

    house: RunningApp
    competition: Json
    round: Json
    judge: FakeJudge

    @property
    def id(self) -> str:
        return str(self.competition["id"])

    @property
    def competition_now(self) -> Json:
        """The competition as it is by now."""
        found: Json = answer(self.house.host.get(f"/competitions/{self.id}"))
        return found

    @property
    def round_id(self) -> str:
        return str(self.round["id"])

    @property
    def submissions(self) -> str:
        return f"/rounds/{self.round_id}/submissions"

    def join(self, name: str | None = None, kind: str = "person") -> Caller:
        body = {"code": self.competition["code"], "name": name or f"guest {secrets.token_hex(4)}", "kind": kind}
        joined = answer(self.house.anyone.post("/competitions:join", json=body), 201)
        return Caller(self.house.http, joined["token"], joined["player"]["id"])

    def another_round(self, **round_: Any) -> Json:
        return new_round(self.house, self.id, self.judge, **round_)

    def close(self) -> None:
        answer(self.house.host.post(f"/rounds/{self.round_id}:close"))

    def board(self, round_id: str | None = None, **params: Any) -> list[Json]:
        path = f"/rounds/{round_id or self.round_id}/leaderboard"
        items: list[Json] = answer(self.house.host.get(path, params=params))["items"]
        return items

    def events(self, after: int = 0) -> list[Json]:
        path = f"/competitions/{self.id}/events"
        items: list[Json] = answer(self.house.host.get(path, params={"after": after}))["items"]
        return items


def new_competition(house: RunningApp, **competition: Any) -> Json:
    body = {"name": "Thursday class", **competition}
    return answer(house.host.post("/competitions", json=body), 201)


def new_round(house: RunningApp, competition: str, judge: FakeJudge, /, **round_: Any) -> Json:
    body = {"game": "condense", "passages": [PASSAGE], "judge": judge.identity} | round_
    return answer(house.host.post(f"/competitions/{competition}/rounds", json=body), 201)


def new_class(
    house: RunningApp, judge: FakeJudge, /, *, bots: str = "separate", free: bool = False, **round_: Any
) -> Class:
    competition = new_competition(house, bots=bots, free_measurements=free)
    return Class(house, competition, new_round(house, competition["id"], judge, **round_), judge)


def problem(response: httpx.Response, status: int, type_: str) -> Json:
    """The body of a refusal, which is what RFC 9457 and our own contract want."""
    assert response.status_code == status, f"{response.status_code}: {response.text}"
    assert response.headers["content-type"] == "application/problem+json"
    body: Json = response.json()
    assert body["type"] == type_, body
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert "Traceback" not in response.text
    return body


def pointers(body: Json) -> list[str]:
    return [each["pointer"] for each in body["errors"]]


@contextmanager
def nothing_changes(house: RunningApp) -> Iterator[None]:
    """No row more or less after the block. What is still at work from before is let come to its end first."""
    eventually(lambda: not house.database.read(_at_work), what="the end of what was begun")
    before = house.rows()
    yield
    after = house.rows()
    changed = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert not changed, changed


def _at_work(session: Session) -> bool:
    """Is there something that will be scored, or a round that is about to begin or end?"""
    served = (Measurement.state == WorkState.PENDING) & (Measurement.judge == "identity-of-plain")
    soon = now(session) + timedelta(seconds=5)
    over = (Round.state != RoundState.CLOSED) & (Round.closes_at <= soon)
    begun = (Round.state == RoundState.SCHEDULED) & (Round.opens_at <= soon)
    awaits = (Submission.state == SubmissionState.AWAITING_MOVE) & ~Submission.practice
    left = (Round.state == RoundState.CLOSED) & awaits
    return any(
        session.scalars(query.limit(1)).one_or_none() is not None
        for query in (
            select(Measurement.key).where(served),
            select(Round.id).where(over | begun, ~Round.draft, Round.archived_at.is_(None)),
            select(Submission.id).join(Round, Round.id == Submission.round_id).where(left),
        )
    )


@dataclass
class Stream:
    """An open stream of server-sent events, read a piece at a time."""

    response: httpx.Response
    seen: list[Json] = field(default_factory=list)
    ended: bool = False

    def __post_init__(self) -> None:
        self._pieces = self.response.iter_text()
        self._rest = ""

    def events(self) -> Iterator[Json]:
        """Each event as {"id", "event", "data"}; ends with the stream."""
        for piece in self._pieces:
            *whole, self._rest = (self._rest + piece).split("\n\n")
            for block in whole:
                if event := _read(block):
                    self.seen.append(event)
                    yield event
        self.ended = True

    def take(self, count: int) -> list[Json]:
        """The next events, exactly that many."""
        source = self.events()
        return [next(source) for _ in range(count)]


def _read(block: str) -> Json | None:
    fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
    if "id" not in fields:
        return None
    return {"id": int(fields["id"]), "event": fields["event"], "data": loads(fields["data"])}


@contextmanager
def stream(caller: Caller, competition: str, last: int | None = None, **more: Any) -> Iterator[Stream]:
    headers = {**caller.headers, **({} if last is None else {"Last-Event-ID": str(last)})}
    with caller.http.stream("GET", f"/competitions/{competition}/events", headers=headers, **more) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Stream(response)


T = TypeVar("T")


def all_at_once(count: int, work: Callable[[int], T]) -> list[T]:
    """Run `work(0)`, `work(1)`, … in as many threads, started at the same moment."""
    barrier = Barrier(count)

    def run(number: int) -> T:
        barrier.wait(30)
        return work(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))
