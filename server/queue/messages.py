"""The queue: what is in Redis, and the only code that knows its names and formats.

Redis holds no truth. A job is the doorbell of a row in `measurements`; all of this may be wiped at any moment and is
put back by the sweeper.

    xa:<judge>:<lane>      stream of measurements, group "workers". Lanes, of people and of bots: people for the first
                           two that a participant has pending, people-2 for the third and fourth, people-4, people-8,
                           and from the 33rd on people-rest. Of texts to be written:
                           people-writing, bots-writing, so that they are handed out one at a time; behind them, in
                           the same way, lab
    xa:<judge>:index       hash: key → "<lane> <entry id>", so that putting a job in twice does nothing
    xa:results             stream of results, group "referees"
    xa:judges, xa:workers  hashes: what workers announced
    xa:ignored             stream of what was announced and not understood, a hundred at most
    xa:served              hash: judge → when a worker that serves it was last heard of, seconds
    xa:tokenizer:<digest>  a tokenizer.json, whole once a judge that names it is in xa:judges
    xa:rate:<participant>  hash: what is left of a rate limit that several API processes share
    xa:<judge>:check@<worker>  stream of measurements that this worker is to make again, since others made them
    xa:distrusted          set: workers, and tokens of lent ones, that get no work
    xa:lent:<token>        how many bytes of introductions came with a lent worker's token in a day
    xa:written             stream of one entry, by which is found out whether Redis takes any
    xa:notices             pub/sub: which submissions and competitions changed
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

FIRST_OF_ONE = (2, 4, 8, 32)  # entries of one participant: those beyond so many pending stand behind others' fewer
_BEYOND = ("", *(f"-{pending}" for pending in FIRST_OF_ONE[:-1]), "-rest")
PEOPLE_LANES = tuple(f"people{each}" for each in _BEYOND)
BOT_LANES = tuple(f"bots{each}" for each in _BEYOND)
LANES = PEOPLE_LANES + BOT_LANES
LAB_LANE = "lab"
WRITING_LANES = ("people-writing", "bots-writing", LAB_LANE)  # of what is done in many small steps
ALL_LANES = LANES + WRITING_LANES
CHECK_LANE = "check"  # of what one worker is to measure again; behind an @ the worker
ALONE_FROM = 3  # at this delivery an entry is measured alone
LAST_DELIVERY = 5  # at this one the failure is its result
LANE_BYTES = 64 * 2**20  # a lane of a judge takes no more jobs than these; the rows of others wait for the sweeper
WORKER_SEEN = 10.0  # seconds after which a silent worker counts as gone
WORKER_FORGOTTEN = 3_600.0  # seconds after which its name is taken off the list, if it did not do so itself
JUDGES, WORKERS, RESULTS, NOTICES = "xa:judges", "xa:workers", "xa:results", "xa:notices"
IGNORED = "xa:ignored"
SERVED = "xa:served"
DISTRUSTED = "xa:distrusted"
WRITTEN = "xa:written"
# A claim of the future, since Redis' clock was put back, would not lapse for as long as that: it begins now, whosever
# it is. Redis shows it as idle for no time, and so a claim of this very moment, to which it makes no difference.
BEGIN_ANEW = """
local claims = redis.pcall('XPENDING', KEYS[1], ARGV[1], '-', '+', 10000)
for _, claim in ipairs(claims) do
  if claim[3] == 0 then redis.call('XCLAIM', KEYS[1], ARGV[1], claim[2], 0, claim[1], 'JUSTID') end
end
"""

AWAY = (RedisConnectionError, RedisTimeoutError)
Entry = tuple[bytes, dict[bytes, bytes] | None]  # id and fields; None: deleted


class ServerAway(RedisConnectionError):
    """The server does not answer a worker that asks it by HTTP, or cannot reach its own Redis."""


class NotLetIn(RedisError):
    """The server does not take this worker's token, or does so no longer. It is no use to ask again."""


class NotTaken(RedisError):
    """Redis did not take all that it was given, or it is not known whether it did. added: keys of what is in it now
    and was not before."""

    def __init__(self, why: str, added: Sequence[str]) -> None:
        super().__init__(why)
        self.added = added


@dataclass(frozen=True, slots=True)
class Job:
    """A measurement to be made."""

    key: str
    judge: str
    profile: str
    prefix: str
    text: str
    lane: str


@dataclass(frozen=True, slots=True)
class GenerationJob:
    """A text to be written by a judge: `tokens` tokens after `prompt`. The same of everything gives the same text."""

    key: str
    judge: str
    prompt: str
    tokens: int
    seed: str
    lane: str


@dataclass(frozen=True, slots=True)
class ExperimentJob:
    """Something that a judge is asked in the lab: the parameters of its kind, as JSON."""

    key: str
    judge: str
    kind: str
    question: str
    lane: str = LAB_LANE


AnyJob = Job | GenerationJob | ExperimentJob


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a job: `bits` (float32, little-endian, one a scored token), `text` (written), `answer` (of an
    experiment, as its kind packs it) or `failure`. worker: who says so, which the queue knows."""

    key: str
    build: str
    bits: bytes | None = None
    failure: str | None = None
    text: str | None = None
    answer: bytes | None = None
    worker: str = ""


@dataclass(frozen=True, slots=True)
class Worker:
    """A live worker: which judges it serves, and of those it has tried, how many measurements a second each makes."""

    id: str
    judges: tuple[str, ...]
    build: str
    rates: Mapping[str, float]

    @property
    def lent(self) -> bool:
        """Does it come in by HTTP, with a worker's token?"""
        return is_lent(self.id)

    @property
    def party(self) -> str:
        return party(self.id)


@dataclass(frozen=True, slots=True)
class Lane:
    """jobs: how many no worker has finished. taken: how many of these are in a worker's hands."""

    jobs: int = 0
    taken: int = 0


@dataclass(frozen=True, slots=True)
class ChangeNotice:
    """What changed, after a commit. Told twice, or for nothing, it does no harm."""

    submissions: tuple[str, ...] = ()
    measurements: tuple[str, ...] = ()
    competitions: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()


def stream(judge: str, lane: str) -> str:
    return f"xa:{judge}:{lane}"


def served_lanes(texts: bool) -> tuple[str, ...]:
    return ALL_LANES if texts else LANES


def check_lane(worker: str) -> str:
    return f"{CHECK_LANE}@{worker}"


def asked_of(lane: str) -> str:
    """The worker of such a lane."""
    return lane.partition("@")[2]


def is_lent(worker: str) -> bool:
    return "/" in worker


def party(worker: str) -> str:
    """Whose word a worker's is: of a lent one its token, under which it may take any name."""
    return worker.partition("/")[0]


def tokenizer_key(digest: str) -> str:
    return f"xa:tokenizer:{digest}"


def lent_name(token: str, worker: str) -> str:
    """What a worker that came in with this token is called: nobody else can take its name."""
    return f"{token}/{worker}"


def lent_key(token: str) -> str:
    return f"xa:lent:{token}"


def rate_key(participant: str) -> str:
    return f"xa:rate:{participant}"


def index(judge: str) -> str:
    return f"xa:{judge}:index"


def entry_fields(job: AnyJob) -> tuple[str, list[str]]:
    """The lane and the fields of an entry. Which fields they are tells what is to be done."""
    fields = {name: str(value) for name, value in asdict(job).items() if name not in ("judge", "lane")}
    lane = WRITING_LANES[job.lane in BOT_LANES] if isinstance(job, GenerationJob) else job.lane
    return lane, [part for field in fields.items() for part in field]


def read_job(judge: str, lane: str, raw: dict[bytes, bytes]) -> AnyJob | None:
    """The job; None where these are not the fields of one."""
    try:
        fields = {name.decode(): value.decode() for name, value in raw.items()}
        if lane in LANES or lane.startswith(CHECK_LANE):
            return Job(judge=judge, lane=lane, **fields)
        if lane == LAB_LANE:
            return ExperimentJob(judge=judge, **fields)
        tokens = int(fields.pop("tokens"))
        return GenerationJob(judge=judge, lane=lane.removesuffix("-writing"), tokens=tokens, **fields)
    except (TypeError, ValueError, KeyError):  # other fields, not UTF-8, not a number
        return None


def outcome(result: Result) -> tuple[str, str | bytes]:
    """The field in which a result has what came of its job; the others are `key` and `build`."""
    if result.bits is not None:
        return "bits", result.bits
    if result.text is not None:
        return "text", result.text
    if result.answer is not None:
        return "answer", result.answer
    return "failure", result.failure or "unknown"


def read_result(fields: dict[bytes, bytes]) -> Result | None:
    """The result; None where these are not the fields of one. Every text in it is one that a database takes."""
    if b"key" not in fields or b"build" not in fields:
        return None

    def said(name: bytes) -> str | None:
        return _text(fields[name]) if name in fields else None

    key, build = _text(fields[b"key"]), _text(fields[b"build"])
    told = fields.get(b"bits"), said(b"failure"), said(b"text"), fields.get(b"answer")
    return Result(key, build, *told, worker=said(b"worker") or "")


def read_notice(data: bytes) -> ChangeNotice | None:
    """The notice; None where this is none, so that nonsense on the channel stops nobody's listening."""
    try:
        return ChangeNotice(**{name: tuple(map(str, ids)) for name, ids in json.loads(data).items()})
    except (ValueError, TypeError, AttributeError):
        return None


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace").replace("\0", "\ufffd")


def connection_options() -> dict[str, Any]:
    return {"protocol": 2, "socket_timeout": 10, "socket_connect_timeout": 5, "health_check_interval": 15}


def chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


__all__ = [
    "AWAY",
    "ChangeNotice",
    "GenerationJob",
    "Job",
    "NotLetIn",
    "NotTaken",
    "RedisError",
    "Result",
    "ServerAway",
    "Worker",
]
