"""What of the lab its host has left open to players: the whole of it, and each experiment by itself."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from games.sentences import say
from server.arena.unit import Unit
from server.db.lab import ClosedExperiment, ClosedLab
from server.db.states import LabExperiment
from server.errors import forbidden

CLOSED = say("The host has closed the lab.")
CLOSED_EXPERIMENT = say("The host has closed this experiment of the lab.")


def is_open(session: Session, competition_id: str) -> bool:
    """Has its host left the lab open to players?"""
    return session.get(ClosedLab, competition_id) is None


def closed_experiments(session: Session, competition_id: str) -> list[LabExperiment]:
    """Those that its host has closed one by one, in the order in which pages show them."""
    query = select(ClosedExperiment.experiment).where(ClosedExperiment.competition_id == competition_id)
    closed = set(session.scalars(query))
    return [each for each in LabExperiment if each in closed]


def open_experiments(unit: Unit) -> list[LabExperiment]:
    """Those that the caller may use, as far as hosts decide it."""
    competition = unit.caller.competition
    if competition is None or not unit.caller.player:
        return list(LabExperiment)
    if not is_open(unit.session, competition):
        return []
    closed = closed_experiments(unit.session, competition)
    return [each for each in LabExperiment if each not in closed]


def require(unit: Unit, experiment: LabExperiment) -> None:
    """Raises `RequestError` where the caller is a player whose host has closed the lab, or this experiment."""
    found = open_experiments(unit)
    if experiment not in found:
        raise forbidden(CLOSED_EXPERIMENT if found else CLOSED)


def set_open(unit: Unit, competition_id: str, *, open_: bool) -> None:
    """Open the lab or close it. The caller looks whether they may."""
    row = unit.session.get(ClosedLab, competition_id)
    if open_ and row is not None:
        unit.session.delete(row)
    elif not open_ and row is None:
        unit.session.add(ClosedLab(competition_id=competition_id, closed_at=unit.now))
    unit.session.flush()


def set_closed(unit: Unit, competition_id: str, closed: Collection[LabExperiment]) -> None:
    """Close these experiments and open all others. The caller looks whether they may."""
    query = select(ClosedExperiment).where(ClosedExperiment.competition_id == competition_id)
    rows = {row.experiment: row for row in unit.session.scalars(query)}
    for experiment in LabExperiment:
        if experiment in rows and experiment not in closed:
            unit.session.delete(rows[experiment])
        elif experiment in closed and experiment not in rows:
            row = ClosedExperiment(competition_id=competition_id, experiment=experiment, closed_at=unit.now)
            unit.session.add(row)
    unit.session.flush()
