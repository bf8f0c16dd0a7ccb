"""Why Redis did not do something, by the word that it says itself."""

from redis.exceptions import NoPermissionError, OutOfMemoryError, ReadOnlyError, RedisError

from server.queue.messages import AWAY

#: The client takes these words off the messages that begin with them.
NAMED = {OutOfMemoryError: "OOM", ReadOnlyError: "READONLY", NoPermissionError: "NOPERM"}


def word(error: RedisError) -> str:
    """OOM, READONLY, NOPERM, MISCONF or whatever else Redis says; AWAY where it says nothing."""
    if isinstance(error, AWAY):
        return "AWAY"
    named = next((word for kind, word in NAMED.items() if isinstance(error, kind)), None)
    return named or str(error).partition(" ")[0]
