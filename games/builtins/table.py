"""The table of the built-in functions: what each takes, what it gives, and what computes it.

Those whose name begins with a dot are written behind their first argument. ``story`` and ``generate…`` are no
functions of values, and stand in ``games.compiler.round_texts``.
"""

import operator

from games.builtins import judging, texts
from games.builtins.numbers import clip, extreme, greatest, number
from games.builtins.signature import Function, Literal, Parameter, function
from games.protocol import MAIN
from games.values.text import EMPTY
from games.values.types import Type

_TEXT = Parameter("s", Type.TEXT)
_OTHER = Parameter("t", Type.TEXT)
_OTHERS = Parameter("t", Type.TEXT | Type.LIST)
_COUNT = Parameter("n", Type.INTEGER, 0)
_LIST = Parameter("l", Type.LIST)
_BITS = Parameter("bits", Type.BITS)
_STATEMENT = Parameter("statement", Type.TEXT)
_MEASURED = (
    Parameter("s | t", Type.TEXT),
    Parameter("preprompt", Type.TEXT, default=EMPTY, keyword=True),
    Parameter("include_first_token", Type.CONDITION, default=None, keyword=True, literal=Literal.TRUTH),
    Parameter("judge", Type.TEXT, default=MAIN, keyword=True, literal=Literal.JUDGE),
)

FUNCTIONS: dict[str, Function] = {
    "xent": function(*_MEASURED, result=Type.BITS, call=judging.xent, uses_judge=True),
    "nex": function(*_MEASURED, result=Type.BITS, call=judging.negated("nex", judging.xent), uses_judge=True),
    "xed": function(*_MEASURED, result=Type.BITS, call=judging.xed, uses_judge=True),
    "dex": function(*_MEASURED, result=Type.BITS, call=judging.negated("dex", judging.xed), uses_judge=True),
    "choice": function(
        Parameter("prompt", Type.TEXT),
        Parameter("options", Type.LIST),
        result=Type.TEXT,
        call=judging.choice,
        uses_judge=True,
    ),
    "is_true": function(_STATEMENT, result=Type.CONDITION, call=judging.is_true, uses_judge=True),
    "is_false": function(_STATEMENT, result=Type.CONDITION, call=judging.is_false, uses_judge=True),
    "remove_common_words": function(_TEXT, _OTHERS, result=Type.TEXT, call=texts.remove_common_words),
    "remove_banned_words": function(_TEXT, _OTHERS, result=Type.TEXT, call=texts.remove_banned_words),
    "only_uses_words": function(
        Parameter("allowed", Type.TEXT | Type.LIST), _TEXT, result=Type.CONDITION, call=texts.only_uses_words
    ),
    "only_uses_chars": function(
        Parameter("allowed", Type.TEXT), _TEXT, result=Type.CONDITION, call=texts.only_uses_chars
    ),
    "word_set": function(_TEXT, result=Type.LIST, call=texts.word_set),
    "common_word_set": function(_TEXT, _OTHER, result=Type.LIST, call=texts.common_word_set),
    "num_words": function(_TEXT, result=Type.INTEGER, call=texts.num_words),
    "num_tokens": function(_TEXT, result=Type.INTEGER, call=texts.num_tokens),
    "number": function(_TEXT, result=Type.FLOAT, call=number),
    "greatest": function(_BITS, result=Type.BITS, call=greatest),
    "clip": function(_BITS, Parameter("n", Type.NUMBER), result=Type.BITS, call=clip),
    "first_n_tokens": function(_TEXT, _COUNT, result=Type.TEXT, call=texts.first_n_tokens),
    "last_n_tokens": function(_TEXT, _COUNT, result=Type.TEXT, call=texts.last_n_tokens),
    "first_n_words": function(_TEXT, _COUNT, result=Type.TEXT, call=texts.first_n_words),
    "last_n_words": function(_TEXT, _COUNT, result=Type.TEXT, call=texts.last_n_words),
    "glue": function(_TEXT, _OTHER, result=Type.TEXT, call=texts.glue),
    "sample": function(_LIST, result=Type.TEXT, call=texts.sample),
    "shuffle": function(_LIST, result=Type.LIST, call=texts.shuffle),
    "len": function(Parameter("s or l", Type.TEXT | Type.LIST), result=Type.INTEGER, call=texts.length),
    "min": extreme(operator.lt),
    "max": extreme(operator.gt),
    ".split": function(_TEXT, Parameter("t", Type.TEXT, default=None), result=Type.LIST, call=texts.split),
    ".join": function(_TEXT, _LIST, result=Type.TEXT, call=texts.join),
}
