"""The ways in and out: join with a code, come back with a key, leave."""

from fastapi import APIRouter, Depends, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from server.arena import players
from server.arena.outbox import Outbox
from server.db.models import PlayerKind
from server.errors import RequestError
from server.http.requests import COOKIE, ArenaOf, TokenOf
from server.web import view_models
from server.web.nicknames import suggest
from server.web.rendering import FormOf, base_url, go, own_forms_only, page, signed_in, signed_out

router = APIRouter(include_in_schema=False, dependencies=[Depends(own_forms_only)])


@router.get("/")
async def front(arena: ArenaOf, token: TokenOf) -> Response:
    return await _join_page(arena, token)


@router.get("/join/{code}")
async def join_by_link(arena: ArenaOf, token: TokenOf, code: str) -> Response:
    """The link that a class is given: the code is filled in."""
    return await _join_page(arena, token, code=code[:64])


@router.post("/join")
async def join(request: Request, arena: ArenaOf, token: TokenOf, form: FormOf) -> Response:
    code, name = form.get("code", ""), form.get("name", "")

    def work(session: Session, outbox: Outbox) -> str:
        joined = players.join(session, code, name, PlayerKind.PERSON)
        outbox.competitions.add(joined.player.competition_id)
        return joined.token

    try:
        given = await arena.write(work)
    except RequestError as refused:
        return await _join_page(arena, token, code=code, name=name, refused=refused)
    return signed_in(request, go("/play"), given)


@router.post("/join/name")
async def another_name(arena: ArenaOf, token: TokenOf, form: FormOf) -> Response:
    """The same form, with a name made up."""
    code = form.get("code", "")
    name = await arena.read(lambda session: suggest(session, code))
    return await _join_page(arena, token, code=code, name=name)


async def _join_page(
    arena: ArenaOf, token: str | None, *, code: str = "", name: str = "", refused: RequestError | None = None
) -> Response:
    def work(session: Session) -> Response:
        status = refused.status if refused else 200
        errors = _by_field(refused) if refused else {}
        return page("join.html", status, viewer=visitor(session, token), code=code, name=name, errors=errors)

    return await arena.read(work)


def _by_field(refused: RequestError) -> dict[str, str]:
    """What is wrong, by the field that it is about."""
    if refused.errors:
        return {error.pointer.removeprefix("/"): error.detail for error in refused.errors}
    if refused.type == "not-found":
        return {"code": "There is no competition with this code. Look at it again, or ask whoever gave it to you."}
    if refused.type == "name-taken":
        return {"name": f"{refused.detail} If it is you, sign in with your key instead."}
    return {"form": refused.detail}


def visitor(session: Session, token: str | None) -> view_models.Viewer | None:
    """Who is signed in already, if anyone is."""
    try:
        return view_models.viewer(session, token)
    except RequestError:
        return None


@router.get("/sign-in")
async def sign_in_page() -> Response:
    """A key behind the # of the address stays in the browser; the page's script puts it into the form."""
    return page("sign-in.html", error=None)


@router.post("/sign-in")
async def sign_in(request: Request, arena: ArenaOf, form: FormOf) -> Response:
    key = form.get("key", "").strip()
    if not key:
        return page("sign-in.html", 422, error="Paste your key first.")
    try:
        viewer = await arena.read(lambda session: view_models.viewer(session, key))
    except RequestError as refused:
        return page("sign-in.html", refused.status, error=_about_key(refused))
    return signed_in(request, go("/host" if viewer.caller.is_host else "/play"), key)


def _about_key(refused: RequestError) -> str:
    return "This key is not known here. Copy it whole." if refused.status == 401 else refused.detail


@router.post("/sign-out")
async def sign_out() -> Response:
    """Forget the key in this browser. It stays good, so that its player can come back."""
    return signed_out(go("/"))


@router.get("/me")
async def me(arena: ArenaOf, token: TokenOf) -> Response:
    return await arena.read(
        lambda session: page("me.html", viewer=view_models.viewer(session, token), key=None, link=None)
    )


@router.post("/me/key")
async def show_key(request: Request, arena: ArenaOf, token: TokenOf) -> Response:
    """The key that this browser holds, for another device."""
    key = request.cookies.get(COOKIE, "")
    link = f"{base_url(request)}/sign-in#{key}"
    return await arena.read(
        lambda session: page("me.html", viewer=view_models.viewer(session, token), key=key, link=link)
    )
