"""Where a server listens."""

import errno
import socket

from server.addresses import Address
from server.errors import CommandError

BACKLOG = 2048


def listen(address: Address) -> socket.socket:
    """A socket that listens, so that the port is ours before anything else is started. Raises CommandError."""
    host = None if address.anywhere and address.host != "::" else address.host
    try:
        found = socket.getaddrinfo(host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, where = min(found, key=lambda info: info[0] != socket.AF_INET)
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CommandError(f"cannot listen on {address}: {error.strerror or error}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CommandError(_refused(address, error)) from error
    return listener


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody had a moment ago."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


def _refused(address: Address, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {address.port} is in use: stop what listens there, or choose another with --port (0: a free one)"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"port {address.port} is not for ordinary users: choose one from 1024 up with --port"
    return f"cannot listen on {address}: {error.strerror}"
