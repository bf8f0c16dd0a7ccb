"""Rounds: prepared, opened, paused, closed; and what may be seen of them."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from games.engine import replay
from games.preflight import fixed_measurements
from games.protocol import MAIN, Effect, Log, NeedMove
from games.runtime import generation
from games.sentences import say
from games.syntax.names import is_public
from games.visibility import sees_everything
from judge.loading.retired import RETIRED
from server.arena import audit, callers, competitions, feed, generations, measurements
from server.arena.measurements import Question, Requester
from server.arena.outbox import Outbox
from server.arena.round_setup import (
    RoundSetup,
    check_fit,
    check_window,
    is_prepared,
    read_setup,
    setup_of,
)
from server.arena.unit import Unit
from server.caches import SizedCache
from server.db.models import Play, Round, Submission
from server.db.session import now
from server.db.states import PlayerKind, RoundState
from server.errors import RequestError, conflict, not_found

WORDS = {RoundState.OPEN: "opened", RoundState.PAUSED: "paused", RoundState.CLOSED: "closed"}


def find_round(session: Session, round_id: str) -> Round:
    return _there(session.get(Round, round_id), round_id)


def lock_round(session: Session, round_id: str) -> Round:
    """The round, with nobody else changing it; rows that refer to it need not wait."""
    query = select(Round).where(Round.id == round_id).with_for_update(key_share=True)
    return _there(session.scalars(query).one_or_none(), round_id)


def lock_with_moves(session: Session, round_id: str) -> Round:
    """The round, with nobody else changing it, and nobody's move coming in meanwhile."""
    return _there(session.get(Round, round_id, with_for_update=True, populate_existing=True), round_id)


def hold(session: Session, round_ids: Collection[str]) -> None:
    """Let nobody edit these rounds until the transaction is over. They may still be paused, prolonged or closed."""
    query = select(Round).where(Round.id.in_(round_ids)).order_by(Round.id)
    session.scalars(query.with_for_update(read=True, key_share=True)).all()


def _there(round_: Round | None, round_id: str) -> Round:
    if round_ is None or round_.archived_at is not None:
        raise not_found("There is no round {name}.", round_id)
    return round_


def see(unit: Unit, round_id: str) -> Round:
    """A round of a competition that the caller belongs to, unless it is a draft; any for a host."""
    round_ = find_round(unit.session, round_id)
    callers.require_member(unit.caller, round_.competition_id)
    if round_.draft and not unit.caller.hosts(round_.competition_id):
        raise not_found("There is no round {name}.", round_id)
    return round_


def visible(unit: Unit, competition_id: str) -> Sequence[Round]:
    """The rounds of a competition that the caller belongs to, in order; drafts for hosts only."""
    found = of_competition(unit.session, competitions.see(unit, competition_id).id)
    return found if unit.caller.hosts(competition_id) else [each for each in found if not each.draft]


def of_competition(session: Session, competition_id: str) -> Sequence[Round]:
    there = (Round.competition_id == competition_id, Round.archived_at.is_(None))
    return session.scalars(select(Round).where(*there).order_by(Round.number)).all()


def title_of(session: Session, round_: Round) -> str:
    """The host's title, or the game's."""
    return round_.title or setup_of(session, round_).program.title


def closed_at(round_: Round, at: datetime) -> datetime | None:
    """When it ended, if it has."""
    return (round_.closed_at or round_.closes_at) if state_of(round_, at) is RoundState.CLOSED else None


def state_of(round_: Round, at: datetime) -> RoundState:
    """What holds at that moment, also where nobody has noted yet that its time has come."""
    if round_.draft or round_.archived_at is not None:
        return round_.state
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
    everything = sees_everything(setup_of(session, round_).seats)
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
        (round_.id, setup.revision, setup.setup.generated),
        lambda: replay(setup.program, setup.setup, Log()),
        lambda found: len(repr(found)),
    )
    if not isinstance(effect, NeedMove):
        return None
    if len(setup.seats) == 1 or sees_everything(setup.seats):
        return effect
    return replace(
        effect, registers={name: each for name, each in effect.registers.items() if is_public(name)}, events=()
    )


#: How a play of a round begins, which every view of it tells. Sizes in characters.
_openings: SizedCache[tuple[str, str, tuple[str, ...]], Effect] = SizedCache(4 * 1024 * 1024)


def set_round_state(unit: Unit, round_id: str, state: RoundState, end: datetime | None = None) -> Round:
    """Open (again), pause or close a round. Opening one that could not be prepared tries that again, and opening a
    draft publishes it.

    end: when one that is opened closes. Without it a round whose time is over has no end any more.
    """
    round_ = lock_round(unit.session, round_id)
    callers.require_host_of(unit.caller, round_.competition_id)
    at = unit.now
    before = state_of(round_, at)
    _check_change(unit, round_, before, state)
    waits = before is RoundState.PREPARING and state is RoundState.OPEN
    if state is RoundState.OPEN:
        kept = round_.closes_at if round_.draft and round_.duration is None else None
        check_window(None, end or kept, at)
        if before is RoundState.OPEN:
            set_end(unit, round_, end or round_.closes_at)
        else:
            _begin(unit, round_, before, end)
    if before != state and not waits:
        audit.record(unit, f"round.{WORDS[state]}", round_id, before=before, after=state)
        if state is RoundState.OPEN and not is_prepared(setup_of(unit.session, round_).program, round_):
            round_.state, round_.trouble = RoundState.PREPARING, None
            prepare(unit.session, unit.outbox, round_, retry=True)
        else:
            _change_state(unit.session, round_, state, at)
    unit.outbox.competitions.add(round_.competition_id)
    return round_


def _check_change(unit: Unit, round_: Round, before: RoundState, state: RoundState) -> None:
    if state is RoundState.OPEN and (gone := retired_judge(unit.session, round_)) and not serves(unit, round_):
        raise conflict("judge-retired", "Judge not there any more", _gone(gone))
    if state is RoundState.OPEN and round_.revealed is not None:
        raise conflict(
            "round-revealed",
            "Round revealed",
            "Its moves are revealed, and whoever has read them could use them. Conceal them before you open it again.",
        )
    if state is RoundState.OPEN and _is_rescored(unit.session, round_):
        raise conflict(
            "round-rescored",
            "Round scored again",
            say(
                "Its scores are by another judge than the one that further moves would have. Score it again under its"
                " own judge, and apply that, before you open it again."
            ),
        )
    if state is RoundState.PAUSED and before is not RoundState.OPEN:
        told = say("Only an open round can be paused; this one is {state}.", state=say(before))
        raise conflict("round-not-open", "Round not open", told)
    if state is RoundState.CLOSED and round_.draft:
        raise conflict("round-draft", "Round is a draft", say("Nobody sees a draft: delete it, or publish it first."))


def _is_rescored(session: Session, round_: Round) -> bool:
    """Does it have scores of other judges than its own?"""
    scores = select(Submission.number).where(Submission.round_id == round_.id, Submission.rescoring_id.is_not(None))
    return session.scalar(scores.limit(1)) is not None


def _begin(unit: Unit, round_: Round, before: RoundState, end: datetime | None) -> None:
    """A round opens now, by its host: until when, and where it still waits for its texts from when on."""
    round_.closes_at = end or _lasts_until(round_, before, unit.now)
    if end is not None:
        round_.duration = None
    if before is RoundState.PREPARING and round_.opens_at > unit.now:
        told = f"opens at {round_.opens_at.isoformat()}"
        audit.record(unit, "round.opened", round_.id, before=told, after="opens when it is prepared")
        round_.opens_at = unit.now
    publish_row(unit, round_)


def publish(unit: Unit, round_id: str) -> Round:
    """Let players see a draft. It opens at its time; where it has none, or that is past, at once. Hosts only."""
    round_ = lock_round(unit.session, round_id)
    callers.require_host_of(unit.caller, round_.competition_id)
    if round_.draft:
        check_window(None, round_.closes_at, unit.now)
        if round_.opens_at <= unit.now or round_.state is RoundState.CLOSED:
            return set_round_state(unit, round_id, RoundState.OPEN)
        publish_row(unit, round_)
    return round_


def publish_row(unit: Unit, round_: Round) -> None:
    """Players see the round from now on."""
    if round_.draft:
        round_.draft = False
        audit.record(unit, "round.publish", round_.id, before="draft", after=round_.state)
        tell_changed(unit, round_)


def _lasts_until(round_: Round, before: RoundState, at: datetime) -> datetime | None:
    """The end of a round that opens at that moment: as long after it as the host said, where it opens first."""
    if round_.duration is not None and before in (RoundState.PREPARING, RoundState.SCHEDULED):
        return at + timedelta(seconds=round_.duration)
    return None if round_.closes_at is not None and round_.closes_at <= at else round_.closes_at


def set_end(unit: Unit, round_: Round, end: datetime | None) -> None:
    """Let the round end at another time; None: when its host closes it."""
    if round_.closes_at != end:
        audit.record(unit, "round.end", round_.id, before=_text(round_.closes_at), after=_text(end))
        round_.closes_at, round_.duration = end, None
        tell_changed(unit, round_)


def prolong(unit: Unit, round_id: str, seconds: int) -> Round:
    """Let a round that has not ended end so much later. Hosts only."""
    round_ = lock_round(unit.session, round_id)
    callers.require_host_of(unit.caller, round_.competition_id)
    if state_of(round_, unit.now) is RoundState.CLOSED:
        told = say("The round has ended: open it again, and say until when.")
        raise conflict("round-closed", "Round closed", told)
    if round_.closes_at is None:
        raise conflict("round-without-end", "Round without end", say("The round goes on until you close it."))
    end = round_.closes_at + timedelta(seconds=seconds)
    check_window(None, end, unit.now)
    set_end(unit, round_, end)
    return round_


def tell_changed(unit: Unit, round_: Round) -> None:
    """Players learn that something of a round is another now; of a draft they learn nothing."""
    unit.session.flush()
    unit.outbox.competitions.add(round_.competition_id)
    if not round_.draft:
        data = {"round": round_.id, "closes_at": _text(round_.closes_at)}
        feed.append(unit.session, round_.competition_id, [("round.changed", data)])


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


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


def serves(unit: Unit, round_: Round) -> bool:
    """Is there a worker for each of the round's judges?"""
    return all(map(unit.workforce.serving, setup_of(unit.session, round_).identities.values()))


def close(session: Session, round_: Round) -> None:
    _change_state(session, round_, RoundState.CLOSED, now(session))


def due(at: datetime) -> Select[Round]:
    """Those whose time has come to open or to close."""
    to_open = (Round.state == RoundState.SCHEDULED) & (Round.opens_at <= at)
    to_close = (Round.state != RoundState.CLOSED) & (Round.closes_at <= at)
    return select(Round).where(to_open | to_close, ~Round.draft, Round.archived_at.is_(None))


def due_rounds(session: Session) -> list[str]:
    """Open and close the rounds that are due; returns the competitions in which something changed."""
    at = now(session)
    query = due(at).order_by(Round.id).with_for_update(key_share=True, skip_locked=True)
    found = session.scalars(query).all()
    for round_ in found:
        _change_state(session, round_, state_of(round_, at), at)
    return [round_.competition_id for round_ in found]


def _change_state(session: Session, round_: Round, state: RoundState, at: datetime) -> None:
    round_.state = state
    round_.closed_at = min(at, round_.closes_at or at) if state is RoundState.CLOSED else None
    if state is RoundState.OPEN:
        round_.opens_at = min(round_.opens_at, at)
        _start_clocks(session, round_, at)
    session.flush()
    if not round_.draft:
        feed.append(session, round_.competition_id, [(f"round.{WORDS[state]}", {"round": round_.id})])


def _start_clocks(session: Session, round_: Round, at: datetime) -> None:
    """Whoever is to move has their whole time again: it does not run while the round is not open."""
    if round_.move_seconds is not None:
        due = at + timedelta(seconds=round_.move_seconds)
        here = (Play.round_id == round_.id, Play.due_at.is_not(None), Play.awaits.is_not(None))
        session.execute(update(Play).where(*here).values(due_at=due))


def in_preparation() -> Select[Round]:
    """Those that wait for texts to be written."""
    return select(Round).where(Round.state == RoundState.PREPARING, Round.archived_at.is_(None))


def prepare_rounds(session: Session, outbox: Outbox) -> None:
    """Open the rounds whose texts are written by now."""
    query = in_preparation().order_by(Round.id)
    for round_ in session.scalars(query.with_for_update(key_share=True, skip_locked=True)).all():
        prepare(session, outbox, round_)


def prepare(session: Session, outbox: Outbox, round_: Round, *, retry: bool = False) -> None:
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
    measure_ahead(session, outbox, read_setup(session, round_))
    if round_.draft or round_.opens_at > at:
        round_.state = RoundState.SCHEDULED
        session.flush()
    else:
        round_.closes_at = _lasts_until(round_, RoundState.PREPARING, at)
        _change_state(session, round_, RoundState.OPEN, at)
    outbox.competitions.add(round_.competition_id)


def measure_ahead(session: Session, outbox: Outbox, setup: RoundSetup) -> None:
    """Ask at once for what every play needs, so that the first player does not wait for it."""
    fixed = fixed_measurements(setup.program, setup.setup)
    questions = [Question(setup.identities[each.judge], each.profile, each.prefix, each.text) for each in fixed]
    _, new = measurements.ask(session, questions, Requester(None, PlayerKind.PERSON))
    outbox.jobs += new
