"""How a judge plays: what words of a passage's own field, other words and no words at all earn in Condense (strict).

    xentarena bench play --judge J [--passages FILE] [--natural FILE] [--json]

Everything is measured through what a player does: a server is started, a round is made of each passage, and moves are
sent by the API. A judge is worth playing with where words of the passage's own field save bits and beat another
passage's; where junk earns nothing; and where what people would type in their first minute mostly scores above zero.

FILE of --passages: JSON, `[{"id": …, "text": …, "field": [words]}]` (default: the forty packaged passages). FILE of
--natural: JSON, passage id → moves.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from games.library import load
from xentarena import Client
from xentarena.models import Submission

GAME = "condense_strict"
JUNK = ("xkq vbz wpt", ", , ,", "\n\n\n", ". . .", "Text:", "Once upon a time", "The following is a passage:")
NATURAL = Path(__file__).parent / "data" / "natural_moves.json"
HOST = "benchmark-host-token-0123456789abcdef"
HOST_HEADERS = {"Authorization": f"Bearer {HOST}"}


@dataclass(frozen=True, slots=True)
class Passage:
    """field: words that somebody would use of it and that do not stand in it."""

    id: str
    text: str
    field: Sequence[str]


@dataclass(frozen=True, slots=True)
class Row:
    """What moves on one passage earned, in bits. empty: a move of which nothing is left."""

    passage: str
    own: float
    other: float
    empty: float
    junk: Mapping[str, float]
    natural: Sequence[float]


@dataclass(frozen=True, slots=True)
class Figures:
    """Over all passages. Means are bits; the others are counts. seconds_per_move: with moves waiting all the time."""

    judge: str
    passages: int
    own_above_zero: int
    own_beats_other: int
    own: float
    other: float
    empty_least: float
    empty_greatest: float
    junk: float
    natural_moves: int
    natural_above_zero: int
    natural: float
    natural_deviation: float
    seconds_per_move: float


def measure(judge: str, passages: Sequence[Passage], natural: Mapping[str, Sequence[str]]) -> tuple[Figures, list[Row]]:
    """Play all of it on a server of its own."""
    rows, moves = [], 0
    with _serving(judge) as url, httpx.Client(base_url=f"{url}/api/v1", headers=HOST_HEADERS, timeout=60) as host:
        competition = _posted(host, "/competitions", {"name": "How a judge plays", "bots": "mixed"})
        start = time.perf_counter()
        with Client(url) as player:
            player.join(competition["code"], "Ada")
            for number, passage in enumerate(passages):
                other = passages[(number + 7) % len(passages)]
                said = natural.get(passage.id, ())
                sent = [" ".join(passage.field), " ".join(other.field), _nothing(passage), *JUNK, *said]
                body = {"game": GAME, "passages": [passage.text]}
                made = _posted(host, f"/competitions/{competition['id']}/rounds", body)
                own, foreign, empty, *rest = _scores(player, made["id"], sent)
                junk = dict(zip(JUNK, rest, strict=False))
                rows.append(Row(passage.id, own, foreign, empty, junk, rest[len(JUNK) :]))
                moves += len(sent)
        return _figures(judge, rows, (time.perf_counter() - start) / moves), rows


def _posted(host: httpx.Client, path: str, body: Mapping[str, object]) -> dict[str, str]:
    made: dict[str, str] = host.post(path, json=body).raise_for_status().json()
    return made


def _nothing(passage: Passage) -> str:
    """A word of the passage itself, which the game takes out."""
    return max(passage.text.split(), key=len).strip(".,;:!?\"'()")


def _scores(player: Client, round_id: str, moves: Sequence[str]) -> list[float]:
    """Bits of each move. Junk that is refused as empty earns nothing."""
    sent = player.submit_batch(round_id, moves)
    scores = []
    for move, outcome in zip(moves, sent, strict=True):
        if not isinstance(outcome, Submission):
            if move.strip():
                raise outcome
            scores.append(0.0)
            continue
        done = player.wait_for(outcome)
        if done.bits is None:
            raise RuntimeError(f"{move!r} was not scored: {done.reason}")
        scores.append(done.bits)
    return scores


def _figures(judge: str, rows: Sequence[Row], seconds: float) -> Figures:
    natural = [bits for row in rows for bits in row.natural]
    return Figures(
        judge=judge,
        passages=len(rows),
        own_above_zero=sum(row.own > 0 for row in rows),
        own_beats_other=sum(row.own > row.other for row in rows),
        own=statistics.fmean(row.own for row in rows),
        other=statistics.fmean(row.other for row in rows),
        empty_least=min(row.empty for row in rows),
        empty_greatest=max(row.empty for row in rows),
        junk=statistics.fmean(bits for row in rows for bits in row.junk.values()),
        natural_moves=len(natural),
        natural_above_zero=sum(bits > 0 for bits in natural),
        natural=statistics.fmean(natural) if natural else 0.0,
        natural_deviation=statistics.stdev(natural) if len(natural) > 1 else 0.0,
        seconds_per_move=seconds,
    )


def table(figures: Figures, rows: Sequence[Row]) -> str:
    count, said = figures.passages, figures.natural_moves
    by_junk = {junk: statistics.fmean(row.junk[junk] for row in rows) for junk in JUNK}
    lines = [
        f"{figures.judge}, {GAME}, {count} passages, by the API",
        f"  own words save bits         {figures.own_above_zero:4} of {count}",
        f"  own words beat another's    {figures.own_beats_other:4} of {count}",
        f"  own words, mean             {figures.own:+8.2f} bits",
        f"  another's words, mean       {figures.other:+8.2f} bits",
        f"  nothing left                {figures.empty_least:+8.3f} to {figures.empty_greatest:+.3f} bits",
        f"  junk, mean                  {figures.junk:+8.2f} bits",
        *(f"    {junk!r:30}{bits:+6.2f}" for junk, bits in by_junk.items()),
    ]
    if said:
        share = figures.natural_above_zero / said
        lines += [
            f"  natural moves above zero    {figures.natural_above_zero:4} of {said} ({share:.0%})",
            f"  natural moves, mean         {figures.natural:+8.2f} ± {figures.natural_deviation:.2f} bits",
        ]
    lines.append(f"  seconds a move              {figures.seconds_per_move:8.3f}")
    return "\n".join(lines) + "\n"


@contextmanager
def _serving(judge: str) -> Iterator[str]:
    """A server of its own with this judge; its address."""
    with tempfile.TemporaryDirectory() as folder:
        flags = ["serve", "--json", "--port", "0", "--data", folder, "--judge", judge]
        environment = {**os.environ, "XENTARENA_HOST_TOKEN": HOST, "XENTARENA_LOG_LEVEL": "warning"}
        command = [sys.executable, "-m", "server.cli", *flags]
        serve = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
        try:
            assert serve.stdout is not None
            line = serve.stdout.readline()
            if not line:
                raise RuntimeError("the server did not start; what it said is above")
            yield json.loads(line)["url"]
        finally:
            serve.terminate()
            serve.wait()


def read_passages(file: Path) -> list[Passage]:
    return [Passage(each["id"], each["text"], each["field"]) for each in json.loads(file.read_text(encoding="utf-8"))]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser("xentarena bench play", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--judge", default="pocket", help="a judge's name, a folder or a hub id")
    parser.add_argument("--passages", type=Path, help="passages of your own, as JSON with id, text and field")
    parser.add_argument("--natural", type=Path, default=NATURAL, help="moves that people would type, by passage")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(arguments)
    passages = read_passages(args.passages) if args.passages else [Passage(p.id, p.text, p.field) for p in load()]
    figures, rows = measure(args.judge, passages, json.loads(args.natural.read_text(encoding="utf-8")))
    found = {"figures": asdict(figures), "passages": [asdict(row) for row in rows]}
    sys.stdout.write(json.dumps(found, indent=2) + "\n" if args.json else table(figures, rows))


if __name__ == "__main__":
    main()
