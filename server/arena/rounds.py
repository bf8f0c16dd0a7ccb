"""Rounds: made, prepared, opened, paused, closed; and what may be seen of them."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from games.engine import replay
from games.preflight import fixed_measurements
from games.protocol import MAIN, Effect, Log, NeedMove
from games.runtime import generation
from games.sentences import say
from games.syntax.names import is_public
from games.visibility import sees_everything
from judge.loading.retired import RETIRED
from judge.profiles import PROFILES
from server.arena import audit, callers, competitions, feed, games, generations, measurements
from server.arena.measurements import Question, Requester
from server.arena.outbox import Outbox
from server.arena.round_setup import (
    NewRound,
    RoundSetup,
    bind_judges,
    check_fit,
    check_passages,
    check_window,
    is_prepared,
    read_setup,
    setup_of,
)
from server.arena.unit import Unit
from server.arena.validation import new_id
from server.caches import SizedCache
from server.db.models import Game, Play, Round, RoundJudge
from server.db.session import now
from server.db.states import PlayerKind, RoundState
from server.errors import RequestError, conflict, forbidden, invalid, not_found

MOVE_SECONDS = 300  # the move clock of games of several seats, where the host says none
WORDS = {RoundState.OPEN: "opened", RoundState.PAUSED: "paused", RoundState.CLOSED: "closed"}


def create_round(unit: Unit, competition_id: str, new: NewRound) -> Round:
    """A round, open at once or at `opens_at`; where its game wants texts of a judge, as soon as these are written.

    Everything in it is checked before it opens, so that no play finds it wanting.
    """
    callers.require_host_of(unit.caller, competition_id)
    session = unit.session
    # Rounds are numbered, so one is made at a time.
    session.refresh(competitions.find(session, competition_id), with_for_update={"key_share": True})
    game = games.find(session, new.game)
    program = games.program(game)
    bound = bind_judges(session, program, new, unit.workforce.judges())
    passages = check_passages(program, new.passages)
    if new.profile not in PROFILES:
        raise invalid("/profile", f"There is no profile {new.profile!r}; there are {' and '.join(PROFILES)}.")
    check_window(new, unit.now)
    round_ = _row(unit, competition_id, new, game, passages)
    if not program.generations:
        check_fit(session, program, round_, bound)
    session.add(round_)
    session.flush()
    session.add_all(RoundJudge(round_id=round_.id, slot=slot, identity=identity) for slot, identity in bound.items())
    session.flush()  # whoever shows the round reads its judges
    audit.record(unit, "round.create", round_.id, game=game.name)
    _prepare(session, unit.outbox, round_)
    unit.outbox.competitions.add(competition_id)
    return round_


def _row(unit: Unit, competition_id: str, new: NewRound, game: Game, passages: Sequence[str]) -> Round:
    newest = select(func.max(Round.number)).where(Round.competition_id == competition_id)
    several = len(games.program(game).seats) > 1
    return Round(
        id=new_id("rnd"),
        competition_id=competition_id,
        number=1 + (unit.session.scalar(newest) or 0),
        game=game.name,
        digest=game.digest,
        passages=list(passages),
        seed=new.seed or secrets.token_hex(16),
        profile=new.profile,
        state=RoundState.PREPARING,
        opens_at=new.opens_at or unit.now,
        closes_at=new.closes_at,
        attempts=new.attempts,
        move_seconds=new.move_seconds or (MOVE_SECONDS if several else None),
        generated=[],
        created_at=unit.now,
    )


def find_round(session: Session, round_id: str) -> Round:
    round_ = session.get(Round, round_id)
    if round_ is None:
        raise not_found("There is no round {name}.", round_id)
    return round_


def lock_round(session: Session, round_id: str) -> Round:
    """The round, with nobody else changing it; rows that refer to it need not wait."""
    query = select(Round).where(Round.id == round_id).with_for_update(key_share=True)
    round_ = session.scalars(query).one_or_none()
    if round_ is None:
        raise not_found("There is no round {name}.", round_id)
    return round_


def see(unit: Unit, round_id: str) -> Round:
    """A round of a competition that the caller belongs to; any for a host."""
    round_ = find_round(unit.session, round_id)
    callers.require_member(unit.caller, round_.competition_id)
    return round_


def visible(unit: Unit, competition_id: str) -> Sequence[Round]:
    """The rounds of a competition that the caller belongs to, in order."""
    return of_competition(unit.session, competitions.see(unit, competition_id).id)


def of_competition(session: Session, competition_id: str) -> Sequence[Round]:
    return session.scalars(select(Round).where(Round.competition_id == competition_id).order_by(Round.number)).all()


def state_of(round_: Round, at: datetime) -> RoundState:
    """What holds at that moment, also where nobody has noted yet that its time has come."""
    if round_.closes_at is not None and at >= round_.closes_at:
        return RoundState.CLOSED
    if round_.state == RoundState.SCHEDULED and at >= round_.opens_at:
        return RoundState.OPEN
    return round_.state


def passages_for(session: Session, round_: Round, *, host: bool, at: datetime) -> Sequence[str]:
    """The passages, as far as they may be seen. A player's are empty until the round has opened; and where a seat
    does not see every register, players see only what the game reveals."""
    if host:
        return round_.passages
    everything = sees_everything(setup_of(session, round_).program.seats)
    return round_.passages if everything and has_opened(round_, at) else []


def has_opened(round_: Round, at: datetime) -> bool:
    """Has it ever been open?"""
    state = state_of(round_, at)
    cancelled = state is RoundState.CLOSED and (at < round_.opens_at or round_.trouble is not None)
    return not cancelled and state not in (RoundState.PREPARING, RoundState.SCHEDULED)


def opening(session: Session, round_: Round, at: datetime) -> NeedMove | None:
    """What the first move of a play is asked for; None where something is measured before, or it is too early.

    Of a game of several seats it holds what every seat may see: nobody has taken one yet.
    """
    if not has_opened(round_, at):
        return None
    setup = setup_of(session, round_)
    effect = _openings.get(
        (round_.id, setup.setup.generated),
        lambda: replay(setup.program, setup.setup, Log()),
        lambda found: len(repr(found)),
    )
    if not isinstance(effect, NeedMove):
        return None
    if len(setup.program.seats) == 1 or sees_everything(setup.program.seats):
        return effect
    return replace(
        effect, registers={name: each for name, each in effect.registers.items() if is_public(name)}, events=()
    )


#: How a play of a round begins, which every view of it tells. Sizes in characters.
_openings: SizedCache[tuple[str, tuple[str, ...]], Effect] = SizedCache(4 * 1024 * 1024)


def set_round_state(unit: Unit, round_id: str, state: RoundState) -> Round:
    """Open (again), pause or close a round. Opening one whose time is over takes its end away; opening one that could
    not be prepared tries that again."""
    round_ = lock_round(unit.session, round_id)
    callers.require_host_of(unit.caller, round_.competition_id)
    at = unit.now
    before = state_of(round_, at)
    if state is RoundState.OPEN and (gone := retired_judge(unit.session, round_)) and not _serves(unit, round_):
        raise conflict("judge-retired", "Judge not there any more", _gone(gone))
    if state is RoundState.OPEN and round_.revealed is not None:
        raise conflict(
            "round-revealed",
            "Round revealed",
            "Its moves are revealed, and whoever has read them could use them. Conceal them before you open it again.",
        )
    if state is RoundState.PAUSED and before is not RoundState.OPEN:
        told = say("Only an open round can be paused; this one is {state}.", state=say(before))
        raise conflict("round-not-open", "Round not open", told)
    if before is RoundState.PREPARING and state is RoundState.OPEN:
        round_.opens_at = min(round_.opens_at, at)
    elif before != state:
        audit.record(unit, f"round.{WORDS[state]}", round_id, before=before, after=state)
        if state is RoundState.OPEN and not is_prepared(setup_of(unit.session, round_).program, round_):
            round_.state, round_.trouble = RoundState.PREPARING, None
            _prepare(unit.session, unit.outbox, round_, retry=True)
        else:
            _change_state(unit.session, round_, state, at)
    unit.outbox.competitions.add(round_.competition_id)
    return round_


def retired_judge(session: Session, round_: Round) -> str | None:
    """The name of a judge of the round that only earlier versions brought; None where there is none."""
    identities = setup_of(session, round_).identities.values()
    return next((RETIRED[identity] for identity in identities if identity in RETIRED), None)


def why_closed(session: Session, round_: Round, at: datetime) -> str | None:
    """Why a closed round cannot go on: a judge of it is gone."""
    gone = retired_judge(session, round_) if state_of(round_, at) is RoundState.CLOSED else None
    return gone and _gone(gone)


def _gone(judge: str) -> str:
    return say(
        "Its judge, {judge}, was replaced by a newer {judge}, which measures other numbers. What was scored stands; a"
        " new round of the same game goes on with the new one.",
        judge=judge,
    )


def _serves(unit: Unit, round_: Round) -> bool:
    """Is there a worker for each of the round's judges?"""
    return all(map(unit.workforce.serving, setup_of(unit.session, round_).identities.values()))


def close(session: Session, round_: Round) -> None:
    _change_state(session, round_, RoundState.CLOSED, now(session))


def due_rounds(session: Session) -> list[str]:
    """Open and close the rounds whose time has come; returns the competitions in which something changed."""
    at = now(session)
    to_open = (Round.state == RoundState.SCHEDULED) & (Round.opens_at <= at)
    to_close = (Round.state != RoundState.CLOSED) & (Round.closes_at <= at)
    query = select(Round).where(to_open | to_close).order_by(Round.id).with_for_update(key_share=True, skip_locked=True)
    due = session.scalars(query).all()
    for round_ in due:
        _change_state(session, round_, state_of(round_, at), at)
    return [round_.competition_id for round_ in due]


def _change_state(session: Session, round_: Round, state: RoundState, at: datetime) -> None:
    round_.state = state
    if state is RoundState.OPEN:
        round_.opens_at = min(round_.opens_at, at)
        if round_.closes_at is not None and round_.closes_at <= at:
            round_.closes_at = None
        _start_clocks(session, round_, at)
    session.flush()
    feed.append(session, round_.competition_id, [(f"round.{WORDS[state]}", {"round": round_.id})])


def _start_clocks(session: Session, round_: Round, at: datetime) -> None:
    """Whoever is to move has their whole time again: it does not run while the round is not open."""
    if round_.move_seconds is not None:
        due = at + timedelta(seconds=round_.move_seconds)
        session.execute(update(Play).where(Play.round_id == round_.id, Play.due_at.is_not(None)).values(due_at=due))


def prepare_rounds(session: Session, outbox: Outbox) -> None:
    """Open the rounds whose texts are written by now."""
    query = select(Round).where(Round.state == RoundState.PREPARING).order_by(Round.id)
    for round_ in session.scalars(query.with_for_update(key_share=True, skip_locked=True)).all():
        _prepare(session, outbox, round_)


def _prepare(session: Session, outbox: Outbox, round_: Round, *, retry: bool = False) -> None:
    """Open the round, now or at its time; or let it wait for its texts; or close it where they cannot be had."""
    at = now(session)
    setup = read_setup(session, round_)
    needs = generation.requests(setup.program.generations, setup.setup)
    try:
        written = generations.texts(session, outbox, setup.identities[MAIN], needs, retry=retry)
        if written is None:
            return
        round_.generated = written
        if written:
            check_fit(session, setup.program, round_, setup.identities)
    except (generations.GenerationFailed, RequestError) as error:
        round_.trouble = error.detail
        _change_state(session, round_, RoundState.CLOSED, at)
        outbox.competitions.add(round_.competition_id)
        return
    _measure_ahead(session, outbox, read_setup(session, round_))
    if round_.opens_at > at:
        round_.state = RoundState.SCHEDULED
        session.flush()
    else:
        _change_state(session, round_, RoundState.OPEN, at)
    outbox.competitions.add(round_.competition_id)


def _measure_ahead(session: Session, outbox: Outbox, setup: RoundSetup) -> None:
    """Ask at once for what every play needs, so that the first player does not wait for it."""
    fixed = fixed_measurements(setup.program, setup.setup)
    questions = [Question(setup.identities[each.judge], each.profile, each.prefix, each.text) for each in fixed]
    _, new = measurements.ask(session, questions, Requester(None, PlayerKind.PERSON))
    outbox.jobs += new


def admit(unit: Unit, round_id: str) -> Round:
    """The round, if the caller is one of its players, whether it is open or not."""
    callers.player_of(unit.caller)
    round_ = find_round(unit.session, round_id)
    if unit.caller.competition != round_.competition_id:
        raise forbidden("This token belongs to another competition. Join this one with its code first.")
    return round_


def playable(unit: Unit, round_id: str, *, practice: bool) -> Round:
    """The round, if the caller may move in it now: while it is open, and for practice once it has ended."""
    return ended_round(unit, round_id) if practice else open_round(unit, round_id)


def open_round(unit: Unit, round_id: str) -> Round:
    round_ = admit(unit, round_id)
    state = state_of(round_, unit.now)
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
    if gone := why_closed(unit.session, round_, unit.now):
        return gone
    if no_practice(unit, round_):
        return say("The round is closed.")
    return say(
        'The round is closed. It takes practice, which does not count: load its page again, or send "practice": true.'
    )


def ended_round(unit: Unit, round_id: str) -> Round:
    """The round, if the caller may practise on it."""
    round_ = admit(unit, round_id)
    state = state_of(round_, unit.now)
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
    seats = setup_of(unit.session, round_).program.seats
    if round_.trouble is not None:
        return say("The round could not be prepared: {reason}", reason=round_.trouble)
    if not has_opened(round_, unit.now):
        return say("The round was closed before it opened.")
    if len(seats) > 1:
        return say("This game seats {seats}: practice is for games of one player.", seats=tuple(seats))
    gone = why_closed(unit.session, round_, unit.now)
    if gone is not None and not _serves(unit, round_):
        return gone
    return _helping_hand(unit, round_)


def _helping_hand(unit: Unit, round_: Round) -> str | None:
    """Practice on a text of a round that counts attempts would be an attempt that does not count."""
    texts = {*round_.passages, *round_.generated}
    for judge in set(setup_of(unit.session, round_).identities.values()):
        if any(texts & {*other.passages, *other.generated} for other in measurements.counted(unit, judge)):
            return say("A round with an attempt limit is open on the same text: practice goes on when it has ended.")
    return None
