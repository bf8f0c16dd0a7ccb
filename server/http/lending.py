"""Workers that ask this process for work by HTTP: whose they are, what is asked of the queue for them, and waiting."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from games.sentences import say
from server.errors import Unavailable, forbidden, limited
from server.http.context import AppContext
from server.queue.claiming import Claim
from server.queue.lent import LentClaiming, LentIntroductions
from server.queue.messages import NotLetIn, RedisError, lent_name

log = structlog.get_logger()

T = TypeVar("T")
Gone = Callable[[], Coroutine[Any, Any, None]]  # ends when whoever asked is there no longer

REMEMBERED = 1_000  # workers of which is known how they last claimed; of others it is as if they were new
WAITING = 64  # claims of one token that may wait at a time, each with a connection to Redis


@dataclass(frozen=True, slots=True)
class Lent:
    """A worker's token, as it was found good."""

    token: str
    name: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a worker would like to have. count: measurements. recall: first what it holds and may not know of."""

    count: int
    texts: bool
    block: float  # seconds
    recall: bool


class Lending:
    """What lent workers ask of one API process."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._claiming: OrderedDict[str, LentClaiming] = OrderedDict()
        self._waiting: Counter[str] = Counter()

    def claiming(self, lent: Lent, worker: str, judges: Sequence[str] = ()) -> LentClaiming:
        """The side of a worker; with judges, those that are known here are what it claims for from now on."""
        name = lent_name(lent.token, worker)
        known = tuple(judge for judge in dict.fromkeys(judges) if judge in self._context.judges_known)
        found = self._claiming.pop(name, None)
        if found is None or (judges and found.judges != known):
            found = self._context.queue.lent(name, known)
        self._claiming[name] = found
        if len(self._claiming) > REMEMBERED:
            self._claiming.popitem(last=False)
        return found

    def introductions(self, lent: Lent, worker: str) -> LentIntroductions:
        return self._context.queue.introductions(lent_name(lent.token, worker), lent.token)

    async def claim(self, lent: Lent, claiming: LentClaiming, wanted: Wanted, gone: Gone) -> list[Claim]:
        """Jobs, as soon as there are some, or none after a while; none where the worker is `gone`, or its token ended,
        while it waited."""
        await claiming.refuse_distrusted()
        with self._in_line(lent):
            if wanted.recall and (mine := await claiming.recall(wanted.count, texts=wanted.texts)):
                return mine
            if not claiming.judges:  # none that is known here yet: it has introduced itself a moment ago
                await self._listened(lent, asyncio.sleep(min(wanted.block, 1.0)), gone)
                return []
            if found := await claiming.claim_now(wanted.count, texts=wanted.texts):
                return found
            listen = claiming.listen(block=wanted.block, texts=wanted.texts)
            heard = await self._listened(lent, listen, gone)
            if heard is None:
                return []
            return await claiming.with_others(heard, wanted.count, texts=wanted.texts)

    @contextmanager
    def _in_line(self, lent: Lent) -> Iterator[None]:
        if self._waiting[lent.token] >= WAITING:
            told = say("At most {number} claims of one worker's token may wait at a time.", number=WAITING)
            raise limited("claims", told, 1)
        self._waiting[lent.token] += 1
        try:
            yield
        finally:
            self._waiting[lent.token] -= 1
            if not self._waiting[lent.token]:
                del self._waiting[lent.token]

    async def _listened(self, lent: Lent, listen: Coroutine[Any, Any, T], gone: Gone) -> T | None:
        """What it heard; None where the worker went, its token ended or the server stops before it heard anything."""
        with self._context.live.listening(lent.token) as changed:
            listening = asyncio.create_task(listen)
            ends = [asyncio.create_task(gone()), asyncio.create_task(changed.wait())]
            try:
                if not self._context.live.stopping:
                    await asyncio.wait([listening, *ends], return_when=asyncio.FIRST_COMPLETED)
                if not listening.done():
                    listening.cancel()
                with suppress(asyncio.CancelledError):
                    return await listening
                return None
            finally:
                for each in (listening, *ends):
                    each.cancel()


async def asked(work: Callable[[], Awaitable[T]]) -> T:
    """What the queue answers. Raises `Unavailable` where Redis is away, and 403 where it does not let the worker in."""
    try:
        return await work()
    except NotLetIn as error:
        raise forbidden(str(error)) from error
    except RedisError as error:
        log.warning("queue.away", error=str(error))
        raise Unavailable(
            "queue-away", 503, "Queue away", say("The server cannot reach its queue. Ask again."), retry_after=1
        ) from error
