"""A competition to try things in, made once per data folder over the public API, with two house bots."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

from server.errors import CommandError
from server.launch.files import read_if_there, write_private
from server.launch.supervisor import ChildProcess, Supervisor, environment, xentarena

NAME = "Demo"
PASSAGE = (
    "The ferry left the harbour an hour before sunrise. Gulls followed it past the breakwater, crying over the nets, "
    "and the old captain stood at the wheel with a mug of coffee, watching the lighthouse grow small behind him. "
    "Rain had been promised, but the water lay flat as a plate, and by noon the passengers were asleep on deck "
    "in a warm, salty wind."
)
PREFIX = "a sea voyage at dawn"  # what the example sends
PAUSES = {"Magpie": 5, "Rook": 8}  # house bots, and seconds between their moves
BUDGET = 60  # moves of a house bot in one run of the server


@dataclass(frozen=True, slots=True)
class Bot:
    name: str
    token: str

    def play(self, url: str, round_id: str) -> Supervisor:
        """Let it play, slowly, until its budget is spent."""
        command = xentarena(
            *("bot", "climb", "--quiet", "--server", url, "--round", round_id),
            *("--budget", str(BUDGET), "--pause", str(PAUSES.get(self.name, 8))),
        )
        env = environment(XENTARENA_TOKEN=self.token, XENTARENA_HOST_TOKEN=None, XENTARENA_DATABASE_URL=None)

        def start() -> ChildProcess:
            return ChildProcess(command, env, grace=1)

        # 1: it was told to go away. Anything else is its own crash.
        return Supervisor(
            f"bot {self.name}", start(), start, should_restart=lambda status, ended: status > 1 and ended < 5
        )


@dataclass(slots=True)
class Demo:
    """What is made so far; whole when it has a round and every bot."""

    competition: str = ""
    code: str = ""
    round: str = ""
    bots: list[Bot] = field(default_factory=list)


def open_demo(file: Path, url: str, host_token: str, judges: Sequence[str]) -> Demo:
    """The demo of this folder, with a round that one of `judges` serves. Made as far as it is missing."""
    headers = {"Authorization": f"Bearer {host_token}"}
    with httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=10) as client:
        maker = _Maker(file, client)
        maker.competition()
        maker.round(judges)
        maker.bots()
        return maker.demo


class _Maker:
    """Notes each thing as soon as it is made, so that nothing is made twice."""

    def __init__(self, file: Path, client: httpx.Client) -> None:
        self._file = file
        self._client = client
        self.demo = _read(file)

    def competition(self) -> None:
        if self.demo.competition and (known := self._get(f"/competitions/{self.demo.competition}")):
            self.demo.code = known["code"]  # its host may have made a new one
            return
        made = self._post("/competitions", {"name": NAME, "bots": "mixed"})
        self.demo = Demo(competition=made["id"], code=made["code"])
        self._note()

    def round(self, judges: Sequence[str]) -> None:
        known = self._get(f"/rounds/{self.demo.round}") if self.demo.round else None
        if known and known["judges"]["main"] in judges:
            return
        body = {"game": "condense", "passages": [PASSAGE], "judge": judges[0]}
        self.demo.round = self._post(f"/competitions/{self.demo.competition}/rounds", body)["id"]
        self._note()

    def bots(self) -> None:
        for name in PAUSES:
            if name not in {bot.name for bot in self.demo.bots}:
                body = {"code": self.demo.code, "name": name, "kind": "bot"}
                self.demo.bots.append(Bot(name, self._post("/competitions:join", body)["token"]))
                self._note()

    def _note(self) -> None:
        write_private(self._file, json.dumps(asdict(self.demo), indent=2) + "\n")

    def _get(self, path: str) -> dict[str, Any] | None:
        answer = self._client.get(path)
        return None if answer.status_code == 404 else _body(answer)

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return _body(self._client.post(path, json=body))


def _body(answer: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    if not answer.is_success:
        raise CommandError(f"the demo cannot be made: {body.get('detail', answer.text)}")
    return body


def _read(file: Path) -> Demo:
    try:
        said = json.loads(read_if_there(file) or "{}")
        return Demo(**said | {"bots": [Bot(**bot) for bot in said.get("bots", [])]})
    except (ValueError, TypeError) as error:
        raise CommandError(f"{file} is not what this program wrote: delete it, and a new demo is made") from error
