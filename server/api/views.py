"""Rows → what the API shows of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import select

from games.preview import Preview
from games.protocol import MAIN, NeedMove
from games.visibility import seen
from judge.profiles import scored_tokens
from server.api import play_events, round_warnings, schemas
from server.arena import attempts, games, judges, measurements, queue_positions, round_making, round_setup, rounds
from server.arena.challenges import Challenge
from server.arena.games import Uploaded
from server.arena.hosts import Issued
from server.arena.lab_doors import closed_experiments, is_open
from server.arena.leaderboards import Entry, Named
from server.arena.listing import Sliced
from server.arena.players import Joined
from server.arena.removals import Removal
from server.arena.reveals import Revealed
from server.arena.rosters import Line
from server.arena.round_setup import RoundSetup
from server.arena.seats import players as seats_of
from server.arena.submissions import Page
from server.arena.teams import team_of
from server.arena.unit import Unit
from server.db.models import (
    Announcement,
    Competition,
    FeedEvent,
    Game,
    Judge,
    Measurement,
    Play,
    Player,
    Round,
    Submission,
    Token,
)
from server.db.states import SubmissionState, WorkState
from server.errors import invalid

LONGEST = 10_000_000  # rows of a list; what is beyond is an empty page
Row = TypeVar("Row")
Shown = TypeVar("Shown", bound=BaseModel)


def items(
    view: Callable[[Unit, Row], Shown], cursor: str | None, limit: int
) -> Callable[[Unit, Sliced[Row]], schemas.Items[Shown]]:
    """The view of a page of a list, by the view of one. cursor: how many stand before it."""
    start = _start(cursor)

    def page(unit: Unit, rows: Sliced[Row]) -> schemas.Items[Shown]:
        part = rows[start : start + limit + 1]  # one more tells whether there are more
        shown = [view(unit, row) for row in part[:limit]]
        return schemas.Items(items=shown, next=str(start + limit) if len(part) > limit else None)

    return page


def reach(cursor: str | None, limit: int) -> int:
    """How many rows are to be read for a page: those up to its end, and one that tells whether there are more."""
    return _start(cursor) + limit + 1


def _start(cursor: str | None) -> int:
    if cursor is not None and not (cursor.isascii() and cursor.isdigit()):
        raise invalid("(query)/cursor", "This cursor was not given by this server.")
    return min(int(cursor or 0), LONGEST)


def judge(unit: Unit, row: Judge) -> schemas.Judge:
    return schemas.Judge(
        identity=row.identity,
        name=row.name,
        context=row.context,
        direction="backward" if row.direction == "backward" else "forward",
        dtype=row.dtype,
        build=row.build,
        workers=len(unit.workforce.serving(row.identity)),
        measurements_per_second=unit.workforce.rate(row.identity),
        class_size=unit.workforce.class_size(row.identity),
        private=row.name in unit.settings.private_judge,
    )


def game(_: Unit, row: Game) -> schemas.Game:
    facts = games.facts(row)
    return schemas.Game(
        digest=row.digest,
        name=row.name,
        version=row.version,
        packaged=row.packaged,
        title=row.title,
        description=row.description,
        source=row.source,
        warnings=[f"line {line}: {message}" for line, message in facts.warnings],
        created_at=row.created_at,
        withdrawn_at=row.withdrawn_at,
        passages=facts.passages,
        seats=list(facts.seats),
        judges=[slot for slot in facts.judges if slot != MAIN],
    )


def player(unit: Unit, row: Player) -> schemas.Player:
    watches = unit.asked_by is not None and unit.asked_by.watches(row.competition_id)
    return schemas.Player(
        id=row.id,
        name=row.name,
        kind=row.kind,
        competition=row.competition_id,
        team=team_of(unit.session, row),
        removed=row.removed,
        pending=row.pending,
        joined_at=row.joined_at,
        external_id=row.external_id if watches else None,
        removal=row.removal if watches else None,
    )


def competition(unit: Unit, row: Competition) -> schemas.Competition:
    return schemas.Competition(
        id=row.id,
        name=row.name,
        code=row.code if unit.caller.watches(row.id) else None,
        bots=row.bots,
        free_measurements=row.free_measurements,
        lab=is_open(unit.session, row.id),
        closed_experiments=closed_experiments(unit.session, row.id),
        total=row.total,
        joining=row.joining,
        draft=row.draft,
        last_event=row.last_event,
        frozen_at=row.frozen_at,
        created_at=row.created_at,
    )


def _house(setup: RoundSetup, *, hosts: bool) -> dict[str, schemas.HouseSeat]:
    return {
        seat: schemas.HouseSeat(bot=each.bot or None, texts=list(each.texts) if hosts else None)
        for seat, each in setup.setup.house.items()
    }


def round_(unit: Unit, row: Round) -> schemas.Round:
    session, caller, at = unit.session, unit.caller, unit.now
    setup = round_setup.setup_of(session, row)
    return schemas.Round(
        id=row.id,
        competition=row.competition_id,
        number=row.number,
        game=row.game,
        title=row.title or setup.program.title,
        game_title=setup.program.title,
        draft=row.draft,
        digest=row.digest,
        seats=list(setup.seats),
        house=_house(setup, hosts=caller.watches(row.competition_id)),
        passages=list(rounds.passages_for(session, row, host=caller.watches(row.competition_id), at=at)),
        opening=_opening(rounds.opening(session, row, at)),
        generated=row.generated if caller.watches(row.competition_id) else [],
        trouble=row.trouble,
        revealed=reveal(row),
        closed_because=rounds.why_closed(session, row, at),
        move_seconds=row.move_seconds,
        judges=dict(setup.identities),
        second_judge=row.second_judge if row.revealed or caller.watches(row.competition_id) else None,
        profile=row.profile,
        state=rounds.state_of(row, at),
        opens_at=round_making.opens_at(row, at),
        closes_at=row.closes_at,
        duration=row.duration,
        closed_at=rounds.closed_at(row, at),
        attempts=row.attempts,
        attempts_left=attempts.attempts_left(session, row, caller.player),
        warnings=round_warnings.of_round(unit, row) if caller.hosts(row.competition_id) else [],
    )


def reveal(row: Round) -> schemas.Reveal | None:
    how = row.revealed
    return None if how is None else schemas.Reveal(which=how["which"], names=how["names"])


def revealed_move(_: Unit, row: Revealed) -> schemas.RevealedMove:
    return schemas.RevealedMove(**_revealed(row))


def revealed_play(unit: Unit, row: Revealed) -> schemas.RevealedPlay:
    play, seat = unit.session.get_one(Play, row.submission.play_id), row.submission.seat
    return schemas.RevealedPlay(**_revealed(row), seat=seat, events=play_events.of_play(play.events, seat))


def _revealed(row: Revealed) -> dict[str, Any]:
    """Nothing of its submission that the board has beside a name, where names are not revealed."""
    return {
        "id": row.id,
        "rank": row.rank,
        "kind": row.kind,
        "bits": row.millibits / 1000,
        "moves": row.moves,
        "player": board_player(row.player) if row.player else None,
        "submission": row.submission.id if row.player else None,
    }


def preview(_: Unit, found: Preview) -> schemas.Preview:
    reason = found.reason
    return schemas.Preview(
        tokens=found.tokens,
        limit=found.limit,
        kept=found.kept,
        events=play_events.told(found.events),
        refused=found.refused,
        reason=schemas.Reason(**asdict(reason)) if reason else None,
        after_scoring=found.open,
    )


def submission(unit: Unit, row: Submission) -> schemas.Submission:
    return submissions(unit, [row])[0]


def submissions(unit: Unit, rows: Sequence[Submission]) -> list[schemas.Submission]:
    """What they need beside themselves is read for all of them together."""
    session, plays = unit.session, {row.play_id for row in rows}
    session.scalars(select(Play).where(Play.id.in_(plays))).all()  # the session holds on to them
    seats = seats_of(session, plays)
    queued = {row.play_id for row in rows if row.state == SubmissionState.QUEUED}
    places = queue_positions.of_plays(session, unit.workforce, queued)
    return [_submission(unit, row, seats[row.play_id], places.get(row.play_id)) for row in rows]


def _submission(unit: Unit, row: Submission, taken: Mapping[str, Player], place: int | None) -> schemas.Submission:
    round_row, play = unit.session.get_one(Round, row.round_id), unit.session.get_one(Play, row.play_id)
    setup = round_setup.setup_of_score(unit.session, round_row, row)
    return schemas.Submission(
        id=row.id,
        round=row.round_id,
        play=play.id,
        seat=row.seat,
        seats={seat: board_player(taken[seat]) if seat in taken else None for seat in setup.seats},
        player=row.player_id,
        state=row.state,
        place=place,
        expected_wait_s=unit.workforce.expected_wait(setup.identities[MAIN], place),
        bits=None if row.millibits is None else row.millibits / 1000,
        rewards=row.rewards or {},
        events=play_events.of_play(play.events, row.seat),
        awaits=_awaits(play, row.seat),
        reason=schemas.Reason(**row.reason) if row.reason else None,
        judge=setup.identities[MAIN],
        profile=setup.setup.profile,
        build=row.build,
        engine=row.engine,
        hidden=row.hidden,
        practice=row.practice,
        accepted_at=row.accepted_at,
        finished_at=row.finished_at,
    )


def challenge(_: Unit, row: Challenge) -> schemas.Challenge:
    return schemas.Challenge(
        id=row.play,
        round=row.round,
        taken={seat: board_player(player) for seat, player in row.taken.items()},
        free=list(row.free),
        invited=board_player(row.invited) if row.invited else None,
        since=row.since,
        until=row.until,
    )


def _opening(effect: NeedMove | None) -> schemas.Awaits | None:
    if effect is None:
        return None
    return schemas.Awaits(
        seat=effect.seat,
        register=effect.register,
        limit=effect.limit,
        registers=dict(effect.registers),
        events=play_events.told(seen(effect.events, effect.seat)),
        due_at=None,
    )


def _awaits(play: Play, seat: str) -> schemas.Awaits | None:
    """The awaited move; its registers are told to whoever is to make it, and to nobody else."""
    if play.awaits is None:
        return None
    mine = play.awaits["seat"] == seat
    return schemas.Awaits(**(play.awaits if mine else {"seat": play.awaits["seat"]}), due_at=play.due_at)


def board_player(row: Player | Named) -> schemas.BoardPlayer:
    return schemas.BoardPlayer(id=row.id, name=row.name, kind=row.kind)


def board(entries: Sequence[Entry]) -> list[schemas.BoardEntry]:
    return [
        schemas.BoardEntry(
            rank=entry.rank,
            player=board_player(entry.player),
            bits=entry.millibits / 1000,
            submission=entry.submission,
            rating=schemas.Rating(value=entry.rating.value, **asdict(entry.rating)) if entry.rating else None,
            total=None if entry.total is None else entry.total / 1000,
        )
        for entry in entries
    ]


def announcement(_: Unit, row: Announcement) -> schemas.Announcement:
    return schemas.Announcement(
        id=row.id,
        competition=row.competition_id,
        text=row.text,
        made_at=row.made_at,
        withdrawn_at=row.withdrawn_at,
    )


def event(row: FeedEvent) -> schemas.Event:
    return schemas.Event(number=row.number, type=row.type, at=row.at, data=row.data)


def measurement(unit: Unit, pair: tuple[Measurement, Measurement]) -> schemas.Measurement:
    """A measurement beside the one of the same text without a prefix."""
    row, base = pair
    tokens: list[schemas.TokenBits] = []
    if row.state == base.state == WorkState.KNOWN:
        judge = unit.session.get_one(Judge, row.judge)
        spelled = judges.tokens(judge).spelled(row.text)
        scored = spelled[scored_tokens(len(spelled), row.profile, judge.direction)]
        values = zip(scored, measurements.bits(row), measurements.bits(base), strict=True)
        tokens = [schemas.TokenBits(text=text, bits=bits, base=alone) for text, bits, alone in values]
    total, alone = sum(token.bits for token in tokens), sum(token.base for token in tokens)
    failed = WorkState.FAILED in (row.state, base.state)
    known = row.state == base.state == WorkState.KNOWN
    return schemas.Measurement(
        id=row.key,
        judge=row.judge,
        profile=row.profile,
        prefix=row.prefix,
        text=row.text,
        state="known" if known else "failed" if failed else "pending",
        bits=total if known else None,
        base=alone if known else None,
        saved=alone - total if known else None,
        tokens=tokens,
        build=row.build,
        failure=row.failure or base.failure,
    )


def page(unit: Unit, rows: Page) -> schemas.Items[schemas.Submission]:
    return schemas.Items(items=submissions(unit, rows.items), next=rows.next)


def host(_: Unit, row: Token) -> schemas.Host:
    return schemas.Host(
        id=row.id, name=row.name or "", scope=row.scope, competition=row.competition_id, created_at=row.created_at
    )


def issued(unit: Unit, made: Issued) -> schemas.IssuedHost:
    return schemas.IssuedHost(token=made.token, host=host(unit, made.row))


def joined(unit: Unit, row: Joined) -> schemas.Joined:
    return schemas.Joined(token=row.token, player=player(unit, row.player))


def all_joined(unit: Unit, rows: Sequence[Joined]) -> schemas.Items[schemas.Joined]:
    return schemas.Items(items=[joined(unit, row) for row in rows])


def roster(_: Unit, lines: Sequence[Line]) -> schemas.Items[schemas.RosterLine]:
    shown = [
        schemas.RosterLine(line=each.number, name=each.name, external_id=each.external_id, team=each.team)
        for each in lines
    ]
    return schemas.Items(items=shown)


def removal(unit: Unit, row: Removal) -> schemas.Removal:
    return schemas.Removal(removal=row.id, players=[player(unit, each) for each in row.players])


def games_page(unit: Unit, rows: Sequence[Game], limit: int) -> schemas.Items[schemas.Game]:
    """Of one more row than the page shows, where there are more."""
    shown = rows[:limit]
    return schemas.Items(
        items=[game(unit, row) for row in shown], next=shown[-1].name if len(rows) > len(shown) else None
    )


def uploaded(unit: Unit, row: Uploaded) -> tuple[schemas.Game, bool]:
    return game(unit, row.game), row.fresh
