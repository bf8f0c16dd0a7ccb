"""What the routes of the lab answer."""

from typing import Literal

from pydantic import BaseModel, Field

from judge.unforeseen import Rule


class Candidate(BaseModel):
    text: str = Field(description="What the token would add to the text; its name where no text can spell it.")
    probability: float


class ReadToken(BaseModel):
    text: str = Field(description="The slice of the text that the token completes.")
    bits: float = Field(description="-log2 of its probability.")
    rank: int = Field(description="1 where no token was likelier.")
    entropy: float = Field(description="Bits that the judge was to expect there.")
    top: list[Candidate] = Field(description="The ten likeliest tokens.")


class ReadText(BaseModel):
    """A text as a judge reads it."""

    bits: float
    bytes: int = Field(description="Of UTF-8, in the tokens that are scored.")
    bits_per_byte: float | None
    perplexity: float | None = Field(description="2 to the bits per token.")
    entropy: float = Field(description="Bits that the judge was to expect in all.")
    tokens: list[ReadToken]


class Span(BaseModel):
    start: int = Field(description="Its first token, counted from 0.")
    end: int = Field(description="The token after its last.")
    text: str
    bits: float


class Parts(BaseModel):
    """What of a text could not be foreseen."""

    rule: Rule
    threshold: float = Field(description="Bits of a spike of the entropy.")
    borders: list[int] = Field(description="Before these tokens, counted from 0, the entropy spikes.")
    surprising: list[Span] = Field(description="The five spans that cost most beyond the usual, and their bits.")
    explained: list[Span] | None = Field(description="The five where the prefix saves most; null where there is none.")


class Reading(BaseModel):
    id: str
    judge: str = Field(description="Its name.")
    identity: str
    profile: str
    prefix: str
    text: str
    state: Literal["pending", "known", "failed"]
    read: ReadText | None = Field(description="The text after the prefix; null until it is known.")
    alone: ReadText | None = Field(description="The text alone; null also where there is no prefix.")
    saved: float | None = Field(description="Bits that the prefix saves.")
    parts: Parts | None = Field(description="Null until it is known.")
    build: str | None
    failure: str | None


class Choice(BaseModel):
    text: str = Field(description="What the token would add to the text.")
    before: float = Field(description="Its probability under the judge.")
    after: float = Field(description="Its probability once temperature and cuts did their work.")


class SampleStep(BaseModel):
    text: str = Field(description="What the token that came adds to the text.")
    before: float
    after: float
    kept: int = Field(description="How many tokens the cuts left.")
    mass: float = Field(description="What those have of the judge's distribution together.")
    entropy: float = Field(description="Bits, of the judge's distribution over what a text can hold.")
    entropy_after: float = Field(description="Bits, of what was drawn from.")
    repeats: bool = Field(description="It ends a run of four tokens that was there before.")
    top: list[Choice] = Field(description="The ten likeliest tokens.")


class BeamText(BaseModel):
    text: str
    bits: float


class Sample(BaseModel):
    method: str
    text: str
    bits: float = Field(description="What it costs under the judge.")
    steps: list[SampleStep] = Field(description="In the order in which it was written.")
    beams: list[BeamText] = Field(description="Of a beam search what was kept to the end, the likeliest first.")


class Samples(BaseModel):
    id: str
    judge: str = Field(description="Its name.")
    identity: str
    prefix: str
    methods: list[str]
    tokens: int
    seed: int
    state: Literal["pending", "known", "failed"]
    samples: list[Sample] | None = Field(description="One of each method; null until they are known.")
    build: str | None
    failure: str | None
