"""What a host says of workers and builds: whom nobody is to believe, and whom again."""

from dataclasses import dataclass

from sqlalchemy import exists, select

from games.sentences import say
from server.arena import audit, callers, mending, trust
from server.arena.mending import Mended
from server.arena.unit import Unit
from server.db.models import Measurement
from server.db.states import Blamed
from server.db.trust import Distrusted
from server.errors import invalid
from server.queue.messages import party


@dataclass(frozen=True, slots=True)
class Stopped:
    """Whom nobody believes from now on, and what others measure instead."""

    row: Distrusted
    mended: Mended


def distrust(unit: Unit, kind: Blamed, name: str) -> Stopped:
    """No more work for a worker, a lent one by its token, or a build, and all that they measured is measured again. The
    server's owner only, since it counts for everybody's rounds. Said twice it changes nothing.

    Raises `RequestError` for what was never heard of.
    """
    callers.require_owner(unit.caller)
    name = party(name) if kind is Blamed.WORKER else name
    _refuse_unknown(unit, kind, name)
    new = trust.add(unit.session, unit.outbox, kind, name, unit.caller.token)
    row = unit.session.get_one(Distrusted, (kind, name))
    mended = mending.mend(unit.session, row) if new else Mended()
    if new:
        audit.record(unit, "worker.distrust", name, before=True, after=False, measurements=mended.measurements)
    return Stopped(row, mended)


def trust_again(unit: Unit, kind: Blamed, name: str) -> None:
    """It may work again. What was measured again meanwhile stays so.

    Raises `RequestError` where nobody distrusts it.
    """
    callers.require_owner(unit.caller)
    row = unit.session.get(Distrusted, (kind, name))
    if row is None:
        raise invalid("/name", say("Nobody distrusts {name}.", name=repr(name)))
    unit.session.delete(row)
    unit.outbox.trust = True
    audit.record(unit, "worker.trust", name, before=False, after=True)


def _refuse_unknown(unit: Unit, kind: Blamed, name: str) -> None:
    workers = (*unit.workforce.workers, *unit.workforce.kept_out)
    heard = any(name == (each.party if kind is Blamed.WORKER else each.build) for each in workers)
    measured = mending.of(Distrusted(kind=kind, name=name), Measurement)
    if not heard and not unit.session.scalar(select(exists().where(measured))):
        told = say("No worker and no build {name} was heard of, or has measured anything.", name=repr(name))
        raise invalid("/name", told)
