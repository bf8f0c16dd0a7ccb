"""Standings and boards. Only integers rank: millibits of the best, or, in a round whose players are rated against each
other, thousandths of the rating. Equal ones share a rank, listed by acceptance number."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, TypeVarTuple, cast

from sqlalchemy import ColumnElement, Row, Select, case, delete, func, select
from sqlalchemy.orm import Session

from server.arena import competitions, feed, places, rated_plays, rounds, totals
from server.arena.board_rows import LIVE, BoardRows, event_of, shown_to
from server.arena.outbox import Outbox
from server.arena.ratings import Rating
from server.arena.unit import Unit
from server.caches import SizedCache
from server.db.boards import Standing
from server.db.models import Competition, Player, Round, Submission
from server.db.session import insert
from server.db.states import BotPolicy, PlayerKind, SubmissionState, Total

Shape = TypeVarTuple("Shape")


@dataclass(frozen=True, slots=True)
class Named:
    """A player, as boards have them."""

    id: str
    name: str
    kind: PlayerKind


NAMED = (Player.id, Player.name, Player.kind)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a board. millibits, submission: the player's best, whether it ranks or not; 0 and None for whoever has
    left every play, and None on a board over several rounds. rating: what ranks, where players are rated. total: what
    ranks on a board over several rounds, in thousandths of what the competition adds up; None on others."""

    rank: int
    player: Named
    millibits: int
    number: int
    submission: str | None = None
    rating: Rating | None = None
    total: int | None = None

    @property
    def ranks(self) -> int:
        if self.rating:
            return self.rating.points
        return self.millibits if self.total is None else self.total


@dataclass(frozen=True, slots=True)
class Page:
    """Which lines of a board: so many, after the line that ranks by so much with this number."""

    after: tuple[int, int] | None = None
    limit: int | None = None


WHOLE = Page()


def improve(session: Session, submissions: Sequence[Submission]) -> list[tuple[Round, feed.Entry]]:
    """Note scored submissions; for each that is its player's best and ranks, its round and a feed entry. The earlier of
    equal ones counts."""
    best: dict[tuple[str, str], Submission] = {}
    for each in sorted(submissions, key=lambda each: (each.millibits or 0, -each.number)):
        best[each.round_id, each.player_id] = each
    if not best:
        return []
    values = [
        {"round_id": round_id, "player_id": player, "millibits": each.millibits, "number": each.number}
        for (round_id, player), each in sorted(best.items(), key=lambda each: each[0])
    ]
    statement = insert(session, Standing)
    new = statement.excluded
    level, earlier = new.millibits == Standing.millibits, new.number < Standing.number
    better = (new.millibits > Standing.millibits) | (level & earlier)
    of_new = {"millibits": new.millibits, "number": new.number}
    statement = statement.on_conflict_do_update(index_elements=["round_id", "player_id"], set_=of_new, where=better)
    changed = session.execute(statement.returning(Standing.round_id, Standing.player_id), values)
    rows = [(session.get_one(Round, round_id), player) for round_id, player in sorted(map(tuple, changed))]
    found = [(round_, player) for round_, player in rows if not rated_plays.is_rated(session, round_)]
    return [(round_, _changed(session, round_, player)) for round_, player in found]


def recompute(session: Session, round_: Round, player: str) -> list[feed.Entry]:
    """Find a player's best again, after one of their submissions was hidden or shown; a feed entry if it changed."""
    here = (Standing.round_id == round_.id, Standing.player_id == player)
    before = session.scalars(delete(Standing).where(*here).returning(Standing.number)).one_or_none()
    best = session.scalars(
        select(Submission)
        .where(
            Submission.round_id == round_.id,
            Submission.player_id == player,
            Submission.state == SubmissionState.SCORED,
            Submission.hidden.is_(False),
            Submission.practice.is_(False),
        )
        .order_by(Submission.millibits.desc(), Submission.number)
        .limit(1)
    ).one_or_none()
    entries = [entry for _, entry in improve(session, [best] if best else [])]
    if rated_plays.is_rated(session, round_) or before == (best and best.number):
        return []
    return entries or [_changed(session, round_, player)]


def tell(session: Session, competition_id: str, entries: Sequence[feed.Entry]) -> None:
    """Add to the feed, after rating the plays that are over by now. Locks the competition's row: it comes last."""
    told = list(entries)
    if rated_plays.marked(session, competition_id):
        session.execute(select(Competition.id).where(Competition.id == competition_id).with_for_update(key_share=True))
        for rated in rated_plays.work_off(session, competition_id):
            told += [_changed(session, rated.round, player) for player in rated.players]
    feed.append(session, competition_id, told)


def rate_on(session: Session, outbox: Outbox) -> bool:
    """Rate what one transaction left to the next, or an earlier version to this one. Is there more?"""
    query = rated_plays.competitions_to_rate().order_by(Round.competition_id)
    waiting = session.scalars(query).all()
    for competition_id in waiting[:1]:
        tell(session, competition_id, [])
        outbox.competitions.add(competition_id)
    return bool(waiting)


def of_round(
    session: Session, round_: Round, rows: BoardRows, kind: PlayerKind | None = None, page: Page = WHOLE
) -> list[Entry]:
    """The board of a round, best first."""
    return _read(session, listed(session, round_, rows), kind, page)


@dataclass(frozen=True, slots=True)
class Listed:
    """What a board lists, in which order. query: its rows, from which `entry` makes lines without their rank."""

    query: Select[*tuple[Any, ...]]
    ranks: ColumnElement[Any]
    number: ColumnElement[Any]
    entry: Callable[..., Entry]


def listed(session: Session, round_: Round, rows: BoardRows) -> Listed:
    """The board of a round, before anything of it is read."""
    return _rated(round_, rows) if rated_plays.is_rated(session, round_) else _by_best(round_, rows)


def _by_best(round_: Round, rows: BoardRows) -> Listed:
    standing = rows.standing
    query = (
        select(*NAMED, standing.millibits, standing.number, Submission.id)
        .select_from(Player)
        .join(standing, standing.player_id == Player.id)
        .join(Submission, Submission.number == standing.number)
        .where(standing.round_id == round_.id)
    )
    return Listed(query, _column(standing.millibits), _column(standing.number), partial(Entry, 0))


def _rated(round_: Round, rows: BoardRows) -> Listed:
    """Everybody who has finished a play. Who has left them all has no best."""
    standing, rating = rows.standing, rows.rating
    best = (func.coalesce(standing.millibits, 0), rating.number, Submission.id)
    query = (
        select(*NAMED, *best, rating.mu, rating.sigma, rating.plays)
        .select_from(Player)
        .join(rating, rating.player_id == Player.id)
        .outerjoin(standing, (standing.player_id == Player.id) & (standing.round_id == rating.round_id))
        .outerjoin(Submission, Submission.number == standing.number)
        .where(rating.round_id == round_.id, rating.points.is_not(None))
    )
    return Listed(query, _column(rating.points), _column(rating.number), _rated_entry)


def _rated_entry(player: Named, millibits: int, number: int, submission: str | None, *rating: Any) -> Entry:
    return Entry(0, player, millibits, number, submission, Rating(*rating))


def boards_of_round(session: Session, round_: Round, rows: BoardRows) -> list[list[Entry]]:
    """The boards of a round, each best first: people's and bots' where these stand apart, else everyone's."""
    competition = competitions.find(session, round_.competition_id)
    return [of_round(session, round_, rows, kind) for kind in sides(competition)]


@dataclass(frozen=True, slots=True)
class _Sum:
    """What a player's bests add up to. number: of the latest of them."""

    total: int
    number: int
    player: str
    millibits: int


@dataclass(frozen=True, slots=True)
class _Sums:
    """Those of all who stand, best first, and by player."""

    listed: Sequence[_Sum]
    of: Mapping[str, _Sum]

    def better(self, total: int) -> int:
        return bisect_left(self.listed, -total, key=lambda each: -each.total)


def of_competition(
    session: Session, competition: Competition, rows: BoardRows, kind: PlayerKind | None = None, page: Page = WHOLE
) -> list[Entry]:
    """What every player's best in each round in which the best ranks adds up to, as the competition's total says."""
    sums = _sums(session, competition, rows, kind)
    start = 0 if page.after is None else bisect_right(sums.listed, (-page.after[0], page.after[1]), key=_order)
    shown = sums.listed[start : None if page.limit is None else start + page.limit]
    return _ranked(_named(session, shown), start, sums.better(shown[0].total) if shown else 0)


def _order(each: _Sum) -> tuple[int, int]:
    return -each.total, each.number


def _named(session: Session, sums: Sequence[_Sum]) -> list[Entry]:
    found = session.execute(select(*NAMED).where(Player.id.in_([each.player for each in sums])))
    names = {row.id: Named(*row) for row in found}
    known = [each for each in sums if each.player in names]
    return [Entry(0, names[each.player], each.millibits, each.number, total=each.total) for each in known]


def _sums(session: Session, competition: Competition, rows: BoardRows, kind: PlayerKind | None) -> _Sums:
    """Kept until the next event."""
    work = partial(_add_up, session, competition, rows, kind)
    event = event_of(competition, rows)
    if event is None:
        return work()
    key = (competition.id, event, competition.total, kind)
    return _kept_sums.get(key, work, lambda made: len(made.listed))


#: Sizes in players.
_kept_sums: SizedCache[tuple[str, int, Total, PlayerKind | None], _Sums] = SizedCache(400_000)


def _add_up(session: Session, competition: Competition, rows: BoardRows, kind: PlayerKind | None) -> _Sums:
    standing, rated = rows.standing, set(rated_rounds(session, competition.id))
    here = [each.id for each in rounds.of_competition(session, competition.id) if each.id not in rated]
    worth = totals.worth(competition.total, standing).label("worth")
    query = select(standing.player_id, standing.millibits, standing.number, worth)
    if competition.total == Total.PERCENT:
        query = query.join(Submission, Submission.number == standing.number)
    stand = (standing.round_id.in_(here), standing.player_id.not_in(places.left_out(competition, kind)))
    bests = query.where(*stand).subquery()
    total, first = func.sum(bests.c.worth), func.max(bests.c.number)
    sums = select(bests.c.player_id, func.sum(bests.c.millibits), first, total).group_by(bests.c.player_id)
    found = [_Sum(int(sum_), number, player, int(bits)) for player, bits, number, sum_ in session.execute(sums)]
    return _Sums(sorted(found, key=_order), {each.player: each for each in found})


def own_of_round(unit: Unit, round_: Round) -> Entry | None:
    """The caller's line on the board of a round, as far as they may see it."""
    competition = competitions.find(unit.session, round_.competition_id)
    rows, kind = shown_to(unit.caller, competition), kinds(competition, unit.caller.kind)
    board = listed(unit.session, round_, rows)
    row = unit.session.execute(board.query.where(Player.id == unit.caller.player)).one_or_none()
    if row is None:
        return None
    entry = _entry(board, row)
    return replace(entry, rank=1 + places.ahead(unit.session, round_, entry.ranks, rows, kind))


def own_of_competition(unit: Unit, competition: Competition) -> Entry | None:
    """The caller's line on the board over all rounds, as far as they may see it."""
    rows, kind = shown_to(unit.caller, competition), kinds(competition, unit.caller.kind)
    sums = _sums(unit.session, competition, rows, kind)
    own = sums.of.get(unit.caller.player or "")
    if own is None:
        return None
    (entry,) = _named(unit.session, [own])
    return replace(entry, rank=1 + sums.better(own.total))


def size_of_competition(unit: Unit, competition: Competition, kind: PlayerKind | None) -> int:
    """How many stand on the board over all rounds, as far as the caller may see it."""
    return len(_sums(unit.session, competition, shown_to(unit.caller, competition), kind).listed)


def rated_rounds(session: Session, competition_id: str) -> list[str]:
    """The rounds that add nothing to a competition's board, since their players are rated against each other."""
    found = rounds.of_competition(session, competition_id)
    return [round_.id for round_ in found if rated_plays.is_rated(session, round_)]


def visible(query: Select[*Shape], kind: PlayerKind | None) -> Select[*Shape]:
    """Of players, those whom a board of this kind, or of everybody, shows."""
    query = query.where(Player.removed.is_(False))
    return query if kind is None else query.where(Player.kind == kind)


def _column(attribute: Any) -> ColumnElement[Any]:
    return cast(ColumnElement[Any], attribute)


def _read(session: Session, listed: Listed, kind: PlayerKind | None, page: Page) -> list[Entry]:
    """A page of a board, with the ranks that its lines have on the whole board."""
    ranks, number, query = listed.ranks, listed.number, visible(listed.query, kind)
    shown = query.order_by(ranks.desc(), number).limit(page.limit)
    if page.after is None:
        return _ranked([_entry(listed, row) for row in session.execute(shown)])
    found = [_entry(listed, row) for row in session.execute(shown.where(_behind(listed, *page.after)))]
    if not found:
        return []
    first = (found[0].ranks, found[0].number)
    better = func.coalesce(func.sum(case((ranks > first[0], 1), else_=0)), 0)
    here = query.where(~_behind(listed, *first), ~((ranks == first[0]) & (number == first[1])))
    return _ranked(found, *session.execute(here.with_only_columns(func.count(), better)).one())


def _entry(listed: Listed, row: Row[*tuple[Any, ...]]) -> Entry:
    return listed.entry(Named(*row[:3]), *row[3:])


def _behind(listed: Listed, ranks: int, number: int) -> ColumnElement[bool]:
    return (listed.ranks < ranks) | ((listed.ranks == ranks) & (listed.number > number))


def _ranked(entries: Sequence[Entry], before: int = 0, better: int = 0) -> list[Entry]:
    """Ranks for entries that come best first. before: how many come before them; better: of these, how many rank
    before the first of them, and not beside it."""
    board: list[Entry] = []
    for place, entry in enumerate(entries, start=before + 1):
        if not board:
            rank = better + 1
        elif board[-1].ranks != entry.ranks:
            rank = place
        board.append(replace(entry, rank=rank))
    return board


def _changed(session: Session, round_: Round, player: str) -> feed.Entry:
    """How a player stands now, or that they stand no longer."""
    query = select(Standing.millibits).where(Standing.round_id == round_.id, Standing.player_id == player)
    ranks = millibits = session.scalar(query)
    rating = None
    if rated_plays.is_rated(session, round_):
        rating = rated_plays.of_player(session, player).get(round_.id)
        ranks = rating.points if rating else None
    data = {
        "player": player,
        "round": round_.id,
        "bits": None if ranks is None else (millibits or 0) / 1000,
        "rank": None if ranks is None else 1 + _ahead(session, round_, player, ranks),
        "rating": {"value": rating.value, **asdict(rating)} if rating else None,
    }
    return ("standing.changed", data)


def _ahead(session: Session, round_: Round, player: str, ranks: int) -> int:
    """How many stand before a player by now, on their board."""
    mine = session.get_one(Player, player)
    competition = competitions.find(session, mine.competition_id)
    return places.ahead(session, round_, ranks, LIVE, kinds(competition, mine.kind))


def sides(competition: Competition) -> Sequence[PlayerKind | None]:
    """Whose boards there are; None: one for everyone."""
    return (PlayerKind.PERSON, PlayerKind.BOT) if competition.bots == BotPolicy.SEPARATE else (None,)


def kinds(competition: Competition, asked: PlayerKind | None) -> PlayerKind | None:
    """Which players a board shows: everyone, unless bots stand apart and one side was asked for."""
    return asked if competition.bots == BotPolicy.SEPARATE else None


def see_round(unit: Unit, round_id: str, kind: PlayerKind | None, page: Page = WHOLE) -> list[Entry]:
    """The board of a round of the caller's competition, as far as they may see it."""
    round_ = rounds.see(unit, round_id)
    competition = competitions.find(unit.session, round_.competition_id)
    rows = shown_to(unit.caller, competition)
    return of_round(unit.session, round_, rows, kinds(competition, kind), page)


def see_competition(unit: Unit, competition_id: str, kind: PlayerKind | None, page: Page = WHOLE) -> list[Entry]:
    """The board over all rounds of the caller's competition, as far as they may see it."""
    competition = competitions.see(unit, competition_id)
    rows = shown_to(unit.caller, competition)
    return of_competition(unit.session, competition, rows, kinds(competition, kind), page)


Board = Callable[[Unit, str, PlayerKind | None, Page], list[Entry]]


def unless_known(
    unit: Unit, see: Board, id_: str, kind: PlayerKind | None, page: Page, known: Callable[[int | None], bool]
) -> tuple[int | None, list[Entry] | None]:
    """A page of a board, and the event since which it is so; None for the page where the caller knows it since then."""
    competition_id = rounds.see(unit, id_).competition_id if see is see_round else id_
    competition = competitions.see(unit, competition_id)
    event = event_of(competition, shown_to(unit.caller, competition))
    return event, None if known(event) else see(unit, id_, kind, page)
