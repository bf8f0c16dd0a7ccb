"""How the players of a game of several seats meet: by an open challenge, or by an invitation.

A challenge is a play that does not have all its players yet. Whoever opens one waits in their seat; the play begins
when the last seat is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from games.sentences import say
from server.arena import (
    admission,
    attempts,
    callers,
    endings,
    feed,
    idempotency,
    plays,
    round_setup,
    rounds,
    seats,
    submissions,
)
from server.arena.names import skeleton
from server.arena.outbox import Outbox
from server.arena.seats import lock_plays
from server.arena.submissions import Accepted
from server.arena.unit import Unit
from server.arena.validation import clean, new_id
from server.db.models import Play, Player, Round, Submission
from server.errors import conflict, forbidden, invalid, not_found


@dataclass(frozen=True, slots=True)
class Challenge:
    """A play that waits for players. taken: who has which seat. invited: the only one who may join, if not all."""

    play: str
    round: str
    taken: dict[str, Player]
    free: Sequence[str]
    invited: Player | None
    since: datetime


def challenge(
    unit: Unit,
    round_id: str,
    seat: str | None,
    invite: str | None,
    repeat: str | None,
) -> Accepted:
    """Ask for a play: take up the oldest open challenge that has the wanted seat free, else open one.

    With `invite` (a player's id or name) always a new one, for that player alone.
    """
    player = callers.player_of(unit.caller)
    submission_id = new_id("sub")
    wanted = {"seat": seat, "invite": invite}
    seen = idempotency.claim_idempotency_key(unit, f"/rounds/{round_id}/challenges", repeat, wanted, submission_id)
    if seen is not None:
        return Accepted(submissions.find(unit.session, seen), fresh=False)
    round_ = admission.open_round(unit, round_id)
    unit.session.refresh(round_, with_for_update={"key_share": True})  # two who come at once must see each other
    seats = _seats(unit.session, round_)
    if seat is not None and seat not in seats:
        raise invalid(
            "/seat", say("The game has no seat {seat}; its seats are {seats}.", seat=repr(seat), seats=tuple(seats))
        )
    guest = None if invite is None else _guest(unit.session, round_, player, invite)
    play = None if guest else _joinable(unit.session, round_, player, seat)
    if play is not None:
        return _join(unit, round_, play, seat, submission_id)
    if guest is None and _waits_already(unit.session, round_, player):
        raise conflict("challenge-open", "Challenge open", "You wait for an opponent in this round already.")
    attempts.reserve_attempt(unit.session, round_, player)
    play = plays.new_play(unit.session, round_, vacant=len(seats) - 1, invited=guest.id if guest else None)
    submission = plays.take_seat(unit.session, play, seat or seats[0], player, submission_id)
    _tell(unit.session, unit.outbox, round_)
    return Accepted(submission, fresh=True)


def accept(
    unit: Unit,
    play_id: str,
    seat: str | None,
    repeat: str | None,
) -> Accepted:
    """Take a free seat of this very challenge."""
    player = callers.player_of(unit.caller)
    submission_id = new_id("sub")
    seen = idempotency.claim_idempotency_key(unit, f"/challenges/{play_id}", repeat, {"seat": seat}, submission_id)
    if seen is not None:
        return Accepted(submissions.find(unit.session, seen), fresh=False)
    play = next(iter(lock_plays(unit.session, [play_id])), None)
    if play is None:
        raise not_found("There is no challenge {name}.", play_id)
    round_ = admission.open_round(unit, play.round_id)
    if play.invited not in (None, player):
        raise forbidden("This challenge is an invitation of another player.")
    if not play.vacant:
        raise conflict("challenge-gone", "Challenge gone", "This challenge was taken up or taken back already.")
    if any(taken.player_id == player for taken in seats.taken(unit.session, play)):
        raise conflict("own-challenge", "Own challenge", "This is your own challenge: somebody else must take it up.")
    return _join(unit, round_, play, seat, submission_id)


def opened(unit: Unit, round_id: str) -> list[Challenge]:
    """The challenges of a round that the caller may take up or has opened, oldest first; all for a host."""
    round_ = rounds.see(unit, round_id)
    query = (
        select(Play).join(Submission, Submission.play_id == Play.id).where(Play.round_id == round_id, Play.vacant > 0)
    )
    seats = round_setup.setup_of(unit.session, round_).program.seats
    found: dict[str, Challenge] = {}
    for play in unit.session.scalars(query.order_by(Submission.number)):
        one = _shown(unit.session, play, seats)
        mine = any(player.id == unit.caller.player for player in one.taken.values())
        if unit.caller.watches(round_.competition_id) or mine or _may_join(one, unit.caller.player):
            found[play.id] = one
    return list(found.values())


def _shown(session: Session, play: Play, names: Sequence[str]) -> Challenge:
    taken = seats.taken(session, play)
    players = {each.seat: session.get_one(Player, each.player_id) for each in taken}
    return Challenge(
        play=play.id,
        round=play.round_id,
        taken=players,
        free=[seat for seat in names if seat not in players],
        invited=session.get_one(Player, play.invited) if play.invited else None,
        since=min(each.accepted_at for each in taken),
    )


def _may_join(one: Challenge, player: str | None) -> bool:
    """An open challenge of players who are still there, or the player's own invitation."""
    there = not any(taken.removed for taken in one.taken.values())
    return there and (one.invited is None or one.invited.id == player)


def _joinable(session: Session, round_: Round, player: str, seat: str | None) -> Play | None:
    """The oldest open challenge that the player may take up, locked."""
    query = (
        select(Play.id)
        .join(Submission, Submission.play_id == Play.id)
        .join(Player, Player.id == Submission.player_id)
        .where(Play.round_id == round_.id, Play.vacant > 0, Play.invited.is_(None), Player.removed.is_(False))
        .order_by(Submission.number)
    )
    for play_id in dict.fromkeys(session.scalars(query).all()):
        play = lock_plays(session, [play_id])[0]  # it may have been taken while we waited for it
        taken = seats.taken(session, play)
        own = any(each.player_id == player for each in taken)
        if play.vacant and not own and seat not in {each.seat for each in taken}:
            return play
    return None


def _join(
    unit: Unit,
    round_: Round,
    play: Play,
    seat: str | None,
    submission_id: str,
) -> Accepted:
    player = callers.player_of(unit.caller)
    setup = round_setup.setup_of(unit.session, round_)
    taken = seats.taken(unit.session, play)
    free = [each for each in setup.program.seats if each not in {one.seat for one in taken}]
    if seat is not None and seat not in free:
        told = say("The seat {seat} is not free; free: {free}.", seat=repr(seat), free=tuple(free))
        raise conflict("seat-taken", "Seat taken", told)
    requester = submissions.requester_of(unit, player)
    attempts.reserve_attempt(unit.session, round_, player)
    play.vacant -= 1
    submission = plays.take_seat(unit.session, play, seat or free[0], player, submission_id)
    unit.outbox.submissions |= {each.id for each in taken}
    if not play.vacant:
        play.waiting = True
        plays.advance(unit.session, unit.outbox, round_, setup, play, requester)
    _tell(unit.session, unit.outbox, round_)
    return Accepted(submission, fresh=True)


def _tell(session: Session, outbox: Outbox, round_: Round) -> None:
    feed.append(session, round_.competition_id, [endings.challenges_changed(round_)])
    outbox.competitions.add(round_.competition_id)


def _waits_already(session: Session, round_: Round, player: str) -> bool:
    query = (
        select(Play.id)
        .join(Submission, Submission.play_id == Play.id)
        .where(Play.round_id == round_.id, Play.vacant > 0, Play.invited.is_(None), Submission.player_id == player)
    )
    return session.scalars(query.limit(1)).one_or_none() is not None


def _seats(session: Session, round_: Round) -> Sequence[str]:
    seats = round_setup.setup_of(session, round_).program.seats
    if len(seats) == 1:
        told = say("This game is played alone: send your move to /rounds/{round}/submissions.", round=round_.id)
        raise conflict("one-seat", "One seat", told)
    return seats


def _guest(session: Session, round_: Round, player: str, invite: str) -> Player:
    """The invited player, by id or name."""
    invite = clean(invite, "/invite", what=say("The name"))
    query = select(Player).where(
        Player.competition_id == round_.competition_id,
        (Player.id == invite) | (Player.name_key == skeleton(invite)),
        Player.removed.is_(False),
        Player.pending.is_(False),
    )
    guest = session.scalars(query.limit(1)).one_or_none()
    if guest is None:
        raise invalid("/invite", say("There is no player {name} in this competition.", name=repr(invite)))
    if guest.id == player:
        raise invalid("/invite", "You cannot invite yourself.")
    return guest
