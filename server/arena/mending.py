"""What a worker or a build measured that nobody believes, measured again by others: the bits go, and the rounds in
which they may count are scored again, aside. A host sees who moves by that, and lets the new scores count.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, delete, exists, select, update
from sqlalchemy.orm import Session

from server.arena import rescorings, round_setup
from server.arena.outbox import Outbox
from server.arena.validation import new_id
from server.db.models import Measurement, PendingMeasurement, Play, Round, RoundJudge, Submission
from server.db.rescorings import Rescore, RescoredPlay, Rescoring
from server.db.session import now
from server.db.states import Blamed, RescoringState, SubmissionState, WorkState
from server.db.trust import Check, Distrusted

LANE = "bots-rest"  # behind whoever plays


@dataclass(frozen=True, slots=True)
class Mended:
    """How many measurements are made again, and the rescorings of rounds in which they may count."""

    measurements: int = 0
    rescorings: Sequence[Rescoring] = ()


def left() -> Select[Distrusted]:
    """Those of whom it is not done."""
    return select(Distrusted).where(~Distrusted.mended)


def go_on(session: Session, _: Outbox) -> bool:
    """See to those of whom it is not done, and once more to those of whom a host has just said so: a result of theirs
    may have been taken in that moment. Is there more to do at once?"""
    query = left().order_by(Distrusted.at, Distrusted.name).limit(1)
    found = session.scalars(query.with_for_update(skip_locked=True)).one_or_none()
    if found is None:
        return False
    mend(session, found)
    found.mended = True
    return True


def mend(session: Session, distrusted: Distrusted) -> Mended:
    """Have all of theirs measured again."""
    theirs = (of(distrusted, Measurement), Measurement.state == WorkState.KNOWN)
    rounds = _rounds(session, theirs)
    _do_again(session, [each.id for each in rounds])
    again = select(Measurement.key).where(*theirs)
    session.execute(delete(Check).where(Check.measurement.in_(again) | of(distrusted, Check)))
    asked_by_plays = exists().where(PendingMeasurement.key == Measurement.key)
    # They are nobody's waiting moves, and deleted with the play.
    session.execute(update(Measurement).where(*theirs, asked_by_plays).values(player_id=None))
    values = {
        "state": WorkState.PENDING,
        "tries": 0,
        "lane": LANE,
        "queued_at": now(session),
        **dict.fromkeys(("bits", "build", "worker", "finished_at"), None),
    }
    count = session.execute(update(Measurement).where(*theirs).values(values)).rowcount  # type: ignore[attr-defined]
    session.expire_all()
    return Mended(count, [_begin(session, each) for each in rounds])


def of(distrusted: Distrusted, model: type[Measurement | Check]) -> ColumnElement[bool]:
    """A lent worker is meant by its token."""
    if distrusted.kind is Blamed.BUILD:
        return model.build == distrusted.name
    return (model.worker == distrusted.name) | model.worker.startswith(f"{distrusted.name}/", autoescape=True)


def _rounds(session: Session, theirs: Sequence[ColumnElement[bool]]) -> Sequence[Round]:
    """The rounds with a score in which theirs may count: a play waited for it, or it is of a text of the round, which
    another round may have asked for first."""
    scored = exists().where(
        Submission.round_id == Round.id, Submission.state == SubmissionState.SCORED, ~Submission.practice
    )
    waited = select(Play.round_id).join(PendingMeasurement).join(Measurement).where(*theirs)
    found = set(session.scalars(waited.distinct()))
    judges = select(Measurement.judge).where(*theirs).distinct()
    bound = select(RoundJudge.round_id).where(RoundJudge.identity.in_(judges))
    rounds = session.scalars(select(Round).where(scored, Round.id.in_(bound) | Round.id.in_(found)).order_by(Round.id))
    measured = dict[str, bool]()

    def asked(text: str) -> bool:
        if text not in measured:
            measured[text] = bool(session.scalar(select(exists().where(*theirs, Measurement.text == text))))
        return measured[text]

    return [each for each in rounds if each.id in found or any(map(asked, each.passages))]


def _do_again(session: Session, rounds: Sequence[str]) -> None:
    """Rescorings of these rounds that are aside begin again."""
    running = select(Rescoring.id).where(Rescoring.state == RescoringState.RUNNING)
    plays = select(Play.id).where(Play.round_id.in_(rounds))
    numbers = select(Submission.number).where(Submission.round_id.in_(rounds))
    session.execute(delete(Rescore).where(Rescore.rescoring_id.in_(running), Rescore.number.in_(numbers)))
    here = (RescoredPlay.rescoring_id.in_(running), RescoredPlay.play_id.in_(plays))
    session.execute(update(RescoredPlay).where(*here).values(done=False, reason=None, events=[], build=None))


def _begin(session: Session, round_: Round) -> Rescoring:
    """Score a round again as it is scored; where that is begun already, it goes on."""
    named = select(Submission.rescoring_id).where(Submission.round_id == round_.id).distinct()
    applied = session.scalars(
        select(Rescoring).where(Rescoring.id.in_(named)).order_by(Rescoring.ended_at.desc()).limit(1)
    ).one_or_none()
    judges = applied.judges if applied else dict(round_setup.setup_of(session, round_).identities)
    profile = applied.profile if applied else round_.profile
    running = (Rescoring.round_id == round_.id, Rescoring.state == RescoringState.RUNNING)
    for each in session.scalars(select(Rescoring).where(*running)):
        if (each.judges, each.profile) == (judges, profile):
            return each
    rescorings.begin(session, id_ := new_id("res"), round_, judges, profile)
    return session.get_one(Rescoring, id_)
