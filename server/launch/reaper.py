"""Runs one command that must not outlive whoever started it. A program of its own, standard library only.

    parent ──pipe──▶ reaper ──pipe──▶ command

Each arrow is the other's standard input, and only the one on its left holds the writing end: however a process ends,
also by SIGKILL, the kernel closes its pipe and the next one reads the end of it.

* The parent ends, or closes the pipe: the reaper asks the command to stop (SIGTERM), insists after a grace (SIGKILL,
  which also ends a stopped process), and ends with it.
* The reaper is killed: where the parent lives, it kills the reaper's process group, in which the command is. Besides,
  our own commands watch their pipe (`follow`), and on Linux the kernel kills the command with the reaper.

Run as a file (`python reaper.py GRACE COMMAND…`), isolated from the environment, so that it starts quickly and whatever
the working directory holds.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

SUPERVISED = "XENTARENA_SUPERVISED"  # set for the command: its standard input is the reaper's pipe
PR_SET_PDEATHSIG = 1


def main() -> int:
    grace, command = float(sys.argv[1]), sys.argv[2:]
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: ending.set())
    started: list[subprocess.Popen[bytes]] = []
    # First of all, for starting may hang: a command can be stopped, or its disk away, before it has begun.
    threading.Thread(target=_end_of_input, args=(ending.set,), daemon=True).start()
    threading.Thread(target=_end, args=(started, ending, grace), daemon=True).start()
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            env=os.environ | {SUPERVISED: "1"},
            preexec_fn=_dies_with(os.getpid()),
            close_fds=False,  # what is open here beside the standard three was left for the command
        )
    except OSError as error:
        sys.stderr.write(f"{command[0]} cannot be started: {error.strerror}\n")
        return 127
    started.append(child)
    if ending.is_set():  # meanwhile
        child.terminate()
    code = child.wait()
    if ending.is_set():
        _end_group()
    return code if code >= 0 else 128 - code


def follow(grace: float = 5) -> None:
    """In a supervised command: end with the reaper, even if nobody is left to tell. Elsewhere: do nothing."""
    if os.environ.pop(SUPERVISED, None):
        threading.Thread(target=_end_of_input, args=(lambda: _end_myself(grace),), daemon=True).start()


def _end_of_input(then: Callable[[], None]) -> None:
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    then()


def _end(started: "list[subprocess.Popen[bytes]]", ending: threading.Event, grace: float) -> None:
    ending.wait()
    for child in started:
        child.terminate()
    time.sleep(grace)
    _end_group()


def _end_group() -> None:
    """Kill the command, whatever it has started, and this process."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _end_myself(grace: float) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace)
    os._exit(1)


def _dies_with(reaper: int) -> Callable[[], None] | None:
    """Where the kernel can: the command is killed when the thread that started it, the reaper's main one, is gone."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != reaper:  # it went in between
            os._exit(1)

    return ask


if __name__ == "__main__":
    sys.exit(main())
