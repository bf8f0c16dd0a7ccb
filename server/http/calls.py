"""The one way into a use case, for the API and for the pages.

An endpoint asks for a `Read`, a `Write` or one that is charged, and says which use case runs:

    return await call(submissions.see, submission_id)

The call authenticates, opens the transaction, charges the rate and commits; then it makes the view from what the use
case returned, and sends what the transaction left in its outbox.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from server.arena import games, names, players, submissions
from server.arena.acceptance import Order
from server.arena.callers import Caller, authenticate, identify
from server.arena.foresight import Foreseen
from server.arena.games import Uploaded
from server.arena.outbox import Outbox
from server.arena.players import Joined
from server.arena.submissions import Accepted
from server.arena.unit import Unit
from server.db.models import Submission
from server.db.states import PlayerKind
from server.errors import RequestError, ServerError
from server.http.context import AppContext
from server.http.desk import Desk, GroupView, Taken
from server.http.rate_limit import Rates
from server.http.requests import ContextOf, TokenOf
from server.metrics import ACCEPTED

P = ParamSpec("P")
T = TypeVar("T")
V = TypeVar("V")

Admit = Callable[[Session, str | None], Caller | None]
Bound = Callable[[Session, Outbox], tuple[Unit, T]]
View = Callable[[Unit, T], V]


def known(session: Session, token: str | None) -> Caller | None:
    """The caller; None for a visitor, whose token is missing or not good any more."""
    try:
        return authenticate(session, token)
    except RequestError:
        return None


@dataclass(frozen=True, slots=True)
class Call:
    """What both kinds have: for whom, and how a use case gets its unit.

    charged: the bucket that a call is charged to; None: it costs nothing.
    """

    context: AppContext
    token: str | None
    admit: Admit = authenticate
    charged: str | None = None

    def _charge(self) -> "Charge | None":
        return None if self.charged is None else Charge(self.context.rates, self.charged)

    def _run(
        self,
        charge: "Charge | None",
        use_case: Callable[..., T],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        session: Session,
        outbox: Outbox,
    ) -> tuple[Unit, T]:
        caller = self.admit(session, self.token)
        if charge is not None and caller is not None:
            charge(caller)
        unit = Unit(session, outbox, caller, self.context.settings, self.context.workforce)
        return unit, use_case(unit, *args, **kwargs)


def _result(_: Unit, result: T) -> T:
    return result


class Read(Call):
    """Runs a use case that only looks. What it would write is undone."""

    async def __call__(self, use_case: Callable[Concatenate[Unit, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.context.read(partial(self._show, _result, use_case, args, kwargs), self.token)

    async def show(
        self,
        view: View[T, V],
        use_case: Callable[Concatenate[Unit, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> V:
        return await self.context.read(partial(self._show, view, use_case, args, kwargs), self.token)

    async def show_at_once(
        self,
        view: View[T, V],
        use_case: Callable[Concatenate[Unit, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> V:
        """The same as the end of a step that was charged: it waits for no other look."""
        return await self.context.read_at_once(partial(self._show, view, use_case, args, kwargs))

    async def stream(
        self, use_case: Callable[Concatenate[Unit, P], Iterator[T]], *args: P.args, **kwargs: P.kwargs
    ) -> Iterator[T]:
        """What the use case finds, item by item. Blocks, so it is read in a thread."""
        return await self.context.stream(partial(self._show, _result, use_case, args, kwargs))

    def _show(
        self,
        view: View[T, V],
        use_case: Callable[..., T],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        session: Session,
    ) -> V:
        return view(*self._run(self._charge(), use_case, args, kwargs, session, Outbox()))


@dataclass(frozen=True, slots=True)
class Write(Call):
    """Runs a use case and commits."""

    async def __call__(self, use_case: Callable[Concatenate[Unit, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        _, result = await self.context.write(self._bound(use_case, args, kwargs))
        return result

    async def show(
        self,
        view: View[T, V],
        use_case: Callable[Concatenate[Unit, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> V:
        return await self.context.write_and_show(self._bound(use_case, args, kwargs), view)

    async def play(
        self,
        view: View[Submission, V],
        use_case: Callable[Concatenate[Unit, P], Accepted],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> "Taken[V]":
        """A step in a play, counted when it is new."""
        charge = self._charge()
        if before := FORESIGHT.get(use_case):
            kwargs["foreseen"] = await self._foreseen(charge, before, args, kwargs)
        bound = partial(self._run, charge, use_case, args, kwargs)
        taken = await self.context.write_and_show(bound, partial(_taken, view))
        if taken.fresh:
            ACCEPTED.labels(taken.kind).inc()
        return taken

    async def _foreseen(
        self,
        charge: "Charge | None",
        before: Callable[..., Foreseen | None],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Foreseen | None:
        """What the step will lead to; None where it will be refused, and told why by the step itself."""
        try:
            return await self.context.read_at_once(
                lambda session: self._run(charge, before, args, kwargs, session, Outbox())[1]
            )
        except RequestError:
            return None

    def _bound(self, use_case: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Bound[T]:
        return partial(self._run, self._charge(), use_case, args, kwargs)


@dataclass(frozen=True, slots=True)
class Join:
    """Takes somebody in. Whether there is such a code is found out without a write: most who guess are wrong."""

    context: AppContext
    token: str | None
    address: str

    async def __call__(self, view: View[Joined, V], code: str, name: str, kind: PlayerKind) -> V:
        names.chosen(name)
        code, limits = players.tidy_code(code), self.context.join_limits
        limits.try_code(self.address, code)
        try:
            competition = await Read(self.context, self.token, known)(players.require_open, code, kind)
        except RequestError as refused:
            if refused.status != 404:
                limits.was_right(self.address, code)
            raise
        limits.was_right(self.address, code)
        limits.come(competition.id)
        return await Write(self.context, self.token, known).show(view, players.join, code, name, kind)


@dataclass(frozen=True, slots=True)
class Upload:
    """Takes a host's program in. It is looked through before the transaction, one program at a time: that takes as long
    as many moves do. Charged like a move."""

    context: AppContext
    token: str | None

    async def __call__(self, view: View[Uploaded, V], source: str, name: str | None) -> V:
        await self.look_through(source, name)
        return await Write(self.context, self.token).show(view, games.upload, source, name)

    async def look_through(self, source: str, name: str | None) -> None:
        """So that whatever is told of it is known. Raises `RequestError` for a program with errors."""
        await Read(self.context, self.token, charged="")(games.require_uploader)
        await self.context.one_at_a_time(partial(games.look_through, source, name))


@dataclass(frozen=True, slots=True)
class Sent:
    """A move as it was sent, or the wish to begin without one. key: its Idempotency-Key."""

    move: str | None
    key: str | None = None
    practice: bool = False


@dataclass(frozen=True, slots=True)
class Begin:
    """Begins plays of games of one seat, at the desk of the process, each charged like a move."""

    desk: Desk
    token: str | None

    @property
    def context(self) -> AppContext:
        return self.desk.context

    async def __call__(self, view: GroupView[V], round_id: str, sent: Sent) -> Taken[V]:
        """A play; with its first move, unless that is still to come."""
        (taken,) = await self.each(view, round_id, [sent])
        if isinstance(taken, ServerError):
            raise taken
        return taken

    async def each(self, view: GroupView[V], round_id: str, sent: Sequence[Sent]) -> list[Taken[V] | ServerError]:
        """Several of them. Each is accepted or refused by itself."""
        rates = self.context.rates
        orders = [Order(self.token, round_id, one.move, one.key, one.practice, Charge(rates, "")) for one in sent]
        return await self.desk.take(orders, view)


#: Of the steps of a play, what can be found out before their transaction.
FORESIGHT: dict[Callable[..., Any], Callable[..., Foreseen | None]] = {
    submissions.move_again: submissions.before_move_again,
}


@dataclass(slots=True)
class Charge:
    """Charges a call once, however often its transaction is run again."""

    rates: Rates
    bucket: str
    paid: bool = False

    def __call__(self, caller: Caller) -> None:
        """Raises `RequestError` (429) where the caller has been too quick."""
        if not self.paid:
            self.rates.spend(f"{self.bucket}{caller.player or caller.token}")
            self.paid = True


def _taken(view: View[Submission, V], unit: Unit, accepted: Accepted) -> Taken[V]:
    row = accepted.submission
    return Taken(row.id, accepted.fresh, unit.caller.kind, view(unit, row))


# Async, although they wait for nothing: the framework runs plain functions in a thread, two switches a request.


async def _read(context: ContextOf, token: TokenOf) -> Read:
    return Read(context, token)


async def _look(context: ContextOf, token: TokenOf) -> Read:
    return Read(context, token, known)


async def _wait(context: ContextOf, token: TokenOf) -> Read:
    return Read(context, token, identify)


async def _write(context: ContextOf, token: TokenOf) -> Write:
    return Write(context, token)


async def _join(request: Request, context: ContextOf, token: TokenOf) -> Join:
    return Join(context, token, request.client.host if request.client else "")


async def _upload(context: ContextOf, token: TokenOf) -> Upload:
    return Upload(context, token)


async def _play(context: ContextOf, token: TokenOf) -> Write:
    return Write(context, token, charged="")


async def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


async def _begin(desk: Annotated[Desk, Depends(_desk)], token: TokenOf) -> Begin:
    return Begin(desk, token)


async def _preview(context: ContextOf, token: TokenOf) -> Read:
    return Read(context, token, charged="preview ")


async def _picture(context: ContextOf, token: TokenOf) -> Read:
    return Read(context, token, charged="picture ")


async def _receipt(context: ContextOf, token: TokenOf) -> Read:
    return Read(context, token, charged="receipt ")


async def _measure(context: ContextOf, token: TokenOf) -> Write:
    return Write(context, token, charged="measure ")


ReadOf = Annotated[Read, Depends(_read)]
WaitOf = Annotated[Read, Depends(_wait)]  # those are let in, too, who wait for a host to do so
VisitOf = Annotated[Read, Depends(_look)]  # visitors are let in
WriteOf = Annotated[Write, Depends(_write)]
JoinOf = Annotated[Join, Depends(_join)]  # visitors are let in
UploadOf = Annotated[Upload, Depends(_upload)]  # charged like a move
PlayOf = Annotated[Write, Depends(_play)]  # charged like a move
BeginOf = Annotated[Begin, Depends(_begin)]
PreviewOf = Annotated[Read, Depends(_preview)]
PictureOf = Annotated[Read, Depends(_picture)]
ReceiptOf = Annotated[Read, Depends(_receipt)]
MeasureOf = Annotated[Write, Depends(_measure)]
