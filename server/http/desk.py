"""Where moves that begin a play are accepted: whatever waits goes in together, in one transaction.

There is one desk a process. A move that comes while nothing is at work is begun at once, alone; what comes meanwhile is
the next group, one of each participant in turn, so that nobody waits for all that somebody else has sent. The engine
looks at a group before its transaction, for as much work as others may be held up by.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from server.arena.acceptance import Begun, Foreknown, Order, Place, accept, foresee
from server.arena.outbox import Outbox
from server.arena.unit import Unit
from server.db.models import Submission
from server.errors import RequestError, ServerError, Unavailable
from server.http.context import AppContext
from server.metrics import ACCEPTED

log = structlog.get_logger()

V = TypeVar("V")

AT_ONCE = 128  # orders of one transaction
GroupView = Callable[[Unit, Sequence[Submission]], Sequence[V]]


@dataclass(frozen=True, slots=True)
class Taken(Generic[V]):
    """A step that was accepted. fresh: this request took it. shown: what the view made of its submission."""

    submission: str
    fresh: bool
    kind: str
    shown: V


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An order, the view of its submission, and who waits for it."""

    order: Order
    view: GroupView[Any]
    answer: asyncio.Future[Taken[Any]]

    def fail(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class _Lines:
    """Those that wait: a line for each participant, in which their own stay in order."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str | None, deque[_Waiting]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, coming: Sequence[_Waiting]) -> None:
        for each in coming:
            self._lines.setdefault(each.order.token, deque()).append(each)

    def put_back(self, taken: Sequence[_Waiting]) -> None:
        """Before all others."""
        for each in reversed(taken):
            self._lines.setdefault(each.order.token, deque()).appendleft(each)
            self._lines.move_to_end(each.order.token, last=False)

    def take(self, most: int) -> list[_Waiting]:
        """The first of each line in turn."""
        taken = list[_Waiting]()
        while self._lines and len(taken) < most:
            token, line = self._lines.popitem(last=False)
            taken.append(line.popleft())
            if line:
                self._lines[token] = line
        return taken


@dataclass(slots=True)
class _Group:
    """What became of some orders, filled in step by step: each was begun, or is refused; then each has its view."""

    outbox: Outbox
    begun: Sequence[Begun | RequestError]
    shown: dict[int, Any] = field(default_factory=dict)


class Desk:
    """Accepts orders. Everything happens on the event loop, but for what is done with the database."""

    def __init__(self, context: AppContext) -> None:
        self.context = context
        self._waiting = _Lines()
        self._at_work: asyncio.Task[None] | None = None
        self._following: set[asyncio.Task[None]] = set()

    async def take(self, orders: Sequence[Order], view: GroupView[V]) -> list[Taken[V] | ServerError]:
        """What became of each order, in order; raises what is no refusal. view: of those that were accepted, several
        at a time, after their commit; on behalf of nobody."""
        loop = asyncio.get_running_loop()
        waiting = [_Waiting(order, view, loop.create_future()) for order in orders]
        self._waiting.add(waiting)
        if self._at_work is None:
            self._at_work = loop.create_task(self._work())
        taken = await asyncio.gather(*(each.answer for each in waiting), return_exceptions=True)
        return [_told(each) for each in taken]

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._serve(self._waiting.take(AT_ONCE))
        finally:
            self._at_work = None

    async def _serve(self, group: Sequence[_Waiting]) -> None:
        try:
            left = await self._accept(group)
        except Unavailable as error:
            for each in group:
                each.fail(error)
        except BaseException as error:
            if len(group) == 1 or not isinstance(error, Exception):
                for each in group:
                    each.fail(error)
                if not isinstance(error, Exception):
                    raise
                return
            log.exception("desk.group_broken", size=len(group))
            for each in group:  # one that is broken must not take the others with it
                await self._serve([each])
        else:
            self._waiting.put_back(left)

    async def _accept(self, group: Sequence[_Waiting]) -> Sequence[_Waiting]:
        """Accept the first of a group, and have them answered. Returns those that are left for the next one."""
        orders = [each.order for each in group]
        foreknown = await self.context.read_at_once(lambda session: foresee(self._place(session, Outbox()), orders))
        taken, left = group[: len(foreknown)], group[len(foreknown) :]
        done = await self.context.in_thread(partial(self._commit, taken, foreknown))
        following = asyncio.create_task(self._follow_up(taken, done))
        self._following.add(following)  # the loop itself holds on to none
        following.add_done_callback(self._following.discard)
        return left

    def _place(self, session: Session, outbox: Outbox) -> Place:
        return Place(session, outbox, self.context.settings, self.context.workforce)

    def _commit(self, taken: Sequence[_Waiting], foreknown: Sequence[Foreknown]) -> _Group:
        orders = [each.order for each in taken]

        def work(session: Session) -> _Group:
            outbox = Outbox()
            return _Group(outbox, accept(self._place(session, outbox), orders, foreknown))

        session, group = self.context.database.commit(work)
        try:
            self.context.database.look(session, partial(self._show, session, taken, group))
        except Exception as error:  # what is committed is to be queued and told all the same
            group.shown = dict.fromkeys(range(len(taken)), error) | group.shown
        return group

    def _show(self, session: Session, taken: Sequence[_Waiting], group: _Group) -> None:
        """Make the views that are not made yet."""
        unit = self._place(session, group.outbox).unit(None)
        for view in {each.view for each in taken}:
            rows = {
                i: begun.submission
                for i, (each, begun) in enumerate(zip(taken, group.begun, strict=True))
                if each.view is view and isinstance(begun, Begun) and i not in group.shown
            }
            try:
                group.shown |= zip(rows, view(unit, list(rows.values())), strict=True)
            except DBAPIError:
                raise
            except Exception as error:
                group.shown |= dict.fromkeys(rows, error)

    async def _follow_up(self, taken: Sequence[_Waiting], group: _Group) -> None:
        """Ring, then answer."""
        try:
            await self.context.follow_up(group.outbox)
        finally:
            for i, (each, begun) in enumerate(zip(taken, group.begun, strict=True)):
                _answer(each, begun, group.shown.get(i))


def _told(taken: Taken[V] | BaseException) -> Taken[V] | ServerError:
    if isinstance(taken, BaseException) and not isinstance(taken, ServerError):
        raise taken
    return taken


def _answer(waiting: _Waiting, begun: Begun | RequestError, shown: Any) -> None:
    if isinstance(begun, RequestError):
        waiting.fail(begun)
        return
    if begun.fresh:
        ACCEPTED.labels(begun.kind).inc()
    if isinstance(shown, Exception):
        waiting.fail(shown)
    elif not waiting.answer.done():
        waiting.answer.set_result(Taken(begun.id, begun.fresh, begun.kind, shown))
