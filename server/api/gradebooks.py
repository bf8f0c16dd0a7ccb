"""A course's grade export with a column filled, for hosts to give back to Canvas or Moodle."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from server.api import schemas, views
from server.api.json_route import GradebookRoute
from server.arena import gradebooks
from server.arena.unit import Unit
from server.http.calls import ReadOf
from server.http.files import csv_file

router = APIRouter(tags=["exports"], route_class=GradebookRoute)

FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The grade export as Canvas or Moodle wrote it: CSV with commas, semicolons or tabs.",
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "Student,ID,SIS User ID,SIS Login ID,Section,Xent (4711)\n    Points Possible,,,,,100.0\n"
                '"Lovelace, Ada",11,1815,ada,7b,\n',
            }
        },
    }
}


class GradebookRow(BaseModel):
    """A line of a grade export that is no player's."""

    line: int
    name: str


class Gradebook(BaseModel):
    """What a grade export is to a competition; nothing of it is kept."""

    columns: list[str] = Field(description="Those that can be filled.")
    matched: int = Field(description="How many lines are a player's.")
    unmatched_rows: list[GradebookRow]
    unmatched_players: list[schemas.Player]


class File(Response):
    media_type = "text/csv"


@router.post(
    "/competitions/{competition_id}/gradebook",
    response_class=File,
    openapi_extra=FILE,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def fill_gradebook(
    request: Request,
    read: ReadOf,
    competition_id: str,
    column: Annotated[str, Query(description="Its heading, with or without what stands behind it in brackets.")] = "",
    of: Annotated[str, Query(description="`total`, or the number of a round.")] = gradebooks.TOTAL,
) -> Response:
    """The same file with everybody's total, or best in a round, in a column. Nothing is kept. Hosts only."""
    data, encoding = await read(gradebooks.fill, competition_id, await request.body(), column, of)
    return csv_file(data, encoding, "gradebook", competition_id)


@router.post("/competitions/{competition_id}/gradebook:preview", openapi_extra=FILE)
async def preview_gradebook(request: Request, read: ReadOf, competition_id: str) -> Gradebook:
    """Which columns can be filled, and who is left over on either side. Nothing is kept. Hosts only."""
    return await read.show(_gradebook, gradebooks.preview, competition_id, await request.body())


def _gradebook(unit: Unit, book: gradebooks.Gradebook) -> Gradebook:
    return Gradebook(
        columns=list(book.columns),
        matched=len(book.matched),
        unmatched_rows=[GradebookRow(line=each.number, name=each.name) for each in book.rows_left],
        unmatched_players=[views.player(unit, each) for each in book.players_left],
    )
