"""Serving an application over HTTP, and stopping in time."""

import asyncio
import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING

import structlog
import uvicorn
from fastapi import FastAPI

from server.addresses import Address
from server.errors import CommandError
from server.launch.addresses import BACKLOG
from server.launch.slow_clients import TimedProtocol

if TYPE_CHECKING:
    from server.http.context import AppContext

log = structlog.get_logger()

ONE_AT_A_TIME = 1  # connections that asyncio takes at a time: the rest is for other processes on the socket
KEPT_SECONDS = 150  # an idle connection: longer than proxies (nginx 60, Caddy 120) and clients keep theirs, who
# would else send a request into one that is just being closed
LAST_SECONDS = 1  # for requests that are held and streams that are open, when the server stops
CUT_SECONDS = 3  # for them to end then
TURN = 0.0005  # seconds for which a thread computes while others want to: a move takes dozens of turns
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Server(uvicorn.Server):
    """One that leaves signals to whoever runs it."""

    def __init__(self, app: FastAPI) -> None:
        config = uvicorn.Config(
            app,
            http=TimedProtocol,
            log_config=None,
            access_log=False,
            proxy_headers=False,  # server.http.public_address reads them
            timeout_keep_alive=KEPT_SECONDS,
            timeout_graceful_shutdown=LAST_SECONDS + CUT_SECONDS,
            backlog=ONE_AT_A_TIME,
        )
        super().__init__(config)
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for each in sockets or ():
            each.listen(BACKLOG)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Streams and requests that are held end by themselves; what is left after that is cut off."""
        context: AppContext | None = getattr(self._app.state, "context", None)
        if context is not None:
            context.live.stop()
        cutting = asyncio.get_running_loop().call_later(LAST_SECONDS, self._cut_off)
        logger = logging.getLogger("uvicorn.error")
        logger.addFilter(_is_no_cut)
        try:
            await super().shutdown(sockets)
        finally:
            cutting.cancel()
            logger.removeFilter(_is_no_cut)

    def _cut_off(self) -> None:
        """Close every connection, which is the only true answer: what they asked for may be done, or may not be."""
        waiting = list(self.server_state.tasks)
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        for task in waiting:
            task.cancel()
        if waiting:
            log.warning("stop.requests_cut_off", requests=len(waiting))

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Shutdown:
    """What a first Ctrl-C, SIGTERM or SIGHUP sets off; `event` is what everything that waits should look at."""

    def __init__(self, *, last_resort: float | None = None) -> None:
        """last_resort: seconds after which the process ends in any case."""
        self.event = threading.Event()
        self._last_resort = last_resort
        self._server: Server | None = None

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        # A handler runs in the midst of whatever the main thread does, perhaps while that waits for `event` and holds
        # its lock; so it only leaves word, with the one thing that may be called there, and a thread acts on it.
        signals: SimpleQueue[bool] = SimpleQueue()
        thread = threading.Thread(target=self._act_on_signals, args=(signals,), name="signals", daemon=True)
        thread.start()
        # Under nohup SIGHUP is ignored and stays so.
        numbers = [number for number in STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, lambda *_: signals.put(True)) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signals.put(False)
            thread.join()

    def _act_on_signals(self, signals: SimpleQueue[bool]) -> None:
        while signals.get():
            self.now()

    def now(self) -> None:
        if self._last_resort is not None and not self.event.is_set():
            threading.Thread(target=self._end, args=(self._last_resort,), daemon=True).start()
        self.event.set()
        if self._server is not None:
            self._server.should_exit = True

    def _end(self, seconds: float) -> None:
        time.sleep(seconds)
        os._exit(0)

    def run(self, server: Server, listener: socket.socket) -> None:
        """Serve until stopped. Raises CommandError where the application does not start."""
        _raise_file_limit()
        sys.setswitchinterval(TURN)
        self._server = server
        if self.event.is_set():  # asked after `now` can see the server: one of the two notices the other
            server.should_exit = True
        with suppress(SystemExit):  # uvicorn's way to say so; it has told why
            asyncio.run(server.serve(sockets=[listener]))
        if not server.started and not self.event.is_set():
            raise CommandError("the server does not start; what it said is above")


def url_of(listener: socket.socket, host: str) -> str:
    """Where the server is for people elsewhere, or on this machine where it listens for nobody else."""
    return f"http://{Address(host, listener.getsockname()[1]).for_others}"


def local_url_of(listener: socket.socket, host: str) -> str:
    return f"http://{Address(host, listener.getsockname()[1]).for_this_machine}"


def _raise_file_limit() -> None:
    """Every waiting player is an open file, and many systems allow no more than 256 unless asked."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _is_no_cut(record: logging.LogRecord) -> bool:
    """Requests that are cut off at the stop are no errors, each with a traceback."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))
