"""`xentarena bot`: a strategy plays the rounds of a server."""

import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from bots.budget import Budget, Curve, Spent
from bots.play import Play, texts_of
from bots.strategy import Strategy, StrategyError, StrategyFactory, load_strategy
from xentarena import models
from xentarena.client import Client
from xentarena.errors import ApiError, ArenaError

LOOK = 5.0  # seconds between two looks for open rounds
#: Refusals after which a round is over for this player, and another may not be.
OVER = frozenset({"round-closed", "round-paused", "round-scheduled", "no-attempts-left", "quota-used"})


@dataclass(slots=True)
class Tally:
    """What a run came to. sent: accepted submissions; curves: round → its best so far."""

    sent: int = 0
    curves: dict[str, Curve] = field(default_factory=dict)

    @property
    def best(self) -> dict[str, float]:
        """Round → highest score, in bits."""
        return {id_: curve.best for id_, curve in self.curves.items() if curve.best is not None}

    def note(self, submission: models.Submission, seconds: float, move: str) -> None:
        self.sent += 1
        curve = self.curves.setdefault(submission.round, Curve())
        curve.note(Spent(curve.spent.submissions + 1, 0, seconds), submission.bits, move)


def run(
    strategy: str,
    server: str,
    *,
    code: str | None = None,
    round_id: str | None = None,
    token: str | None = None,
    budget: int | None = 20,
    seconds: float | None = None,
    seed: int | None = None,
    pause: float = 0,
    name: str | None = None,
    say: Callable[[str], None] | None = None,
) -> Tally:
    """Play every open round of a competition in turn, or only `round_id`, and say each score.

    strategy: a registered name, or FILE.py:CLASS. code: join with it as a new bot called `name`. token: play on as an
    earlier one instead. budget: submissions in all, seconds: how long; None for both plays on as long as it is let, and
    waits for rounds to open.
    seed: same seed, same words (as long as they earn the same). pause: seconds between two submissions. Raises
    `ArenaError` for anything a user can mend.
    """
    factory = load_strategy(strategy)
    if token is None and code is None:
        raise ArenaError("A bot needs the competition's join code, or the token of an earlier visit.")
    allowed = Budget(budget, seconds=seconds)
    seed = random.SystemRandom().getrandbits(32) if seed is None else seed
    with Client(server, token) as client:
        if token is None and code is not None:
            name = name or f"{strategy.rpartition(':')[2]}-{random.SystemRandom().getrandbits(16):04x}"
            if client.join(code, name).player.pending:
                client.wait_to_be_let_in()
        session = _Session(client, factory, str(seed), allowed, pause, say or _to_stdout)
        return session.play(round_id)


@dataclass(slots=True)
class _Session:
    client: Client
    factory: StrategyFactory
    seed: str
    budget: Budget
    pause: float
    say: Callable[[str], None]
    tally: Tally = field(default_factory=Tally)
    begun: float = field(default_factory=monotonic)
    strategies: dict[str, Strategy] = field(default_factory=dict)  # by round

    def play(self, round_id: str | None) -> Tally:
        while self._more():
            played = [self._turn(each) for each in self._open_rounds(round_id) if self._more()]
            if not any(played):
                if self.budget != Budget():
                    break
                time.sleep(LOOK)
        if not self.tally.sent:
            raise ArenaError("There is no open round with an attempt left to play.")
        self._sum_up()
        return self.tally

    def _sum_up(self) -> None:
        """The best of each round, and what its strategy has to say, where it has a `summary`."""
        for id_, strategy in self.strategies.items():
            if id_ in self.tally.best:
                told = getattr(strategy, "summary", str)()
                self.say(f"{id_}: best {self.tally.best[id_]:.3f} bits{f', {told}' if told else ''}")

    def _more(self) -> bool:
        return self.budget.allows(Spent(self.tally.sent, 0, monotonic() - self.begun))

    def _open_rounds(self, round_id: str | None) -> list[models.Round]:
        rounds = self.client.rounds() if round_id is None else [self.client.round(round_id)]
        return [each for each in rounds if each.state == "open" and each.attempts_left != 0]

    def _turn(self, round_: models.Round) -> bool:
        """Submit one move; false where the round turns out to be over for us."""
        play = Play(self.client, round_, self._strategy(round_))
        try:
            submission = play.run()
        except ApiError as error:
            if error.type not in OVER:
                raise
            self.say(f"{round_.game} {round_.id}: {error.detail}")
            return False
        if submission.reason and submission.reason.type == "withdrawn":
            self.say(f"{round_.game} {round_.id}: nobody came to play against")
            return False
        move = " / ".join(play.moves)
        self.tally.note(submission, monotonic() - self.begun, move)
        self.say(f"{round_.game} {round_.id}: {_outcome(submission)}  {move}")
        time.sleep(self.pause)
        return True

    def _strategy(self, round_: models.Round) -> Strategy:
        """The one that plays this round, from its first move to its last."""
        if round_.id not in self.strategies:
            made = self.factory(texts_of(round_), f"{self.seed}:{round_.id}")
            if not isinstance(made, Strategy):
                raise StrategyError(f"{type(made).__name__} is not a strategy: it lacks propose or learn.")
            self.strategies[round_.id] = made
        return self.strategies[round_.id]


def _outcome(submission: models.Submission) -> str:
    if submission.bits is not None:
        return f"{submission.bits:9.3f} bits"
    return f"{submission.state}: {submission.reason.detail if submission.reason else 'no score'}"


def _to_stdout(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
