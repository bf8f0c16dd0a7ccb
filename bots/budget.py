"""How much a search may spend, and the best that it had found by then."""

from dataclasses import dataclass, field

from xentarena.errors import ArenaError


@dataclass(frozen=True, slots=True)
class Budget:
    """The most of each; None: as much as it takes. judge_tokens: that the judge reads, prefixes included; known only
    where the judge is asked at home; a search that looks inside ends with them. A play that has begun is played to its
    end. Raises `ArenaError` for nothing at all."""

    submissions: int | None = None
    judge_tokens: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.submissions is not None and self.submissions < 1:
            raise ArenaError("The budget is at least one submission.")
        if self.judge_tokens is not None and self.judge_tokens < 1:
            raise ArenaError("The budget is at least one token that the judge reads.")
        if self.seconds is not None and not self.seconds > 0:
            raise ArenaError("The budget is more than no seconds.")

    def allows(self, spent: "Spent") -> bool:
        """Is there something left of everything?"""
        return (
            (self.submissions is None or spent.submissions < self.submissions)
            and (self.judge_tokens is None or spent.judge_tokens < self.judge_tokens)
            and (self.seconds is None or spent.seconds < self.seconds)
        )


@dataclass(frozen=True, slots=True)
class Spent:
    """judge_tokens: 0 where nobody knows, for it is a server's judge that reads."""

    submissions: int
    judge_tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Step:
    """The best so far was raised to `bits` by this move, when this much was spent, that play included."""

    spent: Spent
    bits: float
    move: str


@dataclass(slots=True)
class Curve:
    """The best so far over what was spent: it rises at each step. spent: at the end."""

    spent: Spent = field(default_factory=lambda: Spent(0, 0, 0.0))
    steps: list[Step] = field(default_factory=list)

    @property
    def best(self) -> float | None:
        """In bits; None where nothing was scored."""
        return self.steps[-1].bits if self.steps else None

    def note(self, spent: Spent, bits: float | None, move: str) -> None:
        """What one more play came to; bits is None where it was not scored."""
        self.spent = spent
        if bits is not None and (self.best is None or bits > self.best):
            self.steps.append(Step(spent, bits, move))
