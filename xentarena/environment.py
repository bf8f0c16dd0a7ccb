"""Plays of a game as an environment of Gymnasium: texts in, texts out, bits as the reward.

    environment = ArenaEnv("condense", [[passage]], judge=Judge.load("pocket"))
    seen, facts = environment.reset(seed=1)
    seen, bits, ended, cut_short, facts = environment.step("a sea story")

`ArenaVectorEnv` holds many plays at once and measures what they need in shared batches. Games are those of
`xentarena.rewards`: one seat, one move or several. Needs the extras `train` and `judge`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from games.errors import TextError
from games.program import Program
from games.values.text import accept
from xentarena.errors import InputError, MissingExtra
from xentarena.events import EnsureFailed
from xentarena.models import Outcome
from xentarena.rounds import OfflineRounds
from xentarena.telling import scene

try:
    import gymnasium
    import numpy
except ImportError as error:
    raise MissingExtra({"train": "gymnasium"}) from error

if TYPE_CHECKING:
    from xentarena.offline import Judges, OfflineRound

NAME = "xentarena/Play-v0"  # gymnasium.make("xentarena.environment:xentarena/Play-v0", game=…)
STEPS = 100  # after so many a play is given up
SAMPLED = 40  # characters of a move that is drawn from the space, which takes any text

Step = tuple[str, float, bool, bool, dict[str, Any]]


class AnyText(gymnasium.spaces.Text):
    """Every text there is; what is drawn from it are letters and digits."""

    def __init__(self) -> None:
        super().__init__(SAMPLED)

    def contains(self, x: object) -> bool:
        return isinstance(x, str)


@dataclass(slots=True)
class _Play:
    """steps: moves that were tried. moves: those of them that the rules were shown."""

    round: "OfflineRound"
    outcome: Outcome
    moves: list[str] = field(default_factory=list)
    steps: int = 0


class _Plays:
    """What one environment and many have in common."""

    def __init__(self, rounds: OfflineRounds, passages: Sequence[Sequence[str]], refused: float, steps: int) -> None:
        if not passages:
            raise InputError("name at least one round's passages; [[]] for a game that takes none")
        self._rounds, self._passages, self._refused, self._steps = rounds, passages, refused, steps
        self._plays: dict[int, _Play] = {}
        for each in passages:
            rounds(each)  # so that what cannot be played is told at once

    def begin(self, number: int, draw: Any) -> tuple[str, dict[str, Any]]:
        """draw: a generator of NumPy's, which takes the round."""
        round_ = self._rounds(self._passages[int(draw.integers(len(self._passages)))])
        self._plays[number] = _Play(round_, round_.play())
        return self._seen(number)

    def step(self, actions: dict[int, str]) -> dict[int, Step]:
        """One move in each of these plays."""
        wrong = {number: _wrong(action) for number, action in actions.items()}
        together: dict[int, list[int]] = {}
        for number, play in ((number, self._plays[number]) for number in actions):
            play.steps += 1
            if wrong[number] is None:
                play.moves.append(actions[number])
                together.setdefault(id(play.round), []).append(number)
        before = {number: len(_refusals(self._plays[number].outcome)) for number in actions}
        for numbers in together.values():
            plays = [self._plays[number] for number in numbers]
            for play, outcome in zip(plays, plays[0].round.play_many([each.moves for each in plays]), strict=True):
                play.outcome = outcome
        return {number: self._stepped(number, before[number], wrong[number]) for number in actions}

    def _stepped(self, number: int, refusals: int, wrong: str | None) -> Step:
        play = self._plays[number]
        told, facts = self._seen(number)
        if wrong is not None:
            told, facts["refused"] = f"{told}\n\n{wrong}", wrong
        elif len(failed := _refusals(play.outcome)) > refusals:
            facts["refused"] = failed[-1].say or failed[-1].condition
        over = play.outcome.status != "awaiting_move"
        if over and play.outcome.reason is not None:
            facts["refused"] = play.outcome.reason.detail
        bits = next(iter(play.outcome.rewards.values())) if play.outcome.status == "scored" else 0.0
        reward = self._refused if facts["refused"] else bits
        return told, reward, over, not over and play.steps >= self._steps, facts

    def _seen(self, number: int) -> tuple[str, dict[str, Any]]:
        """What the player has before it, as text and in parts."""
        play, program = self._plays[number], self._rounds.program
        awaits = play.outcome.awaits
        facts = {"outcome": play.outcome, "registers": awaits.registers if awaits is not None else {}, "refused": ""}
        return scene(program.title, program.description, play.moves, play.outcome), facts


class ArenaEnv(gymnasium.Env[str, str]):
    """One play at a time.

    game, judge, profile, seed, dtype: as with `xentarena.play`; `seed` is the round's, and has no part in `reset`'s,
    which draws the round. passages: those of each round. refused: the reward of a move that no server would take, that
    the rules ask for again, or that ends the play without a score. steps: moves after which a play is cut short.
    The reward is what the play earned, in bits, at its end, and 0 before. In `facts`: `outcome` (`models.Outcome`),
    `registers` (what may be seen, by name), and `refused` (why; empty where nothing was). Raises `InputError`.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - as Gymnasium has it

    def __init__(
        self,
        game: str | Path | Program,
        passages: Sequence[Sequence[str]] = ((),),
        *,
        judge: "Judges | None" = None,
        profile: str = "arena",
        seed: str = "0",
        dtype: str = "float32",
        refused: float = 0.0,
        steps: int = STEPS,
    ) -> None:
        rounds = OfflineRounds(game, judge=judge, profile=profile, seed=seed, dtype=dtype)
        self._plays = _Plays(rounds, passages, refused, steps)
        self._over = True
        self.observation_space, self.action_space = AnyText(), AnyText()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        self._over = False
        return self._plays.begin(0, self.np_random)

    def step(self, action: str) -> Step:
        if self._over:
            raise gymnasium.error.ResetNeeded("the play is over, or was never begun: call reset()")
        made = self._plays.step({0: action})[0]
        self._over = made[2] or made[3]
        return made


class ArenaVectorEnv(gymnasium.vector.VectorEnv[tuple[str, ...], Sequence[str], Any]):
    """`num_envs` plays at a time, as `ArenaEnv` has one; what they measure is measured together.

    The step after a play has ended begins the next one there, whatever the action is, as Gymnasium's own do
    (`AutoresetMode.NEXT_STEP`).
    """

    metadata: dict[str, Any] = {"autoreset_mode": gymnasium.vector.AutoresetMode.NEXT_STEP}  # noqa: RUF012

    def __init__(
        self,
        num_envs: int,
        game: str | Path | Program,
        passages: Sequence[Sequence[str]] = ((),),
        *,
        judge: "Judges | None" = None,
        profile: str = "arena",
        seed: str = "0",
        dtype: str = "float32",
        refused: float = 0.0,
        steps: int = STEPS,
    ) -> None:
        rounds = OfflineRounds(game, judge=judge, profile=profile, seed=seed, dtype=dtype)
        self._plays = _Plays(rounds, passages, refused, steps)
        self._over = [True] * num_envs
        self.num_envs = num_envs
        self.single_observation_space, self.single_action_space = AnyText(), AnyText()
        self.observation_space = gymnasium.vector.utils.batch_space(self.single_observation_space, num_envs)
        self.action_space = gymnasium.vector.utils.batch_space(self.single_action_space, num_envs)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[tuple[str, ...], dict[str, Any]]:
        super().reset(seed=seed)
        begun = [self._plays.begin(number, self.np_random) for number in range(self.num_envs)]
        self._over = [False] * self.num_envs
        return tuple(told for told, _ in begun), self._facts([facts for _, facts in begun])

    def step(self, actions: Sequence[str]) -> tuple[tuple[str, ...], Any, Any, Any, dict[str, Any]]:
        if len(actions) != self.num_envs:
            raise InputError(f"{self.num_envs} plays take as many moves, not {len(actions)}")
        fresh = {number for number, over in enumerate(self._over) if over}
        made = self._plays.step({number: each for number, each in enumerate(actions) if number not in fresh})
        for number in fresh:
            told, facts = self._plays.begin(number, self.np_random)
            made[number] = (told, 0.0, False, False, facts)
        rows = [made[number] for number in range(self.num_envs)]
        self._over = [ended or cut for _, _, ended, cut, _ in rows]
        seen, rewards, ended, cut, parts = zip(*rows, strict=True)
        bits = numpy.array(rewards, dtype=numpy.float64)
        return seen, bits, numpy.array(ended), numpy.array(cut), self._facts(parts)

    def _facts(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """As Gymnasium has them: name → an array with an entry for each play."""
        told: dict[str, Any] = {}
        for name in rows[0]:
            told[name] = numpy.empty(len(rows), dtype=object)
            told[name][:] = [row[name] for row in rows]
        return told


def _wrong(move: object) -> str | None:
    """What a server would have against it as a move."""
    if not isinstance(move, str):
        return f"A move is a text, not {type(move).__name__}."
    try:
        return None if accept(move).strip() else "The move is empty."
    except TextError as error:
        return f"{error}."


def _refusals(outcome: Outcome) -> list[EnsureFailed]:
    return [event for event in outcome.events if isinstance(event, EnsureFailed)]


gymnasium.register(
    NAME,
    entry_point="xentarena.environment:ArenaEnv",
    vector_entry_point="xentarena.environment:ArenaVectorEnv",
)
