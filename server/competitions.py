"""Competitions and their rounds."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from games.engine import replay
from games.errors import SetupError
from games.preflight import check_round
from games.program import Program
from games.protocol import MAIN, Log, NeedMove, Setup
from games.runtime import generation
from games.visibility import sees_everything
from server import feed, judges, programs, writings
from server.after import After
from server.database import now
from server.errors import Refused, conflict, invalid, not_found
from server.models import Audit, Bots, Competition, Game, Play, Round, RoundJudge, RoundState
from server.players import Caller
from server.texts import clean, clean_name, new_id

CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is taken for another
PROFILES = ("arena", "xent-0.5")
LEAST_MOVE_SECONDS, MOST_MOVE_SECONDS = 5, 604_800
MOVE_SECONDS = 300  # the move clock of games of several seats, where the host says none
WORDS = {RoundState.OPEN: "opened", RoundState.PAUSED: "paused", RoundState.CLOSED: "closed"}


@dataclass(frozen=True, slots=True)
class NewRound:
    """What a host says of a round to be made."""

    game: str
    passages: Sequence[str]
    judge: str | None = None
    judges: Mapping[str, str] | None = None
    profile: str = "arena"
    attempts: int | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    seed: str | None = None
    move_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class RoundSetup:
    """The part of a round that never changes, ready for the engine."""

    program: Program
    setup: Setup
    identities: Mapping[str, str]


def audit(session: Session, caller: Caller, action: str, target: str, **detail: str | int | bool | None) -> None:
    session.add(Audit(at=now(session), token_id=caller.token, action=action, target=target, detail=detail))


def create(session: Session, caller: Caller, name: str, bots: Bots, free_measurements: bool) -> Competition:
    competition = Competition(
        id=new_id("cmp"),
        name=clean_name(name),
        code="".join(secrets.choice(CODE_LETTERS) for _ in range(6)),
        bots=bots,
        free_measurements=free_measurements,
        last_event=0,
        created_at=now(session),
    )
    session.add(competition)
    audit(session, caller, "competition.create", competition.id, name=name)
    return competition


def find(session: Session, competition_id: str) -> Competition:
    competition = session.get(Competition, competition_id)
    if competition is None:
        raise not_found("competition", competition_id)
    return competition


def create_round(session: Session, after: After, caller: Caller, competition_id: str, new: NewRound) -> Round:
    """A round, open at once or at `opens_at`; where its game wants texts of a judge, as soon as these are written.

    Everything in it is checked before it opens, so that no play finds it wanting.
    """
    session.refresh(find(session, competition_id), with_for_update={"key_share": True})  # rounds are numbered
    game = programs.find(session, new.game)
    program = programs.program(game)
    bound = _bind_judges(session, program, new)
    passages = _check_passages(program, new.passages)
    if new.profile not in PROFILES:
        raise invalid("/profile", f"There is no profile {new.profile!r}; there are {' and '.join(PROFILES)}.")
    at = now(session)
    _check_window(new, at)
    round_ = Round(
        id=new_id("rnd"),
        competition_id=competition_id,
        number=1 + (session.scalar(select(func.max(Round.number)).where(Round.competition_id == competition_id)) or 0),
        game=game.name,
        digest=game.digest,
        passages=passages,
        seed=new.seed or secrets.token_hex(16),
        profile=new.profile,
        state=RoundState.PREPARING,
        opens_at=new.opens_at or at,
        closes_at=new.closes_at,
        attempts=new.attempts,
        move_seconds=new.move_seconds or (MOVE_SECONDS if len(program.seats) > 1 else None),
        generated=[],
        created_at=at,
    )
    if not program.generations:
        _check_fit(session, program, round_, bound)
    session.add(round_)
    session.flush()
    session.add_all(RoundJudge(round_id=round_.id, slot=slot, identity=identity) for slot, identity in bound.items())
    session.flush()  # whoever shows the round reads its judges
    audit(session, caller, "round.create", round_.id, game=game.name)
    _prepare(session, after, round_)
    return round_


def find_round(session: Session, round_id: str) -> Round:
    round_ = session.get(Round, round_id)
    if round_ is None:
        raise not_found("round", round_id)
    return round_


def rounds(session: Session, competition_id: str) -> Sequence[Round]:
    return session.scalars(select(Round).where(Round.competition_id == competition_id).order_by(Round.number)).all()


def state_of(round_: Round, at: datetime) -> RoundState:
    """What holds at that moment, also where nobody has noted yet that its time has come."""
    if round_.closes_at is not None and at >= round_.closes_at:
        return RoundState.CLOSED
    if round_.state == RoundState.SCHEDULED and at >= round_.opens_at:
        return RoundState.OPEN
    return RoundState(round_.state)


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
    """What the first move of a play is asked for; None where something is measured before, or it is too early."""
    if not has_opened(round_, at):
        return None
    setup = setup_of(session, round_)
    effect = replay(setup.program, setup.setup, Log())
    return effect if isinstance(effect, NeedMove) else None


def set_round_state(session: Session, after: After, caller: Caller, round_id: str, state: RoundState) -> Round:
    """Open (again), pause or close a round. Opening one whose time is over takes its end away; opening one that could
    not be prepared tries that again."""
    round_ = session.scalars(select(Round).where(Round.id == round_id).with_for_update()).one_or_none()
    if round_ is None:
        raise not_found("round", round_id)
    at = now(session)
    before = state_of(round_, at)
    if state is RoundState.PAUSED and before is not RoundState.OPEN:
        raise conflict("round-not-open", "Round not open", f"Only an open round can be paused; this one is {before}.")
    if before is RoundState.PREPARING and state is RoundState.OPEN:
        round_.opens_at = min(round_.opens_at, at)
    elif before != state:
        audit(session, caller, f"round.{WORDS[state]}", round_id)
        if state is RoundState.OPEN and not _is_prepared(setup_of(session, round_).program, round_):
            round_.state, round_.trouble = RoundState.PREPARING, None
            _prepare(session, after, round_, retry=True)
        else:
            _change_state(session, round_, state, at)
    after.competitions.add(round_.competition_id)
    return round_


def due_rounds(session: Session) -> list[str]:
    """Open and close the rounds whose time has come; returns the competitions in which something changed."""
    at = now(session)
    to_open = (Round.state == RoundState.SCHEDULED) & (Round.opens_at <= at)
    to_close = (Round.state != RoundState.CLOSED) & (Round.closes_at <= at)
    query = select(Round).where(to_open | to_close).order_by(Round.id).with_for_update(skip_locked=True)
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


def prepare_rounds(session: Session, after: After) -> None:
    """Open the rounds whose texts are written by now."""
    query = select(Round).where(Round.state == RoundState.PREPARING).order_by(Round.id)
    for round_ in session.scalars(query.with_for_update(skip_locked=True)).all():
        _prepare(session, after, round_)


def _prepare(session: Session, after: After, round_: Round, *, retry: bool = False) -> None:
    """Open the round, now or at its time; or let it wait for its texts; or close it where they cannot be had."""
    at = now(session)
    setup = _read_setup(session, round_)
    needs = generation.requests(setup.program.generations, setup.setup)
    try:
        written = writings.texts(session, after, setup.identities[MAIN], needs, retry=retry)
        if written is None:
            return
        round_.generated = written
        if written:
            _check_fit(session, setup.program, round_, setup.identities)
    except (writings.NotWritten, Refused) as error:
        round_.trouble = error.detail
        _change_state(session, round_, RoundState.CLOSED, at)
        after.competitions.add(round_.competition_id)
        return
    if round_.opens_at > at:
        round_.state = RoundState.SCHEDULED
        session.flush()
    else:
        _change_state(session, round_, RoundState.OPEN, at)
    after.competitions.add(round_.competition_id)


def setup_of(session: Session, round_: Round) -> RoundSetup:
    """The round as the engine wants it; read from the rows once per process."""
    found = _setups.get(round_.id)
    if found is None:
        found = _read_setup(session, round_)
        if len(_setups) > 1_000:
            _setups.clear()
        if _is_prepared(found.program, round_):
            _setups[round_.id] = found
    return found


_setups: dict[str, RoundSetup] = {}


def _is_prepared(program: Program, round_: Round) -> bool:
    """Are the texts written that the game wants of a judge?"""
    return bool(round_.generated) or not program.generations


def _read_setup(session: Session, round_: Round) -> RoundSetup:
    slots = session.scalars(select(RoundJudge).where(RoundJudge.round_id == round_.id)).all()
    identities = {slot.slot: slot.identity for slot in slots}
    return _setup(session, programs.program(session.get_one(Game, round_.digest)), round_, identities)


def _setup(session: Session, program: Program, round_: Round, identities: Mapping[str, str]) -> RoundSetup:
    facts = {slot: judges.facts(judges.find(session, identity)) for slot, identity in identities.items()}
    return RoundSetup(
        program, Setup(tuple(round_.passages), round_.seed, facts, round_.profile, tuple(round_.generated)), identities
    )


def _bind_judges(session: Session, program: Program, new: NewRound) -> dict[str, str]:
    wanted: dict[str, str | None] = {MAIN: new.judge, **(new.judges or {})}
    slots = {MAIN, *program.judges}
    if unknown := sorted(set(wanted) - slots):
        raise invalid(
            "/judges", f"The game has no judge slot {unknown[0]!r}; its slots are {', '.join(sorted(slots))}."
        )
    for slot in sorted(slots - set(wanted)):
        wanted[slot] = _namesake(session, judges.find(session, new.judge).name, slot)
    return {slot: judges.find(session, name, f"/judges/{slot}").identity for slot, name in wanted.items()}


def _namesake(session: Session, main: str, slot: str) -> str:
    """The judge that is meant where nobody says which: the main one's twin of that name, as in pocket-backward."""
    names = {judge.name for judge in judges.everyone(session)}
    for name in (f"{main}-{slot}", slot):
        if name in names:
            return name
    raise invalid("/judges", f"The game asks a judge {slot!r}; say which judge that is.")


def _check_passages(program: Program, passages: Sequence[str]) -> list[str]:
    if len(passages) != program.passages:
        raise invalid("/passages", f"{program.title} takes {program.passages} passage(s), not {len(passages)}.")
    return [clean(text, f"/passages/{i}", what="The passage") for i, text in enumerate(passages)]


def _check_window(new: NewRound, at: datetime) -> None:
    for pointer, moment in (("/opens_at", new.opens_at), ("/closes_at", new.closes_at)):
        if moment is not None and moment.tzinfo is None:
            raise invalid(pointer, "The time needs a zone, as in 2026-01-31T12:00:00Z.")
    if new.closes_at and new.closes_at <= (new.opens_at or at):
        raise invalid("/closes_at", "The round would close before it opens.")


def _check_fit(session: Session, program: Program, round_: Round, identities: Mapping[str, str]) -> None:
    try:
        check_round(program, _setup(session, program, round_, identities).setup)
    except SetupError as error:
        raise invalid("/passages", f"This round could not be played: {error}.") from None
