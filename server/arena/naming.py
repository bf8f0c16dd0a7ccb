"""Which judge a name means. Packaged names mean the packaged judges, by digest; any other the judge that a worker of
our own brought first under it, or that a host has given it to. The rest go by the name with some of their identity
behind it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from games.sentences import say
from judge.loading.named import NAMED
from judge.loading.retired import RETIRED
from server.arena import audit, callers
from server.arena.outbox import Outbox
from server.arena.unit import Unit
from server.db.models import Judge
from server.errors import conflict, not_found


def packaged(name: str) -> Sequence[str] | None:
    """The identities that a packaged name may mean, those of earlier versions among them; None for any other name."""
    if name not in NAMED:
        return None
    return (*NAMED[name], *(identity for identity, retired in RETIRED.items() if retired == name))


def name_of(session: Session, info: Mapping[str, Any]) -> str:
    """What a judge goes by that was announced just now. Nobody vouches for one that a lent machine brought."""
    name, identity = str(info["name"]), str(info["identity"])
    if (known := packaged(name)) is not None:
        free = identity in known
    else:
        free = not info.get("lent") and _holder(session, name) is None
    return name if free else _apart(name, identity)


def brought_name(identity: str, name: str) -> str:
    """The name that a judge brought, whether it goes by it or not."""
    return name.removesuffix(_suffix(identity))


def wanted_name(judge: Judge) -> str | None:
    """The name that a judge brought and does not have; None where it has it."""
    wanted = brought_name(judge.identity, judge.name)
    return None if wanted == judge.name else wanted


def name_own(session: Session, _: Outbox, *, served: Iterable[str]) -> None:
    """Judges that workers of our own serve get their names, as far as these are free."""
    for judge in session.scalars(select(Judge).where(Judge.identity.in_(list(served))).order_by(Judge.identity)):
        wanted = wanted_name(judge)
        if wanted is not None and packaged(wanted) is None and _holder(session, wanted) is None:
            judge.name = wanted
            session.flush()


def accept(unit: Unit, identity: str) -> Judge:
    """Give a judge the name that it brought; who had it goes by a longer one. The server's owner only, since hosts name
    judges in all rounds. Rounds that there are keep their judges. Raises `RequestError`."""
    callers.require_owner(unit.caller)
    judge = unit.session.get(Judge, identity)
    if judge is None:
        raise not_found("There is no judge {name}.", identity)
    wanted = wanted_name(judge)
    if wanted is None:
        return judge
    if packaged(wanted) is not None:
        told = say("{name} is the name of a packaged judge, and this is another one.", name=wanted)
        raise conflict("packaged-name", "Packaged name", told)
    for other in unit.session.scalars(select(Judge).where(Judge.name == wanted)):
        other.name = _apart(wanted, other.identity)
    before, judge.name = judge.name, wanted
    unit.session.flush()
    audit.record(unit, "judge.accept", identity, before=before, after=wanted)
    return judge


def _holder(session: Session, name: str) -> str | None:
    return session.scalars(select(Judge.identity).where(Judge.name == name).limit(1)).first()


def _apart(name: str, identity: str) -> str:
    return name + _suffix(identity)


def _suffix(identity: str) -> str:
    return f"@{identity[:12]}"
