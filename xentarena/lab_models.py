"""What the lab of a server answers: readings and samples."""

from xentarena.models import WireModel


class Candidate(WireModel):
    """A token that might have come: what it would add to the text, and how probable it was."""

    text: str
    probability: float


class ReadToken(WireModel):
    """rank: 1 where no token was likelier. entropy: bits that the judge was to expect there."""

    text: str
    bits: float
    rank: int
    entropy: float
    top: tuple[Candidate, ...]


class ReadText(WireModel):
    """A text as a judge reads it."""

    bits: float
    bytes: int
    bits_per_byte: float | None
    perplexity: float | None
    entropy: float
    tokens: tuple[ReadToken, ...]


class Span(WireModel):
    """The tokens from `start` up to but without `end`, counted from 0."""

    start: int
    end: int
    text: str
    bits: float


class Parts(WireModel):
    """borders: tokens before which the entropy spikes. surprising, explained: the spans that cost most, and those where
    the prefix saves most."""

    rule: str
    threshold: float
    borders: tuple[int, ...]
    surprising: tuple[Span, ...]
    explained: tuple[Span, ...] | None


class Reading(WireModel):
    """read: the text after the prefix; alone: without; saved: the bits between; parts: what could not be foreseen. Null
    until known, and `alone` and `saved` where there is no prefix."""

    id: str
    judge: str
    identity: str
    profile: str
    prefix: str
    text: str
    state: str
    read: ReadText | None
    alone: ReadText | None
    saved: float | None
    parts: Parts | None = None
    build: str | None
    failure: str | None


class Choice(WireModel):
    """A token that might have come: what it would add to the text, and its probability before and after the cuts."""

    text: str
    before: float
    after: float


class SampleStep(WireModel):
    """kept: how many tokens the cuts left; mass: what those have of the judge's distribution. entropy: bits before the
    cuts and after. repeats: it ends a run of four tokens that was there before."""

    text: str
    before: float
    after: float
    kept: int
    mass: float
    entropy: float
    entropy_after: float
    repeats: bool
    top: tuple[Choice, ...]


class BeamText(WireModel):
    text: str
    bits: float


class Sample(WireModel):
    """What came of one method. beams: of a beam search what was kept to the end."""

    method: str
    text: str
    bits: float
    steps: tuple[SampleStep, ...]
    beams: tuple[BeamText, ...]


class Samples(WireModel):
    """What a judge wrote after `prefix`, by each method from the same seed; null until it is known."""

    id: str
    judge: str
    identity: str
    prefix: str
    methods: tuple[str, ...]
    tokens: int
    seed: int
    state: str
    samples: tuple[Sample, ...] | None
    build: str | None
    failure: str | None
