"""A round scored again under other judges or another profile: asked for, looked at, applied or dropped.

It is worked out beside what counts (`server.arena.rescoring_work`). Once it is applied, boards, receipts and feed
follow in one transaction; scoring a round again under its own judges leads back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy import insert as plain_insert
from sqlalchemy.orm import Session

from games.protocol import MAIN
from games.sentences import say
from server.arena import (
    audit,
    callers,
    competitions,
    feed,
    games,
    leaderboards,
    rated_plays,
    rescoring_work,
    round_setup,
    rounds,
    seats,
)
from server.arena.board_rows import LIVE
from server.arena.plays import ENGINE
from server.arena.round_setup import NewRound
from server.arena.unit import Unit
from server.arena.validation import new_id
from server.db.boards import Standing
from server.db.models import Game, Play, Player, Round, Submission
from server.db.rescorings import Rescore, RescoredPlay, Rescoring
from server.db.session import insert, now
from server.db.states import FINAL, RescoringState, RoundState, SubmissionState
from server.errors import conflict, not_found


@dataclass(frozen=True, slots=True)
class Progress:
    """How many plays are worked out, and how many there are."""

    done: int
    of: int


def ask(
    unit: Unit, round_id: str, judge: str | None, judges: Mapping[str, str] | None, profile: str | None
) -> Rescoring:
    """Have a round scored again, aside. What is left out is as in the round. Hosts only."""
    round_ = rounds.find_round(unit.session, round_id)
    callers.require_host_of(unit.caller, round_.competition_id)
    if not rounds.has_opened(round_, unit.now):
        told = say("Nothing has been played in this round yet.")
        raise conflict("round-not-played", "Round not played", told)
    identities = _bound(unit, round_, judge, judges)
    profile = profile or round_.profile
    setup = round_setup.setup_under(unit.session, round_, identities, profile)
    round_setup.check_setup(setup.program, setup.setup)
    begin(unit.session, id_ := new_id("res"), round_, identities, profile)
    rescoring = unit.session.get_one(Rescoring, id_)
    audit.record(unit, "round.rescore", round_id, before=None, after=in_words(rescoring))
    return rescoring


def begin(session: Session, id_: str, round_: Round, identities: Mapping[str, str], profile: str | None = None) -> None:
    """Have a round scored again, aside; nothing where that is begun already. profile: if absent, the round's."""
    values = {
        "id": id_,
        "round_id": round_.id,
        "judges": dict(identities),
        "profile": profile or round_.profile,
        "state": RescoringState.RUNNING,
        "made_at": now(session),
    }
    statement = insert(session, Rescoring).values(values).on_conflict_do_nothing(index_elements=["id"])
    made = session.scalars(statement.returning(Rescoring)).one_or_none()
    if made is not None:
        rescoring_work.take_in(session, made)


def _bound(unit: Unit, round_: Round, judge: str | None, judges: Mapping[str, str] | None) -> dict[str, str]:
    """The judge of every slot. Where only others than the main one are named, that stays."""
    own = round_setup.setup_of(unit.session, round_).identities
    if judge is None and not judges:
        return dict(own)
    kept = {slot: each for slot, each in own.items() if judge is None and slot != MAIN}
    new = NewRound(round_.game, (), judge or own[MAIN], {**kept, **(judges or {})})
    program = games.program(unit.session.get_one(Game, round_.digest))
    return round_setup.bind_judges(unit.session, program, new, unit.workforce.judges())


def in_words(rescoring: Rescoring) -> str:
    """By what, as the audit has it."""
    return f"{', '.join(rescoring.judges[slot] for slot in sorted(rescoring.judges))}; {rescoring.profile}"


def of_round(unit: Unit, round_id: str) -> list[Rescoring]:
    """Those of a round, newest first. Hosts and observers."""
    round_ = rounds.find_round(unit.session, round_id)
    callers.require_watcher(unit.caller, round_.competition_id)
    query = select(Rescoring).where(Rescoring.round_id == round_id)
    return list(unit.session.scalars(query.order_by(Rescoring.made_at.desc(), Rescoring.id)))


def see(unit: Unit, rescoring_id: str) -> Rescoring:
    """One of them. Hosts and observers."""
    found = unit.session.get(Rescoring, rescoring_id)
    if found is None:
        raise not_found("There is no rescoring {name}.", rescoring_id)
    callers.require_watcher(unit.caller, rounds.find_round(unit.session, found.round_id).competition_id)
    return found


def progress(session: Session, rescoring: Rescoring) -> Progress:
    query = select(RescoredPlay.done, func.count()).where(RescoredPlay.rescoring_id == rescoring.id)
    counts = {bool(row[0]): int(row[1]) for row in session.execute(query.group_by(RescoredPlay.done))}
    return Progress(counts.get(True, 0), sum(counts.values()))


def drop(unit: Unit, rescoring_id: str) -> Rescoring:
    """Forget the scores of a rescoring that is not applied. Hosts only."""
    rescoring, round_ = _lock(unit, rescoring_id)
    if rescoring.state is RescoringState.APPLIED:
        told = say("It is applied, and its scores count. Score the round again under its own judge, and apply that.")
        raise conflict("rescoring-applied", "Rescoring applied", told)
    if rescoring.state is RescoringState.RUNNING:
        for table in (Rescore, RescoredPlay):
            unit.session.execute(delete(table).where(table.rescoring_id == rescoring_id))
        _end(unit, rescoring, RescoringState.DROPPED)
        audit.record(unit, "round.rescore-drop", round_.id, before=in_words(rescoring), after=None)
        rescoring_work.tell(unit.session, unit.outbox, [rescoring])
    return rescoring


def apply(unit: Unit, rescoring_id: str) -> Rescoring:
    """Let its scores count instead of those that do: on boards, in ratings, receipts and the feed. Hosts only."""
    rescoring, round_ = _lock(unit, rescoring_id)
    if rescoring.state is RescoringState.DROPPED:
        raise conflict("rescoring-dropped", "Rescoring dropped", say("It is dropped: score the round again."))
    if rescoring.state is RescoringState.RUNNING:
        _refuse_to_apply(unit, rescoring, round_)
        _replace_scores(unit.session, rescoring, _whose(unit.session, rescoring, round_))
        _end(unit, rescoring, RescoringState.APPLIED)
        entries = _stand_anew(unit.session, round_)
        rated_plays.mark_round(unit.session, round_)
        audit.record(unit, "round.rescore-apply", round_.id, before=None, after=in_words(rescoring))
        unit.outbox.competitions.add(round_.competition_id)
        told = ("round.rescored", {"round": round_.id, "judges": rescoring.judges, "profile": rescoring.profile})
        leaderboards.tell(unit.session, round_.competition_id, [told, *entries])
    return rescoring


def _lock(unit: Unit, rescoring_id: str) -> tuple[Rescoring, Round]:
    """The rescoring, with nobody else at it."""
    see(unit, rescoring_id)
    found = unit.session.get_one(Rescoring, rescoring_id, with_for_update=True, populate_existing=True)
    round_ = rounds.find_round(unit.session, found.round_id)
    callers.require_host_of(unit.caller, round_.competition_id)
    return found, round_


def _end(unit: Unit, rescoring: Rescoring, state: RescoringState) -> None:
    rescoring.state, rescoring.ended_at = state, unit.now
    unit.session.flush()


def _refuse_to_apply(unit: Unit, rescoring: Rescoring, round_: Round) -> None:
    """Raises `RequestError` unless everything that counts is worked out. No play of the round changes from here on, and
    none begins."""
    session = unit.session
    seats.lock_round(session, round_.id)  # before the round, as in every transaction that has both
    rounds.lock_with_moves(session, round_.id)
    state = rounds.state_of(round_, unit.now)
    if state is not RoundState.CLOSED:
        told = say("Scores are replaced once a round has ended; this one is {state}.", state=say(state))
        raise conflict(f"round-{state}", f"Round {state}", told)
    if competitions.find(session, round_.competition_id).frozen_at is not None:
        told = say("The boards are frozen: unfreeze them before you replace scores.")
        raise conflict("boards-frozen", "Boards frozen", told)
    counting = (Submission.round_id == round_.id, ~Submission.practice)
    going_on = session.scalar(select(func.count()).where(*counting, Submission.state.not_in(FINAL))) or 0
    done = select(RescoredPlay.play_id).where(RescoredPlay.rescoring_id == rescoring.id, RescoredPlay.done)
    scored = (Submission.state == SubmissionState.SCORED, Submission.play_id.not_in(done))
    missing = session.scalar(select(func.count()).where(*counting, *scored)) or 0
    if going_on + missing:
        told = say(
            "{count} submission is not worked out yet. Wait for it.",
            "{count} submissions are not worked out yet. Wait for them.",
            count=going_on + missing,
        )
        raise conflict("rescoring-unfinished", "Rescoring unfinished", told)


def _whose(session: Session, rescoring: Rescoring, round_: Round) -> str | None:
    """What the scores name: nothing where they are by the judges and the profile of the round itself."""
    own = round_setup.setup_of(session, round_)
    same = (dict(own.identities), round_.profile) == (rescoring.judges, rescoring.profile)
    return None if same else rescoring.id


def _replace_scores(session: Session, rescoring: Rescoring, named: str | None) -> None:
    score = (Rescore.rescoring_id == rescoring.id, Rescore.number == Submission.number)
    played = (RescoredPlay.rescoring_id == rescoring.id, RescoredPlay.play_id == Submission.play_id)
    quietly: Any = {"synchronize_session": False}
    before = select(Submission.millibits).where(Submission.number == Rescore.number).scalar_subquery()
    here = Rescore.rescoring_id == rescoring.id
    session.execute(update(Rescore).where(here).values(replaced=before), execution_options=quietly)
    values = {
        "millibits": Rescore.millibits,
        "passage_millibits": Rescore.passage_millibits,
        "rewards": Rescore.rewards,
        "build": RescoredPlay.build,
        "engine": ENGINE,
        "rescoring_id": named,
    }
    session.execute(update(Submission).where(*score, *played).values(values), execution_options=quietly)
    comparable = (*played[:1], RescoredPlay.play_id == Play.id, RescoredPlay.reason.is_(None))
    session.execute(update(Play).where(*comparable).values(events=RescoredPlay.events), execution_options=quietly)
    session.expire_all()


def _stand_anew(session: Session, round_: Round) -> list[feed.Entry]:
    """Find everybody's best again, after the scores of a round changed; a feed entry for each whose best did."""
    before = _bests(session, round_)
    session.execute(delete(Standing).where(Standing.round_id == round_.id))
    columns = (Submission.round_id, Submission.player_id, Submission.millibits, Submission.number)
    order = (Submission.millibits.desc(), Submission.number)
    place = func.row_number().over(partition_by=Submission.player_id, order_by=order).label("place")
    counts = (Submission.state == SubmissionState.SCORED, ~Submission.hidden, ~Submission.practice)
    ordered = select(*columns, place).where(Submission.round_id == round_.id, *counts).subquery()
    bests = select(*(ordered.c[column.key] for column in columns)).where(ordered.c.place == 1)
    session.execute(plain_insert(Standing).from_select([column.key for column in columns], bests))
    after = _bests(session, round_)
    if rated_plays.is_rated(session, round_):
        return []
    stand = sorted(chain(*leaderboards.boards_of_round(session, round_, LIVE)), key=lambda each: each.player.id)
    return [
        ("standing.changed", {"player": each.player.id, "round": round_.id, "bits": each.millibits / 1000,
                              "rank": each.rank, "rating": None})
        for each in stand if after[each.player.id] != before.get(each.player.id)
    ]  # fmt: skip


def _bests(session: Session, round_: Round) -> dict[str, tuple[int, int]]:
    """Player → millibits and number of their best, of all who stand."""
    query = select(Standing.player_id, Standing.millibits, Standing.number).join(Player)
    rows = session.execute(query.where(Standing.round_id == round_.id, ~Player.removed))
    return {player: (millibits, number) for player, millibits, number in rows}
