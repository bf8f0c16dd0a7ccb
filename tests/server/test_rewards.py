"""The reward of a trainer is what the API says, to the millibit. No database has a part in it."""

import random
from collections.abc import Iterator

import pytest

from judge.judge import Judge
from server.settings import Settings
from server.worker.loop import Worker
from tests.support.scenario.deployment import answer
from tests.support.server import RunningApp, new_competition
from tests.support.services import eventually
from tests.support.workers import running
from xentarena import Client
from xentarena.rewards import OfflineReward, ServerReward, lines, whole

PASSAGES = [
    "The tide came in over the flats before the boats were home.",
    "The court rose, and by night the jury had reached its verdict.",
    "Gulls cried over the harbour.",
]
GAMES = {"condense": 1, "contrast": 2, "explain": 1, "originality": 3, "best_of_three": 1}  # passages
WORDS = ("sea", "ship", "law", "bird", "story", "night", "of", "rain,", "harbour?", "Zürich", "海", "42", "\t")


@pytest.fixture(scope="module")
def pocket(sqlite_house: RunningApp) -> Iterator[Judge]:
    """At work for the house, and the test's own."""
    judge = Judge.load("pocket")
    with running(Worker(Settings(redis_url=sqlite_house.redis_url), [judge])):
        eventually(lambda: judge.identity in at_work(sqlite_house), what="pocket")
        yield judge


def at_work(house: RunningApp) -> set[str]:
    return {each["identity"] for each in answer(house.host.get("/judges"))["items"] if each["workers"]}


@pytest.fixture(scope="module")
def rounds(sqlite_house: RunningApp, pocket: Judge) -> Iterator[tuple[Client, dict[str, str]]]:
    """A player, and game → an open round of it."""
    competition = new_competition(sqlite_house)
    made = {}
    for game, passages in GAMES.items():
        wanted = {"game": game, "passages": PASSAGES[:passages], "judge": pocket.identity}
        made[game] = answer(sqlite_house.host.post(f"/competitions/{competition['id']}/rounds", json=wanted), 201)["id"]
    with Client(sqlite_house.url) as client:
        client.join(competition["code"], "policy")
        yield client, made


def moves(game: str, count: int) -> list[str]:
    """Random moves, one of each kind that is refused, and one twice."""
    draw = random.Random(game)
    written = [" ".join(draw.choices(WORDS, k=draw.randint(1, 14))) for _ in range(count)]
    if game == "best_of_three":
        written = ["\n".join(draw.choices(written, k=draw.randint(2, 4))) for _ in range(count)]
    return [*written, written[0], "", "sea\x07", "long " * 2_000]


@pytest.mark.parametrize("game", GAMES)
def test_home_and_server_give_the_reward_of_the_api(
    rounds: tuple[Client, dict[str, str]], pocket: Judge, game: str
) -> None:
    client, made = rounds
    how = lines if game == "best_of_three" else whole
    written = moves(game, 8)
    home = OfflineReward(game, PASSAGES[: GAMES[game]], judge=pocket, refused=-99.0, moves=how)([], written)
    served = ServerReward(client, made[game], refused=-99.0, moves=how)([], written)
    assert home == served
    assert home[-3:] == [-99.0] * 3
    assert len({*home}) > 3
    if how is whole:
        told = [client.wait_for(client.submit(made[game], move)) for move in written[:3]]
        assert [-99.0 if each.bits is None else each.bits for each in told] == home[:3]
