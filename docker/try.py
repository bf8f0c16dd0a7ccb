"""Plays a game over HTTP on a server that is up, and compares its scores with `xentarena play`, told by the caller.

    xentarena play condense --judge pocket --story "$(python docker/try.py story)" --move … --json > alone.json
    XENTARENA_HOST_TOKEN=… python docker/try.py play http://127.0.0.1:8000 alone.json

Needs the standard library only. Exit status 0: both scores are the same. It makes a competition each time.
"""

import json
import os
import sys
import urllib.request
from pathlib import Path
from typing import Any

STORY = "The ferry left the harbour an hour before sunrise. Gulls followed it past the breakwater, crying over the net."


class Arena:
    def __init__(self, url: str) -> None:
        self._api = f"{url.rstrip('/')}/api/v1"

    def ask(self, path: str, body: dict[str, Any] | None = None, token: str = "") -> dict[str, Any]:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._api + path, data, headers)  # noqa: S310 the caller's own server
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
        return found


def play(url: str, alone: dict[str, Any], host: str) -> None:
    arena = Arena(url)
    judge = next(each["identity"] for each in arena.ask("/judges")["items"] if each["name"] == "pocket")
    competition = arena.ask("/competitions", {"name": "A try"}, host)
    round_ = {"game": "condense", "passages": [STORY], "judge": judge}
    made = arena.ask(f"/competitions/{competition['id']}/rounds", round_, host)
    token = arena.ask("/competitions:join", {"code": competition["code"], "name": "Ada"})["token"]
    move = next(event["text"] for event in alone["events"] if event["type"] == "move")
    sent = arena.ask(f"/rounds/{made['id']}/submissions?wait=30", {"move": move}, token)
    found = arena.ask(f"/submissions/{sent['id']}?wait=30", token=token)
    (expected,) = alone["rewards"].values()
    sys.stdout.write(f"{move!r}: {found['bits']} bits by HTTP, {expected} at home\n")
    if found["state"] != "scored" or found["bits"] != expected:
        sys.exit(f"not the same: {found}")


if __name__ == "__main__":
    if sys.argv[1] == "story":
        sys.stdout.write(STORY)
    else:
        play(sys.argv[2], json.loads(Path(sys.argv[3]).read_text("utf-8")), os.environ["XENTARENA_HOST_TOKEN"])
