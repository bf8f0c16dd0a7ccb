"""A house that is open: a server with a Redis and a judge of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.server import RunningApp
from tests.support.services import Redis, eventually
from tests.support.workers import PLAIN, at_work


@contextmanager
def opened(database_url: str, folder: Path) -> Iterator[RunningApp]:
    """On an up-to-date database. Ends with the block."""
    redis = Redis(folder / "redis").start()
    try:
        with at_work(redis.url, PLAIN):
            house = RunningApp(database_url, redis.url, private_judge=["secret"], rate_limit=10_000, rate_burst=100_000)
            try:
                house.start()
                eventually(lambda: house.measurable(PLAIN), what="the judge")
                yield house
            finally:
                house.stop()
    finally:
        redis.stop()
