"""Clients that begin to ask and do not end: they have a time to say what they want, then the connection is closed."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class TimedProtocol(H11Protocol):
    """HTTP/1.1. A request that has come whole, and its answer, may take as long as they like."""

    head_seconds = 15.0  # until the head of a request is there, from its first byte or the connection's beginning
    body_seconds = 60.0  # until its body is, from then on: a phone at the end of a field sends the largest in that time

    _deadline: asyncio.TimerHandle | None = None
    _expects: Any = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Give the part of a request that begins now its time; that of one that goes on is not given again."""
        expects = self.conn.their_state
        if expects is self._expects:
            return
        self._forget()
        self._expects = expects
        seconds = {h11.IDLE: self.head_seconds, h11.SEND_BODY: self.body_seconds}.get(expects)
        if seconds is not None:
            self._deadline = self.loop.call_later(seconds, self._give_up)

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if self._expects is h11.IDLE:
            self.transport.write(TOO_SLOW)
            self.transport.close()
        else:
            self.transport.abort()
