"""The error table: every refusal as RFC 9457 `application/problem+json`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import Response

from server.api.schemas import Problem, ProblemDetail
from server.errors import Detail, RequestError, ServerError
from server.http.public_address import path_of
from server.metrics import REFUSED

log = structlog.get_logger()

MEDIA = "application/problem+json"
#: No answer of ours is shown in a frame, and none is what a browser guesses it to be.
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "frame-ancestors 'none'",
}


def install(app: FastAPI) -> None:
    app.add_exception_handler(ServerError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _defect)


def problem_of(error: ServerError) -> Problem:
    return Problem(
        type=error.type,
        title=error.title,
        status=error.status,
        detail=error.detail,
        errors=[ProblemDetail(**asdict(each)) for each in error.errors],
        limit=error.limit,
        retry_after=error.retry_after,
    )


def response(error: ServerError) -> Response:
    REFUSED.labels(error.type).inc()
    body = problem_of(error).model_dump(exclude_none=True)
    # ASCII only: what is wrong with a text may be that it cannot be encoded.
    later = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return Response(json.dumps(body), error.status, headers=error.headers | later, media_type=MEDIA)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServerError)
    return response(error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return response(from_validation(error.errors()))


def from_validation(errors: Sequence[Mapping[str, Any]]) -> ServerError:
    """What pydantic found wrong, as a problem with JSON pointers."""
    if any(each["type"] == "json_invalid" for each in errors):
        reason = next(str(each.get("ctx", {}).get("error", "")) for each in errors if each["type"] == "json_invalid")
        return RequestError(
            "invalid-json", 400, "Not JSON", f"The body is not valid JSON: {reason or 'it cannot be read'}."
        )
    details = tuple(Detail(_pointer(each["loc"]), _words(each)) for each in errors)
    summary = "; ".join(f"{each.pointer or 'the body'}: {each.detail}" for each in details[:3])
    return RequestError("invalid-request", 422, "Invalid request", f"The request is wrong at {summary}", details)


def _pointer(location: Sequence[str | int]) -> str:
    where, *path = location
    steps = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
    return steps if where == "body" else f"({where}){steps}"


def _words(error: Mapping[str, Any]) -> str:
    if error["type"] == "string_unicode":
        return "The text has half a character (a lone surrogate)."
    if error["type"] == "extra_forbidden":
        return "There is no such field."
    return str(error["msg"]) + "."


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    names = {
        400: ("invalid-json", "Not JSON"),
        404: ("not-found", "Not found"),
        405: ("method-not-allowed", "Method not allowed"),
    }
    type_, title = names.get(error.status_code, ("http-error", "Error"))
    detail = str(error.detail)
    if error.status_code in (404, 405):
        detail = f"{request.method} {request.url.path} is not offered here; /api/v1/docs lists what is."
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = _allowed(request)
    return response(RequestError(type_, error.status_code, title, detail, headers=headers))


def _allowed(request: Request) -> str:
    """What an address takes, by all of its routes; those of files are read only."""
    path, methods = path_of(request.scope), set[str]()
    for route in iter_route_contexts(request.app.routes):
        if route.methods and route.path_regex.match(path):
            methods |= route.methods
    if "GET" in methods or not methods:
        methods |= {"GET", "HEAD"}
    return ", ".join(sorted(methods))


async def _defect(request: Request, error: Exception) -> Response:
    log.error("request.defect", path=request.url.path, exc_info=error)
    detail = "The server made a mistake; it has been written to its log. Look whether it was done before you repeat it."
    closing = SAFE | {
        "Cache-Control": "no-store",
        "Connection": "close",
    }  # the server is about to do so, and nobody should send the next request into it
    return response(ServerError("internal-error", 500, "Internal error", detail, headers=closing))
