"""The claims of a worker that is lent to a server over HTTP: it has a token of its own, and knows no Redis."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import httpx
import structlog

from server.queue.claiming import Claim
from server.queue.introductions import Announcer, Introduction
from server.queue.messages import (
    LAB_LANE,
    WRITING_LANES,
    AnyJob,
    ExperimentJob,
    GenerationJob,
    Job,
    NotLetIn,
    RedisError,
    Result,
    ServerAway,
    chunks,
    stream,
)

log = structlog.get_logger()

ANSWERS_WITHIN = 15.0  # seconds, besides what a claim waits
AT_ONCE = 256  # results, and leases, of one request
MOST_BYTES = 6 * 2**20  # of results in one request: the server takes eight megabytes


class Unusable(Exception):
    """The server, or the token for it, cannot be used as it was named: the message says why, and how to mend it."""


class Refused(RedisError):
    """The server takes no such request, however often it is sent."""


class Server:
    """The server of an address, asked with a worker's token. May be called from several threads."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"}
        self._client = httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=ANSWERS_WITHIN)

    def post(self, path: str, body: Mapping[str, Any], *, waits: float = 0.0) -> Any:
        """The answer. Raises `ServerAway` where there is none, `NotLetIn`, or `Refused`."""
        try:
            return _answer(self._client.post(path, json=body, timeout=ANSWERS_WITHIN + waits))
        except (httpx.TransportError, httpx.DecodingError, ValueError) as error:
            raise ServerAway(f"{type(error).__name__}: {error}") from error

    def lease(self) -> float:
        """Seconds after which a claim lapses. Raises Unusable where the server cannot be used."""
        try:
            answer = self._client.get("/worker")
            if answer.is_redirect:
                raise Unusable(f"{self.url} sends elsewhere, to {answer.headers.get('location')}: name that address")
            return float(_answer(answer)["lease"])
        except NotLetIn as error:
            raise Unusable(f"the server at {self.url} does not let this worker in: {error}") from error
        except (httpx.HTTPError, httpx.InvalidURL, RedisError, ValueError, KeyError, TypeError) as error:
            raise Unusable(f"no Xent Arena that takes workers answers at {self.url}: {error}") from error

    def close(self) -> None:
        self._client.close()


class LentClaims:
    """`server.queue.worker.Claims` of a worker over HTTP."""

    def __init__(self, server: Server, worker: str, judges: tuple[str, ...]) -> None:
        self.lease = server.lease()
        self._server = server
        self._worker = re.sub(r"[^A-Za-z0-9._-]", "-", worker)[-128:]
        self._judges = list(judges)
        self._announcer = Announcer(_Book(self._ask))
        self._recall = False

    def announce(
        self,
        judges: Sequence[Introduction],
        build: str,
        rates: Mapping[str, float],
        *,
        seconds: float = float("inf"),
    ) -> bool:
        return self._announcer.announce(judges, build, rates, seconds=seconds)

    def claim(self, count: int, *, block: float, texts: bool = True) -> list[Claim]:
        wanted = {"judges": self._judges, "count": count, "wait": block, "texts": texts, "recall": self._recall}
        self._recall = True  # until an answer has come, it may have been lost on its way, with jobs in it
        said = self._ask("/worker/jobs:claim", wanted, waits=block)
        self._recall = False
        return [_claim(each) for each in said["jobs"]]

    def renew(self, claims: Sequence[Claim]) -> None:
        for some in chunks(claims, AT_ONCE):
            self._ask("/worker/jobs:renew", {"jobs": [_place(claim) for claim in some]})

    def give_back(self, claims: Sequence[Claim]) -> None:
        for some in chunks(claims, AT_ONCE):
            self._ask("/worker/jobs:release", {"jobs": [_place(claim) for claim in some]})

    def publish_all(self, done: Sequence[tuple[Claim, Result]]) -> None:
        for some in portions([_result(*each) for each in done]):
            try:
                said = self._ask("/worker/jobs:publish", {"results": some})
            except Refused as error:  # others will measure them; here they would stand in the way for ever
                log.error("worker.results_refused", count=len(some), error=str(error))
                continue
            if refused := said["refused"]:
                log.info("worker.results_too_late", count=len(refused))

    def leave(self) -> None:
        self._ask("/worker:leave", {"judges": self._judges})

    def close(self) -> None:
        self._server.close()

    def _ask(self, path: str, body: Mapping[str, Any], *, waits: float = 0.0) -> Any:
        return self._server.post(path, {"worker": self._worker, **body}, waits=waits)


class _Book:
    """`server.queue.introductions.Book` of a server. Blocks, and so never waits."""

    def __init__(self, ask: Callable[[str, Mapping[str, Any]], Any]) -> None:
        self._ask = ask

    async def hello(self, judges: Sequence[str], build: str, rates: Mapping[str, float]) -> set[str]:
        return set(self._ask("/worker:announce", {"judges": [*judges], "build": build, "rates": {**rates}})["judges"])

    async def add(self, digest: str, start: int, part: bytes) -> int:
        said = {"digest": digest, "start": start, "part": b64encode(part).decode()}
        return int(self._ask("/worker/tokenizers", said)["bytes"])

    async def enter(self, judge: str, facts: str) -> None:
        self._ask("/worker/judges", json.loads(facts))


def portions(results: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """As many of these in a row as one request may have."""
    some, size = list[dict[str, Any]](), 0
    for each in results:
        more = len(json.dumps(each))
        if some and (len(some) == AT_ONCE or size + more > MOST_BYTES):
            yield some
            some, size = [], 0
        some.append(each)
        size += more
    if some:
        yield some


def _answer(response: httpx.Response) -> Any:
    if response.status_code == 204:
        return None
    if response.is_success:
        return response.json()
    told = _told(response)
    if response.status_code in (401, 403):
        raise NotLetIn(told)
    if response.status_code == 429 or response.status_code >= 500:
        raise ServerAway(told)
    raise Refused(told)


def _told(response: httpx.Response) -> str:
    try:
        return f"{response.status_code}: {response.json()['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"it answers {response.status_code}"


def _claim(said: Mapping[str, Any]) -> Claim:
    judge, lane, key = said["judge"], said["lane"], said["key"]
    job: AnyJob
    if lane == LAB_LANE:
        job = ExperimentJob(key, judge, said["kind"], said["question"])
    elif lane in WRITING_LANES:
        whose = lane.removesuffix("-writing")
        job = GenerationJob(key, judge, said["prompt"], said["tokens"], said["seed"], whose)
    else:
        job = Job(key, judge, said["profile"], said["prefix"], said["text"], lane)
    return Claim(stream(judge, lane), said["entry"], said["delivery"], job)


def _place(claim: Claim) -> dict[str, Any]:
    return {"judge": claim.job.judge, "lane": claim.stream.rpartition(":")[2], "entry": claim.entry}


def _result(claim: Claim, result: Result) -> dict[str, Any]:
    said = {**_place(claim), "build": result.build}
    if result.bits is not None:
        return {**said, "bits": b64encode(result.bits).decode()}
    if result.text is not None:
        return {**said, "text": result.text}
    if result.answer is not None:
        return {**said, "answer": b64encode(result.answer).decode()}
    return {**said, "failure": (result.failure or "unknown")[:4_000]}
