"""The one way into a use case: authenticated, charged once, committed before anything is shown."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select, text

from server.app import build
from server.arena import callers, competitions
from server.arena.unit import Unit
from server.db.models import Competition
from server.db.states import BotPolicy, Total
from server.errors import RequestError
from server.http.calls import Read, Write, known
from server.http.context import AppContext
from server.settings import Settings

HOST = "a-token-of-the-host-that-is-long-enough"
Work = Callable[[AppContext], Coroutine[Any, Any, None]]


def run(work: Work, database_url: str, redis_url: str, **settings: object) -> None:
    """Do something in a process' context, with a host's token in the database."""

    async def whole() -> None:
        context = build(Settings.model_validate({"database_url": database_url, "redis_url": redis_url, **settings}))
        try:
            await context.write(lambda session, outbox: callers.ensure_owner(session, HOST))
            await work(context)
        finally:
            await context.queue.close()
            context.close()

    asyncio.run(whole())


def make(unit: Unit, name: str) -> Competition:
    return competitions.create(unit, name, BotPolicy.MIXED, False, Total.FLOORED)


@dataclass
class Deadlocked:
    """A use case whose transaction PostgreSQL undoes at first, as after a deadlock."""

    runs: int = 0

    def __call__(self, unit: Unit) -> Competition:
        self.runs += 1
        made = make(unit, "undone at first")
        if self.runs == 1:
            unit.session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END $$"))
        return made


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_a_deadlock_undid_is_run_again_and_charged_once(database_url: str, redis_url: str) -> None:
    async def work(context: AppContext) -> None:
        use_case = Deadlocked()
        await Write(context, HOST, charged="")(use_case)
        assert use_case.runs == 2
        names = await context.read(lambda session: session.scalars(select(Competition.name)).all())
        assert names == ["undone at first"]
        with pytest.raises(RequestError, match="a second") as refused:
            await Write(context, HOST, charged="")(make, "one too many")
        assert refused.value.status == 429

    run(work, database_url, redis_url, rate_limit=0.001, rate_burst=1)


def test_a_view_is_made_after_the_commit(database_url: str, redis_url: str) -> None:
    async def work(context: AppContext) -> None:
        def seen_by_others(unit: Unit, made: Competition) -> bool:
            found = select(Competition.id).where(Competition.id == made.id)
            return context.database.read(lambda session: session.scalars(found).one_or_none()) == made.id

        assert await Write(context, HOST).show(seen_by_others, make, "seen")

    run(work, database_url, redis_url)


def test_a_view_that_needs_no_row_opens_no_transaction(database_url: str, redis_url: str) -> None:
    """So that a database that goes away after the commit takes no answer away that is known already."""

    async def work(context: AppContext) -> None:
        def named(unit: Unit, made: Competition) -> tuple[str, bool]:
            return made.name, unit.session.in_transaction()

        assert await Write(context, HOST).show(named, make, "known") == ("known", False)

    run(work, database_url, redis_url)


def test_a_view_cannot_write(database_url: str, redis_url: str) -> None:
    async def work(context: AppContext) -> None:
        def renamed(unit: Unit, made: Competition) -> None:
            made.name = "changed"
            unit.session.flush()

        await Write(context, HOST).show(renamed, make, "as made")
        shown = await Read(context, HOST)(competitions.visible)
        assert [row.name for row in shown] == ["as made"]

    run(work, database_url, redis_url)


def test_a_view_that_fails_undoes_nothing(database_url: str, redis_url: str) -> None:
    async def work(context: AppContext) -> None:
        def broken(unit: Unit, made: Competition) -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await Write(context, HOST).show(broken, make, "kept")
        shown = await Read(context, HOST)(competitions.visible)
        assert [row.name for row in shown] == ["kept"]

    run(work, database_url, redis_url)


def test_a_read_changes_nothing(database_url: str, redis_url: str) -> None:
    async def work(context: AppContext) -> None:
        await Read(context, HOST)(make, "never")
        assert not await Read(context, HOST)(competitions.visible)

    run(work, database_url, redis_url)


@pytest.mark.parametrize("token", [None, "", "unknown", HOST[:-1]])
def test_without_a_good_token_no_use_case_runs(database_url: str, redis_url: str, token: str | None) -> None:
    async def work(context: AppContext) -> None:
        for call in (Read(context, token), Write(context, token)):
            with pytest.raises(RequestError) as refused:
                await call(make, "never")
            assert refused.value.status == 401

    run(work, database_url, redis_url)


def test_where_visitors_are_let_in_a_use_case_that_needs_a_caller_still_refuses(
    database_url: str, redis_url: str
) -> None:
    async def work(context: AppContext) -> None:
        assert await Read(context, "unknown", known)(lambda unit: unit.asked_by) is None
        with pytest.raises(RequestError) as refused:
            await Write(context, None, known)(make, "never")
        assert refused.value.status == 401

    run(work, database_url, redis_url)
