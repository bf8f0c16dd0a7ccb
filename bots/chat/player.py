"""A strategy that is a language model: it plays any game that it can read the front page of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bots.chat import prompt
from bots.chat.answers import move_of, without_thoughts
from bots.chat.asking import Asking, NoAnswer, Question
from bots.strategy import View
from xentarena import models
from xentarena.telling import BITS, Figures

ATTEMPTS = 3  # answers for one move, reminders between them
ECHO = 2_000  # characters of a bad answer that it is shown again


@dataclass(frozen=True, slots=True)
class Manner:
    """How a model is asked. most: tokens of an answer. temperature: None: the endpoint's own; 0: the likeliest.
    figures: how it is told bits."""

    most: int = 512
    temperature: float | None = None
    attempts: int = ATTEMPTS
    figures: Figures = BITS


@dataclass(slots=True)
class ChatPlayer:
    """Asks for each move anew, with all that is worth knowing in one question. Nobody else's name or move is in it but
    what the game itself shows."""

    asking: Asking
    manner: Manner = field(default_factory=Manner)
    played: list[prompt.Played] = field(default_factory=list)
    _view: View | None = None
    _moves: list[str] = field(default_factory=list)
    _refused: str | None = None
    _refusals: int = 0

    def look(self, view: View) -> None:
        self._view, self._refused, self._refusals = view, None, 0

    def propose(self) -> str:
        """Raises `NoAnswer` where the model cannot be asked, or gives no move after reminders."""
        assert self._view is not None, "it is shown what it sees before it is asked"
        told = prompt.question(self._view, self._moves, self.played, self._refused, self.manner.figures)
        messages: list[dict[str, str]] = [{"role": "user", "content": told}]
        for _ in range(self.manner.attempts):
            question = Question(prompt.SYSTEM, tuple(messages), self.manner.most, self.manner.temperature)
            said = self.asking.ask(question)
            if (move := move_of(said)) is not None:
                self._moves.append(move)
                return move
            echo = without_thoughts(said)[-ECHO:] or "…"
            reminder = prompt.REMINDER.format(example=prompt.EXAMPLE)
            messages += [{"role": "assistant", "content": echo}, {"role": "user", "content": reminder}]
        raise self._gives_up(f"There was no move in {self.manner.attempts} answers.")

    def refuse(self, move: str, why: str) -> None:
        """Raises `NoMove` where it proposes nothing that can be played."""
        self._moves.pop()
        self._refusals += 1
        if self._refusals == self.manner.attempts:
            raise self._gives_up(f"The rules took none of {self._refusals} proposals; the last, {move!r}: {why}")
        self._refused = f"You wrote {move!r}. {why}"

    def review(self, submission: models.Submission) -> None:
        why = submission.reason.detail if submission.reason else submission.state
        self.played.append(prompt.Played(self._moves, submission.bits, why, submission.events))
        self._moves = []

    def _gives_up(self, why: str) -> "NoMove":
        """What it had made in this play is no part of the next."""
        self._moves = []
        return NoMove(why)

    def learn(self, move: str, bits: float | None) -> None:
        """What it earned was in the review."""


class NoMove(NoAnswer):
    """The model answers, and gives no move."""


def chat_player(asking: Asking, manner: Manner | None = None) -> Callable[[Sequence[str], str], ChatPlayer]:
    """The strategy, as `xentarena bot FILE.py:NAME` takes it."""
    return lambda passages, seed: ChatPlayer(asking, manner or Manner())
