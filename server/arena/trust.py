"""Whom nobody believes: workers, lent ones by their token, and builds. They get no work, and what they hand in is not
taken. The rows say so; Redis is told, also by every sweep, and keeps them from claiming."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.arena import audit
from server.arena.outbox import Outbox
from server.db.session import insert, now
from server.db.states import Blamed
from server.db.trust import Difference, Distrusted
from server.queue.messages import Result, Worker, party

log = structlog.get_logger()

MOST = 100  # that are shown


@dataclass(frozen=True, slots=True)
class Distrust:
    """workers: by their names, lent ones by their tokens' ids."""

    workers: frozenset[str]
    builds: frozenset[str]

    def meets(self, worker: str, build: str) -> bool:
        return party(worker) in self.workers or worker in self.workers or build in self.builds


def everyone(session: Session) -> Sequence[Distrusted]:
    """The newest of them."""
    return session.scalars(select(Distrusted).order_by(Distrusted.at.desc(), Distrusted.name).limit(MOST)).all()


def differences(session: Session) -> Sequence[Difference]:
    """The newest."""
    return session.scalars(select(Difference).order_by(Difference.number.desc()).limit(MOST)).all()


def distrust(session: Session) -> Distrust:
    named: dict[Blamed, set[str]] = {kind: set() for kind in Blamed}
    for kind, name in session.execute(select(Distrusted.kind, Distrusted.name)):
        named[kind].add(name)
    return Distrust(frozenset(named[Blamed.WORKER]), frozenset(named[Blamed.BUILD]))


def kept_out(session: Session, workers: Iterable[Worker]) -> set[str]:
    """The names under which Redis is to keep them from claiming. workers: those that were heard of."""
    found = distrust(session)
    return {*found.workers, *(each.id for each in workers if each.build in found.builds)}


def believed(session: Session, results: Sequence[Result]) -> Sequence[Result]:
    """Those of results that may be taken; others measure the rest."""
    found = distrust(session)
    taken = [each for each in results if not found.meets(each.worker, each.build)]
    if refused := len(results) - len(taken):
        log.warning("worker.not_believed", count=refused)
    return taken


def stop(session: Session, outbox: Outbox, worker: str) -> None:
    """Nobody believes this worker from now on, since others say otherwise. A lent one goes by its token."""
    name = party(worker)
    if add(session, outbox, Blamed.WORKER, name, audit.SERVER):
        audit.by_server(session, "worker.distrust", name, before=True, after=False)
        log.error("worker.stopped", worker=worker)


def add(session: Session, outbox: Outbox, kind: Blamed, name: str, by: str) -> bool:
    """Is it new?"""
    values = {"kind": kind, "name": name, "at": now(session), "by": by}
    statement = insert(session, Distrusted).values(values).on_conflict_do_nothing(index_elements=["kind", "name"])
    added = session.execute(statement.returning(Distrusted.name)).first() is not None
    outbox.trust = outbox.trust or added
    outbox.tokens.add(name)  # what a lent one waits for ends
    return added
