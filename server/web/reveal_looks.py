"""The page on which a host goes through what a reveal would show, and hides what is not to be shown."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from server.arena import competitions, reveal_looks, rounds
from server.arena.reveals import Which
from server.arena.unit import Unit
from server.http.calls import ReadOf, WriteOf
from server.web import host, round_lines
from server.web.rendering import FormOf, go, own_forms_only, page

router = APIRouter(prefix="/host/rounds", include_in_schema=False, dependencies=[Depends(own_forms_only)])


@router.get("/{round_id}/reveal")
async def look(
    read: ReadOf, round_id: str, which: Which = Which.ALL, names: Annotated[str | None, Query(max_length=8)] = None
) -> Response:
    """names: as a checkbox says it, so anything but its absence is yes."""
    return await read(_page, round_id, which, names is not None)


def _page(unit: Unit, round_id: str, which: Which, names: bool) -> Response:
    texts = reveal_looks.look(unit, round_id, which)
    row = rounds.see(unit, round_id)
    return page(
        "reveal-look.html",
        viewer=host.viewer(unit),
        competition=competitions.see(unit, row.competition_id),
        line=round_lines.of_round(unit, row),
        observes=not unit.caller.hosts(row.competition_id),
        texts=texts,
        shown=sum(not text.hidden for text in texts),
        which=which.value,
        names=names,
    )


@router.post("/{round_id}/texts/{text_id}/{action}")
async def set_hidden(
    write: WriteOf, round_id: str, text_id: str, action: Literal["hide", "show"], form: FormOf
) -> Response:
    """Back to where the text stands on the page afterwards."""
    await write(reveal_looks.hide_text, round_id, text_id, action == "hide")
    names = "&names=on" if "names" in form else ""
    which = host.which_of(form.get("which", ""))
    return go(f"/host/rounds/{round_id}/reveal?which={which}{names}#{text_id}")
