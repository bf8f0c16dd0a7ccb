"""Rounds: make, look, open, pause, close; their boards."""

from datetime import datetime

from fastapi import APIRouter, Request, Response

from server.api import bodies, schemas, views
from server.api.boards import KNOWN, board
from server.api.json_route import JsonRoute
from server.api.params import Cursor, Limit
from server.arena import endings, leaderboards, reveal_looks, reveals, round_making, round_setup, rounds
from server.arena.reveal_looks import Text
from server.arena.reveals import Which
from server.arena.unit import Unit
from server.db.states import PlayerKind, RoundState
from server.http.calls import ReadOf, Write, WriteOf

router = APIRouter(tags=["rounds"], route_class=JsonRoute)


@router.post("/competitions/{competition_id}/rounds", status_code=201)
async def create_round(
    write: WriteOf, competition_id: str, body: bodies.RoundRequest, response: Response
) -> schemas.Round:
    """Make a round: open at once, or at `opens_at`; a draft until it is published. Where the game wants texts of a
    judge it is `preparing` until they are written. Hosts only."""
    await write.context.look_for_workers()
    new = round_setup.NewRound(**body.said())
    made = await write.show(views.round_, round_making.create_round, competition_id, new)
    response.headers["Location"] = f"/api/v1/rounds/{made.id}"
    return made


@router.get("/competitions/{competition_id}/rounds")
async def list_rounds(
    read: ReadOf, competition_id: str, cursor: Cursor = None, limit: Limit = 1_000
) -> schemas.Items[schemas.Round]:
    """The rounds of a competition, in order."""
    return await read.show(views.items(views.round_, cursor, limit), rounds.visible, competition_id)


@router.get("/rounds/{round_id}")
async def get_round(read: ReadOf, round_id: str) -> schemas.Round:
    """A round: its game, its judge, its texts as far as the caller may see them, and when it opens and closes."""
    return await read.show(views.round_, rounds.see, round_id)


@router.post("/rounds/{round_id}:open")
async def open_round(write: WriteOf, round_id: str, body: bodies.OpenRequest | None = None) -> schemas.Round:
    """Open a round, now; also one that was paused or closed, with a new end, and a draft. Hosts only."""
    return await _set_state(write, round_id, RoundState.OPEN, body.closes_at if body else None)


@router.post("/rounds/{round_id}:pause")
async def pause_round(write: WriteOf, round_id: str) -> schemas.Round:
    """Take no moves until it is opened again. What is queued is finished. Hosts only."""
    return await _set_state(write, round_id, RoundState.PAUSED)


@router.post("/rounds/{round_id}:close")
async def close_round(write: WriteOf, round_id: str) -> schemas.Round:
    """End a round. What is queued is finished and counts; plays that await a move are abandoned. Hosts only."""
    return await _set_state(write, round_id, RoundState.CLOSED)


async def _set_state(write: Write, round_id: str, state: RoundState, end: datetime | None = None) -> schemas.Round:
    shown = await write.show(views.round_, rounds.set_round_state, round_id, state, end)
    await write.context.write(endings.end_late_plays)
    return shown


@router.post("/rounds/{round_id}:reveal")
async def reveal_round(write: WriteOf, round_id: str, body: bodies.RevealRequest) -> schemas.Round:
    """Show players of a closed round what others wrote: of each the best move. Again, to change it. Hosts only."""
    return await write.show(views.round_, reveals.reveal, round_id, body.which, body.names)


@router.get("/rounds/{round_id}/reveal")
async def preview_reveal(
    read: ReadOf, round_id: str, which: Which = Which.ALL, cursor: Cursor = None, limit: Limit = 1_000
) -> schemas.Items[schemas.RevealText]:
    """The texts that a reveal would show, best first, before it shows them; hidden ones among them. Hosts and
    observers only."""
    return await read.show(views.items(_text, cursor, limit), reveal_looks.look, round_id, which)


def _text(_: Unit, text: Text) -> schemas.RevealText:
    return schemas.RevealText(
        id=text.id,
        moves=list(text.moves),
        bits=text.millibits / 1000,
        players=text.players,
        hidden=text.hidden,
        submissions=list(text.submissions),
    )


@router.post("/rounds/{round_id}:conceal")
async def conceal_round(write: WriteOf, round_id: str) -> schemas.Round:
    """Take the reveal back; before that the round cannot be opened again. Hosts only."""
    return await write.show(views.round_, reveals.conceal, round_id)


@router.get("/rounds/{round_id}/moves")
async def list_revealed_moves(
    read: ReadOf, round_id: str, cursor: Cursor = None, limit: Limit = 1_000
) -> schemas.Items[schemas.RevealedMove]:
    """What others wrote, best first, as far as the host reveals it to the caller; all of it for a host."""
    return await read.show(views.items(views.revealed_move, cursor, limit), reveals.moves, round_id)


@router.get("/rounds/{round_id}/moves/{move_id}")
async def get_revealed_move(read: ReadOf, round_id: str, move_id: str) -> schemas.RevealedPlay:
    """One of these moves with what happened in its play, token by token."""
    return await read.show(views.revealed_play, reveals.move, round_id, move_id)


@router.get("/rounds/{round_id}/leaderboard", response_model=schemas.Items[schemas.BoardEntry], responses=KNOWN)
async def get_round_leaderboard(
    request: Request,
    read: ReadOf,
    round_id: str,
    kind: PlayerKind | None = None,
    cursor: Cursor = None,
    limit: Limit = 1_000,
) -> Response:
    """Everyone's best of a round; in a round of a zero-sum game everyone's rating. `kind` shows one side where bots
    stand apart."""
    return await board(request, read, leaderboards.see_round, round_id, kind, cursor, limit)
