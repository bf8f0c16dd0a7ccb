"""What earlier versions left behind opens with today's program: nothing is lost, and what was open goes on.

The folders and how they were made: tests/data/README.md.
"""

import json
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from judge.loading.retired import RETIRED
from server.arena.retirement import LOST
from tests.data import make_folder
from tests.support.services import eventually
from tests.support.system import Serve, serving

pytestmark = pytest.mark.slow

FOLDERS = sorted(Path(make_folder.__file__).parent.glob("folder-*"))
SETTLED = {"scored", "rejected", "void", "failed"}


@dataclass(frozen=True)
class Opened:
    """An older folder, served. told: what its own version said of it. seen: what today's says, before any move.

    retired: were its rounds made with a judge that is not part of today's version?
    """

    server: Serve
    told: dict[str, Any]
    seen: dict[str, Any]
    retired: bool


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda folder: folder.name)
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    data = tmp_path_factory.mktemp("older") / "data"
    with tarfile.open(request.param / "data.tar.xz") as archive:
        archive.extractall(data, filter="data")
    told = json.loads((request.param / "told.json").read_text(encoding="utf-8"))
    retired = any(round_["judges"]["main"] in RETIRED for round_ in told["seen"]["rounds"].values())

    with serving(data, "--demo", "--judge", "pocket") as server:

        def seen() -> dict[str, Any]:
            return make_folder.seen(server.api, server.facts["host_token"], told)

        if retired:
            eventually(lambda: not _open(seen()), what="the end of the rounds")
        over = len(told["seen"]["boards"]["duel"])
        eventually(lambda: len(seen()["boards"]["duel"]) == over, what="the ratings of those whose plays are over")
        yield Opened(server, told, seen(), retired)


def test_every_round_submission_and_board_is_as_it_was(opened: Opened) -> None:
    then, now = opened.told["seen"], opened.seen
    boards = {name: board for name, board in then["boards"].items() if name != "competition"}
    assert _differences(boards, {name: now["boards"][name] for name in boards}) == []
    ended = {"state"} if opened.retired else set()
    for name, round_ in then["rounds"].items():
        assert _differences({key: round_[key] for key in round_.keys() - ended}, now["rounds"][name]) == []
    submissions = {each["id"]: each for each in now["submissions"]}
    assert len(submissions) == len(then["submissions"])
    for each in then["submissions"]:
        if each["state"] in SETTLED:
            assert _differences(each, submissions[each["id"]]) == []


def test_plays_against_each_other_are_rated_and_add_nothing_to_the_board_of_all_rounds(opened: Opened) -> None:
    then, now = opened.told["seen"]["boards"], opened.seen["boards"]
    assert [entry["rating"]["plays"] for entry in now["duel"]] == [2 for _ in then["duel"]]
    totals: dict[str, int] = defaultdict(int)
    for name in then.keys() - {"competition", "duel"}:
        for entry in then[name]:
            totals[entry["player"]["name"]] += _millibits(entry["bits"])
    assert {entry["player"]["name"]: _millibits(entry["bits"]) for entry in now["competition"]} == totals


def test_the_host_and_the_demo_are_the_same(opened: Opened) -> None:
    demo, then = opened.server.facts["demo"], opened.told["demo"]
    assert (demo["code"], demo["competition"]) == (then["code"], then["competition"])
    assert (demo["round"] == then["round"]) is not opened.retired
    assert opened.server.facts["host_token"] == (opened.server.data / "host-token").read_text().strip()


def test_what_was_sent_before_is_known_by_its_key(opened: Opened) -> None:
    assert make_folder.repeat(opened.server.api, opened.told) == opened.told["repeated"]


def test_what_was_open_goes_on_and_scores_the_same_or_says_why_not(opened: Opened) -> None:
    if opened.retired:
        _says_why_not(opened)
        return
    scores = make_folder.play_on(opened.server.api, opened.told)
    assert {name: _millibits(bits) for name, bits in scores.items()} == {
        name: _millibits(bits) for name, bits in opened.told["bits"].items()
    }


def _says_why_not(opened: Opened) -> None:
    """Its judge is there no longer: rounds are closed, what waited has failed, a move or a new start is refused."""
    told, host = opened.told, {"Authorization": f"Bearer {opened.server.facts['host_token']}"}
    queued = {each["id"]: each for each in opened.seen["submissions"]}[told["queued"]]
    assert (queued["state"], queued["reason"]["detail"]) == ("failed", LOST)
    for round_ in opened.seen["rounds"].values():
        assert "was replaced by a newer pocket" in round_["closed_because"]
        again = httpx.post(f"{opened.server.api}/rounds/{round_['id']}:open", headers=host)
        assert (again.status_code, again.json()["detail"]) == (409, round_["closed_because"])
    ada = {"Authorization": f"Bearer {told['tokens']['Ada']}"}
    condense = opened.seen["rounds"]["condense"]
    move = httpx.post(f"{opened.server.api}/rounds/{condense['id']}/submissions", headers=ada, json={"move": "sea"})
    assert (move.status_code, move.json()["detail"]) == (409, condense["closed_because"])


def _open(seen: dict[str, Any]) -> list[str]:
    """What is not closed or settled, of what must be."""
    rounds = [each["id"] for each in seen["rounds"].values() if each["state"] != "closed"]
    return rounds + [each["id"] for each in seen["submissions"] if each["state"] == "queued"]


def _differences(then: Any, now: Any, where: str = "") -> list[str]:
    """What of `then` is not in `now`. Newer versions may say more; numbers are compared to the millibit."""
    if isinstance(then, dict):
        return [line for key in then for line in _differences(then[key], now.get(key), f"{where}/{key}")]
    if isinstance(then, list) and len(then) == len(now):
        return [line for at, each in enumerate(then) for line in _differences(each, now[at], f"{where}/{at}")]
    if isinstance(then, float):
        then, now = _millibits(then), _millibits(now)
    return [] if then == now else [f"{where}: {then!r} became {now!r}"]


def _millibits(bits: float) -> int:
    return round(bits * 1000)
