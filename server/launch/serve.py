"""Everything on one machine: the API in this process; Redis, a worker, the demo's bots and further API processes as
its children."""

import threading
from contextlib import ExitStack
from dataclasses import dataclass

import structlog

from server import logs
from server.addresses import Address
from server.arena import worker_tokens
from server.db import upgrade
from server.errors import CommandStopped
from server.launch import api_processes, banner, data_dir
from server.launch.addresses import listen
from server.launch.demo import Demo, open_demo
from server.launch.http_server import Server, Shutdown, local_url_of, url_of
from server.launch.redis import check
from server.launch.redis.server import RedisServer
from server.launch.worker_process import WorkerChild
from server.settings import Settings, sqlite_url

log = structlog.get_logger()

SPEED_LOOKS = 60  # a second apart, for how quick the judges are


@dataclass(frozen=True, slots=True)
class Options:
    """What only `serve` is asked. workers: is the command for one on another machine wanted?"""

    workers: bool = False
    demo: bool = False
    as_json: bool = False


def serve(settings: Settings, options: Options) -> None:
    """Serve until Ctrl-C, SIGTERM or SIGHUP. Raises CommandError where it cannot begin, after cleaning up."""
    logs.configure(settings.log_level, as_json=settings.log_json)
    stop = Shutdown()
    with stop.on_signals(), ExitStack() as running:
        try:
            LocalServer(settings, options, stop, running).serve()
        except CommandStopped:
            log.info("serve.stopped_before_it_began")


class LocalServer:
    """One run. What it starts is ended when `running` is closed, in opposite order."""

    def __init__(self, settings: Settings, options: Options, stop: Shutdown, running: ExitStack) -> None:
        self._options = options
        self._stop = stop
        self._running = running
        # What can be found wrong is found wrong before anything is started.
        self._folder = running.enter_context(data_dir.held(settings.data))
        self._listener = running.enter_context(listen(Address(settings.host, settings.port)))
        if settings.redis_url:
            check.check(settings.redis_url)
        database_url = settings.database_url or sqlite_url(self._folder.path)
        api_processes.check(settings, database_url)
        upgrade.ensure_current(database_url, self._folder.backups)
        self._folder.note_database(upgrade.shown(database_url))
        self._worker_token = self._token_for_workers(database_url) if options.workers else None
        self._settings = self._completed(settings, database_url)
        self._failure: Exception | None = None

    def serve(self) -> None:
        worker = WorkerChild(self._settings, self._fail, self._stop.event)
        self._running.callback(worker.stop)
        if self._settings.api_processes > 1:
            self._running.callback(api_processes.ApiProcesses(self._settings, self._listener).stop)
        from server.app import create_app  # takes a second, in which the worker is starting

        opening = threading.Thread(target=self._open, args=(worker,), name="opening")
        opening.start()
        try:
            self._stop.run(Server(create_app(self._settings)), self._listener)
        finally:
            self._stop.now()
            opening.join()
        if self._failure is not None:
            raise self._failure

    def _completed(self, settings: Settings, database_url: str) -> Settings:
        """The settings with what serve itself provides: rows, queue and host."""
        queue = settings.redis_url or self._start_redis()
        return settings.model_copy(
            update={
                "data": self._folder.path,
                "port": self._listener.getsockname()[1],
                "database_url": database_url,
                "redis_url": queue,
                "host_token": settings.host_token or self._folder.host_token(),
            }
        )

    def _start_redis(self) -> str:
        redis = RedisServer(self._folder.redis, self._stop.event)
        self._running.callback(redis.stop)
        return redis.config.url

    def _token_for_workers(self, database_url: str) -> str:
        """The one of before, unless it was revoked."""
        kept = self._folder.worker_token()
        with upgrade.opened(database_url) as database:
            token = database.write(lambda session: worker_tokens.good_or_new(session, kept))
        self._folder.keep_worker_token(token)
        return token

    def _open(self, worker: WorkerChild) -> None:
        """Once everything answers: the demo, and a word to whoever started this."""
        try:
            local = local_url_of(self._listener, self._settings.host)
            judges = worker.wait_until_up(local)
            demo = self._demo(local, judges) if self._options.demo else None
            self._greet(demo)
            self._tell_speed(worker, judges)
        except CommandStopped:
            pass
        except Exception as error:
            self._fail(error)

    def _demo(self, url: str, judges: list[str]) -> Demo:
        token = self._settings.host_token or ""
        demo = open_demo(self._folder.demo, url, token, judges)
        for bot in demo.bots:
            self._running.callback(bot.play(url, demo.round).stop)
        return demo

    def _greet(self, demo: Demo | None) -> None:
        words = banner.Greeting(
            url=self._settings.public_url or url_of(self._listener, self._settings.host),
            host_token=self._settings.host_token or "",
            worker_token=self._worker_token,
            judges=tuple(self._settings.judge),
            demo=demo,
        )
        words.say(as_json=self._options.as_json)

    def _tell_speed(self, worker: WorkerChild, judges: list[str]) -> None:
        """How many moves a second each judge measures here, once it has tried itself."""
        # A judge that was named twice is served once.
        left = dict(zip(judges, dict.fromkeys(self._settings.judge), strict=False))
        for _ in range(SPEED_LOOKS):
            if not left or self._stop.event.wait(1.0):
                return
            workforce = worker.workforce()
            for judge in [each for each in left if workforce.rate(each)]:
                log.info(
                    "serve.speed",
                    judge=left.pop(judge),
                    moves_per_second=workforce.rate(judge),
                    enough_for_players=workforce.class_size(judge),
                )

    def _fail(self, error: Exception) -> None:
        self._failure = self._failure or error
        self._stop.now()
