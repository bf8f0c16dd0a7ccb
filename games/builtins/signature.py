"""What a built-in function takes and gives: data alone. The compiler checks calls by it, the play runs them by it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from games.values.types import Type


class Literal(Enum):
    """What must be written out, so that it is known before play."""

    TRUTH = auto()
    """True or False."""
    JUDGE = auto()
    """The slot of a judge, a name in quotes."""


#: The default of a parameter that has none.
REQUIRED: Any = object()


@dataclass(frozen=True, slots=True)
class Parameter:
    """low, high: the least and greatest number, checked before play where it is written out, else in play.

    default: what the implementation is given where the argument is left out. keyword: can it be given by name?
    literal: must it be written out, and as what? A ``JUDGE`` stands by keyword only. role: what messages call it.
    """

    name: str
    type: Type
    low: int | None = None
    high: int | None = None
    default: Any = REQUIRED
    keyword: bool = False
    literal: Literal | None = None
    role: str = ""

    def range_error(self, number: Any) -> str | None:
        """What was expected of the number, or None where it is in range."""
        if (self.low is None or number >= self.low) and (self.high is None or number <= self.high):
            return None
        if self.high is None:
            return f"{self.name} ≥ {self.low}"
        return f"{self.low} ≤ {self.name} ≤ {self.high}"


@dataclass(frozen=True, slots=True)
class Signature:
    """call(play, *values) gives the value, or None where bits that it hangs on are not known yet."""

    parameters: tuple[Parameter, ...]
    result: Type
    call: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Function:
    """A built-in. signatures: one, or several that differ in types alone; the first that fits counts, and the last
    takes whatever an earlier one takes. uses_judge: can a call of it measure?"""

    signatures: tuple[Signature, ...]
    uses_judge: bool = False

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Those of the widest signature."""
        return self.signatures[-1].parameters


def function(*parameters: Parameter, result: Type, call: Callable[..., Any], uses_judge: bool = False) -> Function:
    """A built-in of one signature."""
    return Function((Signature(parameters, result, call),), uses_judge)


def usage(name: str, parameters: tuple[Parameter, ...]) -> str:
    """How a function is called, for messages: ``split(s, t)``."""
    shown = [f"{each.name}=" if each.literal is Literal.JUDGE else each.name for each in parameters]
    return f"{name.removeprefix('.')}({', '.join(shown)})"
