"""How the players of a game of several seats meet: by an open challenge, or by an invitation.

A challenge is a play that does not have all its players yet. Whoever opens one waits in their seat; the play begins
when the last seat is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, and_, case, func, or_, select
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
    quotas,
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

#: Challenges of a round in which one player may wait, invitations among them.
MOST = 5
#: How long a challenge waits for somebody to take it up.
WAITS = timedelta(days=1)
_TRIED = 3  # of those that may be taken up, in case somebody else is quicker


@dataclass(frozen=True, slots=True)
class Challenge:
    """A play that waits for players. taken: who has which seat. invited: the only one who may join, if not all. until:
    when it runs out."""

    play: str
    round: str
    taken: dict[str, Player]
    free: Sequence[str]
    invited: Player | None
    since: datetime
    until: datetime | None


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
    _refuse_another(unit.session, round_, player, invites=guest is not None)
    _reserve(unit, round_, player)
    play = plays.new_play(unit.session, round_, vacant=len(seats) - 1, invited=guest.id if guest else None)
    play.due_at = unit.now + WAITS
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


def opened(unit: Unit, round_id: str, most: int) -> list[Challenge]:
    """Challenges of a round, at most so many: those the caller has opened, their invitations, and then, the oldest
    first, those that anybody may take up; all for a host."""
    round_ = rounds.see(unit, round_id)
    player = unit.caller.player
    query = select(Play).where(Play.round_id == round_id, Play.vacant > 0)
    if player is not None:
        order = case((_taken(Submission.player_id == player), 0), (Play.invited == player, 1), else_=2)
        query = query.where(_concerns(player)).order_by(order)
    found = unit.session.scalars(query.order_by(_began(), Play.id).limit(most)).all()
    names = round_setup.setup_of(unit.session, round_).seats
    return _shown(unit.session, found, names)


def _concerns(player: str) -> ColumnElement[bool]:
    """A challenge that the player waits in; or, of players who are still there, an open one or their invitation."""
    mine = or_(Play.invited.is_(None), Play.invited == player)
    return or_(_taken(Submission.player_id == player), and_(mine, ~_taken_by_removed()))


def _taken(*which: ColumnElement[bool]) -> ColumnElement[bool]:
    """Has somebody such a seat of the play?"""
    return select(Submission.number).where(Submission.play_id == Play.id, *which).correlate(Play).exists()


def _taken_by_removed() -> ColumnElement[bool]:
    there = select(Submission.number).join(Player, Player.id == Submission.player_id)
    return there.where(Submission.play_id == Play.id, Player.removed).correlate(Play).exists()


def _began() -> ScalarSelect[int]:
    """The number of the submission that opened the challenge."""
    return select(func.min(Submission.number)).where(Submission.play_id == Play.id).correlate(Play).scalar_subquery()


def _shown(session: Session, found: Sequence[Play], names: Sequence[str]) -> list[Challenge]:
    ids = [play.id for play in found]
    players, taken = seats.players(session, ids), seats.taken_each(session, ids)
    invited = {play.invited for play in found if play.invited}
    guests = (
        {each.id: each for each in session.scalars(select(Player).where(Player.id.in_(invited)))} if invited else {}
    )
    return [
        Challenge(
            play=play.id,
            round=play.round_id,
            taken=players[play.id],
            free=[seat for seat in names if seat not in players[play.id]],
            invited=guests[play.invited] if play.invited else None,
            since=min(each.accepted_at for each in taken[play.id]),
            until=play.due_at,
        )
        for play in found
    ]


def _joinable(session: Session, round_: Round, player: str, seat: str | None) -> Play | None:
    """The oldest open challenge that the player may take up, locked."""
    open_ = (Play.round_id == round_.id, Play.vacant > 0, Play.invited.is_(None))
    not_mine = (~_taken(Submission.player_id == player), ~_taken_by_removed())
    query = select(Play.id).where(*open_, *not_mine)
    if seat is not None:
        query = query.where(~_taken(Submission.seat == seat))
    for play_id in session.scalars(query.order_by(_began()).limit(_TRIED)).all():
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
    free = [each for each in setup.seats if each not in {one.seat for one in taken}]
    if seat is not None and seat not in free:
        told = say("The seat {seat} is not free; free: {free}.", seat=repr(seat), free=tuple(free))
        raise conflict("seat-taken", "Seat taken", told)
    requester = submissions.requester_of(unit, player)
    _reserve(unit, round_, player)
    play.vacant -= 1
    submission = plays.take_seat(unit.session, play, seat or free[0], player, submission_id)
    unit.outbox.submissions |= {each.id for each in taken}
    if not play.vacant:
        play.waiting, play.due_at = True, None
        plays.advance(unit.session, unit.outbox, round_, setup, play, requester)
    _tell(unit.session, unit.outbox, round_)
    return Accepted(submission, fresh=True)


def _reserve(unit: Unit, round_: Round, player: str) -> None:
    """An attempt, and room for it."""
    kept = quotas.submissions_each(unit.session, [player]).get(player, 0)
    quotas.refuse_submission(kept, unit.settings.submission_limit)
    attempts.reserve_attempt(unit.session, round_, player)


def _tell(session: Session, outbox: Outbox, round_: Round) -> None:
    feed.append(session, round_.competition_id, [endings.challenges_changed(round_)])
    outbox.competitions.add(round_.competition_id)


def _refuse_another(session: Session, round_: Round, player: str, *, invites: bool) -> None:
    """One open challenge, and a few with invitations: whoever waits in more holds up a class. The round is locked."""
    query = select(Play.invited).join(Submission, Submission.play_id == Play.id)
    waits = session.scalars(
        query.where(Play.round_id == round_.id, Play.vacant > 0, Submission.player_id == player).limit(MOST)
    ).all()
    if len(waits) >= MOST:
        told = say(
            "You wait in {most} challenges of this round already. Take one back, or wait for a player.", most=MOST
        )
        raise conflict("too-many-challenges", "Too many challenges", told)
    if not invites and None in waits:
        raise conflict("challenge-open", "Challenge open", "You wait for an opponent in this round already.")


def _seats(session: Session, round_: Round) -> Sequence[str]:
    seats = round_setup.setup_of(session, round_).seats
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
