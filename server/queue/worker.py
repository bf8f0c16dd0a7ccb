"""The worker's side of the queue, as the worker's loop knows it; and a worker that is beside Redis."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import redis

from server.queue.claiming import Claim, Claiming
from server.queue.immediate import Immediate, at_once
from server.queue.introductions import Announcer, Introduction, Introductions
from server.queue.messages import Result, connection_options


class Claims(Protocol):
    """What a worker asks of the queue, wherever that is. Blocking; every method raises a `RedisError` where the queue
    is away. May be called from several threads, `claim` from one."""

    lease: float

    def announce(
        self,
        judges: Sequence[Introduction],
        build: str,
        rates: Mapping[str, float],
        *,
        seconds: float = float("inf"),
    ) -> bool:
        """Say that this worker lives, what its judges are, and how many measurements a second each makes; then send
        for about so many seconds what the queue lacks of them. False where some of it is still to be sent."""
        ...

    def claim(self, count: int, *, block: float, texts: bool = True) -> list[Claim]:
        """As `Claiming.claim`."""
        ...

    def renew(self, claims: Sequence[Claim]) -> None:
        """Start the leases of these claims again. Not a delivery."""
        ...

    def give_back(self, claims: Sequence[Claim]) -> None:
        """Let others have these at once; this delivery does not count."""
        ...

    def publish_all(self, done: Sequence[tuple[Claim, Result]]) -> None:
        """Hand in results and let go of their jobs."""
        ...

    def leave(self) -> None:
        """Take this worker's name off every list. What it still held can be claimed at once."""
        ...

    def close(self) -> None: ...


class RedisClaims:
    """Those of a worker beside Redis, which has the password and is trusted."""

    def __init__(self, url: str, worker: str, judges: tuple[str, ...], lease: float) -> None:
        self.judges = judges
        self.lease = lease
        self._redis = redis.Redis.from_url(url, **connection_options())
        client = Immediate(self._redis)
        self._claiming = Claiming(client, worker, judges, lease)
        self._announcer = Announcer(Introductions(client, worker))

    def announce(
        self,
        judges: Sequence[Introduction],
        build: str,
        rates: Mapping[str, float],
        *,
        seconds: float = float("inf"),
    ) -> bool:
        return self._announcer.announce(judges, build, rates, seconds=seconds)

    def claim(self, count: int, *, block: float, texts: bool = True) -> list[Claim]:
        return at_once(self._claiming.claim(count, block=block, texts=texts))

    def create_groups(self) -> None:
        at_once(self._claiming.create_groups())

    def renew(self, claims: Sequence[Claim]) -> None:
        at_once(self._claiming.renew((claim.stream, claim.entry) for claim in claims))

    def give_back(self, claims: Sequence[Claim]) -> None:
        at_once(self._claiming.release((claim.stream, claim.entry) for claim in claims))

    def publish(self, claim: Claim, result: Result) -> None:
        self.publish_all([(claim, result)])

    def publish_all(self, done: Sequence[tuple[Claim, Result]]) -> None:
        at_once(self._claiming.publish(done))

    def leave(self) -> None:
        at_once(self._claiming.leave())

    def close(self) -> None:
        self._redis.close()
