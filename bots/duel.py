"""One play of black against white at a server, both of them programs of ours: whoever is asked says something."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from time import sleep
from typing import Any

from bots.chat.player import NoMove
from bots.journal import Journal
from bots.play import Play
from xentarena import models

SHORTEST, LONGEST = 0.02, 1.0  # seconds between two looks whose turn it is
OVER = frozenset({"scored", "rejected", "void", "failed"})
Stand = dict[str, models.Submission]  # seat → the submission of who sits there


@dataclass(slots=True)
class Duel:
    """sides: black and white, each with a client, a strategy and a journal of its own. key: a step's Idempotency-Key.
    journal: of the play: what the server says is there before it is used. meeting: held while the two meet. left: who
    gave the play up for want of a move."""

    sides: Mapping[str, Play]
    key: Callable[[str], str]
    journal: Journal
    meeting: Lock
    left: str | None = None

    def run(self) -> Stand:
        """To its end; both learn what they earned. Raises `ApiError` where the server refuses."""
        with self.meeting:
            ids = self.journal.once("met", self._met)["submissions"]
        step = 0
        while (turn := self._turn(ids, step))[0] is not None:
            step += 1
            self._step(turn[0], turn[1], step)
        for seat, side in self.sides.items():
            side.over(turn[1][seat])
        return turn[1]

    def _met(self) -> dict[str, Any]:
        """Black challenges, and white accepts."""
        black, white = self.sides["black"].client, self.sides["white"].client
        me = white.me().player
        assert me is not None, "a player's token"
        asked = black.challenge(self.sides["black"].round.id, seat="black", invite=me.id, key=self.key("challenge"))
        taken = white.accept(asked.play, seat="white", wait=0, key=self.key("accept"))
        return {"submissions": {"black": asked.id, "white": taken.id}}

    def _turn(self, ids: Mapping[str, str], step: int) -> tuple[str | None, Stand]:
        """Who is asked, once that is known, and how it stands; nobody where the play is over."""

        def looked() -> dict[str, Any]:
            pause = SHORTEST
            while True:
                stand = {seat: side.client.submission(ids[seat]) for seat, side in self.sides.items()}
                asked = next((seat for seat, each in stand.items() if each.state == "awaiting_move"), None)
                if asked is not None or all(each.state in OVER for each in stand.values()):
                    shown = {seat: each.model_dump(mode="json", by_alias=True) for seat, each in stand.items()}
                    return {"seat": asked, "submissions": shown}
                sleep(pause)
                pause = min(LONGEST, 2 * pause)

        found = self.journal.once("turn", looked)
        stand = {seat: models.Submission.model_validate(each) for seat, each in found["submissions"].items()}
        return found["seat"], stand

    def _step(self, seat: str, stand: Stand, step: int) -> None:
        """The move of a seat; who has none leaves, and loses."""
        side = self.sides[seat]
        try:
            move = side.next_move(stand[seat])
        except NoMove:
            self.left = seat
            self.journal.once("left", lambda: {"state": side.client.resign(stand[seat].id).state})
            return

        def sent() -> dict[str, Any]:
            return {
                "move": move,
                "state": side.client.move_again(stand[seat].id, move, wait=0, key=self.key(str(step))).state,
            }

        self.journal.once("sent", sent)
