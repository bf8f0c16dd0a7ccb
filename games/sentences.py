"""Sentences for people: English text that remembers what it was made from, so that a page can say it otherwise."""

from collections.abc import Mapping


class Sentence(str):
    """English text, and what it was made from.

    template: the sentence with its places in braces, as `str.format` takes them; plural: the same for any `count` but
    one. values: what stands in the places: numbers and texts, tuples of texts to be listed, and sentences, which are to
    be said otherwise too.
    """

    __slots__ = ("plural", "template", "values")

    template: str
    plural: str | None
    values: Mapping[str, object]


def say(template: str, plural: str | None = None, /, **values: object) -> Sentence:
    """A sentence. With a plural, the value `count` decides which of the two it is."""
    chosen = template if plural is None or values["count"] == 1 else plural
    made = Sentence(chosen.format_map({name: listed(value) for name, value in values.items()}))
    made.template, made.plural, made.values = template, plural, values
    return made


def counted(number: int, noun: str) -> str:
    """How many there are, in English: "1 passage", "2 passages"; for words that take an s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(value: object) -> object:
    return ", ".join(value) if isinstance(value, tuple) else value
