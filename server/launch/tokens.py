"""What the commands about tokens share: the rows of a server that may be running, and a word to it. Raises CommandError
where they cannot be reached."""

import asyncio
from collections.abc import Callable, Collection
from typing import TypeVar

import structlog
from sqlalchemy.orm import Session

from server.db import upgrade
from server.errors import CommandError, RequestError
from server.launch.data_dir import noted_database
from server.launch.redis import leftover
from server.queue.messages import ChangeNotice, RedisError
from server.queue.server import Queue
from server.settings import Settings

log = structlog.get_logger()

T = TypeVar("T")


def written(settings: Settings, work: Callable[[Session], T]) -> T:
    """The result of a transaction. What it refuses is a CommandError, too."""
    url = _url(settings)
    upgrade.check_current(url)
    try:
        with upgrade.opened(url) as database:
            return database.write(work)
    except RequestError as error:
        raise CommandError(error.detail) from error


def tell(settings: Settings, tokens: Collection[str]) -> None:
    """End what these tokens hold open now, and let others have the jobs that their workers hold.

    Where Redis is away the servers find out by themselves, and a lease has to lapse.
    """
    url = settings.redis_url or leftover.url(settings.data / "redis")
    if url is None:
        return

    async def notify() -> None:
        queue = Queue(url, lease=settings.lease)
        try:
            await queue.notify(ChangeNotice(tokens=tuple(tokens)))
            await queue.hand_back(tokens)
        finally:
            await queue.close()

    try:
        asyncio.run(notify())
    except RedisError:
        log.info("token.no_notice", hint="open event streams end within half a minute")


def _url(settings: Settings) -> str:
    if settings.database_url is not None:
        return settings.database_url
    url = noted_database(settings.data)
    if url is None:
        raise CommandError(f"no server was started in {settings.data}: name its folder with --data, or --database-url")
    if not url.startswith("sqlite"):
        raise CommandError(f"the rows of {settings.data} are in {url}: name that database with --database-url")
    return url
