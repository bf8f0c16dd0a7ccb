"""Programs that are made to take more time than the work they are charged for, and what they take: for every function,
operator and instruction there is a value here, and for each a line that makes it again and again."""

import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from types import FrameType
from typing import Any

from games import engine, limits
from games.errors import ProgramErrors
from games.program import Program, parse
from games.protocol import JudgeFacts, Log, Measurement, Move, Setup
from games.runtime.state import Play, PlayEnded, Suspended

#: Values by what they are, of a text s, a text t, a list l and a move x.
VALUES: dict[str, Sequence[str]] = {
    "text": (
        *("s + t", "s // t", "s % t", "s | t", "glue(s, t)", '"-".join(l)', "t.join(l)", "sample(l)", "l[0]", "l[-1]"),
        *("l[len(l) - 1]", "remove_common_words(s, t)", "remove_common_words(t, s)", "remove_common_words(s, l)"),
        *("remove_common_words(t, l)", 'remove_common_words("", l)', "remove_banned_words(s, t)"),
        *("remove_banned_words(t, s)", "remove_banned_words(x, s)", "remove_banned_words(t, l)"),
        *("first_n_tokens(s, 9)", "last_n_tokens(s, 9)", "first_n_words(s, 9)", "last_n_words(s, 9)", "choice(x, l)"),
        *("choice(s, [t, x])", "story()", '"a"', "s"),
    ),
    "list": (
        *("l + l", "l[1:]", "l[len(l) - 1:]", "shuffle(l)", "word_set(s)", "common_word_set(s, t)", "s.split()"),
        *("s.split(t)", "[s, t]", "[x, x, x, x]", "l"),
    ),
    "number": (
        *("num_words(s)", "num_tokens(s)", "len(s)", "len(l)", "len(l) * 2 - 1", "7 // 2 + 7 % 2", "min(1, 2) / 2"),
        *("max(len(s), -1)", "number(t)"),
    ),
    "condition": (
        *("only_uses_words(s, t)", "only_uses_words(l, s)", "only_uses_words(s, x)", "only_uses_chars(s, t)", "t in s"),
        *("only_uses_chars(x, s)", "s not in t", "(s + x) in s", "t in l", "s == t", "l != shuffle(l)", "not True"),
        *("True and False", "False | ~ True & True", "1 < 2 <= 3", "is_true(x)", "is_false(t)", "xent(t) > 3"),
        *('x == "a"', "number(x) > 1", "num_words(s) < 0"),
    ),
    "bits": (
        *("xent(t)", "xent(t | s)", "nex(t)", "xed(t | x)", "dex(t | x)", "xent(t, s)", "xed(t | x, s)", "xent(l[0])"),
        *("greatest(xent(t))", "clip(xent(t), 3)", "xent(t) * 2", "xent(t) / 2", "- xent(t)", "xent(t) * (s == t)"),
        *("xent(t) - xent(t | x)", "min(xent(t), xent(x))", "max(xent(t), xent(x))", "xent(t, x, False)", "xent(x)"),
        *('xent(t, judge="other")', 'xent(t) - xent(t, judge="other")', "xent(s)", "xent(x) + xent(t)"),
    ),
}
LINES = {
    "text": ("assign(p=[{}][0])", "reveal({})", "reveal(bob, {})"),
    "list": ("assign(l3={first})", "reveal({})", 'assign(p="".join({first}))'),
    "number": ("ensure({first} > -1)", "reveal({})", 'assign(p=first_n_words("a b", {first}))'),
    "condition": ("ensure({})", "ensure(({first}) or True)", "reveal({})"),
    "bits": (
        "reward({sum})",
        "ensure(({sum}) > -1)",
        "reveal({})",
        "ensure(({first}) > 1000000)",
        "reward(bob, {sum})",
    ),
}
LONGEST = limits.TEXT_CHARACTERS - 200


def _words(random: Random, size: int) -> str:
    found = ["".join(random.choices("abcdefghilmnoprstuwy", k=random.randint(1, 9))) for _ in range(size // 5 + 1)]
    return " ".join(found)[:size]


def _letters(random: Random, size: int) -> str:
    """As many different ones as there are, of all writing systems."""
    return "".join(
        chr(code if code < 0xD800 else code + 0x1000) for code in random.choices(range(0xA1, 0x2F000), k=size)
    )


def _repeated(*pieces: str) -> Callable[[Random, int], str]:
    return lambda random, size: (random.choice(pieces) * size)[:size]


#: Texts of every kind that costs something of its own, by how they are made.
TEXTURES: dict[str, Callable[[Random, int], str]] = {
    "words": _words,
    "letters": _letters,
    "one word": _repeated("a", "ab", "ж", "漢", "𝒜"),
    "short words": _repeated("a ", "ж ", "漢 ", "İ "),
    "nothing": _repeated(" ", "\n \t", "\u3000 ", "\u200b"),
    "punctuation": _repeated("-", "-'", "- ", ",.", "_"),
    "compounds": _repeated("a-", "ab'c-", "ж-"),
    "marks": _repeated("\u0301\u0323", "e\u0301", "\u0345"),
    "ligatures": _repeated("\ufdfa", "ﬆ", "ŉ", "ß"),
    "digits": _repeated("9", "0", "1.", "0.0000001"),
    "look-alikes": _repeated("drаgon ", "ⅷa", "ａ", "а"),
    "near matches": lambda random, size: ("a" * 49 + "b" + "a" * 49)[:size] or "a",
    "capitals": _repeated("Σ", "ſS", "AbC ", "ŽŠ"),
    "long words": lambda random, size: " ".join(
        "".join(random.choices("abcdefgy'", k=64)) for _ in range(size // 65 + 1)
    )[:size],
}


@dataclass(frozen=True, slots=True)
class Case:
    """A program with what it is played on. texts: the texture and length of s, t and l. names: what it tries."""

    names: tuple[str, ...]
    source: str
    texts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one replay of a case took: processor time in seconds, units of work."""

    case: Case
    seconds: float
    work: int

    @property
    def nanoseconds(self) -> float:
        """Of processor time for each unit that was charged."""
        return 1e9 * self.seconds / self.work


def cases(random: Random) -> Iterator[Case]:
    """Cases without end, each of one to three values in a loop."""
    while True:
        chosen = [
            (kind, random.choice(VALUES[kind])) for kind in random.choices(sorted(VALUES), k=random.randint(1, 3))
        ]
        yield case(random, *chosen)


def case(random: Random, *chosen: tuple[str, str]) -> Case:
    """A case of these values, on random texts."""
    lines = [_line(random, kind, value) for kind, value in chosen]
    loop = [random.choice(['assign(s="q" + s)', "assign(l=shuffle(l))", "beacon(flag_2)", "beacon(flag_2)"]), *lines]
    cut = random.choice(["split()", 'split(" ")', "split(t)"])
    start = ["assign(s=story(), t=story())", f"assign(l=story().{cut})"]
    source = "\n".join([*start, "elicit(x, 500)", "beacon(flag_1)", *loop, "replay(flag_1, 100)"])
    return Case(tuple(value for _, value in chosen), source, (_text(random), _text(random), _listed(random)))


def _line(random: Random, kind: str, value: str) -> str:
    line = random.choice(LINES[kind])
    times = min(random.choice((1, 4, 20, 200, 400)), (limits.LINE_CHARACTERS - 40) // (len(value) + 5))
    times = min(times, 45 if "{sum}" in line else 400)
    return line.format(", ".join([value] * times), first=value, sum=" + ".join([f"({value})"] * times))


def _text(random: Random) -> tuple[str, int]:
    return random.choice(sorted(TEXTURES)), random.choice((1, 3, 99, 1_000, 5_000, LONGEST))


def _listed(random: Random) -> tuple[str, int]:
    return random.choice(sorted(TEXTURES)), random.choice((0, 2, 400, 1_900, 1_998, 5_000))


@lru_cache(maxsize=256)
def _ends(text: str) -> tuple[int, ...]:
    return tuple([match.end() for match in re.finditer(r"\s*\S{1,8}|\s+$", text)])


class _Bits(dict[Measurement, Sequence[float]]):
    """Every token costs a bit, whatever is asked."""

    def get(self, measurement: Measurement, default: Any = None) -> Sequence[float]:
        return (1.0,) * len(_ends(measurement.text))


def measured(case: Case, repeats: int = 2) -> Cost | None:
    """The least that one replay takes, each on texts of its own; None where it is no program."""
    try:
        program = parse(case.source)
    except ProgramErrors:
        return None
    return min((_once(case, program, seed) for seed in range(repeats)), key=lambda cost: cost.nanoseconds)


def _once(case: Case, program: Program, seed: int) -> Cost:
    play = _started(case, program, seed)
    start = time.process_time()
    with suppress(PlayEnded, Suspended):
        engine.run(program, play)
    return Cost(case, time.process_time() - start, play.work)


def _started(case: Case, program: Program, seed: int) -> Play:
    random = Random(seed)
    passages = [TEXTURES[texture](random, size) for texture, size in case.texts]
    passages += passages[:1] * (program.passages - len(passages))
    facts = JudgeFacts(_ends, context=100_000)
    setup = Setup(tuple(passages), str(seed), dict.fromkeys(program.judges, facts))
    return engine.started(Play, program, setup, Log(tuple([Move("black", "a b c d e")] * limits.MOVES), _Bits()))


#: Of the methods of texts and patterns, those that always read a text to its end.
_WHOLE = frozenset({"split", "lower", "translate", "replace", "partition", "sub", "findall"})
#: Characters that one of them reads in about the time of one operation of Python.
_AT_ONCE = 8


@dataclass(slots=True)
class Operations:
    """What a play does, counted without a clock: operations of Python's machine, and what built-in methods read. The
    judge's own work (`_ends`) is not the engine's."""

    count: int = 0

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename == __file__:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        self.count += event == "opcode"
        return self.trace

    def profile(self, frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and called.__name__ in _WHOLE:
            own = getattr(called, "__self__", None)
            texts = (
                [own] if isinstance(own, str) else [each for each in frame.f_locals.values() if isinstance(each, str)]
            )
            self.count += max(map(len, texts), default=0) // _AT_ONCE


def counted(case: Case) -> tuple[int, int]:
    """Operations and units of work of one replay. Raises ProgramErrors where it is no program."""
    program = parse(case.source)
    play, operations = _started(case, program, 0), Operations()
    before = sys.gettrace(), sys.getprofile()
    sys.settrace(operations.trace)
    sys.setprofile(operations.profile)
    try:
        with suppress(PlayEnded, Suspended):
            engine.run(program, play)
    finally:
        sys.settrace(before[0])
        sys.setprofile(before[1])
    return operations.count, play.work
