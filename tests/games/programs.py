"""Random programs for property tests: texts of any kind, and programs that pass the check."""

from hypothesis import strategies as st

from games.syntax.names import FLAGS, SEATS

#: Texts as a player may send them: no control characters but newline and tab, no half surrogates.
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=60)
_pieces = st.sampled_from(["aa", "bb", "cc", "dragon", "don't", "é", "Ж", "😀", ",", ".", "\n"])
words = st.lists(_pieces, max_size=8).map(" ".join)
moves = st.one_of(words, texts)

_text_registers = st.sampled_from(["s", "t", "t1", "x", "x1", "y", "p", "p1"])
_literals = st.sampled_from(["", "a", "aa bb", ",", "dragon", "é😀", " zz"]).map(lambda each: f'"{each}"')


def _call(name: str, *arguments: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*arguments).map(lambda given: f"{name}({', '.join(given)})")


def _between(sign: str, left: st.SearchStrategy[str], right: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(left, right).map(lambda given: f"({given[0]} {sign} {given[1]})")


_numbers = st.one_of(
    st.integers(0, 9).map(str),
    _text_registers.map(lambda name: f"len({name})"),
    _text_registers.map(lambda name: f"num_tokens({name})"),
)
_reals = st.one_of(_numbers, _text_registers.map(lambda name: f"number({name})"))
_plain_texts = st.one_of(_text_registers, _literals, st.just("story()"))
_lists = st.one_of(
    st.just("l"),
    st.lists(_plain_texts, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
    _plain_texts.map(lambda each: f"{each}.split()"),
    _call("word_set", _plain_texts),
    _call("shuffle", st.just("l")),
)
_texts = st.recursive(
    _plain_texts,
    lambda inner: st.one_of(
        *[_between(sign, inner, inner) for sign in ("+", "//", "%", "|")],
        _call("remove_common_words", inner, st.one_of(inner, _lists)),
        _call("remove_banned_words", inner, inner),
        _call("first_n_tokens", inner, _numbers),
        _call("first_n_words", inner, _numbers),
        _call("last_n_words", inner, _numbers),
        _call("glue", inner, inner),
        _call("last_n_tokens", inner, _numbers),
        _call("sample", _lists),
        _call("choice", inner, _lists),
        _lists.map(lambda each: f'"-".join({each})'),
        st.tuples(_lists, st.integers(-2, 2)).map(lambda given: f"{given[0]}[{given[1]}]"),
    ),
    max_leaves=4,
)
_measured = st.tuples(
    st.sampled_from(["xent", "nex", "xed", "dex"]), _texts, st.sampled_from(["", ", t", ", t, True"])
).map(lambda given: f"{given[0]}({given[1]}{given[2]})")
_bits = st.one_of(
    _measured,
    *[_between(sign, _measured, _measured) for sign in "+-"],
    _between("*", _measured, st.sampled_from(["2", "0.5", "-1"])),
    _call("max", _measured, _measured),
    _call("greatest", _measured),
    _call("clip", _measured, _reals),
    _between("/", _measured, _reals.filter(lambda number: number != "0")),
    _between("*", _measured, _between("==", _plain_texts, _plain_texts)),
)
_conditions = st.one_of(
    _between("<=", _bits, st.one_of(_bits, _numbers)),
    _between(">", _call("max", _measured, _reals), _reals),
    _between("!=", _texts, _texts),
    _between("in", _plain_texts, st.one_of(_texts, _lists)),
    _call("only_uses_chars", _texts, _texts),
    _call("is_true", _plain_texts),
    _between("or", _between(">", _measured, _numbers), _between("==", _numbers, _numbers)),
)
_seats = st.sampled_from(["", *(f"{seat}, " for seat in SEATS)])
_lines = st.one_of(
    st.tuples(_text_registers, _texts).map(lambda given: f"assign({given[0]}={given[1]})"),
    _lists.map(lambda each: f"assign(l={each})"),
    st.tuples(_seats, _text_registers, st.integers(1, 9)).map(
        lambda given: f"elicit({given[0]}{given[1]}, {given[2]})"
    ),
    st.tuples(_seats, st.one_of(_texts, _lists, _bits)).map(lambda given: f"reveal({given[0]}{given[1]})"),
    st.tuples(_seats.filter(lambda seat: "env" not in seat), _bits).map(lambda given: f"reward({given[0]}{given[1]})"),
    _conditions.map(lambda each: f"ensure({each})"),
    st.sampled_from(FLAGS).map(lambda flag: f"beacon({flag})"),
    st.tuples(st.sampled_from(FLAGS), st.integers(0, 3)).map(lambda given: f"replay({given[0]}, {given[1]})"),
)

#: Programs that may be in error only for an ensure without an elicit, or a replay without a beacon. The first lines
#: keep most of them from that.
programs = st.lists(_lines, min_size=1, max_size=10).map(
    lambda lines: "\n".join(["beacon(flag_1)", "beacon(flag_2)", "elicit(x, 5)", *lines])
)
