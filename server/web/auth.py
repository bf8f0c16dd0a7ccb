"""The ways in and out: join with a code, come back with a key, leave."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from server.arena.callers import identify
from server.arena.players import Joined
from server.arena.unit import Unit
from server.db.states import PlayerKind, Scope
from server.errors import RequestError
from server.http.calls import JoinOf, Read, ReadOf, VisitOf
from server.http.public_address import base_url
from server.http.requests import COOKIE, ContextOf
from server.web import view_models
from server.web.i18n import _, translated
from server.web.nicknames import suggest
from server.web.rendering import FormOf, go, own_forms_only, page, signed_in, signed_out, spoken_from_now

router = APIRouter(include_in_schema=False, dependencies=[Depends(own_forms_only)])


@router.get("/")
async def front(read: VisitOf) -> Response:
    return await read(_join_page)


@router.get("/join/{code}")
async def join_by_link(read: VisitOf, code: str) -> Response:
    """The link that a class is given: the code is filled in."""
    return await read(_join_page, code=code[:64])


@router.post("/join")
async def join(request: Request, read: VisitOf, let_in: JoinOf, form: FormOf) -> Response:
    code, name = form.get("code", ""), form.get("name", "")
    try:
        token = await let_in(_token, code, name, PlayerKind.PERSON)
    except RequestError as refused:
        return await read(_join_page, code=code, name=name, refused=refused)
    return signed_in(request, go("/play"), token)


def _token(_: Unit, joined: Joined) -> str:
    return joined.token


@router.post("/join/name")
async def another_name(read: VisitOf, form: FormOf) -> Response:
    """The same form, with a name made up."""
    code = form.get("code", "")
    name = await read(suggest, code)
    return await read(_join_page, code=code, name=name)


def _join_page(unit: Unit, *, code: str = "", name: str = "", refused: RequestError | None = None) -> Response:
    status = refused.status if refused else 200
    errors = _by_field(refused) if refused else {}
    return page("join.html", status, viewer=view_models.visitor(unit), code=code, name=name, errors=errors)


def _by_field(refused: RequestError) -> dict[str, str]:
    """What is wrong, by the field that it is about."""
    if refused.errors:
        return {error.pointer.removeprefix("/"): translated(error.detail) for error in refused.errors}
    if refused.type == "not-found":
        return {"code": _("There is no competition with this code. Look at it again, or ask whoever gave it to you.")}
    if refused.type == "name-taken":
        return {"name": f"{translated(refused.detail)} {_('If it is you, sign in with your key instead.')}"}
    return {"form": translated(refused.detail)}


@router.get("/sign-in")
async def sign_in_page() -> Response:
    """A key behind the # of the address stays in the browser; the page's script puts it into the form."""
    return page("sign-in.html", error=None)


@router.post("/sign-in")
async def sign_in(request: Request, context: ContextOf, visit: VisitOf, form: FormOf) -> Response:
    """A link signs in by itself, so whoever is here as somebody else is asked first."""
    key = form.get("key", "").strip()
    if not key:
        return page("sign-in.html", 422, error=_("Paste your key first."))
    try:
        viewer = await Read(context, key, identify)(view_models.viewer)
    except RequestError as refused:
        return page("sign-in.html", refused.status, error=_about_key(refused))
    now = await visit(view_models.visitor)
    if now is not None and now.caller.token != viewer.caller.token and "instead" not in form:
        return page("sign-in-instead.html", viewer=now, other=viewer, key=key)
    return signed_in(request, go("/host" if viewer.caller.scope in (Scope.HOST, Scope.OBSERVER) else "/play"), key)


def _about_key(refused: RequestError) -> str:
    return _("This key is not known here. Copy it whole.") if refused.status == 401 else translated(refused.detail)


@router.post("/sign-out")
async def sign_out() -> Response:
    """Forget the key in this browser. It stays good, so that its player can come back."""
    return signed_out(go("/"))


@router.post("/language")
async def language(request: Request, form: FormOf) -> Response:
    return spoken_from_now(request, form.get("language", ""))


@router.get("/me")
async def me(read: ReadOf) -> Response:
    return await read(_me)


@router.post("/me/key")
async def show_key(request: Request, read: ReadOf) -> Response:
    """The key that this browser holds, for another device."""
    key = request.cookies.get(COOKIE, "")
    return await read(_me, key=key, link=f"{base_url(request)}/sign-in#{key}")


def _me(unit: Unit, key: str | None = None, link: str | None = None) -> Response:
    return page("me.html", viewer=view_models.viewer(unit), key=key, link=link)
