"""A round scored again under other judges, aside, until its host applies it."""

from dataclasses import asdict
from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from judge.profiles import Profile
from server.api import views
from server.api.bodies import Label, Request
from server.api.json_route import JsonRoute
from server.api.params import Cursor, Limit
from server.api.schemas import BoardPlayer, Items
from server.arena import rescoring_previews, rescorings, second_judges
from server.arena.rescoring_previews import Kept, Moved, Preview, Stand
from server.arena.second_judges import SecondView
from server.arena.unit import Unit
from server.db.rescorings import Rescoring
from server.db.states import RescoringState
from server.http.calls import ReadOf, WriteOf

router = APIRouter(tags=["rounds"], route_class=JsonRoute)


class RescoringRequest(Request):
    """What is left out is as in the round."""

    judge: Label | None = Field(None, description="Name or identity of the main judge.", examples=["pocket"])
    judges: dict[str, Label] | None = Field(None, description="Slot → judge, for the further slots of the game.")
    profile: Profile | None = Field(None, description="How the judges are asked.")


class RescoringShown(BaseModel):
    id: str
    round: str
    judges: dict[str, str] = Field(description="Slot → identity.")
    profile: str
    state: RescoringState
    done: int = Field(description="Plays that are worked out.")
    of: int = Field(description="Plays with a score, without practice.")
    made_at: datetime
    ended_at: datetime | None = Field(description="When it was applied or dropped.")


class StandShown(BaseModel):
    bits: float
    rank: int = Field(description="On the board of the player's kind.")
    rating: float | None = Field(description="What ranks in a round of a zero-sum game; null in others.")


class MovedShown(BaseModel):
    player: BoardPlayer
    before: StandShown
    after: StandShown


class KeptShown(BaseModel):
    submission: str
    player: BoardPlayer
    reason: str


class PreviewShown(RescoringShown):
    players: list[MovedShown] = Field(description="Everybody who stands, by their rank after.")
    not_comparable: list[KeptShown] = Field(description="Submissions that keep their score, and why.")


class SecondShown(BaseModel):
    judge: str = Field(description="The name of the round's own judge.")
    second: str = Field(description="That of the second one.")
    done: int = Field(description="Plays that the second one has measured.")
    of: int = Field(description="Plays with a score, without practice.")
    players: list[MovedShown] = Field(
        description="Everybody who stands, by their rank under the second; `before` is under the round's own judge."
    )
    not_comparable: int = Field(description="Submissions that the second one has no score for; theirs stays.")


@router.post("/rounds/{round_id}/rescorings", status_code=201)
async def create_rescoring(write: WriteOf, round_id: str, body: RescoringRequest, response: Response) -> RescoringShown:
    """Have a round scored again under other judges or another profile, aside: recorded moves are replayed, and nothing
    changes until it is applied. Hosts only."""
    await write.context.look_for_workers()
    made = await write.show(shown, rescorings.ask, round_id, body.judge, body.judges, body.profile)
    response.headers["Location"] = f"/api/v1/rescorings/{made.id}"
    return made


@router.get("/rounds/{round_id}/rescorings")
async def list_rescorings(
    read: ReadOf, round_id: str, cursor: Cursor = None, limit: Limit = 1_000
) -> Items[RescoringShown]:
    """The rescorings of a round, newest first. Hosts and observers only."""
    return await read.show(views.items(shown, cursor, limit), rescorings.of_round, round_id)


@router.get("/rescorings/{rescoring_id}")
async def get_rescoring(read: ReadOf, rescoring_id: str) -> PreviewShown:
    """What it changes: everybody's best and rank before and after, and the submissions that cannot be compared and keep
    their score. Hosts and observers only."""
    return await read.show(_preview, rescoring_previews.preview, rescoring_id)


@router.get("/rounds/{round_id}/second-judge", summary="See a round under its two judges")
async def get_second_judge(read: ReadOf, round_id: str) -> SecondShown:
    """A round under its own judge and its second one: everybody's best and rank under both, by the rank under the
    second. Players see it once the moves are revealed; before that they are told so whether there is one or not."""
    return await read.show(_second, second_judges.see, round_id)


@router.post("/rescorings/{rescoring_id}:apply")
async def apply_rescoring(write: WriteOf, rescoring_id: str) -> RescoringShown:
    """Let its scores count, once the round has ended and all is worked out. Scoring the round again under its own
    judges leads back. Hosts only."""
    return await write.show(shown, rescorings.apply, rescoring_id)


@router.post("/rescorings/{rescoring_id}:drop")
async def drop_rescoring(write: WriteOf, rescoring_id: str) -> RescoringShown:
    """Forget the scores of a rescoring that is not applied. Hosts only."""
    return await write.show(shown, rescorings.drop, rescoring_id)


def shown(unit: Unit, row: Rescoring) -> RescoringShown:
    return RescoringShown.model_validate(_told(row, rescorings.progress(unit.session, row)))


def _told(row: Rescoring, progress: rescorings.Progress) -> dict[str, object]:
    names = ("id", "judges", "profile", "state", "made_at", "ended_at")
    return {name: getattr(row, name) for name in names} | {
        "round": row.round_id,
        "done": progress.done,
        "of": progress.of,
    }


def _preview(_: Unit, found: Preview) -> PreviewShown:
    told = _told(found.rescoring, found.progress)
    players, kept = [_moved(each) for each in found.moved], [_kept(each) for each in found.kept]
    return PreviewShown.model_validate({**told, "players": players, "not_comparable": kept})


def _second(_: Unit, found: SecondView) -> SecondShown:
    players = [_moved(each) for each in found.players]
    done = asdict(found.progress)
    return SecondShown(judge=found.judge, second=found.second, players=players, not_comparable=found.kept, **done)


def _moved(each: Moved) -> MovedShown:
    return MovedShown(player=views.board_player(each.player), before=_stand(each.before), after=_stand(each.after))


def _stand(each: Stand) -> StandShown:
    rating = each.rating.value if each.rating else None
    return StandShown(bits=each.millibits / 1000, rank=each.rank, rating=rating)


def _kept(each: Kept) -> KeptShown:
    return KeptShown(submission=each.submission, player=views.board_player(each.player), reason=each.reason)
