"""A real worker around an odd judge: deterministic, without a model, and slow or deadly where a test wants it.

python -m tests.support.scenario.odd_worker [--pause SECONDS] [--deadly WORD]
"""

import argparse
import hashlib
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from judge.judge import Judge, Pair
from judge.loading.tokenizer import Tokens
from server.settings import Settings
from server.worker.loop import Worker

POCKET = Path(__file__).parents[3] / "judge" / "pocket"


class OddJudge:
    """Bits out of a hash, in eighths. A prefix with the deadly word kills the process: a judge that crashes."""

    name, build = "odd", "a hash"

    def __init__(self, pause: float, deadly: str | None) -> None:
        self.identity = "odd-judge"
        self._tokens = Tokens.from_folder(POCKET)
        self._pause = pause
        self._deadly = deadly

    def info(self) -> dict[str, Any]:
        facts = {"identity": self.identity, "name": self.name, "context": 256, "bos": 0, "direction": "forward"}
        tokenizer = (POCKET / "tokenizer.json").read_text()
        return {**facts, "dtype": "float32", "build": self.build, "tokenizer_json": tokenizer}

    def measure_each(self, pairs: Sequence[Pair]) -> Iterator[tuple[int, list[float]]]:
        for i, pair in enumerate(pairs):
            if self._deadly and self._deadly in pair.prefix:
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(self._pause)
            yield i, [self._bits(pair, place) for place in range(self._tokens.count(pair.text))]

    def measure(self, pairs: Sequence[Pair]) -> list[list[float]]:
        return [bits for _, bits in sorted(self.measure_each(pairs))]

    def _bits(self, pair: Pair, place: int) -> float:
        return hashlib.sha256(f"{pair.prefix}\0{pair.text}\0{place}".encode()).digest()[0] / 8


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--deadly")
    flags = parser.parse_args()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    Worker(Settings(), [cast(Judge, OddJudge(flags.pause, flags.deadly))]).run(stop)


if __name__ == "__main__":
    main()
