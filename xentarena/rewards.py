"""Bits as the reward of a policy that writes: what a trainer calls with its prompts and completions.

    reward = OfflineReward("condense", [passage], judge=Judge.load("pocket"), refused=-10.0)
    trainer = GRPOTrainer(model=policy, reward_funcs=reward, train_dataset=prompts, args=...)

A completion is played as a server would play it, and its reward is what the one seat of the game earned, in bits
rounded to thousandths. Games of one seat can be played so, with one move or several (`lines`); a game of several seats
has no reward of one's own writing alone, and is refused.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from games.errors import TextError
from games.program import Program
from games.sentences import counted
from games.values.text import accept
from xentarena.client import Client
from xentarena.errors import ApiError, InputError, listed
from xentarena.models import Submission
from xentarena.rounds import OfflineRounds, one_seat

if TYPE_CHECKING:
    from xentarena.offline import Judges

UNUSABLE = 422  # how a server answers a move that it cannot read

#: A text, or a conversation whose last message is it, as trainers hand over what a chat model wrote.
Completion = str | Sequence[Mapping[str, Any]]
Play = tuple[str, ...]
Place = TypeVar("Place", bound=Hashable)


def whole(text: str) -> list[str]:
    """The completion is a play's one move."""
    return [text]


def lines(text: str) -> list[str]:
    """Each line that is not blank is a move, for games that ask for several in one play."""
    return [line for line in text.splitlines() if line.strip()]


class Reward(ABC, Generic[Place]):
    """What is common to the judge at home and a server: completions become plays, each is scored once a call.

    refused: the reward of what earns none: no move, one that no server would take (empty, too long, control
    characters), fewer moves than the play asks for, and a play that the rules end without a score. None says that there
    is no reward: trl lets such a completion teach nothing, where a number below all others teaches not to write it.
    moves: the moves that a completion means.
    """

    column: str  # of a data set: where each completion is played

    def __init__(self, *, refused: float | None = None, moves: Callable[[str], Sequence[str]] = whole) -> None:
        self.refused = refused
        self._moves = moves

    def __call__(
        self, prompts: Sequence[object], completions: Sequence[Completion], **columns: Any
    ) -> list[float | None]:
        """Bits for each completion, in order. columns: of the data set, as the trainer passes them; but for `column`,
        nothing is read of them, nor of the prompts. Raises `ArenaError` where no play can be made."""
        plays = [tuple(self._moves(_text(each))) for each in listed(completions, "completions")]
        places = self._places(columns.get(self.column), len(plays))
        asked: dict[Place, dict[Play, float | None]] = {}
        for place, play in zip(places, plays, strict=True):
            if play and all(map(_acceptable, play)):
                asked.setdefault(place, {})[play] = None
        for place, known in asked.items():
            known.update(zip(known, self._played(place, [*known]), strict=True))
        scores = [asked.get(place, {}).get(play) for place, play in zip(places, plays, strict=True)]
        return [self.refused if bits is None else bits for bits in scores]

    @abstractmethod
    def _places(self, column: Sequence[Any] | None, count: int) -> list[Place]:
        """Where each completion is played."""

    @abstractmethod
    def _played(self, place: Place, plays: Sequence[Play]) -> list[float | None]:
        """Bits of each play; None where it has none."""


class OfflineReward(Reward[tuple[str, ...]]):
    """Rewards by a judge of one's own, measured in shared batches.

    game, stories, judge, profile, seed, dtype: as with `xentarena.play`. A data set whose rows have other passages says
    them in a column `stories`, a list of texts in each row; of the last 64 such rounds, what was measured is kept.
    Raises `InputError` for anything that cannot be used, `MissingExtra` without the extra `judge`.
    """

    column = "stories"

    def __init__(
        self,
        game: str | Path | Program,
        stories: Sequence[str] | None = None,
        *,
        judge: "Judges | None" = None,
        profile: str = "arena",
        seed: str = "0",
        dtype: str = "float32",
        refused: float | None = None,
        moves: Callable[[str], Sequence[str]] = whole,
    ) -> None:
        super().__init__(refused=refused, moves=moves)
        self._rounds = OfflineRounds(game, judge=judge, profile=profile, seed=seed, dtype=dtype)
        self._stories = (
            None if stories is None and self._rounds.program.passages else tuple(listed(stories or (), "stories"))
        )
        if self._stories is not None:
            self._rounds(self._stories)

    def _places(self, column: Sequence[Any] | None, count: int) -> list[tuple[str, ...]]:
        if column is not None:
            return [(each,) if isinstance(each, str) else tuple(each) for each in column]
        if self._stories is None:
            wanted = counted(self._rounds.program.passages, "passage")
            raise InputError(f"the game takes {wanted}: give stories=…, or a column 'stories' in the data set")
        return [self._stories] * count

    def _played(self, place: tuple[str, ...], plays: Sequence[Play]) -> list[float | None]:
        outcomes = self._rounds(place).play_many(plays)
        return [next(iter(each.rewards.values())) if each.status == "scored" else None for each in outcomes]


class ServerReward(Reward[str]):
    """Rewards by a server, as the player whose token the client has; each distinct completion is a submission.

    round_id: where to play; a data set whose rows belong to several rounds says it in a column `round`. The round has
    to be open and without a limit of attempts. seconds: how long the scores of one call may take. Raises `ApiError`
    where the server refuses for another reason than the move, `ServerUnavailable`, `InputError` for a game of several
    seats.
    """

    column = "round"

    def __init__(
        self,
        client: Client,
        round_id: str | None = None,
        *,
        seconds: float = 600,
        refused: float | None = None,
        moves: Callable[[str], Sequence[str]] = whole,
    ) -> None:
        super().__init__(refused=refused, moves=moves)
        self._client, self._round_id, self._seconds = client, round_id, seconds
        self._checked: set[str] = set()

    def _places(self, column: Sequence[Any] | None, count: int) -> list[str]:
        if column is not None:
            return [str(each) for each in column]
        if self._round_id is None:
            raise InputError("name a round: round_id=…, or a column 'round' in the data set")
        return [self._round_id] * count

    def _played(self, place: str, plays: Sequence[Play]) -> list[float | None]:
        if place not in self._checked:
            one_seat(self._client.round(place).seats)
            self._checked.add(place)
        begun = self._client.submit_batch(place, [play[0] for play in plays])
        now = dict(enumerate(map(_sent, begun)))
        left = {number: list(play[1:]) for number, play in enumerate(plays)}
        while True:
            now = {number: each and self._client.wait_for(each, self._seconds) for number, each in now.items()}
            awaiting = {n: each for n, each in now.items() if each is not None and each.state == "awaiting_move"}
            if not awaiting:
                return [None if each is None else each.bits for each in now.values()]
            now |= {number: self._go_on(each, left[number]) for number, each in awaiting.items()}

    def _go_on(self, submission: Submission, left: list[str]) -> Submission | None:
        """The play with its next move made; given up, and None, where there is none."""
        if not left:
            self._client.resign(submission.id)
            return None
        return self._client.move_again(submission.id, left.pop(0), wait=0)


def _text(completion: Completion) -> str:
    """What was written: the last message of a conversation, its parts of text joined."""
    if isinstance(completion, str):
        return completion
    said = completion[-1].get("content") if completion else None
    if said is None or isinstance(said, str):
        return said or ""
    return "".join(part.get("text", "") for part in said)


def _acceptable(move: str) -> bool:
    """Would a server read it as a move?"""
    try:
        return bool(accept(move).strip())
    except TextError:
        return False


def _sent(outcome: Submission | ApiError) -> Submission | None:
    """None where the move is at fault. Raises `ArenaError` where it is not."""
    if isinstance(outcome, Submission):
        return outcome
    if outcome.status == UNUSABLE:
        return None
    raise outcome
