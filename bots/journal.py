"""What a player did and was told, as JSON Lines: written before it is used, so that a player that was killed goes on
where it was.

    reply = journal.once("reply", lambda: ask(…))

is asked the first time, and read when the same player begins anew on the same file.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from xentarena.errors import ArenaError

Record = dict[str, Any]
REDACTED = "[secret]"
WASTED = "wasted"  # the kind of what cost something and came to nothing


class JournalError(ArenaError):
    """A file is no journal, or one of another player."""


class Journal:
    """One player's. secrets: texts that are never written; they stand as "[secret]". file: None writes nothing."""

    def __init__(self, file: Path | None, secrets: Iterable[str] = ()) -> None:
        self._file = file
        self._secrets = [each for each in secrets if each]
        self.records = [] if file is None or not file.exists() else read(file)
        self._next = 0
        if file is not None and file.exists():
            _cut(file, self.records)

    def once(self, kind: str, do: Callable[[], Mapping[str, Any]]) -> Record:
        """What stands next, or else what `do` gives, written first. What was wasted is passed over. Raises
        `JournalError` where something of another kind stands there."""
        while self._next < len(self.records) and self.records[self._next].get("kind") == WASTED:
            self._next += 1
        if self._next == len(self.records):
            return self.write(kind, do())
        found = self.records[self._next]
        if found.get("kind") != kind:
            raise JournalError(
                f"{self._file}, line {self._next + 1}: here a {kind!r} is due, and a {found.get('kind')!r} was written."
                " The player is another one than then, or does not play the same again (draw from its seed only)."
            )
        self._next += 1
        return found

    def write(self, kind: str, values: Mapping[str, Any]) -> Record:
        """Add a record, on the disk before this returns. What was not read yet counts as read."""
        line = json.dumps({"kind": kind, **values})
        for secret in self._secrets:
            line = line.replace(json.dumps(secret)[1:-1], REDACTED)
        record: Record = json.loads(line)
        if self._file is not None:
            with self._file.open("ab") as file:
                file.write(line.encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            self.records.append(record)
            self._next = len(self.records)
        return record


def read(file: Path) -> list[Record]:
    """The records of a journal. A last line that a kill cut off is left out. Raises `JournalError`."""
    *whole, _ = file.read_bytes().split(b"\n")
    records = []
    for number, line in enumerate(whole, 1):
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if not isinstance(record, dict):
            raise JournalError(f"{file}, line {number}: this is no record of a journal.")
        records.append(record)
    return records


def _cut(file: Path, records: list[Record]) -> None:
    """Take off what a kill left of a last line."""
    data = file.read_bytes()
    end = data.rfind(b"\n") + 1
    if end < len(data):
        os.truncate(file, end)
