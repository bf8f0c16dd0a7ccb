"""Judges that no worker serves although rounds need them: whoever hosts is told which, since when, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select, true

from server.arena import callers, naming, rounds
from server.arena.unit import Unit
from server.db.models import Competition, Judge, Round, RoundJudge
from server.db.states import RoundState


@dataclass(frozen=True, slots=True)
class Waiting:
    """A round that cannot go on, or begin. competition: its name."""

    round: Round
    competition: str


@dataclass(frozen=True, slots=True)
class Missing:
    """since: when a worker of it was last heard of; None where nobody knows. replaced: is another judge of its name
    served, as after an upgrade that brings other weights? rounds: those that the caller hosts or observes."""

    identity: str
    name: str
    since: datetime | None
    replaced: bool
    rounds: Sequence[Waiting]


def of_server(unit: Unit) -> list[Missing]:
    """Of all rounds that the caller hosts or observes."""
    callers.require_some_host(unit.caller)
    mine = Round.competition_id.in_(unit.caller.own | {unit.caller.competition})
    return _of(unit, true() if unit.caller.owner else mine)


def of_competition(unit: Unit, competition_id: str) -> list[Missing]:
    callers.require_watcher(unit.caller, competition_id)
    return _of(unit, Round.competition_id == competition_id)


def of_round(unit: Unit, row: Round) -> list[Missing]:
    callers.require_watcher(unit.caller, row.competition_id)
    return _of(unit, Round.id == row.id)


def _of(unit: Unit, which: ColumnElement[bool]) -> list[Missing]:
    served = unit.workforce.judges()
    query = (
        select(Judge.identity, Judge.name, Round, Competition.name)
        .join(RoundJudge, RoundJudge.identity == Judge.identity)
        .join(Round, Round.id == RoundJudge.round_id)
        .join(Competition, Competition.id == Round.competition_id)
        .where(which, Round.archived_at.is_(None), Round.state != RoundState.CLOSED, Judge.identity.not_in(served))
        .order_by(Judge.name, Judge.identity, Round.competition_id, Round.number)
    )
    waiting: dict[tuple[str, str], dict[str, Waiting]] = {}  # a judge may have two parts in a round
    for identity, name, row, competition in unit.session.execute(query):
        seen = unit.caller.hosts(row.competition_id) or not row.draft
        if seen and rounds.state_of(row, unit.now) is not RoundState.CLOSED:
            waiting.setdefault((identity, name), {})[row.id] = Waiting(row, competition)
    at_work = select(Judge.identity, Judge.name).where(Judge.identity.in_(served))
    names = {naming.brought_name(*each) for each in unit.session.execute(at_work)} if waiting else set()
    last_served = unit.workforce.last_served
    return [
        Missing(each[0], each[1], last_served.get(each[0]), naming.brought_name(*each) in names, list(found.values()))
        for each, found in waiting.items()
    ]
