"""What a server says to whoever started it, once it can be used."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from shlex import quote
from urllib.parse import urlsplit

from judge.loading.packages.catalog import SMOLLM2
from judge.loading.packages.store import is_installed
from server.launch.demo import PREFIX, Demo

THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Greeting:
    url: str
    host_token: str
    worker_token: str | None
    judges: tuple[str, ...]
    demo: Demo | None

    def say(self, *, as_json: bool) -> None:
        """For people on standard output; as JSON one line, and what does not belong in it on standard error."""
        if as_json:
            sys.stdout.write(json.dumps(self._facts()) + "\n")
            sys.stdout.flush()
            if self.worker_token:
                sys.stderr.write("\n".join(self._for_workers()) + "\n")
                sys.stderr.flush()
        else:
            sys.stdout.write("\n".join(self.lines()) + "\n")
            sys.stdout.flush()

    def _facts(self) -> dict[str, object]:
        demo = self.demo
        made = {"code": demo.code, "competition": demo.competition, "round": demo.round} if demo else None
        return {"url": self.url, "host_token": self.host_token, "demo": made}

    def lines(self) -> Iterator[str]:
        yield ""
        yield f"Xent Arena is open at  {self.url}"
        yield f"Hosts sign in at       {self.url}/sign-in#{self.host_token}"
        if self.worker_token:
            yield from self._for_workers()
        if self.demo:
            yield f"The demo's join code   {self.demo.code}  ({self.url}/join/{self.demo.code})"
            yield ""
            yield "To join, submit a prefix and see its score from a terminal:"
            yield ""
            yield from self.curl(self.demo)
        if self.judges[:1] == ("pocket",) and not is_installed(SMOLLM2.name):
            yield ""
            yield f"The judge is pocket, which knows little. {SMOLLM2.name} makes games worth playing:"
            yield f"  xentarena judges install {SMOLLM2.name}    ({SMOLLM2.download / 1e6:.0f} MB; then start again)"
        yield ""
        yield "Ctrl-C stops it; nothing is lost."

    def _for_workers(self) -> Iterator[str]:
        judges = " ".join(f"--judge {quote(judge)}" for judge in self.judges)
        yield "A worker on another machine (see who may: xentarena worker-token list):"
        yield f"  export XENTARENA_WORKER_TOKEN={self.worker_token}"
        yield f"  xentarena worker --server {self.url} {judges}"
        if urlsplit(self.url).hostname in THIS_MACHINE:
            yield "This server listens for this machine only: --host 0.0.0.0 lets others in, or a tunnel."

    def curl(self, demo: Demo) -> Iterator[str]:
        api, json_type = f"{self.url}/api/v1", "-H 'Content-Type: application/json'"
        mine = '-H "Authorization: Bearer $TOKEN"'
        guest = f'-d "{{\\"code\\": \\"{demo.code}\\", \\"name\\": \\"guest $(date +%H%M%S)\\"}}"'
        token, submission = _member("token"), _member("id")
        yield f"TOKEN=$(curl -s {api}/competitions:join {json_type} {guest} | {token})"
        yield (
            f"ID=$(curl -s '{api}/rounds/{demo.round}/submissions?wait=10' {mine} {json_type}"
            f' -d \'{{"move": "{PREFIX}"}}\' | {submission})'
        )
        yield f'curl -s "{api}/submissions/$ID?wait=10" {mine}'


def _member(name: str) -> str:
    """A shell command that takes this string, the first member, out of a JSON object on standard input."""
    return f"""sed 's/^{{"{name}": *"\\([^"]*\\)".*/\\1/'"""
