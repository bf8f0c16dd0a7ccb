"""Which queue a worker asks: the Redis that it is beside, or a server that it is lent to."""

from server.queue.worker import Claims, RedisClaims
from server.settings import Settings
from server.worker.lent import LentClaims, Server, Unusable


def open_claims(settings: Settings, name: str, judges: tuple[str, ...]) -> Claims:
    """Raises Unusable where a server that is named does not take this worker."""
    if settings.server is not None:
        return LentClaims(server_of(settings), name, judges)
    if settings.redis_url is None:
        raise Unusable("a worker needs --server, or --redis-url")
    return RedisClaims(settings.redis_url, name, judges, settings.lease)


def server_of(settings: Settings) -> Server:
    """The server of the settings. Raises Unusable where there is no token for it."""
    token = settings.worker_token
    if token is None and settings.worker_token_file is not None:
        try:
            token = settings.worker_token_file.read_text().strip()
        except (OSError, ValueError) as error:
            raise Unusable(f"cannot read the worker's token: {error}") from error
    if not token:
        raise Unusable(
            "a worker of a --server needs a token, that `xentarena worker-token create` prints there: name it by"
            " XENTARENA_WORKER_TOKEN, or its file by --token-file"
        )
    if not (token.isascii() and token.isprintable()):
        raise Unusable("the worker's token has characters that no token has: copy it anew")
    return Server(settings.server or "", token)
