"""A round's second judge: it measures every play aside, and nobody but hosts and observers sees by what until the moves
are revealed. Words that help any reader keep their place under it; tokens that fool one model fall.

It is a rescoring that begins by itself with the round's first score (`server.arena.rescorings`), so a host may look at
it, apply it and drop it as any other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from games.program import Program
from games.protocol import MAIN
from games.sentences import say
from server.arena import competitions, games, judges, rescoring_previews, rescorings, round_setup, rounds
from server.arena.outbox import Outbox
from server.arena.rescoring_previews import Moved
from server.arena.rescorings import Progress
from server.arena.round_setup import NewRound
from server.arena.unit import Unit
from server.db.models import Game, Judge, Round, Submission
from server.db.rescorings import Rescore, Rescoring, id_of_second
from server.db.states import RescoringState, SubmissionState
from server.errors import RequestError, conflict, invalid, not_found

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SecondView:
    """A round under both judges. players: everybody who stands, by their rank under the second; `before` is by the
    round's judge. kept: how many submissions the second one cannot be asked about."""

    judge: str
    second: str
    progress: Progress
    players: Sequence[Moved]
    kept: int


def choose(session: Session, program: Program, round_: Round, new: NewRound, bound: Mapping[str, str]) -> None:
    """Put the second judge into a round, if it is to have one. Raises `RequestError` where that is no other one, or
    could not measure the round."""
    round_.second_judge = None
    if new.second_judge is None:
        return
    second = judges.find(session, new.second_judge, "/second_judge").identity
    if second == bound[MAIN]:
        told = say("The second judge is the round's own: choose another one, or none.")
        raise invalid("/second_judge", told)
    try:
        identities = _bound(session, program, round_, second)
        if not program.generations:
            round_setup.check_fit(session, program, round_, identities)
    except RequestError as refused:
        told = say("The second judge could not measure this round. {told}", told=refused.detail)
        raise invalid("/second_judge", told) from None
    round_.second_judge = second


def _bound(session: Session, program: Program, round_: Round, second: str) -> dict[str, str]:
    return round_setup.bind_judges(session, program, NewRound(round_.game, (), second), ())


def with_scores() -> Select[Round]:
    """The rounds with a second judge and something for it to score."""
    scored = exists().where(
        Submission.round_id == Round.id, Submission.state == SubmissionState.SCORED, ~Submission.practice
    )
    return select(Round).where(Round.second_judge.is_not(None), scored)


def begin_due(session: Session, _: Outbox) -> bool:
    """Begin with the rounds that have a score by now. There is never more to do at once."""
    known = set(session.scalars(select(Rescoring.id).join(Round).where(Round.second_judge.is_not(None))))
    for round_ in session.scalars(with_scores().order_by(Round.id)):
        id_ = _id_of(round_)
        if id_ not in known:
            _begin(session, round_, id_)
    return False


def _begin(session: Session, round_: Round, id_: str) -> None:
    assert round_.second_judge
    program = games.program(session.get_one(Game, round_.digest))
    try:
        identities = _bound(session, program, round_, round_.second_judge)
    except RequestError:
        log.exception("second_judge.unbound", round=round_.id)
        return
    rescorings.begin(session, id_, round_, identities)


def _id_of(round_: Round) -> str:
    return id_of_second(round_.id, round_.second_judge or "")


def is_second(round_: Round, rescoring: Rescoring) -> bool:
    return round_.second_judge is not None and rescoring.id == _id_of(round_)


def see(unit: Unit, round_id: str) -> SecondView:
    """Both columns, for hosts and observers always, for players once the moves are revealed.

    Raises `RequestError`: 409 before, whether there is a second judge or not.
    """
    round_ = rounds.see(unit, round_id)
    competition = competitions.find(unit.session, round_.competition_id)
    if not unit.caller.watches(competition.id):
        _require_revealed(round_, frozen=competition.frozen_at is not None)
    found = of_round(unit.session, round_)
    if found is None:
        raise not_found("There is nothing of a second judge in round {name}.", round_id)
    return found


def _require_revealed(round_: Round, *, frozen: bool) -> None:
    if round_.revealed is None:
        told = say("What a second judge says, where there is one, stays hidden until the host reveals the moves.")
        raise conflict("round-not-revealed", "Round not revealed", told)
    if frozen:
        raise conflict("boards-frozen", "Boards frozen", say("The host has frozen the boards."))


def of_round(session: Session, round_: Round) -> SecondView | None:
    """None where there is no second judge, nothing is measured by it, or the host has dropped that."""
    rescoring = session.get(Rescoring, _id_of(round_)) if round_.second_judge else None
    if rescoring is None or rescoring.state is RescoringState.DROPPED:
        return None
    main = round_setup.setup_of(session, round_).identities[MAIN]
    return SecondView(
        judge=judges.find(session, main).name,
        second=judges.find(session, rescoring.judges[MAIN]).name,
        progress=rescorings.progress(session, rescoring),
        players=rescoring_previews.moved(session, rescoring),
        kept=len(rescoring_previews.kept(session, rescoring)),
    )


def revealed_scores(session: Session, competition_id: str) -> Select[int, int, str, str]:
    """What second judges said of submissions, in the rounds whose moves are revealed: the submission's number,
    millibits, and the judge's name and identity."""
    there = (Round.competition_id == competition_id, Round.second_judge.is_not(None))
    found = session.scalars(select(Round).where(*there)).all()
    ids = [_id_of(round_) for round_ in found if round_.revealed is not None]
    return (
        select(Rescore.number, Rescore.millibits, Judge.name, Judge.identity)
        .join(Rescoring, Rescoring.id == Rescore.rescoring_id)
        .join(Judge, Judge.identity == Rescoring.judges[MAIN].as_string())
        .where(Rescoring.id.in_(ids), Rescoring.state != RescoringState.DROPPED)
    )


def score_of(session: Session, round_: Round, submission: Submission) -> tuple[Rescoring, Rescore] | None:
    """What the second judge gave a submission, where the moves are revealed and that is not its score anyway."""
    if round_.revealed is None or round_.second_judge is None:
        return None
    rescoring = session.get(Rescoring, _id_of(round_))
    if rescoring is None or submission.rescoring_id == rescoring.id:
        return None
    score = session.get(Rescore, (rescoring.id, submission.number))  # deleted where it is dropped
    return None if score is None else (rescoring, score)
