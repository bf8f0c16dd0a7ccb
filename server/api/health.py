"""For whoever watches the server: is it alive, can it serve, how is it doing."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text

from server import metrics
from server.api import schemas
from server.arena import judges
from server.errors import Unavailable
from server.http import condition
from server.http.requests import ContextOf
from server.queue.messages import RedisError

#: A row that every database has, written as it was.
REWRITE = "UPDATE alembic_version SET version_num = version_num"

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def get_health() -> dict[str, str]:
    """This process answers."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"model": schemas.Readiness, "description": "Not ready"}})
async def get_readiness(context: ContextOf, response: Response) -> schemas.Readiness:
    """Database and Redis take writes; per judge, how many workers serve it and how many jobs wait."""
    database = redis = True
    found: dict[str, schemas.JudgeReadiness] = {}
    troubles: list[str] = []
    try:
        await context.write(lambda session, _: session.execute(text(REWRITE)))
    except Unavailable as error:
        database = False
        troubles.append(error.detail)
    try:
        await context.learn_of_workers()
        for row in await context.read(judges.everyone) if database else ():
            depth, workers = await context.queue.depth(row.identity), len(context.workforce.serving(row.identity))
            found[row.identity] = schemas.JudgeReadiness(name=row.name, workers=workers, queue=depth)
    except (RedisError, Unavailable):
        redis = False
    told = context.workforce.troubles
    redis = redis and all(each == condition.DISK_FULL for each in told)
    if database:
        database = condition.DISK_FULL not in told
    else:  # it is told already
        told = tuple(each for each in told if each != condition.DISK_FULL)
    troubles += told
    ready = database and redis
    response.status_code = 200 if ready else 503
    return schemas.Readiness(ready=ready, database=database, redis=redis, troubles=troubles, judges=found)


@router.get("/metrics", include_in_schema=False)
async def figures() -> Response:
    """Prometheus."""
    return Response(metrics.told(), media_type=CONTENT_TYPE_LATEST)
