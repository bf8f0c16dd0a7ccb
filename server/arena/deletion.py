"""A player deleted for good: nothing of theirs stays in any row, and nobody can bring it back.

A play that they shared with others stays for the others, who keep their score and their own words; what the play told
is gone, since it is made of everybody's. The feed keeps its numbers: what told of the player becomes `player.deleted`,
which names nobody.
"""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from games import preflight
from games.protocol import Move
from games.sentences import say
from server.arena import audit, callers, endings, feed, leaderboards, players, rated_plays, replays, round_setup, seats
from server.arena.measurements import Question
from server.arena.unit import Unit
from server.db.boards import FrozenRating, FrozenStanding, Standing
from server.db.lab import Experiment
from server.db.models import (
    Attempt,
    Audit,
    Competition,
    FeedEvent,
    IdempotencyKey,
    Measurement,
    PendingMeasurement,
    Play,
    Player,
    Round,
    Submission,
    Token,
    WithheldEvent,
)
from server.db.rescorings import Rescore, RescoredPlay
from server.db.states import FINAL
from server.db.trust import Check
from server.errors import invalid, not_found

PORTION = 500  # keys in one statement


def delete_player(unit: Unit, player_id: str, name: str) -> str:
    """Delete a player for good; returns their competition. name: theirs, so that it is not the wrong one.

    Raises `RequestError` where the name is another.
    """
    see(unit, player_id)
    player, plays = _locked(unit.session, player_id)
    if name.strip() != player.name:
        told = say("This is not the player's name. To delete them for good, give it just as it stands.")
        raise invalid("/name", told)
    return _delete(unit, player, plays)


def delete_by_clock(unit: Unit, player_id: str) -> str:
    """The same where nobody looks, and nobody says the name."""
    return _delete(unit, *_locked(unit.session, player_id))


def _delete(unit: Unit, player: Player, plays: Sequence[Play]) -> str:
    session, player_id = unit.session, player.id
    ended = _end(unit, plays, player_id)
    # While a row still says of which competition. The number is that of a wall without names.
    number = players.numbers(session, player.competition_id).get(player_id)
    audit.record(unit, players.DELETE, player_id, number=number)
    rated = rated_plays.forget(session, player_id)
    _delete_measurements(session, player_id, plays)
    _delete_submissions(session, player_id, plays)
    for round_id, change in rated.items():
        rated_plays.rate_without(session, round_id, change)
    _delete_who_it_was(unit, player)
    unit.outbox.competitions.add(player.competition_id)
    leaderboards.tell(session, player.competition_id, [*ended, (feed.DELETED, {})])
    return player.competition_id


def see(unit: Unit, player_id: str) -> Player:
    """The player that a host is about to delete."""
    player = unit.session.get(Player, player_id)
    if player is None:
        raise not_found("There is no player {name}.", player_id)
    callers.require_host_of(unit.caller, player.competition_id)
    return player


def _locked(session: Session, player_id: str) -> tuple[Player, Sequence[Play]]:
    """The player and their plays. Whoever submits for them meanwhile waits, and then finds the player gone.

    The order is that of a submission, which takes its key, its attempt, its play, and then a hold on the player.
    """
    session.execute(select(Token.id).where(Token.player_id == player_id).order_by(Token.id).with_for_update())
    attempts = select(Attempt.round_id).where(Attempt.player_id == player_id).order_by(Attempt.round_id)
    session.execute(attempts.with_for_update())
    seats.lock_plays(session, _plays_of(session, player_id))
    query = select(Player).where(Player.id == player_id).with_for_update()
    player = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if player is None:
        raise not_found("There is no player {name}.", player_id)
    return player, seats.lock_plays(session, _plays_of(session, player_id))  # with those that came meanwhile


def _plays_of(session: Session, player_id: str) -> Sequence[str]:
    """Those with a seat of theirs, and those that they are invited to."""
    seated = select(Submission.play_id).where(Submission.player_id == player_id)
    return session.scalars(select(Play.id).where(Play.id.in_(seated) | (Play.invited == player_id))).all()


def _end(unit: Unit, plays: Sequence[Play], player_id: str) -> list[feed.Entry]:
    """End what goes on. Returns what the feed is to tell."""
    told: list[feed.Entry] = []
    reason = {"type": "withdrawn", "detail": say("The player is not there any more. The attempt does not count.")}
    for play in plays:
        taken = seats.taken(unit.session, play)
        seat = next((each.seat for each in taken if each.player_id == player_id), None)
        round_ = unit.session.get_one(Round, play.round_id)
        if all(each.state in FINAL for each in taken):
            pass
        elif play.vacant:
            told += endings.withdraw(unit.session, unit.outbox, round_, play, reason)
        elif seat is not None:
            left = {"type": "resigned", "detail": say("The player gave the play up.")}
            told += endings.leave(unit.session, unit.outbox, round_, play, seat, left)
        play.invited = None if play.invited == player_id else play.invited
    unit.session.flush()
    return told


# --- Measurements -----------------------------------------------------------------------------------------------------


def _delete_measurements(session: Session, player_id: str, plays: Sequence[Play]) -> None:
    """Those that only the player's plays asked for, and those that they asked for outside of any."""
    ids = [play.id for play in plays]
    asked = set(session.scalars(select(Measurement.key).where(Measurement.player_id == player_id)))
    for portion in _portions(ids):
        query = select(PendingMeasurement.key).where(PendingMeasurement.play_id.in_(portion))
        asked |= set(session.scalars(query))
        session.execute(delete(PendingMeasurement).where(PendingMeasurement.play_id.in_(portion)))
    asked -= _of_rounds(session, {play.round_id for play in plays}) | _of_the_same_words(session, plays)
    for portion in _portions(asked):
        of_others = select(PendingMeasurement.key).where(PendingMeasurement.key.in_(portion))
        gone = (Measurement.key.in_(portion), Measurement.key.not_in(of_others))
        session.execute(delete(Check).where(Check.measurement.in_(select(Measurement.key).where(*gone))))
        session.execute(delete(Measurement).where(*gone))
    session.execute(update(Measurement).where(Measurement.player_id == player_id).values(player_id=None))
    session.execute(delete(Experiment).where(Experiment.asker == player_id))


def _of_rounds(session: Session, round_ids: Collection[str]) -> set[str]:
    """The measurements that every play of these rounds needs."""
    found: set[str] = set()
    for round_id in round_ids:
        setup = round_setup.setup_of(session, session.get_one(Round, round_id))
        for each in preflight.fixed_measurements(setup.program, setup.setup):
            found.add(Question(setup.identities[each.judge], each.profile, each.prefix, each.text).key)
    return found


def _of_the_same_words(session: Session, plays: Sequence[Play]) -> set[str]:
    """The measurements of others who happened to say the same in a round of the same game."""
    said = {move["text"] for play in plays for move in play.moves}
    mine = {play.id for play in plays}
    digests = {session.get_one(Round, play.round_id).digest for play in plays}
    query = select(Play.id, Play.moves, Play.round_id).join(Round, Round.id == Play.round_id)
    rows = session.execute(query.where(Round.digest.in_(digests))).all()
    found: set[str] = set()
    for play_id, moves, round_id in rows:
        if play_id not in mine and any(move["text"] in said for move in moves):
            setup = round_setup.setup_of(session, session.get_one(Round, round_id))
            made = [Move(move["seat"], move["text"]) for move in moves]
            found |= {row.key for row in replays.replayed(session, setup, made).rows.values()}
    return found


# --- Rows -------------------------------------------------------------------------------------------------------------


def _delete_submissions(session: Session, player_id: str, plays: Sequence[Play]) -> None:
    """With the plays in which nobody else sits; the others keep what is not the player's."""
    for table in (Standing, FrozenStanding, FrozenRating, Attempt):
        session.execute(delete(table).where(table.player_id == player_id))
    _delete_rescores(session, plays)
    session.execute(delete(Submission).where(Submission.player_id == player_id))
    for play in plays:
        others = {each.seat: each for each in seats.taken(session, play)}
        if not others:
            session.execute(delete(Play).where(Play.id == play.id))
            continue
        play.moves = [move for move in play.moves if move["seat"] in others]
        play.events = [each for each in play.events if each["type"] in ("ask", "move") and each["seat"] in others]
        for seat, submission in others.items():
            submission.rewards = submission.rewards and {seat: submission.rewards[seat]}
    session.flush()


def _delete_rescores(session: Session, plays: Sequence[Play]) -> None:
    """What rescorings know of the plays; one that is not over looks at those again in which somebody else sits."""
    for portion in _portions([play.id for play in plays]):
        numbers = select(Submission.number).where(Submission.play_id.in_(portion))
        session.execute(delete(RescoredPlay).where(RescoredPlay.play_id.in_(portion)))
        session.execute(delete(Rescore).where(Rescore.number.in_(numbers)))


def _delete_who_it_was(unit: Unit, player: Player) -> None:
    """Tokens, name, and what the feed told of them; nobody adds to it from here on."""
    session = unit.session
    tokens = session.scalars(select(Token.id).where(Token.player_id == player.id)).all()
    unit.outbox.tokens |= set(tokens)
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.token_id.in_(tokens)))
    session.execute(delete(Token).where(Token.player_id == player.id))
    session.execute(delete(Player).where(Player.id == player.id))
    session.execute(select(Competition.id).where(Competition.id == player.competition_id).with_for_update())
    for told in (FeedEvent, WithheldEvent):
        of_them = (told.competition_id == player.competition_id, told.data["player"].as_string() == player.id)
        session.execute(update(told).where(*of_them).values(type=feed.DELETED, data={}))
    before = (Audit.target == player.id, Audit.action != players.DELETE)
    session.execute(update(Audit).where(*before).values(detail={}))


def _portions(items: Collection[Any]) -> Iterator[list[Any]]:
    left = iter(items)
    while portion := list(islice(left, PORTION)):
        yield portion
