"""A second interpreter of the game language, slow and simple, to compare the engine with on random programs.

It was written from the description alone (LANGUAGE.md, docs/writing-games.md, the vectors and their table judge), by
somebody who had not read the engine: where the two differ, one of them or the description is wrong. Every value is
computed at once, by recursion over Python's syntax tree; the judge is the table judge. Programs must be valid, static
checks are not made. What the description does not determine, or is left out here, raises NotImplementedError.
"""

import ast
import math
import operator
import re
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from games.protocol import Measurement
from tests.games import table_judge

FIRST = "include_first_token"
SEATS = ("black", "white", "alice", "bob", "carol", "env")
PUNCTUATION = re.escape(string.punctuation)
QUESTION = (
    "Is each statement true or false?\n\nStatement: Two and two make four.\nAnswer: true\n\n"
    "Statement: Fish live on the moon.\nAnswer: false\n\nStatement: Snow is cold.\nAnswer: true\n\n"
    "Statement: A week has nine days.\nAnswer: false\n\nStatement: {}\nAnswer:"
)
OPERATORS: Mapping[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.BitOr: operator.or_, ast.BitAnd: operator.and_,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne, ast.In: lambda one, two: one in two, ast.NotIn: lambda one, two: one not in two,
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """How a play stands when its moves are used up."""

    status: str  # awaiting_move, scored, rejected, void
    rewards: Mapping[str, float]  # played seat -> bits, where scored
    reason: str | None  # the type of the reason, where there is one


class Text(NamedTuple):
    value: str
    moved: bool = False  # has a move flowed into it?
    prefix: str = ""
    prefix_moved: bool = False


class Texts(NamedTuple):
    items: tuple[Text, ...]
    moved: bool = False  # does a move say how many there are, or which?


class Number(NamedTuple):
    value: float  # True or False where it is a condition
    moved: bool = False
    measured: bool = False


class Bits(NamedTuple):
    tokens: tuple[tuple[str, float], ...]
    measured: bool = True  # was a judge asked?

    @property
    def total(self) -> float:
        return sum(bits for _, bits in self.tokens)

    def each(self, change: Callable[[float], float]) -> "Bits":
        return Bits(tuple((text, change(bits)) for text, bits in self.tokens), self.measured)

    def plus(self, other: "Bits") -> "Bits":
        measured = self.measured or other.measured
        if [text for text, _ in self.tokens] != [text for text, _ in other.tokens]:
            return Bits(self.tokens + other.tokens, measured)
        each = ((text, one + two) for (text, one), (_, two) in zip(self.tokens, other.tokens, strict=True))
        return Bits(tuple(each), measured)


Value = Text | Texts | Number | Bits
Strings = Sequence[str]
Moves = Sequence[str | Sequence[str]]


class Stop(Exception):
    """The play is over before its last line is done: the status, and the type of the reason."""


def require(holds: bool, status: str, reason: str | None) -> None:
    if not holds:
        raise Stop(status, reason)


def require_value(holds: bool, moved: bool) -> None:
    """A number, or one to divide by: the player's fault where it came from a move."""
    require(holds, *(("rejected", "no_value") if moved else ("void", "run_time")))


def agreed(readings: Sequence[Any], what: str) -> Any:
    """The one result of all readings of the description that there are."""
    if any(reading != readings[0] for reading in readings):
        raise NotImplementedError(what)
    return readings[0]


def in_range(value: float) -> bool:
    """The description has a limit for numbers, and does not say which: it lies between these two."""
    if 1_000_000_000_000_000 < abs(value) < 9_999_999_999_999_999:
        raise NotImplementedError("numbers that may be too far from zero")
    return abs(value) <= 1_000_000_000_000_000


def words(text: str) -> list[str]:
    return text.translate(dict.fromkeys(map(ord, string.punctuation))).lower().split()


def without(text: str, removed: Sequence[str]) -> str:
    """The text without these words, wherever they stand between white space or punctuation."""
    for word in filter(None, removed):
        edges = rf"(?<![^\s{PUNCTUATION}])", rf"(?![^\s{PUNCTUATION}])"
        text = re.sub(re.escape(word).join(edges), "", text, flags=re.IGNORECASE)
    return re.sub(r"\s{2,}", " ", text).strip()


def plain(value: Value) -> Any:
    if isinstance(value, Texts):
        return [item.value for item in value.items]
    return value.total if isinstance(value, Bits) else value.value


def moved_by(*values: Value) -> bool:
    """Has a move flowed into one of these, or into an item of one?"""
    lists = [moved_by(*value.items) for value in values if isinstance(value, Texts)]
    return any(lists) or any(value.moved for value in values if not isinstance(value, Bits))


class Play:
    def __init__(self, source: str, passages: Strings, moves: Moves, context: int, profile: str, generated: Strings):
        written = [line for line in map(str.strip, source.split("\n")) if line and not line.startswith("#")]
        self.lines: list[Any] = [ast.parse(line, mode="eval").body for line in written]
        nodes = [[node for node in ast.walk(line) if isinstance(node, ast.Call)] for line in self.lines]
        calls = [call for line in nodes for call in sorted(line, key=lambda call: call.col_offset)]
        stories = [call for call in calls if getattr(call.func, "id", "") == "story"]
        self.passages = dict(zip(stories, passages, strict=False))
        self.one_generator = sum(getattr(call.func, "id", "").startswith("generate") for call in calls) == 1
        self.context, self.profile, self.generated = context, profile, generated
        self.moves = [move if isinstance(move, str) else move[1] for move in moves]
        names = [letter + digit for letter in "abclstxyp" for digit in ("", "1", "2", "3")]
        self.registers: dict[str, Value] = {name: Texts(()) if name[0] == "l" else Text("") for name in names}
        self.rewards = {self.seat(call)[0]: 0.0 for call in self.lines if getattr(call.func, "id", "") == "elicit"}
        self.paid: list[tuple[str, Bits]] = []  # all rewards, in order
        self.asked: set[Measurement] = set()
        self.flags: dict[str, int] = {}
        self.replayed, self.failures = [0] * len(self.lines), [0] * len(self.lines)
        self.moved = self.back = 0  # how many moves were made, and where ensure returns to

    def run(self) -> Outcome:
        at, executed = 0, 0
        try:
            while at < len(self.lines):
                executed += 1
                require(executed <= 1_000, "void", "budget")
                at = self.execute(at)
        except Stop as stop:
            return Outcome(stop.args[0], {}, stop.args[1])
        return Outcome("scored", self.rewards, None)

    def execute(self, at: int) -> int:
        """Run one line; the line to run next."""
        name, (seat, values) = getattr(self.lines[at].func, "id", ""), self.seat(self.lines[at])
        match name, values:
            case "assign", _:
                self.registers |= {str(word.arg): self.value(word.value) for word in self.lines[at].keywords}
            case "elicit", [*registers, limit]:
                self.back = at
                most = self.value(limit)
                require(1 <= most.value <= 512, "void", "run_time")
                for register in registers:
                    require(self.moved < 64, "void", "budget")
                    require(self.moved < len(self.moves), "awaiting_move", None)
                    text = Text(self.moves[self.moved], moved=True)
                    self.moved += 1
                    self.registers[getattr(register, "id", "")] = self.cut("first_n_tokens", text, most)
            case "reveal", _:
                list(map(self.value, values))
            case "reward", [value]:
                self.pay(seat, self.value(value))
            case "ensure", _:
                held = [self.holds(node) for node in values]
                self.failures[at] = 0 if all(held) else self.failures[at] + 1
                require(self.failures[at] <= 10, "rejected", "ensure_limit")
                return at + 1 if all(held) else self.back
            case "beacon", [flag]:
                self.flags[getattr(flag, "id", "")] = at
            case "replay", [flag, count]:
                times = self.value(count).value
                require(0 <= times <= 100, "void", "run_time")
                again = self.replayed[at] < times
                self.replayed[at] = self.replayed[at] + 1 if again else 0
                return self.flags[getattr(flag, "id", "")] if again else at + 1
            case _:
                raise NotImplementedError(f"the instruction {name}")
        return at + 1

    def pay(self, seat: str, bits: Any) -> None:
        require(math.isfinite(bits.total), "void", "run_time")
        self.paid.append((seat, bits))
        for to, sign in ((seat, 1), ({"black": "white", "white": "black"}.get(seat, ""), -1)):
            if to in self.rewards:
                self.rewards[to] += sign * bits.total

    def seat(self, call: Any) -> tuple[str, list[ast.expr]]:
        """Whom an instruction is about, and its other arguments."""
        first = getattr(call.args[0], "id", "") if call.args else ""
        return (first, call.args[1:]) if first in SEATS else ("black", call.args)

    def holds(self, node: ast.expr) -> bool:
        """Does a condition of an ensure hold? It fails where a move spells no number, or a zero to divide by."""
        try:
            return self.value(node).value is True
        except Stop as stop:
            require(stop.args[1] == "no_value", *stop.args)
            return False

    def value(self, node: ast.expr) -> Any:
        value = self.unchecked(node)
        texts = value.items if isinstance(value, Texts) else ()
        require(not isinstance(value, Text) or len(value.value) <= 20_000, "void", "budget")
        require(len(texts) <= 1_000 and sum(len(text.value) for text in texts) <= 100_000, "void", "budget")
        return value

    def unchecked(self, node: ast.expr) -> Value:
        found = self.condition(node)
        return self.other(node) if found is None else found

    def condition(self, node: ast.expr) -> Number | None:
        match node:
            case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=operand):
                return Number(not (held := self.value(operand)).value, measured=held.measured)
            case ast.BoolOp(op=op, values=nodes):
                measured, conditions, deciding = False, [], isinstance(op, ast.Or)
                for condition in map(self.value, nodes):
                    conditions.append(condition.value)
                    measured = measured or condition.measured
                    if condition.value == deciding and not measured:
                        break  # what is known without a measurement may end it early
                return Number(any(conditions) if deciding else all(conditions), measured=measured)
            case ast.Compare(left=left, ops=ops, comparators=others):
                values = [self.value(side) for side in (left, *others)]
                trios = zip(ops, values, values[1:], strict=False)
                results = [OPERATORS[type(op)](plain(one), plain(two)) for op, one, two in trios]
                measured = any(isinstance(value, Bits | Number) and value.measured for value in values)
                return Number(all(results), measured=measured)
        return None

    def other(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=str(value)):
                return Text(value)
            case ast.Constant(value=int(value) | float(value)):
                return Number(value)
            case ast.Name(id=name):
                return self.registers[name]
            case ast.List(elts=items):
                return Texts(tuple(self.value(item) for item in items))
            case ast.Subscript(value=of, slice=ast.Slice(lower=lower, upper=upper)):
                texts, ends = self.value(of), [self.value(end) if end else None for end in (lower, upper)]
                first, last = (int(end.value) if end else None for end in ends)
                moved = texts.moved or any(end is not None and end.moved for end in ends)
                return Texts(tuple(self.chosen(item, moved) for item in texts.items[first:last]), moved)
            case ast.Subscript(value=of, slice=index):
                texts, place = self.value(of), self.value(index)
                require(-len(texts.items) <= place.value < len(texts.items), "void", "run_time")
                return self.chosen(texts.items[int(place.value)], texts.moved or place.moved)
            case ast.UnaryOp(op=op, operand=operand):
                return self.binary(ast.Mult(), Number(-1 if isinstance(op, ast.USub) else 1), self.value(operand))
            case ast.BinOp(left=left, op=op, right=right):
                return self.binary(op, self.value(left), self.value(right))
            case ast.Call(func=ast.Attribute(value=of, attr="split"), args=args):
                text, at = self.value(of), self.value(args[0]) if args else None
                require(at is None or at.value != "", "void", "run_time")
                moved = text.moved or bool(at and at.moved)
                return Texts(tuple(Text(part, moved) for part in text.value.split(at.value if at else None)), moved)
            case ast.Call(func=ast.Attribute(value=of, attr="join"), args=[arg]):
                text, texts = self.value(of), self.value(arg)
                return Text(text.value.join(item.value for item in texts.items), moved_by(text, texts))
            case ast.Call(func=ast.Name(id=name)):
                return self.call(name, node)
        raise NotImplementedError(ast.unparse(node))

    def chosen(self, text: Text, moved: bool) -> Text:
        """An item of a list, a move's doing where a move chose it."""
        return Text(text.value, text.moved or moved, text.prefix, text.prefix_moved or moved)

    def binary(self, op: ast.operator, left: Value, right: Value) -> Value:
        match op, left, right:
            case ast.BitOr(), Text(), Text():
                return Text(left.value, left.moved, right.value, right.moved)
            case ast.Add(), Text(), Text():
                return Text(left.value + right.value, left.moved or right.moved)
            case ast.FloorDiv() | ast.Mod(), Text(), Text():
                before, _, after = left.value.partition(right.value) if right.value else (left.value, "", "")
                return Text(before if isinstance(op, ast.FloorDiv) else after, left.moved or right.moved)
            case ast.Add(), Texts(), Texts():
                return Texts(left.items + right.items, left.moved or right.moved)
            case ast.Add() | ast.Sub(), Bits(), Bits():
                return left.plus(right if isinstance(op, ast.Add) else right.each(operator.neg))
            case ast.Mult(), Number(), Bits():
                return self.binary(op, right, left)
            case ast.Mult() | ast.Div(), Bits(), Number(value=a):
                require_value(a != 0 or isinstance(op, ast.Mult), right.moved)
                return left.each(lambda bits: OPERATORS[type(op)](bits, a))
            case _, Number(value=a), Number(value=b):
                require_value(b != 0 or not isinstance(op, ast.Div | ast.FloorDiv | ast.Mod), right.moved)
                require(in_range(value := OPERATORS[type(op)](a, b)), "void", "run_time")
                return Number(value, left.moved or right.moved, left.measured or right.measured)
        raise NotImplementedError(f"{type(left)} {type(op)} {type(right)}")

    def call(self, name: str, node: ast.Call) -> Value:
        if name == "story":
            return Text(self.passages[node])
        if name in ("xent", "nex", "xed", "dex"):
            return self.function_of_bits(name, node)
        values = [self.value(arg) for arg in node.args]
        for part in (self.number_or_bits, self.text_or_list, self.written):
            if (found := part(name, values, moved_by(*values))) is not None:
                return found
        raise NotImplementedError(f"{name}: left out, or not determined by the description")

    def number_or_bits(self, name: str, values: list[Any], moved: bool) -> Value | None:
        match name, values:
            case "len", [Text() | Texts() as s]:
                return Number(len(plain(s)), s.moved)
            case "min" | "max", [Number() | Bits() as a, Number() | Bits() as b]:
                one, two = plain(a), plain(b)
                chosen = a if one == two or (one < two) == (name == "min") else b
                return Number(chosen.value, moved) if isinstance(chosen, Number) else chosen
            case "greatest", [Bits(tokens=tokens, measured=measured)]:
                best = max(range(len(tokens)), key=lambda i: tokens[i][1], default=0)
                return Bits(tuple((t, bits if i == best else 0.0) for i, (t, bits) in enumerate(tokens)), measured)
            case "clip", [Bits() as bits, Number(value=most)]:
                return bits.each(lambda b: min(b, most))
            case "number", [Text() as s]:
                spelt = re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)", s.value.strip())
                require_value(spelt is not None and in_range(float(spelt[0])), s.moved)
                return Number(float(s.value), s.moved)
            case "num_tokens" | "num_words", [Text() as s]:
                return Number(len((table_judge.ends if name == "num_tokens" else words)(s.value)), s.moved)
            case "is_true" | "is_false", [Text() as s]:
                prompt = Text(QUESTION.replace("{}", s.value), s.moved)
                true, false = (self.measure(Text(f" {a}"), prompt, "main", True).total for a in ("true", "false"))
                return Number((true < false) == (name == "is_true"), measured=True)
            case "only_uses_words", [Text() | Texts() as allowed, Text() as s]:
                items = plain(allowed) if isinstance(allowed, Texts) else allowed.value.split(" ")
                split = [part for item in items for part in item.split(" ")]
                held = [all(word and word in of for word in s.value.split(" ")) for of in (items, split)]
                return Number(agreed(held, "items with spaces"))
            case "only_uses_chars", [Text() as allowed, Text() as s]:
                return Number(set(s.value) <= set(allowed.value))
        return None

    def text_or_list(self, name: str, values: list[Any], moved: bool) -> Value | None:
        match name, values:
            case "choice", [Text() as prompt, Texts(items=options)]:
                require(len(options) > 0, "void", "run_time")
                costs = [self.measure(option, prompt, "main", True).total for option in options]
                return Text(options[costs.index(min(costs))].value, moved)
            case "remove_common_words", [Text() as s, Text() as t]:
                return Text(without(s.value, sorted({*words(s.value)} & {*words(t.value)})), moved)
            case "remove_common_words", [Text() as s, Texts() as t]:
                items = plain(t)
                orders = items, items[::-1], sorted(items, key=len), sorted(items, key=len, reverse=True)
                return Text(agreed([without(s.value, order) for order in orders], "items that overlap"), moved)
            case "word_set" | "common_word_set", [Text() as s, *others]:
                found = set(words(s.value)).intersection(*(words(other.value) for other in others))
                return Texts(tuple(Text(word, moved) for word in sorted(found)), moved)
            case "glue", [Text() as s, Text() as t]:
                seam = s.value and t.value and not s.value[-1].isspace() and not t.value[0].isspace()
                return Text(s.value + (" " if seam else "") + t.value, moved)
            case "first_n_tokens" | "last_n_tokens" | "first_n_words" | "last_n_words", [Text() as s, Number() as n]:
                return self.cut(name, s, n)
            case "sample" | "shuffle", [Texts() as texts] if len(texts.items) <= 1:
                item = texts.items[0] if texts.items else Text("")
                return texts if name == "shuffle" else self.chosen(item, texts.moved)
        return None

    def written(self, name: str, values: list[Any], moved: bool) -> Value | None:
        """What the round's judge wrote."""
        match name, values:
            case "generate", _ if self.one_generator:
                return Text(self.generated[0])
            case "generate_list", [_, Number(value=n)] if self.one_generator:
                lines = [(text.strip().split("\n")[0].strip(), text.split("\n")[0].strip()) for text in self.generated]
                return Texts(tuple(Text(agreed(line, "an empty first line")) for line in lines[: int(n)]))
            case "generate_list_next_token", [] | [Number()] if self.one_generator:
                count, text = values[0] if values else Number(1), Text(self.generated[0])
                tail = self.cut("last_n_tokens", text, count).value
                if len(table_judge.ends(tail)) != count.value:
                    raise NotImplementedError("the last tokens are others by themselves")
                return Texts((Text(text.value.removesuffix(tail)), Text(tail)))
        return None

    def cut(self, name: str, s: Text, n: Number) -> Text:
        count, moved = int(n.value), s.moved or n.moved
        require(count >= 0, "void", "run_time")
        if name.endswith("_tokens"):
            ends = list(table_judge.ends(s.value))
            starts = [0, *ends][:-1]
        else:  # a word has the punctuation at it; what has punctuation alone is none
            places = [match for match in re.finditer(r"\S+", s.value) if words(match[0])]
            starts, ends = [word.start() for word in places], [word.end() for word in places]
            if s.value and not places and not count:
                raise NotImplementedError("0 words of a text that has none")
        if len(ends) <= count:
            return self.chosen(s if name.endswith("_tokens") else Text(s.value), moved)
        if name.startswith("first"):
            return Text(s.value[: [0, *ends][count]], moved)
        return Text(s.value[[*starts, len(s.value)][-count - 1] :], moved)

    def function_of_bits(self, name: str, node: ast.Call) -> Bits:
        given = {name: self.value(arg) for name, arg in zip(("text", "preprompt", FIRST), node.args, strict=False)}
        given |= {str(keyword.arg): self.value(keyword.value) for keyword in node.keywords}
        text, before = given["text"], given.get("preprompt", Text(""))
        first = given[FIRST].value if FIRST in given else None
        judge = given.get("judge", Text("main")).value
        after = Text(before.value + text.prefix, before.moved or text.prefix_moved)
        if name in ("xent", "nex"):
            bits = self.measure(text, after, judge, first)
        elif not text.prefix:
            bits = Bits(tuple((token, 0.0) for token in self.scored(text.value, judge, first)), measured=False)
        else:
            one, two = (self.measure(text, prefix, judge, first) for prefix in (before, after))
            bits = one.plus(two.each(operator.neg))
        return bits.each(operator.neg) if name in ("nex", "dex") else bits

    def scored(self, text: str, judge: str, first: bool | None) -> list[str]:
        """The tokens of a text that are scored, in reading order."""
        ends = table_judge.ends(text)
        tokens = [text[start:end] for start, end in zip((0, *ends), ends, strict=False)]
        if first or (first is None and self.profile == "arena"):
            return tokens
        return tokens[:-1] if judge == table_judge.BACKWARD else tokens[1:]

    def measure(self, text: Text, prefix: Text, judge: str, first: bool | None) -> Bits:
        tokens = self.scored(text.value, judge, first)
        if not tokens:
            return Bits((), measured=False)
        profile = "arena" if first else self.profile
        question = Measurement(judge=judge, profile=profile, prefix=prefix.value, text=text.value)
        length = len(table_judge.ends(prefix.value)) + len(table_judge.ends(text.value)) + (profile == "arena")
        require(length <= self.context, "rejected" if text.moved or prefix.moved else "void", "too_long")
        self.asked.add(question)
        require(len(self.asked) <= 256, "void", "budget")
        bits = table_judge.bits(question)
        if len(bits) > len(tokens):
            bits = bits[:-1] if judge == table_judge.BACKWARD else bits[1:]
        return Bits(tuple(zip(tokens, bits, strict=True)))


def run(
    source: str,
    *,
    passages: Strings,
    seed: str,
    moves: Moves,
    context: int = 1000,
    profile: str = "arena",
    generated: Strings = (),
) -> Outcome:
    """Play a valid program on these moves. The seed is not used: the description does not define what is drawn."""
    return Play(source, passages, moves, context, profile, generated).run()
