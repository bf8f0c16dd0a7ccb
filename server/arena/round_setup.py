"""The part of a round that its first move fixes: checked when it is made, then read as the engine wants it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from games.errors import SetupError
from games.preflight import BACKWARD, check_round
from games.program import Program
from games.protocol import MAIN, HouseSeat, JudgeFacts, Setup
from games.sentences import say
from judge.profiles import ARENA
from server.arena import games, house, judges
from server.arena.validation import clean
from server.caches import SizedCache
from server.db.models import Game, Round, RoundJudge, Submission
from server.db.rescorings import Rescoring
from server.errors import invalid

LEAST_MOVE_SECONDS, MOST_MOVE_SECONDS = 5, 604_800
FARTHEST = timedelta(days=36_525)


@dataclass(frozen=True, slots=True)
class NewRound:
    """What a host says of a round to be made. duration: seconds, where `closes_at` does not say its end."""

    game: str
    passages: Sequence[str]
    judge: str | None = None
    judges: Mapping[str, str] | None = None
    profile: str = ARENA
    attempts: int | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    seed: str | None = None
    move_seconds: int | None = None
    title: str | None = None
    draft: bool = False
    duration: int | None = None
    second_judge: str | None = None
    house: Mapping[str, HouseSeat] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RoundSetup:
    """The part of a round that its first move fixes, ready for the engine. revision: of the round."""

    program: Program
    setup: Setup
    identities: Mapping[str, str]
    revision: str

    @property
    def seats(self) -> tuple[str, ...]:
        """Those that players take: all that the house does not have."""
        return tuple([seat for seat in self.program.seats if seat not in self.setup.house])


def setup_of(session: Session, round_: Round) -> RoundSetup:
    """The round as the engine wants it; read from the rows once per process, when it is prepared or edited."""
    return _setups.get(
        (round_.id, round_.revision, tuple(round_.generated)), lambda: read_setup(session, round_), _size
    )


def setup_of_score(session: Session, round_: Round, submission: Submission) -> RoundSetup:
    """The round as the submission was scored: under its own judges, or those of a rescoring."""
    if submission.rescoring_id is None:
        return setup_of(session, round_)
    rescoring = session.get_one(Rescoring, submission.rescoring_id)
    return setup_under(session, round_, rescoring.judges, rescoring.profile)


def setup_under(session: Session, round_: Round, identities: Mapping[str, str], profile: str) -> RoundSetup:
    """The round under other judges. What a judge wrote for it stays."""
    own = setup_of(session, round_)
    setup = replace(own.setup, judges=_facts(session, identities), profile=profile)
    return replace(own, setup=setup, identities=identities)


#: Sizes in characters of programs and texts.
_setups: SizedCache[tuple[str, str, tuple[str, ...]], RoundSetup] = SizedCache(4 * 1024 * 1024)


def _size(setup: RoundSetup) -> int:
    return len(setup.program.source) + sum(map(len, (*setup.setup.passages, *setup.setup.generated)))


def is_prepared(program: Program, round_: Round) -> bool:
    """Are the texts written that the game wants of a judge?"""
    return bool(round_.generated) or not program.generations


def read_setup(session: Session, round_: Round) -> RoundSetup:
    slots = session.scalars(select(RoundJudge).where(RoundJudge.round_id == round_.id)).all()
    identities = {slot.slot: slot.identity for slot in slots}
    return engine_setup(session, games.program(session.get_one(Game, round_.digest)), round_, identities)


def engine_setup(session: Session, program: Program, round_: Round, identities: Mapping[str, str]) -> RoundSetup:
    facts = _facts(session, identities)
    texts = (tuple(round_.passages), round_.seed, facts, round_.profile, tuple(round_.generated))
    setup = Setup(*texts, house.of_json(round_.house))
    return RoundSetup(program, setup, identities, round_.revision)


def _facts(session: Session, identities: Mapping[str, str]) -> dict[str, JudgeFacts]:
    return {slot: judges.facts(judges.find(session, identity)) for slot, identity in identities.items()}


def bind_judges(session: Session, program: Program, new: NewRound, at_work: Sequence[str]) -> dict[str, str]:
    """The judge of every slot of the game. at_work: the judges that workers serve, the usual one first."""
    main = new.judge
    if main is None:
        main = _usual(session, set(program.judges) - {MAIN} - set(new.judges or {}), at_work)
    wanted: dict[str, str | None] = {MAIN: main, **(new.judges or {})}
    slots = {MAIN, *program.judges}
    if unknown := sorted(set(wanted) - slots):
        raise invalid(
            "/judges", f"The game has no judge slot {unknown[0]!r}; its slots are {', '.join(sorted(slots))}."
        )
    for slot in sorted(slots - set(wanted)):
        wanted[slot] = _namesake(session, judges.find(session, main).name, slot)
    rows = {slot: judges.find(session, name, f"/judges/{slot}") for slot, name in wanted.items()}
    if BACKWARD in rows and rows[BACKWARD].tokenizer != rows[MAIN].tokenizer:
        raise invalid(
            f"/judges/{BACKWARD}",
            f"The game holds the bits of two judges against each other, and {rows[BACKWARD].name} reads other tokens "
            f"than {rows[MAIN].name}. Take twins, such as pocket and pocket-backward.",
        )
    return {slot: row.identity for slot, row in rows.items()}


def _usual(session: Session, slots: Collection[str], at_work: Sequence[str]) -> str | None:
    """The main judge where nobody says which: the first at work that has a twin for each of the slots, else the
    first of all."""
    names = {judge.identity: judge.name for judge in judges.everyone(session)}
    for identity in at_work:
        if all(f"{names.get(identity)}-{slot}" in names.values() for slot in slots):
            return identity
    return next(iter(at_work), None)


def _namesake(session: Session, main: str, slot: str) -> str:
    """The judge that is meant where nobody says which: the main one's twin of that name, as in pocket-backward."""
    names = {judge.name for judge in judges.everyone(session)}
    for name in (f"{main}-{slot}", slot):
        if name in names:
            return name
    raise invalid("/judges", say("The game asks a judge {slot}; say which judge that is.", slot=repr(slot)))


def check_passages(program: Program, passages: Sequence[str]) -> list[str]:
    if len(passages) != program.passages:
        told = say(
            "{game} takes {count} passage, not {given}.",
            "{game} takes {count} passages, not {given}.",
            game=program.title,
            count=program.passages,
            given=len(passages),
        )
        raise invalid("/passages", told)
    return [clean(text, f"/passages/{i}", what=say("The passage")) for i, text in enumerate(passages)]


def check_window(opens_at: datetime | None, closes_at: datetime | None, at: datetime) -> None:
    for pointer, moment in (("/opens_at", opens_at), ("/closes_at", closes_at)):
        if moment is not None and moment.tzinfo is None:
            raise invalid(pointer, "The time needs a zone, as in 2026-01-31T12:00:00Z.")
        if moment is not None and abs(moment - at) > FARTHEST:
            raise invalid(pointer, say("The time is more than a hundred years away. Look at its year."))
    if closes_at and opens_at and closes_at <= opens_at:
        raise invalid("/closes_at", "The round would close before it opens.")
    if closes_at and closes_at <= at:
        raise invalid("/closes_at", say("The end of the round is past already."))


def check_fit(session: Session, program: Program, round_: Round, identities: Mapping[str, str]) -> None:
    check_setup(program, engine_setup(session, program, round_, identities).setup)


def check_setup(program: Program, setup: Setup) -> None:
    """Raises `RequestError` where nobody could play it."""
    try:
        check_round(program, setup)
    except SetupError as error:
        raise invalid("/passages", say("This round could not be played: {reason}.", reason=str(error))) from None
