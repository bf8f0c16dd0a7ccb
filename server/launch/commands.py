"""The parts of a server one at a time, for more than one machine: `api`, `worker`, `migrate`."""

import os
import sys
from contextlib import ExitStack, closing
from typing import NoReturn

import structlog

from judge.errors import JudgeError
from server import logs
from server.addresses import Address
from server.db import upgrade
from server.errors import CommandError
from server.launch import api_processes, reaper
from server.launch.addresses import listen
from server.launch.http_server import Server, Shutdown, url_of
from server.launch.redis import check
from server.queue.messages import NotLetIn
from server.settings import Settings, sqlite_url
from server.worker.claims import server_of
from server.worker.lent import Unusable

log = structlog.get_logger()

WORKER_STOPS = 3.0  # seconds to finish what it measures; a model that is being loaded cannot be interrupted


def serve_api(settings: Settings) -> None:
    """Serve until stopped. Raises CommandError where database or Redis cannot be used as they are."""
    logs.configure(settings.log_level, as_json=settings.log_json)
    upgrade.check_current(settings.database_url or "")
    check.check(settings.redis_url or "")
    api_processes.check(settings, settings.database_url or "")
    reaper.follow()
    stop = Shutdown()
    with stop.on_signals(), ExitStack() as running:
        inherited = api_processes.inherited()
        listener = running.enter_context(inherited or listen(Address(settings.host, settings.port)))
        if settings.api_processes > 1:
            running.callback(api_processes.ApiProcesses(settings, listener).stop)
        from server.app import create_app

        if inherited is None and not settings.host_token:
            log.warning("api.no_host", hint="XENTARENA_HOST_TOKEN, 32 characters or more, makes a host")
        if inherited is None:
            log.info(
                "api.listening",
                url=settings.public_url or url_of(listener, settings.host),
                processes=settings.api_processes,
            )
        stop.run(Server(create_app(settings)), listener)


def run_worker(settings: Settings) -> NoReturn:
    """Measure until stopped, and end the process. Raises CommandError where the queue or a judge cannot be used."""
    logs.configure(settings.log_level, as_json=settings.log_json)
    _check_queue(settings)
    reaper.follow()
    stop = Shutdown(last_resort=WORKER_STOPS)
    with stop.on_signals():
        from server.worker.loop import run

        try:
            run(settings, stop=stop.event)
        except JudgeError as error:
            raise CommandError(f"the judge cannot be used: {error}") from error
        except Unusable as error:
            raise CommandError(str(error)) from error
        except NotLetIn as error:
            raise CommandError(f"the server does not let this worker in any more: {error}") from error
    sys.stderr.flush()
    os._exit(0)  # nothing is left to do, and torch takes seconds to be taken apart


def _check_queue(settings: Settings) -> None:
    """Before a judge is loaded, which takes long."""
    if settings.server is None:
        check.check(settings.redis_url or "")
        return
    try:
        with closing(server_of(settings)) as server:
            server.lease()
    except Unusable as error:
        raise CommandError(str(error)) from error


def migrate(settings: Settings, wait: float = 0) -> None:
    """Bring the named database, or that of the data folder, up to date, waiting so many seconds until it takes
    connections. Raises CommandError."""
    logs.configure(settings.log_level, as_json=settings.log_json)
    if settings.database_url is None and not settings.data.is_dir():
        raise CommandError(f"there is no data folder {settings.data}: name a database with --database-url")
    url = settings.database_url or sqlite_url(settings.data)
    upgrade.wait_for(url, wait)
    upgrade.ensure_current(url, settings.data / "backups" if settings.database_url is None else None)
