"""What a strategy is, and how one is found: by its registered name, or as a class in a file.

StrategyError   there is none of that name, or what is there is no strategy
"""

import importlib.util
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, cast, runtime_checkable

from xentarena.errors import ArenaError
from xentarena.events import AnyEvent
from xentarena.extras import MODULES, require

GROUP = "xentarena.strategies"  # of entry points


@dataclass(frozen=True, slots=True)
class View:
    """What a player has before it when a move is asked for. rules: the game's front page, Markdown. register, limit:
    what is asked for, and how many tokens of it count. registers: what may be seen, by name. events: so far."""

    title: str
    rules: str
    passages: Sequence[str]
    seat: str
    register: str
    limit: int
    registers: Mapping[str, str | Sequence[str]]
    events: Sequence[AnyEvent]


@runtime_checkable
class Strategy(Protocol):
    """One player's mind in one round. It may have further methods:

    ``summary() -> str``: told at the end. ``refuse(move, why)``: what the rules have against a proposal, before it is
    played. ``look(view)``: what a player sees, before each proposal. ``review(submission)``: how a play ended, with
    all its events, before ``learn``; at home it is an ``Outcome``. ``read``: tokens that a judge of its own has read;
    ``allow(tokens)``: how far that may go, before each play at home.
    """

    def propose(self) -> str:
        """The next move: a text of at most 8,192 bytes, not empty."""

    def learn(self, move: str, bits: float | None) -> None:
        """What a proposed move earned, in bits; None where it was not scored."""


#: (passages of the round, seed) → a strategy. The same two give the same proposals, if they earn the same.
StrategyFactory = Callable[[Sequence[str], str], Strategy]


class StrategyError(ArenaError):
    """What was named cannot play; its text says why."""


def proposed(strategy: Strategy) -> str:
    """What a strategy plays next. Raises `StrategyError` where that is no text."""
    move: object = strategy.propose()
    if not isinstance(move, str):
        raise StrategyError(f"{type(strategy).__name__}.propose() gave {move!r}; a move is a text.")
    return move


def load_strategy(name: str) -> StrategyFactory:
    """The strategy of this name: a registered one, or FILE.py:CLASS. Raises `StrategyError`."""
    file, colon, attribute = name.rpartition(":")
    if colon or name.endswith(".py"):
        return _checked(name, _from_file(Path(file or name), attribute if colon else ""))
    return _checked(name, _registered(name))


def names() -> list[str]:
    """Every registered strategy."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def _registered(name: str) -> Any:
    offers = {entry.value: entry for entry in entry_points(group=GROUP, name=name)}
    if not offers:
        raise StrategyError(
            f"There is no strategy {name!r}; there is: {', '.join(names())}. One of your own is FILE.py:CLASS."
        )
    if len(offers) > 1:
        raise StrategyError(f"Several installed packages have a strategy {name!r}: {', '.join(sorted(offers))}.")
    (entry,) = offers.values()
    try:
        return entry.load()
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name in MODULES["judge"]:
            require("judge", packages=("judge",))  # says how to get what a search inside the judge lacks
        raise StrategyError(f"The strategy {name!r} ({entry.value}) cannot be loaded: {_told(error)}") from error


def _from_file(file: Path, attribute: str) -> Any:
    if not file.is_file():
        raise StrategyError(f"There is no file {file}.")
    if not attribute:
        raise StrategyError(f"Say which class of {file} is the strategy: {file}:CLASS.")
    module = _executed(file)
    try:
        return getattr(module, attribute)
    except AttributeError:
        raise StrategyError(f"{file} has no {attribute!r}; it has: {_classes(module)}.") from None


def _executed(file: Path) -> ModuleType:
    """The file as a module. Its own folder is looked in last, so that nothing of it hides a package."""
    spec = importlib.util.spec_from_file_location(f"_strategy_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise StrategyError(f"{file} is not a Python file: its name has to end in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # as dataclasses and pickle want it
    sys.path.append(str(file.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise StrategyError(f"{file} cannot be loaded: {_told(error)}") from error
    return module


def _checked(name: str, found: Any) -> StrategyFactory:
    lacks = [method for method in ("propose", "learn") if isinstance(found, type) and not hasattr(found, method)]
    if not callable(found) or lacks:
        why = f"it has no {' and no '.join(lacks)}" if lacks else f"it is {found!r}, not a class"
        raise StrategyError(f"{name} is not a strategy: {why}. A strategy has the methods propose and learn.")
    return cast(StrategyFactory, found)


def _told(error: Exception) -> str:
    """The error, and the line of code it comes from."""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(frame.filename).name}, line {frame.lineno})"


def _classes(module: ModuleType) -> str:
    own = [each.__name__ for each in vars(module).values() if getattr(each, "__module__", "") == module.__name__]
    return ", ".join(sorted(own)) or "nothing of its own"
