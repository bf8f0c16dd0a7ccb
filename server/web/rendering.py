"""How every page is made and sent: templates, headers and forms."""

import re
from collections.abc import MutableMapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit

from fastapi import Depends, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from games.sentences import say
from server.errors import RequestError, forbidden
from server.http.public_address import is_secure, own_hosts, prefix, same_origin
from server.http.requests import COOKIE
from server.web import first_minute, i18n
from server.web.history import curve
from server.web.markdown import to_html
from server.web.qr import qr
from server.web.score_breakdown import shortened
from server.web.words import kind_name, level_name, ordinal, seat_name, slot_name, state_name, total_in_words

HERE = Path(__file__).parent
CLIPPED, CLIPPED_LINES = 300, 5  # characters and lines from which a text is clipped until somebody asks for all of it
MAX_FORM = 512 * 1024  # percent-encoding may triple the passages of a round
MAX_FIELDS = 512  # the largest form has one for each player of a large class
COOKIE_SECONDS = 180 * 24 * 3600

#: No page needs anything from elsewhere, nor any script or style of its own.
CONTENT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT,
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": under it browsers send "Origin: null" with forms, and the origin is what we check them by.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


#: A path of ours in an attribute of a page: data-… that scripts take as addresses, and none that people wrote.
_OWN_PATH = re.compile(r'(?<=\s)(href|src|action|formaction|data-(?:events|library|look|order|part|preview))="/(?!/)')
_CODE = re.compile(
    r"^(\t| {2,})\S|[;{}]\s*$|\)\s*[:{]\s*$|^\s*(#include|//|import |from |def |class |return\b)|\w+\(.*\)\s*$"
)


def is_code(text: str) -> bool:
    """Does it look like source code, half of its lines at least?"""
    lines = [line for line in text.splitlines() if line.strip()]
    return len(lines) > 1 and 2 * sum(bool(_CODE.search(line)) for line in lines) >= len(lines)


def is_long(text: str) -> bool:
    """Is it more than a few lines on a page?"""
    return len(text) > CLIPPED or text.count("\n") >= CLIPPED_LINES


def shown_bits(value: float, *, sign: bool = False, digits: int = 3) -> str:
    """A number of bits for people: a true minus, and never minus zero."""
    rounded = round(value, digits) + 0.0
    text = f"{rounded:+,.{digits}f}" if sign and rounded else f"{rounded:,.{digits}f}"
    return i18n.localised(text.replace("-", "−"))


def moment(at: datetime) -> str:
    """A time for people, without a script."""
    return at.strftime("%Y-%m-%d %H:%M UTC")


def _line_ends(text: str) -> str:
    """A text in one line, its line ends seen."""
    return text.replace("\n", "⏎ ").rstrip(" ")


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.add_extension("jinja2.ext.i18n")
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_callables(i18n.gettext, i18n.ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.globals |= {
        "curve": curve,
        "first_minute": first_minute,
        "language": i18n.current,
        "languages": i18n.LANGUAGES,
        "kind_name": kind_name,
        "level_name": level_name,
        "state_name": state_name,
        "total_in_words": total_in_words,
    }
    made.tests |= {"code": is_code, "long": is_long}
    made.filters |= {"line_ends": _line_ends, "bits": shown_bits, "moment": moment, "markdown": to_html}
    made.filters |= {
        "front_page": i18n.front_page,
        "qr": qr,
        "translated": i18n.translated,
        "seat_name": seat_name,
        "slot_name": slot_name,
        "shortened": shortened,
        "ordinal": ordinal,
    }
    made.globals |= {"viewer": None, "events": None, "rounds": (), "current": None}
    return made


_TEMPLATES = _environment()


def page(template: str, status: int = 200, **shown: Any) -> HTMLResponse:
    """A page, or a part of one, from its template."""
    made = _TEMPLATES.get_template(template).render(**shown)
    if prefix.get():
        made = _OWN_PATH.sub(rf'\1="{prefix.get()}/', made)
    return HTMLResponse(made, status, headers=HEADERS)


def go(path: str) -> RedirectResponse:
    """See other: what a form is answered with, so that loading the page again does not send it again."""
    return RedirectResponse(path, 303, headers={"Cache-Control": "no-store"})


def signed_in(request: Request, response: Response, token: str) -> Response:
    """The response, with the token in a cookie that no script can read."""
    response.set_cookie(COOKIE, token, COOKIE_SECONDS, httponly=True, samesite="lax", secure=is_secure(request))
    return response


def signed_out(response: Response) -> Response:
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")
    return response


def spoken_from_now(request: Request, language: str) -> Response:
    """Back to the page that asks for another language, which its cookie says from now on."""
    back = urlsplit(request.headers.get("referer", ""))
    response = go(f"/{back.path.lstrip('/')}{'?' if back.query else ''}{back.query}")
    if language in i18n.LANGUAGES:
        response.set_cookie(i18n.COOKIE, language, COOKIE_SECONDS, httponly=True, samesite="lax")
    return response


def own_forms_only(request: Request) -> None:
    if same_origin(request):
        return
    origin, own = request.headers.get("origin", "null"), ", ".join(own_hosts(request))
    if origin == "null" or not own:
        raise forbidden("This form was not sent by a page of this server. Open the page here and send it again.")
    raise forbidden(
        say(
            "This form was not sent by a page of this server. It is of a page at {origin}, and this server knows "
            "itself as {own}. If that is one server, a proxy keeps its name back: set "
            "XENTARENA_PUBLIC_URL={origin} here, or have the proxy pass the name on "
            "(nginx: proxy_set_header Host $http_host;).",
            origin=origin,
            own=own,
        )
    )


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form. Raises `RequestError` for anything but a plain form of decent size."""
    if not request.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
        raise RequestError("unsupported-media-type", 415, "Not a form", "This address takes the page's own form only.")
    body = await _body_of(request)
    try:
        told = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise _unreadable() from None
    if any("\0" in text for field in told for text in field):  # nobody types one, and no database takes it
        raise _unreadable()
    return dict(told)


async def _body_of(request: Request) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_FORM:
                told = f"A form may have at most {MAX_FORM:,} bytes."
                raise RequestError("body-too-large", 413, "Too much text", told)
    except ClientDisconnect:  # whoever sent it is gone, and reads no answer
        raise _unreadable() from None
    return bytes(body)


def _unreadable() -> RequestError:
    return RequestError("invalid-form", 400, "Unreadable form", "The form cannot be read. Send it again.")


FormOf = Annotated[dict[str, str], Depends(form_of)]


class Files(StaticFiles):
    """Scripts and style sheets: asked for again each time, sent again only when they changed."""

    def file_response(
        self, full_path: Any, stat_result: Any, scope: MutableMapping[str, Any], status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(HEADERS | {"Cache-Control": "no-cache"})
        return response
