"""Rounds made, and made anew while nobody has moved in them. What a host says is checked whole before it counts."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from games.program import Program
from games.protocol import MAIN
from games.sentences import say
from judge.profiles import PROFILES
from server.arena import audit, callers, competitions, games, house, judges, lab_doors, rounds, second_judges
from server.arena.round_setup import (
    NewRound,
    bind_judges,
    check_fit,
    check_passages,
    check_window,
    is_prepared,
    read_setup,
)
from server.arena.unit import Unit
from server.arena.validation import clean_name, new_id
from server.db.models import Competition, Game, Play, Round, RoundJudge
from server.db.states import RoundState
from server.errors import conflict, invalid

MOVE_SECONDS = 300  # the move clock of games of several seats, where the host says none
SETUP = (
    "game",
    "passages",
    "house",
    "judge",
    "judges",
    "profile",
    "seed",
    "second_judge",
)  # what the engine starts from
ALWAYS = ("title", "opens_at", "closes_at", "duration")  # what may be another also after the first move


def create_round(unit: Unit, competition_id: str, new: NewRound) -> Round:
    """A round, open at once or at `opens_at`; where its game wants texts of a judge, as soon as these are written. A
    draft waits until it is published.

    Everything in it is checked before it opens, so that no play finds it wanting.
    """
    callers.require_host_of(unit.caller, competition_id)
    session = unit.session
    # Rounds are numbered, so one is made at a time.
    session.refresh(competitions.find(session, competition_id), with_for_update={"key_share": True})
    newest = session.scalar(select(func.max(Round.number)).where(Round.competition_id == competition_id))
    round_ = Round(id=new_id("rnd"), competition_id=competition_id, number=1 + (newest or 0), created_at=unit.now)
    round_.draft = new.draft
    _name(round_, new)
    _set_window(round_, new, unit.now)
    _set_up(unit, round_, new)
    _set_limits(session, round_, new)
    audit.record(unit, "round.create", round_.id, before=None, after=round_.game)
    rounds.prepare(session, unit.outbox, round_, retry=True)
    unit.outbox.competitions.add(competition_id)
    return round_


def _name(round_: Round, new: NewRound) -> None:
    round_.title = clean_name(new.title, "/title") if new.title else None


def _set_window(round_: Round, new: NewRound, at: datetime) -> None:
    """When it opens and ends. A draft that is to open when its host says so has no end before."""
    if new.closes_at is not None and new.duration is not None:
        raise invalid("/duration", say("Say when the round closes or how long it lasts, not both."))
    closes_at, lasts = new.closes_at, new.duration
    check_window(new.opens_at, closes_at, at)
    if lasts is not None and not (new.draft and new.opens_at is None):
        closes_at = (new.opens_at or at) + timedelta(seconds=lasts)
        check_window(new.opens_at, closes_at, at)
    round_.opens_at, round_.closes_at, round_.duration = new.opens_at or at, closes_at, lasts


def fill(unit: Unit, round_: Round, new: NewRound) -> dict[str, str]:
    """Put what it is played with into a row, once it is found to be playable. Returns the judge of each slot.

    Raises `RequestError` (422) for what nobody could play.
    """
    session = unit.session
    game = games.find(session, new.game)
    program = games.program(game)
    bound = bind_judges(session, program, new, unit.workforce.judges())
    passages = check_passages(program, new.passages)
    if new.profile not in PROFILES:
        raise invalid("/profile", f"There is no profile {new.profile!r}; there are {' and '.join(PROFILES)}.")
    round_.game, round_.digest, round_.passages, round_.profile = game.name, game.digest, passages, new.profile
    round_.seed = new.seed or secrets.token_hex(16)
    round_.generated, round_.trouble = [], None
    round_.state = round_.state or RoundState.PREPARING
    round_.revision = secrets.token_hex(4)
    round_.house = house.as_json(house.check(program, new.house))
    if not program.generations:
        check_fit(session, program, round_, bound)
    second_judges.choose(session, program, round_, new, bound)
    return bound


def _set_up(unit: Unit, round_: Round, new: NewRound) -> None:
    """What it is played with; it has to be prepared then."""
    bound = fill(unit, round_, new)
    unit.session.add(round_)
    unit.session.flush()
    _bind(unit.session, round_, bound)


def _bind(session: Session, round_: Round, bound: Mapping[str, str]) -> None:
    for row in session.scalars(select(RoundJudge).where(RoundJudge.round_id == round_.id)).all():
        if row.slot not in bound:
            session.delete(row)
    for slot, identity in bound.items():
        session.merge(RoundJudge(round_id=round_.id, slot=slot, identity=identity))
    session.flush()  # whoever shows the round reads its judges


def _set_limits(session: Session, round_: Round, new: NewRound) -> None:
    several = len(set(_program(session, round_).seats) - round_.house.keys()) > 1
    round_.attempts, round_.move_seconds = new.attempts, new.move_seconds or (MOVE_SECONDS if several else None)


def _program(session: Session, round_: Round) -> Program:
    return games.program(session.get_one(Game, round_.digest))


def said_of(session: Session, round_: Round, at: datetime) -> NewRound:
    """What a host would say to have this round made."""
    slots = session.scalars(select(RoundJudge).where(RoundJudge.round_id == round_.id)).all()
    named = {each.slot: each.identity for each in slots}
    return NewRound(
        game=round_.digest,
        passages=round_.passages,
        judge=named.pop(MAIN),
        judges=named,
        profile=round_.profile,
        attempts=round_.attempts,
        opens_at=opens_at(round_, at),
        closes_at=round_.closes_at if round_.duration is None else None,
        seed=round_.seed,
        move_seconds=round_.move_seconds,
        title=round_.title,
        draft=round_.draft,
        duration=round_.duration,
        second_judge=round_.second_judge,
        house=house.of_json(round_.house),
    )


def opens_at(round_: Round, at: datetime) -> datetime | None:
    """When it opens or has opened; None where that is when its host publishes it."""
    return None if round_.draft and round_.opens_at <= at else round_.opens_at


def change(unit: Unit, round_id: str, changes: Mapping[str, Any]) -> Round:
    """Make a round anew with some fields of `NewRound` changed: all of them until somebody has moved in it, its title
    and its end also after that. Hosts only."""
    session = unit.session
    round_ = rounds.lock_with_moves(session, round_id)
    callers.require_host_of(unit.caller, round_.competition_id)
    before = said_of(session, round_, unit.now)
    new = replace(before, **_with_consequences(changes))
    changed = [name for name in NewRound.__slots__ if getattr(new, name) != getattr(before, name)]
    if {"opens_at", "closes_at"} & set(changed):
        check_window(new.opens_at, new.closes_at, unit.now)
    _check_change(session, round_, changed, unit.now)
    if not changed:
        return round_
    _name(round_, new)
    if {"opens_at", "closes_at", "duration"} & set(changed):
        _set_window(round_, new, unit.now)
    if set(SETUP) & set(changed):
        _set_up(unit, round_, new)
        _prepare_anew(unit, round_)
    _set_limits(session, round_, new)
    was, became = (_told(session, said, changed) for said in (before, new))
    audit.record(unit, "round.change", round_id, before=was, after=became)
    rounds.tell_changed(unit, round_)
    return round_


def _with_consequences(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes, and what they take with them: an end the other way of saying one; a game its clock and the judges of
    its slots."""
    more: dict[str, Any] = {}
    if "closes_at" in changes:
        more["duration"] = None
    if changes.get("duration") is not None:
        more["closes_at"] = None
    if "game" in changes:
        more |= {"move_seconds": None, "house": {}}
    if {"game", "judge"} & changes.keys():
        more["judges"] = {}
    return {**more, **changes}


def _check_change(session: Session, round_: Round, changed: Sequence[str], at: datetime) -> None:
    state = rounds.state_of(round_, at)
    if set(changed) - set(ALWAYS) and is_played(session, round_):
        told = say("Somebody has moved in this round: only its title and its end can be changed. Duplicate it instead.")
        raise conflict("round-played", "Round played", told)
    if rounds.has_opened(round_, at):
        if "opens_at" in changed:
            raise invalid("/opens_at", say("The round has opened already."))
        if state is RoundState.CLOSED and {"closes_at", "duration"} & set(changed):
            told = say("The round has ended: open it again, and say until when.")
            raise conflict("round-closed", "Round closed", told)


def is_played(session: Session, round_: Round) -> bool:
    return session.scalar(select(Play.id).where(Play.round_id == round_.id).limit(1)) is not None


def _prepare_anew(unit: Unit, round_: Round) -> None:
    """A round that waits or is open goes on so, once a judge has written what its game wants."""
    if round_.state is RoundState.CLOSED:
        return
    if round_.state is RoundState.PREPARING or not is_prepared(_program(unit.session, round_), round_):
        round_.state = RoundState.PREPARING
        rounds.prepare(unit.session, unit.outbox, round_, retry=True)
    else:
        rounds.measure_ahead(unit.session, unit.outbox, read_setup(unit.session, round_))


def _told(session: Session, said: NewRound, fields: Sequence[str]) -> str:
    """What was said of these fields, for the audit: of passages how many there were, and judges by their names."""
    values = {name: getattr(said, name) for name in fields}
    for name in ("judge", "second_judge"):
        if values.get(name):
            values[name] = judges.find(session, values[name]).name
    if "judges" in values:
        slots = sorted((values["judges"] or {}).items())
        values["judges"] = ", ".join(f"{judges.find(session, each).name} ({slot})" for slot, each in slots) or None
    if "passages" in values:
        values["passages"] = len(said.passages)
    if "house" in values:
        values["house"] = ", ".join(f"{each.bot or len(each.texts)} ({seat})" for seat, each in said.house.items())
    return ", ".join(f"{name}: {value}" for name, value in values.items())


def duplicate(unit: Unit, round_id: str) -> Round:
    """A draft of the same round, which opens when its host says so and lasts as long. Hosts only."""
    round_ = rounds.find_round(unit.session, round_id)
    callers.require_host_of(unit.caller, round_.competition_id)
    return create_round(unit, round_.competition_id, _again(unit, round_))


def duplicate_competition(unit: Unit, competition_id: str, name: str) -> Competition:
    """A competition of that name with the same rules, the same of the lab left open and the same rounds, drafts all of
    them, and nobody in it. Hosts only."""
    callers.require_host_of(unit.caller, competition_id)
    one = competitions.find(unit.session, competition_id)
    copy = competitions.create(unit, name, one.bots, one.free_measurements, one.total, draft=True)
    unit.session.flush()
    lab_doors.set_open(unit, copy.id, open_=lab_doors.is_open(unit.session, competition_id))
    lab_doors.set_closed(unit, copy.id, lab_doors.closed_experiments(unit.session, competition_id))
    for round_ in rounds.of_competition(unit.session, competition_id):
        create_round(unit, copy.id, _again(unit, round_))
    return copy


def _again(unit: Unit, round_: Round) -> NewRound:
    said = said_of(unit.session, round_, unit.now)
    lasts = round_.duration
    if lasts is None and round_.closes_at is not None:
        lasts = int((round_.closes_at - round_.opens_at).total_seconds())
    named = {slot: _judge(unit, identity) for slot, identity in (said.judges or {}).items()}
    main, second = (_judge(unit, each) if each else None for each in (said.judge, said.second_judge))
    again = replace(said, judge=main, judges=named, second_judge=second, duration=lasts, draft=True)
    return replace(again, opens_at=None, closes_at=None)


def _judge(unit: Unit, identity: str) -> str:
    """The same judge where it is at work, else what has its name by now."""
    return identity if unit.workforce.serving(identity) else judges.find(unit.session, identity).name
