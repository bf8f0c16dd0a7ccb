"""The rounds of a competition as a list: what each is, and how whoever looks stands in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from server.arena import attempts, competitions, games, places, rated_plays, round_making, rounds
from server.arena.board_rows import shown_to
from server.arena.unit import Unit
from server.db.models import Round
from server.db.states import RoundState


@dataclass(frozen=True, slots=True)
class RoundLine:
    """A round in a list. title: of its game; named: the host's for it, where there is one. opens_at: None where a draft
    has no time. best: bits that whoever looks has scored in it; rating: where that ranks; place: where they stand on
    their board."""

    id: str
    number: int
    title: str
    state: RoundState
    opens_at: datetime | None
    closes_at: datetime | None
    attempts: int | None
    revealed: Mapping[str, Any] | None
    named: str | None
    draft: bool
    closed_at: datetime | None
    revision: str
    best: float | None = None
    rating: float | None = None
    place: places.Place | None = None
    attempts_left: int | None = None


def lines(unit: Unit, competition_id: str) -> list[RoundLine]:
    """The rounds of a competition, in order."""
    rows = rounds.visible(unit, competition_id)
    titles = games.titles(unit.session, {row.digest for row in rows})
    found = [line(row, titles[row.digest], unit.now) for row in rows]
    if unit.caller.player is None:
        return found
    best = places.bests(unit.session, unit.caller.player)
    return [replace(each, best=best[each.id] / 1000 if each.id in best else None) for each in found]


def of_player(unit: Unit, competition_id: str) -> list[RoundLine]:
    """The same with ratings, places and attempts, which take a look at every board."""
    found, player = lines(unit, competition_id), unit.caller.player
    if player is None:
        return found
    rows = shown_to(unit.caller, competitions.find(unit.session, competition_id))
    ratings = rated_plays.of_player(unit.session, player, rows.rating)
    stands, used = places.of_player(unit.session, player, rows), attempts.used(unit.session, player)
    return [
        replace(
            each,
            rating=ratings[each.id].value if each.id in ratings else None,
            place=stands.get(each.id),
            attempts_left=None if each.attempts is None else max(0, each.attempts - used.get(each.id, 0)),
        )
        for each in found
    ]


def line(row: Round, title: str, at: datetime) -> RoundLine:
    state = rounds.state_of(row, at)
    return RoundLine(
        row.id, row.number, title, state, round_making.opens_at(row, at), row.closes_at, row.attempts, row.revealed,
        row.title, row.draft, rounds.closed_at(row, at), row.revision,
    )  # fmt: skip


def of_round(unit: Unit, row: Round) -> RoundLine:
    return line(row, games.titles(unit.session, {row.digest})[row.digest], unit.now)


def to_play(rounds: Sequence[RoundLine]) -> RoundLine | None:
    """The first open round without a score yet, else the newest open one."""
    open_ = [line for line in rounds if line.state is RoundState.OPEN]
    return next((line for line in open_ if line.best is None), open_[-1] if open_ else None)
