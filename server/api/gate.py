"""In front of everything: addresses that no database takes are refused, and every answer is timed."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.api.problems import response
from server.errors import not_found
from server.metrics import REQUESTS

API = "/api/v1"


class Gate:
    """Middleware, the outermost."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status, answered = time.perf_counter(), 500, None

        async def noted(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], time.perf_counter()  # a stream goes on for hours after this
            await send(message)

        # No id has a NUL, and no database takes it.
        app = self._app
        if "\0" in scope["path"]:
            app = response(not_found("There is no resource {name}.", scope["path"]))
        try:
            await app(scope, receive, noted)
        finally:
            seconds = (answered or time.perf_counter()) - start
            REQUESTS.labels(scope["method"], _route(scope), str(status)).observe(seconds)


def _route(scope: Scope) -> str:
    """The address as it was declared, so that there are few of them; pages and API told apart."""
    path: str = getattr(scope.get("route"), "path", "other")
    return API + path if scope["path"].startswith(API) and path.startswith("/") else path
