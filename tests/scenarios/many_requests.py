"""Thousands of made-up requests to every route of the API, as each kind of caller: a script, not part of the tests.

    python -m tests.scenarios.many_requests --seconds 50 --database PostgreSQL

They are made by schemathesis, which wants an environment of its own (`pipx install schemathesis`): the command `st` on
the PATH, or ``--schemathesis``. As player, bot, host and worker and without a token, so many seconds each, in a class
of their own in which there is one of everything. It ends with an error where an answer is a server error, is of a
status that the API's description does not have, or does not look as that says; the server counts by itself what it
answered.
"""

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from server.arena import worker_tokens
from server.metrics import REQUESTS
from tests.support import contract
from tests.support.databases import sqlite_at
from tests.support.duels import DUEL, challenge
from tests.support.house import opened
from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class
from tests.support.services import Postgres
from tests.support.workers import PLAIN

HOOKS = Path(contract.__file__).parent / "scenario" / "known_things.py"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
ROLES = ("player", "bot", "host", "worker", "nobody")
#: Whoever asks would be nobody afterwards.
LEFT_OUT = "revoke_my_token"


def callers(house: RunningApp) -> tuple[dict[str, Caller], dict[str, list[str]]]:
    """Who asks, and what there is, by the names of parameters and fields."""
    lesson = new_class(house, PLAIN, bots="mixed")
    at = f"/competitions/{lesson.id}"
    answer(house.host.request("PATCH", at, json={"lab": True}))
    player, bot, other = lesson.join("Ada"), lesson.join("Robby", kind="bot"), lesson.join("Cleo")
    token = house.database.write(lambda session: worker_tokens.create(session, "a GPU")[0])
    ended, duel = (lesson.another_round(game=game) for game in ("condense", house.install_game(DUEL)))
    moves = [player.score(each, "7 of ada")["id"] for each in (lesson.round_id, ended["id"])]
    answer(house.host.post(f"/rounds/{ended['id']}:close"))
    answer(house.host.post(f"/rounds/{ended['id']}:reveal", json={"which": "all"}))
    revealed = answer(player.get(f"/rounds/{ended['id']}/moves"))["items"]
    waiting = challenge(bot, replace(lesson, round=duel))
    host = answer(house.host.post(f"{at}/hosts", json={"name": "Ms Byron"}), 201)["host"]
    known = {
        **others(lesson, player, ended["id"]),
        "competition_id": [lesson.id],
        "round_id": [lesson.round_id, ended["id"], duel["id"]],
        "submission_id": [*moves, waiting["id"]],
        "submissions": [[moves[0]]],
        "play_id": [waiting["play"]],
        "move_id": [each["id"] for each in revealed],
        "player_id": [str(other.id)],
        "invite": ["Cleo"],
        "host_id": [host["id"]],
        "name": ["condense", PLAIN.name, "Cleo", "another name"],
        "game": ["condense"],
        "judge": [PLAIN.identity],
        "second_judge": [PLAIN.identity],
        "code": [lesson.competition["code"]],
    }
    return {
        "player": player,
        "bot": bot,
        "host": house.host,
        "worker": house.caller(token),
        "nobody": house.anyone,
    }, known


def others(lesson: Class, player: Caller, ended: str) -> dict[str, list[str]]:
    """What one request makes, by the names of parameters."""
    host, at = lesson.house.host, f"/competitions/{lesson.id}"
    asked = {"judge": PLAIN.identity, "text": "The tide", "prefix": "sea"}
    made = {
        "team_id": host.post(f"{at}/teams", json={"name": "The owls"}),
        "announcement_id": host.post(f"{at}/announcements", json={"text": "Hear, hear"}),
        "rescoring_id": host.post(f"/rounds/{ended}/rescorings", json={}),
        "key": player.post("/measurements", json=asked),
        "reading_id": player.post("/readings", json=asked),
        "pair_id": player.post("/lab/pairs", json={"judge": PLAIN.identity, "first": "a", "second": "b"}),
    }
    return {name: [answer(each, 201, 202)["id"]] for name, each in made.items()}


def ask(house: RunningApp, who: Caller, known: dict[str, list[str]], folder: Path, options: argparse.Namespace) -> bool:
    """Made-up requests of one caller, for so many seconds. Was everything as it should be?"""
    document = folder / "openapi.json"
    document.write_text(json.dumps(house.app.openapi()), encoding="utf-8")
    command = [options.schemathesis, "run", str(document), "--url", house.url, "--checks", CHECKS, "--no-color"]
    command += ["--max-time", str(options.seconds), "--workers", "1", "--seed", str(options.seed), "--warnings", "off"]
    command += ["--exclude-operation-id", LEFT_OUT, "--continue-on-failure", "--suppress-health-check", "all"]
    command += ["--request-timeout", "60", "--generation-database", "none", "--no-shrink"]
    command += ["--header", f"Authorization: Bearer {who.token}"] if who.token else []
    environment = os.environ | {"SCHEMATHESIS_HOOKS": str(HOOKS), "XENTARENA_KNOWN": json.dumps(known)}
    environment.pop("PYTHONPATH", None)
    ran = subprocess.run(
        command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if ran.returncode:
        sys.stdout.write(ran.stdout)
    return ran.returncode == 0


def answers() -> Counter[tuple[str, str, str]]:
    """How often each method and route was answered with which status, as the server counts."""
    (metric,) = REQUESTS.collect()
    found = Counter[tuple[str, str, str]]()
    for each in metric.samples:
        if each.name.endswith("_count"):
            found[each.labels["method"], each.labels["route"], each.labels["status"]] += int(each.value)
    return found


def wrong(counted: Counter[tuple[str, str, str]]) -> dict[str, int]:
    """Of these, server errors and statuses that the description does not have."""
    paths: Json = contract.document()["paths"]
    found = {}
    for (method, route, status), count in counted.items():
        operation = paths.get(route, {}).get({"HEAD": "get"}.get(method, method.lower()), {})
        undocumented = operation and status not in operation["responses"]
        if count and (status >= "500" or undocumented):
            found[f"{method} {route} {status}"] = count
    return found


@contextmanager
def database(name: str, folder: Path) -> Iterator[str]:
    if name == "SQLite":
        yield sqlite_at(folder / "house.sqlite3")
        return
    postgres = Postgres(folder / "postgres")
    try:
        yield postgres.migrated_database()
    finally:
        postgres.stop()


def main() -> None:
    """Ask, and say how it was answered."""
    parser = argparse.ArgumentParser(
        prog="tests.scenarios.many_requests", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", choices=["SQLite", "PostgreSQL"], default="SQLite")
    parser.add_argument("--seconds", type=int, default=50, help="for each caller")
    parser.add_argument("--role", action="append", choices=ROLES)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    parser.add_argument("--schemathesis", default=shutil.which("st"), metavar="PATH")
    options = parser.parse_args()
    if options.schemathesis is None:
        parser.error("schemathesis is not on the PATH: `pipx install schemathesis`, or say --schemathesis")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with database(options.database, folder) as url, opened(url, folder) as house:
            good = [_as(role, house, folder, options) for role in options.role or ROLES]
    sys.exit(not all(good))


def _as(role: str, house: RunningApp, folder: Path, options: argparse.Namespace) -> bool:
    who, known = callers(house)
    before, began = answers(), time.monotonic()
    passed = ask(house, who[role], known, folder, options)
    counted = answers()
    counted.subtract(before)
    found, by_class = wrong(counted), Counter[str]()
    for (_, _, status), count in counted.items():
        by_class[f"{status[0]}xx"] += count
    told = ", ".join(f"{count:,} {name}" for name, count in sorted(by_class.items()) if count)
    sys.stdout.write(
        f"{options.database}, {role}: {sum(by_class.values()):,} requests in {time.monotonic() - began:.0f} s ({told}),"
        f" seed {options.seed}; wrong: {found or 'none'}\n"
    )
    sys.stdout.flush()
    return passed and not found


if __name__ == "__main__":
    main()
