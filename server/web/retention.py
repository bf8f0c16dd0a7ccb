"""The host's form that says how long players are kept, and the owner's for the whole server."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from games.sentences import say
from server.arena import retention
from server.errors import invalid
from server.http.calls import WriteOf
from server.web.rendering import FormOf, go, own_forms_only

router = APIRouter(prefix="/host", include_in_schema=False, dependencies=[Depends(own_forms_only)])


@router.post("/competitions/{competition_id}/retention")
async def choose(write: WriteOf, competition_id: str, form: FormOf) -> Response:
    as_server = form.get("how") == "server"
    await write(retention.choose, competition_id, None if as_server else _days(form), as_server)
    return go(f"/host/competitions/{competition_id}")


@router.post("/retention")
async def choose_server(write: WriteOf, form: FormOf) -> Response:
    await write(retention.choose_server, _days(form))
    return go("/host")


def _days(form: FormOf) -> int | None:
    if form.get("how") != "days":
        return None
    given = form.get("days", "").strip()
    if not (given.isascii() and given.isdecimal() and len(given) <= 6):
        raise invalid("/days", say("Players are kept between 1 and {most} days, or for good.", most=retention.MOST))
    return int(given)
