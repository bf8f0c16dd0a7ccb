"""Moves that begin a play, accepted together: many in one transaction, and each as if it had come alone.

A move is looked at twice: before the transaction, by the engine, on what can be read (`foresee`), and in it, by one
ordered list of early exits (`accept`). What the exits look at is loaded for all moves with one statement each, and what
is written is written for all of them. A move that is refused has written nothing, so it is in nobody's way.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from games.protocol import Move
from games.sentences import say
from server.arena import admission, callers, idempotency, measurements, plays, quotas, round_setup, rounds
from server.arena.attempts import Attempts, Seat
from server.arena.callers import Caller
from server.arena.foresight import Foreseen, Foresight, question_of
from server.arena.idempotency import Claims, Key, Made
from server.arena.measurements import Requester
from server.arena.outbox import Outbox
from server.arena.plays import Start
from server.arena.unit import Unit
from server.arena.validation import clean, new_id
from server.arena.workforce import Workforce
from server.db.models import Round, Submission
from server.db.states import PlayerKind
from server.errors import RequestError, conflict
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class Order:
    """A play that somebody wants to begin. move: None where it is still to come. key: an Idempotency-Key.

    practice: in a round that has ended; it takes no attempt and counts nowhere.
    charge: raises `RequestError` where the caller has been too quick; called before anything else is done for them.
    """

    token: str | None
    round_id: str
    move: str | None
    key: str | None
    practice: bool
    charge: Callable[[Caller], None]

    @property
    def body(self) -> object:
        return {"move": self.move, "practice": True} if self.practice else self.move


@dataclass(frozen=True, slots=True)
class Begun:
    """A submission that is there now. fresh: this order made it. kind: of its player."""

    id: str
    submission: Submission
    fresh: bool
    kind: PlayerKind


@dataclass(frozen=True, slots=True)
class Place:
    """Where orders are accepted: what every `Unit` of one transaction has."""

    session: Session
    outbox: Outbox
    settings: Settings
    workforce: Workforce

    def unit(self, caller: Caller | None) -> Unit:
        return Unit(self.session, self.outbox, caller, self.settings, self.workforce)


#: Of each order: where its play will stand; None where it will be refused, and told why by `accept`; or the refusal.
Foreknown = Foreseen | None | RequestError


def foresee(place: Place, orders: Sequence[Order]) -> list[Foreknown]:
    """Of the first orders, as many as others should wait for: at least one."""
    known = callers.authenticate_each(place.session, {order.token for order in orders})
    here = select(Round).where(Round.id.in_({order.round_id for order in orders}))
    place.session.scalars(here).all()  # the session holds on to them
    foresight, found, begun = Foresight(place.session), list[Foreknown](), list[int]()
    for order in orders:
        if foresight.full:
            break
        try:
            unit = _charged(place, order, known[order.token])
        except RequestError as refusal:
            found.append(refusal)
            continue
        if _begin(foresight, str(len(found)), unit, order):
            begun.append(len(found))
        found.append(None)
    foreseen = foresight.end()
    for i in begun:
        each = foreseen.get(str(i))
        if each is None:
            return found[:i]
        if isinstance(each, Exception):
            raise each
        found[i] = each
    return found


def _charged(place: Place, order: Order, caller: Caller | RequestError) -> Unit:
    if isinstance(caller, RequestError):
        raise caller
    order.charge(caller)
    return place.unit(caller)


def _begin(foresight: Foresight, name: str, unit: Unit, order: Order) -> bool:
    """Is the play looked at? Not where it will be refused."""
    try:
        callers.player_of(unit.caller)
        round_ = admission.playable(unit, order.round_id, practice=order.practice)
        setup = round_setup.setup_of(unit.session, round_)
        move = _clean(order)
    except RequestError:
        return False
    foresight.begin(name, setup, [] if move is None else [Move(setup.seats[0], move)])
    return True


def accept(place: Place, orders: Sequence[Order], foreknown: Sequence[Foreknown]) -> list[Begun | RequestError]:
    """Begin the plays of these orders, each of which is accepted or refused by itself."""
    cases = [_Case(order, known, new_id("sub")) for order, known in zip(orders, foreknown, strict=True)]
    deciding = _Deciding(place, cases)
    decided = [deciding.decide(case) for case in cases]
    deciding.write()
    starts = [each for each in decided if isinstance(each, Start)]
    there = {row.id: row for row in plays.begin(place.session, place.outbox, starts)}
    seen = {each.id for each in decided if isinstance(each, _Seen)} - there.keys()
    if seen:
        there |= {row.id: row for row in place.session.scalars(select(Submission).where(Submission.id.in_(seen)))}
    return [_begun(each, there) for each in decided]


def _begun(decided: "Start | _Seen | RequestError", there: Mapping[str, Submission]) -> Begun | RequestError:
    if isinstance(decided, RequestError):
        return decided
    if isinstance(decided, _Seen):
        return Begun(decided.id, there[decided.id], fresh=False, kind=decided.kind)
    id_ = decided.submission_id
    return Begun(id_, there[id_], fresh=True, kind=decided.requester.kind)


@dataclass(frozen=True, slots=True)
class _Case:
    """An order, what was foreseen of it, and what its submission will be called."""

    order: Order
    known: Foreknown
    id: str


@dataclass(frozen=True, slots=True)
class _Seen:
    """An earlier request with the same key made this submission."""

    id: str
    kind: PlayerKind


class _Deciding:
    """The list of early exits, and all that it looks at."""

    def __init__(self, place: Place, cases: Sequence[_Case]) -> None:
        self._place = place
        session = place.session
        served = [case for case in cases if not isinstance(case.known, RequestError)]
        self._callers = callers.authenticate_each(session, {case.order.token for case in served})
        self._claims = Claims(session, {key: made for case in reversed(served) for key, made in self._wanted(case)})
        rounds.hold(session, {case.order.round_id for case in served})
        players = {player for case in served if (player := self._player(case.order))}
        self._waiting = measurements.waiting_each(session, players)
        self._kept = quotas.submissions_each(session, players)
        self._asked: set[str] = set()  # what plays of before in this transaction wait for
        self._attempts = Attempts(session, {seat for case in served for seat in self._counted(case.order)})

    def decide(self, case: _Case) -> Start | _Seen | RequestError:
        try:
            return self._decide(case)
        except RequestError as refusal:
            return refusal

    def _decide(self, case: _Case) -> Start | _Seen:
        order, caller = case.order, self._callers.get(case.order.token)
        for refusal in (case.known, caller):
            if isinstance(refusal, RequestError):
                raise refusal
        assert isinstance(caller, Caller)
        unit, player = self._place.unit(caller), callers.player_of(caller)
        for key, made in self._wanted(case):
            if seen := self._claims.made(key, made.body):
                return _Seen(seen, caller.kind)
        move = _clean(order)
        round_ = admission.playable(unit, order.round_id, practice=order.practice)
        setup = round_setup.setup_of(unit.session, round_)
        _refuse_several_seats(setup.seats, order.round_id)
        waiting = self._waiting.get(player, 0)
        measurements.refuse_flood(waiting, unit.settings.pending_limit)
        quotas.refuse_submission(self._kept.get(player, 0), unit.settings.submission_limit)
        if not order.practice:
            self._attempts.reserve(round_, player)
        for key, made in self._wanted(case):
            self._claims.keep(key, made)
        requester = Requester(player, caller.kind, waiting, order.practice)
        assert not isinstance(case.known, RequestError)
        start = Start(round_, setup, requester, case.id, move, case.known)
        self._note_asked(player, start)
        self._kept[player] = self._kept.get(player, 0) + 1
        return start

    def write(self) -> None:
        """Note keys and attempts of what was accepted."""
        self._claims.write()
        self._attempts.write()

    def _note_asked(self, player: str, start: Start) -> None:
        need = start.need.measurements if start.need else ()
        new = {question_of(start.setup, each).key for each in need} - self._asked
        self._asked |= new
        self._waiting[player] = self._waiting.get(player, 0) + len(new)

    def _player(self, order: Order) -> str | None:
        caller = self._callers[order.token]
        return caller.player if isinstance(caller, Caller) else None

    def _wanted(self, case: _Case) -> Iterator[tuple[Key, Made]]:
        """The order's key, where it has one and may."""
        caller, order = self._callers[case.order.token], case.order
        if order.key is not None and isinstance(caller, Caller) and caller.player is not None:
            key = Key(caller.token, f"/rounds/{order.round_id}/submissions", order.key)
            yield key, Made(idempotency.digest(order.body), case.id)

    def _counted(self, order: Order) -> Iterator[Seat]:
        """The round and the player, where their attempts are limited."""
        player, round_ = self._player(order), self._place.session.get(Round, order.round_id)
        if player is not None and round_ is not None and round_.attempts is not None and not order.practice:
            yield round_.id, player


def _refuse_several_seats(seats: Sequence[str], round_id: str) -> None:
    if len(seats) > 1:
        told = say(
            "This game seats {seats}: open a challenge, or take one up, at /api/v1/rounds/{id}/challenges.",
            seats=" and ".join(seats),
            id=round_id,
        )
        raise conflict("several-seats", "Several seats", told)


def _clean(order: Order) -> str | None:
    return None if order.move is None else clean(order.move, "/move", what=say("The move"))
