"""What goes wrong outside the API is told by a page, in words, with the header of whoever is signed in."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from server.errors import ServerError
from server.http.calls import Read, known
from server.http.public_address import path_of
from server.http.requests import COOKIE, context_of, token_of
from server.web import view_models
from server.web.i18n import _, translated
from server.web.rendering import go, page

Handler = Callable[[Request, Any], Response | Awaitable[Response]]


def speak_to_people(app: FastAPI) -> None:
    """The handlers of the API stay behind those of the pages, and answer whoever asked for no page."""
    for kind in (ServerError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, _handler(app.exception_handlers[kind]))


def _handler(for_programs: Handler) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, error: Exception) -> Response:
        a_page = not path_of(request.scope).startswith("/api/")
        for_people = a_page and "text/html" in request.headers.get("accept", "")
        if a_page and isinstance(error, ServerError):
            error = _in_words(error)
            if for_people:
                return await _refusal(request, error)
        answer = for_programs(request, error)
        response = answer if isinstance(answer, Response) else await answer
        return await _apology(request, response.status_code) if for_people else response

    return handle


def _in_words(error: ServerError) -> ServerError:
    """The error in the language of the page."""
    errors = tuple(replace(each, detail=translated(each.detail)) for each in error.errors)
    return replace(error, title=translated(error.title), detail=translated(error.detail), errors=errors)


async def _refusal(request: Request, error: ServerError) -> Response:
    if error.status == 401:
        if COOKIE not in request.cookies:
            return go("/sign-in" if path_of(request.scope).startswith("/host") else "/")
        return page("expired.html", 401)
    if error.type == "pending":
        return go("/waiting")
    path = path_of(request.scope)
    # Nobody else may do more in the lab; everywhere else a forbidden page may be somebody else's.
    leave = error.status == 403 and COOKIE in request.cookies and not path.startswith("/lab")
    response = page(
        "trouble.html",
        error.status,
        viewer=await _viewer(request, error.status),
        title=error.title,
        detail=error.detail,
        leave=leave,
        lab=path.startswith("/lab/"),
    )
    response.headers.update(error.headers)
    return response


async def _apology(request: Request, status: int) -> Response:
    if status >= 500:
        title = _("Something broke")
        detail = _("The server made a mistake. It is noted in its log. Look whether it was done before you try again.")
    else:
        title, detail = _("No such page"), _("There is nothing at this address.")
    viewer = await _viewer(request, status)
    return page("trouble.html", status, viewer=viewer, title=title, detail=detail, leave=False, lab=False)


async def _viewer(request: Request, status: int) -> view_models.Viewer | None:
    """Who is signed in. Where the server itself has trouble, or somebody asks too often, it is not asked once more."""
    token = await token_of(request)
    if token is None or status >= 500 or status == 429:
        return None
    return await Read(await context_of(request), token, known)(view_models.visitor)
