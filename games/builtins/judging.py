"""The functions that ask a judge: xent, nex, xed, dex, choice, is_true, is_false.

first_token: is the first token of a text scored? True, False, or None for what the round's profile says.
"""

from collections.abc import Callable

from games.protocol import ARENA, MAIN
from games.runtime.costs import copied
from games.runtime.state import Play, run_time_error
from games.values import bits
from games.values.bits import Bits, Call, Measured
from games.values.text import EMPTY, Text, Texts, from_moves


def _ask(play: Play, slot: str, first_token: bool | None, text: Text) -> Measured:
    """The bits of the text after its prefix."""
    play.spend(100 + copied(text.text, text.prefix))
    return play.measured(slot, _profile(play, first_token), text, first_token is False)


def _profile(play: Play, first_token: bool | None) -> str:
    return ARENA if first_token else play.setup.profile


def xent(play: Play, text: Text, before: Text = EMPTY, first_token: bool | None = None, slot: str = MAIN) -> Measured:
    """The bits of the text after its prefix, with ``before`` in front of both."""
    play.spend(100 + copied(text.text, text.prefix, before.text))
    text = _behind(text, before)
    key = ("xent", slot, first_token, EMPTY, text)
    known = play.measures.get(key)
    if known is None:
        measured = _ask(play, slot, first_token, text)
        if not measured or not measured.parts:
            return measured
        call = Call("xent", slot, text.text, None, text.prefix, None, measured)
        known = play.measures[key] = Bits(measured.parts, ((call, 1.0),))
    return known


def xed(play: Play, text: Text, before: Text = EMPTY, first_token: bool | None = None, slot: str = MAIN) -> Measured:
    """How many bits the prefix of the text saves."""
    if not text.prefix:
        return bits.zeros(play.tokens(slot, _profile(play, first_token), text.text, first_token is False))
    play.spend(100 + copied(text.text, text.prefix, before.text))
    key = ("xed", slot, first_token, before, text)
    known = play.measures.get(key)
    if known is None:
        without = _ask(play, slot, first_token, Text(text.text, before.text, text.from_move, before.from_move))
        behind = _behind(text, before)
        after = _ask(play, slot, first_token, behind)
        if without is None or after is None:
            return None
        play.spend(without.work() + after.work())
        call = Call("xed", slot, text.text, before.text, behind.prefix, without, after)
        terms = ((call, 1.0),) if after.parts else ()
        known = play.measures[key] = Bits(bits.subtracted(without, after).parts, terms)
    return known


def _behind(text: Text, before: Text) -> Text:
    """The text with ``before`` in front of its prefix."""
    if not before.text:
        return text
    return Text(text.text, before.text + text.prefix, text.from_move, before.from_move | text.prefix_from_move)


def negated(name: str, measure: Callable[..., Measured]) -> Callable[..., Measured]:
    """The same measure with its sign turned, under a name of its own: nex of xent, dex of xed."""

    def run(play: Play, text: Text, before: Text, first_token: bool | None, slot: str) -> Measured:
        value = measure(play, text, before, first_token, slot)
        if value is None:
            return None
        play.spend(value.work())
        terms = tuple([(call._replace(function=name, sign=-1), 1.0) for call, _ in value.terms])
        return Bits(bits.scaled(value, -1).parts, terms)

    return run


# Answers. A one-token answer is its first token, so that they are always asked with it, whatever the profile.


def _cost(play: Play, option: Text, prompt: Text) -> float | None:
    measured = _ask(play, MAIN, True, Text(option.text, prompt.text, option.from_move, prompt.from_move))
    if measured is None:
        return None
    play.spend(measured.work())
    return measured.total()


def choice(play: Play, prompt: Text, options: Texts) -> Text:
    """The option that costs the fewest bits after the prompt; the first of those that cost the same."""
    if not options:
        raise run_time_error("found an empty list of options, expected at least one to choose from")
    costs = [_cost(play, option, prompt) for option in options]
    known = [cost for cost in costs if cost is not None]
    if len(known) < len(costs):
        raise play.need_bits()
    return Text(options[known.index(min(known))].text, "", from_moves(prompt, options))


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
    prompt = play.text(_BEFORE + statement.text + _AFTER, statement.from_move)
    yes, no = _cost(play, Text(" true"), prompt), _cost(play, Text(" false"), prompt)
    return None if yes is None or no is None else yes < no


def is_false(play: Play, statement: Text) -> bool | None:
    """Not ``is_true``."""
    answer = is_true(play, statement)
    return None if answer is None else not answer
