"""Playing a tournament: many players at once, each on its journal, so that a kill loses nothing and repeats nothing."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from bots.chat.asking import Asking, Meter, Price, Provider
from bots.chat.player import ChatPlayer, Manner, NoMove
from bots.chat.providers import REMOTE, LocalModel
from bots.journal import WASTED, Journal, read
from bots.play import Play, texts_of
from bots.strategy import Strategy, StrategyFactory
from bots.tournament.folder import Cell, Folder, write
from bots.tournament.plan import Plan, PlayerTable
from bots.tournament.venue import Venue
from xentarena import models
from xentarena.client import Client
from xentarena.errors import NoArena, ServerUnavailable
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
    """say: told each cell that is over."""

    plan: Plan
    folder: Folder
    venue: Venue
    strategies: Mapping[str, StrategyFactory]
    models: Mapping[str, Model]
    say: Callable[[str], None]
    stop: threading.Event = field(default_factory=threading.Event)

    def play(self, cells: list[Cell]) -> None:
        """All that is not over yet. Raises `ServerUnavailable` where the server goes away: nothing is lost then."""
        for cell in cells:
            if cell.player in self.models:
                _add_used(self.models[cell.player].meter, self.folder, cell)
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
        journal = Journal(self.folder.journal(cell), [each.key for each in self.models.values()])
        failure = self.folder.failure(cell)
        failure.unlink(missing_ok=True)
        if journal.records and journal.records[-1]["kind"] == "ended":
            return
        try:
            with Client(self.venue.server, self.venue.tokens[cell.seat]) as client:
                best = _Seat(self, cell, client, journal).play()
        except (ServerUnavailable, NoArena):
            raise
        except Exception as error:  # a strategy is anybody's code, and an endpoint may say anything
            why = f"{type(error).__name__}: {error}"
            write(failure, why)
            self.say(f"{cell.player}, round {cell.round}, repeat {cell.repeat}: given up: {why}")
            return
        if best is not None:
            self.say(f"{cell.player}, round {cell.round}, repeat {cell.repeat}: best {best:.3f} bits")


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

    def _one(self, strategy: Strategy, round_: models.Round, number: int) -> dict[str, Any]:
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

    def _strategy(self, round_: models.Round) -> Strategy:
        cell, player = self.cell, self.cell.player
        if player in self.tournament.models:
            model = self.tournament.models[player]
            asking = Asking(model.provider, model.meter, self.journal, pause=self.tournament.stop.wait)
            return ChatPlayer(asking, model.manner)
        seed = f"{self.tournament.plan.seed}:{player}:{cell.repeat}:{cell.round}"
        return self.tournament.strategies[player](texts_of(round_), seed)


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


def _add_used(meter: Meter, folder: Folder, cell: Cell) -> None:
    """What a model used before it was interrupted counts."""
    file = folder.journal(cell)
    for record in read(file) if file.exists() else ():
        if record["kind"] in ("reply", WASTED):
            meter.read += record["read"]
            meter.written += record["written"]
