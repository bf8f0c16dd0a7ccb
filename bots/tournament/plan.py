"""What a tournament's file says. Whatever is wrong in it is told with its line and what was probably meant."""

import difflib
import hashlib
import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from bots.strategy import StrategyFactory, load_strategy, names
from bots.tournament import benchmark
from xentarena.errors import ArenaError

OURS = frozenset({"folder", "notes"})  # what of a plan no file says
BASELINE = "random"  # the strategy that everything is held against
Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f#]*$")]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class PlanError(ArenaError):
    """A tournament's file cannot be used; its text says where and why."""


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class BudgetTable(Table):
    """Of each player in each round. seconds: after which no further play begins."""

    submissions: int = Field(default=20, ge=1, le=10_000)
    seconds: Positive | None = None


class PlayerTable(Table):
    """A strategy, or a model: who runs it, at which address, with the key in which variable of the environment.

    answer: tokens of one answer. seconds: the most that one may take. tokens, cost: the most in the whole tournament.
    price_read, price_written: of a million tokens.
    """

    name: Name
    strategy: str | None = None
    model: str | None = None
    provider: Literal["openai", "anthropic", "local"] = "openai"
    endpoint: str | None = None
    key: str | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    answer: int = Field(default=512, ge=8, le=100_000)
    seconds: Positive = 120.0
    tokens: int | None = Field(default=None, ge=1)
    cost: Positive | None = None
    price_read: Money = 0.0
    price_written: Money = 0.0

    @model_validator(mode="after")
    def _one_of_both(self) -> "PlayerTable":
        if (self.strategy is None) == (self.model is None):
            raise ValueError("a player has either a strategy or a model")
        if self.strategy is not None and (more := self.model_fields_set - {"name", "strategy"}):
            raise ValueError(f"{sorted(more)[0]} is for a model; a strategy has none")
        if self.cost is not None and not (self.price_read or self.price_written):
            raise ValueError("a limit on the cost needs price_read and price_written")
        return self

    @field_validator("key")
    @classmethod
    def _a_name(cls, key: str | None) -> str | None:
        if key is not None and not re.fullmatch(r"[A-Za-z_]\w*", key):  # it is not repeated: it may be the key itself
            raise ValueError("this is to be the name of the variable of the environment that has the key, not the key")
        return key

    @field_validator("endpoint")
    @classmethod
    def _an_address(cls, endpoint: str | None) -> str | None:
        if endpoint is not None and not re.match(r"https?://[^/]", endpoint):
            raise ValueError(f"{endpoint!r} is no address; one looks like http://127.0.0.1:8080/v1")
        return endpoint


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """A round as it is to be made."""

    game: "GameTable"
    passages: list[str]
    seed: str


class GameTable(Table):
    """game: a packaged or uploaded one's name, a .xent file, or what the program in `source` is called. passages: a
    round for each; a list where the game takes several at once. seeds: of each round, where it has its own. profile:
    how the judge is asked. versus: two seats, in which the players of the tournament play each other."""

    game: str = Field(min_length=1)
    source: str | None = None
    passages: list[str | list[str]] = Field(default=[[]], min_length=1)
    seeds: list[str] | None = None
    profile: Literal["arena", "xent-0.5"] = "arena"
    versus: bool = False

    @model_validator(mode="after")
    def _a_seed_for_each(self) -> "GameTable":
        if self.seeds is not None and len(self.seeds) != len(self.passages):
            raise ValueError(f"there are {len(self.passages)} rounds and {len(self.seeds)} seeds")
        return self

    @property
    def rounds(self) -> list[list[str]]:
        return [[each] if isinstance(each, str) else each for each in self.passages]


class Plan(Table):
    """judge: of the server that is started where none is named. parallel: plays at the same time. benchmark: a
    configuration of the published benchmark that the games are of; external: do its language models play? presentation:
    how models are told bits. table: is the benchmark's own table in the report? folder: where files that it names are
    looked for."""

    title: Name = "Tournament"
    seed: int = 1
    repeats: int = Field(default=1, ge=1, le=100)
    parallel: int = Field(default=4, ge=1, le=64)
    judge: str = "pocket"
    budget: BudgetTable = BudgetTable()
    players: list[PlayerTable] = Field(min_length=1, max_length=200)
    games: list[GameTable] = Field(min_length=1, max_length=1_000)
    benchmark: str | None = None
    external: bool = False
    presentation: Literal["bits", "tenfold"] = "bits"
    table: bool = False
    folder: Path = Field(default=Path(), exclude=True)
    notes: list[str] = Field(default=[], exclude=True)

    @field_validator("players")
    @classmethod
    def _different(cls, players: list[PlayerTable]) -> list[PlayerTable]:
        known = [each.name for each in players]
        if twice := [name for name in known if known.count(name) > 1]:
            raise ValueError(f"two players are called {twice[0]!r}")
        return players

    @property
    def rounds(self) -> list[RoundPlan]:
        """In the order in which they are made."""
        return [
            RoundPlan(game, passages, game.seeds[number] if game.seeds else str(self.seed))
            for game in self.games
            for number, passages in enumerate(game.rounds)
        ]

    @property
    def everybody(self) -> list[PlayerTable]:
        """The players, and the baseline where it is none of them."""
        if any(each.strategy == BASELINE for each in self.players):
            return self.players
        name = next(name for name in (BASELINE, "the baseline") if name not in {each.name for each in self.players})
        return [*self.players, PlayerTable(name=name, strategy=BASELINE)]

    @property
    def baseline(self) -> str:
        return next(each.name for each in self.everybody if each.strategy == BASELINE)

    @property
    def digest(self) -> str:
        """Of all that decides what is played: not of the title, what is reported, and how many plays run at once."""
        told = self.model_dump(mode="json", exclude={"title", "parallel", "table"})
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]

    def file(self, name: str) -> str:
        """A path in the plan, from its own folder."""
        return str(self.folder / name)

    def strategies(self) -> dict[str, StrategyFactory]:
        """Player → its strategy, for those that have one. Raises `StrategyError`."""
        return {each.name: load_strategy(self._located(each.strategy)) for each in self.everybody if each.strategy}

    def _located(self, strategy: str) -> str:
        return self.file(strategy) if ":" in strategy or strategy.endswith(".py") else strategy

    def keys(self) -> dict[str, str]:
        """Player → its key. Raises `PlanError` where a variable is not set."""
        found = {}
        for each in self.players:
            if each.key is not None:
                if not os.environ.get(each.key):
                    raise PlanError(f"{each.name!r}: the variable {each.key} of the environment has no key.")
                found[each.name] = os.environ[each.key]
        return found


def load(file: Path) -> Plan:
    """A tournament's file, or a configuration of the published benchmark by itself. Raises `PlanError`,
    `BenchmarkError`."""
    text, given = ("", {"benchmark": file.name}) if file.suffix == ".json" else _read(file)
    if own := OURS & given.keys():
        raise PlanError(f"{file}:{_line(text, (min(own),))}: there is no {min(own)!r} here.")
    folder = file.resolve().parent
    if isinstance(given.get("benchmark"), str):
        given = _with_benchmark(file, text, given, folder / given["benchmark"])
    try:
        return Plan.model_validate({**given, "folder": folder})
    except ValidationError as error:
        raise PlanError("\n".join(_told(file, text, each) for each in error.errors())) from error


def _read(file: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlanError(f"{file}: {error}.") from error


def _with_benchmark(file: Path, text: str, given: Mapping[str, Any], config: Path) -> dict[str, Any]:
    """The games, the rounds and the players of a configuration, beside what the file says itself."""
    if "games" in given:
        raise PlanError(f"{file}:{_line(text, ('games',))}: a file with a benchmark has the games of that.")
    of = benchmark.read(config, external=given.get("external") is True)
    budget, players = given.get("budget", {}), given.get("players", [])
    if isinstance(budget, dict):
        budget = {"submissions": of.rounds, **budget}
    if isinstance(players, list):
        players = [*players, *of.players] or [{"name": BASELINE, "strategy": BASELINE}]
    told = {"presentation": "tenfold", "table": True} | dict(given)
    return told | {"games": of.games, "budget": budget, "players": players, "notes": of.notes}


def unknown_strategy(file: Path, plan: Plan) -> str | None:
    """The place of the first strategy that no package has registered, and what was probably meant."""
    text, known = file.read_text(encoding="utf-8"), names()
    for number, each in enumerate(plan.players):
        of_a_file = each.strategy is None or ":" in each.strategy or each.strategy.endswith(".py")
        if each.strategy is not None and not of_a_file and each.strategy not in known:
            place = f"{file}:{_line(text, ('players', number, 'strategy'))}"
            there = f"There is: {', '.join(known)}; one of your own is FILE.py:CLASS."
            return f"{place}: there is no strategy {each.strategy!r}.{_meant(each.strategy, known, told=False)} {there}"
    return None


def _told(file: Path, text: str, error: Mapping[str, Any]) -> str:
    path: Sequence[str | int] = error["loc"]
    where = f"{file}:{_line(text, path)}: {_named(path)}"
    if error["type"] == "extra_forbidden":
        return f"{where}: there is no such key.{_meant(str(path[-1]), _keys(path))}"
    if error["type"] == "missing":
        return f"{where} is missing."
    if error["type"] == "list_type":
        return f"{where}: this is a list: {'[[' + str(path[-1]) + ']]' if len(path) == 1 else 'put it into [ ]'}."
    return f"{where}: {error['msg'].removeprefix('Value error, ')}."


def _meant(given: str, known: Sequence[str], *, told: bool = True) -> str:
    """told: are all of them named where none is near?"""
    if near := difflib.get_close_matches(given, known, 1):
        return f" Did you mean {near[0]!r}?"
    return f" There is: {', '.join(known)}." if told else ""


def _keys(path: Sequence[str | int]) -> list[str]:
    """The keys of the table in which the last one of the path stands."""
    tables: dict[str, type[Table]] = {"budget": BudgetTable, "players": PlayerTable, "games": GameTable}
    table = tables.get(str(path[0]), Plan) if len(path) > 1 else Plan
    return [name for name in table.model_fields if name not in OURS]


def _named(path: Sequence[str | int]) -> str:
    """`players 2, strategy`: as somebody counts who reads the file."""
    parts = [f" {part + 1}" if isinstance(part, int) else f", {part}" for part in path]
    return "".join(parts).removeprefix(", ") or "the file"


def _line(text: str, path: Sequence[str | int]) -> int:
    """Where the key of a path stands, or else the table that it would stand in; from 1."""
    table, number = "", -1
    seen: dict[str, int] = {}
    wanted = str(path[0]) if len(path) > 1 else ""
    place = next((part for part in path[1:] if isinstance(part, int)), -1)
    key = next((str(part) for part in path[1:] if isinstance(part, str)), "") if wanted else str(next(iter(path), ""))
    found = 1
    for at, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\[?\s*([\w-]+)\s*\]?\]", line):
            table = header[1]
            number = seen[table] = seen.get(table, -1) + 1
            if (table, number) == (wanted, max(place, 0)) or (table == key and not wanted):
                found = at
        elif (given := re.match(r"\s*[\"']?([\w-]+)[\"']?\s*=", line)) and given[1] in (key, wanted or key):
            here = table == wanted and (place < 0 or number == place)
            if here or (table == "" and given[1] in (wanted, key)):
                return at
    return found
