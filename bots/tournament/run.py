"""Playing a tournament: many players at once, each on its journal, so that a kill loses nothing and repeats nothing."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from bots.chat.asking import Asking, Meter, Price, Provider
from bots.chat.player import ChatPlayer, Manner, NoMove
from bots.chat.providers import REMOTE, LocalModel
from bots.duel import Duel
from bots.journal import REDACTED, WASTED, Journal, read
from bots.play import Play, texts_of
from bots.strategy import Strategy, StrategyFactory
from bots.tournament.folder import Cell, Folder, write
from bots.tournament.plan import Plan, PlayerTable
from bots.tournament.venue import Venue
from xentarena.client import Client
from xentarena.errors import NoArena, ServerUnavailable
from xentarena.models import Round
from xentarena.telling import Figures


@dataclass(slots=True)
class Model:
    """A language model that plays, in all its games. meter: shared by them."""

    provider: Provider
    meter: Meter
    manner: Manner
    key: str


@dataclass(slots=True)
class Tournament:
    """say: told each cell that is over. meeting: held by whoever brings two players together."""

    plan: Plan
    folder: Folder
    venue: Venue
    strategies: Mapping[str, StrategyFactory]
    models: Mapping[str, Model]
    say: Callable[[str], None]
    stop: threading.Event = field(default_factory=threading.Event)
    meeting: threading.Lock = field(default_factory=threading.Lock)

    def play(self, cells: list[Cell]) -> None:
        """All that is not over yet. Raises `ServerUnavailable` where the server goes away: nothing is lost then."""
        for cell in cells:
            for player, file in _transcripts(self.folder, cell):
                if player in self.models:
                    _add_used(self.models[player].meter, file)
        with ThreadPoolExecutor(self.plan.parallel) as pool:
            try:
                running = [pool.submit(self._cell, cell) for cell in cells]
                wait(running, return_when=FIRST_EXCEPTION)
            finally:
                self.stop.set()
                pool.shutdown(cancel_futures=True)
        for each in running:
            if not each.cancelled():
                each.result()

    def _cell(self, cell: Cell) -> None:
        """One player in one round. What goes wrong there ends this cell alone, and a resumed run tries it again."""
        failure = self.folder.failure(cell)
        failure.unlink(missing_ok=True)
        journal = self.journal(self.folder.journal(cell))
        if journal.records and journal.records[-1]["kind"] == "ended":
            return
        try:
            told = self._played(cell, journal)
        except (ServerUnavailable, NoArena):
            raise
        except Exception as error:  # a strategy is anybody's code, and an endpoint may say anything
            why = self.without_keys(f"{type(error).__name__}: {error}")
            write(failure, why)
            self.say(f"{_named(cell)}: given up: {why}")
            return
        if told is not None:
            self.say(f"{_named(cell)}: {told}")

    def _played(self, cell: Cell, journal: Journal) -> str | None:
        """What came of it; None where nothing did."""
        if cell.opponent is not None:
            return _Match(self, cell, journal).play()
        with Client(self.venue.server, self.venue.tokens[cell.seat]) as client:
            best = _Seat(self, cell, client, journal).play()
        return None if best is None else f"best {best:.3f} bits"

    def journal(self, file: Path) -> Journal:
        return Journal(file, [each.key for each in self.models.values()])

    def without_keys(self, text: str) -> str:
        for each in self.models.values():
            text = text.replace(each.key, REDACTED) if each.key else text
        return text

    def strategy(self, player: str, round_: Round, seed: str, journal: Journal) -> Strategy:
        """A player's mind; seed: what it draws from, beside the plan's own."""
        if player in self.models:
            model = self.models[player]
            return ChatPlayer(Asking(model.provider, model.meter, journal, pause=self.stop.wait), model.manner)
        return self.strategies[player](texts_of(round_), f"{self.plan.seed}:{seed}")


def _named(cell: Cell) -> str:
    who = cell.player if cell.opponent is None else f"{cell.player} against {cell.opponent[0]}"
    return f"{who}, round {cell.round}, repeat {cell.repeat}"


@dataclass(slots=True)
class _Seat:
    tournament: Tournament
    cell: Cell
    client: Client
    journal: Journal

    def play(self) -> float | None:
        """The best, in bits; None where nothing was scored or the tournament was stopped."""
        budget, round_ = self.tournament.plan.budget, self.tournament.venue.rounds[self.cell.round - 1]
        strategy = self._strategy(round_)
        best, seconds = None, 0.0
        for number in range(1, budget.submissions + 1):
            if budget.seconds is not None and seconds >= budget.seconds:
                break
            if self.tournament.stop.is_set():
                return None
            played = self._one(strategy, round_, number)
            seconds += played["seconds"]
            if played["bits"] is not None:
                best = played["bits"] if best is None else max(best, played["bits"])
        self.journal.once("ended", dict)
        return best

    def _one(self, strategy: Strategy, round_: Round, number: int) -> dict[str, Any]:
        """A play, and what it came to. A model that gives no move has had its attempt."""
        begun = monotonic()
        game = self.tournament.venue.games[round_.digest]
        play = Play(self.client, round_, strategy, game, self._key(number), self.journal)
        try:
            submission = play.run()
            why = None if submission.reason is None else submission.reason.detail
            told = {"bits": submission.bits, "state": submission.state, "why": why}
        except NoMove as error:
            told = {"bits": None, "state": "no move", "why": str(error)}
        took = round(monotonic() - begun, 3)
        return self.journal.once("played", lambda: {"number": number, "moves": play.moves, **told, "seconds": took})

    def _key(self, number: int) -> Callable[[int], str]:
        """A move that was sent before a kill is sent with the same key again, and counts once."""
        return lambda step: f"{self.cell.id}-{number}-{step}"

    def _strategy(self, round_: Round) -> Strategy:
        cell = self.cell
        return self.tournament.strategy(cell.player, round_, f"{cell.player}:{cell.repeat}:{cell.round}", self.journal)


@dataclass(slots=True)
class _Match:
    """One play of two players against each other."""

    tournament: Tournament
    cell: Cell
    journal: Journal

    def play(self) -> str | None:
        """What it came to."""
        assert self.cell.opponent is not None
        if self.tournament.stop.is_set():
            return None
        begun, round_ = monotonic(), self.tournament.venue.rounds[self.cell.round - 1]
        names = {"black": (self.cell.player, self.cell.seat), "white": (self.cell.opponent[0], self.cell.other_seat)}
        with ExitStack() as stack:
            sides = {}
            for seat, (player, name) in names.items():
                client = stack.enter_context(
                    Client(self.tournament.venue.server, self.tournament.venue.tokens[str(name)])
                )
                sides[seat] = self._side(seat, player, client, round_)
            duel = Duel(sides, lambda step: f"{self.cell.id}-{step}", self.journal, self.tournament.meeting)
            ended = duel.run()
        took = round(monotonic() - begun, 3)
        bits = {seat: each.bits for seat, each in ended.items()}
        told = {"moves": {seat: side.moves for seat, side in sides.items()}, "bits": bits, "left": duel.left}
        found = self.journal.once("duel", lambda: told | {"seconds": took})
        self.journal.once("ended", dict)
        return f"black {found['bits']['black'] or 0:.3f} bits" if found["left"] is None else f"{found['left']} left"

    def _side(self, seat: str, player: str, client: Client, round_: Round) -> Play:
        journal = self.tournament.journal(self.tournament.folder.journal(self.cell, seat))
        seed = f"{player}:{self.cell.id}:{seat}"
        mind = self.tournament.strategy(player, round_, seed, journal)
        return Play(client, round_, mind, self.tournament.venue.games[round_.digest], journal=journal)


def models_of(plan: Plan, keys: Mapping[str, str]) -> dict[str, Model]:
    """Player → its model, for those that are one. Raises `InputError`, `MissingExtra`."""
    return {each.name: _model(each, keys.get(each.name, ""), plan) for each in plan.players if each.model is not None}


def _model(player: PlayerTable, key: str, plan: Plan) -> Model:
    assert player.model is not None
    provider: Provider
    if player.provider == "local":
        provider = LocalModel(player.model, plan.seed)
    else:
        provider = REMOTE[player.provider](player.model, player.endpoint, key, player.seconds)
    meter = Meter(Price(player.price_read, player.price_written), player.tokens, player.cost)
    figures = Figures(10 if plan.presentation == "tenfold" else 1)
    return Model(provider, meter, Manner(player.answer, player.temperature, figures=figures), key)


def _transcripts(folder: Folder, cell: Cell) -> list[tuple[str, Path]]:
    """Whose replies are in which journal."""
    if cell.opponent is None:
        return [(cell.player, folder.journal(cell))]
    return [(cell.player, folder.journal(cell, "black")), (cell.opponent[0], folder.journal(cell, "white"))]


def _add_used(meter: Meter, file: Path) -> None:
    """What a model used before it was interrupted counts."""
    for record in read(file) if file.exists() else ():
        if record["kind"] in ("reply", WASTED):
            meter.read += record["read"]
            meter.written += record["written"]
