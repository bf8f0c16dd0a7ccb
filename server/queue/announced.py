"""What workers announce, read strictly: nobody vouches for them. Of another version's words those are read that are
known here.

What is no announcement is taken off the lists, so that it stops nobody, and told to whoever asks: a worker that lives
says it again in two seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from server.queue.messages import WORKER_FORGOTTEN, WORKER_SEEN, Worker

LARGEST = 64 * 1024  # bytes of an announcement
LARGEST_TOKENIZER = 64 * 2**20  # bytes
MOST_JUDGES = 32  # of a worker
IGNORED_FOR = 600.0  # seconds for which it is told
MOST_IGNORED = 100  # that are told to whoever looks
DIGEST = r"^[0-9a-f]{64}$"


@dataclass(frozen=True, slots=True)
class Ignored:
    """An announcement that was not understood. who: the worker, or the identity of the judge that it tells of."""

    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class Heard:
    """kept_out: workers that get no work."""

    workers: Sequence[Worker] = ()
    ignored: Sequence[Ignored] = ()
    kept_out: Sequence[Worker] = ()


@dataclass(frozen=True, slots=True)
class Introduced:
    """judges: what was said of each, with its `tokenizer_json`."""

    judges: Sequence[dict[str, Any]] = ()
    ignored: Sequence[Ignored] = ()


def _printable(said: str) -> str:
    """A page shows it and a log has it in one line."""
    if not said.isprintable():
        raise ValueError("there are control characters in it")
    return said


Label = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_printable)]
Rate = Annotated[float, Field(ge=0, le=1e9)]


class _Said(BaseModel):
    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class _Worker(_Said):
    judges: tuple[Label, ...] = Field(max_length=MOST_JUDGES)
    build: Label
    rates: dict[Label, Rate] = Field({}, max_length=MOST_JUDGES)
    seen: float


class _Judge(_Said):
    """tokenizer: the digest of its `tokenizer.json`. lent: a lent machine was the first to bring it."""

    identity: Label
    name: Label
    context: int = Field(ge=1, lt=2**31)
    bos: int | None = Field(ge=0, lt=2**31)
    direction: Literal["forward", "backward"]
    dtype: Label
    build: Label
    tokenizer: str = Field(pattern=DIGEST)
    lent: bool = False


def read_workers(said: dict[bytes, bytes], at: float) -> tuple[Heard, Sequence[bytes]]:
    """Who was heard of in the last ten seconds before `at`, and the names that can be forgotten: under them there is
    nonsense, or somebody of long ago."""
    workers, ignored, gone = list[Worker](), list[Ignored](), list[bytes]()
    for name, data in said.items():
        read = read_worker(name, data)
        if isinstance(read, Ignored):
            ignored.append(read)
            gone.append(name)
        # Whoever was heard of in the future spoke before the clock was put back, and speaks again if it lives.
        elif abs(at - read[1]) <= WORKER_SEEN:
            workers.append(read[0])
        elif abs(at - read[1]) > WORKER_FORGOTTEN:
            gone.append(name)
    return Heard(workers, ignored), gone


def read_worker(name: bytes, data: bytes) -> tuple[Worker, float] | Ignored:
    """The worker and when it was last heard of."""
    who = shown(name)
    try:
        said = _Worker.model_validate_json(_short(data))
        _printable(name.decode())
    except ValueError as error:
        return Ignored(who, _reason(error))
    return Worker(who, said.judges, said.build, said.rates), said.seen


def read_judge(identity: bytes, data: bytes) -> dict[str, Any] | Ignored:
    """What was said of a judge under this identity."""
    try:
        said = _Judge.model_validate_json(_short(data))
    except ValueError as error:
        return Ignored(shown(identity), _reason(error))
    if said.identity.encode() != identity:
        return Ignored(shown(identity), "identity: it is another one than that under which it was announced")
    return said.model_dump()


def shown(raw: bytes) -> str:
    """A name that nobody vouches for, as a log or a page may have it."""
    return "".join(each if each.isprintable() else "\ufffd" for each in raw[:255].decode(errors="replace"))


def _short(data: bytes) -> bytes:
    if len(data) > LARGEST:
        raise ValueError(f"it has {len(data):,} bytes, {LARGEST:,} are the most")
    return data


def _reason(error: ValueError) -> str:
    """What is wrong, in one short line, without what was sent."""
    if not isinstance(error, ValidationError):
        return "its name is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return ": ".join(filter(None, (".".join(shown(str(each).encode()) for each in first["loc"]), first["msg"])))[:300]
