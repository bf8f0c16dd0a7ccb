"""The functions on words, texts and lists: each counts its work, then does what ``words`` or ``banned`` says."""

from collections.abc import Iterator, Sequence

from games import limits
from games.builtins import banned, words
from games.protocol import MAIN
from games.runtime.costs import copied, read, searched
from games.runtime.rng import shuffled
from games.runtime.state import Play, out_of_budget, run_time_error
from games.values.text import EMPTY, Text, Texts, from_moves

_Other = Text | Texts


# Words


def _strings(value: _Other) -> str | list[str]:
    return value.text if isinstance(value, Text) else [item.text for item in value]


def _count(value: _Other) -> int:
    return 1 if isinstance(value, Text) else len(value)


def _size(value: _Other) -> int:
    return len(value.text) if isinstance(value, Text) else sum([len(item.text) for item in value])


def remove_common_words(play: Play, text: Text, other: _Other) -> Text:
    play.spend(300)
    if isinstance(other, Text):
        play.spend(read(text.text, 20) + read(other.text, 10))
        left = words.remove_common_words(text.text, other.text)
    else:
        listed = [item.text for item in other]
        play.spend(read(text.text, 20) + sum([read(item, 10) for item in listed]))
        # With a separator in one of them they are looked for one by one.
        if any(map(words.has_separator, listed)):
            play.spend(sum([searched(text.text, item) for item in listed]))
        left = words.remove_words(text.text, listed, lambda: play.spend(50))
    return Text(left, "", from_moves(text, other))


def remove_banned_words(play: Play, text: Text, other: _Other) -> Text:
    mine = _normalised(play, text.text)
    others = _normalised(play, other.text if isinstance(other, Text) else "\n".join([item.text for item in other]))
    left = banned.without(mine, banned.banned(others), lambda: play.spend(300))
    return play.text(left, from_moves(text, other))


def _normalised(play: Play, text: str) -> str:
    play.spend(read(text, 20))
    text = banned.decomposed(text)
    # A Hangul syllable is three characters here, and one ligature eighteen.
    if len(text) > 3 * limits.TEXT_CHARACTERS:
        raise out_of_budget("characters in one text", limits.TEXT_CHARACTERS)
    play.spend(read(text, 60))
    return banned.folded(text)


def only_uses_words(play: Play, allowed: _Other, text: Text) -> bool:
    play.spend(100 + 10 * (_size(allowed) + len(text.text)) + 10 * _count(allowed))
    return words.only_uses_words(_strings(allowed), text.text)


def only_uses_chars(play: Play, allowed: Text, text: Text) -> bool:
    play.spend(read(allowed.text, 4) + read(text.text, 4))
    return words.only_uses_chars(allowed.text, text.text)


def _sorted(play: Play, found: Sequence[str], from_move: int) -> Texts:
    play.spend(100 * len(found))
    return play.texts(tuple([Text(word, "", from_move) for word in found]))


def word_set(play: Play, text: Text) -> Texts:
    play.spend(read(text.text, 10))
    return _sorted(play, words.word_set(text.text), text.from_move)


def common_word_set(play: Play, text: Text, other: Text) -> Texts:
    play.spend(read(text.text, 10) + read(other.text, 10))
    return _sorted(play, words.common_word_set(text.text, other.text), text.from_move | other.from_move)


def num_words(play: Play, text: Text) -> int:
    play.spend(read(text.text, 10))
    return len(words.words(text.text))


# Cuts and joints


def first_n_tokens(play: Play, text: Text, n: int) -> Text:
    ends = play.ends(MAIN, text.text)
    if len(ends) <= n:
        return text
    return Text(text.text[: ends[n - 1]] if n else "", "", text.from_move)


def last_n_tokens(play: Play, text: Text, n: int) -> Text:
    ends = play.ends(MAIN, text.text)
    if len(ends) <= n:
        return text
    return Text(text.text[ends[-n - 1] :] if n else "", "", text.from_move)


def num_tokens(play: Play, text: Text) -> int:
    return len(play.ends(MAIN, text.text))


def first_n_words(play: Play, text: Text, n: int) -> Text:
    play.spend(read(text.text, 20))
    return Text(words.first_n_words(text.text, n), "", text.from_move)


def last_n_words(play: Play, text: Text, n: int) -> Text:
    play.spend(read(text.text, 20))
    return Text(words.last_n_words(text.text, n), "", text.from_move)


def glue(play: Play, text: Text, other: Text) -> Text:
    play.spend(copied(text.text, other.text))
    return play.text(words.glue(text.text, other.text), from_moves(text, other))


def split(play: Play, text: Text, separator: Text | None) -> Texts:
    play.spend(100 + 4 * len(text.text))
    if separator is None:
        parts = text.text.split()
    elif separator.text:
        play.spend(searched(text.text, separator.text))
        parts = text.text.split(separator.text)
    else:
        raise run_time_error("found an empty separator for split, expected at least one character")
    return _sorted(play, parts, text.from_move | (0 if separator is None else separator.from_move))


def join(play: Play, separator: Text, items: Texts) -> Text:
    play.spend(150 + 15 * len(items) + _size(items))
    # Looked at before it is made: twenty thousand characters between a thousand items would be twenty million.
    play.check_length(_size(items) + len(separator.text) * (len(items) - 1))
    return play.text(separator.text.join([item.text for item in items]), from_moves(separator, items))


def length(play: Play, value: _Other) -> int:
    return len(value.text) if isinstance(value, Text) else len(value)


# Draws


def sample(play: Play, items: Texts) -> Text:
    return items[play.draw(len(items))] if items else EMPTY


def shuffle(play: Play, items: Texts) -> Texts:
    def numbers() -> Iterator[int]:
        for last in range(len(items) - 1, 0, -1):
            yield play.draw(last + 1)

    return tuple(shuffled(items, numbers()))
