"""The functions that ask a judge: xent, nex, xed, dex, choice, is_true, is_false."""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from games import bits
from games.bits import Measured
from games.checker import Checker, Expression, broken
from games.kinds import Kind
from games.operators import expression
from games.play import ARENA, Play, run_time_error
from games.signatures import Function, Parameter, argument_fits, count_fits
from games.texts import EMPTY, Text, Texts
from games.values import MAIN

_PARAMETERS = (Parameter("s | t", Kind.TEXT), Parameter("preprompt", Kind.TEXT))
_USAGE = "(s | t, preprompt, include_first_token, judge=)"


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """How a text is measured, at one place of a program. first_token: True, False, or None for what the round's profile
    says."""

    slot: str
    first_token: bool | None = None

    def bits(self, play: Play, text: Text) -> Measured:
        """The bits of the text after its prefix."""
        return play.measured(self.slot, self.profile(play), text, self.first_token is False)

    def zeros(self, play: Play, text: Text) -> Measured:
        """No bits on any token of the text."""
        return bits.zeros(play.tokens(self.slot, self.profile(play), text.text, self.first_token is False))

    def profile(self, play: Play) -> str:
        return ARENA if self.first_token else play.setup.profile


def _xent(play: Play, question: Question, text: Text, before: Text) -> Measured:
    if before.text:
        text = Text(text.text, before.text + text.prefix, text.moved, before.moved or text.prefix_moved)
    return question.bits(play, text)


def _xed(play: Play, question: Question, text: Text, before: Text) -> Measured:
    if not text.prefix:
        return question.zeros(play, text)
    key = (question, before.text, text.prefix, text.text)
    saved = play.saved.get(key)
    if saved is None:
        without = question.bits(play, Text(text.text, before.text, text.moved, before.moved))
        after = _xent(play, question, text, before)
        if without is None or after is None:
            return None
        saved = play.saved[key] = bits.subtracted(without, after)
    return saved


def _negative(measure: Callable[..., Measured]) -> Callable[..., Measured]:
    def run(play: Play, question: Question, text: Text, before: Text) -> Measured:
        value = measure(play, question, text, before)
        return None if value is None else bits.scaled(value, -1)

    return run


_MEASURES = {"xent": _xent, "nex": _negative(_xent), "xed": _xed, "dex": _negative(_xed)}


def _compile(
    checker: Checker, node: ast.Call, name: str, arguments: Sequence[Expression], keywords: Mapping[str, Expression]
) -> Expression:
    usage = name + _USAGE
    given = dict(zip(("s", "preprompt", "include_first_token"), arguments, strict=False))
    if not count_fits(checker, node, usage, len(arguments), 1, 3):
        return broken(node)
    for keyword, value in keywords.items():
        if keyword not in ("preprompt", "include_first_token", "judge") or keyword in given:
            twice = "a second time" if keyword in given else ""
            return checker.complain(value.node, f"the keyword {keyword}= {twice}".strip(), usage)
        given[keyword] = value
    before = given.get("preprompt")
    texts = [given["s"]] + ([before] if before else [])
    fine = [argument_fits(checker, each, parameter, usage) for each, parameter in zip(texts, _PARAMETERS, strict=False)]
    question = _question(checker, given, usage)
    if not all(fine) or question is None:
        return broken(node)
    measure, run_text, run_before = _MEASURES[name], given["s"].run, before.run if before else None

    def run(play: Play) -> Measured:
        return measure(play, question, run_text(play), run_before(play) if run_before else EMPTY)

    return expression(checker, Kind.BITS, run, node, texts, measures=True)


def _question(checker: Checker, given: Mapping[str, Expression], usage: str) -> Question | None:
    """How to ask, from the arguments that must be written out; None where they are in error."""
    first, slot = given.get("include_first_token"), given.get("judge")
    if first and not isinstance(first.literal, bool):
        checker.complain(first.node, checker.described(first), f"True or False as include_first_token of {usage}")
        return None
    if slot and not (isinstance(slot.literal, str) and slot.kind is Kind.TEXT and slot.literal.isidentifier()):
        checker.complain(slot.node, checker.described(slot), f'a name in quotes as judge of {usage}, like "other"')
        return None
    name = str(slot.literal) if slot else MAIN
    checker.slots[name] = None
    return Question(name, first.literal if first and isinstance(first.literal, bool) else None)


# Answers. A one-token answer is its first token, so that they are always asked with it, whatever the profile.

_ANSWERS = Question(MAIN, first_token=True)


def _cost(play: Play, option: Text, prompt: Text) -> float | None:
    measured = _ANSWERS.bits(play, Text(option.text, prompt.text, option.moved, prompt.moved))
    return None if measured is None else measured.total()


def choice(play: Play, prompt: Text, options: Texts) -> Text:
    """The option that costs the fewest bits after the prompt; the first of those that cost the same."""
    if not options:
        raise run_time_error("found an empty list of options, expected at least one to choose from")
    costs = [_cost(play, option, prompt) for option in options]
    known = [cost for cost in costs if cost is not None]
    if len(known) < len(costs):
        raise play.need_bits()
    moved = prompt.moved or any(option.moved for option in options)
    return Text(options[known.index(min(known))].text, "", moved)


#: The question of ``is_true``, printed in docs/writing-games.md. What it asks about stands for ``{}``.
QUESTION = """\
Is each statement true or false?

Statement: Two and two make four.
Answer: true

Statement: Fish live on the moon.
Answer: false

Statement: Snow is cold.
Answer: true

Statement: A week has nine days.
Answer: false

Statement: {}
Answer:"""
_BEFORE, _AFTER = QUESTION.split("{}")


def is_true(play: Play, statement: Text) -> bool | None:
    """Is " true" cheaper than " false" after the question about the statement? A tie is false."""
    prompt = play.text(_BEFORE + statement.text + _AFTER, statement.moved)
    yes, no = _cost(play, Text(" true"), prompt), _cost(play, Text(" false"), prompt)
    return None if yes is None or no is None else yes < no


def is_false(play: Play, statement: Text) -> bool | None:
    """Not ``is_true``."""
    answer = is_true(play, statement)
    return None if answer is None else not answer


_STATEMENT = (Parameter("statement", Kind.TEXT),)
FUNCTIONS = {
    **{name: Function((), Kind.BITS, compile=_compile) for name in _MEASURES},
    "choice": Function(
        (Parameter("prompt", Kind.TEXT), Parameter("options", Kind.LIST)), Kind.TEXT, choice, measures=True
    ),
    "is_true": Function(_STATEMENT, Kind.CONDITION, is_true, measures=True),
    "is_false": Function(_STATEMENT, Kind.CONDITION, is_false, measures=True),
}
