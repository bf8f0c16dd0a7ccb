"""What lent workers send and are sent. Bounded in every part: nobody vouches for them."""

import binascii
import json
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, EncodedBytes, EncoderProtocol, Field, model_validator
from pydantic_core import PydanticCustomError

from server.api.bodies import Label, Request
from server.queue.claiming import Claim
from server.queue.lent import Place
from server.queue.messages import ExperimentJob, Job, Result

MOST_BITS = 4 * 64 * 2**10 // 3  # letters of Base64, as of 16,384 tokens
MOST_TEXT = 256 * 2**10  # characters
MOST_ANSWER = 4 * 2**20  # letters of Base64: an experiment's answer of three megabytes
MOST_PART = 4 * (2**20 // 3 + 1)  # letters of Base64: a megabyte of a tokenizer at once
MOST_JOBS = 1_024  # of a claim
MOST_RESULTS = 256  # at once


class _Base64(EncoderProtocol):
    """The usual letters and nothing else."""

    @classmethod
    def decode(cls, data: bytes) -> bytes:
        try:
            return binascii.a2b_base64(data, strict_mode=True) if data else b""
        except ValueError as error:
            raise PydanticCustomError("base64", "This is no Base64: {why}", {"why": str(error)}) from error

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return binascii.b2a_base64(value, newline=False)

    @classmethod
    def get_json_format(cls) -> Literal["base64"]:
        return "base64"


Base64 = Annotated[bytes, EncodedBytes(encoder=_Base64)]
WorkerName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9._-]{1,128}$",
        description="Which of the machines and processes that have this token: another each time it starts.",
        examples=["gpu-7-4711-5f3a90c2"],
    ),
]
Identity = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]*$")]
Judges = Annotated[list[Identity], Field(max_length=32, description="Identities of its judges.")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of a tokenizer.json, in hex.")]
Lane = Literal[
    "people", "people-2", "people-4", "people-8", "people-rest",
    "bots", "bots-2", "bots-4", "bots-8", "bots-rest",
    "people-writing", "bots-writing", "lab", "check",
]  # fmt: skip
Rate = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class OfWorker(Request):
    worker: WorkerName


class Announcement(OfWorker):
    judges: Judges
    build: Label = Field(description="What computes: device, CPU capability, torch version.")
    rates: dict[Identity, Rate] = Field({}, max_length=32, description="Judge → measurements a second.")


class JudgeAnnouncement(OfWorker):
    """A judge whose tokenizer is there. What another version says besides is let be."""

    model_config = ConfigDict(extra="ignore")

    identity: Identity
    name: Label
    context: int = Field(strict=True, ge=1, le=2**31)
    bos: int | None = Field(strict=True, ge=0, le=2**31)
    direction: Literal["forward", "backward"]
    dtype: Label
    build: Label
    tokenizer: Digest

    def facts(self) -> str:
        return json.dumps({**self.model_dump(exclude={"worker"}), "lent": True})


class TokenizerPart(OfWorker):
    digest: Digest
    start: int = Field(strict=True, ge=0, le=2**31, description="The byte at which this part begins.")
    part: Base64 = Field(max_length=MOST_PART, description="In Base64; nothing: only ask how much is there.")


class ClaimRequest(OfWorker):
    judges: Judges
    count: int = Field(strict=True, ge=1, le=MOST_JOBS, description="Measurements, at most.")
    wait: float = Field(0, ge=0, le=5, description="Seconds to wait for the first.")
    texts: bool = Field(True, description="One text to be written, too?")
    recall: bool = Field(False, description="First what this worker holds: an answer may not have reached it.")


class Held(Request):
    """A job that the worker holds."""

    judge: Identity
    lane: Lane
    entry: str = Field(pattern=r"^\d{1,19}-\d{1,19}$", examples=["1764230400000-0"])

    @property
    def place(self) -> Place:
        return Place(self.judge, self.lane, self.entry)


class HeldRequest(OfWorker):
    jobs: list[Held] = Field(max_length=4 * MOST_JOBS)


class JobResult(Held):
    """What became of it: one of `bits`, `text`, `answer` and `failure`."""

    build: Label
    bits: Base64 | None = Field(
        None, max_length=MOST_BITS, description="float32, little-endian, one a scored token, in Base64."
    )
    text: str | None = Field(None, max_length=MOST_TEXT)
    answer: Base64 | None = Field(
        None, max_length=MOST_ANSWER, description="Of an experiment of the lab, as its kind packs it, in Base64."
    )
    failure: str | None = Field(None, max_length=4_096)

    @model_validator(mode="after")
    def _one_of_four(self) -> Self:
        if sum(each is not None for each in (self.bits, self.text, self.answer, self.failure)) != 1:
            raise ValueError("a result has one of bits, text, answer and failure")
        return self

    @property
    def result(self) -> Result:
        return Result("", self.build, self.bits, self.failure, self.text, self.answer)


class ResultsRequest(OfWorker):
    results: list[JobResult] = Field(max_length=MOST_RESULTS)


class LeaveRequest(OfWorker):
    judges: Judges


class WorkerToken(BaseModel):
    name: str = Field(description="Whose token it is, as the host called it.", examples=["the lab's GPU"])
    lease: float = Field(description="Seconds after which a claim lapses that was not renewed.")
    at_work: list[str] = Field(description="Workers that announced themselves with this token in the last ten seconds.")


class Lacking(BaseModel):
    judges: list[str] = Field(description="Of the judges announced, those that are to be introduced.")


class Size(BaseModel):
    bytes: int = Field(description="So much of the tokenizer is there.")


class Refused(BaseModel):
    refused: list[int] = Field(description="Places in `results`, from 0, of jobs that this worker does not hold.")


class ClaimedJob(BaseModel):
    """A measurement has `profile`, `prefix` and `text`; a text to be written `prompt`, `tokens` and `seed`, an
    experiment of the lab `kind` and `question`."""

    judge: str
    lane: Lane
    entry: str
    delivery: int = Field(description="How often it was handed out, this time included.")
    key: str
    profile: str | None = None
    prefix: str | None = None
    text: str | None = None
    prompt: str | None = None
    tokens: int | None = None
    seed: str | None = None
    kind: str | None = None
    question: str | None = Field(None, description="Parameters of its kind, as JSON.")


class Jobs(BaseModel):
    jobs: list[ClaimedJob]


def jobs(claims: Sequence[Claim]) -> bytes:
    """As `Jobs` has them: made by hand, since there may be a thousand."""
    return json.dumps({"jobs": [_job(claim) for claim in claims]}).encode()


def _job(claim: Claim) -> dict[str, object]:
    job = claim.job
    lane = claim.stream.rpartition(":")[2].partition("@")[0]
    said = {"judge": job.judge, "lane": lane, "entry": claim.entry, "delivery": claim.delivery, "key": job.key}
    if isinstance(job, Job):
        return {**said, "profile": job.profile, "prefix": job.prefix, "text": job.text}
    if isinstance(job, ExperimentJob):
        return {**said, "kind": job.kind, "question": job.question}
    return {**said, "prompt": job.prompt, "tokens": job.tokens, "seed": job.seed}
