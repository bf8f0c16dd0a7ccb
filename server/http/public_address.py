"""Where this server is for people elsewhere: its public address, the proxies before it, what its paths begin with."""

import re
from collections.abc import Iterable
from contextvars import ContextVar
from ipaddress import ip_address, ip_network

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.settings import Settings

#: What paths begin with, of the request that is answered.
prefix: ContextVar[str] = ContextVar("prefix", default="")

_COOKIE_PATH = re.compile(r"(?i)(;\s*path=)/([^;]*)")


class PublicAddress:
    """Middleware: requests are made what their proxy says they were, and answers lead back below the prefix.

    A path is taken with the prefix and without it, since some proxies cut it off.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._root = settings.root_path
        self._everybody = "*" in settings.trusted_proxies
        self._trusted = [ip_network(each, strict=False) for each in settings.trusted_proxies if each != "*"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._is_proxy(scope.get("client")):
            scope = _forwarded(scope)
        prefix.set(self._root)
        if self._root:
            await self._below(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _below(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(self._root) or "/"
        if not path.startswith("/"):  # another name that begins alike
            path = scope["path"]

        async def led(message: Message) -> None:
            if message["type"] == "http.response.start":
                _lead_below(self._root, MutableHeaders(scope=message))
            await send(message)

        await self._app({**scope, "path": self._root + path, "root_path": self._root}, receive, led)

    def _is_proxy(self, client: tuple[str, int] | None) -> bool:
        if self._everybody or client is None:
            return self._everybody
        try:
            peer = ip_address(client[0])
        except ValueError:
            return False
        peer = getattr(peer, "ipv4_mapped", None) or peer
        return any(peer in each for each in self._trusted)


def _forwarded(scope: Scope) -> Scope:
    """The request as it came to the proxy: with what the nearest one noted last."""
    headers = Headers(scope=scope)
    scheme, host = _last(headers.getlist("x-forwarded-proto")), _last(headers.getlist("x-forwarded-host"))
    if scheme in ("http", "https"):
        scope = {**scope, "scheme": scheme}
    if host:
        others = [(name, value) for name, value in scope["headers"] if name != b"host"]
        scope = {**scope, "headers": [*others, (b"host", host.encode("latin-1"))]}
    return scope


def _last(values: Iterable[str]) -> str:
    return ",".join(values).rpartition(",")[2].strip()


def _lead_below(root: str, headers: MutableHeaders) -> None:
    where = headers.get("location", "")
    if where.startswith("/") and not where.startswith("//"):
        headers["location"] = root + where
    cookies = headers.getlist("set-cookie")
    del headers["set-cookie"]
    for cookie in cookies:
        headers.append("set-cookie", _COOKIE_PATH.sub(lambda found: _cookie_path(root, found), cookie))


def _cookie_path(root: str, found: re.Match[str]) -> str:
    return f"{found[1]}{root}/{found[2]}".rstrip("/")


def path_of(scope: Scope) -> str:
    """The path below the prefix, as our routes are called."""
    path: str = scope["path"]
    return path.removeprefix(prefix.get())


def base_url(request: Request) -> str:
    """Where this server is: its public address, or else what whoever asks calls it."""
    return _public(request) or str(request.base_url).rstrip("/")


def is_secure(request: Request) -> bool:
    """Does the browser speak TLS with whatever is in front of this server?"""
    return request.url.scheme == "https" or (_public(request) or "").startswith("https://")


def own_hosts(request: Request) -> list[str]:
    """The hosts, with ports, that the server knows to be itself: in the request, and in its public address."""
    public = _public(request)
    named = [request.headers.get("host", ""), _host_of(public) if public else ""]
    return [host for host in named if host]


def same_origin(request: Request) -> bool:
    """A cookie counts only for requests that our own pages make."""
    if request.method in {"GET", "HEAD"}:
        return True
    if request.headers.get("sec-fetch-site") == "same-origin":  # which no page can say of itself
        return True
    return _host_of(request.headers.get("origin", "")) in own_hosts(request)


def _host_of(origin: str) -> str:
    return origin.partition("://")[2].partition("/")[0]


def _public(request: Request) -> str | None:
    settings: Settings = request.app.state.context.settings
    return settings.public_url
