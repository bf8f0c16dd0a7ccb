"""A judge that answers at once with made-up bits, served by a real worker: ``python -m benchmarks._instant``.

It stands for a judge that is never the slowest part, so that what is measured is the server around it. It is in no
list of judges and in no wheel, so no ``--judge`` names it: it serves the Redis of XENTARENA_REDIS_URL until it is
stopped, and only there can a round be played with it.
"""

import signal
import threading
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, cast

from judge.judge import Judge, Pair
from judge.loading.source import find
from judge.profiles import scored_count
from server.settings import Settings
from server.worker.loop import Worker

CONTEXT = 512


class Instant:
    """What a worker needs of a judge. Tokens are those of `pocket`."""

    name = "instant"
    identity = "made-up-bits-for-benchmarks"
    build = "made up"

    def __init__(self) -> None:
        source = find("pocket")
        self._tokenizer_json, self._tokens = source.tokenizer_json, source.tokens

    def info(self) -> dict[str, Any]:
        """What a worker announces."""
        return {
            "name": self.name,
            "identity": self.identity,
            "context": CONTEXT,
            "bos": 0,
            "direction": "forward",
            "dtype": "float32",
            "build": self.build,
            "tokenizer_json": self._tokenizer_json,
        }

    def measure(self, pairs: Sequence[Pair]) -> list[list[float]]:
        """Bits that depend on the pair alone; as many as the profile scores tokens."""
        return [self._bits(pair) for pair in pairs]

    def measure_each(self, pairs: Sequence[Pair]) -> Iterator[tuple[int, list[float]]]:
        """The same, each with its index."""
        yield from enumerate(self.measure(pairs))

    def _bits(self, pair: Pair) -> list[float]:
        count = scored_count(self._tokens.count(pair.text), pair.profile)
        first = zlib.crc32(f"{pair.prefix}\0{pair.text}".encode()) % 160 / 8
        return [first, *[4.0] * (count - 1)] if count else []


def main() -> None:
    """Serve until a signal ends it."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    Worker(Settings(), [cast(Judge, Instant())]).run(stop)


if __name__ == "__main__":
    main()
