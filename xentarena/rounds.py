"""Rounds of one game at home, one for each set of passages, with judges that are loaded once for all of them."""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from games.program import Program
from xentarena import programs
from xentarena.errors import InputError

if TYPE_CHECKING:
    from xentarena.offline import Judges, OfflineRound

KEPT = 64  # rounds, with what was measured for each


class OfflineRounds:
    """game, judge, profile, seed, dtype: as with `xentarena.play`. Raises `InputError` for a game that is not played by
    one player alone, `MissingExtra` without the extra `judge` once a round is asked for."""

    def __init__(
        self, game: str | Path | Program, *, judge: "Judges | None", profile: str, seed: str, dtype: str
    ) -> None:
        self.program = game if isinstance(game, Program) else programs.find(game)
        one_seat(self.program.seats)
        self._judge, self._how = judge, dict[str, Any](profile=profile, seed=seed, dtype=dtype)
        self._rounds: OrderedDict[tuple[str, ...], OfflineRound] = OrderedDict()

    def __call__(self, stories: Sequence[str]) -> "OfflineRound":
        """The round with these passages. Raises `InputError`."""
        from xentarena import OfflineRound

        key = tuple(stories)
        if key not in self._rounds:
            self._rounds[key] = OfflineRound(self.program, key, judge=self._judge, **self._how)
            self._judge = self._rounds[key].judges
        self._rounds.move_to_end(key)
        if len(self._rounds) > KEPT:
            self._rounds.popitem(last=False)
        return self._rounds[key]


def one_seat(seats: Sequence[str]) -> None:
    """Raises `InputError` where it is not one player who plays, whose bits are then what they earned alone."""
    if len(seats) != 1:
        told = f"{len(seats)} players ({', '.join(seats)})" if seats else "nobody"
        raise InputError(f"a reward is what one player earns alone, and this game is for {told}")
