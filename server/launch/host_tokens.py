"""`xentarena host-token`: who runs competitions, another token for the owner, the end of one. Servers may run on."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import structlog
from sqlalchemy.orm import Session

from server.arena import host_tokens
from server.db import upgrade
from server.db.models import Token
from server.errors import CommandError, RequestError
from server.launch.data_dir import DataDir, noted_database
from server.launch.redis import leftover
from server.queue.messages import ChangeNotice, RedisError
from server.queue.server import Queue
from server.settings import Settings

log = structlog.get_logger()

T = TypeVar("T")


def all_good(settings: Settings) -> list[dict[str, Any]]:
    """Raises CommandError, as all of these do."""
    return _done(settings, lambda session: [_told(row) for row in host_tokens.all_good(session)])


def rotate(settings: Settings) -> str:
    """The owner's new token. Those of before end at once, with the streams that they opened."""
    token, ended = _done(settings, host_tokens.rotate)
    if settings.database_url is None:
        DataDir(settings.data).keep_host_token(token)
    _tell(settings, ended)
    return token


def revoke(settings: Settings, token_id: str) -> None:
    try:
        _done(settings, lambda session: _told(host_tokens.revoke(session, token_id)))
    except RequestError as error:
        raise CommandError(error.detail) from error
    _tell(settings, [token_id])


def _told(row: Token) -> dict[str, Any]:
    name = row.name or ("the owner" if row.owner else "")
    made = row.created_at.isoformat(timespec="seconds")
    return {"id": row.id, "scope": row.scope, "name": name, "competition": row.competition_id, "made": made}


def _done(settings: Settings, work: Callable[[Session], T]) -> T:
    url = _url(settings)
    upgrade.check_current(url)
    with upgrade.opened(url) as database:
        return database.write(work)


def _url(settings: Settings) -> str:
    if settings.database_url is not None:
        return settings.database_url
    url = noted_database(settings.data)
    if url is None:
        raise CommandError(f"no server was started in {settings.data}: name its folder with --data, or --database-url")
    if not url.startswith("sqlite"):
        raise CommandError(f"the rows of {settings.data} are in {url}: name that database with --database-url")
    return url


def _tell(settings: Settings, tokens: Iterable[str]) -> None:
    """End the streams of these tokens now; where Redis is away the servers find out by themselves."""
    url = settings.redis_url or leftover.url(settings.data / "redis")
    if url is None:
        return

    async def notify() -> None:
        queue = Queue(url, lease=settings.lease)
        try:
            await queue.notify(ChangeNotice(tokens=tuple(tokens)))
        finally:
            await queue.close()

    try:
        asyncio.run(notify())
    except RedisError:
        log.info("host_token.no_notice", hint="open event streams end within half a minute")
