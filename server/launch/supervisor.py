"""The processes that a server starts: each under a reaper, and started again when it ends by itself."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from server.launch import reaper

log = structlog.get_logger()

GRACE = 5.0  # seconds between SIGTERM and SIGKILL
STANDARD_ERROR = 2
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY = 60.0  # a child that lived this long is started again after the first pause


class ChildProcess:
    """A running command. Ends when `stop` is called or when this process is gone, however it went."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        *,
        grace: float = GRACE,
        pass_fds: Sequence[int] = (),
    ) -> None:
        # Standard output is this program's own; a session of its own keeps Ctrl-C from the children, which are
        # stopped in order, and makes a process group that can be killed as a whole.
        self._reaper = subprocess.Popen(
            [sys.executable, "-IS", reaper.__file__, str(grace), *command],
            stdin=subprocess.PIPE,
            stdout=STANDARD_ERROR,
            env=env,
            start_new_session=True,
            pass_fds=pass_fds,
        )
        self._grace = grace

    @property
    def group(self) -> int:
        """The process group of the command, and the process id of its reaper."""
        return self._reaper.pid

    def poll(self) -> int | None:
        """The exit status, or None while it runs."""
        return self._reaper.poll()

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, once it has ended and nothing of it is left."""
        code = self._reaper.wait(timeout)
        self._kill_group()
        self.let_go()
        return code

    def let_go(self) -> None:
        """Ask it to stop."""
        assert self._reaper.stdin is not None
        with suppress(OSError):
            self._reaper.stdin.close()

    def stop(self) -> None:
        """End it: in its own way within the grace, else by force."""
        self.let_go()
        with suppress(subprocess.TimeoutExpired):
            self._reaper.wait(self._grace + 1)
        self.kill()

    def kill(self) -> None:
        self._kill_group()
        self._reaper.wait()
        self.let_go()

    def _kill_group(self) -> None:
        # The group keeps its number as long as anything is in it, also when the reaper itself is gone.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.group, signal.SIGKILL)


class Supervisor:
    """A child that is started again whenever it ends, after a pause that grows while it keeps ending.

    start: starts another. should_restart: asked with the exit status and how often it has ended in a row; False: let
    it be.
    """

    def __init__(
        self,
        name: str,
        child: ChildProcess,
        start: Callable[[], ChildProcess],
        should_restart: Callable[[int, int], bool],
    ) -> None:
        self._name = name
        self._child = child
        self._start = start
        self._should_restart = should_restart
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"keep {name}", daemon=True)
        self._thread.start()

    def let_go(self) -> None:
        """Ask it to stop, and do not start it again. `stop` is still to be called."""
        with self._lock:
            self._stopping.set()
            self._child.let_go()

    def stop(self) -> None:
        self.let_go()
        self._child.stop()
        self._thread.join()
        log.debug("child.stopped", child=self._name)

    def kill(self) -> None:
        """End it at once: for one that has nothing to lose."""
        self.let_go()
        self._child.kill()
        self._thread.join()

    def _keep(self) -> None:
        ended = 0
        while True:
            began = time.monotonic()
            code = self._child.wait()
            if self._stopping.is_set():
                return
            ended = 1 if time.monotonic() - began > STEADY else ended + 1
            if not self._should_restart(code, ended):
                return
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (ended - 1))
            log.warning("child.ended", child=self._name, status=code, start_again_in=pause)
            if self._stopping.wait(pause) or not self._restart():
                return

    def _restart(self) -> bool:
        with self._lock:
            if self._stopping.is_set():
                return False
            try:
                self._child = self._start()
            except Exception as error:  # too many processes, a port taken meanwhile: the next pause is longer
                log.error("child.not_started", child=self._name, error=str(error))
        return True


def xentarena(*arguments: str) -> list[str]:
    """The command line of this same program, whatever the working directory holds."""
    return [sys.executable, "-P", "-m", "server.cli", *arguments]


def environment(**values: str | None) -> dict[str, str]:
    """This process' environment for a child that is this same program. None takes a variable away."""
    env = dict(os.environ)
    paths = [str(Path(__file__).resolve().parents[2]), env.get("PYTHONPATH", "")]
    env["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    for name, value in values.items():
        env.pop(name, None)
        if value is not None:
            env[name] = value
    return env
