"""Rows → what the API shows of them."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from games.events import from_json, to_json
from games.protocol import MAIN, NeedMove
from games.visibility import seen
from server import competitions, endings, judges, measurements, plays, programs
from server.api import schemas
from server.arena import Arena
from server.challenges import Challenge
from server.database import now
from server.leaderboards import Entry
from server.models import (
    Bots,
    Competition,
    FeedEvent,
    Game,
    Judge,
    Kind,
    Known,
    Measurement,
    Play,
    Player,
    Round,
    State,
    Submission,
)
from server.players import Caller


def judge(arena: Arena, row: Judge) -> schemas.Judge:
    return schemas.Judge(
        identity=row.identity,
        name=row.name,
        context=row.context,
        direction="backward" if row.direction == "backward" else "forward",
        dtype=row.dtype,
        build=row.build,
        workers=len(arena.serving(row.identity)),
        private=row.name in arena.settings.private_judge,
    )


def game(row: Game) -> schemas.Game:
    program = programs.program(row)
    return schemas.Game(
        digest=row.digest,
        name=row.name,
        version=row.version,
        packaged=row.packaged,
        title=row.title,
        description=row.description,
        source=row.source,
        created_at=row.created_at,
        withdrawn_at=row.withdrawn_at,
        passages=program.passages,
        seats=list(program.seats),
        judges=[slot for slot in program.judges if slot != MAIN],
    )


def player(row: Player) -> schemas.Player:
    return schemas.Player(
        id=row.id, name=row.name, kind=Kind(row.kind), competition=row.competition_id, removed=row.removed
    )


def competition(caller: Caller, row: Competition) -> schemas.Competition:
    return schemas.Competition(
        id=row.id,
        name=row.name,
        code=row.code if caller.is_host else None,
        bots=Bots(row.bots),
        free_measurements=row.free_measurements,
        last_event=row.last_event,
        created_at=row.created_at,
    )


def round_(session: Session, caller: Caller, row: Round) -> schemas.Round:
    setup = competitions.setup_of(session, row)
    at = now(session)
    return schemas.Round(
        id=row.id,
        competition=row.competition_id,
        number=row.number,
        game=row.game,
        title=setup.program.title,
        digest=row.digest,
        seats=list(setup.program.seats),
        passages=list(competitions.passages_for(session, row, host=caller.is_host, at=at)),
        opening=_opening(competitions.opening(session, row, at)),
        generated=row.generated if caller.is_host else [],
        trouble=row.trouble,
        move_seconds=row.move_seconds,
        judges=dict(setup.identities),
        profile=row.profile,
        state=competitions.state_of(row, at),
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        attempts=row.attempts,
        attempts_left=plays.attempts_left(session, row, caller.player),
    )


def submission(session: Session, arena: Arena, row: Submission) -> schemas.Submission:
    round_row = session.get_one(Round, row.round_id)
    identity = competitions.setup_of(session, round_row).identities[MAIN]
    place = measurements.place(session, row.play_id) if row.state == State.QUEUED else None
    play = session.get_one(Play, row.play_id)
    return schemas.Submission(
        id=row.id,
        round=row.round_id,
        play=play.id,
        seat=row.seat,
        seats=_seats(session, competitions.setup_of(session, round_row).program.seats, play),
        player=row.player_id,
        state=State(row.state),
        place=place,
        expected_wait_s=arena.expected_wait(identity, place),
        bits=None if row.millibits is None else row.millibits / 1000,
        rewards=row.rewards or {},
        events=to_json(seen(from_json(play.events), row.seat)),
        awaits=_awaits(play, row.seat),
        reason=schemas.Reason(**row.reason) if row.reason else None,
        judge=identity,
        profile=round_row.profile,
        build=row.build,
        engine=row.engine,
        hidden=row.hidden,
        accepted_at=row.accepted_at,
        finished_at=row.finished_at,
    )


def challenge(row: Challenge) -> schemas.Challenge:
    return schemas.Challenge(
        id=row.play,
        round=row.round,
        taken={seat: _board_player(player) for seat, player in row.taken.items()},
        free=list(row.free),
        invited=_board_player(row.invited) if row.invited else None,
        since=row.since,
    )


def _opening(effect: NeedMove | None) -> schemas.Awaits | None:
    if effect is None:
        return None
    return schemas.Awaits(
        seat=effect.seat,
        register=effect.register,
        limit=effect.limit,
        registers=dict(effect.registers),
        events=to_json(seen(effect.events, effect.seat)),
        due_at=None,
    )


def _awaits(play: Play, seat: str) -> schemas.Awaits | None:
    """The awaited move; its registers are told to whoever is to make it, and to nobody else."""
    if play.awaits is None:
        return None
    mine = play.awaits["seat"] == seat
    return schemas.Awaits(**(play.awaits if mine else {"seat": play.awaits["seat"]}), due_at=play.due_at)


def _seats(session: Session, seats: Sequence[str], play: Play) -> dict[str, schemas.BoardPlayer | None]:
    taken = {each.seat: session.get_one(Player, each.player_id) for each in endings.seats(session, play)}
    return {seat: _board_player(taken[seat]) if seat in taken else None for seat in seats}


def _board_player(row: Player) -> schemas.BoardPlayer:
    return schemas.BoardPlayer(id=row.id, name=row.name, kind=Kind(row.kind))


def board(entries: Sequence[Entry]) -> list[schemas.BoardEntry]:
    return [
        schemas.BoardEntry(
            rank=entry.rank,
            player=_board_player(entry.player),
            bits=entry.millibits / 1000,
            submission=entry.submission,
        )
        for entry in entries
    ]


def event(row: FeedEvent) -> schemas.Event:
    return schemas.Event(number=row.number, type=row.type, at=row.at, data=row.data)


def measurement(session: Session, row: Measurement, base: Measurement) -> schemas.Measurement:
    tokens: list[schemas.TokenBits] = []
    if row.state == base.state == Known.KNOWN:
        judge = session.get_one(Judge, row.judge)
        spelled = judges.tokens(judge).spelled(row.text)
        left_out = len(spelled) - len(measurements.bits(row))  # the first token, as the profile may want it
        first_is_last = judge.direction == "backward"
        scored = spelled[: len(spelled) - left_out] if first_is_last else spelled[left_out:]
        values = zip(scored, measurements.bits(row), measurements.bits(base), strict=True)
        tokens = [schemas.TokenBits(text=text, bits=bits, base=alone) for text, bits, alone in values]
    total, alone = sum(token.bits for token in tokens), sum(token.base for token in tokens)
    failed = Known.FAILED in (row.state, base.state)
    known = row.state == base.state == Known.KNOWN
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
