"""Code that awaits its client, for a client that blocks: written once, it runs in the API and in a worker's threads."""

from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Immediate:
    """A blocking client of Redis as one that is awaited, and answers before anybody has waited."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        async def answered(*args: Any, **kwargs: Any) -> Any:
            return method(*args, **kwargs)

        return answered


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """The result of work that waits for nothing but an `Immediate`."""
    try:
        work.send(None)
    except StopIteration as ended:
        result: T = ended.value
        return result
    raise AssertionError("it waited for something else")
