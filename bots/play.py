"""One play of a round at a server: a strategy gives the moves."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bots.journal import Journal
from bots.lawful import fault, lawful
from bots.strategy import Strategy, StrategyError, View
from xentarena import models
from xentarena.client import Client
from xentarena.errors import ApiError, ArenaError
from xentarena.events import Reveal

OPPONENT = 60.0  # seconds to wait for somebody to play against


def texts_of(round_: models.Round) -> list[str]:
    """What a round is about: its passages, or what it shows before the first move."""
    if round_.passages or round_.opening is None:
        return [*round_.passages]
    events, registers = round_.opening.events, round_.opening.registers
    shown = [each.value for event in events if isinstance(event, Reveal) for each in event.values]
    stories = [value for name, value in registers.items() if name.startswith("s")]
    return [text for text in (shown or stories) if isinstance(text, str) and text.strip()]


def _made_up(step: int) -> str | None:
    return None


@dataclass(slots=True)
class Play:
    """game: what a strategy that looks is shown; asked for where none is given. key: step of the play, from 0 → its
    Idempotency-Key; None: one is made up. journal: what the server says is written there before it is used, and not
    asked again where it stands there already. moves: that were made."""

    client: Client
    round: models.Round
    strategy: Strategy
    game: models.Game | None = None
    key: Callable[[int], str | None] = _made_up
    journal: Journal = field(default_factory=lambda: Journal(None))
    moves: list[str] = field(default_factory=list)

    def run(self) -> models.Submission:
        """To its end; the strategy learns what it earned. Raises `ApiError` where the server refuses."""
        submission = self._begun()
        while submission is None or submission.state == "awaiting_move":
            submission = self._moved(submission)
        self.over(submission)
        return submission

    def next_move(self, submission: models.Submission | None) -> str:
        """What the strategy says where a play stands like this; None: before it has begun."""
        self._show(submission)
        self.moves.append(lawful(self.strategy, lambda move: self._faulty(submission, move)))
        return self.moves[-1]

    def over(self, submission: models.Submission) -> None:
        """The strategy learns what its moves have earned."""
        if self.moves:
            if (review := getattr(self.strategy, "review", None)) is not None:
                review(submission)
            self.strategy.learn(self.moves[0], submission.bits)

    def _begun(self) -> models.Submission | None:
        """A play that has begun without a move; None where the first move begins it."""
        if len(self.round.seats) > 1:
            return self._met(self.client.challenge(self.round.id))
        if self.round.opening is None:
            return self._answered(lambda: self.client.begin(self.round.id, key=self.key(0)))
        return None

    def _met(self, submission: models.Submission) -> models.Submission:
        """The play once it is our turn; taken back where nobody comes to play against us."""
        try:
            return self.client.wait_for(submission, OPPONENT)
        except ArenaError:
            return self.client.resign(submission.id)

    def _show(self, submission: models.Submission | None) -> None:
        """To a strategy that looks: what there is to see."""
        look = getattr(self.strategy, "look", None)
        asked = self.round.opening if submission is None else submission.awaits
        if look is None or asked is None:
            return
        if self.game is None:
            self.game = self.client.game(self.round.digest)
        events = asked.events if submission is None else submission.events
        shown = (asked.register_ or "a text", asked.limit or 0, asked.registers, events)
        look(View(self.game.title, self.game.description, self.round.passages, asked.seat, *shown))

    def _moved(self, submission: models.Submission | None) -> models.Submission:
        move = self.next_move(submission)
        key = self.key(len(self.moves))
        if submission is None:
            return self._answered(lambda: self.client.submit(self.round.id, move, key=key))
        return self._answered(lambda: self.client.move_again(submission.id, move, key=key))

    def _answered(self, send: Callable[[], models.Submission]) -> models.Submission:
        """What becomes of a step, once it is final or we are asked again."""

        def done() -> dict[str, object]:
            submission = self.client.wait_for(send())
            return {"moves": self.moves, "submission": submission.model_dump(mode="json", by_alias=True)}

        return models.Submission.model_validate(self.journal.once("step", done)["submission"])

    def _faulty(self, submission: models.Submission | None, move: str) -> str | None:
        """What is wrong with a move; nothing where only making it tells."""
        play = None if submission is None else submission.id

        def looked() -> dict[str, object]:
            try:
                return {"move": move, "fault": fault(self.client.preview(self.round.id, move, submission=play))}
            except ApiError as error:
                if error.type != "invalid-request":
                    raise
                return {"move": move, "fault": error.detail}

        found = self.journal.once("look", looked)
        if found["move"] != move:
            raise StrategyError(
                f"{type(self.strategy).__name__} proposed {found['move']!r} before, and now {move!r}: a strategy has to"
                " do the same again where it is told the same; draw from its seed only."
            )
        why: str | None = found["fault"]
        return why
