"""What a worker holds: leases are renewed and results published by threads beside the one that works.

So neither a slow line to Redis nor Redis being away for a moment stops the device.
"""

import threading
import time
from collections.abc import Sequence
from queue import Queue

import structlog

from server.queue.claiming import Claim
from server.queue.messages import RedisError, Result
from server.queue.worker import Claims

log = structlog.get_logger()

AT_ONCE = 128  # results of one round trip
MOST_WAITING = 2048  # results that may wait for Redis before no more work is taken
PAUSE = 0.5  # seconds before Redis is tried again

Done = tuple[Claim, Result]


class LeaseKeeper:
    """A worker that was stopped for longer than a lease has lost what it held: others may have it."""

    def __init__(self, claims: Claims, lease: float) -> None:
        self._claims = claims
        self._lease = lease
        # Two streams may have entries of the same id.
        self._held: dict[tuple[str, str], Claim] = {}
        self._renewed = time.monotonic()
        self._changed = threading.Lock()
        self._results: Queue[Done | None] = Queue()
        self._closing = threading.Event()
        self._renewer = threading.Thread(target=self._renew_for_ever, daemon=True)
        self._publisher = threading.Thread(target=self._publish_for_ever, daemon=True)
        self._renewer.start()
        self._publisher.start()

    @property
    def empty(self) -> bool:
        return not self._held

    @property
    def full(self) -> bool:
        """Is so much waiting to be published that no more should be taken?"""
        return self._results.qsize() >= MOST_WAITING

    def take(self, claims: Sequence[Claim]) -> list[Claim]:
        """Hold these from now on; returns those that were not held already.

        After a pause a worker finds its own claims stale and claims them again, while it is still at work on them.
        """
        with self._changed:
            if not self._held:
                self._renewed = time.monotonic()
            new = [claim for claim in claims if _name(claim) not in self._held]
            self._held |= {_name(claim): claim for claim in new}
            return new

    def owns(self, claim: Claim) -> bool:
        return _name(claim) in self._held

    def publish(self, claim: Claim, result: Result) -> None:
        """To be published soon. The lease is renewed until it is."""
        self._results.put((claim, result))

    def close(self) -> None:
        """Publish what is done, if Redis takes it, and stop renewing."""
        self._closing.set()
        self._results.put(None)
        self._publisher.join()
        self._renewer.join()

    def _publish_for_ever(self) -> None:
        while True:
            some = [self._results.get()]
            while not self._results.empty() and len(some) < AT_ONCE:
                some.append(self._results.get())
            done = [each for each in some if each is not None]
            if not self._publish(done) or None in some:
                return

    def _publish(self, done: Sequence[Done]) -> bool:
        """Again and again until Redis takes them; False where it does not and the worker ends."""
        while done:
            try:
                self._claims.publish_all(done)
                break
            except RedisError as error:
                log.warning("worker.publish_failed", waiting=len(done) + self._results.qsize(), error=str(error))
                if self._closing.wait(PAUSE):
                    return False
        with self._changed:
            for claim, _ in done:
                self._held.pop(_name(claim), None)
        return True

    def _renew_for_ever(self) -> None:
        while not self._closing.wait(self._lease / 4):
            now = time.monotonic()
            with self._changed:
                if now - self._renewed > self._lease:
                    self._held.clear()
                held = list(self._held.values())
            if held and self._renew(held):
                self._renewed = now

    def _renew(self, held: Sequence[Claim]) -> bool:
        try:
            self._claims.renew(held)
        except RedisError as error:
            log.warning("worker.renewal_failed", error=str(error))
            return False
        return True


def _name(claim: Claim) -> tuple[str, str]:
    return claim.stream, claim.entry
