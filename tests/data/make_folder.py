"""Make a data folder with a bit of everything in it, as a fixture for the versions that come after. See README.md.

    python tests/data/make_folder.py FOLDER    with the `xentarena` of the version to be kept first on the PATH

Speaks to the server only as anybody may, by HTTP. What it leaves: FOLDER/data.tar.xz and FOLDER/told.json.
"""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

Json = dict[str, Any]

KEPT = ("xentarena.sqlite3", "host-token", "demo.json", "redis/appendonly.aof")  # no file that names a place
PASSAGE = "The tide came in over the flats before the boats were home, and the gulls went quiet."
SONG = """\
# Song
#
# Begin with two words at least, then go on.

assign(l=generate_list("Here is a line of a folk song:", 2))
assign(s=sample(l))
elicit(x, 10)
ensure(num_words(x) >= 2)
elicit(y, 10)
reward(xed(s | x + y))
"""
DUEL = """\
# Duel
#
# Black speaks, White speaks, and what White says after Black is Black's to gain.

assign(s=story())
elicit(black, x, 8)
elicit(white, y, 8)
reward(black, xed(s | x + y))
"""
BATCH = {"items": [{"move": "sea ship", "key": "item-1"}, {"move": "\u0007"}, {"move": "harbour", "key": "item-3"}]}


class Caller:
    """Somebody with a token."""

    def __init__(self, api: str, token: str) -> None:
        self._api = api
        self._headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str, **params: Any) -> Json:
        return _told(httpx.get(self._api + path, headers=self._headers, params=params, timeout=90))

    def post(self, path: str, body: Json | None = None, *, key: str | None = None, wait: float = 30) -> Json:
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        params = {"wait": wait} if wait else {}
        return _told(httpx.post(self._api + path, json=body or {}, headers=headers, params=params, timeout=90))


def _told(answer: httpx.Response) -> Json:
    if not answer.is_success:
        raise SystemExit(f"{answer.request.url}: {answer.text}")
    told: Json = answer.json()
    return told


@contextmanager
def _serving(data: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], Json]]:
    command = ["xentarena", "serve", "--json", "--port", "0", "--data", str(data), "--judge", "pocket", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server, json.loads(server.stdout.readline())
        finally:
            server.send_signal(signal.SIGTERM)


def play(api: str, host_token: str) -> Json:
    """A class plays, down to the moves that are still open. What later versions have to know again."""
    host = Caller(api, host_token)
    competition = host.post("/competitions", {"name": "Thursday class", "bots": "mixed"}, wait=0)
    joined = {name: _join(host, competition, name) for name in ("Ada", "Bo")}
    ada = Caller(api, joined["Ada"]["token"])
    rounds = _rounds(host, competition["id"])
    condense, song, duel = (f"/rounds/{rounds[name]['id']}" for name in ("condense", "song", "duel"))

    ada.post(f"{condense}/submissions", {"move": "seaside evening"}, key="first")
    ada.post(f"{condense}/submissions:batch", BATCH)
    _to_the_end(ada, song, ["Oh my", " love is gone"])
    _to_the_end(ada, song, ["no"] * 11)  # its condition fails once too often: rejected
    awaits = ada.post(f"{song}/submissions", {"move": "Oh my"})
    ada.post(f"{rounds['paused']['path']}/submissions", {"move": "fog"})
    host.post(f"{rounds['paused']['path']}:pause", wait=0)
    _duels(ada, Caller(api, joined["Bo"]["token"]), duel)
    waiting = ada.post(f"{duel}/challenges", {"seat": "black"}, wait=0)
    return {
        "tokens": {name: each["token"] for name, each in joined.items()},
        "competition": competition["id"],
        "rounds": {name: each["id"] for name, each in rounds.items()},
        "awaits": awaits["id"],
        "challenge": waiting["play"],
        "waits": waiting["id"],
    }


def _join(host: Caller, competition: Json, name: str) -> Json:
    return host.post("/competitions:join", {"code": competition["code"], "name": name, "kind": "person"}, wait=0)


def _rounds(host: Caller, competition: str) -> dict[str, Json]:
    digests = {
        name: host.post("/games", {"source": source, "name": name}, wait=0)["digest"]
        for name, source in (("song", SONG), ("duel", DUEL))
    }
    wanted = {
        "condense": {"game": "condense", "passages": [PASSAGE], "attempts": 50},
        "song": {"game": digests["song"], "passages": [], "seed": "a seed"},
        "duel": {"game": digests["duel"], "passages": [PASSAGE]},
        "paused": {"game": "condense_strict", "passages": [PASSAGE]},
    }
    made = {name: host.post(f"/competitions/{competition}/rounds", body, wait=0) for name, body in wanted.items()}
    while host.get(f"/rounds/{made['song']['id']}")["state"] != "open":  # its judge writes for it
        time.sleep(0.2)
    return {name: each | {"path": f"/rounds/{each['id']}"} for name, each in made.items()}


def _duels(ada: Caller, bo: Caller, round_path: str) -> None:
    """Two plays that Ada wins: one to the end, one that Bo leaves."""
    for black, white in ((bo, ada), (ada, bo)):
        first = black.post(f"{round_path}/challenges", {"seat": "black"}, wait=0)
        second = white.post(f"/challenges/{first['play']}:accept", wait=0)
        if white is bo:
            bo.post(f"/submissions/{second['id']}:resign", wait=0)
        else:
            bo.post(f"/submissions/{first['id']}/moves", {"move": "Nothing of"}, wait=0)
            assert ada.post(f"/submissions/{second['id']}/moves", {"move": " that"})["bits"] > 0


def _to_the_end(caller: Caller, round_path: str, moves: list[str]) -> None:
    begun = caller.post(f"{round_path}/submissions", {"move": moves[0]})
    for move in moves[1:]:
        caller.post(f"/submissions/{begun['id']}/moves", {"move": move})


def seen(api: str, host_token: str, told: Json) -> Json:
    """What the host sees of the class: every round, every submission, every board."""
    host = Caller(api, host_token)
    paths = {name: f"/rounds/{each}" for name, each in told["rounds"].items()}
    boards = {name: host.get(f"{path}/leaderboard")["items"] for name, path in paths.items()}
    boards["competition"] = host.get(f"/competitions/{told['competition']}/leaderboard")["items"]
    return {
        "rounds": {name: host.get(path) for name, path in paths.items()},
        "submissions": [each for path in paths.values() for each in host.get(f"{path}/submissions")["items"]],
        "boards": boards,
    }


def play_on(api: str, told: Json) -> Json:
    """Everything that was open goes on, on the folder started again: name of the move → bits, to the millibit."""
    ada, bo = (Caller(api, told["tokens"][name]) for name in ("Ada", "Bo"))
    bits = {"queued": ada.get(f"/submissions/{told['queued']}", wait=60)["bits"]}
    bits["awaited"] = ada.post(f"/submissions/{told['awaits']}/moves", {"move": " where do you go"})["bits"]
    condense = f"/rounds/{told['rounds']['condense']}/submissions"
    bits["new"] = bo.post(condense, {"move": "a lonely shore at night"})["bits"]
    taken = bo.post(f"/challenges/{told['challenge']}:accept", {"seat": "white"}, wait=0)
    ada.post(f"/submissions/{told['waits']}/moves", {"move": "fishing"}, wait=0)
    bits["duel"] = bo.post(f"/submissions/{taken['id']}/moves", {"move": " village"})["bits"]
    return bits


def repeat(api: str, told: Json) -> list[str]:
    """What was sent with a key before, sent again: the submissions that come back, which have to be the old ones."""
    ada = Caller(api, told["tokens"]["Ada"])
    path = f"/rounds/{told['rounds']['condense']}/submissions"
    first = ada.post(path, {"move": "seaside evening"}, key="first")
    again = [{"move": each["move"], "key": each["key"]} for each in BATCH["items"] if "key" in each]
    batch = ada.post(f"{path}:batch", {"items": again})["items"]
    return [first["id"], *(each["submission"]["id"] for each in batch)]


def _leave_one_queued(server: subprocess.Popen[str], api: str, told: Json) -> str:
    """A submission of which no measurement is made before the server ends."""
    for process in psutil.Process(server.pid).children(recursive=True):
        if "worker" in process.cmdline():
            process.suspend()
    ada = Caller(api, told["tokens"]["Ada"])
    path = f"/rounds/{told['rounds']['condense']}/submissions"
    queued = ada.post(path, {"move": "waves that nobody has measured"}, key="queued", wait=0)
    assert queued["state"] == "queued", queued
    found: str = queued["id"]
    return found


def _keep(data: Path, archive: Path) -> None:
    with closing(sqlite3.connect(data / KEPT[0])) as database:
        database.execute("VACUUM")  # small, and nothing beside the one file
    with tarfile.open(archive, "w:xz") as packed:
        for name in KEPT:
            packed.add(data / name, name, filter=_nobodys)


def _nobodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        with _serving(data, "--demo") as (_, facts):
            demo = facts["demo"]
            time.sleep(1)  # house bots leave a move each
        with _serving(data) as (server, facts):  # without them, so that nothing else moves
            api = f"{facts['url']}/api/v1"
            told = play(api, facts["host_token"])
            told |= {"demo": demo, "repeated": repeat(api, told)}
            told["queued"] = _leave_one_queued(server, api, told)
            told["seen"] = seen(api, facts["host_token"], told)
        _keep(data, folder / "data.tar.xz")
        with _serving(data) as (_, facts):
            told["bits"] = play_on(f"{facts['url']}/api/v1", told)
    (folder / "told.json").write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    if not shutil.which("xentarena"):
        raise SystemExit("no xentarena on the PATH")
    main(Path(sys.argv[1]))
