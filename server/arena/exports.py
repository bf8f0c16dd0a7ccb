"""A competition's results and moves, for hosts to keep and to calculate with.

Each is read a portion at a time out of one transaction, so that a hundred thousand moves take no more memory than a few
hundred.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, Subquery, func, select
from sqlalchemy.orm import aliased

from games.protocol import MAIN
from server.arena import callers, competitions, rounds, second_judges, totals
from server.arena.unit import Unit
from server.db.boards import Standing
from server.db.models import Attempt, Audit, Judge, Play, Player, Round, RoundJudge, Submission, Team
from server.db.rescorings import Rescoring

PORTION = 200  # rows that are in memory at a time
Row = dict[str, Any]
RESULTS = (
    "player", "player_id", "kind", "round", "title", "best_bits", "percent_saved", "attempts", "best_at", "external_id",
    "team", "second_judge", "second_bits",
)  # fmt: skip
MOVES = (
    "submission", "player", "player_id", "round", "round_id", "play", "seat", "moves", "bits", "state", "rewards",
    "judge", "judge_identity", "profile", "build", "accepted_at", "finished_at", "hidden", "practice",
    "second_judge", "second_judge_identity", "second_bits",
)  # fmt: skip


def results(unit: Unit, competition_id: str) -> Iterator[Row]:
    """A row for each player in each round that they have tried, in the order of the rounds. For watchers."""
    callers.require_watcher(unit.caller, competition_id)
    competition = competitions.find(unit.session, competition_id)
    found = rounds.of_competition(unit.session, competition.id)
    titles = {round_.id: rounds.title_of(unit.session, round_) for round_ in found}
    second = _best_by_second(unit, competition.id)
    query = (
        select(
            Player.id, Player.name, Player.kind, Player.external_id, Team.name.label("team"),
            Round.id.label("round"), Round.number, Attempt.used,
            Standing.millibits, Submission.passage_millibits, Submission.accepted_at,
            second.c.judge.label("second_judge"), second.c.millibits.label("second_millibits"),
        )
        .select_from(Attempt)
        .join(Player, Player.id == Attempt.player_id)
        .join(Round, Round.id == Attempt.round_id)
        .outerjoin(Team, (Team.id == Player.team_id) & Team.deleted_at.is_(None))
        .outerjoin(Standing, (Standing.round_id == Round.id) & (Standing.player_id == Player.id))
        .outerjoin(Submission, Submission.number == Standing.number)
        .outerjoin(second, (second.c.round_id == Round.id) & (second.c.player_id == Player.id))
        .where(Round.id.in_(titles), Player.removed.is_(False))
        .order_by(Round.number, Standing.millibits.desc().nulls_last(), Standing.number, Player.joined_at, Player.id)
    )  # fmt: skip
    return (_result(row, titles) for row in _streamed(unit, query))


def _best_by_second(unit: Unit, competition_id: str) -> Subquery:
    """Each player's best by the second judge of a round, once its moves are revealed."""
    told = second_judges.revealed_scores(unit.session, competition_id).subquery()
    best = func.max(told.c.millibits).label("millibits")
    query = select(Submission.round_id, Submission.player_id, func.max(told.c.name).label("judge"), best)
    query = query.join(told, told.c.number == Submission.number).where(~Submission.hidden, ~Submission.practice)
    return query.group_by(Submission.round_id, Submission.player_id).subquery()


def _result(row: Any, titles: dict[str, str]) -> Row:
    return {
        "player": row.name,
        "player_id": row.id,
        "kind": row.kind,
        "round": row.number,
        "title": titles[row.round],
        "best_bits": _bits(row.millibits),
        "percent_saved": totals.percent(row.millibits, row.passage_millibits),
        "attempts": row.used,
        "best_at": row.accepted_at,
        "external_id": row.external_id,
        "team": row.team,
        "second_judge": row.second_judge,
        "second_bits": _bits(row.second_millibits),
    }


def moves(unit: Unit, competition_id: str) -> Iterator[Row]:
    """A row for each submission, in the order of acceptance, those of removed players too. For watchers."""
    callers.require_watcher(unit.caller, competition_id)
    competition = competitions.find(unit.session, competition_id)
    main = aliased(RoundJudge)
    judge = func.coalesce(Rescoring.judges[MAIN].as_string(), main.identity)
    second = second_judges.revealed_scores(unit.session, competition.id).subquery()
    query = (
        select(
            Submission.id, Player.name, Player.id.label("player"), Round.number, Round.id.label("round"),
            func.coalesce(Rescoring.profile, Round.profile).label("profile"),
            Submission.seat, Submission.state, Submission.millibits, Submission.rewards,
            Submission.build, Submission.hidden, Submission.practice, Submission.accepted_at, Submission.finished_at,
            Play.id.label("play"), Play.moves, Judge.name.label("judge"), Judge.identity,
            second.c.name.label("second_judge"), second.c.identity.label("second_identity"),
            second.c.millibits.label("second_millibits"),
        )
        .join(Play, Play.id == Submission.play_id)
        .join(Player, Player.id == Submission.player_id)
        .join(Round, Round.id == Submission.round_id)
        .join(main, (main.round_id == Round.id) & (main.slot == MAIN))
        .outerjoin(Rescoring, Rescoring.id == Submission.rescoring_id)
        .join(Judge, Judge.identity == judge)
        .outerjoin(second, second.c.number == Submission.number)
        .where(Round.competition_id == competition.id)
        .order_by(Submission.number)
    )  # fmt: skip
    return map(_move, _streamed(unit, query))


def _move(row: Any) -> Row:
    return {
        "submission": row.id,
        "player": row.name,
        "player_id": row.player,
        "round": row.number,
        "round_id": row.round,
        "play": row.play,
        "seat": row.seat,
        "moves": [move["text"] for move in row.moves if move["seat"] == row.seat],
        "bits": _bits(row.millibits),
        "state": row.state,
        "rewards": row.rewards or {},
        "judge": row.judge,
        "judge_identity": row.identity,
        "profile": row.profile,
        "build": row.build,
        "accepted_at": row.accepted_at,
        "finished_at": row.finished_at,
        "hidden": row.hidden,
        "practice": row.practice,
        "second_judge": row.second_judge,
        "second_judge_identity": row.second_identity,
        "second_bits": _bits(row.second_millibits),
    }


def audit(unit: Unit) -> Iterator[Row]:
    """All that hosts did, in order. The owner only."""
    callers.require_owner(unit.caller)
    query = select(Audit.number, Audit.at, Audit.token_id, Audit.action, Audit.target, Audit.detail).order_by(
        Audit.number
    )
    return (
        {
            "number": row.number,
            "at": row.at,
            "host": row.token_id,
            "action": row.action,
            "target": row.target,
            "before": row.detail.get("before"),
            "after": row.detail.get("after"),
            "detail": {name: value for name, value in row.detail.items() if name not in ("before", "after")},
        }
        for row in _streamed(unit, query)
    )


def _streamed(unit: Unit, query: Select[*tuple[Any, ...]]) -> Iterator[Any]:
    return iter(unit.session.execute(query.execution_options(yield_per=PORTION)))


def _bits(millibits: int | None) -> float | None:
    return None if millibits is None else millibits / 1000
