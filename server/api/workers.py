"""What workers on other machines ask: claims, leases, results. With a worker's token, which opens nothing else."""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from games.sentences import say
from server.api import worker_bodies as bodies
from server.api.json_route import JsonRoute
from server.arena import callers, judges
from server.errors import limited
from server.http.lending import Lending, Lent, Wanted, asked
from server.http.requests import ContextOf, bearer_of

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class WorkRoute(JsonRoute):
    """Its bodies are large, so whose they are is found out before they are read."""

    most = 8 * 2**20

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def known(request: Request) -> Response:
            work = partial(callers.worker, token=bearer_of(request))
            row = await request.app.state.context.read(work)
            request.state.lent = Lent(row.id, row.name or "")
            return await handle(request)

        return known


async def _lent(request: Request) -> Lent:
    lent: Lent = request.state.lent
    return lent


async def _lending(request: Request) -> Lending:
    lending: Lending = request.app.state.lending
    return lending


LentOf = Annotated[Lent, Depends(_lent)]
LendingOf = Annotated[Lending, Depends(_lending)]

router = APIRouter(tags=["workers"], route_class=WorkRoute)


@router.get("/worker")
async def get_worker_token(context: ContextOf, lent: LentOf) -> bodies.WorkerToken:
    """What this token is, and what a worker has to know before it begins."""
    workers = await asked(context.queue.workers)
    mine = [worker.id.partition("/")[2] for worker in workers if worker.id.startswith(f"{lent.token}/")]
    return bodies.WorkerToken(name=lent.name, lease=context.settings.lease, at_work=mine)


@router.post("/worker:announce")
async def announce_worker(lent: LentOf, lending: LendingOf, body: bodies.Announcement) -> bodies.Lacking:
    """This worker lives; to be said every two seconds. Returns which of its judges are to be introduced."""
    book = lending.introductions(lent, body.worker)
    if not await asked(book.may_appear):
        raise _spent()
    return bodies.Lacking(judges=sorted(await asked(partial(book.hello, body.judges, body.build, body.rates))))


@router.post("/worker/tokenizers")
async def add_tokenizer_part(lent: LentOf, lending: LendingOf, body: bodies.TokenizerPart) -> bodies.Size:
    """The next part of a tokenizer; where it does not begin where the one before ended it is left out."""
    book = lending.introductions(lent, body.worker)
    if not await asked(partial(book.may_add, len(body.part))):
        raise _spent()
    return bodies.Size(bytes=await asked(partial(book.add, body.digest, body.start, body.part)))


@router.post("/worker/judges", status_code=204)
async def introduce_judge(context: ContextOf, lent: LentOf, lending: LendingOf, body: bodies.JudgeAnnouncement) -> None:
    """A judge whose tokenizer is there. One that is known stays as it is, and so does what its name means."""
    await context.read(partial(judges.refuse_taken_name, identity=body.identity, name=body.name))
    book = lending.introductions(lent, body.worker)
    if not await asked(book.may_enter):
        raise _spent()
    await asked(partial(book.enter, body.identity, body.facts()))


@router.post("/worker/jobs:claim", response_model=bodies.Jobs)
async def claim_jobs(request: Request, lent: LentOf, lending: LendingOf, body: bodies.ClaimRequest) -> Response:
    """Jobs of these judges, people's first; waits for the first of them. Whoever is gone by then claims nothing."""
    claiming = lending.claiming(lent, body.worker, body.judges)
    wanted = Wanted(body.count, body.texts, body.wait, body.recall)
    found = await asked(partial(lending.claim, lent, claiming, wanted, partial(_gone, request)))
    if found and await request.is_disconnected():
        await asked(partial(claiming.release, [(claim.stream, claim.entry) for claim in found]))
    return Response(bodies.jobs(found), media_type="application/json")


@router.post("/worker/jobs:renew", status_code=204)
async def renew_jobs(lent: LentOf, lending: LendingOf, body: bodies.HeldRequest) -> None:
    """Start the leases of these again, as far as this worker holds them."""
    claiming = lending.claiming(lent, body.worker)
    await asked(partial(claiming.renew, [claiming.held_at(each.place) for each in body.jobs]))


@router.post("/worker/jobs:release", status_code=204)
async def release_jobs(lent: LentOf, lending: LendingOf, body: bodies.HeldRequest) -> None:
    """Let others have these at once, as far as this worker holds them."""
    claiming = lending.claiming(lent, body.worker)
    await asked(partial(claiming.release, [claiming.held_at(each.place) for each in body.jobs]))


@router.post("/worker/jobs:publish")
async def publish_results(lent: LentOf, lending: LendingOf, body: bodies.ResultsRequest) -> bodies.Refused:
    """Results of what this worker holds. Those of anything else are left out, and told."""
    claiming = lending.claiming(lent, body.worker)
    done = [(each.place, each.result) for each in body.results]
    return bodies.Refused(refused=await asked(partial(claiming.hand_in, done)))


@router.post("/worker:leave", status_code=204)
async def leave(lent: LentOf, lending: LendingOf, body: bodies.LeaveRequest) -> None:
    """This worker ends: what it holds is for others."""
    await asked(lending.claiming(lent, body.worker, body.judges).leave)


def _spent() -> Exception:
    told = say("With one worker's token no more names, judges and tokenizers are taken today.")
    return limited("introductions", told, 3_600)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
