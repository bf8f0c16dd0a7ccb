"""The worker of a server: a process of its own, kept running, and known to be up."""

import asyncio
import json
import threading
from collections.abc import Callable, Sequence

import httpx
import structlog

from server.arena.workforce import Workforce
from server.errors import CommandError, CommandStopped
from server.launch.supervisor import ChildProcess, Supervisor, environment, xentarena
from server.queue.messages import RedisError, Worker
from server.queue.server import Queue
from server.settings import Settings

log = structlog.get_logger()

FIRST_TRIES = 3  # of a worker that has never come up
LOOK = 0.1


class WorkerChild:
    """fail: told once, when the worker does not come up at all. After that it is started again for ever."""

    def __init__(self, settings: Settings, fail: Callable[[Exception], None], stopping: threading.Event) -> None:
        self._settings = settings
        self._fail = fail
        self._stopping = stopping
        self._up = threading.Event()
        # A worker that was killed is still on the list for some seconds.
        self._earlier = {worker.id for worker in self._mine()}
        self._kept = Supervisor("worker", self._spawn(), self._spawn, self._again)

    def wait_until_up(self, url: str) -> list[str]:
        """The identities of its judges, once it has announced them and the API at `url` knows. Raises Stopped."""
        while not (new := [worker for worker in self._mine() if worker.id not in self._earlier]):
            self._pause()
        self._up.set()
        with httpx.Client(base_url=url, timeout=5) as client:
            while not _served(client, new[0]):
                self._pause()
        return list(new[0].judges)

    def workforce(self) -> Workforce:
        """Whoever serves now."""
        return Workforce(self._workers())

    def stop(self) -> None:
        if self._up.is_set():
            self._kept.stop()
        else:  # it is loading, which cannot be interrupted, and holds nothing
            self._kept.kill()

    def _spawn(self) -> ChildProcess:
        settings = self._settings
        judges = [argument for judge in settings.judge for argument in ("--judge", judge)]
        env = environment(
            XENTARENA_REDIS_URL=settings.redis_url,
            XENTARENA_LEASE=str(settings.lease),
            XENTARENA_DTYPE=settings.dtype,
            XENTARENA_LOG_LEVEL=settings.log_level,
            XENTARENA_LOG_JSON=json.dumps(settings.log_json),
            XENTARENA_DATABASE_URL=None,
            XENTARENA_DATABASE_PASSWORD=None,
            XENTARENA_HOST_TOKEN=None,
            XENTARENA_SERVER=None,
            XENTARENA_WORKER_TOKEN=None,
        )
        return ChildProcess(xentarena("worker", *judges), env)

    def _again(self, status: int, ended: int) -> bool:
        if self._up.is_set() or (status != 1 and ended < FIRST_TRIES):
            return True
        self._fail(CommandError(f"the worker does not start (its exit status: {status}); what it said is above"))
        return False

    def _mine(self) -> list[Worker]:
        """Those beside this Redis: lent ones come back whenever the API answers."""
        return [worker for worker in self._workers() if not worker.lent]

    def _workers(self) -> Sequence[Worker]:
        try:
            return asyncio.run(_announced(self._settings))
        except RedisError as error:
            log.warning("serve.redis_away", error=str(error))
            return []

    def _pause(self) -> None:
        if self._stopping.wait(LOOK):
            raise CommandStopped


async def _announced(settings: Settings) -> Sequence[Worker]:
    queue = Queue(settings.redis_url or "", lease=settings.lease)
    try:
        return await queue.workers()
    finally:
        await queue.close()


def _served(client: httpx.Client, worker: Worker) -> bool:
    try:
        answer = client.get("/readyz")
        return answer.status_code == 200 and set(worker.judges) <= {
            identity for identity, judge in answer.json()["judges"].items() if judge["workers"]
        }
    except (httpx.HTTPError, ValueError, KeyError):
        return False
