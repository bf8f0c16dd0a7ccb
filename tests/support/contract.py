"""What the OpenAPI document promises of an answer: every test that asks a house holds it to that."""

import re
from functools import cache
from typing import Any

import httpx

from server.app import create_app
from server.settings import Settings

METHODS = {"get", "post", "put", "patch", "delete"}
ROOT = "/api/v1"


@cache
def document() -> dict[str, Any]:
    return create_app(Settings(redis_url="redis://127.0.0.1:1/0")).openapi()


def check(response: httpx.Response) -> None:
    """Is its status one that the document has for this route? What no route offers is no matter here."""
    request = response.request
    operation = _operation(request.method, request.url.path)
    if operation is not None and response.status_code != 500:  # a defect, which no document promises
        what = f"{request.method} {request.url.path} ({operation['operationId']})"
        assert str(response.status_code) in operation["responses"], f"{what} answers {response.status_code}"


def _operation(method: str, path: str) -> dict[str, Any] | None:
    for pattern, item in _patterns():
        if pattern.fullmatch(path) and (found := item.get(method.lower())):
            operation: dict[str, Any] = found
            return operation
    return None


@cache
def _patterns() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """In the order in which the application looks for its routes."""
    names = ((re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)), item) for path, item in document()["paths"].items())
    return [(re.compile(pattern), item) for pattern, item in names]
