"""The composition root: settings → an application that serves."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from functools import partial

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from sqlalchemy.orm import Session

from server import metrics
from server.api import (
    announcements,
    catalog,
    deletion,
    distrusting,
    document,
    exports,
    freezing,
    gradebooks,
    health,
    hosts,
    lab,
    lab_several,
    league,
    me,
    measurements,
    people,
    preparing,
    problems,
    receipts,
    rescorings,
    retention,
    rounds,
    samples,
    submissions,
    teams,
    workers,
)
from server.api import competitions as competitions_api
from server.api.gate import Gate
from server.arena import callers, games, signing_keys
from server.arena.outbox import Outbox
from server.db.session import Database
from server.http.context import AppContext
from server.http.desk import Desk
from server.http.lending import Lending
from server.http.public_address import PublicAddress
from server.queue.messages import RedisError
from server.queue.server import Queue
from server.referee.sweeper import Referee
from server.settings import Settings, sqlite_url
from server.web import pages

ABOUT = """Cross-entropy games: a fixed language model, the judge, measures how many bits of surprise a text costs it,
and players find the words that save the most."""


def create_app(settings: Settings) -> FastAPI:
    """The API and the pages over one database and one Redis, with a referee. Touches neither before it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        metrics.forget_the_dead()
        context = build(settings)
        app.state.context, app.state.desk, app.state.lending = context, Desk(context), Lending(context)
        await context.write(lambda session, outbox: _first_rows(settings, session, outbox))
        referee = Referee(context)
        loops = [
            asyncio.create_task(loop) for loop in (referee.run(), referee.sweep(), context.live.listen(context.queue))
        ]
        try:
            yield
        finally:
            await _end(loops)
            with suppress(RedisError):
                await context.queue.close()
            context.close()

    app = FastAPIOffline(
        title="Xent Arena",
        version="1",
        description=ABOUT,
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url="/api/v1/docs",
        static_url="/api/v1/docs-files",
        favicon_url="/static/icon.svg",
        swagger_ui_parameters={"validatorUrl": None},  # a service elsewhere
        redoc_url=None,
        generate_unique_id_function=document.named,
    )
    _install(app)
    app.add_middleware(PublicAddress, settings)
    return app


def _install(app: FastAPI) -> None:
    problems.install(app)
    of_competitions = (competitions_api, hosts, people, teams, league, freezing, retention, announcements)
    of_rounds = (rounds, preparing, rescorings, submissions)
    for part in (
        *of_competitions,
        *of_rounds,
        measurements,
        lab,
        samples,
        lab_several,
        catalog,
        distrusting,
        me,
        exports,
        gradebooks,
        receipts,
        deletion,
        workers,
    ):
        app.include_router(part.router, prefix="/api/v1")
    app.include_router(people.roster_router, prefix="/api/v1")
    app.include_router(health.router)
    app.include_router(receipts.well_known)
    pages.install(app)
    app.openapi = partial(document.of, app)  # type: ignore[method-assign]
    app.add_middleware(Gate)
    _build_routes(app)


def _build_routes(app: FastAPI) -> None:
    """FastAPI builds the routes of a router once a request looks for one: not in the time of the first one who asks."""
    nowhere = {"type": "http", "method": "GET", "path": "/", "root_path": "", "query_string": b"", "headers": []}
    for route in app.router.routes:
        route.matches(nowhere)


async def _end(loops: Collection[asyncio.Task[None]]) -> None:
    """Cancel until all have ended: up to Python 3.11 `wait_for`, which the Redis client uses, can swallow it."""
    while going := [loop for loop in loops if not loop.done()]:
        for loop in going:
            loop.cancel()
        await asyncio.wait(going, timeout=0.5)


def build(settings: Settings) -> AppContext:
    """The context of a process."""
    database = Database(settings.database_url or sqlite_url(settings.data), connections=settings.threads + 1)
    if settings.redis_url is None:
        raise ValueError("the API needs a Redis address")
    return AppContext(settings, database, Queue(settings.redis_url, lease=settings.lease), competitions_api.server_sent)


def _first_rows(settings: Settings, session: Session, outbox: Outbox) -> None:
    games.install_packaged(session)
    signing_keys.ensure(session)
    if settings.host_token:
        outbox.tokens |= set(callers.ensure_owner(session, settings.host_token))
