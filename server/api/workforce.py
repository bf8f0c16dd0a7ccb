"""Workers as the API shows them."""

from pydantic import BaseModel, Field

from server.api import schemas, views
from server.arena.unit import Unit
from server.arena.workforce import Workforce
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


class Workers(schemas.Items[Worker]):
    ignored: list[Ignored] = Field(
        max_length=MOST_IGNORED,
        description="What was announced in the last ten minutes and not understood, the newest first.",
    )


def shown(unit: Unit, seen: Workforce, *, cursor: str | None, limit: int) -> Workers:
    page = views.items(_worker, cursor, limit)(unit, sorted(seen.workers, key=lambda worker: worker.id))
    ignored = [Ignored(who=each.who, reason=each.reason) for each in seen.ignored]
    return Workers(items=page.items, next=page.next, ignored=ignored)


def _worker(_: Unit, worker: messages.Worker) -> Worker:
    return Worker(id=worker.id, build=worker.build, judges={judge: worker.rates.get(judge) for judge in worker.judges})
