"""The folder of a tournament: what it was, who its players are, and a journal for each of them in each round.

DIR/plan.json       what is played, so that nothing else is resumed here; and what its competition is called by
DIR/tokens.json     the players' tokens at the server, mode 0600: in no journal and no report
DIR/cells/ID.jsonl  what a player did and was told in a round (`bots.journal`); ID.failed: why it was given up; in a
                    play against each other ID-black.jsonl and ID-white.jsonl are what each was asked
DIR/ratings.json    what the server rates the players of such plays
DIR/lock            held by whoever runs it
"""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

from bots.tournament.plan import Plan, PlanError
from judge.locks import Taken, take
from xentarena.errors import ArenaError


@dataclass(frozen=True, slots=True)
class Cell:
    """One player in one round, for the so-manieth time; or one play, against another. All but the names count from 1.
    opponent: who has the second seat, and as which number."""

    player: str
    number: int
    repeat: int
    round: int
    opponent: tuple[str, int] | None = None

    @property
    def id(self) -> str:
        who = f"p{self.number}" if self.opponent is None else f"p{self.number}v{self.opponent[1]}"
        return f"{who}-r{self.repeat}-g{self.round}"

    @property
    def seat(self) -> str:
        """Who it is at the server: a player for each repeat, so that each has a best of its own."""
        return f"{self.player} #{self.repeat}"

    @property
    def other_seat(self) -> str | None:
        """The same of the opponent."""
        return None if self.opponent is None else f"{self.opponent[0]} #{self.repeat}"


def cells(plan: Plan) -> list[Cell]:
    """In the order in which they are begun. Against each other everybody plays everybody, once from each seat."""
    found = []
    players = [(each.name, number) for number, each in enumerate(plan.everybody, 1)]
    for repeat in range(1, plan.repeats + 1):
        for number, round_ in enumerate(plan.rounds, 1):
            pairs = permutations(players, 2) if round_.game.versus else ((each, None) for each in players)
            found += [Cell(*player, repeat, number, opponent) for player, opponent in pairs]
    return found


class Folder:
    """Made by `held`. name: what its competition is told from others by, also from one of the same plan."""

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name

    def journal(self, cell: Cell, seat: str = "") -> Path:
        """seat: of a play against each other, what that one's player was asked."""
        return self.path / "cells" / f"{cell.id}{seat and '-'}{seat}.jsonl"

    def failure(self, cell: Cell) -> Path:
        return self.path / "cells" / f"{cell.id}.failed"

    def tokens(self) -> dict[str, str]:
        """Name at the server → token."""
        file = self.path / "tokens.json"
        known: dict[str, str] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return known

    def keep_tokens(self, tokens: dict[str, str]) -> None:
        write(self.path / "tokens.json", json.dumps(tokens), mode=0o600)


@contextmanager
def held(path: Path, plan: Plan) -> Iterator[Folder]:
    """The folder, made or gone on with, while nobody else has it. Raises `PlanError` where another tournament is in
    it, `ArenaError` where it runs already."""
    try:
        (path / "cells").mkdir(parents=True, exist_ok=True)
        lock = take(path / "lock")
    except Taken as taken:
        raise ArenaError(f"A tournament is running in {path} already (process {taken.holder}).") from None
    except OSError as error:
        raise ArenaError(f"The folder {path} cannot be made: {error.strerror}.") from error
    with lock:
        kept = path / "plan.json"
        known = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {"digest": plan.digest}
        if known["digest"] != plan.digest:
            raise PlanError(f"{path} holds a tournament of another plan: give this one another folder (--out).")
        facts = {"name": secrets.token_hex(4), **known}
        write(kept, json.dumps(facts | plan.model_dump(mode="json"), indent=2))
        yield Folder(path, facts["name"])


def write(file: Path, text: str, *, mode: int = 0o644) -> None:
    """The whole file or none of it."""
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    part.replace(file)
