"""Which rounds a competition has, and in which order: moved, deleted, taken back."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from games.sentences import say
from server.arena import audit, callers, rounds
from server.arena.unit import Unit
from server.db.models import Round
from server.db.states import RoundState
from server.errors import conflict, invalid, not_found

UNDO = timedelta(days=1)  # how long a deleted round can be taken back


def move(unit: Unit, round_id: str, number: int) -> Round:
    """Give a round the place of the one that has this number; those between make room. Hosts only."""
    round_ = rounds.find_round(unit.session, round_id)
    callers.require_host_of(unit.caller, round_.competition_id)
    there = (Round.competition_id == round_.competition_id, Round.archived_at.is_(None))
    # By id: whoever locks several rounds does it in one order.
    query = select(Round).where(*there).order_by(Round.id).with_for_update(key_share=True)
    found = unit.session.scalars(query.execution_options(populate_existing=True)).all()
    ordered = sorted(found, key=lambda each: (each.number, each.id))
    numbers = [each.number for each in ordered]
    if number not in numbers:
        raise invalid("/number", say("There is no round {number} in this competition.", number=number))
    if round_ not in found:
        raise not_found("There is no round {name}.", round_id)
    before = round_.number
    if number != before:
        ordered.remove(round_)
        ordered.insert(numbers.index(number), round_)
        moved = [(each, place) for each, place in zip(ordered, numbers, strict=True) if each.number != place]
        for each, place in moved:
            each.number = place
        audit.record(unit, "round.move", round_id, before=before, after=number)
        # Of a draft nothing is told, but those that it has moved past may be there for players.
        rounds.tell_changed(unit, min((each for each, _ in moved), key=lambda each: (each.draft, each is not round_)))
    return round_


def delete(unit: Unit, round_id: str) -> Round:
    """Take a round that is not going on out of the competition: nobody sees it, and no board counts it. Hosts only."""
    round_ = rounds.lock_with_moves(unit.session, round_id)
    callers.require_host_of(unit.caller, round_.competition_id)
    state = rounds.state_of(round_, unit.now)
    if state in (RoundState.OPEN, RoundState.PAUSED):
        told = say("The round is {state}: close it before you delete it.", state=say(state))
        raise conflict(f"round-{state}", f"Round {state}", told)
    round_.state = state
    rounds.tell_changed(unit, round_)
    round_.archived_at = unit.now
    audit.record(unit, "round.delete", round_id, before=round_.number, after=None)
    return round_


def restore(unit: Unit, round_id: str) -> Round:
    """Take a round back that was deleted less than a day ago, as it was. Hosts only."""
    query = select(Round).where(Round.id == round_id, Round.archived_at.is_not(None)).with_for_update(key_share=True)
    round_ = unit.session.scalars(query).one_or_none()
    if round_ is None:
        raise not_found("There is no deleted round {name}.", round_id)
    callers.require_host_of(unit.caller, round_.competition_id)
    assert round_.archived_at is not None
    if unit.now - round_.archived_at > UNDO:
        told = say("The round was deleted more than a day ago: it cannot be taken back any more.")
        raise conflict("round-deleted", "Round deleted", told)
    round_.archived_at = None
    audit.record(unit, "round.restore", round_id, before=None, after=round_.number)
    rounds.tell_changed(unit, round_)
    return round_


def deleted(unit: Unit, competition_id: str) -> Sequence[Round]:
    """The rounds that can be taken back, the latest first. Hosts only."""
    callers.require_host_of(unit.caller, competition_id)
    since = unit.now - UNDO
    query = select(Round).where(Round.competition_id == competition_id, Round.archived_at >= since)
    return unit.session.scalars(query.order_by(Round.archived_at.desc(), Round.id)).all()
