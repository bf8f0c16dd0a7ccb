"""Workers as the API shows them."""

from datetime import datetime

from pydantic import BaseModel, Field

from server.api import schemas, views
from server.arena import trust
from server.arena.unit import Unit
from server.arena.workforce import Workforce
from server.db.states import Blamed
from server.queue import messages
from server.queue.announced import MOST_IGNORED


class Worker(BaseModel):
    id: str = Field(description="What it calls itself.", examples=["laptop-4711-5f3a90c2"])
    build: str = Field(description="What computes: device, CPU capability, torch version.")
    judges: dict[str, float | None] = Field(
        description="Identity → measurements a second; null until it has tried.", examples=[{"8864f949": 41.5}]
    )


class Ignored(BaseModel):
    who: str = Field(description="The worker, or the identity of the judge that was announced.")
    reason: str = Field(examples=["judges: Field required"])


class Distrusted(BaseModel):
    """It gets no work, and its results are not taken."""

    kind: Blamed
    name: str = Field(description="A worker, a lent one by its token's id; or a build.", examples=["tok_5f3a90c2"])
    at: datetime
    by: str = Field(description="The id of the host's token; `server` where workers differed.")


class Said(BaseModel):
    worker: str
    build: str
    bits: float = Field(description="What it says that the text has in all.")


class Difference(BaseModel):
    """Workers said of one measurement what cannot both be right."""

    at: datetime
    judge: str
    said: list[Said] = Field(description="In the order in which they measured it.", max_length=3)
    stopped: list[str] = Field(description="Those that get no work any more; none: a host decides.", max_length=3)


class Workers(schemas.Items[Worker]):
    ignored: list[Ignored] = Field(
        max_length=MOST_IGNORED,
        description="What was announced in the last ten minutes and not understood, the newest first.",
    )
    distrusted: list[Distrusted] = Field(max_length=trust.MOST, description="Who is not believed, the newest first.")
    differences: list[Difference] = Field(max_length=trust.MOST, description="The newest first.")


def shown(unit: Unit, seen: Workforce, *, cursor: str | None, limit: int) -> Workers:
    page = views.items(_worker, cursor, limit)(unit, sorted(seen.workers, key=lambda worker: worker.id))
    ignored = [Ignored(who=each.who, reason=each.reason) for each in seen.ignored]
    distrusted = [Distrusted.model_validate(each, from_attributes=True) for each in trust.everyone(unit.session)]
    differences = [Difference.model_validate(each, from_attributes=True) for each in trust.differences(unit.session)]
    return Workers(items=page.items, next=page.next, ignored=ignored, distrusted=distrusted, differences=differences)


def _worker(_: Unit, worker: messages.Worker) -> Worker:
    return Worker(id=worker.id, build=worker.build, judges={judge: worker.rates.get(judge) for judge in worker.judges})
