"""What the routes of the lab's experiments of several readings answer."""

from typing import Literal

from pydantic import BaseModel, Field

from judge.figures import Preferred


class ReadTotal(BaseModel):
    """One text as the judge read it."""

    prefix: str
    text: str
    bits: float
    tokens: int
    entropy: float = Field(description="Bits that the judge was to expect in all.")


class Experiment(BaseModel):
    id: str
    judge: str = Field(description="Its name.")
    identity: str
    state: Literal["pending", "known", "failed"]
    readings: list[ReadTotal] | None = Field(description="All that was read, in order; null until it is known.")
    build: str | None
    failure: str | None


class Interval(BaseModel):
    """A mean and its 95 % confidence interval, Student's."""

    mean: float
    low: float
    high: float
    count: int = Field(description="Of how many values.")


class Pooled(BaseModel):
    """Several texts together."""

    bits: float
    tokens: int
    entropy: float = Field(description="Bits that the judge was to expect in all.")
    perplexity: float = Field(description="2 to the bits per token, at most 2 to the 1,000.")


class SavedText(BaseModel):
    text: str
    bits_without: float
    bits_with: float
    saved: float


class PassagesFigures(BaseModel):
    saved: Interval = Field(description="Bits that the prefix saves on a text.")
    with_prefix: Pooled
    without: Pooled = Field(description="After the other prefix, or alone.")
    texts: list[SavedText]


class Passages(Experiment):
    """What a prefix tells of many texts."""

    prefix: str
    other: str = Field(description="The prefix that it is compared with; empty: none.")
    texts: list[str]
    figures: PassagesFigures | None = Field(description="Null until they are known.")


class AllowedAnswer(BaseModel):
    """An answer, its bits after the question, and its share among those that are allowed."""

    answer: str
    bits: float
    share: float
    log_odds: float = Field(description="Of it against all others together, in bits.")
    share_without_prior: float = Field(description="Over its share where nothing is asked, shared out anew.")
    log_odds_without_prior: float


class AnswersFigures(BaseModel):
    answers: list[AllowedAnswer]
    chosen: str = Field(description="The likeliest; of equal ones the first.")
    chosen_without_prior: str
    entropy: float = Field(description="How unsure the judge is between the answers, in bits.")
    entropy_without_prior: float


class Answers(Experiment):
    """A question to which only some answers are allowed."""

    question: str
    answers: list[str]
    figures: AnswersFigures | None = Field(description="Null until they are known.")


class Verdict(BaseModel):
    """What is said of either sentence, and which is preferred by that."""

    first: float
    second: float
    preferred: Preferred


class PairFigures(BaseModel):
    bits: Verdict = Field(description="What each costs; fewer are preferred.")
    bits_a_token: Verdict
    asked_alone: Verdict = Field(description="Log odds, in bits, of Yes to whether it is true.")
    asked_which: Verdict = Field(description="Log odds, in bits, of being chosen of both, both orders together.")


class Pair(Experiment):
    """Two sentences, and which of them the judge prefers."""

    first: str
    second: str
    figures: PairFigures | None = Field(description="Null until they are known.")
