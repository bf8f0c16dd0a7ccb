"""Folders that one process has at a time."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import IO


class Taken(Exception):
    """Another process has it. holder: its id, as far as it could be read."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder or "unknown"


def take(file: Path, mode: int = 0o644) -> IO[bytes]:
    """The file, made where it is missing, held until it is closed or the process ends; our id stands in it.

    Raises `Taken`, and OSError where nothing can be written or held.
    """
    lock = os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT, mode), "r+b", buffering=0)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = lock.read(32).decode(errors="replace").strip()
        lock.close()
        raise Taken(holder) from None
    except OSError:
        lock.close()
        raise
    with suppress(OSError):  # a full disk
        lock.truncate()
        lock.write(f"{os.getpid()}\n".encode())
    return lock
