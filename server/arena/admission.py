"""Who may move in a round now: players while it is open, and for practice once it has ended."""

from games.sentences import say
from server.arena import callers, exploring, rounds
from server.arena.round_setup import setup_of
from server.arena.unit import Unit
from server.db.models import Round
from server.db.states import RoundState
from server.errors import conflict, forbidden, not_found


def admit(unit: Unit, round_id: str) -> Round:
    """The round, if the caller is one of its players, whether it is open or not."""
    callers.player_of(unit.caller)
    round_ = rounds.find_round(unit.session, round_id)
    if unit.caller.competition != round_.competition_id:
        raise forbidden("This token belongs to another competition. Join this one with its code first.")
    if round_.draft:
        raise not_found("There is no round {name}.", round_id)
    return round_


def playable(unit: Unit, round_id: str, *, practice: bool) -> Round:
    """The round, if the caller may move in it now: while it is open, and for practice once it has ended."""
    return ended_round(unit, round_id) if practice else open_round(unit, round_id)


def open_round(unit: Unit, round_id: str) -> Round:
    round_ = admit(unit, round_id)
    state = rounds.state_of(round_, unit.now)
    if state is not RoundState.OPEN:
        raise conflict(f"round-{state}", f"Round {state}", _not_open(unit, round_, state))
    return round_


def _not_open(unit: Unit, round_: Round, state: RoundState) -> str:
    match state:
        case RoundState.PREPARING:
            return say("The round's texts are still being written; it opens by itself when they are there.")
        case RoundState.SCHEDULED:
            return say("The round opens at {time}.", time=f"{round_.opens_at:%Y-%m-%d %H:%M:%S} UTC")
        case RoundState.PAUSED:
            return say("The host has paused the round; try again when it goes on.")
    if gone := rounds.why_closed(unit.session, round_, unit.now):
        return gone
    if no_practice(unit, round_):
        return say("The round is closed.")
    return say(
        'The round is closed. It takes practice, which does not count: load its page again, or send "practice": true.'
    )


def ended_round(unit: Unit, round_id: str) -> Round:
    """The round, if the caller may practise on it."""
    round_ = admit(unit, round_id)
    state = rounds.state_of(round_, unit.now)
    if state is RoundState.OPEN:
        detail = say("The round is open: play it. Practice is for rounds that have ended.")
        raise conflict("round-open", "Round open", detail)
    if state is not RoundState.CLOSED:
        raise conflict(f"round-{state}", f"Round {state}", _not_open(unit, round_, state))
    if why := no_practice(unit, round_):
        raise conflict("no-practice", "No practice", why)
    return round_


def no_practice(unit: Unit, round_: Round) -> str | None:
    """Why a closed round takes no practice; None where it does."""
    seats = setup_of(unit.session, round_).seats
    if round_.trouble is not None:
        return say("The round could not be prepared: {reason}", reason=round_.trouble)
    if not rounds.has_opened(round_, unit.now):
        return say("The round was closed before it opened.")
    if len(seats) > 1:
        return say("This game seats {seats}: practice is for games of one player.", seats=tuple(seats))
    gone = rounds.why_closed(unit.session, round_, unit.now)
    if gone is not None and not rounds.serves(unit, round_):
        return gone
    return _helping_hand(unit, round_)


def _helping_hand(unit: Unit, round_: Round) -> str | None:
    """Practice on a text of a round that counts attempts would be an attempt that does not count."""
    texts = {*round_.passages, *round_.generated}
    for judge in set(setup_of(unit.session, round_).identities.values()):
        if any(texts & {*other.passages, *other.generated} for other in exploring.counted(unit, judge)):
            return say("A round with an attempt limit is open on the same text: practice goes on when it has ended.")
    return None
