"""Rewards for a trainer, at home and by a server: ``python -m benchmarks.rewards [--json] [--plays N]``.

Random moves in five games, scored by `OfflineReward` with `pocket` in this process and by `ServerReward` at an
`xentarena serve` of its own with the same judge. It says the plays in a second of each, in batches of 64 of which no
move was sent before, and whether the two gave the same reward of every move to the millibit. `plays` are of all games
together; 500 unless said otherwise.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import _house
from benchmarks._house import PASSAGE
from xentarena import Client, Judge
from xentarena.rewards import OfflineReward, Reward, ServerReward, lines, whole

GAMES = {"condense": 1, "contrast": 2, "explain": 1, "originality": 3, "best_of_three": 1}  # passages
PASSAGES = (PASSAGE, "The court rose, and by night the jury had reached its verdict.", "Gulls cried over the harbour.")
WORDS = (
    "sea ship sail harbour captain storm wave tide river road train city street house window garden forest mountain"
    " snow winter morning night dream letter story school music money war king mother friend love heart hand water fire"
)
BATCH = 64


@dataclass(frozen=True, slots=True)
class Speed:
    """per_second: plays. different: rewards that were not the same at home and by the server."""

    game: str
    plays: int
    scored: int
    home_per_second: float
    server_per_second: float
    different: int


def moves(game: str, count: int) -> list[str]:
    """So many completions, no two the same."""
    draw = random.Random(game)

    def one(number: int) -> str:
        return " ".join([*draw.choices(WORDS.split(), k=draw.randint(1, 7)), str(number)])

    rows = 3 if game == "best_of_three" else 1
    return ["\n".join(one(rows * number + row) for row in range(rows)) for number in range(count)]


def timed(reward: Callable[..., list[float | None]], completions: Sequence[str]) -> tuple[list[float | None], float]:
    """The rewards, and plays in a second."""
    begun, found = time.perf_counter(), list[float | None]()
    for start in range(0, len(completions), BATCH):
        found += reward([], completions[start : start + BATCH])
    return found, len(completions) / (time.perf_counter() - begun)


def compared(game: str, home: Reward[tuple[str, ...]], server: Reward[str], plays: int) -> Speed:
    completions = moves(game, plays)
    for each in (home, server):
        each([], ["warm it up\nwarm it up\nand once more"])
    at_home, home_speed = timed(home, completions)
    by_server, server_speed = timed(server, completions)
    scored = sum(bits is not None for bits in at_home)
    different = sum(one != other for one, other in zip(at_home, by_server, strict=True))
    return Speed(game, plays, scored, home_speed, server_speed, different)


def measured(url: str, judge: Judge, plays: int) -> list[Speed]:
    host = _house.Client(url, _house.HOST)
    while not any(each["workers"] for each in host.get("/judges")["items"]):
        time.sleep(0.2)
    competition = host.post("/competitions", {"name": "Rewards", "bots": "mixed"})
    found = []
    with Client(url) as client:
        client.join(competition["code"], "policy")
        for game, count in GAMES.items():
            passages = PASSAGES[:count]
            wanted = {"game": game, "passages": passages}
            round_id = host.post(f"/competitions/{competition['id']}/rounds", wanted)["id"]
            how = lines if game == "best_of_three" else whole
            home = OfflineReward(game, passages, judge=judge, moves=how)
            found.append(compared(game, home, ServerReward(client, round_id, moves=how), plays // len(GAMES)))
    host.close()
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Plays a second as rewards, at home and by a server.")
    parser.add_argument("--plays", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    judge = Judge.load("pocket")
    with tempfile.TemporaryDirectory(prefix="xentarena-rewards-") as folder, _house.serving(Path(folder)) as url:
        found = measured(url, judge, given.plays)
    sys.stdout.write(json.dumps([asdict(each) for each in found]) + "\n" if given.json else table(found))


def table(found: Sequence[Speed]) -> str:
    told = [f"{'game':16} {'plays':>6} {'scored':>7} {'at home':>10} {'by server':>10}  different"]
    for each in found:
        speeds = f"{each.home_per_second:8.1f}/s {each.server_per_second:8.1f}/s"
        told.append(f"{each.game:16} {each.plays:6} {each.scored:7} {speeds}  {each.different}")
    return "\n".join(told) + "\n"


if __name__ == "__main__":
    main()
