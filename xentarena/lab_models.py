"""What the lab of a server answers: readings, samples, and experiments of several readings."""

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


class ReadTotal(WireModel):
    """One text as the judge read it. entropy: bits that it was to expect in all."""

    prefix: str
    text: str
    bits: float
    tokens: int
    entropy: float


class Experiment(WireModel):
    """readings: all that was read, in order; null until it is known."""

    id: str
    judge: str
    identity: str
    state: str
    readings: tuple[ReadTotal, ...] | None
    build: str | None
    failure: str | None


class Interval(WireModel):
    """A mean of so many values, and its 95 % confidence interval, Student's."""

    mean: float
    low: float
    high: float
    count: int


class Pooled(WireModel):
    """Several texts together."""

    bits: float
    tokens: int
    entropy: float
    perplexity: float


class SavedText(WireModel):
    text: str
    bits_without: float
    bits_with: float
    saved: float


class PassagesFigures(WireModel):
    """saved: bits by the prefix on a text, the mean. without: after the other prefix, or alone."""

    saved: Interval
    with_prefix: Pooled
    without: Pooled
    texts: tuple[SavedText, ...]


class Passages(Experiment):
    """What a prefix tells of many texts, against another or none; figures are null until they are known."""

    prefix: str
    other: str
    texts: tuple[str, ...]
    figures: PassagesFigures | None


class AllowedAnswer(WireModel):
    """An answer, its bits after the question, and its share among those that are allowed; log odds are bits."""

    answer: str
    bits: float
    share: float
    log_odds: float
    share_without_prior: float
    log_odds_without_prior: float


class AnswersFigures(WireModel):
    """chosen: the likeliest answer. entropy: how unsure the judge is between them, in bits."""

    answers: tuple[AllowedAnswer, ...]
    chosen: str
    chosen_without_prior: str
    entropy: float
    entropy_without_prior: float


class Answers(Experiment):
    """A question to which only some answers are allowed; figures are null until they are known."""

    question: str
    answers: tuple[str, ...]
    figures: AnswersFigures | None


class Verdict(WireModel):
    """What is said of either sentence, and whether that prefers the "first", the "second" or "neither"."""

    first: float
    second: float
    preferred: str


class PairFigures(WireModel):
    """bits, bits_a_token: what each costs. asked_alone: log odds of Yes to whether it is true. asked_which: log odds of
    being chosen of both, both orders together."""

    bits: Verdict
    bits_a_token: Verdict
    asked_alone: Verdict
    asked_which: Verdict


class Pair(Experiment):
    """Two sentences, and which of them the judge prefers; figures are null until they are known."""

    first: str
    second: str
    figures: PairFigures | None
